// The loader is an ordinary host program (in Gramine's packages a glibc one that needs
// libprotobuf-c), and it must start in images that have no libc or another one. Its libraries come
// from what --runtime named, never from the machine that builds.
//
// ld.so and libc.so.6 share private interfaces (GLIBC_PRIVATE), so they are taken as a pair from
// one source. Which glibc is new enough is not assumed but compared: every version that the loader
// and its other libraries need (DT_VERNEED) must be defined (DT_VERDEF) by the file that is chosen.
#include "measure/runtime/loader_libraries.h"

#include <algorithm>
#include <array>
#include <deque>
#include <set>

#include "base/path.h"
#include "base/text.h"

namespace cloister::measure {
namespace {

// Debian's directories, then those of other distributions; the root itself for a directory that
// holds nothing but the libraries.
constexpr std::array<std::string_view, 11> kSearchedDirectories = {
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib/x86_64-linux-gnu",
    "/usr/local/lib64",
    "/usr/local/lib",
    "/x86_64-linux-gnu",
    "/",
};

// The libraries that belong to one build of glibc, beside its dynamic linker.
constexpr std::array<std::string_view, 10> kGlibcFamily = {
    "libc.so.6",    "libm.so.6",      "libdl.so.2",   "libpthread.so.0", "librt.so.1",
    "libutil.so.1", "libresolv.so.2", "libmvec.so.1", "libanl.so.1",     "libnsl.so.1"};

bool is_glibc_family(std::string_view soname) {
  return std::find(kGlibcFamily.begin(), kGlibcFamily.end(), soname) != kGlibcFamily.end();
}

// One component of a path: it becomes a file name in the built image.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

// Something that needs libraries: the loader, or one of its libraries.
struct Needer {
  std::string name;
  const elf::Facts* facts = nullptr;
};

class Search {
 public:
  Search(const std::vector<RuntimeSource>& sources, const Limits& limits,
         const std::function<bool(std::size_t, const Node&)>& is_excluded)
      : sources_(sources), limits_(limits), is_excluded_(is_excluded) {}

  LoaderLibraries run(const elf::Facts& loader) {
    interpreter_ = loader.interpreter;
    needers_.push_back({"sgx/loader", &loader});
    find_others();
    find_c_library();
    return std::move(out_);
  }

 private:
  // Everything but the C library, breadth first.
  void find_others() {
    for (std::size_t i = 0; i < needers_.size(); ++i) {
      const Needer needer = needers_[i];
      for (const std::string& soname : needer.facts->needed) {
        if (soname == base_name(interpreter_) || !seen_.insert(soname).second) continue;
        if (seen_.size() > limits_.elf_needed) return;
        if (is_glibc_family(soname)) {
          family_.insert(soname);
        } else {
          find_library(soname, needer.name);
        }
      }
    }
  }

  void find_library(const std::string& soname, const std::string& needer) {
    if (!is_plain_name(soname)) {
      out_.missing.push_back(
          cat(quote(soname), ", needed by ", printable(needer),
              ": a library named by path cannot come along; use another runtime"));
      return;
    }
    std::string doubt;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const Node* node = find_in(i, soname);
      if (node == nullptr) continue;
      const std::string lacking = undefined_version(soname, *node, i);
      if (lacking.empty()) {
        out_.libraries[soname] = {i, node};
        needers_.push_back({soname, sources_[i].rootfs->elf_facts(*node)});
        return;
      }
      if (doubt.empty()) doubt = lacking_text(lacking, soname, i);
    }
    const std::string_view package = library_package(soname);
    out_.missing.push_back(
        cat(doubt.empty() ? cat(printable(soname), ", needed by ", printable(needer)) : doubt,
            ": add --runtime ", package.empty() ? "with" : cat(package, "_VERSION_amd64.deb or"),
            " an image that has it"));
  }

  // ld.so and libc from one source that suits all who need them.
  void find_c_library() {
    if (interpreter_.empty()) return;
    std::string newest_doubt;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      std::map<std::string, FoundLibrary> family;
      std::string doubt;
      if (!collect_family(i, family, doubt)) continue;
      if (doubt.empty()) {
        out_.libraries.merge(family);
        return;
      }
      if (newest_doubt.empty()) newest_doubt = doubt;
    }
    const std::string pair = join(wanted_pair(), " and ");
    if (newest_doubt.empty()) {
      out_.missing.push_back(cat(pair, " (one pair, from one source), needed by sgx/loader: add ",
                                 "--runtime libc6_VERSION_amd64.deb or an image that has them"));
    } else {
      out_.missing.push_back(cat(newest_doubt,
                                 ": add --runtime with an image or libc6_VERSION_amd64.deb ",
                                 "that is at least as new as the one the loader was built with"));
    }
  }

  std::vector<std::string> wanted_pair() const {
    std::vector<std::string> names = {printable(base_name(interpreter_))};
    for (const std::string& soname : family_) names.push_back(printable(soname));
    return names;
  }

  // False when the source lacks a part; `doubt` says what its libc does not define.
  bool collect_family(std::size_t source, std::map<std::string, FoundLibrary>& family,
                      std::string& doubt) const {
    const Node* linker = usable(source, sources_[source].rootfs->find(interpreter_));
    if (linker == nullptr) linker = find_in(source, base_name(interpreter_));
    if (linker == nullptr) return false;
    family["ld.so"] = {source, linker};
    for (const std::string& soname : family_) {
      const Node* node = find_in(source, soname);
      if (node == nullptr) return false;
      family[soname] = {source, node};
      if (const std::string lacking = undefined_version(soname, *node, source); !lacking.empty())
        doubt = lacking_text(lacking, soname, source);
    }
    return true;
  }

  const Node* find_in(std::size_t source, std::string_view name) const {
    for (const std::string_view directory : kSearchedDirectories) {
      const std::string path = cat(directory == "/" ? "" : directory, '/', name);
      if (const Node* node = usable(source, sources_[source].rootfs->find(path))) return node;
    }
    return nullptr;
  }

  const Node* usable(std::size_t source, const Node* node) const {
    if (node == nullptr || !node->is_regular() || is_excluded_(source, *node)) return nullptr;
    const elf::Facts* facts = sources_[source].rootfs->elf_facts(*node);
    return facts != nullptr && facts->is_x86_64() && facts->type == elf::kTypeDyn ? node : nullptr;
  }

  // "GLIBC_2.38, needed by sgx/loader" for the first version of `soname` that `node` does not
  // define, else empty.
  std::string undefined_version(const std::string& soname, const Node& node,
                                std::size_t source) const {
    const elf::Facts* facts = sources_[source].rootfs->elf_facts(node);
    const auto& defined = facts->version_definitions;
    for (const Needer& needer : needers_) {
      for (const elf::VersionNeed& need : needer.facts->version_needs) {
        if (need.file != soname) continue;
        for (const auto& version : need.versions) {
          if (version.weak) continue;
          if (std::find(defined.begin(), defined.end(), version.name) == defined.end())
            return cat(printable(version.name), ", needed by ", printable(needer.name));
        }
      }
    }
    return {};
  }

  std::string lacking_text(const std::string& lacking, const std::string& soname,
                           std::size_t source) const {
    return cat(lacking, ", which ", printable(soname), " of ", quote(sources_[source].name),
               " does not define");
  }

  const std::vector<RuntimeSource>& sources_;
  const Limits& limits_;
  const std::function<bool(std::size_t, const Node&)>& is_excluded_;
  std::string interpreter_;
  std::deque<Needer> needers_;
  std::set<std::string> seen_, family_;
  LoaderLibraries out_;
};

}  // namespace

LoaderLibraries find_loader_libraries(
    const std::vector<RuntimeSource>& sources, const elf::Facts& loader, const Limits& limits,
    const std::function<bool(std::size_t, const Node&)>& is_excluded) {
  return Search(sources, limits, is_excluded).run(loader);
}

std::string_view library_package(std::string_view soname) {
  if (soname == "ld.so" || is_glibc_family(soname)) return "libc6";
  if (soname == "libprotobuf-c.so.1") return "libprotobuf-c1";
  if (soname == "libgcc_s.so.1") return "libgcc-s1";
  return {};
}

}  // namespace cloister::measure
