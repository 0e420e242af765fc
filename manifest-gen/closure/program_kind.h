// What a program is, by its name.
#pragma once

#include <string_view>

namespace cloister::manifest {

// A shell or the interpreter of a language: what it imports says nothing about what a script does.
bool is_interpreter(std::string_view base_name);

// A tool that opens no file that it is given (chown, mkdir).
bool reads_no_argument(std::string_view path);

}  // namespace cloister::manifest
