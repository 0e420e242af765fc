// ld.so.conf (ldconfig(8)) and musl's path file: where loaders look after everything else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

struct LdSoConfLine {
  bool include = false;
  std::string text;  // a directory, or the pattern of an include
  bool operator==(const LdSoConfLine&) const = default;
};

// Lines in order; comments, "hwcap" and blank lines are passed over. "DIR=TYPE" loses its type.
std::vector<LdSoConfLine> parse_ld_so_conf(std::string_view text);

// The directories of /etc/ld.so.conf with its includes. Here and below: only directories that
// exist; each once, under the first name by which it is met, as ldconfig does it.
Result<std::vector<std::string>> ld_so_conf_directories(const measure::Rootfs& rootfs,
                                                        const Limits& limits);

// What glibc has built in depends on the distribution, which shows in where it keeps its loader:
// multiarch (Debian), /lib64 (Fedora, SUSE); all of them where there is none.
struct GlibcLayout {
  std::vector<std::string> directories;
  std::string lib;  // $LIB; empty: not known
};
GlibcLayout glibc_layout(const measure::Rootfs& rootfs);

// Those of ld.so.conf, then the built-in ones.
Result<std::vector<std::string>> glibc_system_directories(const measure::Rootfs& rootfs,
                                                          const Limits& limits);

// /etc/ld-musl-x86_64.path (separated by ':' or newlines) or musl's default.
Result<std::vector<std::string>> musl_system_directories(const measure::Rootfs& rootfs,
                                                         const Limits& limits);
inline constexpr std::string_view kMuslPathFile = "/etc/ld-musl-x86_64.path";

}  // namespace cloister::manifest
