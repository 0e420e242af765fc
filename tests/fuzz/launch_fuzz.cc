// passwd, group, "#!" lines, env arguments and shell text: what an image says about its launch. The
// input is split at bytes of value 0x01 into the parts.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/closure/shell_scan.h"
#include "manifest-gen/launch/passwd.h"
#include "manifest-gen/launch/shebang.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  using namespace cloister::manifest;
  const std::string_view input = as_text(std::as_bytes(std::span(data, size)));
  auto parts = split(input, '\x01');
  parts.resize(4);

  const auto identity = resolve_identity(parts[0], std::string(parts[1]), std::string(parts[2]));
  if (identity && (identity->uid > 0x7fffffffU || identity->home.empty())) std::abort();
  if (const auto line = parse_shebang(parts[3])) {
    if (line->interpreter.empty()) std::abort();
    (void)env_program({line->argument});
  }
  const ShellScan scan = scan_shell(input);
  for (const std::string& file : scan.files)
    if (!file.starts_with('/')) std::abort();
  (void)match_path(parts[0], parts[1]);
  return 0;
}
