// Absolute http and https URLs (RFC 3986): the strict subset that registries use.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cloister::http {

// Longer texts are refused: no registry or storage service comes near it.
inline constexpr std::size_t kMaxUrl = 16 << 10;

struct Url {
  std::string scheme, host, port, path, query;  // host lower case; IPv6 in brackets; path from '/'
  std::string origin() const;  // scheme://host:port with the default port made explicit
  std::string str() const;
  // host, or host:port when the port is not the scheme's default: what messages show.
  std::string authority() const;
};

// Absolute URL, http or https. A user name in it, a host that is neither a name of [a-z0-9._-] nor
// an address, control characters, blanks and an impossible port give nothing. The fragment is
// dropped. `port` is empty when it is the scheme's default.
std::optional<Url> parse_url(std::string_view text);
// RFC 3986 §5.2 reference resolution, for Location headers.
std::optional<Url> resolve_url(const Url& base, std::string_view reference);
// Percent-encodes everything but the unreserved characters of RFC 3986 §2.3.
std::string url_encode(std::string_view text);
// localhost, 127.0.0.0/8 or [::1]; no other way to write the same address.
bool is_loopback(std::string_view host);

}  // namespace cloister::http
