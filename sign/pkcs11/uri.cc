#include "sign/pkcs11/uri.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
constexpr std::size_t kMaxUri = 4096;  // bytes

constexpr const char* kUriHint =
    "write pkcs11:token=NAME;object=NAME, and in a query ?pin-source=file:PATH&module-path=PATH";

struct Attribute {
  std::string_view name, value;
};

// The error shows nothing of the text: it may hold a PIN.
Result<Attribute> attribute_of(std::string_view text) {
  const auto at = text.find('=');
  if (at == 0 || at == std::string_view::npos)
    return Error::usage("a pkcs11: URI consists of NAME=VALUE parts, and one is not")
        .hint(kUriHint);
  return Attribute{text.substr(0, at), text.substr(at + 1)};
}

Result<Bytes> percent_decoded(std::string_view text, std::string_view name) {
  Bytes out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(static_cast<std::byte>(text[i]));
      continue;
    }
    const auto byte = i + 2 < text.size() ? unhex(text.substr(i + 1, 2)) : std::nullopt;
    if (!byte || byte->front() == std::byte{0}) {
      wipe(out);
      return Error::usage(
                 cat("'%' in ", name, " of a pkcs11: URI is not followed by two hex digits"))
          .hint("write %25 for a '%'");
    }
    out.push_back(byte->front());
    i += 2;
  }
  return out;
}

Status take_query(const Attribute& attribute, Pkcs11Uri& out) {
  if (attribute.name.starts_with("x-")) return {};
  CL_TRY(Bytes bytes, percent_decoded(attribute.value, attribute.name));
  if (attribute.name == "pin-value") {
    out.pin = Secret(std::move(bytes));
    return {};
  }
  const std::string value(as_text(bytes));
  if (attribute.name == "module-path") {
    out.module_path = value;
    return {};
  }
  if (attribute.name == "pin-source") {
    if (value.empty() || value.front() == '|')
      return Error::usage("pin-source of a pkcs11: URI does not name a file")
          .detail("programs that print a PIN are not run")
          .hint("write pin-source=file:PATH, or set CLOISTER_PKCS11_PIN");
    out.pin_file = value.starts_with("file://") ? value.substr(7)
                   : value.starts_with("file:") ? value.substr(5)
                                                : value;
    return {};
  }
  return Error::usage(
             cat("the query of a pkcs11: URI has no use for ", quote(attribute.name.substr(0, 64))))
      .hint(kUriHint);
}

}  // namespace

bool is_pkcs11_uri(std::string_view text) {
  return text.starts_with(kScheme);
}

Result<Pkcs11Uri> parse_pkcs11_uri(std::string_view text) {
  if (!is_pkcs11_uri(text) || text.size() > kMaxUri)
    return Error::usage("not a pkcs11: URI, or one of absurd length").hint(kUriHint);
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; }))
    return Error::usage("a pkcs11: URI is made of printable ASCII without blanks")
        .hint("write %20 for a blank, and other bytes likewise");
  const auto mark = text.find('?');
  Pkcs11Uri out;
  out.object = text.substr(0, mark);
  std::set<std::string_view> seen;
  const auto once = [&](std::string_view name) -> Status {
    if (seen.insert(name).second) return {};
    return Error::usage(cat("a pkcs11: URI repeats ", quote(name.substr(0, 64)))).hint(kUriHint);
  };
  const std::string_view path = std::string_view(out.object).substr(kScheme.size());
  if (path.empty())
    return Error::usage("a pkcs11: URI that names nothing could mean any key").hint(kUriHint);
  for (const std::string_view part : split(path, ';')) {
    CL_TRY(const Attribute attribute, attribute_of(part));
    CL_CHECK(once(attribute.name));
    if (attribute.name.starts_with("pin-"))
      return Error::usage("a PIN belongs into the query of a pkcs11: URI, behind '?'")
          .hint(kUriHint);
    out.has_type = out.has_type || attribute.name == "type";
  }
  if (mark == std::string_view::npos) return out;
  for (const std::string_view part : split(text.substr(mark + 1), '&')) {
    CL_TRY(const Attribute attribute, attribute_of(part));
    CL_CHECK(once(attribute.name));
    CL_CHECK(take_query(attribute, out));
  }
  if (out.pin && !out.pin_file.empty())
    return Error::usage("a pkcs11: URI has either pin-value or pin-source")
        .hint("prefer pin-source: command lines are seen by others");
  return out;
}

}  // namespace cloister::sign
