// Follows what each module names, from the program on. What Node.js opens beside the modules: the
// package.json that says what kind of module a file is, native add-ons, and a few modules that
// Debian's build keeps outside of its binary.
//
// A package whose code computes names is granted as far as require() could load it; one that joins
// paths to its own directory, as far as it says. The application's own package is granted whole,
// but for what is installed into it (node_modules): that is followed.
#include "manifest-gen/runtimes/node/node.h"

#include <algorithm>
#include <array>
#include <deque>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/launch/program_search.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/runtimes/analysis_run.h"
#include "manifest-gen/runtimes/commands.h"
#include "manifest-gen/runtimes/node/command_line.h"
#include "manifest-gen/runtimes/node/resolver.h"
#include "manifest-gen/runtimes/paths.h"
#include "measure/source/javascript.h"

namespace cloister::manifest::node {
namespace {

using measure::Node;
using measure::source::Facts;

// Debian: "--shared-builtin-…" of its build, and where it looks for modules after node_modules.
constexpr std::string_view kExternalBuiltins[] = {
    "/usr/share/nodejs/acorn/dist/acorn.js",
    "/usr/share/nodejs/acorn-walk/dist/walk.js",
    "/usr/share/nodejs/cjs-module-lexer/lexer.js",
    "/usr/share/nodejs/cjs-module-lexer/dist/lexer.js",
    "/usr/share/nodejs/minimatch/index.js",
    "/usr/share/nodejs/undici/undici-fetch.js",
    "/usr/share/nodejs/undici/undici.js"};
constexpr std::string_view kGlobalDirectories[] = {
    "/usr/lib/x86_64-linux-gnu/nodejs", "/usr/share/nodejs", "/usr/lib/nodejs",
    "/usr/lib/node_modules", "/usr/local/lib/node_modules"};

constexpr std::string_view kPackageManagers[] = {"npm",        "npx",        "yarn",    "pnpm",
                                                 "npm-cli.js", "npx-cli.js", "yarn.js", "pnpm.cjs"};

// What people read and Node.js does not.
constexpr std::string_view kNotForMachines[] = {".md",    ".markdown", ".d.ts", ".d.mts",
                                                ".d.cts", ".map",      ".flow", ".tsbuildinfo"};
constexpr std::string_view kNotForUse[] = {"test",     "tests", "__tests__", "example",
                                           "examples", "docs",  "benchmark", "benchmarks"};
constexpr std::size_t kMaxModules = 1U << 20;

template <std::size_t N>
bool one_of(const std::string_view (&list)[N], std::string_view what) {
  return std::find(std::begin(list), std::end(list), what) != std::end(list);
}

bool is_code(std::string_view path) {
  return path.ends_with(".js") || path.ends_with(".cjs") || path.ends_with(".mjs");
}

class NodeAnalysis final : AnalysisRun {
 public:
  NodeAnalysis(const ProgramStart& start, const AnalyzerScene& scene, CommandLine command)
      : AnalysisRun(start, scene),
        command_(std::move(command)),
        resolver_(scene.rootfs, scene.limits, options()) {}

  Analysis run() {
    node_files();
    program(command_, scene_.launch.workdir);
    follow();
    return std::move(out_);
  }

 private:
  // A module to look through: its real path, and the directory that counts as its own.
  struct Module {
    std::string path;
    bool application = false;
  };

  Resolver::Options options() const {
    Resolver::Options out;
    for (const std::string_view item : split(scene_.env("NODE_PATH"), ':'))
      if (!item.empty()) out.global_directories.push_back(path_in(scene_.launch.workdir, item));
    const std::string home(scene_.env("HOME"));
    if (home.starts_with('/') && home.size() > 1) {
      out.global_directories.push_back(cat(home, "/.node_modules"));
      out.global_directories.push_back(cat(home, "/.node_libraries"));
    }
    out.global_directories.push_back(
        path_in(parent_directory(parent_directory(start_.path)), "lib/node"));
    for (const std::string_view directory : kGlobalDirectories)
      out.global_directories.emplace_back(directory);
    out.conditions = command_.conditions;
    return out;
  }

  void node_files() {
    for (const std::string_view path : kExternalBuiltins)
      if (is_file(rootfs(), path))
        grant(std::string(path), Why::node_require, "a module of Node.js itself (Debian's build)");
    const std::string_view icu = scene_.env("NODE_ICU_DATA");
    if (!icu.empty()) command_.files.emplace_back(icu);
    for (const std::string& file : command_.files)
      grant(path_in(scene_.launch.workdir, file), Why::argument, cat("option value ", file));
  }

  // ---- what is started ----

  void program(const CommandLine& command, const std::string& directory) {
    for (const std::string& name : command.require)
      use(name, directory, Resolver::Kind::require, cat("-r ", name));
    for (const std::string& name : command.import)
      use(name, directory, Resolver::Kind::import, cat("--import ", name));
    for (const std::string& text : command.text) {
      names(measure::source::scan_javascript(as_bytes(text), scene_.limits), directory, {}, true,
            "the program on the command line");
    }
    if (!command.run.empty()) package_script(command.run, directory);
    if (command.script.empty()) {
      if (!start_.complete && command.text.empty()) unknown_program();
      return;
    }
    if (is_package_manager(command, directory)) {
      package_manager(command, directory);
      return;
    }
    main_module(command.script, directory);
  }

  void main_module(const std::string& script, const std::string& directory) {
    const std::string path = path_in(directory, script);
    Resolution found = resolver_.resolve(path, directory, Resolver::Kind::require);
    if (found.files.empty()) {
      absent_program(script);
      return;
    }
    for (const std::string& manifest : found.manifests)
      grant(manifest, Why::node_require, "package.json: which file is the program");
    for (const std::string& file : found.files) {
      grant(file, Why::node_require, cat("the program ", script));
      application(file);
      enqueue(file, !resolver_.is_installed(file));
    }
  }

  bool is_package_manager(const CommandLine& command, const std::string& directory) const {
    const std::string path = path_in(directory, command.script);
    const std::string real = rootfs().real_path(path).value_or(path);
    return one_of(kPackageManagers, base_name(path)) || one_of(kPackageManagers, base_name(real));
  }

  // npm start, npm run NAME, npx NAME: the manager stays, and starts a shell.
  void package_manager(const CommandLine& command, const std::string& directory) {
    const std::string path = path_in(directory, command.script);
    grant(path, Why::node_require, "the package manager");
    const std::string real = rootfs().real_path(path).value_or(path);
    enqueue(real, false);
    const std::string root = resolver_.package_root(real);
    if (!root.empty()) whole_package(root, real);
    std::vector<std::string> words;
    for (const std::string& word : command.arguments)
      if (!word.starts_with('-')) words.push_back(word);
    const std::string_view manager = base_name(path);
    unknown(cat(manager,
                " starts the program through a shell, which costs an enclave process "
                "each; start the program itself with --entrypoint and --arg"));
    if (words.empty()) return;
    if (manager.starts_with("npx")) {
      binary(words.front(), directory);
      return;
    }
    const bool run =
        words.front() == "run" || words.front() == "run-script" || words.front() == "exec";
    if (run && words.size() > 1) {
      if (words.front() == "exec")
        binary(words[1], directory);
      else
        package_script(words[1], directory);
    } else if (!run) {
      package_script(words.front(), directory);
    }
  }

  // "scripts" of the application's package.json.
  void package_script(const std::string& name, const std::string& directory) {
    const Package* package = resolver_.scope(directory);
    if (package == nullptr) {
      unknown(cat("there is no package.json in ", directory, " or above that says what ",
                  printable(name), " is"));
      return;
    }
    const std::string root = package->directory;
    grant(path_in(root, "package.json"), Why::node_require, "package.json: its scripts");
    grant("/bin/sh", Why::script_command, "scripts of package.json are run by a shell");
    bool found = false;
    const auto scripts = package->json.scripts;
    for (const auto& [key, text] : scripts) {
      if (key != name && key != cat("pre", name) && key != cat("post", name)) continue;
      found = found || key == name;
      shell_commands(text, root);
    }
    if (!found && name == "start") {
      main_module("server.js", root);  // npm's default
    } else if (!found) {
      unknown(cat("package.json has no script ", printable(name)));
    }
  }

  // Each command of "a && b": node with a program, or a program of a package.
  void shell_commands(std::string_view text, const std::string& directory) {
    if (++shell_depth_ > kMaxShellDepth) return;
    while (!text.empty()) {
      const std::vector<std::string> words = simple_command(text);
      if (words.empty()) {
        unknown(cat("the command ", printable(text), " of package.json is not understood"));
      } else if (base_name(words.front()) == "node" || base_name(words.front()) == "nodejs") {
        program(parse_command_line({words.begin() + 1, words.end()}, ""), directory);
      } else if (words.front() == "npm" && words.size() > 2 && words[1] == "run") {
        package_script(words[2], directory);
      } else {
        binary(words.front(), directory);
      }
      const std::size_t next = text.find_first_of("&|;");
      if (next == std::string_view::npos) return;
      text.remove_prefix(std::min(text.find_first_not_of("&|; ", next), text.size()));
    }
  }

  // A program of an installed package, else one of PATH.
  void binary(const std::string& name, const std::string& directory) {
    for (std::string at = directory;; at = parent_directory(at)) {
      const std::string path = path_in(at, cat("node_modules/.bin/", name));
      if (is_file(rootfs(), path)) {
        grant(path, Why::script_command, cat("a script of package.json runs ", name));
        main_module(path, at);
        return;
      }
      if (at == "/") break;
    }
    const ProgramSearch found =
        find_program(rootfs(), name, scene_.env("PATH", kDefaultPath), directory);
    if (!found.found.empty())
      grant(found.found, Why::script_command, cat("a script of package.json runs ", name));
    else
      absent_program(name);
  }

  // The application's own package: all of it, but for what is installed there.
  void application(const std::string& file) {
    if (resolver_.is_installed(file)) return;
    std::string root = resolver_.package_root(file);
    if (root.empty()) root = parent_directory(file);  // without a package.json
    if (is_shared_directory(root)) return;
    if (!applications_.insert(root).second) return;
    std::vector<const Node*> work{rootfs().find(root)};
    while (!work.empty()) {
      const Node* node = work.back();
      work.pop_back();
      bool files = false;
      for (const auto& [name, child] : node->children) {
        if (!child->is_directory())
          files = true;
        else if (name != "node_modules" && name != ".git")
          work.push_back(child.get());
      }
      // A pattern, so that secrets are left out.
      if (files)
        grant(cat(node->path(), "/*"), Why::workdir, cat("the application's own files in ", root));
    }
  }

  // ---- modules ----

  void enqueue(const std::string& path, bool application) {
    if (seen_.size() < kMaxModules && seen_.insert(path).second)
      queue_.push_back({path, application});
  }

  void follow() {
    while (!queue_.empty()) {
      const Module module = std::move(queue_.front());
      queue_.pop_front();
      look_through(module);
    }
  }

  void look_through(const Module& module) {
    package_of(module.path);
    const std::string directory(parent_directory(module.path));
    // The kind of a .js file stands in the package.json above it.
    if (const Package* scope = resolver_.scope(directory))
      grant(path_in(scope->directory, "package.json"), Why::node_require,
            "package.json: what kind of module this is", module.path);
    const Node* node = rootfs().find(module.path);
    if (node == nullptr) return;
    const Facts* facts = rootfs().source_facts(*node);
    if (facts != nullptr && facts->language == measure::source::Language::javascript) {
      names(*facts, directory, module.path, module.application, module.path);
    } else if (is_code(module.path)) {
      computed(module.path, module.application, "is too large to look through");
    }
  }

  void names(const Facts& facts, const std::string& directory, const std::string& from,
             bool application, const std::string& shown) {
    for (const std::string& entry : facts.names) {
      const std::size_t colon = entry.find(':');
      if (colon == std::string::npos) continue;
      const std::string_view kind = std::string_view(entry).substr(0, colon);
      const std::string name = entry.substr(colon + 1);
      if (kind == "require")
        use(name, directory, Resolver::Kind::require, cat("require ", name), from);
      else if (kind == "import")
        use(name, directory, Resolver::Kind::import, cat("import ", name), from);
      else if (kind == "resolve")
        path_of(name, directory, from);
      else if (kind == "file")
        named_file(name, directory, from, application);
      else if (kind == "below")
        below(name, directory, from, application);
      else if (kind == "run" && application)
        for (std::string& path : programs_run_by(name, scene_))
          grant(std::move(path), Why::script_command, cat("runs ", name), from);
    }
    if (facts.dynamic && !from.empty()) {
      computed(from, application, "loads modules whose names it computes");
    } else if (facts.dynamic) {
      unknown(cat(shown, " loads modules whose names it computes; name them with --include"));
    }
  }

  void use(const std::string& name, const std::string& directory, Resolver::Kind kind,
           const std::string& detail, const std::string& from = {}) {
    const Resolution found = resolver_.resolve(name, directory, kind);
    for (const std::string& manifest : found.manifests)
      grant(manifest, Why::node_require, cat("package.json, for ", detail), from);
    for (const std::string& file : found.files) {
      grant(file, Why::node_require, detail, from);
      const bool own = !resolver_.is_installed(file);
      if (own) application(file);
      enqueue(file, own);
    }
  }

  // require.resolve(): a path for any purpose. Another package's: all of that.
  void path_of(const std::string& name, const std::string& directory, const std::string& from) {
    use(name, directory, Resolver::Kind::require, cat("require.resolve ", name), from);
    const Resolution found = resolver_.resolve(name, directory, Resolver::Kind::require);
    for (const std::string& file : found.files) {
      const std::string root = resolver_.package_root(file);
      if (root.empty() || !resolver_.is_installed(file) || root == resolver_.package_root(from))
        continue;
      data_below(root, from, cat("require.resolve ", name));
    }
  }

  // "./x" in a string: a worker or a data file, when there is one.
  void named_file(const std::string& name, const std::string& directory, const std::string& from,
                  bool application) {
    take_file(path_in(directory, name), from, cat("named ", name));
    if (application) take_file(path_in(scene_.launch.workdir, name), from, cat("named ", name));
  }

  bool take_file(const std::string& path, const std::string& from, const std::string& detail) {
    const Node* node = rootfs().find(path);
    if (node == nullptr || !node->is_regular()) return false;
    grant(path, Why::node_require, detail, from);
    const std::string real = node->path();
    if (is_code(real)) {
      grant(real, Why::node_require, detail, from);
      enqueue(real, !resolver_.is_installed(real));
    }
    return true;
  }

  // What is joined to __dirname.
  void below(const std::string& name, const std::string& directory, const std::string& from,
             bool application) {
    const std::string path = path_in(directory, cat("./", name));
    const std::string detail = name.empty() ? std::string("the module's own directory")
                                            : cat("__dirname joined to ", name);
    if (take_file(path, from, detail)) return;
    if (!is_directory(rootfs(), path)) {
      for (const char* suffix : {".js", ".json", ".node", ".mjs", ".cjs"})
        if (take_file(cat(path, suffix), from, detail)) return;
      return;
    }
    if (is_shared_directory(path)) return;
    // A package has nothing to look for outside of itself; one that does looks for the application.
    const std::string root = resolver_.package_root(from);
    if (!application && (root.empty() || (path != root && !path.starts_with(cat(root, "/")))))
      return;
    data_below(path, from, detail);
  }

  void computed(const std::string& path, bool application, std::string_view why) {
    const std::string root = resolver_.package_root(path);
    if (application && told_.insert(root.empty() ? path : root).second) {
      unknown(cat(printable(path), " ", why,
                  "; what is not below its own package must be named with --include"));
    }
    if (root.empty() || is_shared_directory(root)) return;
    whole_package(root, path);
  }

  // Everything of a package that require() can load, and what it depends on.
  void whole_package(const std::string& root, const std::string& from) {
    if (!whole_.insert(root).second) return;
    for (const std::string& file : resolver_.loadable_below(root)) {
      if (not_for_use(root, file)) continue;
      grant(file, Why::node_require, "its package loads modules whose names it computes", from);
      enqueue(file, !resolver_.is_installed(file));
    }
    const Package* package = resolver_.package(root);
    if (package == nullptr) return;
    const std::vector<std::string> dependencies = package->json.dependencies;
    for (const std::string& name : dependencies) {
      use(name, root, Resolver::Kind::require, cat("depends on ", name), from);
      use(name, root, Resolver::Kind::import, cat("depends on ", name), from);
    }
  }

  void data_below(const std::string& directory, const std::string& from,
                  const std::string& detail) {
    if (!data_.insert(directory).second) return;
    const Node* top = rootfs().find(directory);
    const std::string package = resolver_.package_root(cat(directory, "/x"));
    std::vector<const Node*> work{top};
    while (!work.empty()) {
      const Node* node = work.back();
      work.pop_back();
      for (const auto& [name, child] : node->children) {
        if (child->is_directory() && name != "node_modules" &&
            !(node == top && directory == package && one_of(kNotForUse, name)))
          work.push_back(child.get());
        if (!child->is_regular() || is_for_people(name)) continue;
        const std::string path = child->path();
        grant(path, Why::node_require, detail, from);
        if (is_code(name)) enqueue(path, !resolver_.is_installed(path));
      }
    }
  }

  static bool is_for_people(std::string_view name) {
    return std::any_of(std::begin(kNotForMachines), std::end(kNotForMachines),
                       [&](std::string_view suffix) { return name.ends_with(suffix); });
  }
  static bool not_for_use(const std::string& root, std::string_view file) {
    file.remove_prefix(std::min(root.size() + 1, file.size()));
    const std::size_t slash = file.find('/');
    return slash != std::string_view::npos && one_of(kNotForUse, file.substr(0, slash));
  }

  // Once per package: native add-ons, which are found in many ways.
  void package_of(const std::string& file) {
    const std::string root = resolver_.package_root(file);
    if (root.empty() || is_shared_directory(root) || !packages_.insert(root).second) return;
    // Debian's packages find each other through a link as well.
    static constexpr std::string_view kDebian = "/usr/share/nodejs/";
    if (root.starts_with(kDebian))
      grant(cat("/usr/share/node_modules/", root.substr(kDebian.size()), "/package.json"),
            Why::node_require, "package.json: which file is the module", file);
    const Node* top = rootfs().find(root);
    std::vector<const Node*> work;
    if (top != nullptr) work.push_back(top);
    while (!work.empty()) {
      const Node* node = work.back();
      work.pop_back();
      for (const auto& [name, child] : node->children) {
        if (child->is_directory() && name != "node_modules") work.push_back(child.get());
        if (!child->is_regular() || !name.ends_with(".node")) continue;
        const auto* elf = rootfs().elf_facts(*child);
        if (elf != nullptr && elf->is_x86_64())
          grant(child->path(), Why::node_require, "a native add-on of the package", file);
      }
    }
  }

  static constexpr int kMaxShellDepth = 16;
  CommandLine command_;
  Resolver resolver_;
  std::deque<Module> queue_;
  std::set<std::string> seen_, packages_, whole_, data_, applications_, told_;
  int shell_depth_ = 0;
};

}  // namespace

bool detect(const ProgramStart& start, const AnalyzerScene& scene) {
  const std::string real = scene.rootfs.real_path(start.path).value_or(start.path);
  for (const std::string_view base : {base_name(start.path), base_name(real)})
    if (base == "node" || base == "nodejs") return true;
  return false;
}

Result<Analysis> analyze(const ProgramStart& start, const AnalyzerScene& scene) {
  std::vector<std::string> words;
  if (!start.argv.empty()) words.assign(start.argv.begin() + 1, start.argv.end());
  return NodeAnalysis(start, scene, parse_command_line(words, scene.env("NODE_OPTIONS"))).run();
}

}  // namespace cloister::manifest::node
