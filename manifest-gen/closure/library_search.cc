// glibc: DT_RPATH of the object and of those that loaded it (unless the object has DT_RUNPATH),
// LD_LIBRARY_PATH, DT_RUNPATH of the object alone, then the system directories. musl: first
// LD_LIBRARY_PATH, then RPATH or RUNPATH (no difference) of the object and all that loaded it, then
// the system directories. Both skip a candidate of the wrong class or machine and go on.
//
// Paths are made lexically normal because Gramine does that before it looks a file up:
// "$ORIGIN/../lib" with a symbolic link for $ORIGIN is another directory there than on Linux.
#include "manifest-gen/closure/library_search.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::uint64_t kNoDefaultLib = 0x800;  // DF_1_NODEFLIB
// $LIB as distributions configure it; Debian's first.
constexpr std::string_view kLibNames[] = {"lib/x86_64-linux-gnu", "lib64", "lib"};
constexpr std::string_view kPlatform = "x86_64";

struct Place {
  std::string directory;
  bool uses_lib = false;  // $LIB: another one under the runtime's loader
};

// Replaces $NAME and ${NAME}.
bool replace_token(std::string& text, std::string_view name, std::string_view value) {
  bool any = false;
  for (const std::string& token : {cat("${", name, "}"), cat("$", name)}) {
    for (std::size_t at = 0; (at = text.find(token, at)) != std::string::npos; at += value.size()) {
      text.replace(at, token.size(), value);
      any = true;
    }
  }
  return any;
}

// The directories of one RPATH or RUNPATH.
std::vector<Place> places_of(std::string_view run_path, std::string_view origin,
                             std::string_view workdir) {
  std::vector<Place> out;
  for (const std::string_view item : split(run_path, ':')) {
    std::string text(item);
    replace_token(text, "ORIGIN", origin);
    replace_token(text, "PLATFORM", kPlatform);
    for (const std::string_view lib : kLibNames) {
      std::string directory = text;
      const bool uses_lib = replace_token(directory, "LIB", lib);
      if (!directory.starts_with('/')) directory = cat(workdir, "/", directory);
      out.push_back({measure::normalize_path(directory), uses_lib});
      if (!uses_lib) break;
    }
  }
  return out;
}

class Search {
 public:
  Search(const measure::Rootfs& rootfs, const SearchPlaces& places, std::string_view name)
      : rootfs_(rootfs), places_(places), name_(name) {}

  LibrarySearch run(const std::vector<Requester>& chain) {
    if (name_.find('/') != std::string_view::npos) {
      by_path(chain.front());
    } else if (places_.loader == LoaderKind::glibc) {
      glibc(chain);
    } else {
      musl(chain);
    }
    return std::move(out_);
  }

 private:
  void by_path(const Requester& requester) {
    std::string path(name_);
    replace_token(path, "ORIGIN", requester.origin);
    if (!path.starts_with('/')) path = cat(places_.workdir, "/", path);
    (void)candidate(measure::normalize_path(path), false, true);
  }

  void glibc(const std::vector<Requester>& chain) {
    const measure::elf::Facts& self = *chain.front().facts;
    if (!self.runpath) {
      for (const Requester& object : chain)
        if (object.facts->rpath && !object.facts->runpath &&
            in_run_path(*object.facts->rpath, object.origin, true))
          return;
    }
    if (in_directories(places_.environment, true)) return;
    if (self.runpath && in_run_path(*self.runpath, chain.front().origin, false)) return;
    if ((self.flags_1 & kNoDefaultLib) == 0) (void)in_directories(places_.system, true);
  }

  void musl(const std::vector<Requester>& chain) {
    if (in_directories(places_.environment, true)) return;
    for (const Requester& object : chain) {
      const auto& run_path = object.facts->runpath ? object.facts->runpath : object.facts->rpath;
      if (run_path && in_run_path(*run_path, object.origin, false)) return;
    }
    (void)in_directories(places_.system, false);
  }

  bool in_run_path(std::string_view run_path, std::string_view origin, bool precedes) {
    for (const Place& place : places_of(run_path, origin, places_.workdir))
      if (candidate(in(place.directory), place.uses_lib, precedes && !place.uses_lib)) return true;
    return false;
  }

  bool in_directories(const std::vector<std::string>& directories, bool needs_directory) {
    for (const std::string& directory : directories)
      if (candidate(in(directory), needs_directory, false)) return true;
    return false;
  }

  std::string in(const std::string& directory) const {
    return directory == "/" ? cat("/", name_) : cat(directory, "/", name_);
  }

  bool candidate(std::string path, bool needs_directory, bool precedes) {
    const measure::Node* node = rootfs_.find(path);
    const std::string_view why_not = why_not_a_library(rootfs_, node);
    if (why_not.empty()) {
      out_.found = FoundLibrary{std::move(path), node, needs_directory, precedes};
      return true;
    }
    std::string line = cat(printable(path), ": ", why_not);
    if (std::find(out_.searched.begin(), out_.searched.end(), line) == out_.searched.end())
      out_.searched.push_back(std::move(line));
    return false;
  }

  const measure::Rootfs& rootfs_;
  const SearchPlaces& places_;
  std::string_view name_;
  LibrarySearch out_;
};

}  // namespace

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

LibrarySearch find_library(const measure::Rootfs& rootfs, const SearchPlaces& places,
                           std::string_view name, const std::vector<Requester>& chain) {
  return Search(rootfs, places, name).run(chain);
}

bool is_musl_builtin(std::string_view name) {
  // ldso/dynlink.c, load_library: "libc.musl-x86_64.so.1" begins with "libc." like the others.
  static constexpr std::string_view kReserved[] = {"libc.",  "libpthread.", "librt.",  "libm.",
                                                   "libdl.", "libutil.",    "libxnet."};
  return std::any_of(std::begin(kReserved), std::end(kReserved),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace cloister::manifest
