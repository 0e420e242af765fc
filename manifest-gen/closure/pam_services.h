// Files of /etc/pam.d (pam.d(5)): the modules and further files of one service.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

struct PamService {
  std::vector<std::string> modules;   // "pam_unix.so", or an absolute path
  std::vector<std::string> includes;  // names of other services
};
PamService parse_pam_service(std::string_view text);

}  // namespace cloister::manifest
