// One row per language. An image has of the library what its packages brought in, which is mostly
// what the program needs: far less than a distribution has.
#include "manifest-gen/runtimes/installed_library.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/runtimes/paths.h"

namespace cloister::manifest {
namespace {

struct LibraryRow {
  std::string_view language;
  std::string_view programs;  // names, separated by blanks; a final '*' stands for a version
  std::string_view files;     // patterns, separated by blanks
};

constexpr LibraryRow kLibraries[] = {
    {"Erlang", "erl erlc escript erlexec beam.smp elixir elixirc iex mix",
     "/usr/bin/erl /usr/bin/escript /usr/lib/erlang/bin/* /usr/lib/erlang/erts-*/bin/* "
     "/usr/lib/erlang/releases/** /usr/lib/erlang/lib/*/ebin/* /usr/lib/erlang/lib/*/priv/** "
     "/usr/lib/elixir/bin/* /usr/lib/elixir/lib/*/ebin/* /usr/local/lib/erlang/bin/* "
     "/usr/local/lib/erlang/erts-*/bin/* /usr/local/lib/erlang/releases/** "
     "/usr/local/lib/erlang/lib/*/ebin/* /usr/local/lib/erlang/lib/*/priv/** "
     "/usr/local/lib/elixir/lib/*/ebin/*"},
    {"Guile", "guile guile-*",
     "/usr/share/guile/** /usr/lib/x86_64-linux-gnu/guile/** /usr/local/share/guile/** "
     "/usr/local/lib/guile/**"},
    {"Lisp", "sbcl clisp ecl", "/usr/lib/sbcl/** /usr/local/lib/sbcl/** /usr/lib/clisp*/**"},
    {"Mono", "mono mono-sgen",
     "/etc/mono/** /usr/lib/mono/** /usr/lib/cli/** /usr/lib/libmono*.so* /usr/lib/libMono*.so*"},
    {"Tcl", "tclsh tclsh* wish wish* expect",
     "/usr/share/tcltk/** /usr/lib/tcltk/** /usr/lib/x86_64-linux-gnu/tcltk/** /usr/lib/tcl*/**"},
};

bool is_named(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return pattern == name;
  pattern.remove_suffix(1);
  return name.starts_with(pattern) &&
         name.find_first_not_of("0123456789.", pattern.size()) == std::string_view::npos;
}

const LibraryRow* row_of(const ProgramStart& start, const AnalyzerScene& scene) {
  const std::string real = scene.rootfs.real_path(start.path).value_or(start.path);
  for (const LibraryRow& row : kLibraries)
    for (const std::string_view pattern : split(row.programs, ' '))
      if (is_named(pattern, base_name(start.path)) || is_named(pattern, base_name(real)))
        return &row;
  return nullptr;
}

}  // namespace

bool detect_installed_library(const ProgramStart& start, const AnalyzerScene& scene) {
  return row_of(start, scene) != nullptr;
}

Result<Analysis> analyze_installed_library(const ProgramStart& start, const AnalyzerScene& scene) {
  const LibraryRow& row = *row_of(start, scene);
  Analysis out;
  const auto grant = [&](std::string path, Why why, std::string reason) {
    out.roots.push_back({std::move(path), why, std::move(reason), /*optional=*/true, ""});
  };
  for (const std::string_view pattern : split(row.files, ' '))
    if (!pattern.empty())
      grant(std::string(pattern), Why::package_data,
            cat("the installed library of ", row.language));
  // The program itself, among the arguments.
  for (std::size_t i = 1; i < start.argv.size(); ++i) {
    const std::string path = path_in(scene.launch.workdir, start.argv[i]);
    if (is_file(scene.rootfs, path)) grant(path, Why::argument, cat("argument ", start.argv[i]));
  }
  out.unknown.push_back(
      cat("programs in ", row.language,
          " are not looked into: the installed library is granted whole, and the files of the "
          "working directory; name what they load from elsewhere with --include"));
  return out;
}

}  // namespace cloister::manifest
