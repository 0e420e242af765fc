// What kind of manifest an answer holds.
#pragma once

#include <string>

#include "base/http/client.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::oci {

// The value of the Accept header of every manifest request: the four types we read.
std::string accepted_manifests();

// The media type from the document, else from Content-Type, else from the document's shape. A
// document that names one type and is served as another is `corrupt` (a reader could be made to
// take it for either); Docker's schema 1 is `unsupported`. `what` names it in errors.
Result<std::string> manifest_type(const http::Response& response, const std::string& body,
                                  std::string_view what, const Limits& limits);

}  // namespace cloister::oci
