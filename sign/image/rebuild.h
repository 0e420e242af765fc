// What an independent rebuilder says: "I repeated this build, and got the same image, bit for bit."
//
// Predicate type urn:cloister:rebuild:v1, described by sign/image/schema/rebuild-v1.json. It is not
// the measurement predicate: that one is signed by whoever stands behind an image, this one only by
// who repeated its build.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "sign/image/provenance.h"

namespace cloister::sign {

inline constexpr std::string_view kRebuildPredicate = "urn:cloister:rebuild:v1";

struct RebuildPredicate {
  Digest mrenclave;
  std::vector<BuildInput> inputs;  // what the build was repeated from
  std::string generator_version;
};

std::string encode_rebuild(const RebuildPredicate& predicate);  // compact JSON
// MRENCLAVE of the rebuilt enclave; the image is the statement's subject.
Result<Digest> parse_rebuild(std::string_view predicate, const Limits& limits);

}  // namespace cloister::sign
