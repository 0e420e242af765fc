// package.json of an image: every lookup ends, and gives bounded texts.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "manifest-gen/runtimes/node/package_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const auto json =
      manifest::node::PackageJson::parse(as_text(std::as_bytes(std::span(data, size))), Limits{});
  if (!json) return 0;
  for (const char* name : {".", "./x", "./x/y.js", "#x"})
    for (const std::string& target : json->exports(name, {"node", "require"}))
      if (target.size() > 4096 + 64) std::abort();
  (void)json->imports("#x", {"import"});
  return 0;
}
