// cloister_docs: the manual in its forms, from the commands as they are declared. Built with the
// program; what it writes is packaged, and cmd/reference.md is compared with it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/text.h"
#include "cmd/command_line.h"
#include "cmd/manual/completion.h"
#include "cmd/manual/render.h"
#include "cmd/output.h"
#include "cmd/render_error.h"
#include "cmd/session.h"

namespace cloister::cmd {
namespace {

Status write_man_pages(const CommandText& program, const fs::path& directory) {
  const std::string version(kVersion);
  CL_CHECK(write_result((directory / man_page_name(program)).native(), man_page(program, version)));
  for (const CommandText& command : program.commands)
    CL_CHECK(
        write_result((directory / man_page_name(command)).native(), man_page(command, version)));
  return {};
}

Status write_completions(const fs::path& directory) {
  CL_CHECK(write_result((directory / "cloister").native(), completion_script("bash")));
  CL_CHECK(write_result((directory / "_cloister").native(), completion_script("zsh")));
  return write_result((directory / "cloister.fish").native(), completion_script("fish"));
}

int write_docs(const std::string& what, const std::string& where) {
  const CommandLine line;
  const CommandText program = line.manual();
  std::error_code error;
  if (what != "reference") fs::create_directories(where, error);
  Status done;
  if (what == "man")
    done = write_man_pages(program, where);
  else if (what == "completions")
    done = write_completions(where);
  else if (what == "reference")
    done = write_result(where, markdown_reference(program));
  else
    done = Error::usage("usage: cloister_docs man DIR | completions DIR | reference FILE");
  if (done.has_value()) return 0;
  std::fputs(render_error(done.error(), false).c_str(), stderr);
  return 1;
}

}  // namespace
}  // namespace cloister::cmd

int main(int argc, char** argv) {
  return cloister::cmd::write_docs(argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : "-");
}
