// The one pipeline: build, --dry-run, manifest and deps are prefixes of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cmd/session.h"
#include "cmd/targets.h"
#include "manifest-gen/assemble/assemble.h"
#include "manifest-gen/audit/finding.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/gramine/generate.h"
#include "manifest-gen/launch/launch.h"
#include "manifest-gen/packages/package_index.h"
#include "manifest-gen/rehearse/verdict/verdict.h"
#include "measure/runtime/runtime.h"
#include "measure/sgx/enclave.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::cmd {

inline constexpr std::string_view kDefaultRuntime = "docker.io/gramineproject/gramine:stable-noble";

// What decides the manifest: shared by build, manifest and deps.
struct PlanOptions {
  std::vector<std::string> runtimes;  // --runtime; empty: kDefaultRuntime
  manifest::LaunchOverrides launch;
  manifest::ManifestOptions manifest;
  std::vector<std::string> includes, excludes;
  manifest::Trust trust = manifest::Trust::closure;
  std::vector<std::string> accepted;       // --accept: finding or advisory ids
  std::string overlay_file, overlay_text;  // of --manifest, and as it was read
  std::optional<manifest::RaTlsFiles> ra_tls;
  bool marblerun = false;
  std::string secret_servers, secret_ca;  // --secret-prov; empty: none
  // Without --runtime, when the default one cannot be had: go on with the image's own libc. For
  // commands that only look; said on stderr.
  bool runtime_optional = false;
  // A virtual machine has no Gramine, but the image's own libc.
  Tee tee = Tee::sgx;
};

// Everything that is known before a key is needed.
struct Plan {
  LoadedImage base;
  measure::Runtime runtime;
  manifest::PackageIndex packages;
  manifest::Launch launch;
  manifest::Kind kind;
  manifest::Closure closure;
  manifest::GeneratedManifest manifest;
  measure::sgx::EnclaveParams params;
  measure::sgx::EnclaveMeasurement measurement;
  std::vector<manifest::Finding> findings;
};

// Where others find an image again: a path of this machine is no such name, and would make the
// digest of the result depend on it. Empty then. Without the digest, which is stated beside it.
std::string public_name(const oci::ImageRef& ref);

// One --runtime argument: an existing directory, a .deb file, or an image.
Result<measure::RuntimeSource> load_runtime_source(Session& session, const std::string& argument);
Result<measure::Runtime> load_runtime(Session& session, const std::vector<std::string>& arguments);

// Up to the closure. Unresolved needs are in it; require_resolved turns them into an error.
struct ClosurePlan {
  LoadedImage base;
  measure::Runtime runtime;
  bool image_libc = false;  // no runtime: the libc is the image's own
  manifest::PackageIndex packages;
  manifest::Launch launch;
  manifest::Kind kind;
  std::optional<manifest::Front> front;
  manifest::Closure closure;
};
Result<ClosurePlan> plan_closure(Session& session, const oci::ImageRef& image,
                                 const PlanOptions& options);
Status require_resolved(const manifest::Closure& closure);
// Up to the manifest, for an enclave that can be built. `measurement` and `findings` stay empty:
// hashing an enclave takes longer than everything before it.
Result<Plan> plan_manifest(Session& session, const oci::ImageRef& image,
                           const PlanOptions& options);
Result<Plan> plan_build(Session& session, const oci::ImageRef& image, const PlanOptions& options);
// The same for who only looks: what would stop a build is among the findings.
Result<Plan> plan_audit(Session& session, const oci::ImageRef& image, const PlanOptions& options);

// What a run is held against: the plan, which must outlive it.
manifest::JudgeInput judge_input(const Plan& plan);

// The enclave's SIGSTRUCT but for the signature.
sign::Sigstruct unsigned_sigstruct(const Plan& plan, Seconds created);

struct AssembleOptions {
  Seconds created{};
  bool with_direct = false;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string base_name;   // where others find the base; empty: nowhere
  std::string provenance;  // for the image's label
  // What the image says built it. A rebuild says what the image says: the name of a version that
  // gives the same bytes is no difference.
  std::string version{kVersion};
};

struct Built {
  sign::Sigstruct sigstruct;
  manifest::AssembledImage image;
};

// Added layer, config, manifest around a signed SIGSTRUCT of this plan.
Result<Built> assemble(const Plan& plan, const sign::Sigstruct& sigstruct,
                       const AssembleOptions& options, const Limits& limits);
// The new blobs, into the store.
Status keep_built(Session& session, const Built& built);

}  // namespace cloister::cmd
