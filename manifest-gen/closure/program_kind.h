// What a program is, by its name.
#pragma once

#include <string_view>

namespace cloister::manifest {

// A shell or the interpreter of a language: what it imports says nothing about what a script does.
bool is_interpreter(std::string_view base_name);

}  // namespace cloister::manifest
