// glibc (elf/dl-load.c, _dl_map_object): DT_RPATH of the object and of those that loaded it (unless
// the object has DT_RUNPATH), LD_LIBRARY_PATH, DT_RUNPATH of the object alone, ld.so.cache, then
// the built-in directories; the last two not with DF_1_NODEFLIB (a cache entry elsewhere still
// counts). In each directory glibc-hwcaps comes first. A file of another class or machine is passed
// over; one that is no ELF file at all, or no shared object, ends the search: the program does not
// start.
//
// musl (ldso/dynlink.c, load_library): LD_LIBRARY_PATH, then RPATH or RUNPATH (no difference) of
// the object and all that loaded it, then the path file's directories. The first file of that name
// is taken, whatever it is.
//
// Paths are resolved as Linux does it, and granted lexically normal, as Gramine looks them up:
// where a symbolic link before ".." makes these two different files, the real directory must be in
// LD_LIBRARY_PATH.
#include "manifest-gen/closure/library_search.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::uint64_t kNoDefaultLib = 0x800;  // DF_1_NODEFLIB
constexpr std::size_t kMaxSoname = 255;         // NAME_MAX

std::string below(std::string_view directory, std::string_view name) {
  return directory == "/" ? cat("/", name) : cat(directory, "/", name);
}

}  // namespace

// One search. Each step answers true when the search is over, with or without a result.
class Search {
 public:
  Search(LibrarySearcher& searcher, const SearchPlaces& places, std::string_view name,
         std::string_view environment_origin)
      : searcher_(searcher),
        rootfs_(searcher.rootfs_),
        places_(places),
        name_(name),
        environment_origin_(environment_origin) {}

  LibrarySearch run(const std::vector<Requester>& chain) {
    if (name_.find('/') != std::string_view::npos) {
      by_path();
    } else if (name_.empty() || name_.size() > kMaxSoname) {
      out_.searched.push_back("the name cannot be that of a file");
    } else if (places_.loader == LoaderKind::glibc) {
      glibc(chain);
    } else {
      musl(chain);
    }
    return std::move(out_);
  }

 private:
  struct Place {
    bool needs_directory = false, precedes = false;
  };

  void by_path() {
    const std::string path =
        name_.starts_with('/') ? std::string(name_) : below(places_.workdir, name_);
    (void)judge(path, rootfs_.find(path), {false, true});
  }

  void glibc(const std::vector<Requester>& chain) {
    const measure::elf::Facts& self = *chain.front().facts;
    if (!self.runpath) {
      for (const Requester& object : chain)
        if (object.facts->rpath && !object.facts->runpath &&
            in_run_path(*object.facts->rpath, object.origin, true))
          return;
    }
    if (in_environment()) return;
    if (self.runpath && in_run_path(*self.runpath, chain.front().origin, false)) return;
    const bool defaults = (self.flags_1 & kNoDefaultLib) == 0;
    if (in_cache(defaults)) return;
    if (!defaults) return;
    if (in_directories(places_.defaults, true)) return;
    if (places_.cache == nullptr) {
      if (in_directories(places_.configured, true)) return;
    } else {
      not_in_cache();
    }
  }

  void musl(const std::vector<Requester>& chain) {
    if (in_environment()) return;
    for (const Requester& object : chain) {
      const auto& run_path = object.facts->runpath ? object.facts->runpath : object.facts->rpath;
      if (run_path && in_run_path(*run_path, object.origin, false)) return;
    }
    (void)in_directories(places_.defaults, false);
  }

  bool in_run_path(std::string_view run_path, std::string_view origin, bool precedes) {
    const TokenValues tokens{origin, places_.lib};
    for (const RunPathPlace& place :
         run_path_places(places_.loader, run_path, tokens, places_.workdir))
      if (candidate(place.directory, {place.elsewhere, precedes && !place.elsewhere})) return true;
    return false;
  }

  bool in_environment() {
    const TokenValues tokens{environment_origin_, places_.lib};
    for (const RunPathPlace& place :
         environment_places(places_.loader, places_.environment, tokens, places_.workdir))
      if (candidate(place.directory, {true, false})) return true;
    return false;
  }

  bool in_directories(const std::vector<std::string>& directories, bool needs_directory) {
    for (const std::string& directory : directories)
      if (candidate(directory, {needs_directory, false})) return true;
    return false;
  }

  // The entry for every CPU is the one that counts; the others are variants of it. A stale entry is
  // passed over.
  bool in_cache(bool defaults) {
    if (places_.cache == nullptr) return false;
    bool over = false;
    for (const LdSoCache::Entry& entry : places_.cache->find(name_)) {
      const std::string_view path = entry.path;
      if (!defaults && in_default_directory(path)) continue;
      const measure::Node* node = rootfs_.find(path);
      if (!entry.hwcaps.empty()) {
        if (is_hwcaps(entry.hwcaps) && why_not_a_library(rootfs_, node).empty())
          add(out_.variants, path, node, {true, false});
        continue;
      }
      // The loader looks at the first entry for its class only.
      over = judge(std::string(path), node, {true, false});
      if (!over && !out_.searched.empty()) out_.searched.back() += " (named by /etc/ld.so.cache)";
      break;
    }
    return over;
  }

  static bool is_hwcaps(std::string_view name) {
    return std::find(std::begin(kHwcaps), std::end(kHwcaps), name) != std::end(kHwcaps);
  }

  bool in_default_directory(std::string_view path) const {
    return std::any_of(places_.defaults.begin(), places_.defaults.end(),
                       [&](const std::string& directory) { return is_within(path, directory); });
  }

  // For people: the file may be there, where ldconfig was not run after it came.
  void not_in_cache() {
    for (const std::string& directory : places_.configured) {
      const std::string path = below(directory, name_);
      if (why_not_a_library(rootfs_, rootfs_.find(path)).empty())
        out_.searched.push_back(
            cat(printable(path), ": not in /etc/ld.so.cache (ldconfig was not run after it came)"));
    }
  }

  bool candidate(const std::string& directory, Place place) {
    if (searcher_.budget_ == 0) {
      out_.searched.push_back("the image makes loaders look in too many places: given up");
      return true;
    }
    --searcher_.budget_;
    const std::string path = below(directory, name_);
    const LibrarySearcher::Directory& there = searcher_.directory(directory);
    if (places_.loader == LoaderKind::glibc) {
      for (const std::string_view hwcaps : there.hwcaps) {
        const std::string variant = cat(directory, "/glibc-hwcaps/", hwcaps, "/", name_);
        const measure::Node* node = rootfs_.find(variant);
        if (why_not_a_library(rootfs_, node).empty()) add(out_.variants, variant, node, place);
      }
    }
    const measure::Node* node = nullptr;
    if (there.node != nullptr) {
      const auto child = there.node->children.find(name_);
      if (child != there.node->children.end())
        node = child->second->is_symlink() ? rootfs_.find(path) : child->second.get();
    }
    return judge(path, node, place);
  }

  // Whether the search is over. A variant without the library for every CPU does not end it: on an
  // older one the loader goes on.
  bool judge(const std::string& path, const measure::Node* node, Place place) {
    const std::string_view why_not = why_not_a_library(rootfs_, node);
    if (why_not.empty()) {
      std::vector<FoundLibrary> found;
      add(found, path, node, place);
      out_.found = std::move(found.front());
      return true;
    }
    bool over = node != nullptr;
    if (over && places_.loader == LoaderKind::glibc) {
      const measure::elf::Facts* facts = rootfs_.elf_facts(*node);
      over = facts == nullptr || facts->is_x86_64();
    }
    std::string line = cat(printable(measure::normalize_path(path)), ": ", why_not,
                           over ? " (the loader gives up here)" : "");
    if (std::find(out_.searched.begin(), out_.searched.end(), line) == out_.searched.end())
      out_.searched.push_back(std::move(line));
    return over;
  }

  void add(std::vector<FoundLibrary>& to, std::string_view path, const measure::Node* node,
           Place place) {
    std::string normal = measure::normalize_path(path);
    if (normal != path && rootfs_.find(normal) != node) {
      const std::string_view directory = path.substr(0, path.rfind('/'));
      normal = below(rootfs_.real_path(directory).value_or(std::string(directory)),
                     path.substr(directory.size() + 1));
      place = {true, false};
    }
    to.push_back({std::move(normal), node, place.needs_directory, place.precedes});
  }

  LibrarySearcher& searcher_;
  const measure::Rootfs& rootfs_;
  const SearchPlaces& places_;
  std::string_view name_, environment_origin_;
  LibrarySearch out_;
};

const LibrarySearcher::Directory& LibrarySearcher::directory(const std::string& path) {
  auto [at, added] = directories_.try_emplace(path);
  Directory& out = at->second;
  if (!added) return out;
  const measure::Node* node = rootfs_.find(path);
  if (node == nullptr || !node->is_directory()) return out;
  out.node = node;
  const measure::Node* hwcaps =
      node->children.contains("glibc-hwcaps") ? rootfs_.find(cat(path, "/glibc-hwcaps")) : nullptr;
  if (hwcaps == nullptr || !hwcaps->is_directory()) return out;
  for (const std::string_view name : kHwcaps)
    if (hwcaps->children.contains(name)) out.hwcaps.push_back(name);
  return out;
}

LibrarySearch LibrarySearcher::find(const SearchPlaces& places, std::string_view name,
                                    const std::vector<Requester>& chain,
                                    std::string_view environment_origin) {
  LibrarySearch out = Search(*this, places, name, environment_origin).run(chain);
  // Only for newer processors: then one of them has to do.
  if (!out.found && !out.variants.empty()) {
    out.found = out.variants.back();
    out.variants.pop_back();
  }
  return out;
}

std::string_view why_not_a_library(const measure::Rootfs& rootfs, const measure::Node* node) {
  if (node == nullptr) return "not there";
  if (!node->is_regular()) return "not a regular file";
  const measure::elf::Facts* facts = rootfs.elf_facts(*node);
  if (facts == nullptr) return "not an ELF file";
  if (!facts->is_64 || !facts->little_endian) return "wrong ELF class (not 64-bit)";
  if (facts->machine != measure::elf::kMachineX86_64) return "wrong machine (not x86-64)";
  if (facts->type != measure::elf::kTypeDyn) return "not a shared object";
  return {};
}

bool is_musl_builtin(std::string_view name) {
  // ldso/dynlink.c, load_library: "libc.musl-x86_64.so.1" begins with "libc." like the others.
  static constexpr std::string_view kReserved[] = {"libc.",  "libpthread.", "librt.",  "libm.",
                                                   "libdl.", "libutil.",    "libxnet."};
  return std::any_of(std::begin(kReserved), std::end(kReserved),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace cloister::manifest
