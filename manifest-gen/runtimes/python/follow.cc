// Imports are followed wherever they stand, in functions too: a service reaches them sooner or
// later. Where a package imports under names that it computes, all of the package is granted and
// followed. What is left out is in implied.cc: a library's tests, and tools for people.
#include "manifest-gen/runtimes/python/follow.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/runtimes/commands.h"
#include "manifest-gen/runtimes/python/implied.h"
#include "measure/source/python.h"

namespace cloister::manifest::python {
namespace {

using measure::Node;
using measure::source::Facts;

constexpr std::size_t kMaxSentences = 12;
constexpr std::size_t kMaxDirectories = 1U << 14;  // of one package

constexpr std::string_view kLibraryDirectories[] = {"/usr/local/lib",
                                                    "/usr/lib/x86_64-linux-gnu",
                                                    "/lib/x86_64-linux-gnu",
                                                    "/usr/lib64",
                                                    "/lib64",
                                                    "/usr/lib",
                                                    "/lib"};

// These come from the runtime.
constexpr std::string_view kLibc[] = {"libc.so",  "libm.so",    "libpthread.so", "libdl.so",
                                      "librt.so", "libutil.so", "ld-linux",      "libresolv.so"};

constexpr std::string_view kProgramDirectories[] = {"/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/"};

// Where dpkg puts what it installs: other programs than the image's own.
constexpr std::string_view kDistributionsOwn = "/usr/lib/python3/";

bool is_program_directory(std::string_view directory) {
  return base_name(directory) == "bin" || base_name(directory) == "sbin";
}

// Modules whose import says that distributions' metadata, or package data, is read.
constexpr std::string_view kMetadataModules[] = {"importlib.metadata", "importlib_metadata",
                                                 "pkg_resources"};
constexpr std::string_view kResourceModules[] = {"importlib.resources", "importlib_resources",
                                                 "pkg_resources"};
constexpr std::string_view kZoneModules[] = {"zoneinfo", "pytz", "dateutil.tz", "tzlocal"};

std::size_t parts_of(std::string_view name) {
  return static_cast<std::size_t>(std::count(name.begin(), name.end(), '.')) + 1;
}

// "importlib:metadata", "importlib.metadata:version", "importlib.metadata" are that module.
template <class Table>
bool names_one_of(const Table& modules, std::string_view name) {
  const std::size_t colon = name.find(':');
  const std::string_view before = name.substr(0, colon);
  const std::string_view after =
      colon == std::string_view::npos ? std::string_view() : name.substr(colon + 1);
  return std::any_of(std::begin(modules), std::end(modules), [&](std::string_view module) {
    if (before == module) return true;
    return colon != std::string_view::npos && module.size() == name.size() &&
           module.starts_with(before) && module[colon] == '.' && module.ends_with(after);
  });
}

}  // namespace

Follower::Follower(const AnalyzerScene& scene, const Interpreter& interpreter, ModuleFinder& finder,
                   Analysis& out)
    : scene_(scene),
      rootfs_(scene.rootfs),
      interpreter_(interpreter),
      finder_(finder),
      out_(out),
      distributions_(scene.rootfs, scene.limits) {}

void Follower::tell(std::string sentence) {
  if (told_.size() < kMaxSentences && told_.insert(sentence).second)
    out_.unknown.push_back(std::move(sentence));
}

void Follower::root(std::string path, Why why, std::string_view detail, std::string_view from,
                    bool optional) {
  if (!rooted_.insert(path).second) return;
  out_.roots.push_back({std::move(path), why, std::string(detail), optional, std::string(from)});
}

// ---- modules ----

std::size_t Follower::import(std::string_view name, const Module* importer, std::string_view why) {
  std::size_t found = 0;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = name.find('.', end == 0 ? 0 : end + 1);
    const Module* module = finder_.find(name.substr(0, end));
    if (module == nullptr) {
      if (found == 0) implied(name.substr(0, end), importer);
      break;
    }
    ++found;
    grant(*module, importer, why);
  }
  return found;
}

void Follower::grant(const Module& module, const Module* importer, std::string_view why) {
  if (!granted_.insert(&module).second || module.is_namespace()) return;
  // Under each name that leads to it: the program opens it by one of them.
  files_.insert(module.file);
  root(module.path, Why::python_import, why, importer == nullptr ? "" : importer->path);
  work_.push_back({&module, rootfs_.source_facts(*module.file), false});
  if (!finder_.bytecode_only().empty() && module.path == finder_.bytecode_only())
    tell(cat("the module ", module.name, " has only byte code (", module.path,
             "), which is never valid in an enclave: install its source"));
}

void Follower::file(const std::string& path, const Node& node, std::string name, bool main,
                    const std::string& from, std::string_view why) {
  const Module* module = name.empty() ? nullptr : finder_.find(name);
  if (module == nullptr || module->file != &node) {
    Module own;
    own.name = std::move(name);
    own.path = path;
    own.file = &node;
    own.application = true;
    module = &own_modules_.emplace_back(std::move(own));
  }
  if (!granted_.insert(module).second && !main) return;
  if (files_.insert(&node).second) root(path, Why::python_import, why, from);
  const Facts* facts = rootfs_.source_facts(node);
  // A script without a name or a first line that tells its language.
  if (facts == nullptr && main && node.entry->elf < 0 &&
      node.entry->size <= scene_.limits.source_bytes)
    if (const auto text = rootfs_.read(node, scene_.limits.source_bytes))
      facts = &own_facts_.emplace_back(measure::source::scan_python(*text, scene_.limits));
  // "pkg" on the way to "pkg.mod".
  if (!module->name.empty()) (void)import(parent_name(module->name), module, why);
  work_.push_back({module, facts, main});
}

void Follower::code(std::string_view text, const std::string& from) {
  Module own;
  own.path = from;
  own.file = from.empty() ? nullptr : rootfs_.find(from);
  own.application = from.empty();
  const Facts& facts =
      own_facts_.emplace_back(measure::source::scan_python(as_bytes(text), scene_.limits));
  work_.push_back({&own_modules_.emplace_back(std::move(own)), &facts, true});
}

bool Follower::word(std::string_view text, std::string_view why) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (name.empty() || name.find_first_of("/ ") != std::string_view::npos || name.front() == '.')
    return false;
  const Module* module = finder_.find(name);
  // One bare word is a module of the application, or nothing: "run", "worker" are commands.
  const bool dotted = name.find('.') != std::string_view::npos || colon != std::string_view::npos;
  if (module != nullptr && !dotted && !module->application) return false;
  if (module == nullptr) {
    // "pkg.mod.Class"
    const std::string_view parent = parent_name(name);
    if (parent.empty() || finder_.find(parent) == nullptr) return false;
  }
  return import(name, nullptr, why) > 0;
}

void Follower::main_module(std::string_view name) {
  const Module* module = finder_.find(name);
  std::string full(name);
  if (module != nullptr && module->is_package()) {
    full += ".__main__";
    module = finder_.find(full);
  }
  const std::string why = cat("-m ", name);
  (void)import(full, nullptr, why);
  if (module != nullptr && module->file != nullptr)
    work_.push_back({module, rootfs_.source_facts(*module->file), true});
  else
    tell(cat("-m ", printable(name), ": there is no such module in the image"));
}

Status Follower::drain() {
  while (!work_.empty()) {
    const Work work = work_.front();
    work_.pop_front();
    CL_CHECK(follow(work));
  }
  return {};
}

// ---- one file ----

Status Follower::follow(const Work& work) {
  const Module& module = *work.module;
  implied(module.name, &module);
  if (work.facts == nullptr || is_distutils_hook(module.name)) return {};
  // What changes the path comes first: other names may be found through it.
  for (std::string_view name : work.facts->names) {
    if (work.main && name.starts_with('!')) name.remove_prefix(1);
    if (constexpr std::string_view kMark = "@path:"; name.starts_with(kMark))
      change_path(module, name.substr(kMark.size()));
  }
  bool zones = false, zone_module = false;
  for (const std::string& spelled : work.facts->names) {
    std::string_view name = spelled;
    if (name.starts_with('!')) {
      if (!work.main) continue;
      name.remove_prefix(1);
    }
    zones = zones || name.starts_with("@zone:");
    zone_module = zone_module || names_one_of(kZoneModules, name);
    CL_CHECK(follow_name(work, name));
  }
  if (is_own(module) && zone_module) {
    if (zones)
      tell(cat(module.path,
               " uses time zones: those that it names are granted, others need "
               "--include /usr/share/zoneinfo/AREA/CITY"));
    else
      for (const std::string_view area : {"Africa", "America", "Asia", "Atlantic", "Australia",
                                          "Etc", "Europe", "Indian", "Pacific"})
        root(cat("/usr/share/zoneinfo/", area, "/**"), Why::package_data,
             "time zones, under names that are not known", module.path);
  }
  if (work.facts->dynamic && module.file != nullptr && module.file->entry->elf < 0)
    CL_CHECK(whole_package(module));
  return {};
}

Status Follower::follow_name(const Work& work, std::string_view name) {
  const Module& module = *work.module;
  switch (name.front()) {
    case '@':
      return follow_mark(work, name);
    case '\'':
      follow_string(work, name.substr(1));
      return {};
    case '/':
      follow_path(module, name);
      return {};
    default:
      follow_import(work, name);
  }
  if (module.standard) return {};
  if (names_one_of(kMetadataModules, name)) metadata(module);
  if (names_one_of(kResourceModules, name)) package_data(module);
  return {};
}

std::string Follower::absolute_name(const Module& module, std::string_view name) {
  std::size_t dots = 0;
  while (dots < name.size() && name[dots] == '.') ++dots;
  if (dots == 0) return std::string(name);
  name.remove_prefix(dots);
  std::string_view package = module.name;
  if (!module.is_package()) package = parent_name(package);
  for (; dots > 1; --dots) package = parent_name(package);
  if (package.empty()) return std::string(name);
  return name.empty() ? std::string(package) : cat(package, ".", name);
}

void Follower::follow_import(const Work& work, std::string_view spelled) {
  const Module& module = *work.module;
  const std::size_t colon = spelled.find(':');
  const std::string name = absolute_name(module, spelled.substr(0, colon));
  if (module.standard && is_left_to_people(module.name, name)) return;
  const std::string_view item =
      colon == std::string_view::npos ? std::string_view() : spelled.substr(colon + 1);
  if (name.empty()) {
    // "from . import x" in a script: its own directory.
    if (!item.empty() && item != "*") (void)import(item, &module, cat("import ", item));
    return;
  }
  std::size_t found = import(name, &module, cat("import ", name));
  if (found == 0 && module.application && module.file != nullptr) {
    // A program of the application that is started from its own directory.
    const std::string directory(parent_directory(module.path));
    const std::string_view first = top_level(name);
    if ((rootfs_.find(cat(directory, "/", first, ".py")) != nullptr ||
         rootfs_.find(cat(directory, "/", first)) != nullptr) &&
        finder_.add_place(directory, false, true))
      found = import(name, &module, cat("import ", name));
  }
  // A console script of an installed wheel: the program is in its package.
  if (found > 0 && work.main && is_program_directory(parent_directory(module.path))) {
    const Module* first = finder_.find(top_level(name));
    if (first != nullptr && !first->standard && !first->path.starts_with(kDistributionsOwn))
      programs_.insert(first);
  }
  if (item.empty() || found < parts_of(name)) return;
  const Module* package = finder_.find(name);
  if (package == nullptr || !package->is_package()) return;
  if (item == "*") return follow_star(module, *package);
  (void)import(cat(name, ".", item), &module, cat("from ", name, " import ", item));
}

// __all__ of a package may name modules that the star imports; the standard library has none that
// anyone imports so.
void Follower::follow_star(const Module& module, const Module& package) {
  if (package.standard || package.is_namespace()) return;
  const std::string why = cat("from ", package.name, " import *");
  for (const std::string& leaf : finder_.modules_in(package.places.front()))
    if (!is_beside_the_program(leaf)) (void)import(cat(package.name, ".", leaf), &module, why);
}

// A string is a module only when it leads nearly to its end: the last component may be a class or a
// function (of an extension module's constants, two).
void Follower::follow_string(const Work& work, std::string_view text) {
  const Module& module = *work.module;
  const bool extension = module.file != nullptr && module.file->entry->elf >= 0;
  const bool own = is_own(module);
  if (!own && !extension && (module.standard || !work.facts->dynamic)) return;
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (is_unlikely_by_name(top_level(name))) return;
  const Module* top = finder_.find(top_level(name));
  if (top == nullptr) return;
  const std::size_t parts = parts_of(name);
  const std::size_t slack = colon != std::string_view::npos ? 0 : extension ? 2 : 1;
  std::string_view known = name;
  std::size_t cut = 0;
  while (finder_.find(known) == nullptr && cut < slack && cut + 1 < parts) {
    known = parent_name(known);
    ++cut;
  }
  if (finder_.find(known) == nullptr) return;
  // "re.sub" is as likely a text as a need; "logging.handlers.X" is none.
  if (cut > 0 && known.find('.') == std::string_view::npos && !extension && !own) return;
  (void)import(known, &module, cat("the name '", text, "'"));
}

void Follower::follow_path(const Module& module, std::string_view path) {
  if (module.file == nullptr) return;
  const Node* node = rootfs_.find(path);
  if (node == nullptr || !node->is_regular()) return;
  const bool program =
      std::any_of(std::begin(kProgramDirectories), std::end(kProgramDirectories),
                  [&](std::string_view directory) { return path.starts_with(directory); });
  if (program && !is_own(module)) return;
  // A pattern, so that secrets are withheld.
  root(cat(path.substr(0, path.size() - 1), "?"), Why::config, cat("named in ", module.path),
       module.path);
}

Status Follower::follow_mark(const Work& work, std::string_view mark) {
  const Module& module = *work.module;
  const std::size_t colon = mark.find(':');
  const std::string_view kind = mark.substr(0, colon);
  const std::string_view value =
      colon == std::string_view::npos ? std::string_view() : mark.substr(colon + 1);
  if (kind == "@zone") {
    if (is_own(module)) zone(value, module);
  } else if (kind == "@run") {
    if (is_own(module))
      for (std::string& path : programs_run_by(value, scene_))
        root(std::move(path), Why::script_command, cat("runs ", value), module.path);
  } else if (module.standard) {
    return {};
  } else if (kind == "@data") {
    package_data(module);
  } else if (kind == "@lib") {
    library(module, value, false);
  } else if (kind == "@find") {
    library(module, value, true);
  } else if (kind == "@entry") {
    CL_CHECK(entry_points(value, module));
  }
  return {};
}

void Follower::implied(std::string_view name, const Module* at) {
  if (!implied_.insert(std::string(name)).second) return;
  const std::string from = at == nullptr ? std::string() : at->path;
  for (const Implied& row : implied_modules())
    if (row.module == name) (void)import(row.needs, at, cat(row.module, " imports it"));
  for (const ModuleFile& row : module_files()) {
    if (row.module != name) continue;
    std::string path(row.path);
    if (constexpr std::string_view kStdlib = "${stdlib}"; path.starts_with(kStdlib))
      path.replace(0, kStdlib.size(), interpreter_.stdlib);
    root(std::move(path), Why::package_data, row.reason, from);
  }
}

// sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib")): each string of the
// statement below the directory of the file and the two above it, where that is a directory.
void Follower::change_path(const Module& module, std::string_view text) {
  if (module.file == nullptr || module.standard) return;
  if (text.starts_with('/')) {
    (void)finder_.add_place(measure::normalize_path(text), false, module.application);
    return;
  }
  std::string directory(parent_directory(module.path));
  for (int level = 0; level < 3 && !directory.empty(); ++level) {
    // Without a string, what is meant is one of the directories themselves.
    if (!text.empty() || module.application)
      (void)finder_.add_place(
          text.empty() ? directory : measure::normalize_path(cat(directory, "/", text)), false,
          module.application);
    directory = parent_directory(directory);
  }
}

// ---- libraries by name ----

void Follower::library(const Module& module, std::string_view name, bool find) {
  if (module.file == nullptr) return;
  if (name.empty()) return find ? void() : package_libraries(module);
  std::string wanted = find ? cat("lib", name, ".so") : std::string(name);
  for (const std::string_view libc : kLibc)
    if (wanted.starts_with(libc)) return;
  const std::string why = cat("ctypes opens ", wanted);
  if (wanted.find('/') != std::string::npos) {
    root(wanted.starts_with('/') ? wanted : cat(parent_directory(module.path), "/", wanted),
         Why::dlopen_string, why, module.path);
    return;
  }
  if (find) wanted += '*';
  std::vector<std::string> directories{std::string(parent_directory(module.path))};
  for (const std::string_view directory : split(scene_.env("LD_LIBRARY_PATH"), ':'))
    if (directory.starts_with('/')) directories.emplace_back(directory);
  for (const std::string_view directory : kLibraryDirectories) directories.emplace_back(directory);
  for (const std::string& directory : directories) {
    const std::string path = cat(directory, "/", wanted);
    if (expand_glob(rootfs_, path).empty()) continue;
    root(path, Why::dlopen_string, why, module.path);
    return;
  }
}

void Follower::package_libraries(const Module& module) {
  const Module* unit = unit_of(module);
  if (unit == nullptr || !libraries_.insert(unit).second) return;
  const std::string& directory = unit->places.front().path;
  const std::string why = cat(unit->name, " opens libraries under names that it computes");
  root(cat(directory, "/**/*.so"), Why::dlopen_string, why, unit->path);
  root(cat(directory, "/**/*.so.*"), Why::dlopen_string, why, unit->path);
  root(cat(directory, ".libs/*"), Why::dlopen_string, why, unit->path);
}

// ---- distributions ----

void Follower::metadata(const Module& module) {
  if (metadata_granted_) return;
  metadata_granted_ = true;
  distributions_.collect(finder_.places());
  for (std::string& path : distributions_.metadata_files())
    root(std::move(path), Why::package_data, "metadata of installed packages is read", module.path);
}

Status Follower::entry_points(std::string_view group, const Module& module) {
  metadata(module);
  const std::size_t colon = group.find(':');
  const std::string_view name =
      colon == std::string_view::npos ? std::string_view() : group.substr(colon + 1);
  group = group.substr(0, colon);
  if (group.empty()) {
    if (is_own(module))
      tell(cat(module.path,
               " loads plug-ins of entry point groups whose names it computes: name "
               "their modules with --include"));
    return {};
  }
  CL_TRY(const std::vector<EntryPoint> points, distributions_.entry_points());
  for (const EntryPoint& point : points)
    if (point.group == group && (name.empty() || point.name == name))
      (void)import(point.module, &module, cat("entry point ", point.name, " of ", group));
  return {};
}

void Follower::zone(std::string_view name, const Module& module) {
  const std::string why = cat("the time zone ", name);
  root(cat("/usr/share/zoneinfo/", name), Why::package_data, why, module.path);
  for (const std::string_view package : {"tzdata", "pytz"}) {
    const Module* found = finder_.find(package);
    if (found == nullptr || !found->is_package()) continue;
    root(cat(found->places.front().path, "/zoneinfo/", name), Why::package_data, why, module.path);
  }
}

// ---- whole packages ----

const Module* Follower::unit_of(const Module& module) {
  const std::string_view name = module.name;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = name.find('.', end == 0 ? 0 : end + 1);
    const Module* outer = finder_.find(name.substr(0, end));
    if (outer == nullptr) return nullptr;
    if (outer->is_package() && !outer->is_namespace()) return outer;
  }
  return nullptr;
}

bool Follower::is_own(const Module& module) {
  if (module.application) return true;
  if (programs_.empty() || module.standard) return false;
  const std::string_view name = module.name;
  return programs_.contains(finder_.find(name.substr(0, name.find('.'))));
}

Status Follower::whole_package(const Module& module) {
  const Module* unit = unit_of(module);
  if (is_own(module))
    tell(cat(module.path,
             " imports modules under names that it computes; the application's own "
             "are granted, others need --include"));
  if (unit == nullptr || !whole_.insert(unit).second) return {};
  const std::string why =
      cat("all of ", unit->name, ": ", module.path, " imports under names that it computes");
  whole_directory(*unit, why);
  if (module.standard || unit->name.find('.') != std::string::npos) return {};
  distributions_.collect(finder_.places());
  CL_TRY(const std::vector<std::string> siblings, distributions_.siblings(unit->name));
  for (const std::string& sibling : siblings) {
    const Module* other = finder_.find(sibling);
    if (other == nullptr || other == unit || other->is_namespace()) continue;
    (void)import(sibling, unit, why);
    if (other->is_package() && whole_.insert(other).second) whole_directory(*other, why);
  }
  return {};
}

void Follower::whole_directory(const Module& package, std::string_view why) {
  std::vector<const Module*> pending{&package};
  for (std::size_t done = 0; done < pending.size() && done < kMaxDirectories; ++done) {
    const Module& outer = *pending[done];
    for (const std::string& leaf : finder_.modules_in(outer.places.front())) {
      if (is_beside_the_program(leaf)) continue;
      const std::string name = cat(outer.name, ".", leaf);
      const Module* inner = finder_.find(name);
      if (inner == nullptr) continue;
      (void)import(name, &package, why);
      if (inner->is_package()) pending.push_back(inner);
    }
  }
}

// Files beside the modules, one pattern for each directory and ending: a pattern withholds secrets.
void Follower::package_data(const Module& module) {
  const Module* unit = unit_of(module);
  if (unit == nullptr || unit->standard || !data_.insert(unit).second) return;
  data_below(unit->places.front().path, *unit->places.front().node, cat("data of ", unit->name),
             unit->path);
}

void Follower::directory_data(const std::string& directory, std::string_view why) {
  const Node* node = rootfs_.find(directory);
  if (node != nullptr && node->is_directory()) data_below(directory, *node, why, "");
}

void Follower::data_below(const std::string& directory, const Node& top, std::string_view why,
                          const std::string& from) {
  std::vector<std::pair<std::string, const Node*>> pending{{directory, &top}};
  std::unordered_set<const Node*> seen{pending.front().second};
  for (std::size_t done = 0; done < pending.size() && done < kMaxDirectories; ++done) {
    const auto [path, node] = pending[done];
    if (has_wildcard(path)) continue;
    for (const auto& [name, child] : node->children) {
      const Node* real = child->is_symlink() ? rootfs_.find(cat(path, "/", name)) : child.get();
      if (real == nullptr) continue;
      if (real->is_directory()) {
        // Of an application's directory: not what is installed in it, nor what links lead to.
        const bool foreign =
            from.empty() && (child->is_symlink() || name.starts_with('.') ||
                             name == "node_modules" || name.ends_with("-packages") ||
                             real->children.find("pyvenv.cfg") != real->children.end());
        if (name != "__pycache__" && !foreign && !is_beside_the_program(name) &&
            seen.insert(real).second)
          pending.emplace_back(cat(path, "/", name), real);
      } else if (real->is_regular() && !is_no_package_data(name) && real->entry->elf < 0) {
        const std::size_t dot = name.rfind('.');
        const bool ending = dot != std::string::npos && !has_wildcard(name);
        root(ending ? cat(path, "/*", std::string_view(name).substr(dot))
                    : cat(path, "/", std::string_view(name).substr(0, name.size() - 1), "?"),
             Why::package_data, why, from);
      }
    }
  }
}

}  // namespace cloister::manifest::python
