// The pkcs11 provider (latchset). Which token library it loads is a setting of OpenSSL's
// configuration alone: it gets a library context of its own, configured by a file in memory.
#include <fcntl.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "sign/pkcs11/backend.h"

namespace cloister::sign {
namespace {

struct StoreClose {
  void operator()(OSSL_STORE_CTX* store) const { OSSL_STORE_close(store); }
};
struct StoreInfoFree {
  void operator()(OSSL_STORE_INFO* info) const { OSSL_STORE_INFO_free(info); }
};

// A library context with providers in it.
struct Providers {
  OSSL_LIB_CTX* library = OSSL_LIB_CTX_new();
  OSSL_PROVIDER* base = nullptr;
  OSSL_PROVIDER* token = nullptr;

  Providers() = default;
  Providers(const Providers&) = delete;
  Providers& operator=(const Providers&) = delete;
  ~Providers() {
    if (token != nullptr) OSSL_PROVIDER_unload(token);
    if (base != nullptr) OSSL_PROVIDER_unload(base);
    OSSL_LIB_CTX_free(library);
  }
};

// A value of OpenSSL's configuration syntax (config(5)).
std::string escaped_value(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\$#\"'`").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

bool configure(OSSL_LIB_CTX* library, const std::string& module) {
  if (module.empty()) return true;
  if (std::any_of(module.begin(), module.end(), [](char c) { return c == '\n' || c == '\r'; }))
    return false;
  const std::string text =
      cat("openssl_conf = init\n[init]\nproviders = list\n[list]\npkcs11 = token\n[token]\n",
          "pkcs11-module-path = ", escaped_value(module), "\n");
  const Fd file(memfd_create("cloister-openssl-conf", MFD_CLOEXEC));
  if (!file.valid() ||
      write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return false;
  return OSSL_LIB_CTX_load_config(library, cat("/proc/self/fd/", file.get()).c_str()) == 1;
}

PkeyPtr first_key(OSSL_LIB_CTX* library, const std::string& uri, PinPrompt& pin) {
  const std::unique_ptr<OSSL_STORE_CTX, StoreClose> store(OSSL_STORE_open_ex(
      uri.c_str(), library, "provider=pkcs11", pin.method(), &pin, nullptr, nullptr, nullptr));
  while (store && OSSL_STORE_eof(store.get()) == 0) {
    const std::unique_ptr<OSSL_STORE_INFO, StoreInfoFree> info(OSSL_STORE_load(store.get()));
    if (!info) break;
    if (OSSL_STORE_INFO_get_type(info.get()) == OSSL_STORE_INFO_PKEY)
      return PkeyPtr(OSSL_STORE_INFO_get1_PKEY(info.get()));
    if (OSSL_STORE_INFO_get_type(info.get()) == OSSL_STORE_INFO_PUBKEY)
      return PkeyPtr(OSSL_STORE_INFO_get1_PUBKEY(info.get()));
  }
  return nullptr;
}

}  // namespace

Result<std::optional<TokenHandle>> open_with_provider(const Pkcs11Uri& uri,
                                                      const std::string& module, PinPrompt& pin) {
  const auto providers = std::make_shared<Providers>();
  if (providers->library == nullptr) return Error::internal("out of memory");
  if (!configure(providers->library, module)) return no_token_module(module, token_reason());
  providers->token = OSSL_PROVIDER_load(providers->library, "pkcs11");
  if (providers->token == nullptr) {
    ERR_clear_error();
    return std::optional<TokenHandle>();
  }
  providers->base = OSSL_PROVIDER_load(providers->library, "default");
  TokenHandle out;
  out.backend = providers;
  out.library = providers->library;
  out.private_key = first_key(providers->library,
                              uri.has_type ? uri.object : cat(uri.object, ";type=private"), pin);
  if (!out.private_key) return no_token_key(uri, pin);
  if (!uri.has_type && !write_public_pem(out.private_key.get()).has_value())
    out.public_key = first_key(providers->library, cat(uri.object, ";type=public"), pin);
  return std::optional(std::move(out));
}

}  // namespace cloister::sign
