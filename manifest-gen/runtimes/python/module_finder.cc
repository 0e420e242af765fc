// importlib's FileFinder asks, in each directory of the path: is there a directory NAME with an
// __init__ module, then NAME with each suffix in turn (extension modules, sources, byte code), and
// remembers a directory without __init__ as a portion of a namespace package (PEP 420), to which
// all directories of the path contribute.
#include "manifest-gen/runtimes/python/module_finder.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::manifest::python {
namespace {

using measure::Node;

constexpr std::size_t kMaxParts = 64;

// The order of importlib's suffixes; none: no module's file for this interpreter.
enum class Suffix { extension, source, bytecode, none };

Suffix suffix_of(std::string_view after_name, std::string_view tag) {
  if (after_name == ".py") return Suffix::source;
  if (after_name == ".pyc") return Suffix::bytecode;
  if (!after_name.ends_with(".so")) return Suffix::none;
  if (after_name == ".so" || after_name == ".abi3.so") return Suffix::extension;
  // ".cpython-311-x86_64-linux-gnu.so"
  after_name.remove_prefix(1);
  if (after_name.starts_with(tag) && after_name.substr(tag.size()).starts_with("-"))
    return Suffix::extension;
  return Suffix::none;
}

}  // namespace

std::string_view parent_name(std::string_view module) {
  const std::size_t dot = module.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : module.substr(0, dot);
}

bool ModuleFinder::add_place(std::string path, bool standard, bool application) {
  const Node* node = rootfs_.find(path);
  if (node == nullptr || !node->is_directory()) return false;
  for (const Place& place : places_)
    if (place.node == node) return false;
  places_.push_back({std::move(path), node, standard, application});
  // Names that were not found may be there now.
  for (auto at = found_.begin(); at != found_.end();)
    at = at->second == nullptr ? found_.erase(at) : std::next(at);
  return true;
}

const Node* ModuleFinder::child(const Place& place, std::string_view name) const {
  const auto at = place.node->children.find(name);
  if (at == place.node->children.end()) return nullptr;
  const Node* node = at->second.get();
  return node->is_symlink() ? rootfs_.find(cat(place.path, "/", name)) : node;
}

bool ModuleFinder::module_file(const Place& place, std::string_view leaf, Module& out) {
  const std::string stem = cat(leaf, ".");
  Suffix best = Suffix::none;
  for (auto at = place.node->children.lower_bound(stem); at != place.node->children.end(); ++at) {
    if (!at->first.starts_with(stem)) break;
    const Suffix suffix = suffix_of(std::string_view(at->first).substr(leaf.size()), tag_);
    if (suffix >= best) continue;
    const Node* node = child(place, at->first);
    if (node == nullptr || !node->is_regular()) continue;
    best = suffix;
    out.path = cat(place.path, "/", at->first);
    out.file = node;
  }
  if (best == Suffix::bytecode) bytecode_only_ = out.path;
  out.standard = place.standard;
  out.application = place.application;
  return best != Suffix::none;
}

std::unique_ptr<Module> ModuleFinder::look(const std::vector<Place>& places,
                                           std::string_view leaf) {
  auto module = std::make_unique<Module>();
  std::vector<Place> portions;
  for (const Place& place : places) {
    const Node* node = child(place, leaf);
    Place inner{cat(place.path, "/", leaf), node, place.standard, place.application};
    const bool directory = node != nullptr && node->is_directory();
    if (directory && module_file(inner, "__init__", *module)) {
      // pkgutil.extend_path and pkg_resources join packages of one name: what further directories
      // hold is looked at after this one.
      module->places.push_back(std::move(inner));
      for (const Place& other : places) {
        const Node* more = child(other, leaf);
        if (more != nullptr && more->is_directory() && more != module->places.front().node)
          module->places.push_back(
              {cat(other.path, "/", leaf), more, other.standard, other.application});
      }
      return module;
    }
    if (module_file(place, leaf, *module)) return module;
    if (directory) portions.push_back(std::move(inner));
  }
  if (portions.empty()) return nullptr;
  module->standard = portions.front().standard;
  module->application = portions.front().application;
  module->places = std::move(portions);
  return module;
}

const Module* ModuleFinder::find(std::string_view name) {
  const std::vector<Place>* places = &places_;
  const Module* module = nullptr;
  std::size_t parts = 0;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    if (++parts > kMaxParts) return nullptr;
    const std::size_t begin = end == 0 ? 0 : end + 1;
    end = name.find('.', begin);
    const std::string_view leaf = name.substr(begin, end - begin);
    if (leaf.empty() || leaf.find('/') != std::string_view::npos) return nullptr;
    auto [at, added] = found_.try_emplace(std::string(name.substr(0, end)));
    if (added) {
      at->second = look(*places, leaf);
      if (at->second != nullptr) at->second->name = at->first;
    }
    module = at->second.get();
    if (module == nullptr) return nullptr;
    places = &module->places;
  }
  return module;
}

std::vector<std::string> ModuleFinder::modules_in(const Place& place) const {
  std::vector<std::string> out;
  for (const auto& [name, node] : place.node->children) {
    const std::size_t dot = name.find('.');
    std::string leaf;
    if (dot != std::string::npos) {
      const Suffix suffix = suffix_of(std::string_view(name).substr(dot), tag_);
      if (suffix == Suffix::source || suffix == Suffix::extension) leaf = name.substr(0, dot);
    } else if (node->is_directory() || node->is_symlink()) {
      leaf = name;
    }
    if (leaf.empty() || leaf == "__init__" || leaf == "__pycache__") continue;
    if (out.empty() || out.back() != leaf) out.push_back(std::move(leaf));
  }
  return out;
}

}  // namespace cloister::manifest::python
