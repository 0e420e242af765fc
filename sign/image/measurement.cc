#include "sign/image/measurement.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

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

OrderedJson digest_set(const Digest& digest) {
  return OrderedJson::object({{"sha256", digest.hex()}});
}

Error missing(std::string_view field) {
  return Error::corrupt(cat("the measurement attestation lacks ", field));
}

Result<const Json*> part(const Json& json, std::string_view key) {
  CL_TRY(const Json* found, get_object(json, key));
  if (found == nullptr) return missing(quote(key));
  return found;
}

Result<std::string> string_of(const Json& json, std::string_view key) {
  CL_TRY(auto text, get_string(json, key));
  if (!text) return missing(quote(key));
  return std::move(*text);
}

Result<Digest> digest_of(const Json& json, std::string_view key) {
  CL_TRY(const Json* set, part(json, key));
  CL_TRY(const std::string text, string_of(*set, "sha256"));
  return Digest::parse_hex(text);
}

Result<std::uint64_t> number_of(const Json& json, std::string_view key, std::uint64_t max) {
  CL_TRY(const auto number, get_int(json, key));
  if (!number) return missing(quote(key));
  if (*number < 0 || static_cast<std::uint64_t>(*number) > max)
    return Error::corrupt(cat(quote(key), " of the measurement attestation is out of range"))
        .detail(cat("got ", *number, ", want 0 to ", max));
  return static_cast<std::uint64_t>(*number);
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
  CL_TRY(const std::string tee, string_of(predicate, "tee"));
  if (tee != "sgx")
    return Error::unsupported(
        cat("the attestation is about an enclave of another kind: ", quote(tee)));
  MeasurementClaim out;
  CL_TRY(const Json* sgx, part(predicate, "sgx"));
  CL_TRY(const std::string mrenclave, string_of(*sgx, "mrenclave"));
  CL_TRY(out.mrenclave, Digest::parse_hex(mrenclave));
  CL_TRY(const std::string mrsigner, string_of(*sgx, "mrsigner"));
  CL_TRY(out.mrsigner, Digest::parse_hex(mrsigner));
  CL_TRY(const std::uint64_t prodid, number_of(*sgx, "isvprodid", 0xffff));
  CL_TRY(const std::uint64_t svn, number_of(*sgx, "isvsvn", 0xffff));
  out.isvprodid = static_cast<std::uint16_t>(prodid);
  out.isvsvn = static_cast<std::uint16_t>(svn);
  CL_TRY(const auto debug, get_bool(*sgx, "debug"));
  if (!debug) return missing("'debug'");
  out.debug = *debug;
  CL_TRY(out.sigstruct_digest, digest_of(*sgx, "sigstructDigest"));

  CL_TRY(const Json* runtime, part(predicate, "runtime"));
  CL_TRY(out.runtime_name, string_of(*runtime, "name"));
  CL_TRY(out.runtime_version, string_of(*runtime, "version"));
  CL_TRY(const Json* files, get_array(*runtime, "files"));
  if (files == nullptr) return missing("'files'");
  if (files->size() > 64) return Error::limit("the attestation names more than 64 runtime files");
  for (const Json& file : *files) {
    if (!file.is_object()) return Error::corrupt("a runtime file of the attestation is no object");
    NamedDigest named;
    CL_TRY(named.name, string_of(file, "name"));
    CL_TRY(named.sha256, digest_of(file, "digest"));
    out.runtime_files.push_back(std::move(named));
  }

  CL_TRY(const Json* manifest, part(predicate, "manifest"));
  CL_TRY(out.manifest_digest, digest_of(*manifest, "digest"));
  CL_TRY(const Json* trusted, part(predicate, "trustedFiles"));
  CL_TRY(out.trusted_files, number_of(*trusted, "count", std::uint64_t{1} << 32));
  CL_TRY(out.trusted_digest, digest_of(*trusted, "digest"));
  CL_TRY(const Json* base, part(predicate, "base"));
  CL_TRY(const auto uri, get_string(*base, "uri"));
  out.base_uri = uri.value_or("");
  CL_TRY(out.base_digest, digest_of(*base, "digest"));
  return out;
}

}  // namespace cloister::sign
