// What words of configuration mean whose syntax is not known: by their looks alone.
#pragma once

#include <string_view>

namespace cloister::manifest {

bool is_config_name(std::string_view path);  // "app.yml"
// By its name or its place: /etc, /usr/local/etc.
bool is_config_path(std::string_view path);
// The same, but not what the whole system has: /etc/passwd, /etc/shells.
bool is_own_config(std::string_view path);

// "--config=FILE" → "FILE"; of an option without a value nothing.
std::string_view option_value(std::string_view word);

// What programs without a row call it: "include", "include_dir", "!includedir", "@include",
// "%include", ".include", "$INCLUDE", "conf-dir".
bool is_include(std::string_view directive);

// A file's name rather than a value: "cert.pem", "rules/*.yml".
bool looks_like_file(std::string_view word);

}  // namespace cloister::manifest
