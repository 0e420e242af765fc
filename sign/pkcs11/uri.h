// PKCS#11 URIs (RFC 7512): which object of which token, and in the query how to get at it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace cloister::sign {

struct Pkcs11Uri {
  // "pkcs11:" and the path, as it was written: what names the object, and may be shown. The query
  // may hold a PIN and is never shown.
  std::string object;
  std::optional<Secret> pin;  // pin-value
  std::string pin_file;       // pin-source
  std::string module_path;    // module-path: the PKCS#11 library
  bool has_type = false;      // the path has a type attribute
};

bool is_pkcs11_uri(std::string_view text);  // by its scheme
// `usage` for what is malformed, or asks for what we do not do: a program as pin-source, a module
// by name. Unknown attributes of the path are the token library's to judge; of the query, vendors'
// own are passed over.
Result<Pkcs11Uri> parse_pkcs11_uri(std::string_view text);

}  // namespace cloister::sign
