// Gramine and glibc are under the LGPL: who passes them on says which version it is, where it comes
// from, and, as the loader is changed in place, that and when it was changed. The date is that of
// the build, never the clock's. A local directory's name stays out: it says nothing to a reader,
// and the same build elsewhere would differ.
#include "manifest-gen/assemble/notice.h"

#include <chrono>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/assemble/paths.h"
#include "measure/runtime/loader_libraries.h"

namespace cloister::manifest {
namespace {

std::string source_text(const measure::Runtime& runtime, std::size_t source) {
  const measure::RuntimeSource& from = runtime.sources.at(source);
  if (!from.digest) return "a local directory";
  // Not the name under which it was given: a file or layout may lie elsewhere next time.
  const std::string_view what = from.uri.empty() ? "a local file" : std::string_view(from.uri);
  return cat(printable(what), " (", from.digest->str(), ")");
}

std::string version_text(const measure::Runtime& runtime, std::string_view package) {
  const auto found = runtime.packages.find(std::string(package));
  if (found == runtime.packages.end()) return "version unknown";
  return cat("version ", printable(found->second));
}

std::string part_line(std::string_view path, std::string_view package,
                      const measure::RuntimeFile& file, const measure::Runtime& runtime) {
  return cat("  ", path, "\n    ", package.empty() ? "package unknown" : package, ", ",
             package.empty() ? std::string("version unknown") : version_text(runtime, package),
             ", from ", source_text(runtime, file.source), "\n    SHA-256 ", file.sha256.hex(),
             "\n");
}

// MarbleRun is no part of Gramine, and has a licence of its own.
bool is_premain(const Member& member) {
  return member.from_runtime && member.runtime_name == measure::kPremainProgram;
}

}  // namespace

std::string notice_text(const AssembleInput& input) {
  const measure::Runtime& runtime = input.runtime;
  const auto date = format_date(
      std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(input.created)));
  std::string out =
      cat("This layer redistributes parts of other works. Their copyright files, where their "
          "source had\n"
          "them, stand beside this one; SHA-256 digests are those of the files as they were "
          "received.\n\n"
          "Gramine (https://gramineproject.io), LGPL-3.0-or-later, with its C library\n"
          "(glibc, LGPL-2.1-or-later, or musl, MIT) below ",
          kGramineDir, "/runtime:\n");
  const auto part = [&](std::string_view path, std::string_view package,
                        const std::optional<measure::RuntimeFile>& file) {
    if (file) out += part_line(path, package, *file, runtime);
  };
  part(kLoaderPath, "gramine", runtime.loader);
  part(kLibpalPath, "gramine", runtime.libpal);
  part(kLibsysdbPath, "gramine", runtime.libsysdb);
  if (input.with_direct) part(kDirectLibpalPath, "gramine", runtime.direct_libpal);
  for (const Member& member : input.closure.members) {
    const auto* found = runtime_file_of(member, runtime);
    if (found != nullptr && !is_premain(member)) part(member.real_path, "gramine", *found);
  }
  for (const Member& member : input.closure.members)
    if (is_premain(member))
      out +=
          cat("\nMarbleRun's premain, under the licence of the release that it was taken from:\n",
              part_line(member.real_path, "", *runtime_file_of(member, runtime), runtime));
  out += cat(
      "\nLibraries of Gramine's loader (glibc: LGPL-2.1-or-later; libprotobuf-c: BSD-2-Clause):\n");
  for (const auto& [soname, file] : runtime.loader_libraries)
    part(soname == "ld.so" ? std::string(kInterpreterPath) : cat(kLoaderLibraryDir, '/', soname),
         measure::library_package(soname), file);
  out +=
      cat("\nModified on ", date, " by ", input.generator, ": ", kLoaderPath,
          "\n  The name of its program interpreter and its library search path were changed in "
          "place to ",
          kInterpreterPath, "\n  and ", kLoaderLibraryDir,
          ". Nothing else was changed, and no other file. To use another\n  version of a library, "
          "replace it there.\n");
  return out;
}

const measure::RuntimeFile* runtime_file_of(const Member& member, const measure::Runtime& runtime) {
  if (!member.from_runtime) return nullptr;
  if (!member.real_path.starts_with(cat(kRuntimeMuslDir, "/")))
    return runtime.glibc_library(member.runtime_name);
  const auto found = runtime.musl.find(member.runtime_name);
  return found == runtime.musl.end() ? nullptr : &found->second;
}

std::string license_path(const measure::RuntimeFile& file) {
  return cat(kLicensesDir, '/', base_name(parent_directory(file.path)), ".copyright");
}

std::string license_expression(const measure::Runtime& runtime, const std::string& base) {
  std::string out;
  if (!base.empty()) out = base.find(' ') == std::string::npos ? base : cat('(', base, ')');
  const auto add = [&](std::string_view license) {
    out += cat(out.empty() ? "" : " AND ", license);
  };
  add("LGPL-3.0-or-later");
  add("LGPL-2.1-or-later");
  if (runtime.loader_libraries.contains("libprotobuf-c.so.1")) add("BSD-2-Clause");
  return out;
}

}  // namespace cloister::manifest
