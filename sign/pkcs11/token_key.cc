// Traps. Without a user interface of ours OpenSSL would ask for the PIN on the terminal. Whoever
// answers a token's question wrongly three times locks it: a PIN is tried for one key only, and the
// public half is looked for after the private one was found. Some tokens keep no public point
// beside an EC private key, only in the public key object.
#include "sign/pkcs11/token_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ui.h>

#include <algorithm>

#include "base/text.h"
#include "sign/pkcs11/backend.h"

namespace cloister::sign {
namespace {

extern "C" int give_token_pin(char* buffer, int size, int /*writing*/, void* prompt) {
  return static_cast<PinPrompt*>(prompt)->give(buffer, size);
}

Result<Bytes> sign_with(const TokenHandle& handle, const char* key_hash, const std::string& name,
                        ByteView message) {
  EVP_PKEY* key = handle.private_key.get();
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // owned by `context`
  const bool rsa = EVP_PKEY_is_a(key, "RSA") == 1;
  const char* hash = EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : key_hash;
  std::size_t size = 0;
  Bytes out;
  ERR_clear_error();
  bool good =
      context &&
      EVP_DigestSignInit_ex(context.get(), &parameters, hash, handle.library, nullptr, key,
                            nullptr) == 1 &&
      (!rsa || EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PADDING) == 1) &&
      EVP_DigestSign(context.get(), nullptr, &size, raw(message.data()), message.size()) == 1;
  if (good) {
    out.resize(size);
    good = EVP_DigestSign(context.get(), raw(out.data()), &size, raw(message.data()),
                          message.size()) == 1 &&
           size <= out.size();
  }
  if (!good)
    return Error::invalid(cat("the token cannot sign with ", name))
        .detail(cat("it says: ", token_reason()))
        .hint("may this key sign, and by RSA PKCS#1 v1.5, ECDSA or Ed25519?");
  out.resize(size);
  return out;
}

Result<TokenHandle> open_token(const Pkcs11Uri& uri, const std::string& module, PinPrompt& pin) {
  CL_TRY(auto by_provider, open_with_provider(uri, module, pin));
  if (by_provider) return std::move(*by_provider);
  CL_TRY(auto by_engine, open_with_engine(uri, module, pin));
  if (by_engine) return std::move(*by_engine);
  return Error::invalid(
             "OpenSSL cannot speak to tokens here: it has neither a pkcs11 provider nor "
             "a pkcs11 engine")
      .hint(
          "install Debian's package pkcs11-provider or, before Debian 13, "
          "libengine-pkcs11-openssl");
}

}  // namespace

PinPrompt::~PinPrompt() {
  if (method_ != nullptr) UI_destroy_method(method_);
}

ui_method_st* PinPrompt::method() {
  if (method_ == nullptr) method_ = UI_UTIL_wrap_read_pem_callback(give_token_pin, 0);
  return method_;
}

int PinPrompt::give(char* buffer, int size) {
  if (!asked_) {
    asked_ = true;
    auto answer = source_ ? source_() : Result<std::optional<Secret>>(std::optional<Secret>());
    if (answer.has_value())
      pin_ = std::move(*answer);
    else
      failure_ = std::move(answer).error();
  }
  if (!pin_ || pin_->text().size() > static_cast<std::size_t>(size)) return -1;
  std::copy(pin_->text().begin(), pin_->text().end(), buffer);
  return static_cast<int>(pin_->text().size());
}

std::string token_reason() {
  std::string out;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    const char* reason = ERR_reason_error_string(code);
    if (out.empty() && reason != nullptr) out = reason;
  }
  return out;
}

Error no_token_key(const Pkcs11Uri& uri, PinPrompt& pin) {
  const std::string reason = token_reason();
  if (pin.failure()) return std::move(*pin.failure());
  if (pin.asked() && !pin.answered())
    return Error::invalid(
               cat("the token of ", quote(uri.object), " wants a PIN, and there is none"))
        .hint(
            "add ?pin-source=file:PATH to the URI, give --passphrase-file, or set "
            "CLOISTER_PKCS11_PIN");
  // Both load the token library only now; without one the provider does not know the scheme.
  for (const char* of_module : {"load PKCS#11 module", "unregistered scheme"})
    if (reason.find(of_module) != std::string::npos) return no_token_module({}, reason);
  Error error = Error::invalid(
      cat("the token gives no private key ", quote(uri.object),
          pin.answered() ? ": there is none, or the PIN is wrong" : ": there is none"));
  if (!reason.empty()) error = std::move(error).detail(cat("it says: ", printable(reason)));
  return std::move(error).hint(
      "p11tool --list-all --login shows what a token holds; wrong PINs may lock it");
}

Error no_token_module(const std::string& module, const std::string& reason) {
  Error error =
      Error::invalid(cat("the PKCS#11 library of the token ",
                         module.empty() ? std::string() : quote(module) + " ", "cannot be used"));
  if (!reason.empty()) error = std::move(error).detail(cat("OpenSSL says: ", printable(reason)));
  return std::move(error).hint(
      "name your token's PKCS#11 library: set PKCS11_MODULE_PATH, or add ?module-path=PATH to the "
      "URI");
}

Result<ExternalKey> open_token_key(const Pkcs11Uri& uri, TokenAccess access) {
  // Also asked later, by tokens that want the PIN for each signature.
  auto pin = std::make_shared<PinPrompt>(std::move(access.pin));
  if (pin->method() == nullptr) return Error::internal("out of memory");
  ERR_clear_error();
  CL_TRY(TokenHandle opened, open_token(uri, access.module, *pin));
  ERR_clear_error();
  auto pem =
      write_public_pem(opened.public_key ? opened.public_key.get() : opened.private_key.get());
  if (!pem.has_value())
    return Error::invalid(cat("the token does not give the public half of ", quote(uri.object)))
        .detail(pem.error().details().empty() ? std::string() : pem.error().details().front())
        .hint("store the public key under the same label and id too");
  auto handle = std::make_shared<const TokenHandle>(std::move(opened));
  ExternalKey key;
  key.public_pem = std::move(*pem);
  key.name = quote(uri.object);
  key.sign = [handle, pin, hash = access.hash, name = key.name](ByteView message) {
    return sign_with(*handle, hash, name, message);
  };
  return key;
}

}  // namespace cloister::sign
