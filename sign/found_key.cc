// Only DER is parsed by OpenSSL: what its PEM reader accepts depends on line ends and indentation,
// which other formats that carry PEM change.
#include "sign/found_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/text.h"
#include "sign/openssl.h"

namespace cloister::sign {
namespace {

constexpr std::size_t kMaxFoundKeys = 64;
constexpr std::size_t kMaxKeyText = 64 << 10;  // bytes of base64
constexpr std::string_view kPemBegin = "-----BEGIN ", kPemEnd = "-----END ";

std::optional<FoundKey> judge(ByteView der) {
  const unsigned char* at = raw(der.data());
  const PkeyPtr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  unsigned char* spki = nullptr;
  const int size = key ? i2d_PUBKEY(key.get(), &spki) : 0;
  ERR_clear_error();
  if (size <= 0) return std::nullopt;
  FoundKey out;
  out.fingerprint = sha256(std::as_bytes(std::span(spki, static_cast<std::size_t>(size))));
  OPENSSL_free(spki);
  BIGNUM* exponent = nullptr;
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1 && EVP_PKEY_get_bits(key.get()) == 3072 &&
      EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_E, &exponent) == 1)
    out.sgx = BN_is_word(exponent, 3) == 1;
  BN_free(exponent);
  return out;
}

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/' || c == '=';
}

// The base64 of a PEM body, of whatever is around it freed: blanks, line ends, and these as
// escapes. Nothing when something else stands there (a header line says that the key is encrypted).
std::optional<std::string> body_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {  // perhaps escaped again
      while (i + 1 < text.size() && text[i + 1] == '\\') ++i;
      if (i + 1 < text.size() &&
          std::string_view("nrt").find(text[i + 1]) != std::string_view::npos)
        ++i;
    } else if (is_base64(c)) {
      out += c;
    } else if (std::string_view(" \t\r\n\"',").find(c) == std::string_view::npos) {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

std::vector<FoundKey> find_private_keys(ByteView content) {
  std::vector<FoundKey> out;
  if (auto whole = judge(content)) return {*whole};
  const std::string_view text = as_text(content);
  std::size_t looked_at = 0;
  for (auto at = text.find(kPemBegin); at != std::string_view::npos && looked_at < kMaxFoundKeys;
       at = text.find(kPemBegin, at)) {
    at += kPemBegin.size();
    const auto label_end = text.find("-----", at);
    if (label_end == std::string_view::npos) break;
    const std::string_view label = text.substr(at, label_end - at);
    if (!label.ends_with("PRIVATE KEY") || label.size() > 64) continue;
    ++looked_at;
    at = label_end + 5;
    const auto end = text.substr(at, kMaxKeyText).find(kPemEnd);
    if (end == std::string_view::npos) continue;
    auto body = body_text(text.substr(at, end));
    auto der = body ? unbase64(*body) : std::nullopt;
    if (body) wipe(*body);
    if (!der) continue;
    if (auto key = judge(*der)) out.push_back(*key);
    wipe(*der);
  }
  return out;
}

}  // namespace cloister::sign
