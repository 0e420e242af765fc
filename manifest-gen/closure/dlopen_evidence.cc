// Three kinds of evidence, each graded, since a string in a file proves little:
//
// - .note.dlopen: the builder's own word. "required" and "recommended" are granted, "suggested" is
//   reported.
// - A library's name in an object that imports dlopen (or a wrapper of it). With a version
//   ("libx.so.2") it is what loaders are given: confidence high. Without one ("libx.so") it may be
//   text: medium. Both are granted when the loader would find them. In an object that does not
//   itself open libraries, or in a crowd of names (a browser, say), it is low: reported only.
// - An absolute path of a file: a configuration file that exists under exactly that name is read by
//   whoever holds its name. Programs and libraries are not, unless something starts programs.
//
// Directories of plug-ins are loaded whole by the libraries that know them, but by configuration
// by programs.
#include "manifest-gen/closure/dlopen_evidence.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/program_kind.h"
#include "manifest-gen/closure/walk_below.h"
#include "manifest-gen/closure/withheld.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

using measure::Node;
using measure::elf::DlopenNote;
using measure::elf::Facts;

constexpr std::size_t kCrowd = 48;     // names of libraries in one object that are still believed
constexpr std::size_t kPlugins = 16;   // files of a plug-in directory
constexpr std::size_t kPrograms = 32;  // programs that one program is taken to start
constexpr std::uint64_t kConfigFileBytes = 1ULL << 20;  // no configuration file is larger

constexpr std::string_view kOpeners[] = {"PR_LoadLibrary", "PR_LoadLibraryWithFlags",
                                         "SDL_LoadObject", "apr_dso_load",
                                         "dlmopen",        "dlopen",
                                         "g_module_open",  "g_module_open_full",
                                         "lt_dlopen",      "lt_dlopenadvise",
                                         "lt_dlopenext",   "uv_dlopen"};
constexpr std::string_view kStarters[] = {"execl",  "execle", "execlp",      "execv",
                                          "execve", "execvp", "execvpe",     "fexecve",
                                          "popen",  "system", "posix_spawn", "posix_spawnp"};

// Written at run time, or for people: the image's bytes are not what the program wants.
constexpr std::string_view kNotRead[] = {
    "/etc/ld.so.", "/var/log/",       "/var/run/",    "/run/",  "/tmp/",
    "/var/tmp/",   "/boot/",          "/dev/",        "/proc/", "/sys/",
    "/usr/src/",   "/usr/share/doc/", "/usr/include/"};

// Plug-in directories with rules of their own (system_rows.cc).
constexpr std::string_view kRuledDirectories[] = {"ossl-modules", "engines-3", "engines-1.1",
                                                  "sasl2",        "gconv",     "security",
                                                  "pkcs11",       "apr-util-1"};

// Files with rules of their own: OPENSSLDIR/cert.pem stands in libcrypto, whoever uses it.
constexpr std::string_view kRuledFiles[] = {"cert.pem", "ct_log_list.cnf"};

// Parts of libc: they come from the runtime, where it has them, or not at all.
constexpr std::string_view kLibcFamily[] = {"ld-linux-x86-64.so.", "libBrokenLocale.so.",
                                            "libanl.so.",          "libc.so.",
                                            "libdl.so.",           "libm.so.",
                                            "libmvec.so.",         "libnsl.so.1",
                                            "libnss_compat.so.",   "libnss_db.so.",
                                            "libnss_dns.so.",      "libnss_files.so.",
                                            "libnss_hesiod.so.",   "libpthread.so.",
                                            "libresolv.so.",       "librt.so.",
                                            "libthread_db.so.",    "libutil.so."};

bool imports_any(const Facts& facts, const std::string_view* begin, const std::string_view* end) {
  return std::any_of(begin, end, [&](std::string_view name) {
    return std::binary_search(facts.imports.begin(), facts.imports.end(), name);
  });
}

bool has_version(std::string_view library) {
  return library.find(".so.") != std::string_view::npos;
}

bool starts_with_any(std::string_view text, const std::string_view* begin,
                     const std::string_view* end) {
  return std::any_of(begin, end, [&](std::string_view prefix) { return text.starts_with(prefix); });
}

// A directory of /etc that is one program's, and not one that many know.
bool is_own_directory(std::string_view path, std::string_view real) {
  static constexpr std::string_view kShared[] = {
      "/etc/X11",      "/etc/alternatives", "/etc/apt",        "/etc/ca-certificates",
      "/etc/cron.",    "/etc/dbus-1",       "/etc/default",    "/etc/dpkg",
      "/etc/fonts",    "/etc/gss",          "/etc/init",       "/etc/kernel",
      "/etc/ld.so",    "/etc/logrotate.d",  "/etc/modprobe.d", "/etc/modules-load.d",
      "/etc/network",  "/etc/opt",          "/etc/pam.d",      "/etc/perl",
      "/etc/pki",      "/etc/profile.d",    "/etc/python",     "/etc/rc",
      "/etc/rpm",      "/etc/security",     "/etc/skel",       "/etc/ssl",
      "/etc/sudoers",  "/etc/sysconfig",    "/etc/sysctl.d",   "/etc/systemd",
      "/etc/terminfo", "/etc/tmpfiles.d",   "/etc/udev",       "/etc/xdg"};
  const auto own = [](std::string_view directory) {
    return directory.starts_with("/etc/") && directory.size() > 5 &&
           !starts_with_any(directory, std::begin(kShared), std::end(kShared));
  };
  return own(path) && own(real);
}

// Lists of fonts and the like, which packages make when they are installed: few and small files
// that everybody may read, where programs keep what they know.
bool is_made_data(std::string_view path, const Node& directory) {
  static constexpr std::size_t kFiles = 64;
  static constexpr std::uint64_t kBytes = 1ULL << 20;
  constexpr std::string_view kState = "/var/lib/";
  if (!path.starts_with(kState) || path.substr(kState.size()).find('/') == path.npos) return false;
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  for (const auto& [name, child] : directory.children) {
    if (!child->is_regular() || (child->entry->mode & 0004U) == 0) return false;
    bytes += child->entry->size;
    if (++files > kFiles || bytes > kBytes) return false;
  }
  return files > 0;
}

bool holds_little(const Node& directory, std::size_t most_files, std::uint64_t most_bytes) {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  walk_below(directory, "", [&](const Node& child, const std::string&) {
    if (child.is_regular()) {
      ++files;
      bytes += child.entry->size;
    }
    return files <= most_files && bytes <= most_bytes;
  });
  return files <= most_files && bytes <= most_bytes;
}

class Follower {
 public:
  Follower(Process& process, Scene& scene) : process_(process), scene_(scene) {}

  CodeEvidence run(std::size_t first) {
    // Opening libraries makes the list longer.
    for (std::size_t at = first; at < process_.loaded_count(); ++at) {
      const Process::Loaded object = process_.loaded_object(at);
      if (object.facts == nullptr || object.from_runtime) continue;
      notes(at, object);
      libraries(at, object);
      // The files that a library names are the same in every process.
      if (at == 0 || scene_.code_seen.insert(object.facts).second) paths(at, object);
    }
    return std::move(out_);
  }

 private:
  void unknown(const Process::Loaded& object, std::string what) {
    out_.unknown.push_back({object.path, std::move(what)});
  }

  void notes(std::size_t at, const Process::Loaded& object) {
    for (const DlopenNote& note : object.facts->dlopen_notes) {
      const std::string feature =
          note.feature.empty() ? std::string() : cat(" for ", printable(note.feature));
      if (note.priority == DlopenNote::Priority::suggested) {
        unknown(object, cat("can use ", printable(note.sonames.front()), feature,
                            ", which is not granted: its makers only suggest it"));
        continue;
      }
      const std::string_view priority =
          note.priority == DlopenNote::Priority::required ? "required" : "recommended";
      std::vector<std::string> searched;
      const bool found =
          std::any_of(note.sonames.begin(), note.sonames.end(), [&](const std::string& name) {
            return process_.open(at, name, Why::dlopen_note,
                                 cat(priority, feature, " by its metadata"), &searched);
          });
      if (!found) missing(object, note.sonames.front(), std::move(searched));
    }
  }

  void missing(const Process::Loaded& object, const std::string& name,
               std::vector<std::string> searched) {
    const Node* node = scene_.rootfs.find(object.path);
    if (node == nullptr) return;
    const std::size_t member = scene_.members.file(object.path);
    for (const Unresolved& known : scene_.closure.unresolved_optional)
      if (known.from == member && known.name == name) return;
    scene_.closure.unresolved_optional.push_back({member, name, object.path, std::move(searched)});
  }

  // ---- libraries named in the code ----

  void libraries(std::size_t at, const Process::Loaded& object) {
    const bool opens = imports_any(*object.facts, std::begin(kOpeners), std::end(kOpeners));
    // A static program holds libc's names of libraries, and can hardly open one.
    if (!opens && object.facts->interpreter.empty() && object.facts->needed.empty()) return;
    const auto is_library = [](const std::string& text) {
      return !text.starts_with('/') && text.find(".so") != std::string::npos;
    };
    const auto names =
        std::count_if(object.facts->strings.begin(), object.facts->strings.end(), is_library);
    const bool crowd = static_cast<std::size_t>(names) > kCrowd;
    for (const std::string& name : object.facts->strings) {
      if (is_library(name))
        library(at, object, name, opens && (!crowd || has_version(name)));
      else if (opens && name.find(".so") != std::string::npos)
        library_path(at, name);
    }
  }

  void library(std::size_t at, const Process::Loaded& object, const std::string& name,
               bool believed) {
    // "dir/x.so" is relative to a directory that is not known.
    if (name.find('/') != std::string::npos) return;
    if (starts_with_any(name, std::begin(kLibcFamily), std::end(kLibcFamily)) &&
        scene_.runtime.glibc_library(name) == nullptr)
      return;
    if (believed) {
      (void)process_.open(at, name, Why::dlopen_string,
                          cat("its name is in the code, which uses dlopen: confidence ",
                              has_version(name) ? "high" : "medium"),
                          nullptr);
      return;
    }
    if (process_.would_load(at, name))
      unknown(object, cat("names ", printable(name),
                          ", but nothing shows that it opens it: not granted; --include it if a "
                          "feature is missing"));
  }

  void library_path(std::size_t at, const std::string& path) {
    const Node* node = scene_.rootfs.find(path);
    if (!why_not_a_library(scene_.rootfs, node).empty()) return;
    (void)process_.open(at, path, Why::dlopen_string,
                        "its path is in the code, which uses dlopen: confidence high", nullptr);
  }

  // ---- files and directories named in the code ----

  void paths(std::size_t at, const Process::Loaded& object) {
    const bool main = at == 0;
    const bool opens = imports_any(*object.facts, std::begin(kOpeners), std::end(kOpeners));
    // Interpreters can start programs, whatever the script does.
    const bool starts = main && !is_interpreter(base_name(object.path)) &&
                        imports_any(*object.facts, std::begin(kStarters), std::end(kStarters));
    for (const std::string& text : object.facts->strings) {
      if (!text.starts_with('/')) continue;
      for (const std::string_view item : split(text, ':'))
        if (item.starts_with('/')) path(object, std::string(item), opens, starts, main);
    }
  }

  void path(const Process::Loaded& object, const std::string& text, bool opens, bool starts,
            bool main) {
    if (is_never_valid(text) || starts_with_any(text, std::begin(kNotRead), std::end(kNotRead)))
      return;
    const Node* node = scene_.rootfs.find(text);
    if (node == nullptr) return;
    if (node->is_directory()) {
      if (opens) plugins(object, text, *node, main);
      if (is_library_data(object, text, *node))
        root(object, cat(measure::normalize_path(text), "/**"), Why::package_data,
             "its directory is in the code");
      if (is_made_data(text, *node))
        root(object, cat(measure::normalize_path(text), "/*"), Why::config,
             "its directory is in the code, with the little that was made for it");
      if (main && is_own_directory(text, node->path()))
        root(object, cat(measure::normalize_path(text), "/**"), Why::config,
             "its directory of configuration is in the code");
      return;
    }
    if (!node->is_regular()) return;
    // A key that the program itself names is its own; a library's is somebody's.
    if (!main && (looks_secret(text) || looks_secret(node->path()))) return;
    const Facts* facts = scene_.rootfs.elf_facts(*node);
    const bool program = (facts != nullptr && !facts->interpreter.empty()) ||
                         (!node->entry->shebang.empty() && (node->entry->mode & 0111U) != 0);
    if (program) {
      if (starts && node->path() != object.path && programs_++ < kPrograms)
        root(object, text, Why::config, "a program that the code names, and it starts programs");
      return;
    }
    if (facts != nullptr || node->entry->size > kConfigFileBytes) return;
    if (std::find(std::begin(kRuledFiles), std::end(kRuledFiles), base_name(text)) !=
        std::end(kRuledFiles))
      return;
    root(object, text, Why::config, "its name is in the code");
  }

  // Shared data ("/usr/share/proj", "/usr/share/tesseract-ocr/5/tessdata"), whichever package
  // brings it. Not what many share, nor what other rules choose from.
  bool is_library_data(const Process::Loaded& object, const std::string& text,
                       const Node& node) const {
    static constexpr std::string_view kShared[] = {"X11",
                                                   "aclocal",
                                                   "alsa",
                                                   "drirc.d",
                                                   "pipewire",
                                                   "pulseaudio",
                                                   "vulkan",
                                                   "applications",
                                                   "bash-completion",
                                                   "bug",
                                                   "ca-certificates",
                                                   "cups",
                                                   "dbus-1",
                                                   "doc",
                                                   "fontconfig",
                                                   "fonts",
                                                   "gdb",
                                                   "glib-2.0",
                                                   "hwdata",
                                                   "i18n",
                                                   "icons",
                                                   "info",
                                                   "java",
                                                   "locale",
                                                   "lua",
                                                   "man",
                                                   "mariadb",
                                                   "mime",
                                                   "misc",
                                                   "mysql",
                                                   "nodejs",
                                                   "p11-kit",
                                                   "perl",
                                                   "perl5",
                                                   "php",
                                                   "pixmaps",
                                                   "postgresql",
                                                   "python3",
                                                   "ruby",
                                                   "rubygems-integration",
                                                   "sgml",
                                                   "sounds",
                                                   "tcltk",
                                                   "terminfo",
                                                   "themes",
                                                   "xml",
                                                   "zoneinfo",
                                                   "R",
                                                   "nginx",
                                                   "ghostscript",
                                                   "git-core",
                                                   "gtk-doc"};
    constexpr std::string_view kShare = "/usr/share/";
    constexpr std::size_t kFiles = 1024;
    constexpr std::uint64_t kBytes = 64ULL << 20;
    if (!text.starts_with(kShare) || is_interpreter(base_name(object.path))) return false;
    const std::string_view below = std::string_view(text).substr(kShare.size());
    const std::string_view top = below.substr(0, below.find('/'));
    if (top.empty() || std::find(std::begin(kShared), std::end(kShared), top) != std::end(kShared))
      return false;
    return holds_little(node, kFiles, kBytes);
  }

  void plugins(const Process::Loaded& object, const std::string& directory, const Node& node,
               bool main) {
    const std::vector<std::string>& system = places().system;
    const std::string real = node.path();
    const bool searched = std::any_of(system.begin(), system.end(), [&](const std::string& dir) {
      return scene_.rootfs.real_path(dir).value_or(dir) == real;
    });
    const std::string_view name = base_name(real);
    // PATH: programs stand there, and the loader's name.
    if (name == "bin" || name == "sbin") return;
    if (searched || std::any_of(std::begin(kRuledDirectories), std::end(kRuledDirectories),
                                [&](std::string_view ruled) { return name == ruled; }))
      return;
    std::vector<std::string> found;
    const std::string prefix = measure::normalize_path(directory);
    for (const auto& [child, file] : node.children) {
      const std::string path = cat(prefix == "/" ? "" : prefix, "/", child);
      if (child.find(".so") != std::string::npos &&
          why_not_a_library(scene_.rootfs, scene_.rootfs.find(path)).empty())
        found.push_back(path);
    }
    if (found.empty()) return;
    plugin_lists(object, prefix, node);
    if (main || found.size() > kPlugins) {
      out_.plugins.push_back({object.path, prefix, std::move(found)});
      return;
    }
    for (const std::string& path : found)
      root(object, path, Why::dlopen_string, cat("a plug-in of ", prefix, ": confidence medium"));
  }

  // Lists of plug-ins, which are made when they are installed.
  void plugin_lists(const Process::Loaded& object, const std::string& prefix, const Node& node) {
    for (const auto& [child, file] : node.children)
      if (file->is_regular() && file->entry->size <= kConfigFileBytes &&
          scene_.rootfs.elf_facts(*file) == nullptr && !child.ends_with(".la") &&
          !child.ends_with(".a") && !child.starts_with("README") && file->entry->shebang.empty())
        root(object, cat(prefix, "/", child), Why::config, cat("beside the plug-ins of ", prefix));
  }

  void root(const Process::Loaded& object, std::string path, Why why, std::string detail) {
    if (!rooted_.insert(path).second) return;
    out_.roots.push_back({.path_or_glob = std::move(path),
                          .why = why,
                          .detail = std::move(detail),
                          .optional = true,
                          .from = object.path});
  }

  const SearchPlaces& places() const {
    return process_.kind() == LoaderKind::glibc ? scene_.glibc : scene_.musl;
  }

  Process& process_;
  Scene& scene_;
  CodeEvidence out_;
  std::set<std::string> rooted_;
  std::size_t programs_ = 0;
};

}  // namespace

CodeEvidence follow_code(Process& process, std::size_t first, Scene& scene) {
  return Follower(process, scene).run(first);
}

}  // namespace cloister::manifest
