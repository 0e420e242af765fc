// What is built into git it runs as "git" of its own directory. A command that has no row, an alias
// say, may start anything that is there.
#include "manifest-gen/runtimes/git.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

struct GitRow {
  std::string_view commands;  // separated by blanks
  std::string_view programs;  // in its directory, beside git itself
};

constexpr GitRow kGitRows[] = {
    {"clone fetch pull ls-remote archive remote-http remote-https",
     "git-remote-http git-remote-https"},
    {"push", "git-remote-http git-remote-https git-http-push"},
    {"submodule",
     "git-submodule git-sh-setup git-sh-i18n git-sh-i18n--envsubst git-remote-http "
     "git-remote-https"},
    {"daemon", "git-daemon git-http-backend"},
    {"http-backend", "git-http-backend"},
    {"shell", "git-shell"},
    {"add apply branch bundle cat-file checkout clean commit config describe diff for-each-ref gc "
     "grep hash-object init log ls-files ls-tree merge mv rebase receive-pack reset rev-list "
     "rev-parse rm show stash status switch symbolic-ref tag update-server-info upload-pack "
     "version worktree --version",
     ""},
};

constexpr std::string_view kGitDirectories[] = {"/usr/lib/git-core", "/usr/libexec/git-core",
                                                "/usr/local/libexec/git-core"};

bool names_command(std::string_view list, std::string_view word) {
  const auto words = split(list, ' ');
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_git_directory(std::string_view directory) {
  return std::find(std::begin(kGitDirectories), std::end(kGitDirectories), directory) !=
         std::end(kGitDirectories);
}

// "git-daemon" is a command too; "git" takes the first word that is no option and no
// option's value. "--version" is a command of its own.
std::string_view git_command(const ProgramStart& start) {
  const std::vector<std::string>& argv = start.argv;
  if (const std::string_view name = base_name(start.path); name.starts_with("git-"))
    return name.substr(4);
  static constexpr std::string_view kTakeValue = "-C -c --git-dir --work-tree --namespace";
  for (std::size_t i = 1; i < argv.size(); ++i) {
    if (!argv[i].starts_with('-') || argv[i] == "--version") return argv[i];
    if (names_command(kTakeValue, argv[i])) ++i;
  }
  return {};
}

}  // namespace

bool detect_git(const ProgramStart& start, const AnalyzerScene&) {
  const std::string_view name = base_name(start.path);
  return name == "git" ||
         (name.starts_with("git-") && is_git_directory(parent_directory(start.path)));
}

Result<Analysis> analyze_git(const ProgramStart& start, const AnalyzerScene&) {
  const std::string_view command = git_command(start);
  const auto row = std::find_if(std::begin(kGitRows), std::end(kGitRows), [&](const GitRow& known) {
    return !command.empty() && names_command(known.commands, command);
  });
  // One that git itself starts was told what to do by a command that is known here.
  const bool any = row == std::end(kGitRows) && !is_git_directory(parent_directory(start.path));
  Analysis out;
  out.follows_data = true;
  const auto grant = [&](std::string path, std::string detail, Why why) {
    out.roots.push_back({std::move(path), why, std::move(detail), true, std::string()});
  };
  for (const std::string_view directory : kGitDirectories) {
    if (any) {
      grant(cat(directory, "/**"), "any program of git's may be started", Why::script_command);
      continue;
    }
    grant(cat(directory, "/git"), "git runs its own commands by it", Why::script_command);
    if (row == std::end(kGitRows)) continue;
    for (const std::string_view program : split(row->programs, ' '))
      if (!program.empty())
        grant(cat(directory, "/", program), cat("started by git ", command), Why::script_command);
  }
  grant("/usr/share/git-core/templates/**", "what a new repository is made from",
        Why::package_data);
  return out;
}

}  // namespace cloister::manifest
