// RPATH, RUNPATH and LD_LIBRARY_PATH of an image: every place is absolute, none comes twice, and
// there are not too many.
#include <cstdint>
#include <cstdlib>
#include <set>

#include "base/bytes.h"
#include "manifest-gen/closure/run_path.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  using namespace cloister::manifest;
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  const TokenValues tokens{"/app", size % 2 == 0 ? "lib64" : ""};
  for (const LoaderKind kind : {LoaderKind::glibc, LoaderKind::musl}) {
    for (const auto& places : {run_path_places(kind, text, tokens, "/work"),
                               environment_places(kind, text, tokens, "/work")}) {
      if (places.size() > kMaxRunPathPlaces) std::abort();
      std::set<std::string> seen;
      for (const RunPathPlace& place : places)
        if (!place.directory.starts_with('/') || !seen.insert(place.directory).second) std::abort();
    }
  }
  (void)expand_tokens(text, tokens);
  return 0;
}
