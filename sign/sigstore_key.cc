// PEM body: {"kdf":{"name":"scrypt","params":{"N":65536,"r":8,"p":1},"salt":base64},
//            "cipher":{"name":"nacl/secretbox","nonce":base64},"ciphertext":base64}
//
// secretbox is XSalsa20-Poly1305, which OpenSSL does not have. libsodium, NaCl's keeper, does: an
// audited, constant-time implementation is worth a small dependency more than a cipher of our own.
//
// Trap: N, r and p come from the file. scrypt takes 128·N·r bytes of memory and N·r·p steps: both
// are bounded (cosign writes 64 MiB, formerly 32) before anything is computed.
#include "sign/sigstore_key.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "sign/openssl.h"

namespace cloister::sign {
namespace {

constexpr std::string_view kNames[] = {"ENCRYPTED SIGSTORE PRIVATE KEY",
                                       "ENCRYPTED COSIGN PRIVATE KEY"};
constexpr std::uint64_t kMaxScryptMemory = 256ULL << 20;  // bytes: 128·N·r
constexpr std::uint64_t kMaxScryptWork = 512ULL << 20;    // 128·N·r·p; about two seconds
constexpr std::size_t kMaxSalt = 1024;                    // bytes
constexpr std::size_t kMaxSealed = 64 << 10;              // bytes of ciphertext

struct Sealed {
  std::uint64_t n = 0, r = 0, p = 0;
  Bytes salt, nonce, ciphertext;
};

Error malformed(std::string_view what, std::string_view why) {
  return Error::invalid(cat("key ", what, " is not a key as cosign writes it"))
      .detail(std::string(why))
      .hint("make one with cosign generate-key-pair or cloister keygen image");
}

// The JSON within the PEM.
Result<std::string> body_of(ByteView pem, std::string_view what) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  const bool read = bio && PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1;
  std::string body;
  bool known = false;
  if (read) {
    body.assign(as_text(std::as_bytes(std::span(data, static_cast<std::size_t>(size)))));
    known = name == kNames[0] || name == kNames[1];
  }
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  (void)openssl_reason();
  if (!known) return malformed(what, "its PEM is damaged");
  return body;
}

Result<Bytes> binary(const Json& object, std::string_view key, std::string_view what) {
  CL_TRY(const auto text, get_string(object, key));
  auto bytes = text ? unbase64(*text) : std::nullopt;
  if (!bytes) return malformed(what, cat("it has no ", key, " in base64"));
  return std::move(*bytes);
}

Result<Sealed> parse(const std::string& body, std::string_view what) {
  CL_TRY(const Json json, parse_json(body, Limits(), cat("key ", what)));
  CL_TRY(const Json* kdf, get_object(json, "kdf"));
  CL_TRY(const Json* cipher, get_object(json, "cipher"));
  if (kdf == nullptr || cipher == nullptr) return malformed(what, "it has no kdf or no cipher");
  CL_TRY(const Json* params, get_object(*kdf, "params"));
  CL_TRY(const auto kdf_name, get_string(*kdf, "name"));
  CL_TRY(const auto cipher_name, get_string(*cipher, "name"));
  if (params == nullptr || kdf_name != "scrypt" || cipher_name != "nacl/secretbox")
    return malformed(what, "want kdf scrypt and cipher nacl/secretbox");
  Sealed out;
  const auto number = [&](std::string_view key, std::uint64_t& value) -> Status {
    CL_TRY(const auto got, get_int(*params, key));
    if (!got || *got < 1) return malformed(what, cat("scrypt's ", key, " is not a number above 0"));
    value = static_cast<std::uint64_t>(*got);
    return {};
  };
  CL_CHECK(number("N", out.n));
  CL_CHECK(number("r", out.r));
  CL_CHECK(number("p", out.p));
  CL_TRY(out.salt, binary(*kdf, "salt", what));
  CL_TRY(out.nonce, binary(*cipher, "nonce", what));
  CL_TRY(out.ciphertext, binary(json, "ciphertext", what));
  return out;
}

Status check(const Sealed& sealed, std::string_view what) {
  std::uint64_t memory = 0, work = 0;
  if (!checked_mul<std::uint64_t>(sealed.n, sealed.r, memory) ||
      !checked_mul<std::uint64_t>(memory, 128, memory) ||
      !checked_mul<std::uint64_t>(memory, sealed.p, work) || memory > kMaxScryptMemory ||
      work > kMaxScryptWork)
    return Error::limit(cat("key ", what, " asks for too much memory or work"))
        .detail(cat("got scrypt with N ", sealed.n, ", r ", sealed.r, ", p ", sealed.p))
        .hint("no key that cosign wrote needs more than 64 MiB; where is this one from?");
  if (sealed.n < 2 || (sealed.n & (sealed.n - 1)) != 0)
    return malformed(what, "scrypt's N is not a power of two");
  if (sealed.salt.size() > kMaxSalt || sealed.nonce.size() != crypto_secretbox_NONCEBYTES ||
      sealed.ciphertext.size() < crypto_secretbox_MACBYTES || sealed.ciphertext.size() > kMaxSealed)
    return malformed(what, "salt, nonce or ciphertext has an impossible size");
  return {};
}

}  // namespace

bool is_sigstore_key(ByteView pem) {
  const std::string_view text = as_text(pem);
  const auto at = text.find("-----BEGIN ");  // the first block decides, as for OpenSSL
  if (at == std::string_view::npos) return false;
  const std::string_view rest = text.substr(at + 11);
  return rest.starts_with(kNames[0]) || rest.starts_with(kNames[1]);
}

Result<Secret> open_sigstore_key(ByteView pem, const Secret& passphrase, std::string_view what) {
  CL_TRY(const std::string body, body_of(pem, what));
  auto parsed = parse(body, what);
  if (!parsed.has_value() && parsed.error().hint().empty())
    return std::move(parsed).error().hint("the file is damaged; fetch it anew");
  CL_TRY(const Sealed sealed, std::move(parsed));
  CL_CHECK(check(sealed, what));
  Bytes derived(crypto_secretbox_KEYBYTES);
  if (sodium_init() < 0 ||
      EVP_PBE_scrypt(passphrase.text().data(), passphrase.text().size(), raw(sealed.salt.data()),
                     sealed.salt.size(), sealed.n, sealed.r, sealed.p,
                     // What OpenSSL counts beside the large block: the r·p blocks and slack.
                     kMaxScryptMemory + (128 * sealed.r * (sealed.p + 2)) + 4096,
                     raw(derived.data()), derived.size()) != 1) {
    wipe(derived);
    return Error::internal("scrypt failed").detail(openssl_reason());
  }
  Bytes plain(sealed.ciphertext.size() - crypto_secretbox_MACBYTES);
  const int opened = crypto_secretbox_open_easy(raw(plain.data()), raw(sealed.ciphertext.data()),
                                                sealed.ciphertext.size(), raw(sealed.nonce.data()),
                                                raw(derived.data()));
  wipe(derived);
  Secret out(std::move(plain));
  if (opened != 0)
    return Error::invalid(cat("key ", what, " cannot be decrypted: wrong passphrase"))
        .hint("give the passphrase that the key was written with");
  return out;
}

}  // namespace cloister::sign
