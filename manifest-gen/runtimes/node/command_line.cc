// node(1), "Options". Options that are not in the table take no value, or carry it behind '='.
#include "manifest-gen/runtimes/node/command_line.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace cloister::manifest::node {
namespace {

enum class Use { ignored, text, require, import, condition, file, run };
struct Option {
  std::string_view name;
  Use use;
};

// Options that take their value from the next word when there is no '='.
constexpr Option kWithValue[] = {
    {"-e", Use::text},
    {"--eval", Use::text},
    {"-p", Use::text},
    {"--print", Use::text},
    {"-pe", Use::text},
    {"-r", Use::require},
    {"--require", Use::require},
    {"--import", Use::import},
    {"--loader", Use::import},
    {"--experimental-loader", Use::import},
    {"-C", Use::condition},
    {"--conditions", Use::condition},
    {"--run", Use::run},
    {"--icu-data-dir", Use::file},
    {"--openssl-config", Use::file},
    {"--env-file", Use::file},
    {"--env-file-if-exists", Use::file},
    {"--experimental-policy", Use::file},
    {"--experimental-config-file", Use::file},
    {"--snapshot-blob", Use::file},
    {"--build-snapshot", Use::ignored},
    {"--diagnostic-dir", Use::ignored},
    {"--disable-proto", Use::ignored},
    {"--disable-warning", Use::ignored},
    {"--dns-result-order", Use::ignored},
    {"--experimental-default-type", Use::ignored},
    {"--input-type", Use::ignored},
    {"--localstorage-file", Use::ignored},
    {"--redirect-warnings", Use::ignored},
    {"--test-name-pattern", Use::ignored},
    {"--test-reporter", Use::ignored},
    {"--title", Use::ignored},
    {"--tls-cipher-list", Use::ignored},
    {"--trace-event-categories", Use::ignored},
    {"--unhandled-rejections", Use::ignored},
    {"--watch-path", Use::ignored},
};

const Option* find_option(std::string_view name) {
  const auto* at = std::find_if(std::begin(kWithValue), std::end(kWithValue),
                                [&](const Option& option) { return option.name == name; });
  return at != std::end(kWithValue) ? at : nullptr;
}

void apply(Use use, std::string value, CommandLine& out) {
  switch (use) {
    case Use::ignored:
      return;
    case Use::text:
      out.text.push_back(std::move(value));
      return;
    case Use::require:
      out.require.push_back(std::move(value));
      return;
    case Use::import:
      out.import.push_back(std::move(value));
      return;
    case Use::condition:
      out.conditions.push_back(std::move(value));
      return;
    case Use::file:
      out.files.push_back(std::move(value));
      return;
    case Use::run:
      out.run = std::move(value);
      return;
  }
}

// Returns where the words behind the options begin.
std::size_t options(const std::vector<std::string>& words, CommandLine& out) {
  std::size_t i = 0;
  for (; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") return i + 1;
    if (word.size() < 2 || word.front() != '-') break;
    const std::size_t equals = word.find('=');
    const Option* option = find_option(std::string_view(word).substr(0, equals));
    if (option == nullptr) continue;
    if (equals != std::string::npos)
      apply(option->use, word.substr(equals + 1), out);
    else if (i + 1 < words.size())
      apply(option->use, words[++i], out);
  }
  return i;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& words,
                               std::string_view environment) {
  CommandLine out;
  (void)options(simple_command(environment), out);
  std::size_t at = options(words, out);
  if (at < words.size() && out.text.empty() && out.run.empty()) {
    if (words[at] == "inspect" || words[at] == "debug") ++at;
    if (at < words.size() && words[at] != "-") out.script = words[at++];
  }
  if (at < words.size())
    out.arguments.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
  return out;
}

std::vector<std::string> simple_command(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  const auto end_word = [&] {
    // NAME=VALUE in front of the command.
    const std::size_t equals = word.find('=');
    if (in_word && !(words.empty() && equals != std::string::npos && equals > 0 &&
                     word.front() != '-' && word.find('/') > equals))
      words.push_back(word);
    word.clear();
    in_word = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == quote)
        quote = '\0';
      else if (c == '$' && quote == '"')
        return {};
      else
        word += c;
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      end_word();
    } else if (c == '&' || c == '|' || c == ';' || c == '<' || c == '>') {
      break;
    } else if (c == '$' || c == '`' || c == '(') {
      return {};
    } else {
      if (c == '\\' && i + 1 < text.size()) ++i;
      word += text[i];
      in_word = true;
    }
  }
  end_word();
  return words;
}

}  // namespace cloister::manifest::node
