#include "cmd/rebuild.h"

#include <algorithm>

#include "base/text.h"
#include "cmd/option_heading.h"

namespace cloister::cmd {
namespace {

sign::Check agreed(std::string name, const std::string& found, const std::string& expected) {
  return {std::move(name), found == expected, found, found == expected ? "" : expected};
}

// Where the inputs are, and which of the recorded names were found to hold them.
struct Found {
  oci::ImageRef base;
  std::vector<std::string> runtimes;
  bool base_named = false, runtimes_named = false;
};

// The recorded name, at the recorded digest. The registry is asked even when the store has the
// bytes: that they lie under this name is part of what is claimed.
Result<oci::ImageRef> recorded_image(Session& session, const sign::BuildInput& input,
                                     std::string_view option) {
  if (input.uri.empty())
    return Error::invalid(
               cat("the ", printable(input.role), " of the image has no name others can use"))
        .detail(cat("its digest is ", input.digest.str()))
        .hint(cat("say where it is with ", option));
  oci::ImageRef ref;
  CL_TRY(ref.registry, oci::parse_registry_ref(input.uri));
  ref.registry.digest = input.digest;
  if (session.offline()) return ref;
  session.note(
      cat("note: the image names as its ", printable(input.role), ": ", printable(ref.str())));
  CL_TRY(const auto client, session.registry(ref.registry, oci::Access::pull));
  CL_CHECK(client->get_manifest(input.digest.str()).while_(cat("looking for ", quote(ref.str()))));
  return ref;
}

Result<Found> find_inputs(Session& session, const BuildRecord& record,
                          const RebuildSources& sources) {
  Found out;
  out.base_named = sources.base.empty() && !session.offline();
  out.runtimes_named = sources.runtimes.empty() && !session.offline();
  if (!sources.base.empty()) {
    CL_TRY(out.base, oci::parse_image_ref(sources.base));
  } else {
    const sign::BuildInput* base = record.input("base");
    if (base == nullptr) return Error::corrupt("the provenance names no base");
    CL_TRY(out.base, recorded_image(session, *base, "--base IMAGE"));
  }
  out.runtimes = sources.runtimes;
  if (!out.runtimes.empty()) return out;
  for (const sign::BuildInput& input : record.inputs) {
    if (input.role != "runtime") continue;
    CL_TRY(const oci::ImageRef ref,
           recorded_image(session, input, "--runtime, once for each source"));
    out.runtimes.push_back(cat("docker://", ref.registry.str()));
  }
  return out;
}

// What the provenance says is the image's, not the user's: a wrong word there is no wrong usage.
template <class T>
Result<T> of_the_image(Result<T> result) {
  if (result.has_value() || result.error().code() != Code::usage) return result;
  return Error::corrupt(cat("the provenance of the image: ", result.error().what()));
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
  OptionHeading heading(app, kHeadingTrust);
  app.add_option("--base", sources.base,
                 "Where the base is, for a rebuild (default: where the image says)")
      ->type_name("IMAGE");
  app.add_option("--runtime", sources.runtimes,
                 "Where the runtime is, for a rebuild: each source in its order; repeatable\n"
                 "(default: where the image says)")
      ->type_name("IMAGE|DIR|FILE")
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
  CL_TRY(PlanOptions options, of_the_image(to_plan_options(record.plan, session.limits())));
  CL_TRY(Found found, find_inputs(session, record, sources));
  options.runtimes = std::move(found.runtimes);
  const sign::BuildInput* overlay = record.input("overlay");
  if (overlay != nullptr)
    CL_CHECK(set_overlay(options, overlay->content, session.limits(), "the overlay of the image"));
  CL_TRY(Plan plan, plan_build(session, found.base, options));
  keep_recorded_names(record, plan.runtime);

  const sign::BuildInput* recorded_base = record.input("base");
  const std::string base_name = recorded_base == nullptr ? std::string() : recorded_base->uri;
  BuildRecord repeated = record;
  repeated.inputs = build_inputs(plan, base_name, options.overlay_text);
  repeated.platform = plan.base.image.config.platform().str();
  for (const std::string_view role : {"base", "runtime"})
    out.checks.push_back(agreed(cat("rebuild-", role), digests_of(repeated.inputs, role),
                                digests_of(record.inputs, role)));
  // To the last byte: what a build of ours did not write there is nobody's word.
  CL_TRY(const AssembleOptions assembly, of_the_image(assemble_options(repeated)));
  out.checks.push_back(agreed("rebuild-provenance", sha256(assembly.provenance).str(),
                              sha256(enclave.provenance).str()));
  out.inputs = std::move(repeated.inputs);
  for (sign::BuildInput& input : out.inputs)
    if (!(input.role == "base" ? found.base_named : found.runtimes_named)) input.uri.clear();
  out.checks.push_back(agreed("rebuild-mrenclave", plan.measurement.mrenclave.hex(),
                              enclave.sigstruct.mrenclave.hex()));
  const auto signed_as = [](const sign::Sigstruct& sigstruct) {
    return sha256(sign::signing_data(sigstruct)).hex();
  };
  out.checks.push_back(agreed("rebuild-sigstruct",
                              signed_as(unsigned_sigstruct(plan, record.created)),
                              signed_as(enclave.sigstruct)));
  CL_TRY(const Built built, assemble(plan, enclave.sigstruct, assembly, session.limits()));
  sign::Check whole = agreed("rebuild", built.image.manifest_descriptor.digest.str(),
                             image.manifest_descriptor.digest.str());
  if (!whole.passed) whole.found += build_version(record);
  out.checks.push_back(std::move(whole));
  return out;
}

}  // namespace cloister::cmd
