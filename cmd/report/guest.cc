#include "cmd/report/guest.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

namespace cloister::cmd {

std::string guest_measurement_text(const sign::GuestMeasurement& m) {
  std::string out;
  for (const sign::LaunchMeasurementOf& one : m.digests)
    out += cat("measurement  ", hex(one.digest), "  (", one.vcpus, " × ", printable(m.vcpu_type),
               ")\n");
  out += cat("features     ", hex_number(m.guest_features), "\n");
  out += cat("policy       ", hex_number(m.block.policy.bits), "\n");
  if (m.id_key_digest) {
    out += cat("id key       ", hex(*m.id_key_digest), "\n");
    out += cat("guest svn    ", m.block.guest_svn, "\n");
  }
  out += cat("firmware     ", printable(m.firmware_name), "  ", m.firmware.str(), "\n");
  out += cat("kernel       ", printable(m.kernel_version), "  ", m.kernel.str(), "\n");
  out += cat("initrd       ", m.initrd.str(), "\n");
  if (m.disk) out += cat("disk         ", m.disk->str(), "\n");
  out += cat("command line ", printable(m.command_line), "\n");
  out += cat("holds        ", m.files, " files\n");
  return out;
}

OrderedJson guest_measurement_object(const sign::GuestMeasurement& m) {
  return OrderedJson::parse(sign::encode_guest_measurement(m)).at("snp");
}

std::string guest_text(const oci::Image& image, const GuestImage& guest) {
  std::string out = cat("name         ", printable(image.name), "\ndigest       ",
                        image.manifest_descriptor.digest.str(), "\nplatform     ",
                        printable(image.config.platform().str()), ", a virtual machine\n");
  if (image.config.created)
    out += cat("created      ", format_rfc3339(*image.config.created), "\n");
  for (const auto& [name, value] : image.config.config.labels)
    out += cat("label        ", printable(name), "=", printable(value), "\n");
  for (const GuestBlob& file : guest.files)
    out += cat("file         ", file.digest.str(), "  ", human_bytes(file.size), "  ",
               printable(file.title), "\n");
  return cat(out, "\n", guest_measurement_text(guest.stated));
}

std::string guest_build_json(const GuestDraft& draft, const GuestBuild* built,
                             const std::string& name) {
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
  return dump_json_pretty(out) + "\n";
}

std::string guest_build_summary(const GuestDraft& draft, const GuestBuild* built) {
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

}  // namespace cloister::cmd
