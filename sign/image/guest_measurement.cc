#include "sign/image/guest_measurement.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/json.h"
#include "base/text.h"
#include "sign/image/claim_json.h"

namespace cloister::sign {
namespace {

constexpr std::uint64_t kMaxProcessors = 1U << 16;
constexpr std::size_t kMaxDigests = 1024;

// As hex_number() writes them.
Result<std::uint64_t> claim_hex_number(const Json& json, std::string_view key) {
  CL_TRY(const std::string text, claim_string(json, key));
  std::uint64_t out = 0;
  const char* last = text.data() + text.size();
  if (text.starts_with("0x") && text.size() > 2) {
    const auto [end, error] = std::from_chars(text.data() + 2, last, out, 16);
    if (error == std::errc() && end == last) return out;
  }
  return Error::corrupt(cat(quote(key), " of the measurement attestation is no number"));
}

OrderedJson snp_json(const GuestMeasurement& m) {
  OrderedJson out = OrderedJson::object();
  OrderedJson digests = OrderedJson::array();
  for (const LaunchMeasurementOf& one : m.digests)
    digests.push_back(OrderedJson::object({{"vcpus", one.vcpus}, {"digest", hex(one.digest)}}));
  out["measurements"] = std::move(digests);
  out["vmm"] = m.vmm;
  out["vcpuType"] = m.vcpu_type;
  out["vcpuSignature"] = hex_number(m.vcpu_signature);
  out["guestFeatures"] = hex_number(m.guest_features);
  out["policy"] = hex_number(m.block.policy.bits);
  out["guestSvn"] = m.block.guest_svn;
  out["familyId"] = hex(m.block.family_id);
  out["imageId"] = hex(m.block.image_id);
  if (m.id_key_digest) out["idKeyDigest"] = hex(*m.id_key_digest);
  out["firmware"] =
      OrderedJson::object({{"name", m.firmware_name}, {"digest", digest_set(m.firmware)}});
  out["kernel"] =
      OrderedJson::object({{"version", m.kernel_version}, {"digest", digest_set(m.kernel)}});
  out["initrd"] = OrderedJson::object({{"digest", digest_set(m.initrd)}});
  out["commandLine"] = m.command_line;
  if (m.disk) out["disk"] = OrderedJson::object({{"digest", digest_set(*m.disk)}});
  return out;
}

Status read_launch_digests(const Json& snp, GuestMeasurement& out) {
  CL_TRY(const Json* list, get_array(snp, "measurements"));
  if (list == nullptr || list->empty()) return missing_claim("'measurements'");
  if (list->size() > kMaxDigests) return Error::limit("the attestation has too many measurements");
  for (const Json& item : *list) {
    if (!item.is_object()) return missing_claim("'measurements'");
    LaunchMeasurementOf one;
    CL_TRY(const std::uint64_t vcpus, claim_number(item, "vcpus", kMaxProcessors));
    if (vcpus == 0) return Error::corrupt("the attestation measures a guest without processors");
    one.vcpus = static_cast<std::uint32_t>(vcpus);
    CL_CHECK(claim_bytes(item, "digest", one.digest));
    out.digests.push_back(one);
  }
  return {};
}

Status read_launch(const Json& snp, GuestMeasurement& out) {
  CL_CHECK(read_launch_digests(snp, out));
  CL_TRY(out.vmm, claim_string(snp, "vmm"));
  CL_TRY(out.vcpu_type, claim_string(snp, "vcpuType"));
  CL_TRY(const std::uint64_t signature, claim_hex_number(snp, "vcpuSignature"));
  if (signature > UINT32_MAX) return missing_claim("a 32-bit 'vcpuSignature'");
  out.vcpu_signature = static_cast<std::uint32_t>(signature);
  CL_TRY(out.guest_features, claim_hex_number(snp, "guestFeatures"));
  CL_TRY(out.block.policy.bits, claim_hex_number(snp, "policy"));
  CL_TRY(const std::uint64_t svn, claim_number(snp, "guestSvn", UINT32_MAX));
  out.block.guest_svn = static_cast<std::uint32_t>(svn);
  CL_CHECK(claim_bytes(snp, "familyId", out.block.family_id));
  CL_CHECK(claim_bytes(snp, "imageId", out.block.image_id));
  CL_TRY(const auto id_key, get_string(snp, "idKeyDigest"));
  if (id_key) CL_CHECK(claim_bytes(snp, "idKeyDigest", out.id_key_digest.emplace()));
  return {};
}

Status read_files(const Json& snp, GuestMeasurement& out) {
  CL_TRY(const Json* firmware, claim_object(snp, "firmware"));
  CL_TRY(out.firmware_name, claim_string(*firmware, "name"));
  CL_TRY(out.firmware, claim_digest(*firmware, "digest"));
  CL_TRY(const Json* kernel, claim_object(snp, "kernel"));
  CL_TRY(out.kernel_version, claim_string(*kernel, "version"));
  CL_TRY(out.kernel, claim_digest(*kernel, "digest"));
  CL_TRY(const Json* initrd, claim_object(snp, "initrd"));
  CL_TRY(out.initrd, claim_digest(*initrd, "digest"));
  CL_TRY(out.command_line, claim_string(snp, "commandLine"));
  CL_TRY(const Json* disk, get_object(snp, "disk"));
  if (disk != nullptr) {
    CL_TRY(out.disk, claim_digest(*disk, "digest"));
  }
  return {};
}

}  // namespace

bool GuestMeasurement::operator==(const GuestMeasurement& other) const {
  // Not their texts: JSON has no way to write bytes that are not UTF-8.
  const auto members = [](const GuestMeasurement& m) {
    return std::tie(m.platform, m.vmm, m.vcpu_type, m.vcpu_signature, m.guest_features,
                    m.block.policy.bits, m.block.family_id, m.block.image_id, m.block.guest_svn,
                    m.digests, m.kernel_version, m.firmware_name, m.kernel, m.initrd, m.firmware,
                    m.command_line, m.disk, m.id_key_digest, m.document, m.files, m.files_digest,
                    m.base_uri, m.base_digest, m.generator_version);
  };
  return members(*this) == members(other);
}

std::string encode_guest_measurement(const GuestMeasurement& m) {
  return encode_guest_predicate("snp", m, snp_json(m));
}

Result<GuestMeasurement> parse_guest_measurement(std::string_view text, const Limits& limits) {
  GuestMeasurement out;
  CL_TRY(const Json snp, parse_guest_predicate(text, "snp", limits, out));
  CL_CHECK(read_launch(snp, out));
  CL_CHECK(read_files(snp, out));
  return out;
}

}  // namespace cloister::sign
