// A token server for Debian's docker-registry (distribution's token.md and jwt.md): one user, and
// everybody for what begins with "public/". Prints its port, then a line per token that it gave.
//
//   token_server KEY.pem CERTIFICATE.pem ISSUER SERVICE USER:PASSWORD
//
// Tokens are JWTs signed with RS256; the registry finds the certificate in the header (x5c) and
// trusts it because it is in its root bundle.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "base/json.h"
#include "base/text.h"
#include "tests/base/http_server.h"
#include "tests/oci/registry/fake_registry.h"

namespace cloister {
namespace {

std::string base64_url(std::span<const std::byte> bytes) {
  std::string out = base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

[[noreturn]] void stop(const char* what) {
  std::fprintf(stderr, "token_server: %s\n", what);
  std::exit(1);
}

std::FILE* open_pem(const char* path) {
  std::FILE* file = std::fopen(path, "r");
  if (file == nullptr) stop(path);
  return file;
}

class Signer {
 public:
  Signer(const char* key, const char* certificate) {
    std::FILE* file = open_pem(key);
    key_ = PEM_read_PrivateKey(file, nullptr, nullptr, nullptr);
    std::fclose(file);
    file = open_pem(certificate);
    X509* x509 = PEM_read_X509(file, nullptr, nullptr, nullptr);
    std::fclose(file);
    unsigned char* der = nullptr;
    const int size = x509 == nullptr ? -1 : i2d_X509(x509, &der);
    if (key_ == nullptr || size < 0) stop("not a key and its certificate");
    certificate_ = base64(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
    OPENSSL_free(der);
    X509_free(x509);
  }
  ~Signer() { EVP_PKEY_free(key_); }
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  std::string jwt(const Json& claims) const {
    const Json header = {{"typ", "JWT"}, {"alg", "RS256"}, {"x5c", {certificate_}}};
    const std::string text =
        cat(base64_url(as_bytes(dump_json(header))), ".", base64_url(as_bytes(dump_json(claims))));
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    Bytes signature(1024);
    std::size_t size = signature.size();
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());  // NOLINT
    auto* out = reinterpret_cast<unsigned char*>(signature.data());          // NOLINT
    if (EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_) != 1 ||
        EVP_DigestSign(context, out, &size, data, text.size()) != 1)
      stop("signing failed");
    EVP_MD_CTX_free(context);
    return cat(text, ".", base64_url(std::span(signature).first(size)));
  }

 private:
  EVP_PKEY* key_ = nullptr;
  std::string certificate_;
};

// "repository:NAME:pull,push" as the claim wants it, cut to what may be done.
Json access_for(const std::string& scopes, bool known) {
  Json out = Json::array();
  for (std::string_view scope : split(scopes, ' ')) {
    const std::size_t first = scope.find(':'), last = scope.rfind(':');
    if (first == std::string_view::npos || first == last) continue;
    const std::string name(scope.substr(first + 1, last - first - 1));
    Json actions = Json::array();
    for (std::string_view action : split(scope.substr(last + 1), ','))
      if (known || (action == "pull" && name.starts_with("public/")))
        actions.push_back(std::string(action));
    out.push_back(
        {{"type", std::string(scope.substr(0, first))}, {"name", name}, {"actions", actions}});
  }
  return out;
}

int serve(char** argv) {
  const Signer signer(argv[1], argv[2]);
  const std::string issuer = argv[3], service = argv[4];
  const std::string basic = "Basic " + base64(as_bytes(std::string_view(argv[5])));
  const HttpServer server([&](const Received& request) {
    Reply reply;
    const std::string given = request.header("authorization");
    const std::string scopes = oci::query_value(request.query, "scope");
    if (request.path != "/token" || oci::query_value(request.query, "service") != service ||
        (!given.empty() && given != basic)) {
      reply.status = 401;
      reply.body = R"({"details":"incorrect username or password"})";
      return reply;
    }
    const std::int64_t now = std::time(nullptr);
    const Json claims = {{"iss", issuer},        {"sub", given.empty() ? "" : "user"},
                         {"aud", service},       {"exp", now + 300},
                         {"nbf", now - 10},      {"iat", now},
                         {"jti", cat("t", now)}, {"access", access_for(scopes, !given.empty())}};
    reply.headers = {{"Content-Type", "application/json"}};
    reply.body = dump_json(Json{{"token", signer.jwt(claims)}, {"expires_in", 300}});
    std::printf("token %s for %s\n", given.empty() ? "anonymous" : "user", scopes.c_str());
    std::fflush(stdout);
    return reply;
  });
  std::printf("%s\n", server.authority().c_str());
  std::fflush(stdout);
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

}  // namespace
}  // namespace cloister

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: token_server KEY CERTIFICATE ISSUER SERVICE USER:PASSWORD\n", stderr);
    return 2;
  }
  return cloister::serve(argv);
}
