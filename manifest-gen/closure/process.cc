// glibc's rtld.c, dl-deps.c and dl-load.c, musl's dynlink.c, under Gramine: the interpreter is
// looked up by its base name in LD_LIBRARY_PATH, and the directory of the runtime's libc stands
// first there, so that every name the runtime has comes from it. An RPATH, which precedes
// LD_LIBRARY_PATH, cannot bring the image's libc back: it is not granted, and a file that cannot be
// opened (EACCES) is passed over.
//
// Objects are loaded breadth first. A name is not searched again when an object was loaded under it
// or (glibc) has it for a soname; a file that is found again under another name is the same object.
#include "manifest-gen/closure/process.h"

#include <algorithm>
#include <utility>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/versions.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kGlibcInterpreter = "ld-linux-x86-64.so.2";
constexpr std::string_view kPreloadFile = "/etc/ld.so.preload";
constexpr std::string_view kPrivateVersion = "GLIBC_PRIVATE";

bool uses_origin(const measure::elf::Facts& facts) {
  const auto has = [](const std::optional<std::string>& text) {
    return text && text->find("ORIGIN") != std::string::npos;
  };
  return has(facts.rpath) || has(facts.runpath);
}

// The words of `text`, which any of `separators` end.
std::vector<std::string> words(std::string_view text, std::string_view separators) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// /etc/ld.so.preload: names between blanks or colons, '#' begins a comment.
std::vector<std::string> preload_file_names(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string_view line : split(text, '\n'))
    for (std::string& name : words(line.substr(0, line.find('#')), " \t\r\v\f:"))
      out.push_back(std::move(name));
  return out;
}

std::string_view env_value(const Launch& launch, std::string_view name) {
  for (const auto& [key, value] : launch.env)
    if (key == name) return value;
  return {};
}

}  // namespace

std::optional<std::size_t> Process::loaded(std::string_view name) const {
  if (const auto at = by_name_.find(name); at != by_name_.end()) return at->second;
  if (host_ != nullptr) return host_->loaded(name);
  return std::nullopt;
}

std::optional<std::size_t> Process::loaded(const measure::Node* node) const {
  if (const auto at = by_node_.find(node); at != by_node_.end()) return at->second;
  if (host_ != nullptr) return host_->loaded(node);
  return std::nullopt;
}

// Whether libraries below are searched for in a list of this object too.
bool Process::passes_on_run_path(const measure::elf::Facts& facts) const {
  if (kind_ == LoaderKind::musl) return facts.rpath || facts.runpath;
  return facts.rpath && !facts.runpath;
}

std::size_t Process::add_object(Object object, const std::string& name, const measure::Node* node) {
  const std::size_t index = count();
  if (!name.empty()) by_name_.try_emplace(name, index);
  if (kind_ == LoaderKind::glibc && object.facts != nullptr && object.facts->soname)
    by_name_.try_emplace(*object.facts->soname, index);
  if (node != nullptr) by_node_.try_emplace(node, index);
  if (object.loader != kNone) {
    const Object& loader = this->object(object.loader);
    object.next_run_path = loader.facts != nullptr && passes_on_run_path(*loader.facts)
                               ? object.loader
                               : loader.next_run_path;
  }
  objects_.push_back(std::move(object));
  return index;
}

std::vector<Requester> Process::chain(std::size_t index) const {
  static const measure::elf::Facts kNothing;
  if (index == kNone) return {{&kNothing, ""}};
  std::vector<Requester> out;
  const auto add = [&](std::size_t at) {
    const measure::elf::Facts* facts = object(at).facts;
    out.push_back({facts != nullptr ? facts : &kNothing, object(at).origin});
  };
  add(index);
  std::size_t last = index;
  for (std::size_t at = object(index).next_run_path; at != kNone; at = object(at).next_run_path)
    add(last = at);
  // glibc: the main program's RPATH counts for everything, also for what something else loaded.
  if (kind_ == LoaderKind::glibc && last != 0 && object(0).facts != nullptr) add(0);
  return out;
}

void Process::unresolved(std::size_t index, std::string name, std::vector<std::string> searched,
                         bool optional) {
  const std::size_t member = object(index).member;
  auto& known = optional ? scene_.reported_optional : scene_.reported;
  if (!known.insert({member, name}).second) return;
  auto& list = optional ? scene_.closure.unresolved_optional : scene_.closure.unresolved;
  list.push_back({member, std::move(name), object(index).path, std::move(searched)});
}

void Process::load_program(std::size_t member, std::string_view path,
                           const measure::elf::Facts& facts) {
  const std::string& real = scene_.members[member].real_path;
  const bool differs = real != path && parent_directory(real) != parent_directory(path);
  const std::size_t main = add_object({member, &facts, std::string(path),
                                       std::string(parent_directory(real)), kNone, differs, kNone},
                                      "", scene_.rootfs.find(path));
  add_interpreter(main);
  if (kind_ == LoaderKind::glibc) audit();
  preload();
  load_needed();
}

void Process::load_library(std::size_t member, std::string_view path,
                           const measure::elf::Facts& facts, const Process* host) {
  if (host != nullptr) {
    host_ = host;
    next_ = host_count_ = host->objects_.size();
  }
  add_object({member, &facts, std::string(path), std::string(parent_directory(path)),
              host_count_ == 0 ? kNone : std::size_t{0}, false, kNone},
             std::string(base_name(path)), scene_.rootfs.find(path));
  load_needed();
}

bool Process::load_by_name(const std::string& name, std::string_view detail) {
  if (count() == 0 || loaded(name)) return count() != 0;
  if (from_runtime(0, name, Why::needed, detail) || find(0, name, Why::needed, detail, nullptr)) {
    load_needed();
    return true;
  }
  return false;
}

bool Process::open(std::size_t index, const std::string& name, Why why, std::string_view detail,
                   std::vector<std::string>* searched) {
  if (const auto known = loaded(name)) {
    if (*known != index)
      scene_.members.edge(object(index).member, object(*known).member, why, detail);
    return true;
  }
  if (kind_ == LoaderKind::musl && is_musl_builtin(name)) return true;
  if (!from_runtime(index, name, why, detail) && !find(index, name, why, detail, searched))
    return false;
  // dlopen fails where a start would: the program goes on without.
  const bool optional = std::exchange(optional_, true);
  load_needed();
  optional_ = optional;
  return true;
}

bool Process::would_load(std::size_t index, const std::string& name) const {
  if (loaded(name)) return false;
  if (kind_ == LoaderKind::glibc && scene_.runtime.glibc_library(name) != nullptr) return true;
  return scene_.searcher.find(places(), name, chain(index), object(0).origin).found.has_value();
}

Process::Loaded Process::loaded_object(std::size_t index) const {
  const Object& at = object(index);
  return {at.facts, at.path, scene_.members[at.member].from_runtime};
}

void Process::add_interpreter(std::size_t main) {
  if (kind_ == LoaderKind::glibc) {
    add_glibc_interpreter(main);
    return;
  }
  const std::string& spelled = object(main).facts->interpreter;
  const std::string name(base_name(spelled));
  if (const auto file = scene_.runtime.musl.find(name); file != scene_.runtime.musl.end()) {
    const std::size_t member =
        scene_.members.runtime_file(kRuntimeMuslDir, name, file->second, true);
    scene_.members.edge(object(main).member, member, Why::interpreter, spelled);
    scene_.runtime_musl_used = true;
    return;
  }
  add_image_interpreter(main, {cat("the runtime's ", kRuntimeMuslDir, ": no ", printable(name))});
}

void Process::add_image_interpreter(std::size_t main, std::vector<std::string> searched) {
  const std::string& spelled = objects_[main].facts->interpreter;
  const std::string name(base_name(spelled));
  const measure::Node* node = scene_.rootfs.find(spelled);
  if (const std::string_view why_not = why_not_a_library(scene_.rootfs, node); !why_not.empty()) {
    searched.push_back(cat(printable(spelled), ": ", why_not));
    unresolved(main, spelled, std::move(searched), optional_);
    return;
  }
  const std::string path = measure::normalize_path(spelled);
  const std::size_t member = scene_.members.file(path);
  scene_.members.edge(object(main).member, member, Why::interpreter, spelled);
  scene_.choices.push_back({name, std::string(parent_directory(path)), node, /*must_list=*/true,
                            optional_, object(main).path});
}

void Process::add_glibc_interpreter(std::size_t main) {
  scene_.glibc_used = true;
  if (scene_.image_libc) {
    add_image_interpreter(main, {});
    return;
  }
  const std::string name(kGlibcInterpreter);
  const auto file = scene_.runtime.glibc.find(name);
  if (file == scene_.runtime.glibc.end()) {
    unresolved(main, name, {cat("the runtime's ", kRuntimeGlibcDir, ": not there")}, optional_);
    return;
  }
  const std::size_t member =
      scene_.members.runtime_file(kRuntimeGlibcDir, name, file->second, true);
  scene_.members.edge(object(main).member, member, Why::interpreter,
                      object(main).facts->interpreter);
  add_object({member, scene_.runtime.elf_facts(file->second), scene_.members[member].real_path,
              std::string(kRuntimeGlibcDir), main, false, kNone},
             name);
}

// Each auditor has a name space of its own, with its own copies of libraries. One that cannot be
// loaded is ignored with a message.
void Process::audit() {
  std::vector<std::pair<std::string, std::string>> names;  // name, why
  const auto add = [&](std::string_view list, std::string_view why) {
    for (std::string& name : words(list, ":")) names.emplace_back(std::move(name), why);
  };
  const Object& main = objects_.front();
  add(env_value(scene_.launch, "LD_AUDIT"), "LD_AUDIT");
  add(main.facts->audit.value_or(""), "DT_AUDIT");
  add(main.facts->depaudit.value_or(""), "DT_DEPAUDIT");
  for (const auto& [name, why] : names) {
    Process space(scene_, kind_, /*optional=*/true);
    space.objects_.push_back(main);
    space.next_ = 1;
    std::vector<std::string> searched;
    if (space.from_runtime(0, name, Why::preload, why) ||
        space.find(0, name, Why::preload, why, &searched))
      space.load_needed();
    else
      unresolved(0, name, std::move(searched), /*optional=*/true);
  }
}

// A library that cannot be preloaded is ignored by glibc with a message: never fatal.
void Process::preload() {
  const bool glibc = kind_ == LoaderKind::glibc;
  std::vector<std::string> names =
      words(env_value(scene_.launch, "LD_PRELOAD"), glibc ? " :" : " \t\n\v\f\r:");
  std::string detail = "LD_PRELOAD";
  const measure::Node* file = glibc ? scene_.rootfs.find(kPreloadFile) : nullptr;
  if (file != nullptr && file->is_regular() &&
      file->entry->size <= scene_.limits.packed_file_bytes) {
    if (auto bytes = scene_.rootfs.read(*file, scene_.limits.packed_file_bytes)) {
      const std::size_t member = scene_.members.file(kPreloadFile);
      scene_.members.edge(objects_.front().member, member, Why::config, "libraries to preload");
      for (std::string& name : preload_file_names(as_text(*bytes)))
        names.push_back(std::move(name));
      detail = "LD_PRELOAD or /etc/ld.so.preload";
    }
  }
  // musl searches without the program's RPATH.
  const std::size_t requester = glibc ? 0 : kNone;
  const TokenValues tokens{objects_.front().origin, places().lib};
  for (const std::string& spelled : names) {
    const std::string name = glibc ? expand_tokens(spelled, tokens) : spelled;
    std::vector<std::string> searched;
    if (loaded(name) || (!glibc && is_musl_builtin(name)) ||
        from_runtime(0, name, Why::preload, detail))
      continue;
    if (!find(requester, name, Why::preload, detail, &searched))
      unresolved(0, name, std::move(searched), /*optional=*/true);
  }
}

void Process::load_needed() {
  const std::size_t from = next_;
  for (; next_ < count(); ++next_) {
    const measure::elf::Facts* facts = object(next_).facts;
    if (facts == nullptr) continue;
    for (const std::string& name : facts->needed) need(next_, name, {"NEEDED"});
    if (kind_ == LoaderKind::musl) continue;
    for (const std::string& name : facts->filters) need(next_, name, {"FILTER"});
    for (const std::string& name : facts->auxiliaries) need(next_, name, {"AUXILIARY", false});
  }
  check_versions(from);
}

void Process::need(std::size_t index, const std::string& spelled, Need need) {
  const std::string detail = cat(need.tag, " ", spelled);
  const std::string name = kind_ == LoaderKind::glibc
                               ? expand_tokens(spelled, {object(index).origin, places().lib})
                               : spelled;
  if (const auto known = loaded(name)) {
    scene_.members.edge(object(index).member, object(*known).member, Why::needed, detail);
    return;
  }
  // musl itself.
  if (kind_ == LoaderKind::musl &&
      (is_musl_builtin(name) ||
       (count() > 0 && object(0).facts != nullptr && name == object(0).facts->interpreter)))
    return;
  if (from_runtime(index, name, Why::needed, detail)) return;
  std::vector<std::string> searched;
  if (!find(index, name, Why::needed, detail, &searched) && need.must)
    unresolved(index, name, std::move(searched), optional_);
}

bool Process::from_runtime(std::size_t index, const std::string& name, Why why,
                           std::string_view detail) {
  if (kind_ != LoaderKind::glibc) return false;
  const measure::RuntimeFile* file = scene_.runtime.glibc_library(name);
  if (file == nullptr) return false;
  const std::size_t member = scene_.members.runtime_file(kRuntimeGlibcDir, name, *file, true);
  scene_.members.edge(object(index).member, member, why, detail);
  add_object({member, scene_.runtime.elf_facts(*file), scene_.members[member].real_path,
              std::string(kRuntimeGlibcDir), index, false, kNone},
             name);
  return true;
}

bool Process::find(std::size_t index, const std::string& name, Why why, std::string_view detail,
                   std::vector<std::string>* searched) {
  const std::string_view origin = count() > 0 ? std::string_view(object(0).origin) : "";
  const LibrarySearch search = scene_.searcher.find(places(), name, chain(index), origin);
  if (!search.found) {
    if (searched != nullptr) {
      *searched = search.searched;
      if (kind_ == LoaderKind::glibc)
        searched->insert(searched->begin(), cat("the runtime's ", kRuntimeGlibcDir, ": not there"));
    }
    return false;
  }
  take(index, name, *search.found, why, detail);
  for (const FoundLibrary& variant : search.variants)
    take(index, name, variant, why, cat(detail, ", for newer processors"));
  return true;
}

// `index` may be kNone: then the first object gets the edge.
void Process::take(std::size_t index, const std::string& name, const FoundLibrary& found, Why why,
                   std::string_view detail) {
  const std::size_t member = scene_.members.library(found.path);
  const Object& asks = object(index == kNone ? 0 : index);
  scene_.members.edge(asks.member, member, why, detail);
  const bool by_path = name.find('/') != std::string::npos;
  // A main program behind a link has another $ORIGIN under Gramine: list what it leads to.
  const Object& main = object(0);
  const bool lost_origin = main.origin_differs && main.facts != nullptr && uses_origin(*main.facts);
  if (!by_path && (!found.precedes_library_path || lost_origin)) {
    std::string directory = std::string(parent_directory(found.path));
    if (const std::size_t at = directory.rfind("/glibc-hwcaps/"); at != std::string::npos)
      directory.resize(std::max<std::size_t>(at, 1));
    scene_.choices.push_back({name, std::move(directory), found.node,
                              found.needs_directory || lost_origin, optional_, asks.path});
  }
  if (const auto known = loaded(found.node)) {
    by_name_.try_emplace(name, *known);
    return;
  }
  add_object({member, scene_.rootfs.elf_facts(*found.node), found.path,
              std::string(parent_directory(found.path)), index, false, kNone},
             name, found.node);
}

void Process::check_versions(std::size_t from) {
  for (std::size_t at = from; at < count(); ++at) {
    const measure::elf::Facts* facts = object(at).facts;
    if (facts == nullptr) continue;
    const bool of_image = !scene_.members[object(at).member].from_runtime;
    for (const measure::elf::VersionNeed& need : facts->version_needs) {
      const auto provider = loaded(need.file);
      if (!provider) continue;
      const Object& library = object(*provider);
      // A library without definitions gets a warning from the loader, no more.
      if (library.facts == nullptr || library.facts->version_definitions.empty()) continue;
      const bool of_runtime = scene_.members[library.member].from_runtime;
      for (const auto& version : need.versions) {
        if (version.weak) continue;
        std::string name = cat(version.name, " of ", need.file);
        if (!defines(*library.facts, version.name)) {
          unresolved(at, std::move(name),
                     {cat(printable(library.path), ": ", offers(*library.facts, version.name))},
                     optional_);
        } else if (version.name == kPrivateVersion && of_image && of_runtime) {
          // Defined by each glibc, but what stands behind it may change from build to build.
          unresolved(at, std::move(name),
                     {cat(printable(library.path),
                          ": private to one build of glibc, and this is the runtime's")},
                     /*optional=*/true);
        }
      }
    }
  }
}

}  // namespace cloister::manifest
