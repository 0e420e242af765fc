// Lexical, in one pass over the bytes: links are resolved when layers are merged, inside the root.
#include "measure/index/member_path.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::measure {
namespace {

constexpr std::string_view kWhiteoutPrefix = ".wh.";

Status check_component(std::string_view part, std::string_view name, const Limits& limits) {
  // A whiteout of a name of full length is longer than any file system allows; it never lies on
  // one.
  const std::size_t extra = part.starts_with(kWhiteoutPrefix) ? kWhiteoutPrefix.size() : 0;
  if (part.size() <= limits.name_bytes + extra) return {};
  return Error::limit(cat("a component of ", quote(name.substr(0, 100)), "… is longer than ",
                          limits.name_bytes, " bytes"));
}

}  // namespace

Result<std::string> normalize_member(std::string_view name, const Limits& limits) {
  if (name.size() > limits.path_bytes)
    return Error::limit(cat("the name ", quote(name.substr(0, 100)), "… is longer than ",
                            limits.path_bytes, " bytes"));
  std::string out;
  out.reserve(name.size());
  std::size_t depth = 0;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (depth == 0)
        return Error::corrupt(cat("the name ", quote(name), " leads outside the root"))
            .hint("no image tool writes such a layer; do not trust where it came from");
      --depth;
      const std::size_t slash = out.rfind('/');
      out.resize(slash == std::string::npos ? 0 : slash);
      continue;
    }
    CL_CHECK(check_component(part, name, limits));
    if (++depth > limits.path_depth)
      return Error::limit(cat("the name ", quote(name.substr(0, 100)), "… is deeper than ",
                              limits.path_depth, " directories"));
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

}  // namespace cloister::measure
