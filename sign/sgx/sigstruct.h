// SIGSTRUCT (Intel SDM vol. 3D, 38.13): 1808 bytes, all integers little-endian.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"
#include "measure/sgx/enclave.h"
#include "sign/key.h"

namespace cloister::sign {

inline constexpr std::size_t kSigstructSize = 1808;

// Byte strings are in memory (SIGSTRUCT) order.
struct Sigstruct {
  std::array<std::byte, 384> modulus{}, signature{}, q1{}, q2{};
  std::uint32_t exponent = 3;
  std::uint32_t vendor = 0;
  std::uint32_t type = 0;  // last dword of HEADER; bit 31: debug enclave signed
  std::chrono::year_month_day date{};
  std::uint32_t swdefined = 0;
  std::uint32_t misc_select = 0, misc_mask = 0;
  std::uint8_t cet_attributes = 0, cet_attributes_mask = 0;
  std::array<std::byte, 16> isv_family_id{}, isv_ext_prod_id{};
  std::uint64_t flags = 0, xfrm = 0, flags_mask = 0, xfrm_mask = 0;
  Digest mrenclave;
  std::uint16_t isvprodid = 0, isvsvn = 0;

  Digest mrsigner() const;  // SHA-256 of the modulus as it stands
  bool debug() const { return (flags & 2) != 0; }
  bool operator==(const Sigstruct&) const = default;
};

Sigstruct make_sigstruct(const measure::sgx::EnclaveParams& params, const Digest& mrenclave,
                         std::chrono::year_month_day date);
// The 256 bytes that are signed: [0,128) and [900,1028).
Bytes signing_data(const Sigstruct& sigstruct);
// Fills modulus, exponent, signature, q1, q2.
Status sign_sigstruct(Sigstruct& sigstruct, const SgxKey& key);
// Modulus and exponent as SGX wants them, RSA signature over signing_data, q1 and q2: a `policy`
// error names the first that is wrong. (Whose key it is, is for the caller to decide: mrsigner().)
Status check_sigstruct(const Sigstruct& sigstruct);

Bytes encode_sigstruct(const Sigstruct& sigstruct);  // kSigstructSize bytes
// `corrupt` unless size, HEADER, HEADER2 and reserved bytes are as EINIT wants them and the date is
// BCD; the signature is not checked.
Result<Sigstruct> parse_sigstruct(ByteView bytes);

}  // namespace cloister::sign
