// glibc's rtld.c and dl-load.c, musl's dynlink.c, under Gramine: the interpreter is looked up by
// its base name in LD_LIBRARY_PATH, and the directory of the runtime's libc stands first there, so
// that every name the runtime has comes from it. An RPATH, which precedes LD_LIBRARY_PATH, cannot
// bring the image's libc back: it is not granted, and a file that cannot be opened (EACCES) is
// passed over.
#include "manifest-gen/closure/process.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "manifest-gen/closure/versions.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kGlibcInterpreter = "ld-linux-x86-64.so.2";

std::string directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : std::string(path.substr(0, slash));
}

bool uses_origin(const measure::elf::Facts& facts) {
  const auto has = [](const std::optional<std::string>& text) {
    return text && text->find("ORIGIN") != std::string::npos;
  };
  return has(facts.rpath) || has(facts.runpath);
}

// LD_PRELOAD and /etc/ld.so.preload: separated by blanks or colons.
std::vector<std::string> preload_names(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return c == ':' || c == '\t' || c == '\n' || c == '\r'; }, ' ');
  std::vector<std::string> out;
  for (const std::string_view name : split(text, ' '))
    if (!name.empty()) out.emplace_back(name);
  return out;
}

}  // namespace

std::size_t Process::add_object(Object object, const std::string& name) {
  const std::size_t index = objects_.size();
  if (!name.empty()) by_name_.try_emplace(name, index);
  if (object.facts != nullptr && object.facts->soname)
    by_name_.try_emplace(*object.facts->soname, index);
  objects_.push_back(std::move(object));
  return index;
}

std::vector<Requester> Process::chain(std::size_t object) const {
  std::vector<Requester> out;
  for (std::size_t at = object; at != kNone; at = objects_[at].loader)
    if (objects_[at].facts != nullptr) out.push_back({objects_[at].facts, objects_[at].origin});
  // The main program's RPATH counts for everything, also for what something else loaded.
  if (!objects_.empty() && objects_.front().facts != nullptr &&
      (out.empty() || out.back().facts != objects_.front().facts))
    out.push_back({objects_.front().facts, objects_.front().origin});
  return out;
}

void Process::unresolved(std::size_t object, std::string name, std::vector<std::string> searched,
                         bool optional) {
  auto& list = optional ? scene_.closure.unresolved_optional : scene_.closure.unresolved;
  const std::size_t member = objects_[object].member;
  for (const Unresolved& known : list)
    if (known.from == member && known.name == name) return;
  list.push_back({member, std::move(name), objects_[object].path, std::move(searched)});
}

void Process::load_program(std::size_t member, std::string_view path,
                           const measure::elf::Facts& facts) {
  const std::string& real = scene_.members[member].real_path;
  const bool differs = real != path && directory_of(real) != directory_of(path);
  const std::size_t main =
      add_object({member, &facts, std::string(path), directory_of(real), kNone, differs}, "");
  add_interpreter(main);
  preload();
  load_needed();
}

void Process::load_library(std::size_t member, std::string_view path,
                           const measure::elf::Facts& facts, const Process* host) {
  if (host != nullptr) {
    objects_ = host->objects_;
    by_name_ = host->by_name_;
    first_own_ = objects_.size();
  }
  const std::size_t loader = objects_.empty() ? kNone : 0;
  add_object({member, &facts, std::string(path), directory_of(path), loader, false},
             std::string(base_name(path)));
  load_needed();
}

bool Process::load_by_name(const std::string& name, std::string_view detail) {
  if (objects_.empty() || by_name_.contains(name)) return !objects_.empty();
  if (from_runtime(0, name, Why::needed, detail) || find(0, name, Why::needed, detail, nullptr)) {
    first_own_ = objects_.size() - 1;
    load_needed();
    return true;
  }
  return false;
}

bool Process::open(std::size_t object, const std::string& name, Why why, std::string_view detail,
                   std::vector<std::string>* searched) {
  if (const auto known = by_name_.find(name); known != by_name_.end()) {
    if (known->second != object)
      scene_.members.edge(objects_[object].member, objects_[known->second].member, why, detail);
    return true;
  }
  if (kind_ == LoaderKind::musl && is_musl_builtin(name)) return true;
  const std::size_t before = objects_.size();
  if (!from_runtime(object, name, why, detail) && !find(object, name, why, detail, searched))
    return false;
  // dlopen fails where a start would: the program goes on without.
  const std::size_t own = std::exchange(first_own_, before);
  const bool optional = std::exchange(optional_, true);
  load_needed();
  first_own_ = own;
  optional_ = optional;
  return true;
}

bool Process::would_load(std::size_t object, const std::string& name) const {
  if (by_name_.contains(name)) return false;
  if (kind_ == LoaderKind::glibc && scene_.runtime.glibc.contains(name)) return true;
  return find_library(scene_.rootfs, places(), name, chain(object)).found.has_value();
}

Process::Loaded Process::loaded(std::size_t object) const {
  const Object& at = objects_[object];
  return {at.facts, at.path, scene_.members[at.member].from_runtime};
}

void Process::add_interpreter(std::size_t main) {
  if (kind_ == LoaderKind::glibc) {
    add_glibc_interpreter(main);
    return;
  }
  const std::string& spelled = objects_[main].facts->interpreter;
  const std::string name(base_name(spelled));
  if (const auto file = scene_.runtime.musl.find(name); file != scene_.runtime.musl.end()) {
    const std::size_t member =
        scene_.members.runtime_file(kRuntimeMuslDir, name, file->second, true);
    scene_.members.edge(objects_[main].member, member, Why::interpreter, spelled);
    scene_.runtime_musl_used = true;
    return;
  }
  const measure::Node* node = scene_.rootfs.find(spelled);
  if (const std::string_view why_not = why_not_a_library(scene_.rootfs, node); !why_not.empty()) {
    unresolved(main, spelled,
               {cat("the runtime's ", kRuntimeMuslDir, ": no ", printable(name)),
                cat(printable(spelled), ": ", why_not)},
               optional_);
    return;
  }
  const std::string path = measure::normalize_path(spelled);
  const std::size_t member = scene_.members.file(path);
  scene_.members.edge(objects_[main].member, member, Why::interpreter, spelled);
  scene_.choices.push_back({name, directory_of(path), node->entry->sha256, /*must_list=*/true,
                            optional_, objects_[main].path});
}

void Process::add_glibc_interpreter(std::size_t main) {
  scene_.glibc_used = true;
  const std::string name(kGlibcInterpreter);
  const auto file = scene_.runtime.glibc.find(name);
  if (file == scene_.runtime.glibc.end()) {
    unresolved(main, name, {cat("the runtime's ", kRuntimeGlibcDir, ": not there")}, optional_);
    return;
  }
  const std::size_t member =
      scene_.members.runtime_file(kRuntimeGlibcDir, name, file->second, true);
  scene_.members.edge(objects_[main].member, member, Why::interpreter,
                      objects_[main].facts->interpreter);
  add_object({member, scene_.runtime.elf_facts(file->second), scene_.members[member].real_path,
              std::string(kRuntimeGlibcDir), main, false},
             name);
}

// A library that cannot be preloaded is ignored by glibc with a message: never fatal.
void Process::preload() {
  std::vector<std::string> names;
  std::string detail = "LD_PRELOAD";
  for (const auto& [key, value] : scene_.launch.env)
    if (key == "LD_PRELOAD") names = preload_names(value);
  const measure::Node* file =
      kind_ == LoaderKind::glibc ? scene_.rootfs.find("/etc/ld.so.preload") : nullptr;
  if (file != nullptr && file->is_regular() &&
      file->entry->size <= scene_.limits.packed_file_bytes) {
    if (auto bytes = scene_.rootfs.read(*file, scene_.limits.packed_file_bytes)) {
      const std::size_t member = scene_.members.file("/etc/ld.so.preload");
      scene_.members.edge(objects_.front().member, member, Why::config, "libraries to preload");
      for (std::string& name : preload_names(std::string(as_text(*bytes))))
        names.push_back(std::move(name));
      detail = "LD_PRELOAD or /etc/ld.so.preload";
    }
  }
  for (const std::string& name : names) {
    std::vector<std::string> searched;
    if (by_name_.contains(name) || from_runtime(0, name, Why::preload, detail)) continue;
    if (!find(0, name, Why::preload, detail, &searched))
      unresolved(0, name, std::move(searched), /*optional=*/true);
  }
}

void Process::load_needed() {
  for (std::size_t at = first_own_; at < objects_.size(); ++at) {
    const measure::elf::Facts* facts = objects_[at].facts;
    if (facts == nullptr) continue;
    for (const std::string& name : facts->needed) need(at, name);
  }
  check_versions();
}

void Process::need(std::size_t object, const std::string& name) {
  const std::string detail = cat("NEEDED ", name);
  if (const auto known = by_name_.find(name); known != by_name_.end()) {
    scene_.members.edge(objects_[object].member, objects_[known->second].member, Why::needed,
                        detail);
    return;
  }
  if (kind_ == LoaderKind::musl && is_musl_builtin(name)) return;  // the interpreter itself
  if (from_runtime(object, name, Why::needed, detail)) return;
  std::vector<std::string> searched;
  if (!find(object, name, Why::needed, detail, &searched))
    unresolved(object, name, std::move(searched), optional_);
}

bool Process::from_runtime(std::size_t object, const std::string& name, Why why,
                           std::string_view detail) {
  if (kind_ != LoaderKind::glibc) return false;
  const auto file = scene_.runtime.glibc.find(name);
  if (file == scene_.runtime.glibc.end()) return false;
  const std::size_t member =
      scene_.members.runtime_file(kRuntimeGlibcDir, name, file->second, true);
  scene_.members.edge(objects_[object].member, member, why, detail);
  add_object({member, scene_.runtime.elf_facts(file->second), scene_.members[member].real_path,
              std::string(kRuntimeGlibcDir), object, false},
             name);
  return true;
}

bool Process::find(std::size_t object, const std::string& name, Why why, std::string_view detail,
                   std::vector<std::string>* searched) {
  LibrarySearch search = find_library(scene_.rootfs, places(), name, chain(object));
  if (!search.found) {
    if (searched != nullptr) {
      *searched = std::move(search.searched);
      if (kind_ == LoaderKind::glibc)
        searched->insert(searched->begin(), cat("the runtime's ", kRuntimeGlibcDir, ": not there"));
    }
    return false;
  }
  const FoundLibrary& found = *search.found;
  const std::size_t member = scene_.members.file(found.path);
  scene_.members.edge(objects_[object].member, member, why, detail);
  const bool by_path = name.find('/') != std::string::npos;
  // A main program behind a link has another $ORIGIN under Gramine: list what it leads to.
  const Object& main = objects_.front();
  const bool lost_origin = main.origin_differs && main.facts != nullptr && uses_origin(*main.facts);
  if (!by_path && (!found.precedes_library_path || lost_origin))
    scene_.choices.push_back({name, directory_of(found.path), found.node->entry->sha256,
                              found.needs_directory || lost_origin, optional_,
                              objects_[object].path});
  add_object({member, scene_.rootfs.elf_facts(*found.node), found.path, directory_of(found.path),
              object, false},
             name);
  return true;
}

void Process::check_versions() {
  for (std::size_t at = first_own_; at < objects_.size(); ++at) {
    if (objects_[at].facts == nullptr) continue;
    for (const measure::elf::VersionNeed& need : objects_[at].facts->version_needs) {
      const auto provider = by_name_.find(need.file);
      if (provider == by_name_.end()) continue;
      const Object& library = objects_[provider->second];
      // A library without definitions gets a warning from the loader, no more.
      if (library.facts == nullptr || library.facts->version_definitions.empty()) continue;
      for (const auto& version : need.versions) {
        if (version.weak || defines(*library.facts, version.name)) continue;
        unresolved(at, cat(version.name, " of ", need.file),
                   {cat(printable(library.path), ": ", offers(*library.facts, version.name))},
                   optional_);
      }
    }
  }
}

}  // namespace cloister::manifest
