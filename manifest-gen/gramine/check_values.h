// Type and value of single manifest values, as the key table demands them.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/toml.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "manifest-gen/gramine/keys.h"

namespace cloister::manifest {

// `key` is what the user reads in the message. `invalid` with what is there and what to write.
Status check_value(std::string_view key, const KeyRule& rule, const TomlValue& value,
                   Strictness strictness);

// "sgx.max_threads must be an integer, not a string".
Error wrong_type(std::string_view key, std::string_view want, const TomlValue& value);

}  // namespace cloister::manifest
