// Ruby: which features, files and gems a text names. Spelling of the names:
//   "require:a/b"     require, load and autoload of a string: found in the load path
//   "relative:a/b"    require_relative, and what is joined to __dir__ or __FILE__ and loaded
//   "family:a/"       require of a string whose end is computed: everything that begins so
//   "own:a/b"         a file or directory beside this one that is named otherwise; "own:" alone:
//                     the file looks around in its own directory
//   "path:DIR"        goes to the load path; "path:@own/REL" is relative to this file
//   "gem:NAME"        of a Gemfile, or activated by name
//   "bin:GEM/NAME"    the program of a gem, in the launchers that RubyGems writes
//   "lib:DIR"         require_paths of a gem specification
//   "string:a/b"      a string that may be a feature; only of texts that load computed names
//   "run:COMMAND"     system, spawn, `…` and their like of a string
//   "encoding:NAME"   a character set beyond UTF-8; '*' when it is computed
//   "zone:"           asks for a time zone by name
//   "bundle:"         Bundler.require: every gem of the Gemfile is loaded
// Dynamic: a feature is loaded under a name that is computed.
#pragma once

#include "measure/source/source.h"

namespace cloister::measure::source {

bool is_ruby(std::string_view path, std::string_view shebang);
Facts scan_ruby(ByteView text, const Limits& limits);

}  // namespace cloister::measure::source
