// libp11's engine. OpenSSL 3 deprecates engines and later versions may be built without them;
// in 3.0 and Debian 12 this is the only way to a token. The engine is process-wide: its library is
// chosen by who opens the first key.
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ui.h>

#include "base/text.h"
#include "sign/pkcs11/backend.h"

#ifndef OPENSSL_NO_ENGINE
#include <openssl/engine.h>
#endif

namespace cloister::sign {

#ifdef OPENSSL_NO_ENGINE

Result<std::optional<TokenHandle>> open_with_engine(const Pkcs11Uri&, const std::string&,
                                                    PinPrompt&) {
  return std::optional<TokenHandle>();
}

#else

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace {

// A functional reference.
struct EngineRelease {
  void operator()(void* engine) const {
    ENGINE_finish(static_cast<ENGINE*>(engine));
    ENGINE_free(static_cast<ENGINE*>(engine));
  }
};

}  // namespace

Result<std::optional<TokenHandle>> open_with_engine(const Pkcs11Uri& uri, const std::string& module,
                                                    PinPrompt& pin) {
  ENGINE_load_builtin_engines();
  ENGINE* engine = ENGINE_by_id("pkcs11");
  if (engine == nullptr) {
    ERR_clear_error();
    return std::optional<TokenHandle>();
  }
  const bool ready =
      (module.empty() || ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module.c_str(), 0) == 1) &&
      ENGINE_init(engine) == 1;
  if (!ready) {
    ENGINE_free(engine);
    return no_token_module(module, token_reason());
  }
  TokenHandle out;
  out.backend = std::shared_ptr<void>(engine, EngineRelease());
  out.private_key.reset(ENGINE_load_private_key(engine, uri.object.c_str(), pin.method(), &pin));
  if (!out.private_key) return no_token_key(uri, pin);
  if (!write_public_pem(out.private_key.get()).has_value())
    out.public_key.reset(ENGINE_load_public_key(engine, uri.object.c_str(), pin.method(), &pin));
  return std::optional(std::move(out));
}

#pragma GCC diagnostic pop

#endif

}  // namespace cloister::sign
