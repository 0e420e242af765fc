#include "cmd/predicates.h"

#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cmd/option_heading.h"
#include "cmd/report/sbom.h"
#include "manifest-gen/assemble/paths.h"
#include "manifest-gen/packages/package_index.h"
#include "sign/image/measurement.h"
#include "sign/image/provenance.h"

namespace cloister::cmd {
namespace {

// in-toto's predicate types of the two formats; cosign's short names are spdxjson and cyclonedx.
constexpr std::string_view kSpdxPredicate = "https://spdx.dev/Document";
constexpr std::string_view kCyclonedxPredicate = "https://cyclonedx.org/bom";
constexpr std::string_view kRuntimeDirectory = "/gramine/";

Status require_sound(const sign::EnclaveEvidence& evidence) {
  sign::EnclavePins pins;
  pins.allow_debug = true;  // attested as what it is
  for (const sign::Check& check : sign::check_enclave_evidence(evidence, pins))
    if (!check.passed)
      return Error::policy(cat("the image does not hold what it promises: ", check.name))
          .detail(cat("got ", check.found, ", want ", check.expected))
          .hint("build it anew; nothing was signed");
  return {};
}

std::string measurement_of(const oci::Image& image, const EnclaveImage& enclave,
                           const sign::EnclaveEvidence& evidence) {
  sign::MeasurementPredicate p;
  p.media_type = image.manifest_descriptor.media_type;
  p.platform = image.config.platform().str();
  p.sigstruct = enclave.sigstruct;
  p.mrsigner = enclave.sigstruct.mrsigner();
  p.sigstruct_digest = enclave.sigstruct_digest;
  p.enclave_size = enclave.enclave_size;
  p.runtime_name = evidence.runtime_name;
  p.runtime_version = evidence.runtime_version;
  p.runtime_files = evidence.runtime_files;
  p.manifest_path = std::string(manifest::kSgxManifestPath);
  p.manifest_digest = evidence.manifest_digest;
  p.trusted_files = evidence.trusted.size();
  p.trusted_digest = sign::trusted_files_digest(evidence.trusted);
  p.base_uri = evidence.base_uri;
  p.base_digest = evidence.base_digest;
  p.generator_version = std::string(kVersion);
  return sign::encode_measurement(p);
}

// The files that the manifest trusts, each once, under the path where it really is.
std::vector<SbomFile> granted_files(const LoadedImage& loaded,
                                    const sign::EnclaveEvidence& evidence) {
  std::vector<SbomFile> out;
  std::map<std::string, std::size_t> known;
  for (const sign::NamedDigest& trusted : evidence.trusted) {
    const std::string path = loaded.rootfs->real_path(trusted.name).value_or(trusted.name);
    const auto [at, added] = known.emplace(path, out.size());
    if (added) {
      const measure::Node* node = loaded.rootfs->find(path);
      out.push_back({path,
                     {},
                     trusted.sha256,
                     node != nullptr && loaded.rootfs->elf_facts(*node) != nullptr,
                     path.starts_with(kRuntimeDirectory),
                     "the enclave manifest trusts it"});
    }
    if (trusted.name != path) out[at->second].aliases.push_back(trusted.name);
  }
  return out;
}

std::string sbom_of(const LoadedImage& loaded, const sign::EnclaveEvidence& evidence,
                    SbomFormat format, const Limits& limits) {
  const auto packages = manifest::PackageIndex::read(*loaded.rootfs, limits);
  const SbomSubject subject{printable(loaded.image.name),
                            loaded.image.manifest_descriptor.digest,
                            evidence.runtime_name,
                            evidence.runtime_version,
                            packages,
                            granted_files(loaded, evidence)};
  const Seconds created = loaded.image.config.created.value_or(Seconds());
  return dump_json(format == SbomFormat::spdx ? spdx_document(subject, created)
                                              : cyclonedx_document(subject, created));
}

}  // namespace

void add_sbom_option(CLI::App& app, std::string& format) {
  OptionHeading heading(app, kHeadingSigning);
  app.add_option("--sbom", format, "Attest a list of all the enclave may touch too")
      ->check(CLI::IsMember({"none", "spdx", "cyclonedx"}))
      ->capture_default_str();
}

SbomFormat sbom_format(const std::string& name) {
  if (name == "spdx") return SbomFormat::spdx;
  return name == "cyclonedx" ? SbomFormat::cyclonedx : SbomFormat::none;
}

Result<std::vector<Predicate>> enclave_predicates(const LoadedImage& loaded,
                                                  const EnclaveImage& enclave, SbomFormat sbom,
                                                  const Limits& limits) {
  CL_TRY(const sign::EnclaveEvidence evidence, enclave_evidence(loaded, enclave, limits));
  CL_CHECK(require_sound(evidence));
  std::vector<Predicate> out;
  out.push_back({sign::kMeasurementPredicate, measurement_of(loaded.image, enclave, evidence)});
  // An image of an older build says nothing of how it was made.
  if (sign::parse_provenance(enclave.provenance, limits).has_value())
    out.push_back({sign::kProvenancePredicate, enclave.provenance});
  if (sbom != SbomFormat::none)
    out.push_back({sbom == SbomFormat::spdx ? kSpdxPredicate : kCyclonedxPredicate,
                   sbom_of(loaded, evidence, sbom, limits)});
  return out;
}

}  // namespace cloister::cmd
