// An answer that is no success, as an Error: code, words of the registry, and what to do.
#pragma once

#include <string>
#include <string_view>

#include "base/http/client.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::oci {

// Who was asked, as messages name it.
struct Asked {
  std::string registry;    // "docker.io", as the user wrote it
  std::string repository;  // "library/redis"
  std::string origin;      // of the endpoint: an answer from elsewhere came by a redirect
  bool with_credentials = false;
};

// `what` was asked for: "image 'redis:7'", "the upload of blob sha256:…".
Error registry_error(const http::Response& response, std::string_view what, const Asked& asked,
                     const Limits& limits);

// "CODE: message; CODE: message" from the body of an error (distribution-spec, "Error Codes"; the
// forms of token servers too), or the start of a plain text; bounded and safe to print. Empty for a
// web page.
std::string words_of_registry(const http::Response& response, const Limits& limits);

// The hint for a 401 or 403.
std::string login_hint(const Asked& asked);

// The answer is a web page (a sign-in page, a proxy's message) and not what was asked for.
bool is_html(const http::Response& response, std::string_view body);
Error html_error(const http::Response& response, std::string_view what);

}  // namespace cloister::oci
