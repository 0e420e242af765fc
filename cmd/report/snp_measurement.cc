#include "cmd/report/snp_measurement.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

namespace snp = measure::snp;

std::string_view type_name(snp::PageType type) {
  switch (type) {
    case snp::PageType::normal:
      return "normal";
    case snp::PageType::vmsa:
      return "vmsa";
    case snp::PageType::zero:
      return "zero";
    case snp::PageType::unmeasured:
      return "unmeasured";
    case snp::PageType::secrets:
      return "secrets";
    case snp::PageType::cpuid:
      break;
  }
  return "cpuid";
}

std::string ranges_text(const std::vector<snp::LaunchRange>& ranges) {
  std::string out =
      "address              pages  type        range          launch digest after it\n";
  for (const snp::LaunchRange& range : ranges) {
    char line[160];
    std::snprintf(line, sizeof line, "0x%016llx %7llu  %-10s  %-13s  ",
                  static_cast<unsigned long long>(range.gpa),
                  static_cast<unsigned long long>(range.size / snp::kPageSize),
                  std::string(type_name(range.type)).c_str(), range.name.c_str());
    out += cat(std::string_view(line), hex(range.digest), "\n");
  }
  return out;
}

std::string id_block_text(const SignedIdBlock& made) {
  std::string out = cat("policy          ", hex_number(made.block.policy.bits),  //
                        "\nguest svn       ", made.block.guest_svn,              //
                        "\nfamily id       ", hex(made.block.family_id),         //
                        "\nimage id        ", hex(made.block.image_id),          //
                        "\nid key digest   ", hex(sign::snp_key_digest(made.auth.id_key)), "\n");
  if (made.auth.author)
    out += cat("author digest   ", hex(sign::snp_key_digest(made.auth.author->key)), "\n");
  return out;
}

OrderedJson id_block_json(const SignedIdBlock& made) {
  OrderedJson json = {{"idKeyDigest", hex(sign::snp_key_digest(made.auth.id_key))},
                      {"authorKeyDigest", nullptr},
                      {"policy", hex_number(made.block.policy.bits)},
                      {"guestSvn", made.block.guest_svn},
                      {"familyId", hex(made.block.family_id)},
                      {"imageId", hex(made.block.image_id)}};
  if (made.auth.author) json["authorKeyDigest"] = hex(sign::snp_key_digest(made.auth.author->key));
  return json;
}

OrderedJson ranges_json(const std::vector<snp::LaunchRange>& ranges) {
  OrderedJson out = OrderedJson::array();
  for (const snp::LaunchRange& range : ranges) {
    OrderedJson one = {{"name", range.name},
                       {"address", range.gpa},
                       {"size", range.size},
                       {"type", type_name(range.type)}};
    if (range.content) one["sha384"] = hex(*range.content);
    one["digest"] = hex(range.digest);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

std::string snp_digests_text(const snp::LaunchMeasurement& launch) {
  std::string out;
  for (const snp::LaunchDigest& one : launch.digests) out += hex(one.digest) + "\n";
  return out;
}

std::string snp_measurement_text(const SnpMeasurementReport& r) {
  std::string out;
  for (const snp::LaunchDigest& one : r.launch.digests)
    out += cat("measurement     ", hex(one.digest), "  ", one.vcpus,
               one.vcpus == 1 ? " processor\n" : " processors\n");
  out += cat("processor       ", hex_number(r.params.vcpu_signature),
             r.model.empty() ? std::string() : cat(" (", r.model, ")"),  //
             "\nguest features  ", hex_number(r.params.guest_features),  //
             "\nmonitor         ", snp::vmm_name(r.params.vmm),          //
             "\nfirmware        ", r.firmware.str(), ", ", human_bytes(r.firmware_size), "\n");
  if (r.kernel)
    out += cat("kernel          ", r.kernel->kernel.str(),  //
               "\ninitrd          ", r.kernel->initrd.str(),
               r.kernel->initrd == sha256("") ? ", none" : "",  //
               "\ncommand line    ", r.kernel->command_line.str(), "\n");
  if (r.id_block != nullptr) out += id_block_text(*r.id_block);
  if (r.explain) out += "\n" + ranges_text(r.launch.ranges);
  return out;
}

std::string snp_measurement_json(const SnpMeasurementReport& r) {
  OrderedJson digests = OrderedJson::array();
  for (const snp::LaunchDigest& one : r.launch.digests)
    digests.push_back({{"vcpus", one.vcpus}, {"digest", hex(one.digest)}});
  OrderedJson json = {{"tee", "snp"},
                      {"measurements", std::move(digests)},
                      {"vcpuType", nullptr},
                      {"vcpuSignature", hex_number(r.params.vcpu_signature)},
                      {"guestFeatures", hex_number(r.params.guest_features)},
                      {"vmm", snp::vmm_name(r.params.vmm)},
                      {"firmware", {{"sha256", r.firmware.hex()}, {"size", r.firmware_size}}},
                      {"kernel", nullptr},
                      {"idBlock", nullptr}};
  if (!r.model.empty()) json["vcpuType"] = r.model;
  if (r.kernel)
    json["kernel"] = {{"sha256", r.kernel->kernel.hex()},
                      {"initrdSha256", r.kernel->initrd.hex()},
                      {"commandLineSha256", r.kernel->command_line.hex()}};
  if (r.id_block != nullptr) json["idBlock"] = id_block_json(*r.id_block);
  if (r.explain) json["ranges"] = ranges_json(r.launch.ranges);
  return dump_json_pretty(json) + "\n";
}

}  // namespace cloister::cmd
