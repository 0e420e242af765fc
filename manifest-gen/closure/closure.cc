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
#include <tuple>

#include "base/text.h"
#include "manifest-gen/closure/application_files.h"
#include "manifest-gen/closure/dlopen_evidence.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/closure/members.h"
#include "manifest-gen/closure/narrow.h"
#include "manifest-gen/closure/process.h"
#include "manifest-gen/closure/search_places.h"
#include "manifest-gen/closure/shell_scan.h"
#include "manifest-gen/closure/system_files.h"
#include "manifest-gen/closure/withheld.h"
#include "manifest-gen/launch/program_search.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/launch/wrapper.h"
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

std::string directory_of(std::string_view path) {
  return std::string(path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)));
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
          const Limits& limits, const ClosureRequest& request)
      : launch_(launch),
        rootfs_(rootfs),
        limits_(limits),
        request_(request),
        members_(rootfs, closure_),
        scene_{launch, rootfs, runtime, limits, closure_, members_, {}, {}, LibrarySearcher(rootfs),
               {},     {},     {},      {}} {
    scene_.image_libc = request.image_libc;
    closure_.trust = request.trust;
  }

  Result<Closure> run(const std::vector<ClosureRoot>& roots) {
    CL_CHECK(find_search_places());
    entrypoint();
    CL_CHECK(drain());
    arguments();
    CL_CHECK(drain());
    // Only now: what the command line starts must be there, what a script mentions may be missing.
    CL_CHECK(drain_with_scripts());
    const std::vector<StartedProgram> started = programs_;
    for (const ClosureRoot& root : roots) add_root(root);
    CL_CHECK(drain_with_scripts());
    add_rules(package_data(started, rootfs_, packages()));
    add_rules(application_files(launch_, rootfs_, packages(), imports_));
    CL_CHECK(drain_with_scripts());
    CL_CHECK(add_system_files());
    CL_CHECK(widen());
    finish();
    CL_CHECK(narrow_closure(closure_, request_, rootfs_));
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

  Status find_search_places() {
    CL_TRY(scene_.glibc, search_places(LoaderKind::glibc, launch_, rootfs_, limits_));
    CL_TRY(scene_.musl, search_places(LoaderKind::musl, launch_, rootfs_, limits_));
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
        if (first) programs_.push_back({task.path});
        CL_CHECK(analyze(task));
        if (!task.unwrapped) CL_CHECK(run_by(task));
      } else if (!node->entry->shebang.empty()) {
        if (run_.insert({task.path, task.argv}).second && ++runs_[node] <= kScriptRuns)
          script(task, *node);
      } else if (first && task.member == 0) {
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
    // The kernel starts it as it is; what it needs nobody loads.
    if (facts.interpreter.empty()) {
      closure_.is_static = closure_.is_static || task.member == 0;
      if (is_dynamic_loader(task.path)) {
        closure_.unknown.push_back(
            {task.path,
             "is the image's own dynamic loader, which cannot work with the runtime's "
             "libc: make the program that it starts the entrypoint"});
      } else if (facts.needed.empty()) {
        Process process(scene_, LoaderKind::glibc, task.optional);
        process.load_library(task.member, task.path, facts, nullptr);
        follow(process, 0);
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
    if (main_process_ == nullptr) main_process_ = process.get();
    processes_[rootfs_.find(task.path)] = std::move(process);
  }

  static bool is_dynamic_loader(std::string_view path) {
    const std::string_view name = base_name(path);
    return name.starts_with("ld-linux-") || name.starts_with("ld-musl-") ||
           (name.starts_with("ld-2.") && name.ends_with(".so"));
  }

  // The process that will open what `path` asks for: that program's, else the main one.
  const Process* process_of(const std::string& path) const {
    const auto at = path.empty() ? processes_.end() : processes_.find(rootfs_.find(path));
    return at == processes_.end() ? main_process_ : at->second.get();
  }

  // What the code of the process asks for, from its object `first` on. The files it names wait for
  // their turn: some of them are plug-ins, which name more.
  void follow(Process& process, std::size_t first) {
    CodeEvidence found = follow_code(process, first, scene_);
    for (ClosureRoot& root : found.roots) pending_roots_.push_back(std::move(root));
    for (Closure::Unknown& unknown : found.unknown)
      note_unknown(unknown.program, std::move(unknown.what));
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
        note_import(task, root.why);
        if (root.from.empty()) root.from = task.path;
        root.optional = root.optional || task.optional;
        add_root(root);
      }
      for (Suggestion& suggestion : found.suggestions)
        closure_.suggestions.push_back(std::move(suggestion));
      for (std::string& what : found.unknown) note_unknown(task.path, std::move(what));
    }
    return {};
  }

  // An analyser that follows imports knows the interpreter's own library too.
  void note_import(const Task& task, Why why) {
    if (why < Why::python_import || why > Why::php_include) return;
    imports_.insert(why);
    for (StartedProgram& program : programs_)
      if (program.path == task.path) program.interpreter = true;
  }

  // `asker`: the program that opens it, as a path; may be empty.
  void library(std::size_t member, const std::string& path, const Facts& facts, bool optional,
               const std::string& asker) {
    const Process* host = process_of(asker);
    const LoaderKind kind = loader_of_library(facts, host);
    if (host != nullptr && host->kind() != kind) host = nullptr;
    Process process(scene_, kind, optional);
    process.load_library(member, path, facts, host);
    if (kind == LoaderKind::glibc) scene_.glibc_used = true;
    follow(process, host != nullptr ? host->loaded_count() : 0);
    // It may be opened by name, where a loader finds this very file by name. Under the runtime's
    // that takes a directory that LD_LIBRARY_PATH lists.
    static const Facts kNothing;
    const std::string name(base_name(path));
    const SearchPlaces& places = kind == LoaderKind::glibc ? scene_.glibc : scene_.musl;
    const LibrarySearch search = scene_.searcher.find(places, name, {{&kNothing, ""}}, "");
    if (search.found && search.found->node == rootfs_.find(path))
      by_name_.push_back({name, directory_of(search.found->path), search.found->node,
                          search.found->needs_directory, optional, path});
  }

  // ---- scripts ----

  ProgramSearch search_program(std::string_view name) const {
    return find_program(rootfs_, name, env_value(launch_, "PATH", kDefaultPath), launch_.workdir);
  }

  void script(const Task& task, const Node& node) {
    const auto shebang = parse_shebang(node.entry->shebang);
    if (!shebang) {
      fail(task, task.path, "its \"#!\" line names no interpreter");
      return;
    }
    if (task.depth >= kShebangDepth) {
      fail(task, shebang->interpreter, "too many \"#!\" interpreters in a row");
      return;
    }
    const std::string detail = cat("#!", node.entry->shebang);
    // execve takes the path as it stands: no PATH search.
    const std::string spelled = shebang->interpreter.starts_with('/')
                                    ? shebang->interpreter
                                    : cat("./", shebang->interpreter);
    ProgramSearch found = search_program(spelled);
    if (found.found.empty()) {
      missing(task, shebang->interpreter, std::move(found.searched));
      return;
    }
    // What the kernel makes of it: the interpreter, its argument, the script, the script's
    // arguments.
    std::vector<std::string> argv{shebang->interpreter};
    if (!shebang->argument.empty()) argv.push_back(shebang->argument);
    argv.push_back(task.path);
    if (task.argv.size() > 1) argv.insert(argv.end(), task.argv.begin() + 1, task.argv.end());
    start(task, found.found, Why::shebang, detail, argv);
    if (base_name(shebang->interpreter) != "env") return;
    tasks_.back().unwrapped = true;
    std::vector<std::string> words;
    if (!shebang->argument.empty()) words.push_back(shebang->argument);
    const auto name = env_program(words);
    if (!name) return;
    ProgramSearch program = search_program(*name);
    if (program.found.empty()) {
      missing(task, *name, std::move(program.searched));
      return;
    }
    argv.erase(argv.begin(), argv.begin() + (shebang->argument.empty() ? 1 : 2));
    argv.insert(argv.begin(), *name);
    start(task, program.found, Why::shebang, detail, std::move(argv));
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

  // The interpreter of `from`, or a program that it runs.
  void start(const Task& from, const std::string& path, Why why, std::string_view detail,
             std::vector<std::string> argv) {
    const std::size_t member = members_.file(path);
    members_.edge(from.member, member, why, detail);
    tasks_.push_back({.member = member,
                      .path = path,
                      .argv = std::move(argv),
                      .complete = from.complete,
                      .depth = why == Why::shebang ? from.depth + 1 : 0,
                      .optional = from.optional});
  }

  // Shells and wrappers such as tini: what they are given to run.
  Status run_by(const Task& task) {
    if (task.argv.empty()) return {};
    Task inner = task;
    const std::string resolved = rootfs_.real_path(task.path).value_or(task.path);
    const std::string_view real = base_name(resolved);
    std::string_view name = base_name(inner.argv.front());
    if (name == "busybox" && inner.argv.size() > 1) {  // busybox sh …
      inner.argv.erase(inner.argv.begin());
      name = base_name(inner.argv.front());
    }
    if (is_wrapper(name) || is_wrapper(real)) {
      if (!is_wrapper(name)) inner.argv.front() = real;
      unwrap(inner);
      return {};
    }
    if (!is_shell(name) && !is_shell(base_name(task.path)) && !is_shell(real)) return {};
    if (real == "busybox" && !is_shell(name) && name != base_name(task.path)) return {};
    return shell(inner);
  }

  void unwrap(const Task& task) {
    const std::string_view name = base_name(task.argv.front());
    std::size_t at = wrapped_program(task.argv);
    std::vector<std::string> argv;
    if (name == "env") {
      const auto program = env_program({task.argv.begin() + 1, task.argv.end()});
      if (!program) return;
      const auto found = std::find(task.argv.begin() + 1, task.argv.end(), *program);
      argv.assign(found, task.argv.end());
      if (argv.empty()) argv.push_back(*program);  // from -S
      at = 0;
    } else {
      argv = task.argv;
    }
    // An option that the table does not know may have taken the word for its value.
    for (std::size_t i = at; i < argv.size(); ++i) {
      const ProgramSearch found = search_program(argv[i]);
      if (found.found.empty()) continue;
      start(task, found.found, Why::script_command, cat("run by ", name),
            {argv.begin() + static_cast<std::ptrdiff_t>(i), argv.end()});
      return;
    }
    if (at < argv.size())
      note_unknown(task.path, cat("runs ", argv[at], ", which is no program of the image"));
  }

  // sh [options] FILE …, sh -c TEXT …; also -ec and the like.
  Status shell(const Task& task) {
    const std::vector<std::string>& argv = task.argv;
    std::size_t at = 1;
    bool text = false, login = false;
    for (; at < argv.size(); ++at) {
      const std::string& word = argv[at];
      if (word == "-" || word == "--") {
        ++at;
        break;
      }
      if (word.size() < 2 || (word[0] != '-' && word[0] != '+')) break;
      if (word == "--rcfile" || word == "--init-file" ||
          (word[1] != '-' && (word.back() == 'o' || word.back() == 'O')))
        ++at;
      const bool letters = word[0] == '-' && word[1] != '-';
      text = text || (letters && word.find('c') != std::string::npos);
      login = login || word == "--login" || (letters && word.find('l') != std::string::npos);
    }
    if (login) CL_CHECK(profiles(task));
    if (at >= argv.size()) return {};
    const auto rest = [&](std::size_t from) {
      return std::vector<std::string>(
          argv.begin() + static_cast<std::ptrdiff_t>(std::min(from, argv.size())), argv.end());
    };
    if (text) {
      if (run_.insert({task.path, argv}).second)
        pending_text_.push_back({task, argv[at], "command of the -c string",
                                 at + 1 < argv.size() ? argv[at + 1] : argv[0], rest(at + 2)});
      return {};
    }
    std::string path = argv[at].starts_with('/') ? argv[at] : cat(launch_.workdir, "/", argv[at]);
    const Node* node = rootfs_.find(path);
    if (node == nullptr && argv[at].find('/') == std::string::npos) {
      path = search_program(argv[at]).found;
      node = path.empty() ? nullptr : rootfs_.find(path);
    }
    if (node == nullptr || !node->is_regular()) return {};
    if (!run_.insert({cat("sh ", path), rest(at)}).second || ++shell_runs_[node] > kScriptRuns)
      return {};
    Task script = task;
    const std::size_t known = closure_.members.size();
    script.member = members_.file(path);
    script.path = path;
    if (script.member >= known)
      members_.edge(task.member, script.member, Why::argument, cat("argument ", argv[at]));
    CL_TRY(std::string content, script_text(*node));
    pending_text_.push_back(
        {script, std::move(content), cat("command of ", path), path, rest(at + 1)});
    return {};
  }

  // What a login shell sources first.
  Status profiles(const Task& task) {
    const std::string home(env_value(launch_, "HOME", "/"));
    for (const std::string& path :
         {std::string("/etc/profile"), cat(home, "/.bash_profile"), cat(home, "/.profile")})
      if (is_file(path))
        CL_CHECK(sourced(task, path, cat("sourced by the login shell ", task.path)));
    return script_directory(task, "/etc/profile.d");
  }

  // A file whose text the shell of `task` reads as its own.
  Status sourced(const Task& task, const std::string& path, const std::string& detail) {
    const Node* node = rootfs_.find(path);
    Task inner = task;
    inner.member = members_.file(path);
    inner.path = path;
    inner.complete = false;
    inner.optional = true;
    members_.edge(task.member, inner.member, Why::script_command, detail);
    if (++shell_runs_[node] > kScriptRuns) return {};
    CL_TRY(std::string text, script_text(*node));
    pending_text_.push_back({inner, std::move(text), cat("command of ", path), path, {}});
    return {};
  }

  void note_unknown(const std::string& program, std::string what) {
    static constexpr std::size_t kMax = 64;
    if (closure_.unknown.size() < kMax && noted_.insert({program, what}).second)
      closure_.unknown.push_back({program, std::move(what)});
  }

  // A path as a script of the working directory `directories` names it; empty when it is no file.
  std::string script_path(const std::string& name, const std::vector<std::string>& directories) {
    if (name.starts_with('/')) return is_file(name) ? name : std::string();
    std::vector<std::string> places{launch_.workdir};
    places.insert(places.end(), directories.begin(), directories.end());
    for (const std::string& place : places) {
      std::string path = measure::normalize_path(cat(place, "/", name));
      if (is_file(path)) return path;
    }
    return name.find('/') == std::string::npos ? search_program(name).found : std::string();
  }
  bool is_file(const std::string& path) const {
    const Node* node = rootfs_.find(path);
    return node != nullptr && node->is_regular();
  }

  // What a piece of shell text runs, sources and names.
  Status scan(const PendingText& pending) {
    const Task& task = pending.task;
    std::map<std::string, Task> sources;  // by the spelling of the sourced file
    Status failed;
    ShellScene scene;
    scene.script = pending.script;
    scene.arguments = pending.arguments;
    scene.arguments_known = task.complete;
    scene.env = launch_.env;
    scene.workdir = launch_.workdir;
    scene.source = [&](const std::string& name) -> std::optional<std::string> {
      const std::string path = script_path(name, {});
      if (path.empty()) return std::nullopt;
      const std::size_t member = members_.file(path);
      members_.edge(task.member, member, Why::script_command, cat("sourced by ", task.path));
      sources[name] = {
          .member = member, .path = path, .argv = {}, .complete = false, .optional = true};
      auto text = script_text(*rootfs_.find(path));
      if (text) return std::move(*text);
      failed = std::move(text.error());
      return std::nullopt;
    };
    scene.glob = [&](const std::string& pattern) { return expand_glob(rootfs_, pattern); };
    const ShellScan scan = scan_shell(pending.text, scene);
    CL_CHECK(std::move(failed));
    for (const Invocation& invocation : scan.invocations) {
      const auto source = sources.find(invocation.file);
      const bool own = source == sources.end();
      CL_CHECK(invoke(own ? task : source->second,
                      own ? pending.detail : cat("command of ", source->second.path), invocation,
                      scan.directories));
    }
    for (const std::string& path : scan.files) CL_CHECK(named_in_script(task, path));
    for (const std::string& word : scan.unknown)
      note_unknown(task.path, cat("runs ", word, ", whose value is not known before it runs"));
    return {};
  }

  Status invoke(const Task& task, const std::string& detail, const Invocation& invocation,
                const std::vector<std::string>& directories) {
    const std::string& name = invocation.words.front();
    std::string path = search_program(name).found;
    if (path.empty() && name.find('/') != std::string::npos) path = script_path(name, directories);
    if (path.empty()) return {};
    Task from = task;
    from.complete = invocation.complete;
    // What the script is told to run must work; what it may run need not.
    from.optional = task.optional || !invocation.argument;
    start(from, path, Why::script_command, detail, invocation.words);
    if (base_name(name) == "run-parts")
      for (const std::string& word : invocation.words) CL_CHECK(script_directory(task, word));
    return {};
  }

  Status named_in_script(const Task& task, const std::string& path) {
    const Node* node = rootfs_.find(path);
    if (node == nullptr || is_never_valid(path)) return {};
    if (node->is_directory() && (path.ends_with(".d") || path.ends_with(".d/")))
      return script_directory(task, path);
    if (node->is_regular())
      root_file(path, {path, Why::config, cat("named in ", task.path), true, task.path});
    return {};
  }

  // docker-entrypoint.d and its like: the entry script runs or sources what is there.
  Status script_directory(const Task& task, const std::string& directory) {
    const Node* node = rootfs_.find(directory);
    if (node == nullptr || !node->is_directory()) return {};
    const std::string real = node->path();
    if (real.starts_with("/etc/init.d") || real.starts_with("/etc/rc")) return {};
    Task from = task;
    from.optional = true;
    from.complete = false;
    const std::string detail = cat("in ", directory, ", which ", task.path, " runs");
    for (const auto& [name, child] : node->children) {
      const std::string path = measure::normalize_path(cat(directory, "/", name));
      const Node* file = rootfs_.find(path);
      if (file == nullptr || !file->is_regular() || is_never_valid(path)) continue;
      start(from, path, Why::script_command, detail, {path});
      if (file->entry->shebang.empty() && is_shell_name(name))
        CL_CHECK(sourced(from, path, detail));
    }
    return {};
  }
  static bool is_shell_name(std::string_view name) {
    return name.ends_with(".sh") || name.ends_with(".envsh");
  }

  // ---- the command line and the environment ----

  void arguments() {
    for (std::size_t i = 1; i < launch_.argv.size(); ++i) file_argument(launch_.argv[i]);
    for (const auto& [name, value] : launch_.env)
      if (value.starts_with('/'))
        named_file(value, Why::config, cat("environment variable ", name));
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
    const bool runs = !optional || root.why == Why::script_command;
    if (facts == nullptr && runs && !node->entry->shebang.empty())
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
      library(member, path, *facts, optional, root.from);
  }

  // ---- what the level of trust adds ----

  const PackageIndex& packages() const {
    static const PackageIndex none;
    return request_.packages != nullptr ? *request_.packages : none;
  }

  void add_rules(RuleFiles files) {
    for (const ClosureRoot& root : files.roots) root_file(root.path_or_glob, root);
    for (std::string& path : files.withheld) withheld_.insert(std::move(path));
  }

  Status widen() {
    if (request_.trust == Trust::package) {
      std::set<std::string> paths;
      for (const Member& member : closure_.members)
        if (!member.from_runtime) paths.insert(member.real_path);
      add_rules(files_of_packages(paths, rootfs_, packages()));
      CL_CHECK(drain_with_scripts());
    } else if (request_.trust == Trust::all) {
      // Granted as they are: what they would need is granted with them.
      RuleFiles files = every_file(rootfs_);
      for (const ClosureRoot& root : files.roots)
        members_.edge(kLaunch, members_.file(root.path_or_glob), root.why, root.detail);
      for (std::string& path : files.withheld) withheld_.insert(std::move(path));
    }
    return {};
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
    closure_.uses_glibc_runtime = scene_.glibc_used && !request_.image_libc;
    if (scene_.glibc_used || closure_.uses_musl) library_path();
    members_.finish();
    closure_.withheld.assign(withheld_.begin(), withheld_.end());
  }

  void library_path() {
    const std::string origin = directory_of(launch_.entrypoint);
    std::vector<std::string> environment;
    for (const auto* places : {&scene_.glibc, &scene_.musl})
      if (places == &scene_.glibc ? scene_.glibc_used : closure_.uses_musl)
        for (std::string& path : environment_directories(*places, rootfs_, origin))
          environment.push_back(std::move(path));
    const LibraryPath path =
        order_library_path(rootfs_, environment, scene_.glibc.system, choices(),
                           [&](std::string_view name) { return members_.has_path(name); });
    for (const LibraryPath::Conflict& conflict : path.conflicts) report(conflict);
    for (const LibraryPath::Spelling& spelling : path.spellings)
      (void)members_.library(spelling.path);
    std::vector<std::string> directories;
    if (closure_.uses_glibc_runtime) directories.emplace_back(kRuntimeGlibcDir);
    if (scene_.runtime_musl_used) directories.emplace_back(kRuntimeMuslDir);
    directories.insert(directories.end(), path.directories.begin(), path.directories.end());
    closure_.library_path = join(directories, ":");
  }

  // Each (name, directory, file) once.
  const std::vector<LibraryChoice>& choices() {
    // A name that something else brings in answers with that.
    std::set<std::string> names;
    for (const LibraryChoice& choice : scene_.choices) names.insert(choice.name);
    for (LibraryChoice& choice : by_name_)
      if (!names.contains(choice.name)) scene_.choices.push_back(std::move(choice));
    std::map<std::tuple<std::string, std::string, const Node*>, std::size_t> seen;
    std::vector<LibraryChoice> unique;
    for (LibraryChoice& choice : scene_.choices) {
      auto [at, added] =
          seen.try_emplace({choice.name, choice.directory, choice.node}, unique.size());
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
  const ClosureRequest& request_;
  Closure closure_;
  MemberTable members_;
  Scene scene_;
  std::deque<Task> tasks_;
  std::set<const Node*> started_;
  std::map<const Node*, int> runs_, shell_runs_;
  std::set<std::pair<std::string, std::vector<std::string>>> run_;
  std::vector<StartedProgram> programs_;
  std::set<Why> imports_;
  std::set<std::pair<std::string, std::vector<std::string>>> analyzed_;
  std::deque<PendingText> pending_text_;
  std::deque<ClosureRoot> pending_roots_;
  std::set<std::pair<std::string, std::string>> noted_;  // in closure_.unknown
  std::set<std::string> withheld_;
  std::vector<LibraryChoice> by_name_;  // what may be opened by name (dlopen)
  std::map<const Node*, std::unique_ptr<Process>> processes_;  // by main program
  const Process* main_process_ = nullptr;
};

}  // namespace

Result<Closure> compute_closure(const Launch& launch, const measure::Rootfs& rootfs,
                                const measure::Runtime& runtime,
                                const std::vector<ClosureRoot>& roots, const Limits& limits,
                                const ClosureRequest& request) {
  return Builder(launch, rootfs, runtime, limits, request).run(roots);
}

}  // namespace cloister::manifest
