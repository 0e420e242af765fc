// Where a program can run: which kind of confidential machine fits it, and why. A function of what
// an audit knows anyway; nothing is looked at here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manifest-gen/audit/finding.h"

namespace cloister::manifest {

// sgx: an enclave, under Gramine. snp: a virtual machine of one's own, booted with its root in
// memory. nitro: a Nitro Enclave of AWS.
enum class Target { sgx, snp, nitro };
std::string_view target_name(Target target);

enum class Fit { yes, with_limits, no };
std::string_view fit_name(Fit fit);  // "yes", "with-limits", "no"

struct FitReason {
  // What it does to the answer: speaks for it, is a price to know, costs a part of what the program
  // does, rules it out. The worst one of a target decides.
  enum class Effect { gain, cost, limit, obstacle };
  Effect effect = Effect::gain;
  std::string what;      // a clause for who decides, without a full stop
  std::string evidence;  // where that was seen: a finding's id and file, a size, a volume
};
std::string_view effect_name(FitReason::Effect effect);  // "for", "cost", "limit", "against"

struct TargetFit {
  Target target = Target::sgx;
  Fit fit = Fit::yes;
  std::vector<FitReason> reasons;  // the worst first
};

struct FitFacts {
  // Those of the rules CL4xx count (compatibility.h), as the rules rate them: a policy decides
  // about risks, not about what works.
  std::vector<Finding> findings;
  std::uint64_t enclave_size = 0;                    // bytes; 0: not known
  bool edmm = false;                                 // that is what it may grow to
  std::size_t granted_files = 0, image_files = 0;    // 0: not known
  std::uint64_t granted_bytes = 0, image_bytes = 0;  // of these files; 0: not known
  std::string network;                               // what shows that it has one; empty: nothing
  std::vector<std::string> volumes;                  // of the image, absolute
  std::vector<std::pair<std::string, std::uint64_t>> seen_calls;  // in rehearsals, which Gramine
                                                                  // lacks: name, times
};

// One for each target, in the order of Target.
std::vector<TargetFit> target_fit(const FitFacts& facts);

}  // namespace cloister::manifest
