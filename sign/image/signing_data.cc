// {"schemaVersion":1,"image":"…","messages":[{"kind":"simple-signing"|"dsse","subject":"sha256:…",
//  "predicateType":"…","sha256":"…","bytes":"<base64>","signature":"<base64>"}]}
//
// Who signs needs only "bytes" and adds "signature" (in the form that the key's kind has; see
// ExternalKey). What comes back is compared byte by byte with what is to be signed now: nothing of
// the file is believed but the signatures, and those are verified.
#include "sign/image/signing_data.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr int kSigningDataVersion = 1;
constexpr std::string_view kSimpleKind = "simple-signing", kDsseKind = "dsse";
constexpr const char* kEmitHint = "make the file with cloister sign IMAGE --emit-signing-data FILE";

Error malformed_data(std::string_view what, std::string_view why) {
  return Error::corrupt(cat(what, " is no signing data")).detail(std::string(why)).hint(kEmitHint);
}

Result<SigningItem> parse_item(const Json& json, std::string_view what) {
  if (!json.is_object()) return malformed_data(what, "a message is no object");
  CL_TRY(const auto kind, get_string(json, "kind"));
  CL_TRY(const auto subject, get_string(json, "subject"));
  CL_TRY(const auto bytes, get_string(json, "bytes"));
  CL_TRY(const auto predicate, get_string(json, "predicateType"));
  CL_TRY(const auto signature, get_string(json, "signature"));
  if (kind != kSimpleKind && kind != kDsseKind)
    return malformed_data(what, "a message has a kind that is neither simple-signing nor dsse");
  const auto message = bytes ? unbase64(*bytes) : std::nullopt;
  if (!message || !subject) return malformed_data(what, "a message has no bytes or no subject");
  SigningItem out;
  out.dsse = kind == kDsseKind;
  CL_TRY(out.subject, Digest::parse(*subject));
  out.predicate_type = predicate.value_or("");
  out.message = as_text(*message);
  if (!signature) return out;
  out.signature = unbase64(trim(*signature));
  if (!out.signature) return malformed_data(what, "a signature is not base64");
  return out;
}

const SigningItem* item_of(const SigningData& data, std::string_view message) {
  const auto at = std::find_if(data.items.begin(), data.items.end(),
                               [&](const SigningItem& item) { return item.message == message; });
  return at == data.items.end() ? nullptr : &*at;
}

std::string describe(const SigningItem& item) {
  return cat(item.dsse ? quote(item.predicate_type) : std::string("the simple signing payload"),
             " about ", item.subject.str());
}

}  // namespace

void SigningData::add(SigningItem item) {
  if (item_of(*this, item.message) == nullptr) items.push_back(std::move(item));
}

std::string encode_signing_data(const SigningData& data) {
  OrderedJson messages = OrderedJson::array();
  for (const SigningItem& item : data.items) {
    OrderedJson json = OrderedJson::object();
    json["kind"] = item.dsse ? kDsseKind : kSimpleKind;
    json["subject"] = item.subject.str();
    if (item.dsse) json["predicateType"] = item.predicate_type;
    json["sha256"] = sha256(item.message).hex();
    json["bytes"] = base64(as_bytes(item.message));
    if (item.signature) json["signature"] = base64(*item.signature);
    messages.push_back(std::move(json));
  }
  OrderedJson out = OrderedJson::object();
  out["schemaVersion"] = kSigningDataVersion;
  out["image"] = data.image;
  out["messages"] = std::move(messages);
  return dump_json_pretty(out) + "\n";
}

Result<SigningData> parse_signing_data(std::string_view text, const Limits& limits,
                                       std::string_view what) {
  auto parsed = parse_json(text, limits, what);
  if (!parsed.has_value()) return std::move(parsed).error().hint(kEmitHint);
  const Json& json = *parsed;
  if (!json.is_object()) return malformed_data(what, "it is no object");
  const auto fields = [&]() -> Result<SigningData> {
    SigningData out;
    CL_TRY(const auto version, get_int(json, "schemaVersion"));
    if (version != kSigningDataVersion)
      return Error::unsupported(cat(what, " has a schemaVersion that is not 1"));
    CL_TRY(auto image, get_string(json, "image"));
    out.image = std::move(image).value_or("");
    CL_TRY(const Json* messages, get_array(json, "messages"));
    if (messages == nullptr) return malformed_data(what, "it has no messages");
    if (messages->size() > limits.attachments)
      return Error::limit(cat(what, " has more than ", limits.attachments, " messages"));
    for (const Json& message : *messages) {
      CL_TRY(SigningItem item, parse_item(message, what));
      out.items.push_back(std::move(item));
    }
    return out;
  };
  auto out = fields();
  if (!out.has_value() && out.error().hint().empty()) return std::move(out).error().hint(kEmitHint);
  return out;
}

Status check_signing_data(const SigningData& wanted, const SigningData& given,
                          const ImagePublicKey& key, std::string_view what) {
  for (const SigningItem& item : wanted.items) {
    const SigningItem* answer = item_of(given, item.message);
    if (answer == nullptr)
      return Error::invalid(cat(what, " is not about what is to be signed now"))
          .detail(cat("it has no message that is ", describe(item)))
          .hint(
              "both steps need the same image, name and options; write the file anew with "
              "--emit-signing-data");
    if (!answer->signature)
      return Error::invalid(cat(what, " lacks a signature"))
          .detail(cat("of ", describe(item)))
          .hint("sign the bytes of each message, and add it as its \"signature\", in base64");
    if (!key.verify(as_bytes(item.message), *answer->signature))
      return Error::invalid(cat("a signature in ", what, " does not verify"))
          .detail(cat("of ", describe(item)))
          .detail(cat("with the public key ", key.fingerprint().hex().substr(0, 16), ", ",
                      image_key_kind_name(key.kind())))
          .hint(
              "sign the bytes themselves by ECDSA with SHA-256 (DER), RSA PKCS#1 v1.5 with "
              "SHA-256, or Ed25519");
  }
  return {};
}

ExternalKey signed_elsewhere(SigningData given, std::string public_pem, std::string_view what) {
  ExternalKey key;
  key.public_pem = std::move(public_pem);
  key.name = what;
  key.sign = [given = std::move(given), name = key.name](ByteView message) -> Result<Bytes> {
    const SigningItem* item = item_of(given, as_text(message));
    if (item != nullptr && item->signature) return *item->signature;
    return Error::invalid(cat(name, " has no signature of what is to be signed"))
        .hint("both steps need the same image, name and options");
  };
  return key;
}

}  // namespace cloister::sign
