// URLs come from registries (Location, realm) and are hostile. What we decide on (same origin?
// https? loopback?) must be what libcurl then connects to, so the grammar here is narrower than
// RFC 3986: a host has no character that two parsers could read differently, there is no user
// information, and libcurl is given our own canonical text, never the text that came in.
#include "base/http/url.h"

#include <vector>

#include "base/text.h"

namespace cloister::http {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Bytes that may stand in a path or query as they are. Bytes above 0x7f are left to the server.
bool is_url_byte(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u > 0x20 && u != 0x7f && c != '\\';
}

bool all_url_bytes(std::string_view text) {
  for (char c : text)
    if (!is_url_byte(c)) return false;
  return true;
}

bool valid_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  for (char c : host)
    if (!is_digit(c) && !is_alpha(c) && c != '.' && c != '-' && c != '_') return false;
  return host.front() != '.' && host.front() != '-';
}

bool valid_bracketed(std::string_view host) {
  if (host.size() < 4 || host.size() > 47 || host.front() != '[' || host.back() != ']')
    return false;
  for (char c : host.substr(1, host.size() - 2))
    if (!is_digit(c) && !(lower_ascii({&c, 1}) >= "a" && lower_ascii({&c, 1}) <= "f") && c != ':' &&
        c != '.')
      return false;
  return host.find(':') != std::string_view::npos;
}

std::string_view default_port(std::string_view scheme) {
  return scheme == "https" ? "443" : "80";
}

// host[:port] into `url`.
bool parse_authority(std::string_view text, Url& url) {
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return false;
  const std::size_t colon = text.find(':', bracket);
  const std::string_view host = text.substr(0, colon);
  if (!(host.starts_with('[') ? valid_bracketed(host) : valid_name(host))) return false;
  url.host = lower_ascii(host);
  url.port.clear();
  if (colon == std::string_view::npos) return true;
  const std::string_view digits = text.substr(colon + 1);
  if (digits.empty()) return true;  // RFC 3986 §3.2.3: "http://host:/" is the default port
  const auto port = parse_u64(digits);
  if (!port || *port == 0 || *port > 65535) return false;
  url.port = cat(*port);
  if (url.port == default_port(url.scheme)) url.port.clear();
  return true;
}

// path[?query][#fragment]; the path of an absolute URL starts at '/'.
bool parse_path_query(std::string_view text, Url& url) {
  text = text.substr(0, text.find('#'));
  if (!all_url_bytes(text)) return false;
  const std::size_t mark = text.find('?');
  url.path = std::string(text.substr(0, mark));
  if (url.path.empty()) url.path = "/";
  url.query = mark == std::string_view::npos ? std::string() : std::string(text.substr(mark + 1));
  return url.path.front() == '/';
}

// RFC 3986 §5.2.4, on an absolute path.
std::string remove_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  const auto segments = split(path.substr(1), '/');
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    if (segments[i] == ".." && !kept.empty()) kept.pop_back();
    if (segments[i] != "." && segments[i] != "..")
      kept.push_back(segments[i]);
    else if (last)
      kept.push_back("");  // "/a/." is "/a/"
  }
  return "/" + join(kept, "/");
}

// The length of a leading "scheme:", or 0.
std::size_t scheme_length(std::string_view text) {
  if (text.empty() || !is_alpha(text.front())) return 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == ':') return i + 1;
    if (!is_alpha(text[i]) && !is_digit(text[i]) && text[i] != '+' && text[i] != '-' &&
        text[i] != '.')
      return 0;
  }
  return 0;
}

}  // namespace

std::string Url::authority() const {
  return port.empty() ? host : cat(host, ":", port);
}

std::string Url::origin() const {
  return cat(scheme, "://", host, ":", port.empty() ? default_port(scheme) : port);
}

std::string Url::str() const {
  return cat(scheme, "://", authority(), path, query.empty() ? "" : "?", query);
}

std::optional<Url> parse_url(std::string_view text) {
  if (text.size() > kMaxUrl) return std::nullopt;
  const std::size_t mark = text.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  Url url;
  url.scheme = lower_ascii(text.substr(0, mark));
  if (url.scheme != "http" && url.scheme != "https") return std::nullopt;
  text.remove_prefix(mark + 3);
  const std::size_t end = text.find_first_of("/?#");
  if (!parse_authority(text.substr(0, end), url)) return std::nullopt;
  if (!parse_path_query(end == std::string_view::npos ? "" : text.substr(end), url))
    return std::nullopt;
  return url;
}

std::optional<Url> resolve_url(const Url& base, std::string_view reference) {
  if (reference.size() > kMaxUrl) return std::nullopt;
  if (scheme_length(reference) > 0) return parse_url(reference);
  if (reference.starts_with("//")) return parse_url(cat(base.scheme, ":", reference));
  Url url = base;
  const std::string_view target = reference.substr(0, reference.find('#'));
  if (target.empty()) return url;
  if (target.front() == '?') {
    if (!all_url_bytes(target)) return std::nullopt;
    url.query = std::string(target.substr(1));
    return url;
  }
  std::string merged(target);
  if (target.front() != '/')
    merged = base.path.substr(0, base.path.rfind('/') + 1) + merged;  // §5.2.3
  if (!parse_path_query(merged, url)) return std::nullopt;
  url.path = remove_dot_segments(url.path);
  if (url.str().size() > kMaxUrl) return std::nullopt;
  return url;
}

std::string url_encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      constexpr char kDigits[] = "0123456789ABCDEF";
      const auto u = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[u >> 4];
      out += kDigits[u & 15];
    }
  }
  return out;
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  const auto parts = split(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  for (std::string_view part : parts) {
    const auto value = parse_u64(part);
    if (!value || *value > 255 || part.size() > 3) return false;
  }
  return true;
}

}  // namespace cloister::http
