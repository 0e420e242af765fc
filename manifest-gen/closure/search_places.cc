#include "manifest-gen/closure/search_places.h"

#include <algorithm>

#include "base/text.h"
#include "manifest-gen/closure/ld_so_cache.h"
#include "manifest-gen/closure/ld_so_conf.h"

namespace cloister::manifest {
namespace {

constexpr std::uint64_t kMaxCacheBytes = 16U << 20;

Result<std::shared_ptr<const LdSoCache>> read_cache(const measure::Rootfs& rootfs) {
  const measure::Node* node = rootfs.find(kLdSoCache);
  if (node == nullptr || !node->is_regular() || node->entry->size > kMaxCacheBytes)
    return std::shared_ptr<const LdSoCache>();
  CL_TRY(Bytes bytes, rootfs.read(*node, kMaxCacheBytes));
  auto cache = LdSoCache::parse(std::move(bytes));
  if (!cache) return std::shared_ptr<const LdSoCache>();
  return std::make_shared<const LdSoCache>(std::move(*cache));
}

}  // namespace

Result<SearchPlaces> search_places(LoaderKind loader, const Launch& launch,
                                   const measure::Rootfs& rootfs, const Limits& limits) {
  SearchPlaces out;
  out.loader = loader;
  out.workdir = launch.workdir;
  for (const auto& [name, value] : launch.env)
    if (name == "LD_LIBRARY_PATH") out.environment = value;
  if (loader == LoaderKind::musl) {
    CL_TRY(out.defaults, musl_system_directories(rootfs, limits));
    out.system = out.defaults;
    return out;
  }
  GlibcLayout layout = glibc_layout(rootfs);
  out.defaults = std::move(layout.directories);
  out.lib = std::move(layout.lib);
  CL_TRY(out.configured, ld_so_conf_directories(rootfs, limits));
  CL_TRY(out.system, glibc_system_directories(rootfs, limits));
  CL_TRY(out.cache, read_cache(rootfs));
  return out;
}

std::vector<std::string> environment_directories(const SearchPlaces& places,
                                                 const measure::Rootfs& rootfs,
                                                 std::string_view origin) {
  std::vector<std::string> out;
  for (const RunPathPlace& place : environment_places(places.loader, places.environment,
                                                      {origin, places.lib}, places.workdir)) {
    const measure::Node* node = rootfs.find(place.directory);
    if (node == nullptr || !node->is_directory()) continue;
    std::string path = measure::normalize_path(place.directory);
    // Where a link stands before "..", Gramine would look elsewhere.
    if (rootfs.find(path) != node) path = node->path();
    if (std::find(out.begin(), out.end(), path) == out.end()) out.push_back(std::move(path));
  }
  return out;
}

}  // namespace cloister::manifest
