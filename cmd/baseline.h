// One side of a comparison, whatever it is kept in: an image, a manifest, a saved report of
// `audit`, or a baseline (cloister.lock.json), which `build --lock` writes to be committed.
#pragma once

#include <string>
#include <string_view>

#include "cmd/enclave_image.h"
#include "cmd/pipeline.h"
#include "cmd/plan_options.h"
#include "cmd/report/audit.h"
#include "cmd/session.h"
#include "manifest-gen/audit/permissions.h"

namespace cloister::cmd {

inline constexpr std::string_view kLockFile = "cloister.lock.json";
inline constexpr std::uint64_t kMaxBaselineBytes = 64U << 20;  // a report of many thousand files

manifest::Permissions permissions_of(const AuditReport& report);
manifest::Permissions permissions_of(const Plan& plan);
Result<manifest::Permissions> permissions_of(const EnclaveImage& enclave, const oci::Image& image,
                                             const Limits& limits);

// schema/lock.schema.json: where the base and the runtime are from, what was measured, and the
// manifest line by line, so that version control shows what a change is.
std::string lock_json(const Plan& plan);

struct Baseline {
  manifest::Permissions permissions;
  std::string base_name, base_digest;  // empty: not said
  std::string runtime_name, runtime_version;
  struct Source {
    std::string name, digest;
  };
  std::vector<Source> runtimes;
};
// A lock file or a saved report. `what` names it.
Result<Baseline> parse_baseline(std::string_view text, const Limits& limits, std::string_view what);

// By what the argument is: a file (JSON or a manifest), else an image.
Result<manifest::Permissions> read_permissions(Session& session, const std::string& argument,
                                               const PlanOptions& options);

}  // namespace cloister::cmd
