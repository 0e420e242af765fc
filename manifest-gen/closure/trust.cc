// Which files of a package a running program reads. Packages do not say; the file system hierarchy
// does, mostly: data lies below share/, configuration below /etc, plug-ins in a directory of their
// own below lib/. What is left out is for people (documentation, translations), for other programs
// (completions, units of an init system, headers) or is found by other rules (libraries by who
// needs them, other programs by who starts them).
#include "manifest-gen/closure/trust.h"

#include <algorithm>
#include <map>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/closure/walk_below.h"
#include "manifest-gen/closure/withheld.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

using measure::Node;
using measure::elf::Facts;

constexpr std::pair<Trust, std::string_view> kNames[] = {{Trust::none, "none"},
                                                         {Trust::closure, "closure"},
                                                         {Trust::package, "package"},
                                                         {Trust::all, "all"}};

// Directories of which a running program reads nothing, or whose files other rules choose.
constexpr std::string_view kNotData[] = {
    // Below /etc: who starts, rotates, completes, confines or configures something else.
    "/etc/init.d", "/etc/init", "/etc/rc*.d", "/etc/default", "/etc/sysconfig", "/etc/systemd",
    "/etc/cron.*", "/etc/logrotate.d", "/etc/bash_completion.d", "/etc/apparmor.d", "/etc/apparmor",
    "/etc/ufw", "/etc/udev", "/etc/sysctl.d", "/etc/insserv*", "/etc/skel", "/etc/sudoers.d",
    "/etc/apt", "/etc/dpkg", "/etc/kernel", "/etc/modprobe.d", "/etc/network", "/etc/profile.d",
    "/etc/update-motd.d", "/etc/dbus-1", "/etc/xdg/autostart", "/etc/emacs", "/etc/alternatives",
    "/etc/runit", "/etc/conf.d", "/etc/rsyslog.d", "/etc/tmpfiles.d",
    // Below /usr/share: for people and for other programs.
    "/usr/share/doc", "/usr/share/man", "/usr/share/info", "/usr/share/locale",
    "/usr/share/locale-langpack", "/usr/share/bash-completion", "/usr/share/zsh", "/usr/share/fish",
    "/usr/share/lintian", "/usr/share/applications", "/usr/share/icons", "/usr/share/pixmaps",
    "/usr/share/menu", "/usr/share/doc-base", "/usr/share/apport", "/usr/share/vim",
    "/usr/share/nvim", "/usr/share/emacs", "/usr/share/bug", "/usr/share/reportbug",
    "/usr/share/common-licenses", "/usr/share/licenses", "/usr/share/metainfo",
    "/usr/share/appdata", "/usr/share/mime", "/usr/share/mime-info", "/usr/share/dbus-1",
    "/usr/share/polkit-1", "/usr/share/gtk-doc", "/usr/share/help", "/usr/share/gir-1.0",
    "/usr/share/vala", "/usr/share/aclocal", "/usr/share/pkgconfig", "/usr/share/cmake",
    "/usr/share/initramfs-tools", "/usr/share/gdb", "/usr/share/systemtap",
    "/usr/share/installed-tests", "/usr/share/debhelper", "/usr/share/dh-python",
    "/usr/share/selinux", "/usr/share/augeas", "/usr/share/apparmor", "/usr/share/logcheck",
    "/usr/share/snmp/mib2c-data", "/usr/share/mysql-test",
    // Below /usr/lib.
    "/usr/lib/systemd", "/usr/lib/udev", "/usr/lib/tmpfiles.d", "/usr/lib/sysusers.d",
    "/usr/lib/sysctl.d", "/usr/lib/modules", "/usr/lib/modules-load.d", "/usr/lib/modprobe.d",
    "/usr/lib/firmware", "/usr/lib/debug", "/usr/lib/.build-id", "/usr/lib/girepository-1.0",
    "/usr/lib/valgrind", "/usr/lib/rpm", "/usr/lib/apparmor", "/usr/lib/lsb", "/usr/lib/pkgconfig",
    "/usr/lib/*/pkgconfig", "/usr/lib64/pkgconfig", "/usr/lib/cmake", "/usr/lib/*/cmake",
    "/usr/lib64/cmake", "/usr/lib/*/girepository-1.0",
    // Elsewhere.
    "/usr/include", "/usr/src", "/usr/games", "/boot", "/var/lib/dpkg", "/var/lib/apt",
    "/var/lib/rpm", "/var/lib/systemd", "/var/cache", "/var/log", "/run", "/tmp", "/gramine"};

// Parts of a package's own tree that are the same.
constexpr std::string_view kNotDataNames[] = {"doc",      "docs",   "man",          "locale",
                                              "examples", "sample", "installcheck", "include"};
constexpr std::string_view kNotDataFiles[] = {"*.a",      "*.la",      "*.h",     "*.hpp",  "*.pc",
                                              "*.gz.md5", "*.service", "README*", "*.debug"};

// Where a distribution keeps libraries that anyone may need.
constexpr std::string_view kLibraryDirectories[] = {"/lib",
                                                    "/lib64",
                                                    "/usr/lib",
                                                    "/usr/lib64",
                                                    "/lib/*-linux-gnu*",
                                                    "/usr/lib/*-linux-gnu*",
                                                    "/usr/lib/*-linux-musl*"};

constexpr std::string_view kProgramDirectories[] = {
    "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"};

template <std::size_t N>
bool in_any(const std::string_view (&patterns)[N], std::string_view directory) {
  return std::any_of(std::begin(patterns), std::end(patterns), [&](std::string_view p) {
    return has_wildcard(p) ? match_path(p, directory) : p == directory;
  });
}

// `directory` or one above it matches.
template <std::size_t N>
bool below_any(const std::string_view (&patterns)[N], std::string_view directory) {
  for (; directory != "/"; directory = parent_directory(directory))
    if (in_any(patterns, directory)) return true;
  return false;
}

bool is_program(const Node& node, const Facts* facts) {
  if ((node.entry->mode & 0111U) == 0) return false;
  return facts != nullptr ? !facts->interpreter.empty() || facts->type == measure::elf::kTypeExec
                          : false;
}

// A helper that the program starts itself has its path, or its directory, among the program's
// strings.
bool is_named_by(const Facts* program, std::string_view path) {
  if (program == nullptr) return false;
  return std::any_of(program->strings.begin(), program->strings.end(), [&](std::string_view text) {
    while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
    return text == path || text == parent_directory(path);
  });
}

// A package's file that the program may read. `path` is the real one.
bool is_data(const std::string& path, const Node& node, const Facts* facts, const Facts* program) {
  const std::string_view directory = parent_directory(path), base = base_name(path);
  if (directory == "/" || below_any(kNotData, directory)) return false;
  if (in_any(kProgramDirectories, directory)) return false;
  for (const std::string_view pattern : kNotDataFiles)
    if (match_component(pattern, base)) return false;
  for (std::string_view at = directory; at != "/"; at = parent_directory(at))
    if (std::find(std::begin(kNotDataNames), std::end(kNotDataNames), base_name(at)) !=
        std::end(kNotDataNames))
      return false;
  if (facts == nullptr) return true;
  if (in_any(kLibraryDirectories, directory)) return false;
  return !is_program(node, facts) || is_named_by(program, path);
}

bool is_any_shell(const measure::Rootfs& rootfs, const std::string& path) {
  return is_shell(base_name(path)) || is_shell(base_name(rootfs.real_path(path).value_or(path)));
}

// The packages of one program, its own first.
class Relatives {
 public:
  explicit Relatives(const PackageIndex& packages) {
    for (const Package& package : packages.packages())
      by_source_[{package.manager, package.source}].push_back(&package);
  }

  std::vector<const Package*> of(const Package& own) const {
    std::vector<const Package*> out{&own};
    const auto& family = by_source_.at({own.manager, own.source});
    for (std::size_t i = 0; i < out.size(); ++i)
      for (const Package* other : family)
        if ((depends(*out[i], *other) || depends(*other, *out[i])) &&
            std::find(out.begin(), out.end(), other) == out.end())
          out.push_back(other);
    return out;
  }

 private:
  static bool depends(const Package& from, const Package& to) {
    return std::find(from.depends.begin(), from.depends.end(), to.name) != from.depends.end();
  }
  std::map<std::pair<PackageManager, std::string>, std::vector<const Package*>> by_source_;
};

// Packages that split their data reach a part of it through a link in the other:
// /usr/share/ghostscript/10.0/iccprofiles → ../../color/icc/ghostscript.
void add_linked_directories(RuleFiles& out, const measure::Rootfs& rootfs) {
  std::map<const Node*, const ClosureRoot*> granted;
  std::set<const Node*> directories;
  for (const ClosureRoot& root : out.roots) {
    const Node* file = rootfs.find(root.path_or_glob);
    if (file == nullptr || !granted.emplace(file, &root).second) continue;
    const Node* at = file->parent;
    while (at != nullptr && at->parent != nullptr && at->parent->parent != nullptr &&
           at->parent->parent->parent != nullptr && directories.insert(at).second)
      at = at->parent;
  }
  std::vector<ClosureRoot> found;
  for (const Node* directory : directories)
    for (const auto& [name, child] : directory->children) {
      if (!child->is_symlink()) continue;
      const std::string link = cat(directory->path(), "/", name);
      const Node* target = rootfs.find(link);
      if (target == nullptr || !target->is_directory() || !directories.contains(target)) continue;
      for (const auto& [file_name, file] : target->children) {
        const auto known = granted.find(file.get());
        if (known == granted.end()) continue;
        ClosureRoot root = *known->second;
        root.path_or_glob = cat(link, "/", file_name);
        found.push_back(std::move(root));
      }
    }
  std::sort(found.begin(), found.end(), [](const ClosureRoot& a, const ClosureRoot& b) {
    return a.path_or_glob < b.path_or_glob;
  });
  for (ClosureRoot& root : found) add_rule_file(out, std::move(root));
}

// /etc/rabbitmq of rabbitmq-server: what no package owns there is its configuration.
void add_own_configuration(RuleFiles& out, const Package& package, const std::string& program,
                           const measure::Rootfs& rootfs, const PackageIndex& packages) {
  static constexpr std::size_t kFiles = 256;
  static constexpr std::uint64_t kBytes = 4ULL << 20;
  const std::string_view name = package.name;
  std::set<std::string> tops;
  for (const std::string_view top :
       {name, std::string_view(package.source), name.substr(0, name.find_first_of("-0123456789"))})
    if (top.size() > 2) tops.insert(cat("/etc/", top));
  std::size_t files = 0;
  for (const std::string& top : tops) {
    const Node* directory = rootfs.find(top);
    if (directory == nullptr || !directory->is_directory() || below_any(kNotData, top)) continue;
    walk_below(*directory, top, [&](const Node& child, std::string path) {
      const Node* file = rootfs.find(path);
      if (file == nullptr || !file->is_regular() || file->entry->size > kBytes ||
          packages.owner(child) != nullptr)
        return true;
      if (++files > kFiles) return false;
      add_rule_file(out, {std::move(path), Why::config,
                          cat("in the directory of configuration of ", package.name),
                          /*optional=*/true, program});
      return true;
    });
  }
}

}  // namespace

std::string_view trust_name(Trust trust) {
  for (const auto& [value, name] : kNames)
    if (value == trust) return name;
  return "";
}

std::optional<Trust> parse_trust(std::string_view text) {
  for (const auto& [value, name] : kNames)
    if (name == text) return value;
  return std::nullopt;
}

void add_rule_file(RuleFiles& out, ClosureRoot root) {
  if (is_never_valid(root.path_or_glob)) return;
  if (looks_secret(root.path_or_glob) || !is_utf8(root.path_or_glob))
    out.withheld.push_back(std::move(root.path_or_glob));
  else
    out.roots.push_back(std::move(root));
}

RuleFiles package_data(const std::vector<StartedProgram>& programs, const measure::Rootfs& rootfs,
                       const PackageIndex& packages) {
  RuleFiles out;
  if (packages.empty()) return out;
  const Relatives relatives(packages);
  // Each package once, for the program that met it first; a second program of a package, which may
  // not be followed, does not come to another answer in practice.
  std::set<const Package*> seen;
  for (const StartedProgram& program : programs) {
    const Package* own = packages.owner(program.path);
    if (own == nullptr || own->essential || is_any_shell(rootfs, program.path)) continue;
    const Node* node = rootfs.find(program.path);
    const Facts* program_facts = node != nullptr ? rootfs.elf_facts(*node) : nullptr;
    for (const Package* package : relatives.of(*own)) {
      if (!seen.insert(package).second) continue;
      add_own_configuration(out, *package, program.path, rootfs, packages);
      for (const std::string& path : package->files) {
        const Node* file = rootfs.find(path);
        if (file == nullptr || !file->is_regular()) continue;
        const std::string real = file->path();
        const bool configuration = real.starts_with("/etc/");
        if (program.followed && !configuration) continue;
        if (!is_data(real, *file, rootfs.elf_facts(*file), program_facts)) continue;
        add_rule_file(
            out, {path, configuration ? Why::config : Why::package_data,
                  cat(configuration ? "configuration" : "data", " of the package ", package->name),
                  /*optional=*/true, program.path});
      }
    }
  }
  add_linked_directories(out, rootfs);
  return out;
}

RuleFiles files_of_packages(const std::set<std::string>& paths, const measure::Rootfs& rootfs,
                            const PackageIndex& packages) {
  RuleFiles out;
  std::set<const Package*> owners;
  for (const std::string& path : paths)
    if (const Package* owner = packages.owner(path)) owners.insert(owner);
  for (const Package& package : packages.packages()) {
    if (!owners.contains(&package)) continue;
    for (const std::string& path : package.files) {
      const Node* file = rootfs.find(path);
      if (file == nullptr || !file->is_regular()) continue;
      add_rule_file(out,
                    {path, Why::package_data, cat("--trust package: the package ", package.name),
                     /*optional=*/true, ""});
    }
  }
  return out;
}

RuleFiles every_file(const measure::Rootfs& rootfs) {
  RuleFiles out;
  const auto add = [&](std::string path) {
    if (path.starts_with("/gramine/")) return;
    add_rule_file(out, {std::move(path), Why::package_data, "--trust all", /*optional=*/true, ""});
  };
  rootfs.walk([&](const Node& node) {
    if (node.is_regular()) {
      add(node.path());
    } else if (node.is_symlink()) {
      const std::string path = node.path();
      const Node* target = rootfs.find(path);
      if (target != nullptr && target->is_regular()) add(path);
    }
  });
  for (const auto& [name, node] : rootfs.root().children) {
    if (!node->is_symlink() || has_wildcard(name)) continue;
    const Node* target = rootfs.find(cat("/", name));
    if (target == nullptr || !target->is_directory() || target->parent == nullptr) continue;
    for (std::string& path : expand_glob(rootfs, cat("/", name, "/**"))) add(std::move(path));
  }
  return out;
}

}  // namespace cloister::manifest
