// What verifying a quote costs: its bytes and those of its collateral read, everything verified.
// The platform is one of our own, with as much to verify as a real one has; with files, it is
// theirs.
//
//   bench_quote [QUOTE TIME COLLATERAL…]    prints milliseconds: the mean, and the slowest
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/file.h"
#include "sign/quote/encoding.h"
#include "sign/quote/verify_intel.h"
#include "tests/base/must.h"
#include "tests/sign/quote/intel_pki.h"

namespace cloister {
namespace {

struct Input {
  Bytes quote;
  std::vector<Bytes> collateral;
  sign::IntelRoots roots;
  Seconds at;
};

Input own_input() {
  const sign::IntelPki pki;
  Input out{pki.quote({3, sign::test_enclave()}), pki.tcb_chain(), pki.roots(), pki.now()};
  out.collateral.push_back(pki.root_crl());
  out.collateral.push_back(pki.pck_crl());
  out.collateral.push_back(to_bytes(pki.tcb_info_reply(sign::TeeKind::sgx)));
  out.collateral.push_back(to_bytes(pki.identity_reply(sign::TeeKind::sgx)));
  return out;
}

Input input_of(int count, char** arguments) {
  const Limits limits;
  Input out{
      must(read_file(arguments[1], limits.quote_bytes)), {}, {}, must(parse_rfc3339(arguments[2]))};
  for (int i = 3; i < count; ++i)
    out.collateral.push_back(must(read_file(arguments[i], limits.collateral_bytes)));
  return out;
}

// False when the quote is not from where it says it is: then nothing was measured.
bool verify(const Input& input) {
  const Limits limits;
  const auto quote =
      must(sign::parse_ecdsa_quote(must(sign::decode_evidence(input.quote, limits))));
  sign::IntelCollateral collateral;
  for (const Bytes& file : input.collateral) must(sign::add_collateral(collateral, file, limits));
  return sign::verify_intel_quote(quote, collateral, input.roots, {}, input.at, limits)
      .status.has_value();
}

int run(int count, char** arguments) {
  const Input input = count > 3 ? input_of(count, arguments) : own_input();
  constexpr int kRuns = 100;
  double all = 0, slowest = 0;
  for (int i = 0; i < kRuns; ++i) {
    const auto start = std::chrono::steady_clock::now();
    if (!verify(input)) {
      std::fprintf(stderr, "bench_quote: the quote does not verify\n");
      return 1;
    }
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - start;
    all += taken.count();
    slowest = std::max(slowest, taken.count());
  }
  std::printf("%.2f %.2f\n", all / kRuns, slowest);
  return 0;
}

}  // namespace
}  // namespace cloister

int main(int argc, char** argv) {
  return cloister::run(argc, argv);
}
