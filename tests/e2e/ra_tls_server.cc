// A TLS server with an RA-TLS certificate, on a free port of loopback: sends back what it receives.
//
//   ra_tls_server MODE DIRECTORY [--tee sgx|snp] [--nonce HEX] [--forms standard|older|both]
//                 [--mrenclave HEX --mrsigner HEX --isvprodid N --isvsvn N | --measurement HEX]
//   ra_tls_server --serve CERTIFICATE.pem KEY.pem
//
// MODE is what is wrong: good, wrong-key-binding, stale-nonce, debug, other-image, plain-tls.
// Quotes are those of the tests' own Intel (SGX, the default) or AMD (SEV-SNP); DIRECTORY gets what
// a verifier needs to judge them at any time: root.pem, collateral/, and the last quote. The second
// form serves a certificate made elsewhere.
//
// Prints its port, then "got N bytes" for what each connection brought: so that a test sees that
// nothing was sent before the verification.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "tests/sign/quote/amd_pki.h"
#include "tests/sign/quote/intel_pki.h"
#include "tests/sign/quote/ra_tls_certificate.h"

namespace cloister::sign {
namespace {

[[noreturn]] void stop_server(const std::string& what) {
  std::fprintf(stderr, "ra_tls_server: %s\n", what.c_str());
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): nothing else runs that would mind
}

struct ServerOptions {
  std::string mode;
  fs::path directory;
  std::map<std::string, std::string> given;  // by option, without the dashes

  std::string text(const std::string& name, const std::string& otherwise) const {
    const auto at = given.find(name);
    return at == given.end() ? otherwise : at->second;
  }
  Bytes bytes(const std::string& name, std::size_t size) const {
    auto out = unhex(text(name, std::string(2 * size, '0')));
    if (!out || out->size() != size) stop_server(cat("--", name, " wants ", size, " bytes in hex"));
    return *out;
  }
  std::uint16_t number(const std::string& name) const {
    const auto out = parse_u64(text(name, "0"));
    if (!out || *out > 0xffff) stop_server(cat("--", name, " wants a number"));
    return static_cast<std::uint16_t>(*out);
  }
  bool is(std::string_view wanted) const { return mode == wanted; }
};

void write_or_stop(const fs::path& path, ByteView bytes) {
  if (!write_file_atomic(path, bytes).has_value()) stop_server(cat("cannot write ", path.string()));
}

// All of the tests' Intel, valid whenever it is asked.
IntelPki lasting_intel() {
  constexpr Seconds kFrom(std::chrono::seconds(1'577'836'800));  // 2020
  constexpr Seconds kTo(std::chrono::seconds(2'524'608'000));    // 2050
  IntelPki out;
  for (TestValidity* one :
       {&out.root, &out.ca, &out.pck, &out.tcb_signer, &out.root_list, &out.pck_list})
    *one = {kFrom, kTo};
  for (TcbInfo* one : {&out.sgx_info, &out.tdx_info}) one->next_update = kTo;
  for (QeIdentity* one : {&out.sgx_identity, &out.tdx_identity}) one->next_update = kTo;
  return out;
}

QuoteMaker sgx_quotes(const ServerOptions& o) {
  const IntelPki pki = lasting_intel();
  const std::vector<Bytes> signers = pki.tcb_chain();
  std::string chain;
  for (const Bytes& one : signers) chain += pem_certificate(one);
  write_or_stop(o.directory / "root.pem", as_bytes(pem_certificate(signers.back())));
  const fs::path collateral = o.directory / "collateral";
  write_or_stop(collateral / "tcb-chain.pem", as_bytes(chain));
  write_or_stop(collateral / "tcb-info.json", as_bytes(pki.tcb_info_reply(TeeKind::sgx)));
  write_or_stop(collateral / "qe-identity.json", as_bytes(pki.identity_reply(TeeKind::sgx)));
  write_or_stop(collateral / "root.crl", pki.root_crl());
  write_or_stop(collateral / "pck.crl", pki.pck_crl());

  TestQuote quote;
  SgxReport report = test_enclave();
  const auto digest = [&](const char* name) {
    Digest out;
    const Bytes bytes = o.bytes(name, out.bytes.size());
    std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
    return out;
  };
  report.mrenclave = digest("mrenclave");
  report.mrsigner = digest("mrsigner");
  report.isvprodid = o.number("isvprodid");
  report.isvsvn = o.number("isvsvn");
  if (o.is("other-image")) report.mrenclave.bytes.back() ^= std::byte{1};
  if (o.is("debug")) report.flags |= 2;
  return [=](const ReportData& data) mutable {
    report.report_data = data;
    quote.body = report;
    return pki.quote(quote);
  };
}

QuoteMaker snp_quotes(const ServerOptions& o) {
  const AmdPki pki;
  AmdLeaf leaf;
  leaf.tcb = {3, 1, 0, 0, 0, 0, 8, 115};
  const fs::path collateral = o.directory / "collateral";
  const std::string root = pem_certificate(pki.ark().der());
  write_or_stop(o.directory / "root.pem", as_bytes(root));
  write_or_stop(collateral / "chain.pem", as_bytes(pem_certificate(pki.ask().der()) + root));
  write_or_stop(collateral / "vcek.der", pki.leaf(leaf).der());
  write_or_stop(collateral / "crl.der", pki.revocation_list({}, {}));

  SnpReport report = plain_report(SnpProduct::milan, leaf);
  const Bytes measurement = o.bytes("measurement", report.measurement.size());
  std::copy(measurement.begin(), measurement.end(), report.measurement.begin());
  if (o.is("other-image")) report.measurement.back() ^= std::byte{1};
  if (o.is("debug")) report.policy.bits |= std::uint64_t{1} << 19;
  return [=](const ReportData& data) mutable {
    report.data = data;
    return encode_snp_report(report);
  };
}

RaTlsCertificate make_identity(const ServerOptions& o) {
  std::error_code failed;
  fs::create_directories(o.directory / "collateral", failed);
  RaTlsOptions out;
  out.quote = [&, make = o.text("tee", "sgx") == "snp" ? snp_quotes(o)
                                                       : sgx_quotes(o)](const ReportData& data) {
    Bytes quote = make(data);
    write_or_stop(o.directory / "quote", quote);
    return quote;
  };
  out.of_another_key = o.is("wrong-key-binding");
  if (const auto nonce = unhex(o.text("nonce", "")); nonce && !nonce->empty()) {
    out.nonce = *nonce;
    if (o.is("stale-nonce")) out.nonce->front() ^= std::byte{1};
  }
  const std::string forms = o.text("forms", "both");
  out.forms = o.is("plain-tls")     ? RaTlsForms::none
              : forms == "standard" ? RaTlsForms::standard
              : forms == "older"    ? RaTlsForms::older
                                    : RaTlsForms::both;
  return make_ra_tls_certificate(out);
}

using Tls = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

Tls tls_context(const std::string& certificate, const std::string& key) {
  Tls out(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> certificate_bio(
      BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())), BIO_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> key_bio(
      BIO_new_mem_buf(key.data(), static_cast<int>(key.size())), BIO_free);
  X509* x509 = PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr);
  EVP_PKEY* pkey = PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr);
  if (SSL_CTX_use_certificate(out.get(), x509) != 1 ||
      SSL_CTX_use_PrivateKey(out.get(), pkey) != 1 || SSL_CTX_check_private_key(out.get()) != 1)
    stop_server("not a certificate and its key");
  X509_free(x509);
  EVP_PKEY_free(pkey);
  return out;
}

void serve_connection(SSL_CTX* context, int socket) {
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context), SSL_free);
  SSL_set_fd(tls.get(), socket);
  unsigned long long got = 0;
  if (SSL_accept(tls.get()) == 1) {
    char buffer[16384];
    for (;;) {
      const int size = SSL_read(tls.get(), buffer, sizeof buffer);
      if (size <= 0 || SSL_write(tls.get(), buffer, size) != size) break;
      got += static_cast<unsigned>(size);
    }
    SSL_shutdown(tls.get());
  }
  ERR_clear_error();
  close(socket);
  std::printf("got %llu bytes\n", got);
  std::fflush(stdout);
}

[[noreturn]] void serve(const std::string& certificate, const std::string& key) {
  (void)std::signal(SIGPIPE, SIG_IGN);  // clients that have seen enough hang up
  const Tls context = tls_context(certificate, key);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);  // NOLINT: as sockets want it
  if (listener < 0 || bind(listener, generic, size) != 0 || listen(listener, 16) != 0 ||
      getsockname(listener, generic, &size) != 0)
    stop_server("cannot listen on loopback");
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  for (;;) {
    const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    std::thread([&context, socket] { serve_connection(context.get(), socket); }).detach();
  }
}

std::string read_or_stop(const char* path) {
  auto text = read_text_file(path, 1 << 20);
  if (!text.has_value()) stop_server(cat("cannot read ", path));
  return *text;
}

int run_server(const std::vector<std::string>& args) {
  constexpr std::string_view kModes[] = {"good",  "wrong-key-binding", "stale-nonce",
                                         "debug", "other-image",       "plain-tls"};
  if (args.size() == 3 && args[0] == "--serve")
    serve(read_or_stop(args[1].c_str()), read_or_stop(args[2].c_str()));
  if (args.size() < 2 || args.size() % 2 != 0 ||
      std::find(std::begin(kModes), std::end(kModes), args[0]) == std::end(kModes)) {
    std::fputs(
        "usage: ra_tls_server MODE DIRECTORY [--measurement HEX] [--nonce HEX] [--forms F]\n"
        "       ra_tls_server --serve CERTIFICATE KEY\n",
        stderr);
    return 2;
  }
  ServerOptions o{args[0], args[1], {}};
  for (std::size_t i = 2; i < args.size(); i += 2) o.given[args[i].substr(2)] = args[i + 1];
  const RaTlsCertificate identity = make_identity(o);
  serve(identity.certificate_pem, identity.key_pem);
}

}  // namespace
}  // namespace cloister::sign

int main(int argc, char** argv) {
  return cloister::sign::run_server(std::vector<std::string>(argv + 1, argv + argc));
}
