#include "cmd/guest/guest_command.h"

#include "base/file.h"
#include "base/text.h"
#include "cmd/build_date.h"
#include "cmd/guest/guest_build.h"
#include "cmd/guest/nitro_build.h"
#include "cmd/key_leak.h"
#include "cmd/output.h"
#include "cmd/publish.h"
#include "cmd/report/guest.h"
#include "cmd/sign_image.h"

namespace cloister::cmd {
namespace {

Status check_snp_inputs(const GuestBuildRequest& r) {
  if (r.guest.kernel.empty())
    return Error::usage("a virtual machine needs a kernel")
        .hint("give --kernel with Debian's package linux-image-VERSION-cloud-amd64, or a bzImage");
  if (r.guest.firmware.empty())
    return Error::usage("a virtual machine needs firmware, which is measured first")
        .hint("give --firmware with Debian's package ovmf-amdsev, or its OVMF.amdsev.fd");
  return {};
}

Status check_nitro_inputs(const GuestBuildRequest& r) {
  constexpr std::string_view kBlobs =
      "the package aws-nitro-enclaves-cli-devel has them in /usr/share/nitro_enclaves/blobs: "
      "--kernel bzImage --init init --nsm nsm.ko";
  if (r.guest.kernel.empty())
    return Error::usage("an enclave needs a kernel, which is AWS's").hint(std::string(kBlobs));
  if (r.guest.init.empty())
    return Error::usage("an enclave needs a first process, which is AWS's")
        .hint(std::string(kBlobs));
  if (r.target.key.given() == r.guest.certificate.empty())
    return Error::usage("--key and --certificate belong together")
        .hint("--key KEY --certificate PEM signs the enclave image file; leave out both otherwise");
  return {};
}

Status check_guest_usage(const GuestBuildRequest& r) {
  CL_CHECK(check_key_options(r.target.key));
  CL_CHECK(check_key_options(r.target.sign_key, "sign-"));
  if (r.target.push && r.target.tags.empty())
    return Error::usage("--push needs a destination")
        .hint("name it with -t REGISTRY/REPOSITORY:TAG");
  if (r.target.sbom != "none")
    return Error::usage("--sbom is for enclaves of Gramine")
        .hint(cat("cloister deps --tee ", target_of(r.tee).name,
                  " --format spdx lists what the machine holds"));
  if (r.target.output.starts_with("docker-archive:"))
    return Error::usage("a virtual machine's files are no Docker image")
        .hint("write oci:DIR[:tag] or oci-archive:FILE[:tag]");
  if (r.dry_run) return {};
  CL_CHECK(r.tee == Tee::nitro ? check_nitro_inputs(r) : check_snp_inputs(r));
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

// A build of either kind, up to the draft of what it packs: its keys first, as a wrong one should
// not be found out after minutes of pulling.
class GuestBuildRun {
 public:
  GuestBuildRun(const GuestBuildRequest& request, Session& session)
      : r_(request), session_(session) {}

  Status load() {
    if (r_.tee == Tee::snp) {
      CL_TRY(launch_, to_guest_launch(r_.guest, session_.limits()));
    }
    if (r_.dry_run) return {};
    if (r_.target.sign_key.given()) {
      CL_TRY(keys_.image, load_image_key(r_.target.sign_key, session_.key_context()));
    }
    if (!r_.target.key.given()) return {};
    if (r_.tee == Tee::snp) {
      CL_TRY(id_key_, load_snp_key(r_.target.key, session_.key_context()));
      return {};
    }
    CL_TRY(const Bytes pem, read_file(r_.guest.certificate, session_.limits().key_bytes));
    CL_TRY(const sign::Certificate certificate,
           sign::read_eif_certificate(pem, quote(r_.guest.certificate)));
    CL_TRY(eif_key_, load_eif_key(r_.target.key, certificate, session_.key_context()));
    return {};
  }

  const BuildKeys& keys() const { return keys_; }

  Result<std::vector<UsedKey>> used() const {
    std::vector<UsedKey> out = used_keys(keys_);
    if (eif_key_)
      out.push_back({"--key", sha256(eif_key_->key.certificate().spki()), eif_key_->text});
    if (id_key_) {
      CL_TRY(const std::string pem, id_key_->key.public_pem());
      CL_TRY(const sign::ImagePublicKey half,
             sign::ImagePublicKey::from_pem(as_bytes(pem), "--key"));
      out.push_back({"--key", half.fingerprint(), id_key_->text});
    }
    return out;
  }

  Result<GuestBuild> build(GuestDraft& draft, GuestNaming naming) {
    if (r_.tee == Tee::nitro) {
      CL_TRY(const NitroMachine machine, load_nitro_machine(session_, r_.guest));
      return build_nitro(session_, draft, machine,
                         {r_.guest.append, eif_key_ ? &eif_key_->key : nullptr, std::move(naming)});
    }
    CL_TRY(GuestMachine machine, load_machine(session_, r_.guest, draft.disk));
    return build_guest(session_, draft, std::move(machine),
                       {launch_, r_.guest.append, draft.disk, id_key_ ? &id_key_->key : nullptr,
                        std::move(naming)});
  }

 private:
  const GuestBuildRequest& r_;
  Session& session_;
  GuestLaunch launch_;
  BuildKeys keys_;
  std::optional<LoadedKey<sign::SnpIdKey>> id_key_;
  std::optional<LoadedKey<sign::EifKey>> eif_key_;
};

}  // namespace

Result<int> run_guest_build(const GuestBuildRequest& r, const Environment& env) {
  CL_CHECK(check_guest_usage(r));
  CL_TRY(const Destinations destinations, parse_destinations(r.target));
  CL_TRY(const auto labels, parse_labels(r.labels));
  CL_CHECK(manifest::check_labels(labels));
  CL_TRY(auto session, Session::create(r.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(r.image));
  CL_TRY(PlanOptions plan, to_plan_options(r.plan, session->limits()));
  plan.tee = r.tee;
  GuestBuildRun run(r, *session);
  CL_CHECK(run.load());
  CL_TRY(const oci::Image base, session->resolve(ref));
  CL_TRY(const Seconds created, build_date(r.date, env, base.config.created));
  CL_TRY(GuestDraft draft, draft_guest(*session, ref, plan, r.guest, created));
  CL_TRY(const std::vector<UsedKey> used, run.used());
  CL_CHECK(require_no_private_key(
      draft.found.base, manifest::encode_guest_document(document_of(draft, nullptr)), used));
  const bool json = r.target.format == "json";
  if (r.dry_run) {
    CL_CHECK(
        write_result("", json ? guest_build_json(draft, nullptr, "") : annotated_document(draft)));
    return 0;
  }
  CL_CHECK(manifest::fill_guest_root(draft.root.tree, *draft.found.base.rootfs, draft.contents));
  CL_TRY(const GuestBuild built, run.build(draft, {public_name(ref), labels}));
  CL_CHECK(publish_guest(*session, draft, built, r.target, destinations, run.keys()));
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
