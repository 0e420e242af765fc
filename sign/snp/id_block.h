// The ID block of a SEV-SNP guest and its authentication (SEV Secure Nested Paging Firmware ABI
// Specification, 56860, SNP_LAUNCH_FINISH): what its owner wants to be launched, signed, as
// SIGSTRUCT is for SGX. The firmware starts no other guest with it, and reports whose key it was.
// All integers are little-endian.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/sha384.h"
#include "sign/quote/snp_report.h"
#include "sign/snp/id_key.h"

namespace cloister::sign {

inline constexpr std::size_t kSnpIdBlockSize = 96;
inline constexpr std::size_t kSnpIdAuthSize = 4096;
inline constexpr std::size_t kSnpKeySize = 1028;  // a public key as the firmware has it

struct SnpIdBlock {
  Digest384 launch_digest{};
  std::array<std::byte, 16> family_id{}, image_id{};
  std::uint32_t guest_svn = 0;
  SnpPolicy policy{0x30000};  // SMT allowed, and the bit that must be one
  bool operator==(const SnpIdBlock&) const = default;
};

// Whose the ID block is. The author may vouch for the ID key, so that it can be replaced.
struct SnpIdAuthor {
  P384Pair key{};        // x, y
  P384Pair signature{};  // over the ID key, as the firmware has it
  bool operator==(const SnpIdAuthor&) const = default;
};
struct SnpIdAuth {
  P384Pair id_key{};
  P384Pair signature{};                // over the ID block
  std::uint32_t author_algorithm = 1;  // 1: ECDSA P-384 with SHA-384; 0 only without an author
  std::optional<SnpIdAuthor> author;
  bool operator==(const SnpIdAuth&) const = default;
};

// ID_KEY_DIGEST and AUTHOR_KEY_DIGEST of a report: SHA-384 of a key as the firmware has it.
Digest384 snp_key_digest(const P384Pair& point);

// Without `author` the launch must not ask for one. What is signed is encode_snp_id_block().
Result<SnpIdAuth> sign_snp_id_block(const SnpIdBlock& block, const SnpIdKey& key,
                                    const SnpIdKey* author);
// The signature over `block`, and the author's where there is one: a `policy` error names the first
// that is wrong. (Whose keys they are, is for the caller to decide: snp_key_digest().)
Status check_snp_id_auth(const SnpIdAuth& auth, const SnpIdBlock& block);

Bytes encode_snp_id_block(const SnpIdBlock& block);  // kSnpIdBlockSize bytes
Bytes encode_snp_id_auth(const SnpIdAuth& auth);     // kSnpIdAuthSize bytes
// `corrupt` unless size, version, algorithms, curves and reserved bytes are as the firmware wants
// them; signatures are not checked.
Result<SnpIdBlock> parse_snp_id_block(ByteView bytes);
Result<SnpIdAuth> parse_snp_id_auth(ByteView bytes);

}  // namespace cloister::sign
