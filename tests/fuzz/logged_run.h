// What must hold of a run that was read from hostile bytes.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "manifest-gen/rehearse/run_json.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::fuzz {

inline void check_run(const manifest::ObservedRun& run) {
  for (const auto& [path, use] : run.paths)
    if (!path.starts_with('/') || measure::normalize_path(path) != path) std::abort();
  const auto again = manifest::parse_run_json(manifest::run_json(run), Limits{}, "a run");
  if (!again.has_value() || !(*again == run)) std::abort();
}

// False when a limit was reached.
template <class Reader>
bool feed_lines(Reader& reader, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!reader.line(text.substr(0, end)).has_value()) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

}  // namespace cloister::fuzz
