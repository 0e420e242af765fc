#include "manifest-gen/runtimes/python/command_line.h"

namespace cloister::manifest::python {

CommandLine parse_command_line(const std::vector<std::string>& argv) {
  CommandLine out;
  const auto take = [&](CommandLine::Runs runs, std::string target, std::size_t rest) {
    out.runs = runs;
    out.target = std::move(target);
    if (rest < argv.size())
      out.arguments.assign(argv.begin() + static_cast<std::ptrdiff_t>(rest), argv.end());
    return out;
  };
  for (std::size_t i = 1; i < argv.size(); ++i) {
    const std::string& word = argv[i];
    if (word == "-" || word.empty()) return out;  // standard input
    if (word == "--") {
      if (i + 1 < argv.size()) return take(CommandLine::Runs::script, argv[i + 1], i + 2);
      return out;
    }
    if (word[0] != '-') return take(CommandLine::Runs::script, word, i + 1);
    if (word.starts_with("--")) {
      if (word == "--check-hash-based-pycs") ++i;
      continue;
    }
    // Short options may stand together; the last may have its argument attached.
    for (std::size_t k = 1; k < word.size(); ++k) {
      const char option = word[k];
      if (option == 'E' || option == 'I') out.ignores_environment = true;
      if (option == 's' || option == 'I') out.no_user_site = true;
      if (option == 'P' || option == 'I') out.safe_path = true;
      if (option == 'S') out.no_site = true;
      if (option == 'W' || option == 'X') {
        if (k + 1 == word.size()) ++i;
        break;
      }
      if (option != 'c' && option != 'm') continue;
      const auto runs = option == 'c' ? CommandLine::Runs::code : CommandLine::Runs::module;
      if (k + 1 < word.size()) return take(runs, word.substr(k + 1), i + 1);
      if (i + 1 < argv.size()) return take(runs, argv[i + 1], i + 2);
      return out;
    }
  }
  return out;
}

}  // namespace cloister::manifest::python
