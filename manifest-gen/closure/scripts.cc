// "#!" scripts, shells and programs that run another one: what they start, source and name.
#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/builder.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/closure/program_kind.h"
#include "manifest-gen/closure/walk_below.h"
#include "manifest-gen/closure/withheld.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/launch/wrapper.h"

namespace cloister::manifest {

using measure::Node;

std::string_view ClosureBuilder::env(std::string_view name, std::string_view fallback) const {
  for (const auto& [key, value] : launch_.env)
    if (key == name) return value;
  return fallback;
}

ProgramSearch ClosureBuilder::search_program(std::string_view name) const {
  return find_program(rootfs_, name, env("PATH", kDefaultPath), launch_.workdir);
}

void ClosureBuilder::script(const Task& task, const Node& node) {
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

Result<std::string> ClosureBuilder::script_text(const Node& node) {
  if (node.entry->size > limits_.packed_file_bytes) return std::string();
  auto bytes = rootfs_.read(node, limits_.packed_file_bytes);
  if (!bytes)
    return std::move(bytes.error()).while_(cat("reading the script ", printable(node.path())));
  return std::string(as_text(*bytes));
}

void ClosureBuilder::missing(const Task& task, const std::string& name,
                             std::vector<std::string> searched) {
  auto& list = task.optional ? closure_.unresolved_optional : closure_.unresolved;
  list.push_back({task.member, name, task.path, std::move(searched)});
}

void ClosureBuilder::start(const Task& from, const std::string& path, Why why,
                           std::string_view detail, std::vector<std::string> argv) {
  const std::size_t member = members_.file(path);
  members_.edge(from.member, member, why, detail);
  tasks_.push_back({.member = member,
                    .path = path,
                    .argv = std::move(argv),
                    .complete = from.complete,
                    .depth = why == Why::shebang ? from.depth + 1 : 0,
                    .optional = from.optional});
}

Status ClosureBuilder::run_by(const Task& task) {
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

void ClosureBuilder::unwrap(const Task& task) {
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

Status ClosureBuilder::shell(const Task& task) {
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

Status ClosureBuilder::profiles(const Task& task) {
  const std::string home(env("HOME", "/"));
  for (const std::string& path :
       {std::string("/etc/profile"), cat(home, "/.bash_profile"), cat(home, "/.profile")})
    if (is_file(path)) CL_CHECK(sourced(task, path, cat("sourced by the login shell ", task.path)));
  return script_directory(task, "/etc/profile.d");
}

Status ClosureBuilder::sourced(const Task& task, const std::string& path,
                               const std::string& detail) {
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

void ClosureBuilder::note_unknown(const std::string& program, std::string what) {
  static constexpr std::size_t kMax = 64;
  if (closure_.unknown.size() < kMax && noted_.insert({program, what}).second)
    closure_.unknown.push_back({program, std::move(what)});
}

std::string ClosureBuilder::script_path(const std::string& name,
                                        const std::vector<std::string>& directories) {
  if (name.starts_with('/')) return is_file(name) ? name : std::string();
  std::vector<std::string> places{launch_.workdir};
  places.insert(places.end(), directories.begin(), directories.end());
  for (const std::string& place : places) {
    std::string path = measure::normalize_path(cat(place, "/", name));
    if (is_file(path)) return path;
  }
  return name.find('/') == std::string::npos ? search_program(name).found : std::string();
}

bool ClosureBuilder::is_file(const std::string& path) const {
  const Node* node = rootfs_.find(path);
  return node != nullptr && node->is_regular();
}

Status ClosureBuilder::scan(const PendingText& pending) {
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
  for (const std::string& directory : scan.library_directories) {
    const Node* node = rootfs_.find(directory);
    if (node != nullptr && node->is_directory())
      script_library_path_.emplace(measure::normalize_path(directory), task.path);
  }
  for (const std::string& word : scan.unknown)
    note_unknown(task.path, cat("runs ", word, ", whose value is not known before it runs"));
  return {};
}

Status ClosureBuilder::invoke(const Task& task, const std::string& detail,
                              const Invocation& invocation,
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
  for (std::size_t i = 1; i < invocation.words.size() && !reads_no_argument(path); ++i)
    word_of_command(task, invocation.words[i]);
  if (base_name(name) == "run-parts")
    for (const std::string& word : invocation.words) CL_CHECK(script_directory(task, word));
  if (base_name(name) == "find") found_by_find(from, invocation.words);
  return {};
}

// "find … -exec PROGRAM … ;"
void ClosureBuilder::found_by_find(const Task& task, const std::vector<std::string>& words) {
  static constexpr std::string_view kExec[] = {"-exec", "-execdir", "-ok", "-okdir"};
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    if (std::find(std::begin(kExec), std::end(kExec), words[i]) == std::end(kExec)) continue;
    const auto begin = words.begin() + static_cast<std::ptrdiff_t>(i + 1);
    const auto end = std::find_if(
        begin, words.end(), [](const std::string& word) { return word == ";" || word == "+"; });
    const ProgramSearch found = search_program(*begin);
    if (found.found.empty()) continue;
    start(task, found.found, Why::script_command, "run by find", {begin, end});
    tasks_.back().complete = false;  // the names of files follow
    tasks_.back().optional = true;
  }
}

// "convert page.svg", "--config=app.yml": a file of the directory that the script starts in; and a
// directory of shared data.
void ClosureBuilder::word_of_command(const Task& task, std::string_view word) {
  if (word.starts_with('-')) word.remove_prefix(std::min(word.find('='), word.size() - 1) + 1);
  if (const Node* node = word.starts_with("/usr/share/") ? rootfs_.find(word) : nullptr;
      node != nullptr && node->is_directory()) {
    const std::string top = measure::normalize_path(word), detail = cat("named in ", task.path);
    add_root({cat(top, "/**"), Why::config, detail, true, task.path});
    // Programs that walk through it follow links to directories; patterns do not.
    walk_below(*node, top, [&](const Node& child, const std::string& path) {
      const Node* link = child.is_symlink() ? rootfs_.find(path) : nullptr;
      if (link != nullptr && link->is_directory() && is_within(link->path(), top))
        add_root({cat(path, "/**"), Why::config, detail, true, task.path});
      return true;
    });
    return;
  }
  if (word.empty() || word.starts_with('/') || word.find_first_of("./") == word.npos) return;
  const std::string path = measure::normalize_path(cat(launch_.workdir, "/", word));
  if (!is_file(path) || is_never_valid(path)) return;
  root_file(path, {path, Why::config, cat("named in ", task.path), true, task.path});
}

Status ClosureBuilder::named_in_script(const Task& task, const std::string& path) {
  const Node* node = rootfs_.find(path);
  if (node == nullptr || is_never_valid(path)) return {};
  if (node->is_directory() && (path.ends_with(".d") || path.ends_with(".d/")))
    return script_directory(task, path);
  if (node->is_regular())
    root_file(path, {path, Why::config, cat("named in ", task.path), true, task.path});
  return {};
}

Status ClosureBuilder::script_directory(const Task& task, const std::string& directory) {
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
    if (file->entry->shebang.empty() && is_shell_name(name)) CL_CHECK(sourced(from, path, detail));
  }
  return {};
}

bool ClosureBuilder::is_shell_name(std::string_view name) {
  return name.ends_with(".sh") || name.ends_with(".envsh");
}

}  // namespace cloister::manifest
