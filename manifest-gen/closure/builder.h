// The work list that turns a launch into a closure. Private to the folder: closure.cc drives it and
// adds roots, programs.cc looks at ELF programs and libraries, scripts.cc at "#!" scripts and
// shells.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manifest-gen/closure/application_files.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/closure/dlopen_evidence.h"
#include "manifest-gen/closure/members.h"
#include "manifest-gen/closure/process.h"
#include "manifest-gen/closure/shell_scan.h"
#include "manifest-gen/closure/trust.h"
#include "manifest-gen/launch/program_search.h"

namespace cloister::manifest {

class ClosureBuilder {
 public:
  ClosureBuilder(const Launch& launch, const measure::Rootfs& rootfs,
                 const measure::Runtime& runtime, const Limits& limits,
                 const ClosureRequest& request);
  Result<Closure> run(const std::vector<ClosureRoot>& roots);

 private:
  // A program to start. `depth` counts "#!" interpreters.
  struct Task {
    std::size_t member;
    std::string path;
    std::vector<std::string> argv;  // what is known of it
    bool complete = true;           // argv is all of it
    int depth = 0;
    bool optional = false;
    bool unwrapped = false;  // what it runs is known already
  };

  // Shell text to look through, and whose it is. `task.path` is the script's, or the shell's.
  struct PendingText {
    Task task;
    std::string text, detail, script;
    std::vector<std::string> arguments;  // $1 …
  };

  // How often a script is looked through, with other arguments each time.
  static constexpr int kScriptRuns = 4;
  Status find_search_places();
  void entrypoint();
  void front(const Front& front);
  Status drain();
  Status drain_with_scripts();
  std::vector<StartedProgram> speakers() const;
  void fail(const Task& task, std::string name, std::string reason);

  // ---- ELF (programs.cc) ----

  void program(const Task& task, const measure::elf::Facts& facts);
  static bool is_dynamic_loader(std::string_view path);

  // The process that will open what `path` asks for: that program's, else the main one.
  const Process* process_of(const std::string& path) const;

  // What the code of the process asks for, from its object `first` on. The files it names wait for
  // their turn: some of them are plug-ins, which name more.
  void follow(Process& process, std::size_t first);

  // The same program may run many scripts.
  Status analyze(const Task& task);
  void take(const Task& task, Analysis found);

  void note_plugins();

  // A program, and itself or a library that was built from the same source.
  bool are_one_source(const std::string& file, const std::string& program) const;

  // What the configuration of programs names: that of their packages, and what their code names.
  Status configurations(const std::vector<StartedProgram>& started, const RuleFiles& of_packages);
  void note_followed(const Task& task);

  // An analyser that follows imports knows the interpreter's own library too.
  void note_import(const Task& task, Why why);

  // `asker`: the program that opens it, as a path; may be empty.
  void library(std::size_t member, const std::string& path, const measure::elf::Facts& facts,
               bool optional, const std::string& asker);

  // ---- scripts (scripts.cc) ----

  std::string_view env(std::string_view name, std::string_view fallback) const;
  ProgramSearch search_program(std::string_view name) const;
  void script(const Task& task, const measure::Node& node);

  // A script too large for the pack is not looked into; nobody writes such scripts by hand.
  Result<std::string> script_text(const measure::Node& node);
  void missing(const Task& task, const std::string& name, std::vector<std::string> searched);

  // The interpreter of `from`, or a program that it runs.
  void start(const Task& from, const std::string& path, Why why, std::string_view detail,
             std::vector<std::string> argv);

  // Shells and wrappers such as tini: what they are given to run.
  Status run_by(const Task& task);
  void unwrap(const Task& task);

  // sh [options] FILE …, sh -c TEXT …; also -ec and the like.
  Status shell(const Task& task);

  // What a login shell sources first.
  Status profiles(const Task& task);

  // A file whose text the shell of `task` reads as its own.
  Status sourced(const Task& task, const std::string& path, const std::string& detail);
  void note_unknown(const std::string& program, std::string what);

  // A path as a script of the working directory `directories` names it; empty when it is no file.
  std::string script_path(const std::string& name, const std::vector<std::string>& directories);
  bool is_file(const std::string& path) const;

  // What a piece of shell text runs, sources and names.
  Status scan(const PendingText& pending);
  Status invoke(const Task& task, const std::string& detail, const Invocation& invocation,
                const std::vector<std::string>& directories);
  void word_of_command(const Task& task, std::string_view word);
  Status named_in_script(const Task& task, const std::string& path);

  // docker-entrypoint.d and its like: the entry script runs or sources what is there.
  Status script_directory(const Task& task, const std::string& directory);
  void found_by_find(const Task& task, const std::vector<std::string>& words);
  static bool is_shell_name(std::string_view name);

  // ---- the command line and the environment ----

  void arguments();

  // "/etc/x.conf", "app.py" in the working directory, "--config=/etc/x.conf".
  void file_argument(const std::string& word);
  void named_file(const std::string& path, Why why, const std::string& detail);
  void note_absent(AbsentFile file);

  // ---- roots ----

  void add_root(const ClosureRoot& root);

  // A file that a root names exactly is granted whatever it is called.
  static bool has_wildcard_or_directory(const ClosureRoot& root, const std::string& path);
  std::size_t asker(const ClosureRoot& root);
  void root_file(const std::string& path, const ClosureRoot& root);

  // ---- what the level of trust adds ----

  const PackageIndex& packages() const;
  void add_rules(RuleFiles files);
  Status widen();

  // A plug-in that holds an interpreter (plpython3, say) is told what to run by clients. A program
  // that is linked with one (unbound, gdb) mostly does without.
  void embedded_python();

  // Libraries that put the lines of ".env" in the working directory into the environment. It is
  // named by them: what a pattern would leave out as a secret is opened at every start.
  void environment_file();

  // libltdl opens the module that "x.la" names, not "x.so".
  void libtool_archives();

  // What they bring in (a shell, a module) calls libc as well: once more for those.
  Status add_system_files();

  // ---- the library path ----

  void finish();
  void library_path();

  // Scripts that set LD_LIBRARY_PATH: the names under which what they run opens its libraries.
  void script_library_path();

  // Each (name, directory, file) once.
  const std::vector<LibraryChoice>& choices();
  void report(const LibraryPath::Conflict& conflict);
  const Launch& launch_;
  const measure::Rootfs& rootfs_;
  const Limits& limits_;
  const ClosureRequest& request_;
  Closure closure_;
  MemberTable members_;
  Scene scene_;
  std::deque<Task> tasks_;
  std::set<const measure::Node*> started_;
  std::map<const measure::Node*, int> runs_, shell_runs_;
  std::set<std::pair<std::string, std::vector<std::string>>> run_;
  std::vector<StartedProgram> programs_;
  std::set<CodeEvidence::Plugins> plugins_;
  std::set<Why> imports_;
  std::map<std::string, std::vector<std::string>> named_configuration_;  // in the code of a program
  std::set<std::pair<std::string, std::vector<std::string>>> analyzed_;
  std::deque<PendingText> pending_text_;
  std::deque<ClosureRoot> pending_roots_;
  std::pair<std::string, std::size_t> last_asker_;       // a path, and its member
  std::set<std::pair<std::string, std::string>> noted_;  // in closure_.unknown
  std::set<std::string> withheld_;
  std::map<std::string, std::string> script_library_path_;  // directories, and whose they are
  std::vector<LibraryChoice> by_name_;                      // what may be opened by name (dlopen)
  std::map<const measure::Node*, std::unique_ptr<Process>> processes_;  // by main program
  const Process* main_process_ = nullptr;
};

}  // namespace cloister::manifest
