// A self-signed certificate for 127.0.0.1 and localhost, made for one test.
#pragma once

#include <filesystem>
#include <memory>

struct ssl_ctx_st;

namespace cloister {

class TlsIdentity {
 public:
  TlsIdentity();
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  ssl_ctx_st* server_context() const { return context_; }
  // The certificate as PEM: what a client that trusts it is given.
  const std::filesystem::path& certificate_file() const { return file_; }

 private:
  ssl_ctx_st* context_ = nullptr;
  std::filesystem::path file_;
};

}  // namespace cloister
