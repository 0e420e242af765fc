// Who may log in is known by the shell: those of services are programs that say no. What users then
// run is nobody's knowledge.
#include "manifest-gen/closure/login_sessions.h"

#include <algorithm>
#include <set>

#include "base/path.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::size_t kMostUsers = 64;
constexpr std::string_view kNoShells[] = {"nologin", "false", "sync", "halt", "shutdown", "true"};
constexpr std::string_view kOfShells[] = {"/etc/bash.bashrc", "/etc/bashrc", "/etc/environment"};
constexpr std::string_view kOfUsers[] = {".bash_profile",    ".bash_login", ".bashrc",
                                         ".profile",         ".zshrc",      ".ssh/authorized_keys",
                                         ".ssh/environment", ".ssh/rc"};

bool is_login_shell(const measure::Rootfs& rootfs, std::string_view shell) {
  const measure::Node* node = rootfs.find(shell);
  return shell.starts_with('/') && node != nullptr && node->is_regular() &&
         std::find(std::begin(kNoShells), std::end(kNoShells), base_name(shell)) ==
             std::end(kNoShells);
}

}  // namespace

bool opens_login_sessions(const measure::elf::Facts& program) {
  const auto has = [](const std::vector<std::string>& sorted, std::string_view name) {
    return std::binary_search(sorted.begin(), sorted.end(), name);
  };
  return has(program.imports, "pam_open_session") && has(program.strings, "/bin/sh") &&
         (has(program.imports, "execve") || has(program.imports, "execv"));
}

std::vector<ClosureRoot> login_sessions(std::string_view passwd, const measure::Rootfs& rootfs,
                                        const std::string& program) {
  std::vector<ClosureRoot> out;
  std::set<std::string, std::less<>> shells;
  std::size_t users = 0;
  for (const std::string_view line : split(passwd, '\n')) {
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() != 7 || !is_login_shell(rootfs, fields[6])) continue;
    if (++users > kMostUsers) break;
    if (shells.emplace(fields[6]).second)
      out.push_back({std::string(fields[6]),
                     Why::script_command,
                     cat("the shell of ", printable(fields[0]), ", who may log in"),
                     true,
                     program,
                     {std::string(fields[6]), "-l"}});
    if (!fields[5].starts_with('/')) continue;
    for (const std::string_view file : kOfUsers)
      out.push_back({cat(fields[5] == "/" ? "" : fields[5], "/", file), Why::config,
                     cat("read when ", printable(fields[0]), " logs in"), true, program});
  }
  if (shells.empty()) return out;
  for (const std::string_view file : kOfShells)
    out.push_back({std::string(file), Why::config, "read by shells", true, program});
  out.push_back({"/etc/shadow", Why::config, "whether an account is locked", true, program});
  return out;
}

}  // namespace cloister::manifest
