// The small files that say where Python finds things: pyvenv.cfg (PEP 405), .pth (site), RECORD
// (PEP 376, 427), entry_points.txt. They come from the image: any bytes are survived.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest::python {

struct VirtualEnvironment {
  std::string home;  // the directory of the base interpreter; empty when the file names none
  bool system_site = false;
  std::string version;  // "3.11.2", or empty
};
VirtualEnvironment parse_pyvenv(std::string_view text);

struct PthFile {
  std::vector<std::string> paths;  // as written: relative ones are below the site directory
  std::string code;                // the lines that site executes, as Python text
};
PthFile parse_pth(std::string_view text);

// The installed files as RECORD spells them: relative to the site directory. Quoted fields are
// read; digests and sizes are not wanted.
std::vector<std::string> parse_record(std::string_view text);

struct EntryPoint {
  std::string group, name;
  std::string module;  // "pkg.mod" of "pkg.mod:attribute [extra]"
};
std::vector<EntryPoint> parse_entry_points(std::string_view text);

// The directories that a setuptools finder of an editable installation (__editable___*_finder.py)
// maps packages to: the parent of each absolute path in it.
std::vector<std::string> parse_editable_finder(std::string_view text);

}  // namespace cloister::manifest::python
