// The added layer says as little as possible: /gramine, and directories that the base lacks. An
// entry for a directory that the base has would replace its owner and mode, so there is none; and
// an entry below a symbolic link would, depending on who unpacks it, replace the link, follow it or
// fail, so links are resolved here.
#include "manifest-gen/assemble/layer_tree.h"

#include <algorithm>
#include <deque>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/assemble/notice.h"
#include "manifest-gen/assemble/paths.h"

namespace cloister::manifest {
namespace {

constexpr std::uint32_t kExecutable = 0755, kReadable = 0644, kSticky = 01777;

class Planner {
 public:
  Planner(const AssembleInput& input, const Limits& limits) : input_(input), limits_(limits) {}

  Result<LayerTree> run() {
    CL_CHECK(require_free_place());
    CL_CHECK(add_gramine());
    CL_CHECK(add_c_library());
    CL_CHECK(add_loader_libraries());
    if (input_.with_direct) CL_CHECK(add_direct());
    add_application();
    add_licenses();
    CL_CHECK(add_missing_directories());
    CL_CHECK(add_resolv_conf());
    return std::move(tree_);
  }

 private:
  Status require_free_place() const {
    const measure::Node* node = input_.rootfs.find(kGramineDir, /*follow_last=*/false);
    if (node == nullptr) return {};
    return Error::conflict(cat("the base image has ", quote(kGramineDir),
                               " already: that is where the runtime has to go"))
        .hint("build from the image as it was before it was made enclave-ready");
  }

  // Adds an entry and the directories above it, which are all new: they are below /gramine.
  void add(std::string_view path, LayerEntry entry) {
    std::string relative(path.substr(1));
    for (std::size_t slash = relative.find('/'); slash != std::string::npos;
         slash = relative.find('/', slash + 1))
      tree_.try_emplace(relative.substr(0, slash), LayerEntry{});
    tree_.insert_or_assign(std::move(relative), std::move(entry));
  }

  void add_bytes(std::string_view path, Bytes bytes, std::uint32_t mode) {
    LayerEntry entry;
    entry.type = LayerEntry::Type::file;
    entry.mode = mode;
    entry.content = std::move(bytes);
    add(path, std::move(entry));
  }

  Status add_runtime(std::string_view path, const std::optional<measure::RuntimeFile>& file,
                     std::uint32_t mode = kExecutable) {
    if (!file)
      return Error::unresolved(cat("the runtime has nothing for ", quote(path)))
          .hint("add a --runtime that has it; later ones supply what earlier ones lack");
    LayerEntry entry;
    entry.type = LayerEntry::Type::file;
    entry.mode = mode;
    entry.content = *file;
    add(path, std::move(entry));
    return {};
  }

  Status add_gramine() {
    const measure::Runtime& runtime = input_.runtime;
    CL_CHECK(add_runtime(kLibpalPath, runtime.libpal));
    CL_CHECK(add_runtime(kLibsysdbPath, runtime.libsysdb));
    if (!runtime.loader) return add_runtime(kLoaderPath, runtime.loader);
    CL_TRY(const Bytes loader, runtime.read(*runtime.loader, limits_.libpal_bytes));
    CL_TRY(Bytes relocated, relocate_loader(loader, limits_, library_search()));
    add_bytes(kLoaderPath, std::move(relocated), kExecutable);
    return {};
  }

  // DT_RUNPATH is enough unless a library has libraries of its own that the loader does not name,
  // or the image's own LD_LIBRARY_PATH would come first and leads to other ones.
  LibrarySearch library_search() const {
    const measure::elf::Facts* facts = input_.runtime.elf_facts(*input_.runtime.loader);
    for (const auto& [soname, file] : input_.runtime.loader_libraries) {
      const bool direct = soname == "ld.so" ||
                          (facts != nullptr && std::find(facts->needed.begin(), facts->needed.end(),
                                                         soname) != facts->needed.end());
      if (!direct) return LibrarySearch::rpath;
    }
    for (const std::string& variable : input_.base.config.config.env)
      if (variable.starts_with("LD_LIBRARY_PATH=")) return LibrarySearch::rpath;
    return LibrarySearch::runpath;
  }

  // Of Gramine's C library only what the closure needs.
  Status add_c_library() {
    for (const Member& member : input_.closure.members) {
      if (!member.from_runtime) continue;
      const measure::RuntimeFile* found = runtime_file_of(member, input_.runtime);
      if (found == nullptr || found->sha256 != member.sha256)
        return Error::internal(cat("the closure names ", quote(member.real_path),
                                   ", which the runtime does not have"));
      CL_CHECK(add_runtime(member.real_path, *found));
      for (const std::string& alias : member.paths)
        if (alias.starts_with(cat(kGramineDir, "/"))) CL_CHECK(add_runtime(alias, *found));
    }
    return {};
  }

  Status add_loader_libraries() {
    for (const auto& [soname, file] : input_.runtime.loader_libraries) {
      const std::string path =
          soname == "ld.so" ? std::string(kInterpreterPath) : cat(kLoaderLibraryDir, '/', soname);
      CL_CHECK(add_runtime(path, file));
    }
    return {};
  }

  Status add_direct() {
    CL_CHECK(add_runtime(kDirectLibpalPath, input_.runtime.direct_libpal));
    LayerEntry link;
    link.type = LayerEntry::Type::symlink;
    link.mode = 0777;
    link.link_target = base_name(kDirectLibpalPath);
    add(kDirectLoaderPath, std::move(link));
    return {};
  }

  void add_application() {
    const Bytes manifest = to_bytes(input_.manifest.text);
    add_bytes(kDirectManifestPath, manifest, kReadable);
    add_bytes(kSgxManifestPath, manifest, kReadable);
    add_bytes(kSigstructPath, input_.sigstruct, kReadable);
  }

  void add_licenses() {
    for (const measure::RuntimeFile& file : input_.runtime.licenses)
      (void)add_runtime(license_path(file), file, kReadable);
    add_bytes(cat(kLicensesDir, "/NOTICE"), to_bytes(notice_text(input_)), kReadable);
  }

  Status add_missing_directories() {
    for (const std::string& wanted : input_.launch.missing_directories) {
      CL_TRY(const auto paths, absent_directories(input_.rootfs, wanted, limits_));
      for (const std::string& path : paths) {
        LayerEntry& entry = tree_[path.substr(1)];
        if (&path != &paths.back()) continue;
        if (measure::normalize_path(wanted) == "/tmp") entry.mode = kSticky;
        if (wanted == input_.launch.workdir) {
          entry.uid = input_.launch.uid;
          entry.gid = input_.launch.gid;
        }
      }
    }
    return {};
  }

  // With that key Gramine does not start where there is no such file. Container runtimes mount
  // theirs; an empty one makes the image start without them too.
  Status add_resolv_conf() {
    const TomlValue* wanted = input_.manifest.manifest.table.at(kHostNamesKey);
    if (wanted == nullptr || wanted->boolean() == nullptr || !*wanted->boolean() ||
        input_.rootfs.find("/etc/resolv.conf", /*follow_last=*/false) != nullptr)
      return {};
    CL_TRY(const auto absent, absent_directories(input_.rootfs, "/etc", limits_));
    for (const std::string& path : absent) tree_[path.substr(1)];
    const std::string directory =
        absent.empty() ? input_.rootfs.real_path("/etc").value_or("/etc") : absent.back();
    LayerEntry file;
    file.type = LayerEntry::Type::file;
    file.mode = kReadable;
    file.content = Bytes();
    tree_[cat(directory.substr(1), "/resolv.conf")] = std::move(file);
    return {};
  }

  const AssembleInput& input_;
  const Limits& limits_;
  LayerTree tree_;
};

}  // namespace

std::uint64_t LayerEntry::size() const {
  if (type != Type::file) return 0;
  if (const auto* file = std::get_if<measure::RuntimeFile>(&content)) return file->size;
  return std::get<Bytes>(content).size();
}

Result<std::vector<std::string>> absent_directories(const measure::Rootfs& rootfs,
                                                    std::string_view path, const Limits& limits) {
  std::vector<std::string> absent;
  std::deque<std::string> rest;
  for (const std::string_view part : split(path, '/')) rest.emplace_back(part);
  std::string at;  // resolved so far, "" for the root
  std::size_t hops = 0;
  while (!rest.empty()) {
    const std::string part = std::move(rest.front());
    rest.pop_front();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      at.resize(at.empty() ? 0 : at.rfind('/'));
      continue;
    }
    const std::string next = cat(at, '/', part);
    const measure::Node* node = rootfs.find(next, /*follow_last=*/false);
    if (node != nullptr && node->is_symlink()) {
      if (++hops > limits.symlink_hops)
        return Error::conflict(cat("cannot make directory ", quote(path), ": ", quote(next),
                                   " is a loop of symbolic links"));
      const std::string& target = node->entry->link_target;
      if (target.starts_with('/')) at.clear();
      const std::vector<std::string_view> parts = split(target, '/');
      rest.insert(rest.begin(), parts.begin(), parts.end());
      continue;
    }
    if (node != nullptr && !node->is_directory())
      return Error::conflict(
                 cat("cannot make directory ", quote(path), ": ", quote(next), " is in the way"))
          .hint("choose another working directory with --workdir");
    at = next;
    if (node == nullptr && std::find(absent.begin(), absent.end(), at) == absent.end())
      absent.push_back(at);
  }
  return absent;
}

Result<LayerTree> plan_layer(const AssembleInput& input, const Limits& limits) {
  return Planner(input, limits).run();
}

}  // namespace cloister::manifest
