#include "manifest-gen/runtimes/paths.h"

#include <algorithm>
#include <iterator>

namespace cloister::manifest {

bool is_shared_directory(std::string_view path) {
  static constexpr std::string_view kShared[] = {"/",
                                                 "/bin",
                                                 "/boot",
                                                 "/dev",
                                                 "/etc",
                                                 "/home",
                                                 "/lib",
                                                 "/lib64",
                                                 "/media",
                                                 "/mnt",
                                                 "/opt",
                                                 "/proc",
                                                 "/root",
                                                 "/run",
                                                 "/sbin",
                                                 "/srv",
                                                 "/sys",
                                                 "/tmp",
                                                 "/usr",
                                                 "/usr/bin",
                                                 "/usr/lib",
                                                 "/usr/lib64",
                                                 "/usr/libexec",
                                                 "/usr/local",
                                                 "/usr/local/bin",
                                                 "/usr/local/lib",
                                                 "/usr/local/sbin",
                                                 "/usr/local/share",
                                                 "/usr/sbin",
                                                 "/usr/share",
                                                 "/var",
                                                 "/var/cache",
                                                 "/var/lib",
                                                 "/var/log",
                                                 "/var/tmp"};
  return std::find(std::begin(kShared), std::end(kShared), path) != std::end(kShared);
}

}  // namespace cloister::manifest
