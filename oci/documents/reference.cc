// Image references: the grammar of github.com/distribution/reference, by hand, and Docker's
// defaults.
//
//   reference      = name [":" tag] ["@" digest]         name = [domain "/"] path
//   domain         = (dns-like name | "[" IPv6 "]") [":" port]
//   path           = component {"/" component}           component = [a-z0-9]+ {separator
//   [a-z0-9]+} separator      = "." | "_" | "__" | "-"+             tag = [A-Za-z0-9_]
//   [A-Za-z0-9_.-]{0,127}
//
// Traps: `test.com:5000` is the repository test.com with the tag 5000, because only a component
// before a slash can be a domain; 64 hex digits alone are an image id to Docker, so they are
// refused; a component with upper case is a host name to some tools and an error to others, and
// here it is an error with a hint, because nobody wants a connection to a host called "Redis".
//
// Layout paths are split at their first colon, as skopeo does: a directory whose path holds a
// colon cannot be named. A digest at the end ("oci:DIR@sha256:…") is recognised before that.
#include "oci/documents/reference.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::oci {
namespace {

constexpr std::size_t kMaxNameBytes = 255;  // registry and repository, as Docker counts them
constexpr std::size_t kMaxTagBytes = 128;
constexpr std::string_view kExample =
    "write NAME[:TAG][@sha256:…], for example redis:7 or ghcr.io/acme/api:1.4";

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c);
}
bool is_path_char(char c) {
  return is_lower(c) || is_digit(c);
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

template <class Predicate>
bool all(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

std::string shown(std::string_view text) {
  return text.size() <= 300 ? quote(text) : quote(cat(text.substr(0, 300), "…"));
}

Error bad(std::string_view text, std::string_view why) {
  return Error::usage(cat("not an image reference: ", shown(text)))
      .detail(std::string(why))
      .hint(std::string(kExample));
}

bool is_tag(std::string_view tag) {
  const auto word = [](char c) { return is_alnum(c) || c == '_'; };
  return !tag.empty() && tag.size() <= kMaxTagBytes && word(tag[0]) &&
         all(tag, [&](char c) { return word(c) || c == '.' || c == '-'; });
}

// [a-z0-9]+ (separator [a-z0-9]+)*
bool is_path_component(std::string_view s) {
  std::size_t i = 0;
  for (;;) {
    const std::size_t begin = i;
    while (i < s.size() && is_path_char(s[i])) ++i;
    if (i == begin) return false;
    if (i == s.size()) return true;
    if (s[i] == '.') {
      ++i;
    } else if (s[i] == '_') {
      i += s.substr(i).starts_with("__") ? 2 : 1;
    } else if (s[i] == '-') {
      while (i < s.size() && s[i] == '-') ++i;
    } else {
      return false;
    }
  }
}

bool is_path(std::string_view path) {
  const auto components = split(path, '/');
  return std::all_of(components.begin(), components.end(), is_path_component);
}

bool is_port(std::string_view port) {
  const auto number = parse_u64(port);
  return number && *number >= 1 && *number <= 65535;
}

bool is_host_label(std::string_view s) {
  return !s.empty() && is_alnum(s.front()) && is_alnum(s.back()) &&
         all(s, [](char c) { return is_alnum(c) || c == '-'; });
}

bool is_domain(std::string_view domain) {
  if (domain.starts_with('[')) {
    const std::size_t close = domain.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view address = domain.substr(1, close - 1), rest = domain.substr(close + 1);
    return !address.empty() && all(address, [](char c) { return is_hex(c) || c == ':'; }) &&
           (rest.empty() || (rest[0] == ':' && is_port(rest.substr(1))));
  }
  const std::size_t colon = domain.find(':');
  if (colon != std::string_view::npos && !is_port(domain.substr(colon + 1))) return false;
  const auto labels = split(domain.substr(0, colon), '.');
  return std::all_of(labels.begin(), labels.end(), is_host_label);
}

// Digest::parse answers `corrupt`; what a user typed is `usage`.
Result<Digest> parse_typed_digest(std::string_view text, std::string_view reference) {
  auto digest = Digest::parse(text);
  if (digest.has_value() || digest.error().code() == Code::unsupported) return digest;
  return bad(reference, cat(shown(text), " is not a digest: sha256: and 64 lower-case hex digits"));
}

// The part before the first slash is a registry only if it cannot be a path component.
bool names_registry(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:") != std::string_view::npos;
}

Status check_path(std::string_view path, std::string_view reference) {
  if (path.empty()) return bad(reference, "the repository name is empty");
  if (std::any_of(path.begin(), path.end(), is_upper))
    return Error::usage(cat("the repository name ", shown(path), " has upper-case letters"))
        .hint(cat("write it in lower case: ", printable(lower_ascii(path.substr(0, 255)))));
  if (!is_path(path))
    return bad(reference,
               cat("the repository name ", shown(path),
                   " may hold only a-z, 0-9 and, between them, '.', '_', '__', '-' and '/'"));
  return {};
}

// org.opencontainers.image.ref.name (annotations.md): components of [A-Za-z0-9]+ joined by
// separators, with slashes between components.
bool is_ref_name(std::string_view name) {
  constexpr std::string_view kSeparators = "-._:@+";
  bool want_alnum = true;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (is_alnum(name[i])) {
      want_alnum = false;
      continue;
    }
    if (want_alnum) return false;
    if (name.substr(i).starts_with("--"))
      ++i;
    else if (name[i] != '/' && kSeparators.find(name[i]) == std::string_view::npos)
      return false;
    want_alnum = true;
  }
  return !want_alnum;
}

// What stands after the path of a layout or archive.
Status parse_local_tag(ImageRef& ref, std::string_view tag, std::string_view whole) {
  if (ref.transport != Transport::docker_archive) {
    if (!is_ref_name(tag))
      return Error::usage(cat("not a tag: ", shown(tag), " (in ", shown(whole), ")"))
          .hint("the tag begins after the first colon; a path that holds a colon cannot be named");
    ref.tag = tag;
    return {};
  }
  if (tag.starts_with('@')) {
    if (!parse_u64(tag.substr(1)))
      return Error::usage(cat("not a position: ", shown(tag), " (in ", shown(whole), ")"))
          .hint("write :@0 for the first image of the archive, :@1 for the second");
    ref.tag = tag;
    return {};
  }
  CL_TRY(const RegistryRef name, parse_registry_ref(tag));
  ref.tag = name.str();
  return {};
}

Result<ImageRef> parse_local(Transport transport, std::string_view text, std::string_view whole) {
  ImageRef ref;
  ref.transport = transport;
  for (std::string_view algorithm : {"@sha256:", "@sha384:", "@sha512:"}) {
    const std::size_t at = text.rfind(algorithm);
    if (at == std::string_view::npos) continue;
    CL_TRY(ref.digest, parse_typed_digest(text.substr(at + 1), whole));
    text = text.substr(0, at);
    break;
  }
  const std::size_t colon = text.find(':');
  ref.path = text.substr(0, colon);
  if (ref.path.empty() || ref.path.find('\0') != std::string::npos)
    return Error::usage(cat("no path in ", shown(whole)))
        .hint("write oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:REF]");
  const std::string_view tag =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (!tag.empty()) CL_CHECK(parse_local_tag(ref, tag, whole));
  return ref;
}

// A name as the daemon knows it, short names left to it; or an image id.
Result<ImageRef> parse_daemon(std::string_view text) {
  ImageRef ref;
  ref.transport = Transport::docker_daemon;
  ref.path = text;
  if (Digest::parse(text).has_value()) return ref;
  CL_TRY(const RegistryRef name, parse_registry_ref(text));
  if (name.digest)
    return Error::usage(cat("a daemon gives out no image by a registry's digest: ", shown(text)))
        .hint("name it by its tag or by its image id: docker-daemon:sha256:…");
  if (!std::string_view(ref.path).substr(ref.path.rfind('/') + 1).ends_with(":" + name.tag))
    ref.path += ":" + name.tag;
  return ref;
}

struct LocalPrefix {
  std::string_view prefix;
  Transport transport;
};
constexpr LocalPrefix kLocalPrefixes[] = {{"oci:", Transport::layout},
                                          {"oci-archive:", Transport::archive},
                                          {"docker-archive:", Transport::docker_archive},
                                          {"docker-daemon:", Transport::docker_daemon}};

constexpr std::string_view kTransports[] = {
    "docker-image:", "containers-storage:", "dir:", "ostree:"};

Status refuse_unknown_transport(std::string_view text) {
  constexpr std::string_view kExisting =
      "use a registry reference (redis:7, docker://…), oci:DIR[:TAG], oci-archive:FILE[:TAG], "
      "docker-archive:FILE[:REF] or docker-daemon:REF";
  for (std::string_view name : kTransports)
    if (text.starts_with(name))
      return Error::usage(
                 cat("no transport ", quote(name.substr(0, name.size() - 1)), ": ", shown(text)))
          .hint(std::string(kExisting));
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return {};
  if (text.starts_with("http://") || text.starts_with("https://"))
    return Error::usage(cat("an image reference is not a URL: ", shown(text)))
        .hint(cat("leave out ", printable(text.substr(0, scheme + 3))));
  return Error::usage(cat("no transport ", shown(text.substr(0, scheme)), ": ", shown(text)))
      .hint(std::string(kExisting));
}

}  // namespace

std::string RegistryRef::str() const {
  std::string out = name();
  if (!tag.empty()) out += ":" + tag;
  if (digest) out += "@" + digest->str();
  return out;
}

std::string_view transport_prefix(Transport transport) {
  for (const LocalPrefix& local : kLocalPrefixes)
    if (local.transport == transport) return local.prefix;
  return "";
}

std::string ImageRef::str() const {
  if (transport == Transport::registry) return registry.str();
  std::string out = cat(transport_prefix(transport), path);
  if (!tag.empty()) out += ":" + tag;
  if (digest) out += "@" + digest->str();
  return out;
}

Result<RegistryRef> parse_registry_ref(std::string_view text) {
  if (text.empty()) return bad(text, "it is empty");
  CL_CHECK(refuse_unknown_transport(text));
  if (text.size() == 64 && all(text, [](char c) { return is_hex(c) && !is_upper(c); }))
    return Error::usage(cat(quote(text), " looks like an image id, which no registry knows"))
        .hint("name the image, or write NAME@sha256:… for a digest");

  RegistryRef ref;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    CL_TRY(ref.digest, parse_typed_digest(rest.substr(at + 1), text));
    rest = rest.substr(0, at);
  }
  ref.registry = "docker.io";
  if (const std::size_t slash = rest.find('/');
      slash != std::string_view::npos && names_registry(rest.substr(0, slash))) {
    const std::string_view domain = rest.substr(0, slash);
    if (!is_domain(domain)) return bad(text, cat(shown(domain), " is not a registry host"));
    ref.registry = domain == "index.docker.io" ? "docker.io" : domain;
    rest = rest.substr(slash + 1);
  }
  const std::size_t colon = rest.find(':');
  const std::string_view path = rest.substr(0, colon);
  CL_CHECK(check_path(path, text));
  if (colon != std::string_view::npos) {
    ref.tag = rest.substr(colon + 1);
    if (!is_tag(ref.tag))
      return bad(text, cat(shown(ref.tag),
                           " is not a tag: up to 128 of A-Z, a-z, 0-9, '_', '.', '-', not "
                           "beginning with '.' or '-'"));
  } else if (!ref.digest) {
    ref.tag = "latest";
  }
  const bool official = ref.registry == "docker.io" && path.find('/') == std::string_view::npos;
  ref.repository = cat(official ? "library/" : "", path);
  if (ref.name().size() > kMaxNameBytes)
    return bad(text, cat("the name has ", ref.name().size(), " bytes, at most ", kMaxNameBytes,
                         " are allowed"));
  return ref;
}

Result<ImageRef> parse_image_ref(std::string_view text) {
  constexpr std::string_view kDocker = "docker://";
  for (const auto& [prefix, transport] : kLocalPrefixes) {
    if (!text.starts_with(prefix)) continue;
    const std::string_view rest = text.substr(prefix.size());
    return transport == Transport::docker_daemon ? parse_daemon(rest)
                                                 : parse_local(transport, rest, text);
  }
  ImageRef ref;
  CL_TRY(ref.registry,
         parse_registry_ref(text.starts_with(kDocker) ? text.substr(kDocker.size()) : text));
  return ref;
}

}  // namespace cloister::oci
