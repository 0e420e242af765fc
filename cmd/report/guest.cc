#include "cmd/report/guest.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

namespace cloister::cmd {

namespace {

std::string snp_text(const sign::GuestMeasurement& m) {
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

std::string nitro_text(const sign::NitroMeasurement& m) {
  std::string out = cat("pcr0         ", hex(m.pcr0), "\npcr1         ", hex(m.pcr1),
                        "\npcr2         ", hex(m.pcr2), "\n");
  if (m.pcr8) out += cat("pcr8         ", hex(*m.pcr8), "\n");
  out += cat("image file   ", m.eif.str(), "\n");
  out += cat("kernel       ", printable(m.kernel_version), "  ", m.kernel.str(), "\n");
  out += cat("init         ", m.init.str(), "\n");
  if (m.nsm) out += cat("nsm          ", m.nsm->str(), "\n");
  out += cat("command line ", printable(m.command_line), "\n");
  out += cat("holds        ", m.files, " files\n");
  return out;
}

// What a build measured, of the member that is named after the TEE.
OrderedJson snp_build_object(const sign::GuestMeasurement* m) {
  OrderedJson digests = OrderedJson::array();
  if (m != nullptr)
    for (const sign::LaunchMeasurementOf& one : m->digests)
      digests.push_back(OrderedJson::object({{"vcpus", one.vcpus}, {"digest", hex(one.digest)}}));
  return OrderedJson::object(
      {{"measurements", std::move(digests)},
       {"idKeyDigest",
        m != nullptr && m->id_key_digest ? OrderedJson(hex(*m->id_key_digest)) : OrderedJson()}});
}

OrderedJson nitro_build_object(const sign::NitroMeasurement* m) {
  const auto pcr = [&](const measure::nitro::Pcr* value) {
    return m == nullptr || value == nullptr ? OrderedJson() : OrderedJson(hex(*value));
  };
  if (m == nullptr)
    return OrderedJson::object(
        {{"pcr0", nullptr}, {"pcr1", nullptr}, {"pcr2", nullptr}, {"pcr8", nullptr}});
  return OrderedJson::object({{"pcr0", pcr(&m->pcr0)},
                              {"pcr1", pcr(&m->pcr1)},
                              {"pcr2", pcr(&m->pcr2)},
                              {"pcr8", pcr(m->pcr8 ? &*m->pcr8 : nullptr)}});
}

std::string snp_summary(const sign::GuestMeasurement& m, const GuestBuild& built) {
  std::string out = cat("kernel      ", printable(m.kernel_version), ", ",
                        built.document.modules.size(), " modules\n");
  const GuestBlob* initrd = find_blob(built.blobs, GuestFile::initrd);
  out += cat("initrd      ", human_bytes(initrd->size), "\n");
  for (const sign::LaunchMeasurementOf& one : m.digests)
    out += cat("measurement ", hex(one.digest), "  (", one.vcpus, " × ", m.vcpu_type, ")\n");
  if (m.id_key_digest) out += cat("id key      ", hex(*m.id_key_digest), "\n");
  return out;
}

std::string nitro_summary(const sign::NitroMeasurement& m, const GuestBuild& built) {
  std::string out =
      cat("kernel      ", printable(m.kernel_version), "\nimage file  ",
          human_bytes(find_blob(built.blobs, GuestFile::eif)->size), "\npcr0        ", hex(m.pcr0),
          "\npcr1        ", hex(m.pcr1), "\npcr2        ", hex(m.pcr2), "\n");
  if (m.pcr8) out += cat("pcr8        ", hex(*m.pcr8), "\n");
  return out;
}

}  // namespace

std::string guest_statement_text(const GuestStatement& statement) {
  if (const auto* nitro = std::get_if<sign::NitroMeasurement>(&statement))
    return nitro_text(*nitro);
  return snp_text(std::get<sign::GuestMeasurement>(statement));
}

OrderedJson guest_statement_object(const GuestStatement& statement) {
  return OrderedJson::parse(encode_statement(statement))
      .at(std::string(target_of(tee_of(statement)).name));
}

std::string guest_text(const oci::Image& image, const GuestImage& guest) {
  std::string out = cat("name         ", printable(image.name), "\ndigest       ",
                        image.manifest_descriptor.digest.str(), "\nplatform     ",
                        printable(image.config.platform().str()), ", ",
                        target_of(tee_of(guest.stated)).summary, "\n");
  if (image.config.created)
    out += cat("created      ", format_rfc3339(*image.config.created), "\n");
  for (const auto& [name, value] : image.config.config.labels)
    out += cat("label        ", printable(name), "=", printable(value), "\n");
  for (const GuestBlob& file : guest.files)
    out += cat("file         ", file.digest.str(), "  ", human_bytes(file.size), "  ",
               printable(file.title), "\n");
  return cat(out, "\n", guest_statement_text(guest.stated));
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
  const std::string tee(target_of(draft.tee).name);
  const GuestStatement* statement = built == nullptr ? nullptr : &built->statement;
  out["tee"] = tee;
  out[tee] = draft.tee == Tee::nitro
                 ? nitro_build_object(std::get_if<sign::NitroMeasurement>(statement))
                 : snp_build_object(std::get_if<sign::GuestMeasurement>(statement));
  out["manifest"] = OrderedJson::object(
      {{"digest",
        built == nullptr ? OrderedJson() : OrderedJson(origin_of(*statement).document.str())},
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
  for (const std::string& note : draft.notes) out += cat("note        ", note, "\n");
  if (built == nullptr) return out;
  if (const auto* nitro = std::get_if<sign::NitroMeasurement>(&built->statement))
    return out + nitro_summary(*nitro, *built);
  return out + snp_summary(std::get<sign::GuestMeasurement>(built->statement), *built);
}

}  // namespace cloister::cmd
