// Node.js opens modules by their real paths (it resolves links itself) and package.json files by
// the paths at which it looked for them; both must be granted as they are.
#include "manifest-gen/runtimes/node/resolver.h"

#include <algorithm>
#include <array>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/runtimes/paths.h"

namespace cloister::manifest::node {
namespace {

using measure::Node;

constexpr std::string_view kModules = "node_modules", kManifest = "package.json";
constexpr std::size_t kMaxFiles = 65536;  // that one pattern may stand for

constexpr std::array<std::string_view, 6> kLoadable{".js",   ".cjs",  ".mjs",
                                                    ".json", ".node", ".wasm"};

bool is_loadable(std::string_view name) {
  return std::any_of(kLoadable.begin(), kLoadable.end(),
                     [&](std::string_view suffix) { return name.ends_with(suffix); });
}

// "@scope/name/sub" → "@scope/name" and "sub".
std::pair<std::string_view, std::string_view> split_name(std::string_view name) {
  std::size_t end = name.find('/');
  if (name.starts_with('@') && end != std::string_view::npos) end = name.find('/', end + 1);
  if (end == std::string_view::npos) return {name, {}};
  return {name.substr(0, end), name.substr(end + 1)};
}

// What an import URL adds to the path.
std::string_view without_query(std::string_view name) {
  return name.substr(0, name.find_first_of("?#", 1));
}

}  // namespace

bool is_builtin_module(std::string_view name) {
  static constexpr std::string_view kNames[] = {"assert",
                                                "assert/strict",
                                                "async_hooks",
                                                "buffer",
                                                "child_process",
                                                "cluster",
                                                "console",
                                                "constants",
                                                "crypto",
                                                "dgram",
                                                "diagnostics_channel",
                                                "dns",
                                                "dns/promises",
                                                "domain",
                                                "events",
                                                "fs",
                                                "fs/promises",
                                                "http",
                                                "http2",
                                                "https",
                                                "inspector",
                                                "inspector/promises",
                                                "module",
                                                "net",
                                                "os",
                                                "path",
                                                "path/posix",
                                                "path/win32",
                                                "perf_hooks",
                                                "process",
                                                "punycode",
                                                "querystring",
                                                "readline",
                                                "readline/promises",
                                                "repl",
                                                "stream",
                                                "stream/consumers",
                                                "stream/promises",
                                                "stream/web",
                                                "string_decoder",
                                                "sys",
                                                "timers",
                                                "timers/promises",
                                                "tls",
                                                "trace_events",
                                                "tty",
                                                "url",
                                                "util",
                                                "util/types",
                                                "v8",
                                                "vm",
                                                "wasi",
                                                "worker_threads",
                                                "zlib"};
  return name.starts_with("node:") ||
         std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

Resolver::Resolver(const measure::Rootfs& rootfs, const Limits& limits, Options options)
    : rootfs_(rootfs), limits_(limits), options_(std::move(options)) {}

Resolution Resolver::resolve(std::string_view name, const std::string& directory, Kind kind) {
  Resolution out;
  if (is_builtin_module(name)) {
    out.builtin = true;
    return out;
  }
  Want want;
  want.conditions = {"node", "node-addons", "module-sync",
                     kind == Kind::require ? "require" : "import"};
  want.conditions.insert(want.conditions.end(), options_.conditions.begin(),
                         options_.conditions.end());
  if (name.size() > 1 && name.ends_with('*')) {
    want.pattern = true;
    name.remove_suffix(1);
  }
  static constexpr std::string_view kFileUrl = "file://";
  if (name.starts_with(kFileUrl)) name.remove_prefix(kFileUrl.size());
  if (kind == Kind::import) name = without_query(name);
  if (name.empty() || name.size() > limits_.path_bytes) return out;
  if (name.starts_with('#')) {
    mapped(name, directory, want, out);
  } else if (name.starts_with('/') || name == "." || name == ".." || name.starts_with("./") ||
             name.starts_with("../")) {
    const bool folder = name.ends_with('/') || name == "." || name == ".." ||
                        name.ends_with("/.") || name.ends_with("/..");
    const std::string path = path_in(directory, name);
    if (want.pattern)
      as_pattern(folder ? cat(path, "/") : path, out);
    else
      (void)as_path(path, folder, out);
  } else {
    bare(name, directory, want, out);
  }
  return out;
}

bool Resolver::add_file(const std::string& path, Resolution& out) const {
  const Node* node = rootfs_.find(path);
  if (node == nullptr || !node->is_regular()) return false;
  std::string real = node->path();
  if (std::find(out.files.begin(), out.files.end(), real) == out.files.end())
    out.files.push_back(std::move(real));
  return true;
}

bool Resolver::as_file(const std::string& path, Resolution& out) const {
  if (add_file(path, out)) return true;
  for (const char* suffix : {".js", ".json", ".node", ".mjs", ".cjs"})
    if (add_file(cat(path, suffix), out)) return true;
  return false;
}

bool Resolver::as_directory(const std::string& path, Resolution& out) {
  if (!is_directory(rootfs_, path)) return false;
  note_manifest(path, out);
  if (const Package* found = package(path); found != nullptr && !found->json.main.empty()) {
    const std::string main = path_in(path, cat("./", found->json.main));
    if (as_file(main, out) || as_file(cat(main, "/index"), out)) return true;
  }
  return as_file(cat(path, "/index"), out);
}

bool Resolver::as_path(const std::string& path, bool directory_only, Resolution& out) {
  if (!directory_only && as_file(path, out)) return true;
  return as_directory(path, out);
}

// Everything below the last directory of `beginning` whose name begins so.
void Resolver::as_pattern(const std::string& beginning, Resolution& out) {
  const std::string directory(parent_directory(beginning));
  if (is_shared_directory(directory)) return;
  for (std::string& file : loadable_below(directory, base_name(beginning)))
    out.files.push_back(std::move(file));
}

std::vector<std::string> Resolver::loadable_below(const std::string& directory,
                                                  std::string_view beginning) const {
  std::vector<std::string> out;
  const Node* top = rootfs_.find(directory);
  if (top == nullptr || !top->is_directory()) return out;
  std::vector<const Node*> work;
  const auto take = [&](const Node& node) {
    if (node.is_directory() && node.name != kModules) work.push_back(&node);
    if (node.is_regular() && is_loadable(node.name)) out.push_back(node.path());
  };
  for (const auto& [name, child] : top->children)
    if (std::string_view(name).starts_with(beginning)) take(*child);
  while (!work.empty() && out.size() < kMaxFiles) {
    const Node* node = work.back();
    work.pop_back();
    for (const auto& [name, child] : node->children) take(*child);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void Resolver::note_manifest(const std::string& directory, Resolution& out) {
  std::string path = cat(directory == "/" ? "" : directory, "/", kManifest);
  if (is_file(rootfs_, path)) out.manifests.push_back(std::move(path));
}

// node_modules of this directory and of all above it, then the global ones.
std::vector<std::string> Resolver::module_directories(const std::string& directory) const {
  std::vector<std::string> out;
  std::string at = directory;
  for (;;) {
    if (base_name(at) != kModules) {
      std::string modules = cat(at == "/" ? "" : at, "/", kModules);
      if (is_directory(rootfs_, modules)) out.push_back(std::move(modules));
    }
    if (at == "/") break;
    at = parent_directory(at);
  }
  for (const std::string& global : options_.global_directories)
    if (is_directory(rootfs_, global)) out.push_back(global);
  return out;
}

bool Resolver::from_package(const std::string& directory, std::string_view subpath,
                            const Want& want, Resolution& out) {
  const Package* found = package(directory);
  if (found != nullptr && found->json.has_exports && !want.pattern) {
    const std::string key = subpath.empty() ? "." : cat("./", subpath);
    for (const std::string& target : found->json.exports(key, want.conditions)) {
      if (!target.starts_with("./")) continue;
      if (as_file(path_in(directory, target), out)) return true;
    }
  }
  const std::string path = subpath.empty() ? directory : path_in(directory, cat("./", subpath));
  if (want.pattern) {
    const std::size_t before = out.files.size();
    as_pattern(subpath.empty() || subpath.ends_with('/') ? cat(path, "/") : path, out);
    return out.files.size() > before;
  }
  return as_path(path, subpath.ends_with('/'), out);
}

void Resolver::bare(std::string_view name, const std::string& directory, const Want& want,
                    Resolution& out) {
  const auto [package_name, subpath] = split_name(name);
  // A package may name itself, when it says what it exports. The lookup itself reads its manifest.
  if (const Package* self = scope(directory)) {
    out.manifests.push_back(cat(self->directory == "/" ? "" : self->directory, "/", kManifest));
    if (self->json.has_exports && self->json.name == package_name &&
        from_package(self->directory, subpath, want, out))
      return;
  }
  for (const std::string& modules : module_directories(directory)) {
    const std::string at = path_in(modules, cat("./", package_name));
    const bool whole_name =
        name.size() > package_name.size() && (!name.starts_with('@') || !subpath.empty());
    if (want.pattern && !whole_name) {
      // "@img/sharp-*": packages whose names begin so.
      const Node* parent = rootfs_.find(parent_directory(at));
      if (parent == nullptr || !parent->is_directory()) continue;
      const std::string beginning(base_name(at));
      for (const auto& [child, node] : parent->children)
        if (std::string_view(child).starts_with(beginning))
          (void)from_package(cat(parent_directory(at), "/", child), "", {want.conditions, false},
                             out);
      if (!out.files.empty()) return;
      continue;
    }
    if (is_directory(rootfs_, at)) {
      note_manifest(at, out);
      if (from_package(at, subpath, want, out)) return;
    } else if (subpath.empty() && as_file(at, out)) {
      return;
    }
  }
}

void Resolver::mapped(std::string_view name, const std::string& directory, const Want& want,
                      Resolution& out) {
  const Package* self = scope(directory);
  if (self == nullptr) return;
  const std::string root = self->directory;
  out.manifests.push_back(cat(root == "/" ? "" : root, "/", kManifest));
  for (const std::string& target : self->json.imports(name, want.conditions)) {
    if (target.starts_with("./")) {
      if (as_file(path_in(root, target), out)) return;
    } else if (is_builtin_module(target)) {
      out.builtin = true;
      return;
    } else if (!target.starts_with('/') && !target.starts_with('#')) {
      bare(target, root, want, out);
      if (!out.files.empty()) return;
    }
  }
}

const Package* Resolver::package(const std::string& directory) {
  const auto known = packages_.find(directory);
  if (known != packages_.end()) return known->second ? &*known->second : nullptr;
  std::optional<Package>& slot = packages_[directory];
  const Node* node = rootfs_.find(cat(directory == "/" ? "" : directory, "/", kManifest));
  if (node == nullptr || !node->is_regular() || node->entry->size > limits_.packed_file_bytes)
    return nullptr;
  // One that cannot be read is as good as none; Node.js would stop with an error there.
  auto bytes = rootfs_.read(*node, limits_.packed_file_bytes);
  if (!bytes) return nullptr;
  auto json = PackageJson::parse(as_text(*bytes), limits_);
  if (!json) return nullptr;
  slot = Package{directory, std::move(*json)};
  return &*slot;
}

const Package* Resolver::scope(const std::string& directory) {
  std::string at = directory;
  for (;;) {
    if (base_name(at) == kModules) return nullptr;
    if (const Package* found = package(at)) return found;
    if (at == "/") return nullptr;
    at = parent_directory(at);
  }
}

bool Resolver::is_installed(std::string_view path) const {
  if (path.find("/node_modules/") != std::string_view::npos) return true;
  return std::any_of(options_.global_directories.begin(), options_.global_directories.end(),
                     [&](const std::string& global) { return is_within(path, global); });
}

std::string Resolver::package_root(const std::string& file) {
  // An installed package begins below the directory where packages are.
  static constexpr std::string_view kBelow = "/node_modules/";
  std::string top;
  if (const std::size_t at = file.rfind(kBelow); at != std::string::npos) {
    top = file.substr(0, at + kBelow.size() - 1);
  } else {
    for (const std::string& global : options_.global_directories)
      if (file.starts_with(cat(global, "/"))) top = global;
  }
  if (!top.empty()) {
    const std::string_view name = split_name(std::string_view(file).substr(top.size() + 1)).first;
    const std::string root = cat(top, "/", name);
    return is_directory(rootfs_, root) ? root : std::string();
  }
  // The nearest one with a name: others only tell apart kinds of modules.
  std::string nearest;
  for (std::string at(parent_directory(file));; at = parent_directory(at)) {
    if (const Package* found = package(at)) {
      if (!found->json.name.empty()) return at;
      if (nearest.empty()) nearest = at;
    }
    if (at == "/") return nearest;
  }
}

}  // namespace cloister::manifest::node
