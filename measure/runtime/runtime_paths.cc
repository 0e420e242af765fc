// --runtime takes any directory: a root, /usr, an install prefix, a library directory, the
// `gramine` directory itself. Hashing all of /usr for the forty files that matter would take a
// minute, so a directory is walked along this table only: prefixes under which software is
// installed, directories below a prefix, and files in those. Deliberately no general search: a
// Gramine under an unusual path is found when its own prefix is named.
#include "measure/runtime/runtime_paths.h"

#include <cstddef>
#include <span>

namespace cloister::measure {
namespace {

constexpr std::string_view kPrefixes[] = {
    "",
    "usr/",
    "usr/local/",
    "local/",
    "opt/gramine/",
    "gramine/meson_build_output/",
    "meson_build_output/",
};

// '*' stands for any characters of one component, once in each.
struct PathRule {
  std::span<const std::string_view> directories;  // below a prefix; "" is the prefix itself
  std::span<const std::string_view> files;        // below such a directory
};

constexpr std::string_view kGramineDirectories[] = {
    "lib/x86_64-linux-gnu/gramine/", "lib/gramine/", "lib64/gramine/",
    "x86_64-linux-gnu/gramine/",     "gramine/",     "",
};
constexpr std::string_view kGramineFiles[] = {
    "sgx/*", "direct/*", "libsysdb.so", "runtime/glibc/*", "runtime/musl/*",
};

// The libraries of the loader under the names it uses, their links and what those lead to.
constexpr std::string_view kLibraryDirectories[] = {
    "lib/", "lib/x86_64-linux-gnu/", "lib64/", "x86_64-linux-gnu/", "",
};
constexpr std::string_view kLibraries[] = {
    "ld-linux-x86-64.so.2",
    "ld-2.*.so",
    "libc.so.6",
    "libc-2.*.so",
    "libm.so.6",
    "libm-2.*.so",
    "libdl.so.2",
    "libdl-2.*.so",
    "libpthread.so.0",
    "libpthread-2.*.so",
    "librt.so.1",
    "librt-2.*.so",
    "libprotobuf-c.so.*",
    "libgcc_s.so.1",
    "ld-musl-x86_64.so.1",
    "libc.musl-x86_64.so.1",
    "libra_tls_attest.so",
    "libsecret_prov_attest.so",
    "libmbedcrypto_gramine.so.*",
    "libmbedtls_gramine.so.*",
    "libmbedx509_gramine.so.*",
};

constexpr std::string_view kPythonDirectories[] = {
    "lib/python3*/site-packages/",
    "lib/python3*/dist-packages/",
    "lib64/python3*/site-packages/",
    "",
};
constexpr std::string_view kPythonFiles[] = {
    "_graminelibos_offsets.py",
    "graminelibos*.dist-info/METADATA",
    "graminelibos*.egg-info/PKG-INFO",
};

// Links of a merged /usr, versions and licences.
constexpr std::string_view kPrefixDirectories[] = {""};
constexpr std::string_view kOtherFiles[] = {
    "lib",
    "lib64",
    "lib/x86_64-linux-gnu",
    "bin/gramine-ratls",
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d/*",
    "share/doc/gramine/copyright",
    "share/doc/libprotobuf-c1/copyright",
    "share/doc/libc6/copyright",
    "share/doc/libgcc-s1/copyright",
};

constexpr PathRule kPathRules[] = {
    {kGramineDirectories, kGramineFiles},
    {kLibraryDirectories, kLibraries},
    {kPythonDirectories, kPythonFiles},
    {kPrefixDirectories, kOtherFiles},
};

struct Match {
  bool file = false;       // the path fits a pattern whole
  bool directory = false;  // something below it can
};

bool matches_component(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  const std::string_view head = pattern.substr(0, star), tail = pattern.substr(star + 1);
  return name.size() >= head.size() + tail.size() && name.starts_with(head) && name.ends_with(tail);
}

std::string_view take_component(std::string_view& path) {
  const std::size_t slash = path.find('/');
  const std::string_view first = path.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  return first;
}

// Takes what `pattern` names off the front of `path`. False: it leads elsewhere; a path that ends
// on the way there is a directory that may hold such files.
bool enter(std::string_view pattern, std::string_view& path, Match& out) {
  while (!pattern.empty()) {
    if (path.empty()) {
      out.directory = true;
      return false;
    }
    const std::string_view want = take_component(pattern);
    if (!matches_component(want, take_component(path))) return false;
  }
  return true;
}

Match match_runtime(std::string_view path) {
  Match out;
  for (const std::string_view prefix : kPrefixes) {
    std::string_view below_prefix = path;
    if (!enter(prefix, below_prefix, out)) continue;
    for (const PathRule& rule : kPathRules) {
      for (const std::string_view directory : rule.directories) {
        std::string_view below_directory = below_prefix;
        if (!enter(directory, below_directory, out)) continue;
        for (const std::string_view file : rule.files) {
          std::string_view rest = below_directory;
          if (enter(file, rest, out) && rest.empty()) out.file = true;
        }
      }
    }
  }
  return out;
}

}  // namespace

bool is_runtime_file(std::string_view path) {
  return match_runtime(path).file;
}
bool may_hold_runtime_files(std::string_view directory) {
  return match_runtime(directory).directory;
}

}  // namespace cloister::measure
