// The work list that turns a launch into a closure: programs, scripts, libraries, files.
//
// Nothing of the image is run. A task is a program to start (an ELF file or a "#!" script) or a
// file that something opens; each may add tasks, and every file is worked on once, so that loops in
// an image end. What cannot be known here (a plug-in chosen by configuration, say) is the business
// of templates and --include.
#include "manifest-gen/closure/closure.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>

#include "base/text.h"
#include "manifest-gen/closure/dlopen_evidence.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/closure/ld_so_conf.h"
#include "manifest-gen/closure/members.h"
#include "manifest-gen/closure/process.h"
#include "manifest-gen/closure/shell_scan.h"
#include "manifest-gen/closure/system_files.h"
#include "manifest-gen/closure/withheld.h"
#include "manifest-gen/launch/program_search.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest {
namespace {

using measure::Node;
using measure::elf::Facts;

std::string_view env_value(const Launch& launch, std::string_view name, std::string_view fallback) {
  for (const auto& [key, value] : launch.env)
    if (key == name) return value;
  return fallback;
}

// LD_LIBRARY_PATH of the image: an empty entry is the working directory.
std::vector<std::string> environment_directories(const Launch& launch,
                                                 const measure::Rootfs& rootfs) {
  std::vector<std::string> out;
  std::string value(env_value(launch, "LD_LIBRARY_PATH", ""));
  if (value.empty()) return out;
  std::replace(value.begin(), value.end(), ';', ':');
  for (const std::string_view item : split(value, ':')) {
    const std::string path = measure::normalize_path(
        item.starts_with('/') ? std::string(item) : cat(launch.workdir, "/", item));
    const Node* node = rootfs.find(path);
    if (node != nullptr && node->is_directory()) out.push_back(path);
  }
  return out;
}

LoaderKind loader_of_library(const Facts& facts, const Process* host) {
  for (const std::string& name : facts.needed) {
    if (name == "libc.so.6") return LoaderKind::glibc;
    if (name == "libc.so" || name.starts_with("libc.musl")) return LoaderKind::musl;
  }
  return host != nullptr ? host->kind() : LoaderKind::glibc;
}

class Builder {
 public:
  Builder(const Launch& launch, const measure::Rootfs& rootfs, const measure::Runtime& runtime,
          const Limits& limits)
      : launch_(launch),
        rootfs_(rootfs),
        limits_(limits),
        members_(rootfs, closure_),
        scene_{launch, rootfs, runtime, limits, closure_, members_, {}, {}, {}, {}} {}

  Result<Closure> run(const std::vector<ClosureRoot>& roots) {
    CL_CHECK(search_places());
    entrypoint();
    CL_CHECK(drain());
    arguments();
    CL_CHECK(drain());
    // Only now: what the command line starts must be there, what a script mentions may be missing.
    CL_CHECK(drain_with_scripts());
    for (const ClosureRoot& root : roots) add_root(root);
    CL_CHECK(drain_with_scripts());
    CL_CHECK(add_system_files());
    finish();
    return std::move(closure_);
  }

 private:
  // A program to start. `depth` counts "#!" interpreters.
  struct Task {
    std::size_t member;
    std::string path;
    std::vector<std::string> argv;  // what is known of it
    bool complete = true;           // argv is all of it
    int depth = 0;
    bool optional = false;
  };

  // Shell text to look through, and whose it is.
  struct PendingText {
    Task task;
    std::string text, detail;
  };

  Status search_places() {
    const std::vector<std::string> environment = environment_directories(launch_, rootfs_);
    CL_TRY(std::vector<std::string> glibc, glibc_system_directories(rootfs_, limits_));
    CL_TRY(std::vector<std::string> musl, musl_system_directories(rootfs_, limits_));
    scene_.glibc = {LoaderKind::glibc, environment, std::move(glibc), launch_.workdir};
    scene_.musl = {LoaderKind::musl, environment, std::move(musl), launch_.workdir};
    return {};
  }

  void entrypoint() {
    const std::size_t member = members_.file(launch_.program);
    members_.alias(member, launch_.entrypoint);
    members_.edge(kLaunch, member, Why::entrypoint, launch_.argv.front());
    tasks_.push_back({.member = member, .path = launch_.entrypoint, .argv = launch_.argv});
  }

  Status drain() {
    while (!tasks_.empty() || !pending_roots_.empty()) {
      if (tasks_.empty()) {
        const ClosureRoot root = std::move(pending_roots_.front());
        pending_roots_.pop_front();
        add_root(root);
        continue;
      }
      const Task task = std::move(tasks_.front());
      tasks_.pop_front();
      const Node* node = rootfs_.find(task.path);
      if (node == nullptr) continue;
      const bool first = started_.insert(node).second;
      if (const Facts* facts = rootfs_.elf_facts(*node)) {
        if (first) program(task, *facts);
        CL_CHECK(analyze(task));
      } else if (!first) {
        continue;
      } else if (!node->entry->shebang.empty()) {
        CL_CHECK(script(task, *node));
      } else if (task.member == 0) {
        fail(task, launch_.program, "neither an ELF file nor a \"#!\" script");
      }
    }
    return {};
  }

  Status drain_with_scripts() {
    CL_CHECK(drain());
    while (!pending_text_.empty()) {
      const PendingText next = std::move(pending_text_.front());
      pending_text_.pop_front();
      CL_CHECK(scan(next));
      CL_CHECK(drain());
    }
    return {};
  }

  void fail(const Task& task, std::string name, std::string reason) {
    auto& list = task.optional ? closure_.unresolved_optional : closure_.unresolved;
    list.push_back({task.member, std::move(name), task.path, {std::move(reason)}});
  }

  // ---- ELF ----

  void program(const Task& task, const Facts& facts) {
    if (!facts.is_x86_64()) {
      fail(task, task.path, "is for another machine: only 64-bit x86 runs in an enclave");
      return;
    }
    if (facts.interpreter.empty()) {
      if (facts.needed.empty()) {
        closure_.is_static = closure_.is_static || task.member == 0;
        Process process(scene_, LoaderKind::glibc, task.optional);
        process.load_library(task.member, task.path, facts, nullptr);
        follow(process, 0);
      } else {
        library(task.member, task.path, facts, task.optional);
      }
      return;
    }
    const bool musl = base_name(facts.interpreter).starts_with("ld-musl-");
    auto process = std::make_unique<Process>(scene_, musl ? LoaderKind::musl : LoaderKind::glibc,
                                             task.optional);
    process->load_program(task.member, task.path, facts);
    closure_.uses_musl = closure_.uses_musl || musl;
    // glibc opens it when a thread is cancelled or exits, and aborts without it.
    if (!musl) (void)process->load_by_name("libgcc_s.so.1", "dlopen by libc: thread cancellation");
    follow(*process, 0);
    if (!main_process_) main_process_ = std::move(process);
  }

  // What the code of the process asks for, from its object `first` on. The files it names wait for
  // their turn: some of them are plug-ins, which name more.
  void follow(Process& process, std::size_t first) {
    CodeEvidence found = follow_code(process, first, scene_);
    for (ClosureRoot& root : found.roots) pending_roots_.push_back(std::move(root));
    for (Closure::Unknown& unknown : found.unknown)
      if (known_unknown_.insert({unknown.program, unknown.what}).second)
        closure_.unknown.push_back(std::move(unknown));
  }

  // The same program may run many scripts.
  Status analyze(const Task& task) {
    if (!analyzed_.insert({task.path, task.argv}).second) return {};
    const AnalyzerScene scene{launch_, rootfs_, limits_};
    const ProgramStart start{task.path, task.argv, task.complete};
    for (const Analyzer& analyzer : analyzers()) {
      if (!analyzer.detect(start, scene)) continue;
      CL_TRY(Analysis found, analyzer.analyze(start, scene));
      for (ClosureRoot& root : found.roots) {
        if (root.from.empty()) root.from = task.path;
        root.optional = root.optional || task.optional;
        add_root(root);
      }
      for (Suggestion& suggestion : found.suggestions)
        closure_.suggestions.push_back(std::move(suggestion));
      for (std::string& what : found.unknown)
        closure_.unknown.push_back({task.path, std::move(what)});
    }
    return {};
  }

  void library(std::size_t member, const std::string& path, const Facts& facts, bool optional) {
    const LoaderKind kind = loader_of_library(facts, main_process_.get());
    const Process* host =
        main_process_ && main_process_->kind() == kind ? main_process_.get() : nullptr;
    Process process(scene_, kind, optional);
    process.load_library(member, path, facts, host);
    if (kind == LoaderKind::glibc) scene_.glibc_used = true;
    follow(process, host != nullptr ? host->loaded_count() : 0);
    // dlopen by name finds it only in a directory that LD_LIBRARY_PATH lists.
    const std::string directory = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
    const SearchPlaces& places = kind == LoaderKind::glibc ? scene_.glibc : scene_.musl;
    if (std::find(places.system.begin(), places.system.end(), directory) != places.system.end())
      scene_.choices.push_back({std::string(base_name(path)), directory, members_[member].sha256,
                                kind == LoaderKind::glibc, optional, path});
  }

  // ---- scripts ----

  ProgramSearch search_program(std::string_view name) const {
    return find_program(rootfs_, name, env_value(launch_, "PATH", kDefaultPath), launch_.workdir);
  }

  Status script(const Task& task, const Node& node) {
    const auto shebang = parse_shebang(node.entry->shebang);
    if (!shebang) {
      fail(task, task.path, "its \"#!\" line names no interpreter");
      return {};
    }
    if (task.depth >= kShebangDepth) {
      fail(task, shebang->interpreter, "too many \"#!\" interpreters in a row");
      return {};
    }
    const std::string detail = cat("#!", node.entry->shebang);
    // execve takes the path as it stands: no PATH search.
    const std::string spelled = shebang->interpreter.starts_with('/')
                                    ? shebang->interpreter
                                    : cat("./", shebang->interpreter);
    ProgramSearch found = search_program(spelled);
    if (found.found.empty()) {
      missing(task, shebang->interpreter, std::move(found.searched));
      return {};
    }
    // What the kernel makes of it: the interpreter, its argument, the script, the script's
    // arguments.
    std::vector<std::string> argv{shebang->interpreter};
    if (!shebang->argument.empty()) argv.push_back(shebang->argument);
    argv.push_back(task.path);
    if (task.argv.size() > 1) argv.insert(argv.end(), task.argv.begin() + 1, task.argv.end());
    const std::string_view base = base_name(shebang->interpreter);
    start(task, found.found, Why::shebang, detail, argv);
    std::string interpreter(base);
    if (base == "env") {
      std::vector<std::string> words;
      if (!shebang->argument.empty()) words.push_back(shebang->argument);
      const auto name = env_program(words);
      if (!name) return {};
      ProgramSearch program = search_program(*name);
      if (program.found.empty()) {
        missing(task, *name, std::move(program.searched));
        return {};
      }
      argv.erase(argv.begin(), argv.begin() + (shebang->argument.empty() ? 1 : 2));
      argv.insert(argv.begin(), *name);
      start(task, program.found, Why::shebang, detail, std::move(argv));
      interpreter = base_name(*name);
    }
    if (!is_shell(interpreter)) return {};
    if (task.member == 0) runs_commands_ = true;
    CL_TRY(std::string text, script_text(node));
    pending_text_.push_back({task, std::move(text), cat("command of ", task.path)});
    return {};
  }

  // A script too large for the pack is not looked into; nobody writes such scripts by hand.
  Result<std::string> script_text(const Node& node) {
    if (node.entry->size > limits_.packed_file_bytes) return std::string();
    auto bytes = rootfs_.read(node, limits_.packed_file_bytes);
    if (!bytes)
      return std::move(bytes.error()).while_(cat("reading the script ", printable(node.path())));
    return std::string(as_text(*bytes));
  }

  void missing(const Task& task, const std::string& name, std::vector<std::string> searched) {
    auto& list = task.optional ? closure_.unresolved_optional : closure_.unresolved;
    list.push_back({task.member, name, task.path, std::move(searched)});
  }

  void start(const Task& from, const std::string& path, Why why, std::string_view detail,
             std::vector<std::string> argv) {
    const std::size_t member = members_.file(path);
    members_.edge(from.member, member, why, detail);
    const bool command = why == Why::script_command;
    tasks_.push_back({.member = member,
                      .path = path,
                      .argv = std::move(argv),
                      .complete = from.complete && !command,
                      .depth = command ? 0 : from.depth + 1,
                      .optional = from.optional || command});
  }

  // What a piece of shell text runs, sources and names.
  Status scan(const PendingText& pending) {
    const Task& task = pending.task;
    const ShellScan scan = scan_shell(pending.text);
    for (const std::string& name : scan.commands) {
      const ProgramSearch found = search_program(name);
      if (!found.found.empty())
        start(task, found.found, Why::script_command, pending.detail, {name});
    }
    for (const std::string& path : scan.files) {
      const Node* node = rootfs_.find(path);
      if (node == nullptr || !node->is_regular() || is_never_valid(path)) continue;
      members_.edge(task.member, members_.file(path), Why::config, cat("named in ", task.path));
    }
    for (const std::string& path : scan.sourced) CL_CHECK(source(task, path));
    return {};
  }

  Status source(const Task& task, const std::string& path) {
    const std::string spelled = path.starts_with('/') ? path : cat(launch_.workdir, "/", path);
    const Node* node = rootfs_.find(spelled);
    if (node == nullptr || !node->is_regular() || !sourced_.insert(node).second) return {};
    const std::size_t member = members_.file(spelled);
    members_.edge(task.member, member, Why::script_command, cat("sourced by ", task.path));
    CL_TRY(std::string text, script_text(*node));
    pending_text_.push_back(
        {{.member = member, .path = spelled, .argv = {}, .complete = false, .optional = true},
         std::move(text),
         cat("command of ", spelled)});
    return {};
  }

  // ---- the command line and the environment ----

  void arguments() {
    const Task entry{.member = 0, .path = launch_.program, .argv = launch_.argv};
    const std::string_view base = base_name(launch_.program);
    const std::string_view real = base_name(launch_.entrypoint);
    const bool shell = is_shell(base) || is_shell(real);
    const bool runs = runs_commands_ || is_wrapper(base) || is_wrapper(real);
    for (std::size_t i = 1; i < launch_.argv.size(); ++i) {
      const std::string& word = launch_.argv[i];
      if (runs) command_argument(entry, i);
      // sh -c "…", also -ec and the like.
      if (shell && word.size() > 1 && word[0] == '-' && word[1] != '-' && word.back() == 'c' &&
          i + 1 < launch_.argv.size())
        pending_text_.push_back({entry, launch_.argv[i + 1], "command of the -c string"});
      file_argument(word);
    }
    for (const auto& [name, value] : launch_.env)
      if (value.starts_with('/'))
        named_file(value, Why::config, cat("environment variable ", name));
  }

  // The word may be a program, and those after it its arguments.
  void command_argument(const Task& entry, std::size_t index) {
    const std::string& word = launch_.argv[index];
    if (word.empty() || word.front() == '-') return;
    const ProgramSearch found = search_program(word);
    if (found.found.empty()) return;
    const std::size_t member = members_.file(found.found);
    members_.edge(0, member, Why::script_command, cat("argument ", word));
    tasks_.push_back(
        {.member = member,
         .path = found.found,
         .argv = {launch_.argv.begin() + static_cast<std::ptrdiff_t>(index), launch_.argv.end()},
         .optional = entry.optional});
  }

  // "/etc/x.conf", "app.py" in the working directory, "--config=/etc/x.conf".
  void file_argument(const std::string& word) {
    std::string_view path = word;
    if (path.starts_with('-')) {
      const std::size_t slash = path.find('/');
      if (slash == std::string_view::npos) return;
      path.remove_prefix(slash);
    }
    if (path.empty()) return;
    named_file(path.starts_with('/') ? std::string(path) : cat(launch_.workdir, "/", path),
               Why::argument, cat("argument ", word));
  }

  void named_file(const std::string& path, Why why, const std::string& detail) {
    const Node* node = rootfs_.find(path);
    if (node == nullptr || !node->is_regular()) return;
    members_.edge(0, members_.file(path), why, detail);
  }

  // ---- roots ----

  void add_root(const ClosureRoot& root) {
    const bool filtered = root.why != Why::include;
    const std::vector<std::string> paths = expand_glob(rootfs_, root.path_or_glob);
    if (paths.empty() && !root.optional)
      closure_.unresolved.push_back(
          {kLaunch, root.path_or_glob, root.detail, {"matches no file of the image"}});
    for (const std::string& path : paths) {
      if (filtered && is_never_valid(path)) continue;
      if (filtered && has_wildcard_or_directory(root, path) &&
          (looks_secret(path) || !is_utf8(path))) {
        withheld_.insert(path);
        continue;
      }
      root_file(path, root);
    }
  }

  // A file that a root names exactly is granted whatever it is called.
  static bool has_wildcard_or_directory(const ClosureRoot& root, const std::string& path) {
    return measure::normalize_path(root.path_or_glob) != path;
  }

  std::size_t asker(const ClosureRoot& root) {
    const Node* from = root.from.empty() ? nullptr : rootfs_.find(root.from);
    if (from != nullptr && from->is_regular()) return members_.file(root.from);
    return root.why == Why::config ? 0 : kLaunch;
  }

  void root_file(const std::string& path, const ClosureRoot& root) {
    const std::size_t member = members_.file(path);
    members_.edge(asker(root), member, root.why, root.detail);
    const Node* node = rootfs_.find(path);
    const Facts* facts = rootfs_.elf_facts(*node);
    const bool optional = root.why != Why::include;
    if (facts == nullptr && !optional && !node->entry->shebang.empty())
      tasks_.push_back({.member = member,
                        .path = path,
                        .argv = {path},
                        .complete = false,
                        .optional = optional});
    if (facts == nullptr || !facts->is_x86_64()) return;
    if (!facts->interpreter.empty())
      tasks_.push_back({.member = member,
                        .path = path,
                        .argv = {path},
                        .complete = false,
                        .optional = optional});
    else if (!facts->needed.empty() && started_.insert(node).second)
      library(member, path, *facts, optional);
  }

  // What they bring in (a shell, a module) calls libc as well: once more for those.
  Status add_system_files() {
    SystemFiles found;
    for (int round = 0; round < 2; ++round) {
      const CodeUse use = code_use(closure_, rootfs_);
      SystemFilesInput input;
      input.glibc = scene_.glibc_used;
      input.musl = closure_.uses_musl;
      input.use = &use;
      input.library_directories = scene_.glibc_used ? &scene_.glibc.system : &scene_.musl.system;
      found = system_files(launch_, rootfs_, input, limits_);
      for (const ClosureRoot& root : found.roots) add_root(root);
      CL_CHECK(drain_with_scripts());
    }
    for (Suggestion& suggestion : found.suggestions)
      closure_.suggestions.push_back(std::move(suggestion));
    return {};
  }

  // ---- the library path ----

  void finish() {
    closure_.uses_glibc_runtime = scene_.glibc_used;
    members_.finish();
    closure_.withheld.assign(withheld_.begin(), withheld_.end());
    if (!scene_.glibc_used && !closure_.uses_musl) return;
    std::set<Digest> granted;
    for (const Member& member : closure_.members)
      if (!member.from_runtime) granted.insert(member.sha256);
    const LibraryPath path = order_library_path(rootfs_, scene_.glibc.environment,
                                                scene_.glibc.system, choices(), granted);
    for (const LibraryPath::Conflict& conflict : path.conflicts) report(conflict);
    std::vector<std::string> directories;
    if (scene_.glibc_used) directories.emplace_back(kRuntimeGlibcDir);
    if (scene_.runtime_musl_used) directories.emplace_back(kRuntimeMuslDir);
    directories.insert(directories.end(), path.directories.begin(), path.directories.end());
    closure_.library_path = join(directories, ":");
  }

  // Each (name, directory) once.
  const std::vector<LibraryChoice>& choices() {
    std::map<std::pair<std::string, std::string>, std::size_t> seen;
    std::vector<LibraryChoice> unique;
    for (LibraryChoice& choice : scene_.choices) {
      auto [at, added] = seen.try_emplace({choice.name, choice.directory}, unique.size());
      if (added) {
        unique.push_back(std::move(choice));
      } else {
        unique[at->second].must_list = unique[at->second].must_list || choice.must_list;
        unique[at->second].optional = unique[at->second].optional && choice.optional;
      }
    }
    scene_.choices = std::move(unique);
    return scene_.choices;
  }

  void report(const LibraryPath::Conflict& conflict) {
    const LibraryChoice& choice = scene_.choices[conflict.choice];
    auto& list = choice.optional ? closure_.unresolved_optional : closure_.unresolved;
    list.push_back({0, choice.name, choice.needed_by, {conflict.why}});
  }

  const Launch& launch_;
  const measure::Rootfs& rootfs_;
  const Limits& limits_;
  Closure closure_;
  MemberTable members_;
  Scene scene_;
  std::deque<Task> tasks_;
  std::set<const Node*> started_, sourced_;
  std::set<std::pair<std::string, std::vector<std::string>>> analyzed_;
  std::deque<PendingText> pending_text_;
  std::deque<ClosureRoot> pending_roots_;
  std::set<std::pair<std::string, std::string>> known_unknown_;
  bool runs_commands_ = false;  // the entry script may run its arguments
  std::set<std::string> withheld_;
  std::unique_ptr<Process> main_process_;
};

}  // namespace

Result<Closure> compute_closure(const Launch& launch, const measure::Rootfs& rootfs,
                                const measure::Runtime& runtime,
                                const std::vector<ClosureRoot>& roots, const Limits& limits) {
  return Builder(launch, rootfs, runtime, limits).run(roots);
}

}  // namespace cloister::manifest
