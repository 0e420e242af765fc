// cloister.toml: named by who runs the program, but perhaps written by others.
#include <cstdint>
#include <cstdlib>

#include "cmd/config_file.h"

using namespace cloister;

namespace {

cmd::CommandText small_program() {
  const auto option = [](const char* name, const char* value, bool repeatable) {
    cmd::OptionText out;
    out.names = {name};
    out.value = value;
    out.repeatable = repeatable;
    return out;
  };
  cmd::CommandText ls, cache, build, program;
  ls.name = "cloister cache ls";
  ls.options = {option("--keep", "SIZE", false)};
  cache.name = "cloister cache";
  cache.commands = {ls};
  build.name = "cloister build";
  build.options = {option("--trust", "none|all", false), option("--env", "NAME=VALUE", true),
                   option("--edmm", "", false), option("--isvsvn", "N", false)};
  build.options.front().choices = {"none", "all"};
  build.arguments = {option("IMAGE", "IMAGE", false)};
  build.arguments.front().argument = true;
  program.name = "cloister";
  program.commands = {cache, build};
  return program;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const cmd::CommandText kProgram = small_program();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto settings = cmd::read_settings(text, kProgram, {"build"}, Limits(), "the file");
  if (!settings.has_value()) {
    if (settings.error().code() != Code::usage) std::abort();
    return 0;
  }
  for (const cmd::Setting& setting : *settings) {
    if (setting.words.empty()) std::abort();
    for (const std::string& word : setting.words) {
      // No word may become an option of its own, or end early.
      if (word.find('\0') != std::string::npos) std::abort();
      if (setting.argument ? word.starts_with('-') : !word.empty() && !word.starts_with("--"))
        std::abort();
    }
  }
  return 0;
}
