#include "cmd/guest/guest_command.h"

#include "base/text.h"
#include "cmd/build_date.h"
#include "cmd/guest/guest_build.h"
#include "cmd/key_leak.h"
#include "cmd/output.h"
#include "cmd/publish.h"
#include "cmd/report/guest.h"
#include "cmd/sign_image.h"

namespace cloister::cmd {
namespace {

Status check_guest_usage(const GuestBuildRequest& r) {
  CL_CHECK(check_key_options(r.target.sign_key, "sign-"));
  if (r.target.push && r.target.tags.empty())
    return Error::usage("--push needs a destination")
        .hint("name it with -t REGISTRY/REPOSITORY:TAG");
  if (r.target.sbom != "none")
    return Error::usage("--sbom is for enclaves of Gramine")
        .hint("cloister deps --tee snp --format spdx lists what the machine holds");
  if (r.target.output.starts_with("docker-archive:"))
    return Error::usage("a virtual machine's files are no Docker image")
        .hint("write oci:DIR[:tag] or oci-archive:FILE[:tag]");
  if (r.dry_run) return {};
  if (r.guest.kernel.empty())
    return Error::usage("a virtual machine needs a kernel")
        .hint("give --kernel with Debian's package linux-image-VERSION-cloud-amd64, or a bzImage");
  if (r.guest.firmware.empty())
    return Error::usage("a virtual machine needs firmware, which is measured first")
        .hint("give --firmware with Debian's package ovmf-amdsev, or its OVMF.amdsev.fd");
  if (r.target.sign_key.given() && !r.target.push && !r.target.output.starts_with("oci:"))
    return Error::usage("--sign-key signs an image where it lies, and this build puts it nowhere")
        .hint("give -t DEST --push, or -o oci:DIR (an archive cannot be added to)");
  return {};
}

Status publish_guest(Session& session, const GuestDraft& draft, const GuestBuild& built,
                     const BuildTarget& target, const Destinations& to, const BuildKeys& keys) {
  oci::Image image = draft.found.base.image;
  image.manifest = built.artifact.manifest;
  image.manifest_descriptor = built.artifact.manifest_descriptor;
  image.manifest_text = built.artifact.manifest_text;
  CL_TRY(const oci::ImageContent content, content_in_store(session, image));
  const auto sign = [&](oci::ImageRef ref) -> Status {
    if (!keys.image) return {};
    ref.digest = ref.registry.digest = image.manifest_descriptor.digest;
    CL_CHECK(
        sign_image(session, ref, {keys.image->key, {signature_forms(target.sig_format), "", {}}}));
    return {};
  };
  if (to.output) CL_CHECK(publish(session, content, *to.output, ""));
  if (to.output && to.output->transport == oci::Transport::layout) CL_CHECK(sign(*to.output));
  CL_TRY(oci::Store * store, session.store());
  for (const oci::ImageRef& tag : to.tags) {
    if (target.push) {
      CL_CHECK(publish(session, content, tag, ""));
      CL_CHECK(sign(tag));
    }
    CL_CHECK(store->tag(tag.str(), image.manifest_descriptor));
  }
  return {};
}

}  // namespace

Result<int> run_guest_build(const GuestBuildRequest& r, const Environment& env) {
  CL_CHECK(check_guest_usage(r));
  CL_TRY(const Destinations destinations, parse_destinations(r.target));
  CL_TRY(const auto labels, parse_labels(r.labels));
  CL_CHECK(manifest::check_labels(labels));
  GuestBuildOptions options;
  CL_TRY(auto session, Session::create(r.common, env));
  CL_TRY(options.launch, to_guest_launch(r.guest, session->limits()));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(r.image));
  CL_TRY(const PlanOptions plan, to_plan_options(r.plan, session->limits()));
  BuildKeys keys;
  std::optional<LoadedKey<sign::SnpIdKey>> id_key;
  if (!r.dry_run && r.target.sign_key.given()) {
    CL_TRY(keys.image, load_image_key(r.target.sign_key, session->key_context()));
  }
  if (!r.dry_run && r.target.key.given()) {
    CL_TRY(id_key, load_snp_key(r.target.key, session->key_context()));
    options.key = &id_key->key;
  }
  CL_TRY(const oci::Image base, session->resolve(ref));
  CL_TRY(const Seconds created, build_date(r.date, env, base.config.created));
  CL_TRY(GuestDraft draft, draft_guest(*session, ref, plan, r.guest, created));
  std::vector<UsedKey> used = used_keys(keys);
  if (id_key) {
    CL_TRY(const std::string pem, id_key->key.public_pem());
    CL_TRY(const sign::ImagePublicKey half, sign::ImagePublicKey::from_pem(as_bytes(pem), "--key"));
    used.push_back({"--key", half.fingerprint(), id_key->text});
  }
  CL_CHECK(require_no_private_key(
      draft.found.base, manifest::encode_guest_document(document_of(draft, nullptr)), used));
  const bool json = r.target.format == "json";
  if (r.dry_run) {
    CL_CHECK(
        write_result("", json ? guest_build_json(draft, nullptr, "") : annotated_document(draft)));
    return 0;
  }
  options.append = r.guest.append;
  options.disk = r.guest.disk;
  options.base_name = public_name(ref);
  options.labels = labels;
  CL_TRY(GuestMachine machine, load_machine(*session, r.guest));
  CL_TRY(const GuestBuild built, build_guest(*session, draft, std::move(machine), options));
  CL_CHECK(publish_guest(*session, draft, built, r.target, destinations, keys));
  const std::string digest = built.artifact.manifest_descriptor.digest.str();
  const std::string name = destinations.tags.empty() ? "" : destinations.tags.front().str();
  const std::string report = guest_build_json(draft, &built, name);
  if (!r.target.iidfile.empty()) CL_CHECK(write_result(r.target.iidfile, digest));
  if (!r.target.metadata_file.empty()) CL_CHECK(write_result(r.target.metadata_file, report));
  if (!session->quiet() && !json) session->note(guest_build_summary(draft, &built));
  CL_CHECK(write_result("", json ? report : digest + "\n"));
  return 0;
}

}  // namespace cloister::cmd
