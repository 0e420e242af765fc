// A shell script of an image, which sources itself: every invocation has a command.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "manifest-gen/closure/shell_scan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const std::string text(as_text(std::as_bytes(std::span(data, size))));
  manifest::ShellScene scene;
  scene.script = "/entry.sh";
  scene.arguments = {"one", "two words"};
  scene.env = {{"HOME", "/root"}, {"OPTS", "-a -b"}};
  scene.source = [&](const std::string&) { return std::optional<std::string>(text); };
  scene.glob = [](const std::string& pattern) { return std::vector<std::string>{pattern, "/x"}; };
  for (const manifest::Invocation& invocation : manifest::scan_shell(text, scene).invocations)
    if (invocation.words.empty()) std::abort();
  return 0;
}
