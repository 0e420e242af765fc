#include "sign/image/measurement.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "sign/image/claim_json.h"

namespace cloister::sign {
namespace {

// Little-endian bytes as hex: memory order.
template <class T>
std::string memory_hex(T value) {
  Bytes bytes(sizeof value);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>((value >> (8 * i)) & 0xff);
  return hex(bytes);
}

}  // namespace

Digest trusted_files_digest(std::vector<NamedDigest> files) {
  std::sort(files.begin(), files.end(),
            [](const NamedDigest& a, const NamedDigest& b) { return a.name < b.name; });
  Sha256 hasher;
  for (const NamedDigest& file : files)
    hasher.update(cat(file.sha256.hex(), "  ", file.name, "\n"));
  return hasher.finish();
}

std::string encode_measurement(const MeasurementPredicate& p) {
  const Sigstruct& s = p.sigstruct;
  OrderedJson attributes = OrderedJson::object();
  attributes["flags"] = memory_hex(s.flags);
  attributes["flagsMask"] = memory_hex(s.flags_mask);
  attributes["xfrm"] = memory_hex(s.xfrm);
  attributes["xfrmMask"] = memory_hex(s.xfrm_mask);

  OrderedJson sgx = OrderedJson::object();
  sgx["mrenclave"] = s.mrenclave.hex();
  sgx["mrsigner"] = p.mrsigner.hex();
  sgx["isvprodid"] = s.isvprodid;
  sgx["isvsvn"] = s.isvsvn;
  sgx["attributes"] = std::move(attributes);
  sgx["miscselect"] = memory_hex(s.misc_select);
  sgx["miscselectMask"] = memory_hex(s.misc_mask);
  sgx["debug"] = s.debug();
  sgx["enclaveSize"] = p.enclave_size;
  sgx["sigstructDigest"] = digest_set(p.sigstruct_digest);

  OrderedJson files = OrderedJson::array();
  for (const NamedDigest& file : p.runtime_files)
    files.push_back(
        OrderedJson::object({{"name", file.name}, {"digest", digest_set(file.sha256)}}));

  OrderedJson out = OrderedJson::object();
  out["schema"] = "1.0";
  out["tee"] = "sgx";
  out["image"] = OrderedJson::object({{"mediaType", p.media_type}, {"platform", p.platform}});
  out["sgx"] = std::move(sgx);
  out["runtime"] = OrderedJson::object(
      {{"name", p.runtime_name}, {"version", p.runtime_version}, {"files", std::move(files)}});
  out["manifest"] =
      OrderedJson::object({{"path", p.manifest_path}, {"digest", digest_set(p.manifest_digest)}});
  out["trustedFiles"] = OrderedJson::object({{"count", p.trusted_files},
                                             {"format", "sha256sum-v1"},
                                             {"digest", digest_set(p.trusted_digest)}});
  OrderedJson base = OrderedJson::object();
  if (!p.base_uri.empty()) base["uri"] = p.base_uri;
  base["digest"] = digest_set(p.base_digest);
  out["base"] = std::move(base);
  out["generator"] =
      OrderedJson::object({{"id", "urn:cloister"}, {"version", p.generator_version}});
  return dump_json(out);
}

Result<MeasurementClaim> parse_measurement(std::string_view text, const Limits& limits) {
  CL_TRY(const Json predicate, parse_json(text, limits, "measurement attestation"));
  if (!predicate.is_object()) return Error::corrupt("a measurement attestation is a JSON object");
  CL_TRY(const std::string tee, claim_string(predicate, "tee"));
  if (tee != "sgx")
    return Error::unsupported(
        cat("the attestation is about an enclave of another kind: ", quote(tee)));
  MeasurementClaim out;
  CL_TRY(const Json* sgx, claim_object(predicate, "sgx"));
  CL_TRY(const std::string mrenclave, claim_string(*sgx, "mrenclave"));
  CL_TRY(out.mrenclave, Digest::parse_hex(mrenclave));
  CL_TRY(const std::string mrsigner, claim_string(*sgx, "mrsigner"));
  CL_TRY(out.mrsigner, Digest::parse_hex(mrsigner));
  CL_TRY(const std::uint64_t prodid, claim_number(*sgx, "isvprodid", 0xffff));
  CL_TRY(const std::uint64_t svn, claim_number(*sgx, "isvsvn", 0xffff));
  out.isvprodid = static_cast<std::uint16_t>(prodid);
  out.isvsvn = static_cast<std::uint16_t>(svn);
  CL_TRY(const auto debug, get_bool(*sgx, "debug"));
  if (!debug) return missing_claim("'debug'");
  out.debug = *debug;
  CL_TRY(out.sigstruct_digest, claim_digest(*sgx, "sigstructDigest"));

  CL_TRY(const Json* runtime, claim_object(predicate, "runtime"));
  CL_TRY(out.runtime_name, claim_string(*runtime, "name"));
  CL_TRY(out.runtime_version, claim_string(*runtime, "version"));
  CL_TRY(const Json* files, get_array(*runtime, "files"));
  if (files == nullptr) return missing_claim("'files'");
  if (files->size() > 64) return Error::limit("the attestation names more than 64 runtime files");
  for (const Json& file : *files) {
    if (!file.is_object()) return Error::corrupt("a runtime file of the attestation is no object");
    NamedDigest named;
    CL_TRY(named.name, claim_string(file, "name"));
    CL_TRY(named.sha256, claim_digest(file, "digest"));
    out.runtime_files.push_back(std::move(named));
  }

  CL_TRY(const Json* manifest, claim_object(predicate, "manifest"));
  CL_TRY(out.manifest_digest, claim_digest(*manifest, "digest"));
  CL_TRY(const Json* trusted, claim_object(predicate, "trustedFiles"));
  CL_TRY(out.trusted_files, claim_number(*trusted, "count", std::uint64_t{1} << 32));
  CL_TRY(out.trusted_digest, claim_digest(*trusted, "digest"));
  CL_TRY(const Json* base, claim_object(predicate, "base"));
  CL_TRY(const auto uri, get_string(*base, "uri"));
  out.base_uri = uri.value_or("");
  CL_TRY(out.base_digest, claim_digest(*base, "digest"));
  return out;
}

}  // namespace cloister::sign
