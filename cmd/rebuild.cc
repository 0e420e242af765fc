#include "cmd/rebuild.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::cmd {
namespace {

sign::Check agreed(std::string name, const std::string& found, const std::string& expected) {
  return {std::move(name), found == expected, found, found == expected ? "" : expected};
}

// The recorded name, at the recorded digest.
Result<oci::ImageRef> recorded_image(const sign::BuildInput& input, std::string_view option) {
  if (input.uri.empty())
    return Error::invalid(cat("the ", input.role, " of the image has no name others can use"))
        .detail(cat("its digest is ", input.digest.str()))
        .hint(cat("say where it is with ", option));
  oci::ImageRef ref;
  CL_TRY(ref.registry, oci::parse_registry_ref(input.uri));
  ref.registry.digest = input.digest;
  return ref;
}

Result<oci::ImageRef> base_of(const BuildRecord& record, const RebuildSources& sources) {
  if (!sources.base.empty()) return oci::parse_image_ref(sources.base);
  const sign::BuildInput* base = record.input("base");
  if (base == nullptr) return Error::corrupt("the provenance names no base");
  return recorded_image(*base, "--base IMAGE");
}

Result<std::vector<std::string>> runtimes_of(const BuildRecord& record,
                                             const RebuildSources& sources) {
  if (!sources.runtimes.empty()) return sources.runtimes;
  std::vector<std::string> out;
  for (const sign::BuildInput& input : record.inputs) {
    if (input.role != "runtime") continue;
    CL_TRY(const oci::ImageRef ref, recorded_image(input, "--runtime, once for each source"));
    out.push_back(ref.str());
  }
  return out;
}

// The same source, found in another place, is still called what the build called it.
void keep_recorded_names(const BuildRecord& record, measure::Runtime& runtime) {
  std::size_t source = 0;
  for (const sign::BuildInput& input : record.inputs) {
    if (input.role != "runtime" || source >= runtime.sources.size()) continue;
    if (runtime.source_digest(source) == input.digest) runtime.sources[source].uri = input.uri;
    ++source;
  }
}

std::string digests_of(const std::vector<sign::BuildInput>& inputs, std::string_view role) {
  std::vector<std::string> out;
  for (const sign::BuildInput& input : inputs)
    if (input.role == role) out.push_back(input.digest.str());
  return join(out, ", ");
}

std::string build_version(const BuildRecord& record) {
  return record.version == kVersion
             ? std::string()
             : cat(" (built by cloister ", printable(record.version), ", this is ", kVersion, ")");
}

}  // namespace

void add_rebuild_options(CLI::App& app, RebuildSources& sources) {
  app.add_option("--base", sources.base,
                 "Where the base is, for a rebuild (default: where the image says)");
  app.add_option("--runtime", sources.runtimes,
                 "Where the runtime is, for a rebuild: each source in its order; repeatable\n"
                 "(default: where the image says)")
      ->expected(1)
      ->take_all();
}

bool Rebuilt::identical() const {
  return std::all_of(checks.begin(), checks.end(), [](const sign::Check& c) { return c.passed; });
}

Result<Rebuilt> rebuild(Session& session, const oci::Image& image, const EnclaveImage& enclave,
                        const RebuildSources& sources) {
  if (enclave.provenance.empty())
    return Error::invalid("the image does not say how it was built")
        .hint("build it anew with this version of cloister");
  Rebuilt out;
  CL_TRY(out.record, parse_build_record(enclave.provenance, session.limits()));
  const BuildRecord& record = out.record;
  CL_TRY(PlanOptions options, to_plan_options(record.plan, session.limits()));
  CL_TRY(options.runtimes, runtimes_of(record, sources));
  const sign::BuildInput* overlay = record.input("overlay");
  if (overlay != nullptr)
    CL_CHECK(set_overlay(options, overlay->content, session.limits(), "the overlay of the image"));
  CL_TRY(const oci::ImageRef base, base_of(record, sources));
  CL_TRY(Plan plan, plan_build(session, base, options));
  keep_recorded_names(record, plan.runtime);

  const sign::BuildInput* recorded_base = record.input("base");
  const std::string base_name = recorded_base == nullptr ? std::string() : recorded_base->uri;
  const auto inputs = build_inputs(plan, base_name, options.overlay_text);
  for (const std::string_view role : {"base", "runtime"})
    out.checks.push_back(
        agreed(cat("rebuild-", role), digests_of(inputs, role), digests_of(record.inputs, role)));
  out.checks.push_back(agreed("rebuild-mrenclave", plan.measurement.mrenclave.hex(),
                              enclave.sigstruct.mrenclave.hex()));
  const auto signed_as = [](const sign::Sigstruct& sigstruct) {
    return sha256(sign::signing_data(sigstruct)).hex();
  };
  out.checks.push_back(agreed("rebuild-sigstruct",
                              signed_as(unsigned_sigstruct(plan, record.created)),
                              signed_as(enclave.sigstruct)));
  AssembleOptions assembly;
  assembly.created = record.created;
  assembly.with_direct = record.with_direct;
  CL_TRY(assembly.labels, parse_labels(record.labels));
  assembly.base_name = base_name;
  assembly.provenance = enclave.provenance;
  CL_TRY(const Built built, assemble(plan, enclave.sigstruct, assembly, session.limits()));
  sign::Check whole = agreed("rebuild", built.image.manifest_descriptor.digest.str(),
                             image.manifest_descriptor.digest.str());
  if (!whole.passed) whole.found += build_version(record);
  out.checks.push_back(std::move(whole));
  return out;
}

}  // namespace cloister::cmd
