#include "manifest-gen/runtimes/python/distributions.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace cloister::manifest::python {
namespace {

using measure::Node;

constexpr std::string_view kMetadata[] = {"METADATA",         "PKG-INFO",
                                          "entry_points.txt", "top_level.txt",
                                          "requires.txt",     "namespace_packages.txt",
                                          "direct_url.json",  "version.txt"};

}  // namespace

void Distributions::collect(const std::vector<Place>& places) {
  if (collected_) return;
  collected_ = true;
  for (const Place& place : places) {
    if (place.standard) continue;
    for (const auto& [name, node] : place.node->children)
      if (name.ends_with(".dist-info") || name.ends_with(".egg-info"))
        distributions_.push_back({cat(place.path, "/", name), node.get(), std::nullopt});
  }
}

std::vector<std::string> Distributions::metadata_files() const {
  std::vector<std::string> out;
  for (const Distribution& distribution : distributions_) {
    if (distribution.node->is_regular()) out.push_back(distribution.path);
    for (const std::string_view name : kMetadata) {
      const auto at = distribution.node->children.find(name);
      if (at != distribution.node->children.end() && at->second->is_regular())
        out.push_back(cat(distribution.path, "/", name));
    }
  }
  return out;
}

Result<std::optional<std::string>> Distributions::text(const Distribution& distribution,
                                                       std::string_view name) const {
  const auto at = distribution.node->children.find(name);
  if (at == distribution.node->children.end() || !at->second->is_regular() ||
      at->second->entry->size > limits_.packed_file_bytes)
    return std::optional<std::string>();
  auto bytes = rootfs_.read(*at->second, limits_.packed_file_bytes);
  if (!bytes)
    return std::move(bytes.error()).while_(cat("reading ", printable(at->second->path())));
  return std::optional<std::string>(std::string(as_text(*bytes)));
}

Result<std::vector<EntryPoint>> Distributions::entry_points() const {
  std::vector<EntryPoint> out;
  for (const Distribution& distribution : distributions_) {
    CL_TRY(const std::optional<std::string> content, text(distribution, "entry_points.txt"));
    if (!content) continue;
    std::vector<EntryPoint> more = parse_entry_points(*content);
    out.insert(out.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  }
  return out;
}

Result<std::vector<std::string>> Distributions::top_levels(const Distribution& distribution) const {
  std::set<std::string> out;
  CL_TRY(const std::optional<std::string> record, text(distribution, "RECORD"));
  if (record) {
    for (const std::string& path : parse_record(*record)) {
      const std::size_t slash = path.find('/');
      const std::string_view first = std::string_view(path).substr(0, slash);
      const bool module = slash == std::string::npos && first.find('.') != std::string_view::npos;
      if (module && (first.ends_with(".py") || first.ends_with(".so")))
        out.insert(std::string(first.substr(0, first.find('.'))));
      else if (slash != std::string::npos && first.find('.') == std::string_view::npos &&
               first != "__pycache__" && path.ends_with(".py"))
        out.insert(std::string(first));
    }
    return std::vector<std::string>(out.begin(), out.end());
  }
  CL_TRY(const std::optional<std::string> listed, text(distribution, "top_level.txt"));
  if (listed)
    for (const std::string_view line : split(*listed, '\n'))
      if (!trim(line).empty()) out.insert(std::string(trim(line)));
  return std::vector<std::string>(out.begin(), out.end());
}

Result<std::vector<std::string>> Distributions::siblings(std::string_view top_level) {
  for (Distribution& distribution : distributions_) {
    if (!distribution.top_levels) {
      CL_TRY(std::vector<std::string> read, top_levels(distribution));
      distribution.top_levels = std::move(read);
    }
    const std::vector<std::string>& names = *distribution.top_levels;
    if (std::find(names.begin(), names.end(), top_level) != names.end()) return names;
  }
  return std::vector<std::string>();
}

}  // namespace cloister::manifest::python
