// Configuration text of servers as directives, in the little that their syntaxes have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

struct ConfigDirective {
  std::string name;                // the first word: "include", "DocumentRoot", "ssl_certificate"
  std::vector<std::string> words;  // the others, without quotes
};

// nginx, Apache, lighttpd, haproxy, redis, INI: a directive ends with its line, or at ';', '{' or
// '}'; words are separated by blanks and "=,()<>[]" outside of quotes; '#' in front of a word, and
// ';' in front of a line, begin a comment; a backslash joins lines. Any bytes; linear.
std::vector<ConfigDirective> scan_config(std::string_view text);

}  // namespace cloister::manifest
