// "a//b" has two components; "a/" has a second one, ".", because a trailing slash asks for a
// directory and makes the kernel follow a last link.
#include "measure/rootfs/path_walk.h"

namespace cloister::measure {

void PathWalk::push(std::string_view path) {
  if (path.ends_with('/')) pending_.emplace_back(".");
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    const std::string_view last = slash == std::string_view::npos ? path : path.substr(slash + 1);
    if (!last.empty()) pending_.push_back(last);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  }
}

std::string PathWalk::rest_of_path() const {
  std::string out = at_->path();
  for (auto part = pending_.rbegin(); part != pending_.rend(); ++part) {
    if (!out.ends_with('/')) out += '/';
    out += *part;
  }
  return out;
}

}  // namespace cloister::measure
