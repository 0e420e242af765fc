// The order of the work, and what is asked for beside programs: arguments, roots, what the level of
// trust and libc's own habits add, and in the end the library path.
//
// Nothing of the image is run. A task is a program to start (an ELF file or a "#!" script) or a
// file that something opens; each may add tasks, and every file is worked on once, so that loops in
// an image end. What cannot be known here (a plug-in chosen by configuration, say) is the business
// of templates and --include.
#include "manifest-gen/closure/closure.h"

#include <algorithm>
#include <tuple>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/builder.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/closure/narrow.h"
#include "manifest-gen/closure/search_places.h"
#include "manifest-gen/closure/system_files.h"
#include "manifest-gen/closure/withheld.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {

using measure::Node;
using measure::elf::Facts;

ClosureBuilder::ClosureBuilder(const Launch& launch, const measure::Rootfs& rootfs,
                               const measure::Runtime& runtime, const Limits& limits,
                               const ClosureRequest& request)
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

Result<Closure> ClosureBuilder::run(const std::vector<ClosureRoot>& roots) {
  CL_CHECK(find_search_places());
  entrypoint();
  if (request_.front != nullptr) front(*request_.front);
  CL_CHECK(drain());
  arguments();
  CL_CHECK(drain());
  // Only now: what the command line starts must be there, what a script mentions may be missing.
  CL_CHECK(drain_with_scripts());
  const std::vector<StartedProgram> started = speakers();
  for (const ClosureRoot& root : roots) add_root(root);
  CL_CHECK(drain_with_scripts());
  const RuleFiles of_packages = package_data(started, rootfs_, packages());
  add_rules(of_packages);
  CL_CHECK(configurations(started, of_packages));
  add_rules(application_files(launch_, rootfs_, packages(), imports_));
  CL_CHECK(drain_with_scripts());
  libtool_archives();
  environment_file();
  embedded_python();
  CL_CHECK(drain_with_scripts());
  CL_CHECK(add_system_files());
  CL_CHECK(widen());
  finish();
  CL_CHECK(narrow_closure(closure_, request_, rootfs_));
  return std::move(closure_);
}

Status ClosureBuilder::find_search_places() {
  CL_TRY(scene_.glibc, search_places(LoaderKind::glibc, launch_, rootfs_, limits_));
  CL_TRY(scene_.musl, search_places(LoaderKind::musl, launch_, rootfs_, limits_));
  return {};
}

void ClosureBuilder::entrypoint() {
  const std::size_t member = members_.file(launch_.program);
  members_.alias(member, launch_.entrypoint);
  members_.edge(kLaunch, member, Why::entrypoint, launch_.argv.front());
  tasks_.push_back({.member = member, .path = launch_.entrypoint, .argv = launch_.argv});
}

// apache2ctl and apache2: of a script and a program that were made together the program's rules say
// what both read.
std::vector<StartedProgram> ClosureBuilder::speakers() const {
  const auto is_script = [&](const StartedProgram& program) {
    const Node* node = rootfs_.find(program.path);
    return node != nullptr && rootfs_.elf_facts(*node) == nullptr;
  };
  std::vector<StartedProgram> out;
  for (const StartedProgram& program : programs_)
    if (!is_script(program) ||
        std::none_of(programs_.begin(), programs_.end(), [&](const StartedProgram& other) {
          return !is_script(other) && are_one_source(other.path, program.path);
        }))
      out.push_back(program);
  return out;
}

// It is a program of the runtime's: that has what it needs, or nothing does.
void ClosureBuilder::front(const Front& front) {
  const measure::Runtime& runtime = scene_.runtime;
  const std::size_t first =
      members_.runtime_file(kRuntimeBinDir, front.name, front.file, /*is_elf=*/true);
  members_.edge(kLaunch, first, Why::entrypoint, front.reason);
  std::vector<std::pair<std::size_t, const Facts*>> pending{{first, runtime.elf_facts(front.file)}};
  std::set<std::string> known;
  while (!pending.empty()) {
    const auto [member, facts] = pending.back();
    pending.pop_back();
    if (facts == nullptr) continue;
    std::vector<std::string> names = facts->needed;
    if (!facts->interpreter.empty()) names.emplace_back(base_name(facts->interpreter));
    for (const std::string& name : names) {
      const measure::RuntimeFile* file = runtime.glibc_library(name);
      if (file == nullptr) {
        closure_.unresolved.push_back(
            {member, name, front.name, {cat("the runtime's ", kRuntimeGlibcDir, ": not there")}});
        continue;
      }
      const std::size_t needed = members_.runtime_file(kRuntimeGlibcDir, name, *file, true);
      members_.edge(member, needed, Why::needed, cat("NEEDED ", name));
      if (known.insert(name).second) pending.emplace_back(needed, runtime.elf_facts(*file));
    }
  }
}

namespace {

// Of other languages an analyser knows what a script opens.
bool is_shell_script(const Node& node) {
  const auto shebang = parse_shebang(node.entry->shebang);
  if (!shebang) return false;
  if (base_name(shebang->interpreter) != "env") return is_shell(base_name(shebang->interpreter));
  const auto program = env_program({shebang->argument});
  return program && is_shell(base_name(*program));
}

}  // namespace

Status ClosureBuilder::drain() {
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
      if (run_.insert({task.path, task.argv}).second && ++runs_[node] <= kScriptRuns) {
        if (first && !task.optional && is_shell_script(*node)) programs_.push_back({task.path});
        CL_CHECK(analyze(task));
        script(task, *node);
      }
    } else if (first && task.member == 0) {
      fail(task, launch_.program, "neither an ELF file nor a \"#!\" script");
    }
  }
  return {};
}

Status ClosureBuilder::drain_with_scripts() {
  CL_CHECK(drain());
  while (!pending_text_.empty()) {
    const PendingText next = std::move(pending_text_.front());
    pending_text_.pop_front();
    CL_CHECK(scan(next));
    CL_CHECK(drain());
  }
  return {};
}

void ClosureBuilder::fail(const Task& task, std::string name, std::string reason) {
  auto& list = task.optional ? closure_.unresolved_optional : closure_.unresolved;
  list.push_back({task.member, std::move(name), task.path, {std::move(reason)}});
}

void ClosureBuilder::arguments() {
  for (std::size_t i = 1; i < launch_.argv.size(); ++i) file_argument(launch_.argv[i]);
  for (const auto& [name, value] : launch_.env)
    if (value.starts_with('/')) named_file(value, Why::config, cat("environment variable ", name));
}

void ClosureBuilder::file_argument(const std::string& word) {
  std::string_view path = word;
  if (path.starts_with('-')) {
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return;
    path.remove_prefix(slash);
  }
  if (path.empty()) return;
  // "subtitles=/srv/a.srt", "file:/srv/a", "a=b:c=/srv/x"
  for (std::size_t at = path.find('/', 1); at != path.npos; at = path.find('/', at + 1)) {
    if (std::string_view("=:,@'\"").find(path[at - 1]) == path.npos) continue;
    const std::string_view inner = path.substr(at);
    named_file(std::string(inner.substr(0, inner.find_first_of(":,'\""))), Why::argument,
               cat("argument ", word));
  }
  named_file(path.starts_with('/') ? std::string(path) : cat(launch_.workdir, "/", path),
             Why::argument, cat("argument ", word));
}

void ClosureBuilder::named_file(const std::string& path, Why why, const std::string& detail) {
  const Node* node = rootfs_.find(path);
  if (node == nullptr) note_absent({measure::normalize_path(path), detail});
  if (node == nullptr || !node->is_regular()) return;
  members_.edge(0, members_.file(path), why, detail);
}

void ClosureBuilder::note_absent(AbsentFile file) {
  static constexpr std::size_t kMax = 64;
  std::vector<AbsentFile>& absent = closure_.absent;
  if (absent.size() < kMax && looks_like_credential(file.path) && is_utf8(file.path) &&
      std::none_of(absent.begin(), absent.end(),
                   [&](const AbsentFile& other) { return other.path == file.path; }))
    absent.push_back(std::move(file));
}

void ClosureBuilder::add_root(const ClosureRoot& root) {
  const bool filtered = root.why != Why::include;
  const std::vector<std::string> paths = expand_glob(rootfs_, root.path_or_glob);
  if (paths.empty() && !root.optional)
    closure_.unresolved.push_back(
        {kLaunch, root.path_or_glob, root.detail, {"matches no file of the image"}});
  for (const std::string& path : paths) {
    const bool exact = !has_wildcard_or_directory(root, path);
    if (filtered && is_never_valid(path) && !(exact && is_mounted_over(path))) continue;
    if (filtered && !exact && (looks_secret(path) || !is_utf8(path))) {
      withheld_.insert(path);
      continue;
    }
    root_file(path, root);
  }
}

bool ClosureBuilder::has_wildcard_or_directory(const ClosureRoot& root, const std::string& path) {
  return measure::normalize_path(root.path_or_glob) != path;
}

std::size_t ClosureBuilder::asker(const ClosureRoot& root) {
  // One file after the other asks for many.
  if (!root.from.empty() && root.from == last_asker_.first) return last_asker_.second;
  const Node* from = root.from.empty() ? nullptr : rootfs_.find(root.from);
  if (from != nullptr && from->is_regular()) {
    last_asker_ = {root.from, members_.file(root.from)};
    return last_asker_.second;
  }
  return root.why == Why::config ? 0 : kLaunch;
}

void ClosureBuilder::root_file(const std::string& path, const ClosureRoot& root) {
  const std::size_t member = members_.file(path);
  members_.edge(asker(root), member, root.why, root.detail);
  const Node* node = rootfs_.find(path);
  const Facts* facts = rootfs_.elf_facts(*node);
  const bool optional = root.why != Why::include;
  const bool runs = !optional || root.why == Why::script_command;
  const bool known = !root.argv.empty();
  const std::vector<std::string> argv = known ? root.argv : std::vector<std::string>{path};
  if (facts == nullptr && runs && !node->entry->shebang.empty())
    tasks_.push_back(
        {.member = member, .path = path, .argv = argv, .complete = known, .optional = optional});
  if (facts == nullptr || !facts->is_x86_64()) return;
  if (!facts->interpreter.empty())
    tasks_.push_back(
        {.member = member, .path = path, .argv = argv, .complete = known, .optional = optional});
  else if (!facts->needed.empty() && started_.insert(node).second)
    library(member, path, *facts, optional, root.from);
}

const PackageIndex& ClosureBuilder::packages() const {
  static const PackageIndex none;
  return request_.packages != nullptr ? *request_.packages : none;
}

void ClosureBuilder::add_rules(RuleFiles files) {
  for (const ClosureRoot& root : files.roots) root_file(root.path_or_glob, root);
  for (std::string& path : files.withheld) withheld_.insert(std::move(path));
}

void ClosureBuilder::embedded_python() {
  static constexpr std::string_view kRare[] = {
      "test",       "idlelib",   "tkinter",       "turtledemo", "lib2to3",       "ensurepip",
      "pydoc_data", "distutils", "site-packages", "config-*",   "dist-packages", "__pycache__"};
  if (imports_.contains(Why::python_import)) return;
  std::map<std::string, std::string> versions;  // "python3.11", and whose library it is
  for (const Member& member : closure_.members) {
    const std::string_view name = base_name(member.real_path);
    if (!name.starts_with("libpython3.") || !member.is_elf) continue;
    versions.emplace(name.substr(3, name.find(".so") - 3), member.real_path);
  }
  for (const auto& [version, library] : versions) {
    const std::size_t member = members_.file(library);
    const bool linked =
        std::any_of(closure_.edges.begin(), closure_.edges.end(),
                    [&](const Edge& edge) { return edge.from == 0 && edge.to == member; });
    if (linked) {
      note_unknown(library,
                   "is linked, and may be used where configuration asks for Python: its "
                   "standard library is not granted, --include it then");
      continue;
    }
    const std::string detail = cat("the standard library of ", base_name(library));
    for (const std::string_view prefix : {"/usr/lib/", "/usr/local/lib/"}) {
      const std::string directory = cat(prefix, version);
      const Node* node = rootfs_.find(directory);
      if (node == nullptr || !node->is_directory()) continue;
      for (const auto& [name, child] : node->children) {
        const auto is_it = [&entry = name](std::string_view rare) {
          return match_component(rare, entry);
        };
        if (std::any_of(std::begin(kRare), std::end(kRare), is_it)) continue;
        pending_roots_.push_back({cat(directory, "/", name, child->is_directory() ? "/**" : ""),
                                  Why::package_data, detail, true, library});
      }
    }
    pending_roots_.push_back(
        {cat("/etc/", version, "/sitecustomize.py"), Why::config, detail, true, library});
    note_unknown(library,
                 "runs Python programs that are not known here: its standard library is "
                 "granted, other modules must be named with --include");
  }
}

void ClosureBuilder::environment_file() {
  static constexpr std::string_view kReaders[] = {
      "/dotenv/lib/main.js", "/dotenv/main.py",           "/starlette/config.py",
      "/lib/dotenv.rb",      "/phpdotenv/src/Dotenv.php", "/dotenv/Dotenv.php"};
  for (const Member& member : closure_.members) {
    const auto reads = [&](std::string_view reader) { return member.real_path.ends_with(reader); };
    if (std::none_of(std::begin(kReaders), std::end(kReaders), reads)) continue;
    pending_roots_.push_back({measure::normalize_path(cat(launch_.workdir, "/.env")), Why::config,
                              "read into the environment", true, member.real_path});
    return;
  }
}

void ClosureBuilder::libtool_archives() {
  const auto libltdl =
      std::find_if(closure_.members.begin(), closure_.members.end(), [](const Member& member) {
        return !member.from_runtime && base_name(member.real_path).starts_with("libltdl.so");
      });
  if (libltdl == closure_.members.end()) return;
  std::set<std::pair<std::string, std::size_t>> archives;
  for (std::size_t at = 0; at < closure_.members.size(); ++at) {
    if (closure_.members[at].from_runtime || !closure_.members[at].is_elf) continue;
    for (const std::string& path : closure_.members[at].paths) {
      const std::size_t suffix = path.rfind(".so");
      if (suffix == path.npos) continue;
      std::string archive = cat(std::string_view(path).substr(0, suffix), ".la");
      const Node* node = rootfs_.find(archive);
      if (node != nullptr && node->is_regular()) archives.emplace(std::move(archive), at);
    }
  }
  for (const auto& [path, module] : archives)
    members_.edge(module, members_.file(path), Why::config, "libltdl reads it to load the module");
}

Status ClosureBuilder::widen() {
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

Status ClosureBuilder::add_system_files() {
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
  for (auto& [program, what] : found.unknown) note_unknown(program, std::move(what));
  for (Suggestion& suggestion : found.suggestions)
    closure_.suggestions.push_back(std::move(suggestion));
  return {};
}

void ClosureBuilder::finish() {
  closure_.uses_glibc_runtime = scene_.glibc_used && !request_.image_libc;
  if (scene_.glibc_used || closure_.uses_musl) library_path();
  const bool front_libraries = std::any_of(
      closure_.members.begin(), closure_.members.end(),
      [](const Member& member) { return parent_directory(member.real_path) == kRuntimeGlibcDir; });
  if (front_libraries && !closure_.uses_glibc_runtime)
    closure_.library_path = closure_.library_path.empty()
                                ? std::string(kRuntimeGlibcDir)
                                : cat(closure_.library_path, ":", kRuntimeGlibcDir);
  note_plugins();
  members_.finish();
  // What a pattern left out, something else may have named.
  for (const std::string& path : withheld_)
    if (!members_.has_path(measure::normalize_path(path))) closure_.withheld.push_back(path);
}

void ClosureBuilder::library_path() {
  const std::string origin(parent_directory(launch_.entrypoint));
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
  script_library_path();
  std::vector<std::string> directories;
  if (closure_.uses_glibc_runtime) directories.emplace_back(kRuntimeGlibcDir);
  if (scene_.runtime_musl_used) directories.emplace_back(kRuntimeMuslDir);
  directories.insert(directories.end(), path.directories.begin(), path.directories.end());
  closure_.library_path = join(directories, ":");
}

void ClosureBuilder::script_library_path() {
  for (const auto& [directory, script] : script_library_path_) {
    const std::string detail = cat("by the LD_LIBRARY_PATH that ", script, " sets");
    for (const LibraryChoice& choice : scene_.choices) {
      const std::string path = cat(directory, "/", choice.name);
      const Node* node = rootfs_.find(path);
      if (node == nullptr || !node->is_regular()) continue;
      const std::size_t known = closure_.members.size(), member = members_.library(path);
      if (member >= known) members_.edge(members_.file(script), member, Why::needed, detail);
    }
  }
}

const std::vector<LibraryChoice>& ClosureBuilder::choices() {
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

void ClosureBuilder::report(const LibraryPath::Conflict& conflict) {
  const LibraryChoice& choice = scene_.choices[conflict.choice];
  auto& list = choice.optional ? closure_.unresolved_optional : closure_.unresolved;
  list.push_back({0, choice.name, choice.needed_by, {conflict.why}});
}

Result<Closure> compute_closure(const Launch& launch, const measure::Rootfs& rootfs,
                                const measure::Runtime& runtime,
                                const std::vector<ClosureRoot>& roots, const Limits& limits,
                                const ClosureRequest& request) {
  return ClosureBuilder(launch, rootfs, runtime, limits, request).run(roots);
}

}  // namespace cloister::manifest
