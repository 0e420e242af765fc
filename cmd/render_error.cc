#include "cmd/render_error.h"

namespace cloister::cmd {

std::string render_error(const Error& error, bool color) {
  const char* red = color ? "\033[1;31m" : "";
  const char* cyan = color ? "\033[1;36m" : "";
  const char* off = color ? "\033[0m" : "";
  std::string out = std::string(red) + "error:" + off + " " + error.what() + "\n";
  for (const std::string& line : error.details()) out += "  " + line + "\n";
  for (const std::string& line : error.trace()) out += "  while " + line + "\n";
  if (error.code() == Code::internal)
    out += "  this is a bug in cloister; please report it with the command line\n";
  if (!error.hint().empty()) out += std::string(cyan) + "hint:" + off + " " + error.hint() + "\n";
  return out;
}

}  // namespace cloister::cmd
