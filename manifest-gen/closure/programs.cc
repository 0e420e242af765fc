// Programs and libraries: what their loader gives them, what their code names, and what the
// analyser of their language or their kind of server finds.
#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/builder.h"
#include "manifest-gen/closure/dlopen_evidence.h"
#include "manifest-gen/closure/program_kind.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/runtimes/analyzer.h"
#include "manifest-gen/runtimes/servers.h"

namespace cloister::manifest {

using measure::Node;
using measure::elf::Facts;

namespace {

LoaderKind loader_of_library(const Facts& facts, const Process* host) {
  for (const std::string& name : facts.needed) {
    if (name == "libc.so.6") return LoaderKind::glibc;
    if (name == "libc.so" || name.starts_with("libc.musl")) return LoaderKind::musl;
  }
  return host != nullptr ? host->kind() : LoaderKind::glibc;
}

// Of what code names: not what the whole system has, such as /etc/passwd and /etc/shells.
bool is_own_configuration(std::string_view path) {
  return is_within(path, "/etc") &&
         (parent_directory(path) != "/etc" || path.ends_with(".conf") || path.ends_with(".cfg"));
}

}  // namespace

void ClosureBuilder::program(const Task& task, const Facts& facts) {
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
  auto process =
      std::make_unique<Process>(scene_, musl ? LoaderKind::musl : LoaderKind::glibc, task.optional);
  process->load_program(task.member, task.path, facts);
  closure_.uses_musl = closure_.uses_musl || musl;
  // glibc opens it when a thread is cancelled or exits, and aborts without it.
  if (!musl) (void)process->load_by_name("libgcc_s.so.1", "dlopen by libc: thread cancellation");
  follow(*process, 0);
  if (main_process_ == nullptr) main_process_ = process.get();
  processes_[rootfs_.find(task.path)] = std::move(process);
}

bool ClosureBuilder::is_dynamic_loader(std::string_view path) {
  const std::string_view name = base_name(path);
  return name.starts_with("ld-linux-") || name.starts_with("ld-musl-") ||
         (name.starts_with("ld-2.") && name.ends_with(".so"));
}

const Process* ClosureBuilder::process_of(const std::string& path) const {
  const auto at = path.empty() ? processes_.end() : processes_.find(rootfs_.find(path));
  return at == processes_.end() ? main_process_ : at->second.get();
}

void ClosureBuilder::follow(Process& process, std::size_t first) {
  CodeEvidence found = follow_code(process, first, scene_);
  if (first == 0 && process.loaded_count() > 0)
    for (const ClosureRoot& root : found.roots)
      if (root.why == Why::config && is_own_configuration(root.path_or_glob) &&
          are_one_source(root.from, process.loaded_object(0).path))
        named_configuration_[process.loaded_object(0).path].push_back(root.path_or_glob);
  for (ClosureRoot& root : found.roots) pending_roots_.push_back(std::move(root));
  for (CodeEvidence::Plugins& plugins : found.plugins) plugins_.insert(std::move(plugins));
  for (Closure::Unknown& unknown : found.unknown)
    note_unknown(unknown.program, std::move(unknown.what));
}

// Others may have granted them: the package's data, configuration.
void ClosureBuilder::note_plugins() {
  for (const CodeEvidence::Plugins& plugins : plugins_) {
    const auto left = std::count_if(plugins.files.begin(), plugins.files.end(),
                                    [&](const auto& path) { return !members_.has_path(path); });
    if (left > 0)
      note_unknown(plugins.program,
                   cat("may load plug-ins from ", printable(plugins.directory), ", of which ", left,
                       " of ", plugins.files.size(),
                       " are not granted: those that its configuration names must be"));
  }
}

bool ClosureBuilder::are_one_source(const std::string& file, const std::string& program) const {
  if (file == program) return true;
  const Package* of_file = packages().owner(file);
  const Package* of_program = packages().owner(program);
  return of_file != nullptr && of_program != nullptr && of_file->source == of_program->source;
}

Status ClosureBuilder::analyze(const Task& task) {
  if (!analyzed_.insert({task.path, task.argv}).second) return {};
  const AnalyzerScene scene{launch_, rootfs_, limits_, &packages()};
  ProgramStart start{task.path, task.argv, task.complete};
  // Words of a script that only its run could tell are none of the command line's that is known.
  if (!task.complete)
    std::erase_if(start.argv, [](const std::string& word) {
      return word.starts_with('$') || word.starts_with("\"$");
    });
  const Node* node = rootfs_.find(task.path);
  const bool script = node == nullptr || rootfs_.elf_facts(*node) == nullptr;
  for (const Analyzer& analyzer : analyzers()) {
    if ((script && !analyzer.of_scripts) || !analyzer.detect(start, scene)) continue;
    CL_TRY(Analysis found, analyzer.analyze(start, scene));
    if (found.follows_data) note_followed(task);
    take(task, std::move(found));
  }
  return {};
}

void ClosureBuilder::take(const Task& task, Analysis found) {
  for (ClosureRoot& root : found.roots) {
    note_import(task, root.why);
    if (root.from.empty()) root.from = task.path;
    root.optional = root.optional || task.optional;
    add_root(root);
  }
  for (Suggestion& suggestion : found.suggestions)
    closure_.suggestions.push_back(std::move(suggestion));
  for (std::string& what : found.unknown) note_unknown(task.path, std::move(what));
  for (AbsentFile& file : found.absent) note_absent(std::move(file));
}

// Servers that have a row know their configuration; what shells and interpreters are told by theirs
// is no file's name.
Status ClosureBuilder::configurations(const std::vector<StartedProgram>& started,
                                      const RuleFiles& of_packages) {
  std::map<std::string, std::vector<std::string>> files = std::move(named_configuration_);
  // "sites-available" is what may be enabled by a link elsewhere.
  for (const ClosureRoot& root : of_packages.roots)
    if (root.why == Why::config && root.path_or_glob.find("-available/") == std::string::npos)
      files[root.from].push_back(root.path_or_glob);
  const AnalyzerScene scene{launch_, rootfs_, limits_, &packages()};
  for (const StartedProgram& program : started) {
    const auto own = files.find(program.path);
    const ProgramStart start{program.path, {program.path}, true};
    if (own == files.end() || is_interpreter(base_name(program.path)) ||
        server_of(start, rootfs_) != nullptr)
      continue;
    CL_TRY(Analysis found, read_configuration(start, scene, nullptr, own->second));
    Task task{.member = members_.file(program.path), .path = program.path, .argv = start.argv};
    task.optional = true;
    take(task, std::move(found));
  }
  return {};
}

void ClosureBuilder::note_followed(const Task& task) {
  for (StartedProgram& program : programs_)
    if (program.path == task.path) program.followed = true;
}

void ClosureBuilder::note_import(const Task& task, Why why) {
  if (why < Why::python_import || why > Why::r_library) return;
  imports_.insert(why);
  note_followed(task);
}

void ClosureBuilder::library(std::size_t member, const std::string& path, const Facts& facts,
                             bool optional, const std::string& asker) {
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
    by_name_.push_back({name, std::string(parent_directory(search.found->path)), search.found->node,
                        search.found->needs_directory, optional, path});
}

}  // namespace cloister::manifest
