// Versions are part of the names: "python3.11", "php-cgi8.2", "lua5.4".
#include "manifest-gen/closure/program_kind.h"

#include <algorithm>
#include <iterator>

#include "base/path.h"

namespace cloister::manifest {

bool is_interpreter(std::string_view base_name) {
  static constexpr std::string_view kNames[] = {
      "ash",  "bash", "busybox", "dash",    "gawk",    "java", "ksh",    "lua",  "mawk",  "mksh",
      "node", "perl", "php",     "php-cgi", "php-fpm", "pypy", "python", "ruby", "tclsh", "zsh"};
  return base_name == "sh" || base_name == "R" ||
         std::any_of(std::begin(kNames), std::end(kNames), [&](std::string_view name) {
           return base_name.starts_with(name) &&
                  base_name.substr(name.size()).find_first_not_of("0123456789.") ==
                      std::string_view::npos;
         });
}

bool reads_no_argument(std::string_view path) {
  static constexpr std::string_view kTools[] = {"chgrp", "chmod", "chown",  "ln",
                                                "ls",    "mkdir", "mktemp", "rm",
                                                "rmdir", "touch", "test",   "["};
  return std::find(std::begin(kTools), std::end(kTools), base_name(path)) != std::end(kTools);
}

}  // namespace cloister::manifest
