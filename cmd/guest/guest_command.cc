#include "cmd/guest/guest_command.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cmd/build_date.h"
#include "cmd/guest/guest_build.h"
#include "cmd/output.h"
#include "cmd/publish.h"
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

OrderedJson guest_json(const GuestDraft& draft, const GuestBuild* built, const std::string& name) {
  OrderedJson out = OrderedJson::object();
  const oci::Image& base = draft.found.base.image;
  out["image"] =
      built == nullptr
          ? OrderedJson()
          : OrderedJson::object({{"digest", built->artifact.manifest_descriptor.digest.str()},
                                 {"name", name},
                                 {"mediaType", oci::media_type::kOciManifest}});
  out["base"] = OrderedJson::object(
      {{"name", printable(base.name)}, {"digest", base.manifest_descriptor.digest.str()}});
  out["tee"] = "snp";
  OrderedJson digests = OrderedJson::array();
  if (built != nullptr)
    for (const sign::LaunchMeasurementOf& one : built->measurement.digests)
      digests.push_back(OrderedJson::object({{"vcpus", one.vcpus}, {"digest", hex(one.digest)}}));
  const bool keyed = built != nullptr && built->measurement.id_key_digest;
  out["snp"] = OrderedJson::object(
      {{"measurements", std::move(digests)},
       {"idKeyDigest",
        keyed ? OrderedJson(hex(*built->measurement.id_key_digest)) : OrderedJson()}});
  out["manifest"] = OrderedJson::object(
      {{"digest",
        built == nullptr ? OrderedJson() : OrderedJson(built->measurement.document.str())},
       {"trustedFiles", draft.root.files},
       {"trustedBytes", draft.root.bytes}});
  OrderedJson files = OrderedJson::array();
  if (built != nullptr)
    for (const GuestBlob& blob : built->blobs)
      files.push_back(OrderedJson::object(
          {{"title", blob.title}, {"digest", blob.digest.str()}, {"bytes", blob.size}}));
  out["layers"] = std::move(files);
  return out;
}

std::string guest_summary(const GuestDraft& draft, const GuestBuild* built) {
  const manifest::GuestPlan& plan = draft.plan;
  const oci::Image& base = draft.found.base.image;
  std::string out =
      cat("base        ", printable(base.name), " @ ", base.manifest_descriptor.digest.str(), "\n");
  out += cat("program     ", quote(plan.program), " as ", plan.uid, ":", plan.gid, "\n");
  out += cat("root        ", draft.root.files, " of ", draft.found.base.rootfs->file_count(),
             " files, ", human_bytes(draft.root.bytes), "\n");
  for (const manifest::GuestPlace& place : plan.writable)
    out += cat("writable    ", printable(place.path), "  ", place.reason, "\n");
  for (const std::string& path : draft.root.without_capabilities)
    out += cat("note        ", quote(path), " has capabilities of its own, which it loses\n");
  if (built == nullptr) return out;
  out += cat("kernel      ", printable(built->measurement.kernel_version), ", ",
             built->document.modules.size(), " modules\n");
  const GuestBlob* initrd = find_blob(built->blobs, GuestFile::initrd);
  out += cat("initrd      ", human_bytes(initrd->size), "\n");
  for (const sign::LaunchMeasurementOf& one : built->measurement.digests)
    out += cat("measurement ", hex(one.digest), "  (", one.vcpus, " × ",
               built->measurement.vcpu_type, ")\n");
  if (built->measurement.id_key_digest)
    out += cat("id key      ", hex(*built->measurement.id_key_digest), "\n");
  return out;
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
  const bool json = r.target.format == "json";
  if (r.dry_run) {
    CL_CHECK(write_result("", json ? dump_json_pretty(guest_json(draft, nullptr, "")) + "\n"
                                   : annotated_document(draft)));
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
  const std::string report = dump_json_pretty(guest_json(draft, &built, name)) + "\n";
  if (!r.target.iidfile.empty()) CL_CHECK(write_result(r.target.iidfile, digest));
  if (!r.target.metadata_file.empty()) CL_CHECK(write_result(r.target.metadata_file, report));
  if (!session->quiet() && !json) session->note(guest_summary(draft, &built));
  CL_CHECK(write_result("", json ? report : digest + "\n"));
  return 0;
}

}  // namespace cloister::cmd
