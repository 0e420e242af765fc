#include "measure/source/python_calls.h"

#include <array>
#include <cstdint>

namespace cloister::measure::source {
namespace {

struct CallName {
  std::string_view name;
  Call call;
};

constexpr CallName kCallNames[] = {
    {"__import__", Call::import},
    {"import_module", Call::import},
    {"run", Call::command},
    {"call", Call::command},
    {"Popen", Call::command},
    {"check_call", Call::command},
    {"check_output", Call::command},
    {"getoutput", Call::command},
    {"getstatusoutput", Call::command},
    {"system", Call::command},
    {"popen", Call::command},
    {"create_subprocess_exec", Call::command},
    {"create_subprocess_shell", Call::command},
    {"execv", Call::command},
    {"execvp", Call::command},
    {"execlp", Call::command},
    {"spawnvp", Call::command},
    {"spawnlp", Call::command},
    {"CDLL", Call::library},
    {"PyDLL", Call::library},
    {"LoadLibrary", Call::library},
    {"load_library", Call::library},
    {"dlopen", Call::library},
    {"find_library", Call::find},
    {"entry_points", Call::entry},
    {"iter_entry_points", Call::entry},
    {"load_entry_point", Call::load_entry},
    {"spec_from_file_location", Call::computed},
    {"SourceFileLoader", Call::computed},
    {"run_path", Call::computed},
    {"run_module", Call::computed},
    {"iter_modules", Call::computed},
    {"walk_packages", Call::computed},
    {"load_module", Call::computed},
    {"load_source", Call::computed},
    {"attach_stub", Call::computed},
    {"LazyLoader", Call::computed},
    {"_LazyModule", Call::computed},
    {"__file__", Call::data},
    {"get_data", Call::data},
    {"resource_filename", Call::data},
    {"resource_string", Call::data},
    {"resource_stream", Call::data},
    {"resource_listdir", Call::data},
    {"PackageLoader", Call::data},
    {"Flask", Call::data},
    {"Blueprint", Call::data},
};

constexpr std::size_t kLongestCall = 23;

// Which lengths those names have, by their first byte: most words of a text are none of them.
constexpr std::array<std::uint32_t, 128> make_lengths() {
  std::array<std::uint32_t, 128> out{};
  for (const CallName& row : kCallNames)
    out[static_cast<unsigned char>(row.name.front())] |= 1U << row.name.size();
  return out;
}
constexpr auto kCallLengths = make_lengths();

}  // namespace

Call call_of(std::string_view word) {
  const auto first = static_cast<unsigned char>(word.front());
  if (word.size() > kLongestCall || first >= kCallLengths.size() ||
      (kCallLengths[first] >> word.size() & 1U) == 0)
    return Call::none;
  for (const CallName& row : kCallNames)
    if (row.name == word) return row.call;
  return Call::none;
}

}  // namespace cloister::measure::source
