// SLSA provenance v1 of a build (https://slsa.dev/spec/v1.0/provenance): all that decides its
// bytes, the keys apart, so that anyone can repeat it.
//
// The predicate is written into the image too (label io.cloister.provenance): what is signed about
// an image is what the image itself says, and a rebuild needs nothing else. It has no times of its
// own and no identifier of a run: the same build has the same provenance.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::sign {

inline constexpr std::string_view kProvenancePredicate = "https://slsa.dev/provenance/v1";
// externalParameters: the options of `cloister build` by their names, and its date.
inline constexpr std::string_view kBuildType = "urn:cloister:build:v1";

// A resolvedDependency: "base", "runtime" (in the order in which they supply files), "overlay".
struct BuildInput {
  std::string role;
  std::string uri;  // where others find it: "docker.io/library/redis:7"; may be empty
  // Of an image's manifest, a .deb or the content; of a directory, over the sorted
  // "<sha256>  <path>\n" lines of its files that are used (in-toto's dirHash).
  Digest digest;
  bool directory = false;
  std::string content;  // "overlay" only: its bytes

  bool operator==(const BuildInput&) const = default;
};

// As the JSON array that resolvedDependencies is.
std::string encode_build_inputs(const std::vector<BuildInput>& inputs);

struct Provenance {
  std::string parameters = "{}";  // a JSON object as text
  std::string platform;           // "linux/amd64"
  std::vector<BuildInput> inputs;
  std::string generator_version;
};

std::string encode_provenance(const Provenance& provenance);  // compact JSON
// `unsupported` for the provenance of another build type, `corrupt` for a field that is missing or
// malformed, and for content that is not what its digest says.
Result<Provenance> parse_provenance(std::string_view predicate, const Limits& limits);

}  // namespace cloister::sign
