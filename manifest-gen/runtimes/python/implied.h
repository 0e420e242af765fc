// What Python code needs that its text does not say, and what it says but no service does.
#pragma once

#include <span>
#include <string_view>

namespace cloister::manifest::python {

// Every interpreter imports these before it comes to the program.
std::span<const std::string_view> start_modules();

// What a module imports from C, or under a name that it computes.
struct Implied {
  std::string_view module, needs;
};
std::span<const Implied> implied_modules();

// Files beyond modules that a module reads. "${stdlib}" stands for the standard library.
struct ModuleFile {
  std::string_view module, path, reason;
};
std::span<const ModuleFile> module_files();

// `name` is a tool of developers that the standard library's own `importer` starts only when a
// person asks for it: help(), breakpoint(), a module's self-test.
bool is_left_to_people(std::string_view importer, std::string_view name);

// A hook that setuptools has site install at every start: it imports setuptools only for those who
// import distutils (a row of implied_modules).
bool is_distutils_hook(std::string_view module);

// "a.b.c" → "a".
inline std::string_view top_level(std::string_view module) {
  return module.substr(0, module.find('.'));
}

// Never taken for a module because a string has its name.
bool is_unlikely_by_name(std::string_view name);

// Directories and modules of a package that nobody imports in service.
bool is_beside_the_program(std::string_view leaf);

// A file of a package that is no data: sources of other languages, headers, type stubs, notes.
bool is_no_package_data(std::string_view file_name);

}  // namespace cloister::manifest::python
