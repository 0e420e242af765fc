// What a program opens because its configuration says so.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest {

// What a server does with the directives of its configuration; a row of servers.cc.
// Lists are separated by blanks; directives are compared without case.
struct Server {
  std::string_view name = "";
  std::string_view programs = "";  // patterns of base names
  std::string_view files = "";     // its configuration when the command line names none: patterns
  std::string_view option = "";    // which names it: the option's value
  std::string_view includes =
      "";                         // directives: further configuration; patterns and directories too
  std::string_view modules = "";  // directives: files by names that may be relative
  std::string_view trees = "";    // directives: directories whose files it serves
  std::string_view bases = "";  // what relative names may be relative to, beside the configuration
  std::string_view module_of = "";     // "mod_*" words are files of these directories, with ".so"
  std::string_view plugins = "";       // directives: names of plug-ins
  std::string_view plugin_files = "";  // patterns of their files: "lib??_{}.so"
  std::string_view runs = "";          // directives: commands that it gives to the shell
  std::string_view scripts = "";       // directives: programs that a module's interpreter runs
  std::string_view interpreter = "";   // the first of these that is there knows what they open
  std::string_view extra = "";         // what it opens on its own: patterns
  std::string_view left_out = "";      // base names of the below and above that few need
  std::string_view programs_run = "";  // programs that it starts on its own
};

// A file that arguments name is configuration by its name ("app.yml") or by its place (/etc).
bool names_configuration(const ProgramStart& start, const AnalyzerScene& scene);

// Follows what the command line names, what `server` says, and `files`: configuration that is known
// to be the program's (its package's, or named in its code). `server` is null for a program that
// has no row.
Result<Analysis> read_configuration(const ProgramStart& start, const AnalyzerScene& scene,
                                    const Server* server, const std::vector<std::string>& files);

}  // namespace cloister::manifest
