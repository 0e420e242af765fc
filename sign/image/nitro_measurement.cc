#include "sign/image/nitro_measurement.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "sign/image/claim_json.h"

namespace cloister::sign {
namespace {

OrderedJson nitro_json(const NitroMeasurement& m) {
  const auto file = [](const Digest& digest) {
    return OrderedJson::object({{"digest", digest_set(digest)}});
  };
  OrderedJson out = OrderedJson::object();
  out["pcr0"] = hex(m.pcr0);
  out["pcr1"] = hex(m.pcr1);
  out["pcr2"] = hex(m.pcr2);
  if (m.pcr8) out["pcr8"] = hex(*m.pcr8);
  out["eif"] = file(m.eif);
  out["kernel"] =
      OrderedJson::object({{"version", m.kernel_version}, {"digest", digest_set(m.kernel)}});
  out["init"] = file(m.init);
  if (m.nsm) out["nsm"] = file(*m.nsm);
  out["commandLine"] = m.command_line;
  return out;
}

Result<Digest> digest_of_file(const Json& nitro, std::string_view name) {
  CL_TRY(const Json* file, claim_object(nitro, name));
  return claim_digest(*file, "digest");
}

}  // namespace

bool NitroMeasurement::operator==(const NitroMeasurement& other) const {
  return encode_nitro_measurement(*this) == encode_nitro_measurement(other);
}

std::string encode_nitro_measurement(const NitroMeasurement& m) {
  return encode_guest_predicate("nitro", m, nitro_json(m));
}

Result<NitroMeasurement> parse_nitro_measurement(std::string_view text, const Limits& limits) {
  NitroMeasurement out;
  CL_TRY(const Json nitro, parse_guest_predicate(text, "nitro", limits, out));
  CL_CHECK(claim_bytes(nitro, "pcr0", out.pcr0));
  CL_CHECK(claim_bytes(nitro, "pcr1", out.pcr1));
  CL_CHECK(claim_bytes(nitro, "pcr2", out.pcr2));
  CL_TRY(const auto pcr8, get_string(nitro, "pcr8"));
  if (pcr8) CL_CHECK(claim_bytes(nitro, "pcr8", out.pcr8.emplace()));
  CL_TRY(out.eif, digest_of_file(nitro, "eif"));
  CL_TRY(out.kernel, digest_of_file(nitro, "kernel"));
  CL_TRY(const Json* kernel, claim_object(nitro, "kernel"));
  CL_TRY(out.kernel_version, claim_string(*kernel, "version"));
  CL_TRY(out.init, digest_of_file(nitro, "init"));
  CL_TRY(const Json* nsm, get_object(nitro, "nsm"));
  if (nsm != nullptr) {
    CL_TRY(out.nsm, claim_digest(*nsm, "digest"));
  }
  CL_TRY(out.command_line, claim_string(nitro, "commandLine"));
  return out;
}

}  // namespace cloister::sign
