#include "cmd/measure/target.h"

namespace cloister::cmd {
namespace {

constexpr MeasureTarget kMeasureTargets[] = {
    {"sgx", "a final Gramine manifest (.manifest.sgx)", "256 bytes of a SIGSTRUCT",
     "RSA PKCS#1 v1.5 with SHA-256", add_measure_sgx},
    {"snp", "", "96 bytes of an ID block", "ECDSA with SHA-384, DER", add_measure_snp},
    {"nitro", "an enclave image file (.eif)", "PCR0 as COSE has it",
     "ECDSA with the hash of its curve, DER", add_measure_nitro},
};

}  // namespace

std::span<const MeasureTarget> measure_targets() {
  return kMeasureTargets;
}

}  // namespace cloister::cmd
