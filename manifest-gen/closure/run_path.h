// The lists of directories that loaders are given: DT_RPATH, DT_RUNPATH, LD_LIBRARY_PATH.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

enum class LoaderKind { glibc, musl };

// What the dynamic string tokens stand for (ld.so(8)). `lib` is empty when it is not known: then
// every value in use is tried.
struct TokenValues {
  std::string_view origin, lib;
};

struct RunPathPlace {
  std::string directory;  // absolute, as the loader spells it: not normalised
  // Under the runtime's loader the text means another directory ($LIB, $PLATFORM).
  bool elsewhere = false;
};

// `workdir` is what relative and empty elements mean. At most kMaxRunPathPlaces; none twice.
std::vector<RunPathPlace> run_path_places(LoaderKind kind, std::string_view text,
                                          const TokenValues& tokens, std::string_view workdir);
// LD_LIBRARY_PATH: the same with the separators of the environment.
std::vector<RunPathPlace> environment_places(LoaderKind kind, std::string_view text,
                                             const TokenValues& tokens, std::string_view workdir);
inline constexpr std::size_t kMaxRunPathPlaces = 4096;

// A path or name that may hold tokens, as glibc expands DT_NEEDED, DT_FILTER and names given to
// dlopen(); musl leaves them as they are.
std::string expand_tokens(std::string_view text, const TokenValues& tokens);

}  // namespace cloister::manifest
