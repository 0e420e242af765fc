// The attack surface of an enclave: what it may open, whose files these are, and what the programs
// among them can do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/toml.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/packages/package_index.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// What is known beside the manifest; any may be null.
struct SurfaceInput {
  const TomlTable& manifest;
  const Closure* closure = nullptr;
  const measure::Rootfs* rootfs = nullptr;
  const PackageIndex* packages = nullptr;
  const std::map<std::string, std::string>* reasons = nullptr;  // by URI
};

// A file once, whatever number of names it is granted under.
struct GrantedFile {
  enum class Kind { unknown, elf, script, data, runtime };
  std::string path;  // real, where that is known
  std::string sha256;
  std::optional<std::uint64_t> size;
  Kind kind = Kind::unknown;
  std::string package, version, layer;  // empty: not known, or nobody's
  std::vector<std::string> reasons, aliases;
};
std::string_view kind_name(GrantedFile::Kind kind);

struct GrantedEdge {
  std::ptrdiff_t from;  // index into `files`; -1: what the manifest starts
  std::size_t to;
  Why why;
  std::string detail;
};

struct Surface {
  std::vector<GrantedFile> files;  // sorted by path
  std::vector<GrantedEdge> edges;  // empty without a closure
  std::uint64_t bytes = 0;
  std::size_t elf = 0, scripts = 0;
  std::size_t image_files = 0;    // regular files of the image; 0: not known
  std::uint64_t image_bytes = 0;  // of these
  struct Share {
    std::string name, version;  // both empty: nobody's; kRuntimeShare: the runtime's
    std::size_t files = 0;
    std::uint64_t bytes = 0;
  };
  std::vector<Share> packages;  // most bytes first
  // By the functions that granted ELF files import: what code of the enclave can ask for.
  struct Capability {
    std::string_view name;  // "network", "execute", "load code"
    std::vector<std::string> files, functions;
  };
  std::vector<Capability> capabilities;
};
inline constexpr std::string_view kRuntimeShare = "gramine (runtime)";

Surface surface_of(const SurfaceInput& input);

}  // namespace cloister::manifest
