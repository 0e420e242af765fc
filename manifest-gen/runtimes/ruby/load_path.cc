#include "manifest-gen/runtimes/ruby/load_path.h"

#include <algorithm>
#include <utility>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/runtimes/paths.h"
#include "measure/source/source.h"

namespace cloister::manifest::ruby {
namespace {

using measure::Node;

struct DirectoryRow {
  std::string_view pattern;
  Origin origin;
};
// In the order of $LOAD_PATH.
constexpr DirectoryRow kDirectories[] = {
    // Debian.
    {"/usr/local/lib/site_ruby/*", Origin::site},
    {"/usr/local/lib/*-linux-gnu/site_ruby", Origin::site},
    {"/usr/local/lib/site_ruby", Origin::site},
    {"/usr/lib/ruby/vendor_ruby/?.?*", Origin::site},
    {"/usr/lib/*-linux-gnu/ruby/vendor_ruby/*", Origin::site},
    {"/usr/lib/ruby/vendor_ruby", Origin::site},
    {"/usr/lib/ruby/?.?*", Origin::core},
    {"/usr/lib/*-linux-gnu/ruby/?.?*", Origin::core},
    // Built from source, as in the official image.
    {"/usr/local/lib/ruby/site_ruby/?.?*", Origin::site},
    {"/usr/local/lib/ruby/site_ruby/?.?*/*-linux*", Origin::site},
    {"/usr/local/lib/ruby/site_ruby", Origin::site},
    {"/usr/local/lib/ruby/vendor_ruby/?.?*", Origin::site},
    {"/usr/local/lib/ruby/vendor_ruby/?.?*/*-linux*", Origin::site},
    {"/usr/local/lib/ruby/vendor_ruby", Origin::site},
    {"/usr/local/lib/ruby/?.?*", Origin::core},
    {"/usr/local/lib/ruby/?.?*/*-linux*", Origin::core},
    // Alpine and Fedora.
    {"/usr/lib/ruby/?.?*/*-linux*", Origin::core},
    {"/usr/share/rubygems", Origin::site},
    {"/usr/share/ruby/vendor_ruby", Origin::site},
    {"/usr/lib64/ruby/vendor_ruby", Origin::site},
    {"/usr/share/ruby", Origin::core},
    {"/usr/lib64/ruby", Origin::core},
};

constexpr std::string_view kHomes[] = {"/var/lib/gems/*",
                                       "/usr/local/lib/ruby/gems/*",
                                       "/usr/lib/ruby/gems/*",
                                       "/usr/lib/*-linux-gnu/ruby/gems/*",
                                       "/usr/share/rubygems-integration/*",
                                       "/usr/lib/*-linux-gnu/rubygems-integration/*",
                                       "/usr/local/bundle",
                                       "/usr/local/bundle/ruby/*",
                                       "/usr/share/gems",
                                       "/usr/local/share/gems",
                                       "/usr/lib64/gems/ruby"};

constexpr std::string_view kSuffixes[] = {".rb", ".so"};

// Programs put more into the load path, and namespaces ("google/…") are shared by many gems: no
// image has more of either.
constexpr std::size_t kMaxDirectories = 256, kMaxSharing = 1024;

std::string_view without_suffix(std::string_view name) {
  for (const std::string_view suffix : kSuffixes)
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  return name;
}

}  // namespace

std::string_view gem_name(std::string_view full_name) {
  for (std::size_t at = full_name.find('-'); at != std::string_view::npos;
       at = full_name.find('-', at + 1))
    if (at + 1 < full_name.size() && full_name[at + 1] >= '0' && full_name[at + 1] <= '9')
      return full_name.substr(0, at);
  return full_name;
}

void LoadPath::add(std::string directory, Origin origin) {
  if (directories_.size() >= kMaxDirectories || !is_directory(rootfs_, directory)) return;
  const auto same = [&](const LoadDirectory& known) { return known.path == directory; };
  if (std::none_of(directories_.begin(), directories_.end(), same))
    directories_.push_back({std::move(directory), origin});
}

void LoadPath::add_in_front(std::string directory) {
  if (directories_.size() >= kMaxDirectories || !is_directory(rootfs_, directory)) return;
  const auto same = [&](const LoadDirectory& known) { return known.path == directory; };
  if (std::none_of(directories_.begin(), directories_.end(), same))
    directories_.insert(directories_.begin(), {std::move(directory), Origin::application});
}

void LoadPath::add_defaults() {
  for (const DirectoryRow& row : kDirectories)
    for (std::string& directory : matching_directories(rootfs_, row.pattern))
      add(std::move(directory), row.origin);
}

void LoadPath::add_gem_home(std::string_view pattern) {
  for (const std::string& home : matching_directories(rootfs_, pattern)) {
    if (std::find(homes_.begin(), homes_.end(), home) != homes_.end()) continue;
    if (!is_directory(rootfs_, cat(home, "/specifications"))) continue;
    homes_.push_back(home);
    read_gems(home, "/specifications");
    read_gems(home, "/specifications/default");
  }
}

void LoadPath::add_default_gem_homes() {
  for (const std::string_view pattern : kHomes) add_gem_home(pattern);
}

void LoadPath::read_gems(const std::string& home, std::string_view specifications) {
  static constexpr std::string_view kSuffix = ".gemspec";
  const Node* directory = rootfs_.find(cat(home, specifications));
  if (directory == nullptr || !directory->is_directory()) return;
  for (const auto& [name, child] : directory->children) {
    if (!name.ends_with(kSuffix)) continue;
    const std::string full(name.substr(0, name.size() - kSuffix.size()));
    Gem gem;
    gem.name = gem_name(full);
    gem.directory = cat(home, "/gems/", full);
    if (!is_directory(rootfs_, gem.directory)) continue;  // part of the standard library
    const auto known = gems_.emplace(gem.directory, std::move(gem));
    if (!known.second) continue;
    Gem& placed = known.first->second;
    const Node* specification = rootfs_.find(cat(home, specifications, "/", name));
    const measure::source::Facts* facts =
        specification != nullptr ? rootfs_.source_facts(*specification) : nullptr;
    if (facts != nullptr)
      for (const std::string& entry : facts->names)
        if (entry.starts_with("lib:"))
          placed.load.push_back(path_in(placed.directory, cat("./", entry.substr(4))));
    if (placed.load.empty()) placed.load.push_back(cat(placed.directory, "/lib"));
    for (std::string& native : matching_directories(rootfs_, cat(home, "/extensions/*/*/", full)))
      placed.load.push_back(std::move(native));
    for (const std::string& load : placed.load) {
      const Node* top = rootfs_.find(load);
      if (top == nullptr || !top->is_directory()) continue;
      std::string_view last;
      for (const auto& [file, node] : top->children) {
        const std::string_view key = without_suffix(file);
        if (key != last && tops_.count(key) < kMaxSharing)
          tops_.emplace(std::string(key), std::pair(&placed, load));
        last = key;
      }
    }
  }
}

std::vector<LoadPath::Found> LoadPath::find(std::string_view feature) const {
  std::vector<Found> out;
  std::vector<std::string> names;
  if (without_suffix(feature).size() != feature.size()) {
    names.emplace_back(feature);
  } else {
    for (const std::string_view suffix : kSuffixes) names.push_back(cat(feature, suffix));
    names.emplace_back(feature);  // load "x"
  }
  const auto in_load_path = [&] {
    for (const std::string& name : names) {
      for (const LoadDirectory& directory : directories_) {
        std::string path = path_in(directory.path, cat("./", name));
        if (!is_file(rootfs_, path)) continue;
        out.push_back({std::move(path), directory.origin, nullptr});
        return;
      }
    }
  };
  in_load_path();
  const std::string top(without_suffix(feature.substr(0, feature.find('/'))));
  const auto [begin, end] = tops_.equal_range(top);
  for (auto at = begin; at != end; ++at) {
    for (const std::string& name : names) {
      std::string path = path_in(at->second.second, cat("./", name));
      if (!is_file(rootfs_, path)) continue;
      out.push_back({std::move(path), Origin::gem, at->second.first});
      break;
    }
  }
  return out;
}

std::vector<LoadPath::Found> LoadPath::directories(std::string_view name) const {
  std::vector<Found> out;
  for (const LoadDirectory& directory : directories_) {
    std::string path = path_in(directory.path, cat("./", name));
    if (is_directory(rootfs_, path)) out.push_back({std::move(path), directory.origin, nullptr});
  }
  const auto [begin, end] = tops_.equal_range(name.substr(0, name.find('/')));
  for (auto at = begin; at != end; ++at) {
    std::string path = path_in(at->second.second, cat("./", name));
    if (is_directory(rootfs_, path))
      out.push_back({std::move(path), Origin::gem, at->second.first});
  }
  return out;
}

std::vector<const Gem*> LoadPath::gems(std::string_view name) const {
  std::vector<const Gem*> out;
  for (const auto& [directory, gem] : gems_)
    if (gem.name == name) out.push_back(&gem);
  return out;
}

const Gem* LoadPath::gem_of(std::string_view path) const {
  for (std::string_view at = parent_directory(path); at != "/"; at = parent_directory(at))
    if (const auto found = gems_.find(at); found != gems_.end()) return &found->second;
  return nullptr;
}

const LoadDirectory* LoadPath::directory_of(std::string_view path) const {
  const LoadDirectory* best = nullptr;
  for (const LoadDirectory& directory : directories_)
    if (is_within(path, directory.path) &&
        (best == nullptr || directory.path.size() > best->path.size()))
      best = &directory;
  return best;
}

}  // namespace cloister::manifest::ruby
