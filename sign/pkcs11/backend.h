// The two ways in which OpenSSL reaches a token. For the .cc files of this folder.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "sign/openssl.h"
#include "sign/pkcs11/token_key.h"

struct ossl_lib_ctx_st;
struct ui_method_st;

namespace cloister::sign {

// Answers OpenSSL's questions for a PIN from a source, once.
class PinPrompt {
 public:
  explicit PinPrompt(PassphraseSource source) : source_(std::move(source)) {}
  PinPrompt(const PinPrompt&) = delete;
  PinPrompt& operator=(const PinPrompt&) = delete;
  ~PinPrompt();

  // The method to give to OpenSSL, with this object as its data; null: out of memory.
  ui_method_st* method();
  bool asked() const { return asked_; }
  bool answered() const { return pin_.has_value(); }
  // Why the source failed, if it did; then it is taken out.
  std::optional<Error>& failure() { return failure_; }
  int give(char* buffer, int size);  // OpenSSL's callback

 private:
  PassphraseSource source_;
  ui_method_st* method_ = nullptr;
  bool asked_ = false;
  std::optional<Secret> pin_;
  std::optional<Error> failure_;
};

// A private key in a token, and all that must live as long as it does.
struct TokenHandle {
  std::shared_ptr<void> backend;       // freed after the keys
  ossl_lib_ctx_st* library = nullptr;  // null: the default one
  PkeyPtr private_key, public_key;     // the latter may be null: it is in the former
};

// Nothing when OpenSSL has no such backend here. Errors say what the token library answered.
Result<std::optional<TokenHandle>> open_with_provider(const Pkcs11Uri& uri,
                                                      const std::string& module, PinPrompt& pin);
Result<std::optional<TokenHandle>> open_with_engine(const Pkcs11Uri& uri, const std::string& module,
                                                    PinPrompt& pin);

// "The token has no such key", or why it could not be asked.
Error no_token_key(const Pkcs11Uri& uri, PinPrompt& pin);
Error no_token_module(const std::string& module, const std::string& reason);
// The oldest of OpenSSL's errors, which is nearest to the token: later ones say only that something
// failed. All are taken.
std::string token_reason();

}  // namespace cloister::sign
