#include "sign/quote/intel_collateral.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr std::string_view kAnyPemBegin = "-----BEGIN ", kCertificateLabel = "CERTIFICATE";
constexpr std::string_view kCrlBegin = "-----BEGIN X509 CRL-----",
                           kCrlEnd = "-----END X509 CRL-----";

// Escapes of RFC 3986 §2.1 replaced; nothing when one is malformed.
std::optional<std::string> url_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    const auto byte = at + 2 < text.size() ? unhex(text.substr(at + 1, 2)) : std::nullopt;
    if (!byte) return std::nullopt;
    out += static_cast<char>(byte->front());
    at += 2;
  }
  return out;
}

// A signed document, as a reply and as a file that holds all have it.
struct SignedPart {
  const char *reply, *bundled;
  std::vector<SignedDocument> IntelCollateral::*into;
};
constexpr SignedPart kSignedParts[] = {
    {"tcbInfo", "tcb_info", &IntelCollateral::tcb_infos},
    {"enclaveIdentity", "qe_identity", &IntelCollateral::identities},
};

std::string without_white(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') out += c;
  return out;
}

// Whatever is found in a file, put where it belongs.
class CollateralPile {
 public:
  CollateralPile(IntelCollateral& out, const Limits& limits) : out_(out), limits_(limits) {}

  Status add(Certificate certificate) {
    auto& all = out_.certificates;
    if (std::any_of(all.begin(), all.end(),
                    [&](const auto& c) { return c.der() == certificate.der(); }))
      return {};
    return put(all, std::move(certificate), "certificates");
  }
  Status add(RevocationList list) {
    return put(out_.revocation_lists, std::move(list), "revocation lists");
  }
  Status add(SignedDocument document, const SignedPart& part) {
    return put(out_.*part.into, std::move(document), part.reply);
  }

  // PEM, or the same URL-encoded; false when the text has no PEM block that is known.
  Result<bool> add_pem(std::string_view text) {
    std::string decoded;
    if (text.find("-----BEGIN%20") != std::string_view::npos) {
      auto plain = url_decoded(text);
      if (!plain) return Error::corrupt("a certificate chain that is not properly URL-encoded");
      decoded = std::move(*plain);
      text = decoded;
    }
    bool any = false;
    if (text.find(cat(kAnyPemBegin, kCertificateLabel, "-----")) != std::string_view::npos) {
      CL_TRY(auto chain, Certificate::parse_pem(text, limits_));
      for (Certificate& one : chain) CL_CHECK(add(std::move(one)));
      any = true;
    }
    for (std::size_t at = text.find(kCrlBegin); at != std::string_view::npos;
         at = text.find(kCrlBegin, at)) {
      const std::size_t end = text.find(kCrlEnd, at);
      if (end == std::string_view::npos)
        return Error::corrupt("PEM text with a revocation list cut short");
      const std::size_t start = at + kCrlBegin.size();
      const auto der = unbase64(without_white(text.substr(start, end - start)));
      if (!der) return Error::corrupt("PEM text with a revocation list that cannot be decoded");
      CL_TRY(RevocationList list, RevocationList::parse_der(*der));
      CL_CHECK(add(std::move(list)));
      any = true;
      at = end;
    }
    return any;
  }

  Result<bool> add_der(ByteView der) {
    if (der.empty() || der.front() != std::byte{0x30}) return false;
    if (auto list = RevocationList::parse_der(der); list.has_value()) {
      CL_CHECK(add(std::move(*list)));
      return true;
    }
    if (auto one = Certificate::parse_der(der); one.has_value()) {
      CL_CHECK(add(std::move(*one)));
      return true;
    }
    return false;
  }

  // A certificate or revocation list in text: PEM, or DER in hex or base64.
  Result<bool> add_text(std::string_view text) {
    CL_TRY(const bool pem, add_pem(text));
    if (pem) return true;
    const std::string plain = without_white(text);
    if (const auto der = unhex(plain)) return add_der(*der);
    if (const auto der = unbase64(plain)) return add_der(*der);
    return false;
  }

  Result<bool> add_json(std::string_view text) {
    CL_TRY(const Json json, parse_json(text, limits_, "the collateral"));
    const DocumentReader reader(json, "the collateral", limits_);
    bool any = false;
    for (const SignedPart& part : kSignedParts) {
      if (!reader.has(part.reply)) continue;
      CL_TRY(SignedDocument document, split_signed_reply(text, part.reply, limits_));
      CL_CHECK(add(std::move(document), part));
      any = true;
    }
    CL_TRY(const bool bundle, add_bundle(reader, chains_of(json)));
    return any || bundle;
  }

 private:
  template <class T>
  Status put(std::vector<T>& all, T one, std::string_view what) {
    if (all.size() >= limits_.collateral_files)
      return Error::limit(cat("collateral of more than ", limits_.collateral_files, " ", what));
    all.push_back(std::move(one));
    return {};
  }

  // Members that are certificates in PEM, whatever their names: tools call them differently.
  static std::vector<std::string> chains_of(const Json& json) {
    std::vector<std::string> out;
    if (!json.is_object()) return out;
    for (const auto& member : json.items())
      if (member.value().is_string() && !member.key().ends_with("_crl"))
        out.push_back(member.value().get<std::string>());
    return out;
  }

  // All in one object, each part as a string.
  Result<bool> add_bundle(const DocumentReader& reader, const std::vector<std::string>& chains) {
    bool any = false;
    for (const char* key : {"root_ca_crl", "pck_crl"}) {
      if (!reader.has(key)) continue;
      CL_TRY(const std::string text, reader.text(key));
      CL_TRY(const bool known, add_text(text));
      if (!known) return reader.wrong(key, "a revocation list");
      any = true;
    }
    for (const std::string& chain : chains) {
      CL_TRY(const bool known, add_pem(chain));
      any = any || known;
    }
    for (const SignedPart& part : kSignedParts) {
      if (!reader.has(part.bundled)) continue;
      CL_TRY(SignedDocument document, read_bundled(reader, part));
      CL_CHECK(add(std::move(document), part));
      any = true;
    }
    return any;
  }

  // The document and its signature apart, or both in the form of a reply.
  Result<SignedDocument> read_bundled(const DocumentReader& reader, const SignedPart& part) {
    CL_TRY(const std::string body, reader.text(part.bundled));
    const std::string signature_key = cat(part.bundled, "_signature");
    if (!reader.has(signature_key)) return split_signed_reply(body, part.reply, limits_);
    CL_TRY(const std::string signature, reader.text(signature_key));
    return make_signed_document(body, signature);
  }

  IntelCollateral& out_;
  const Limits& limits_;
};

// The fields of an HTTP head that hold chains. Answers what follows the head.
Result<std::string_view> add_head(CollateralPile& pile, std::string_view text, bool& any) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    CL_TRY(const bool chain, pile.add_pem(trim(line.substr(colon + 1))));
    any = any || chain;
  }
  return text;
}

// A head alone, as curl -D writes it: its first lines are fields, one of them with a chain.
bool is_head(std::string_view text) {
  if (text.starts_with("HTTP/")) return true;
  const std::size_t at = text.find(": -----BEGIN%20");
  return at != std::string_view::npos &&
         text.substr(0, at).find("-----") == std::string_view::npos && text.find('{') > at;
}

}  // namespace

Result<bool> add_collateral(IntelCollateral& collateral, ByteView file, const Limits& limits) {
  if (file.size() > limits.collateral_bytes)
    return Error::limit(cat("collateral of ", file.size(), " bytes"))
        .detail(cat("want no more than ", limits.collateral_bytes));
  CollateralPile pile(collateral, limits);
  std::string_view text = as_text(file);
  bool any = false;
  constexpr int kMaxHeads = 8;  // those of redirects come before the one that counts
  for (int heads = 0; heads < kMaxHeads && is_head(text); ++heads) {
    CL_TRY(text, add_head(pile, text, any));
  }
  if (trim(text).empty()) return any;
  if (begins_as_json(text)) {
    CL_TRY(const bool json, pile.add_json(text));
    return any || json;
  }
  CL_TRY(const bool der, pile.add_der(as_bytes(text)));
  if (der) return true;
  CL_TRY(const bool encoded, pile.add_text(text));
  return any || encoded;
}

Status add_chain_field(IntelCollateral& collateral, std::string_view value, const Limits& limits) {
  CL_TRY(const bool known, CollateralPile(collateral, limits).add_pem(value));
  if (!known) return Error::corrupt("a field without a certificate chain");
  return {};
}

}  // namespace cloister::sign
