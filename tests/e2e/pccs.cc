// An Intel platform of our own for shell tests: writes quotes of it and what proves them, prints
// its port, then answers as a PCCS until it is killed.
//
//   pccs DIR [MRENCLAVE [MRSIGNER [REPORT_DATA]]]     hex; others stand in for what is not given
//
//   DIR/sgx.quote, tdx.quote, tdx15.quote, debug.quote    versions 3, 4, 5 and 3
//   DIR/outdated.quote                                    firmware with an advisory, INTEL-SA-00828
//   DIR/root.pem                                          for --root
//   DIR/collateral/                                       for --collateral: both TEEs
//
// All of it is valid at 2025-07-01T00:00:00Z, and until 2025-07-19.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "tests/sign/quote/pccs_stand_in.h"

namespace cloister {
namespace {

namespace fs = std::filesystem;
using sign::IntelPki;

void put(const fs::path& file, ByteView bytes) {
  if (write_file_atomic(file, bytes).has_value()) return;
  std::fprintf(stderr, "pccs: cannot write %s\n", file.c_str());
  std::exit(1);
}

// The bytes of a field from an argument, when there is one.
void set(std::span<std::byte> field, int count, char** arguments, int which) {
  if (count <= which) return;
  const auto bytes = unhex(arguments[which]);
  if (!bytes || bytes->size() != field.size()) {
    std::fprintf(stderr, "pccs: '%s' is not %zu bytes in hex\n", arguments[which], field.size());
    std::exit(2);
  }
  std::copy(bytes->begin(), bytes->end(), field.begin());
}

int run(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: pccs DIR [MRENCLAVE [MRSIGNER [REPORT_DATA]]]\n");
    return 2;
  }
  const fs::path directory = arguments[1];
  fs::create_directories(directory / "collateral");
  const IntelPki pki;
  sign::SgxReport enclave = sign::test_enclave();
  set(enclave.mrenclave.bytes, count, arguments, 2);
  set(enclave.mrsigner.bytes, count, arguments, 3);
  set(enclave.report_data, count, arguments, 4);
  put(directory / "sgx.quote", pki.quote({3, enclave}));
  put(directory / "tdx.quote", pki.quote({4, sign::test_domain()}));
  put(directory / "tdx15.quote", pki.quote({5, sign::test_domain15()}));
  IntelPki outdated = pki;
  outdated.platform.components.back() = 1;
  put(directory / "outdated.quote", outdated.quote({3, enclave}));
  enclave.flags |= 2;
  put(directory / "debug.quote", pki.quote({3, enclave}));

  std::string chain;
  for (const Bytes& one : pki.tcb_chain()) chain += sign::pem_certificate(one);
  put(directory / "root.pem", as_bytes(sign::pem_certificate(pki.tcb_chain().back())));
  put(directory / "collateral/tcb-chain.pem", as_bytes(chain));
  put(directory / "collateral/root.crl", pki.root_crl());
  put(directory / "collateral/pck.crl", pki.pck_crl());
  for (const auto tee : {sign::TeeKind::sgx, sign::TeeKind::tdx}) {
    const std::string name(sign::tee_name(tee));
    put(directory / ("collateral/tcb-" + name), as_bytes(pki.tcb_info_reply(tee)));
    put(directory / ("collateral/identity-" + name), as_bytes(pki.identity_reply(tee)));
  }

  const HttpServer server(sign::pccs_stand_in(pki));
  const std::string authority = server.authority();
  std::printf("%s\n", authority.substr(authority.rfind(':') + 1).c_str());
  std::fflush(stdout);
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

}  // namespace
}  // namespace cloister

int main(int argc, char** argv) {
  return cloister::run(argc, argv);
}
