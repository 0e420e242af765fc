// ECDSA as attestation has it: keys and signatures as two numbers of a fixed size each, big-endian,
// one after the other, where OpenSSL wants DER. For the .cc files of this folder.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "sign/openssl.h"

namespace cloister::sign {

// r and s as DER has them; empty when memory runs out.
Bytes ecdsa_der(ByteView pair);
// And back, each of `number` bytes. Nothing unless `der` is one signature whose numbers fit.
std::optional<Bytes> ecdsa_pair(ByteView der, std::size_t number);

// The public key of a point, x and y, on a curve by OpenSSL's name; null when it is not on it.
PkeyPtr ec_public_key(const char* curve, ByteView point);

// Whether `pair` is a signature by `key` over `message`. False for other kinds of keys, and for
// numbers that are not as long as those of its curve. REQUIRES: key is not null.
bool verify_ecdsa_pair(evp_pkey_st* key, ByteView message, ByteView pair, const char* digest);

}  // namespace cloister::sign
