// What may run, as one file in version control: TOML, strict. Whoever mistypes a rule is told so;
// a rule that was silently skipped would be worse than none.
//
//   schemaVersion = 1
//   not-after = "2027-06-30T00:00:00Z"     # then the policy has to be looked at again
//
//   [signers]                              # who stands behind an image
//   keys = ["release.pub"]                 # files beside the policy, or PEM text
//   threshold = 1
//
//   [rebuilders]                           # who repeated the build, bit for bit
//   keys = ["builder-a.pub", "builder-b.pub"]
//   threshold = 2
//
//   [sgx]
//   mrsigner = ["…64 hex digits…"]         # one of these
//   isvprodid = 1
//   min-isvsvn = 3
//   allow-debug = false
//
//   [quote]                                # the platform that a quote must come from
//   tcb-statuses = ["UpToDate", "SWHardeningNeeded"]
//   advisories = ["INTEL-SA-00615"]        # those that are accepted; without this key: any
//   min-tcb-evaluation = 17
//   fmspc = ["00a067110000"]               # Intel platforms
//   products = ["Milan", "Genoa"]          # AMD products
//   min-tcb = "03000000000017d3"           # AMD: bytes of the reported TCB, each a minimum
//
//   [revoked]
//   images = ["sha256:…"]
//   mrenclave = ["…64 hex digits…"]
//
//   [bases]                                # one of these: a repository, or a digest
//   allowed = ["docker.io/library/redis"]
//
//   [runtimes]                             # each source of the runtime is one of these
//   allowed = ["docker.io/gramineproject/gramine", "sha256:…"]
//
//   [findings]                             # of the audit: manifest-gen/audit/audit_policy.h
//   fail-on = "high"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/time.h"
#include "sign/image/checks.h"
#include "sign/quote/verdict.h"

namespace cloister::sign {

inline constexpr std::uint64_t kMaxPolicyBytes = 1U << 20;
// What a policy file may hold at its top; [findings] is read by others.
inline constexpr std::string_view kPolicyTables[] = {
    "schemaVersion", "not-after", "signers", "rebuilders", "sgx",
    "quote",         "revoked",   "bases",   "runtimes",   "findings"};

// So many of these keys, each counted once.
struct KeyRule {
  std::vector<std::string> keys;  // as written
  std::size_t threshold = 0;      // 0: nothing is asked
};

// A repository ("docker.io/library/redis", any tag of it) or a digest.
struct OriginRule {
  std::string repository;
  std::optional<Digest> digest;
  std::string str() const;
};

struct Policy {
  std::optional<Seconds> not_after;
  KeyRule signers, rebuilders;
  EnclavePins sgx;
  QuoteRules quote;  // allow_debug is that of `sgx`
  std::vector<Digest> revoked_images, revoked_enclaves;
  std::vector<OriginRule> bases, runtimes;  // empty: any
};

// `invalid` for a key that is not known or of the wrong type, a threshold that cannot be met, a
// policy without signers; `unsupported` for another schemaVersion. `what` names the file.
Result<Policy> parse_policy(std::string_view text, const Limits& limits, std::string_view what);

}  // namespace cloister::sign
