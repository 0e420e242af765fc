// A verifier must parse the bytes whose signature it checked, and never go back to the envelope: so
// parsing decodes once, and everything after works on the decoded payload.
#include "sign/image/dsse.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr std::size_t kMaxSignatures = 64;

// Both alphabets (RFC 4648, 4 and 5): writers differ.
Result<Bytes> decode(const std::string& text, std::string_view what) {
  std::string standard = text;
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  auto bytes = unbase64(standard);
  if (!bytes) return Error::corrupt(cat(what, " of the DSSE envelope is not base64"));
  return std::move(*bytes);
}

}  // namespace

std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload) {
  return cat("DSSEv1 ", payload_type.size(), " ", payload_type, " ", payload.size(), " ", payload);
}

Result<std::string> sign_dsse(std::string_view payload_type, std::string_view payload,
                              const ImageKey& key) {
  const std::string signed_text = pre_authentication_encoding(payload_type, payload);
  CL_TRY(const Bytes signature, key.sign(as_bytes(signed_text)));
  OrderedJson entry = OrderedJson::object();
  entry["sig"] = base64(signature);
  OrderedJson envelope = OrderedJson::object();
  envelope["payloadType"] = std::string(payload_type);
  envelope["payload"] = base64(as_bytes(payload));
  envelope["signatures"] = OrderedJson::array({std::move(entry)});
  return dump_json(envelope);
}

Result<DsseEnvelope> parse_dsse(std::string_view text, const Limits& limits) {
  CL_TRY(const Json envelope, parse_json(text, limits, "DSSE envelope"));
  if (!envelope.is_object()) return Error::corrupt("a DSSE envelope is a JSON object");
  DsseEnvelope out;
  CL_TRY(const auto type, get_string(envelope, "payloadType"));
  CL_TRY(const auto payload, get_string(envelope, "payload"));
  CL_TRY(const Json* signatures, get_array(envelope, "signatures"));
  if (!type || !payload || signatures == nullptr || signatures->empty())
    return Error::corrupt("the DSSE envelope lacks payloadType, payload or signatures");
  if (payload->size() > limits.attachment_bytes)
    return Error::limit(cat("the payload of the DSSE envelope has more than ",
                            human_bytes(limits.attachment_bytes)));
  if (signatures->size() > kMaxSignatures)
    return Error::limit(cat("the DSSE envelope has more than ", kMaxSignatures, " signatures"));
  out.payload_type = *type;
  CL_TRY(const Bytes bytes, decode(*payload, "the payload"));
  out.payload = std::string(as_text(bytes));
  for (const Json& entry : *signatures) {
    if (!entry.is_object()) return Error::corrupt("a signature of the DSSE envelope is no object");
    CL_TRY(const auto sig, get_string(entry, "sig"));
    if (!sig) return Error::corrupt("a signature of the DSSE envelope lacks 'sig'");
    CL_TRY(Bytes signature, decode(*sig, "a signature"));
    out.signatures.push_back(std::move(signature));
  }
  return out;
}

bool verify_dsse(const DsseEnvelope& envelope, const ImagePublicKey& key) {
  const std::string signed_text =
      pre_authentication_encoding(envelope.payload_type, envelope.payload);
  return std::any_of(envelope.signatures.begin(), envelope.signatures.end(),
                     [&](const Bytes& s) { return key.verify(as_bytes(signed_text), s); });
}

}  // namespace cloister::sign
