#include "cmd/moving_name.h"

#include "base/text.h"

namespace cloister::cmd {

Result<std::optional<oci::ImageRef>> moving_name(const std::string& uri) {
  if (uri.empty()) return std::optional<oci::ImageRef>();
  auto parsed = oci::parse_registry_ref(uri);
  if (!parsed.has_value())
    return Error::corrupt(
               cat("the recorded name ", quote(uri), " is none: ", parsed.error().what()))
        .hint("build the image anew");
  // Without a tag, parsing supplies "latest", which nobody had named.
  if (parsed->digest || !uri.ends_with(cat(":", parsed->tag)))
    return std::optional<oci::ImageRef>();
  oci::ImageRef out;
  out.registry = std::move(*parsed);
  return std::optional(std::move(out));
}

}  // namespace cloister::cmd
