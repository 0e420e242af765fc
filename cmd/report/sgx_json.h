// The "sgx" object of our JSON outputs: hex in lower case, byte strings in SIGSTRUCT order.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/json.h"
#include "measure/sgx/enclave.h"

namespace cloister::cmd {

// An integer field as the hex of its little-endian bytes.
std::string hex_le(std::uint64_t value, unsigned bytes);
OrderedJson attributes_json(std::uint64_t flags, std::uint64_t flags_mask, std::uint64_t xfrm,
                            std::uint64_t xfrm_mask);

}  // namespace cloister::cmd
