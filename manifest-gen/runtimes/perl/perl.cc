// Follows "use" and "require" through the directories of @INC, with the native part of each module
// (auto/A/B/B.so). @INC is compiled into perl; here it is what distributions compile in, as far as
// the image has it.
//
// A module that computes names loads, in practice, what lies below its own name: "Mojo::Loader" is
// in Mojo, whose modules are then granted whole. In the core library, whose names are shared by
// many, only what is below the module itself.
#include "manifest-gen/runtimes/perl/perl.h"

#include <algorithm>
#include <deque>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/walk_below.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/runtimes/analysis_run.h"
#include "manifest-gen/runtimes/paths.h"
#include "measure/source/perl.h"

namespace cloister::manifest::perl {
namespace {

using measure::Node;
using measure::source::Facts;

// In the order of @INC. '*' stands for an architecture or a version. `core`: part of perl itself.
struct IncRow {
  std::string_view pattern;
  bool core;
};
constexpr IncRow kInc[] = {
    // Debian.
    {"/etc/perl", false},
    {"/usr/local/lib/*-linux-gnu/perl/*", false},
    {"/usr/local/share/perl/*", false},
    {"/usr/lib/*-linux-gnu/perl5/*", false},
    {"/usr/share/perl5", false},
    {"/usr/lib/*-linux-gnu/perl-base", true},
    {"/usr/lib/*-linux-gnu/perl/*", true},
    {"/usr/share/perl/*", true},
    {"/usr/local/lib/site_perl", false},
    // Built from source, as in the official image.
    {"/usr/local/lib/perl5/site_perl/*/x86_64-linux*", false},
    {"/usr/local/lib/perl5/site_perl/*", false},
    {"/usr/local/lib/perl5/vendor_perl/*/x86_64-linux*", false},
    {"/usr/local/lib/perl5/vendor_perl/*", false},
    {"/usr/local/lib/perl5/*/x86_64-linux*", true},
    {"/usr/local/lib/perl5/*", true},
    // Alpine and Fedora.
    {"/usr/local/lib64/perl5/*", false},
    {"/usr/local/share/perl5/*", false},
    {"/usr/lib64/perl5/vendor_perl", false},
    {"/usr/lib/perl5/vendor_perl", false},
    {"/usr/share/perl5/vendor_perl", false},
    {"/usr/lib64/perl5", true},
    {"/usr/lib/perl5/core_perl", true},
    {"/usr/share/perl5/core_perl", true},
};

// What perl loads without being told: for glob(), %!, %+, in-memory files, method calls on file
// handles, attributes, \N{…}, and its own configuration.
constexpr std::string_view kImplicit[] = {"Config",
                                          "Errno",
                                          "File::Glob",
                                          "IO::File",
                                          "IO::Handle",
                                          "PerlIO::scalar",
                                          "PerlIO::encoding",
                                          "Tie::Hash::NamedCapture",
                                          "attributes",
                                          "_charnames",
                                          "utf8",
                                          "mro",
                                          "re"};
constexpr std::string_view kImplicitFiles[] = {"Config_heavy.pl", "Config_git.pl", "utf8_heavy.pl",
                                               "unicore/Heavy.pl", "sitecustomize.pl"};

// Encode loads these by the names of character sets: 9 MB of tables.
constexpr std::string_view kCjkTables[] = {"Encode::CN", "Encode::JP", "Encode::KR", "Encode::TW"};
constexpr std::string_view kDocumentation[] = {".pod", ".pl.PL", ".e2x", "README"};

bool is_cjk_table(std::string_view module) {
  return std::any_of(std::begin(kCjkTables), std::end(kCjkTables), [&](std::string_view table) {
    return module.starts_with(table) &&
           (module.size() == table.size() || module.substr(table.size()).starts_with("::"));
  });
}

struct Inc {
  std::string directory;
  bool core = false;
  bool own = false;  // chosen by the program, not by how perl was built
};

class PerlAnalysis final : AnalysisRun {
 public:
  PerlAnalysis(const ProgramStart& start, const AnalyzerScene& scene) : AnalysisRun(start, scene) {}

  Analysis run() {
    for (const std::string_view item : split(scene_.env("PERL5LIB"), ':'))
      if (!item.empty()) add_inc(in_workdir(item), false, true);
    default_inc();
    for (const std::string_view module : kImplicit) use(module, {}, "loaded by perl itself");
    for (const std::string_view file : kImplicitFiles)
      (void)library_file(file, {}, "loaded by perl itself");
    for (const std::string_view word : split(scene_.env("PERL5OPT"), ' '))
      if (!word.empty()) option(word, {});
    command_line();
    applications();
    follow();
    if (cjk_) {
      for (const std::string_view table : kCjkTables) use(table, cjk_from_, cjk_detail_);
      follow();
    } else if (!cjk_perhaps_.empty() && used_.contains("Encode")) {
      unknown(cat("character sets of China, Japan and Korea are left out: ", cjk_perhaps_,
                  " decodes what it is sent; for text in them, --include "
                  "/usr/lib/x86_64-linux-gnu/perl/*/auto/Encode/**"));
    }
    return std::move(out_);
  }

 private:
  void grant(std::string path, std::string detail, std::string from) {
    AnalysisRun::grant(std::move(path), Why::perl_use, std::move(detail), std::move(from));
  }

  // ---- @INC ----

  void add_inc(std::string directory, bool core, bool own = false) {
    if (!is_directory(rootfs(), directory)) return;
    const auto same = [&](const Inc& inc) { return inc.directory == directory; };
    if (std::none_of(inc_.begin(), inc_.end(), same))
      inc_.push_back({std::move(directory), core, own});
  }

  void default_inc() {
    for (const IncRow& row : kInc) {
      // Debian's own directory for /usr/bin/perl; its library knows the full one alone.
      if (row.pattern.ends_with("/perl-base") && start_.argv.front() == "libperl") continue;
      for (std::string& directory : matching_directories(rootfs(), row.pattern))
        add_inc(std::move(directory), row.core);
    }
  }

  // ---- the command line ----

  void command_line() {
    const auto at = find_script(
        [this](std::string_view word, std::string_view next) { return option(word, next); });
    if (!at) return;
    const std::string& script = start_.argv[*at];
    const std::string path = in_workdir(script);
    if (!is_file(rootfs(), path)) {
      absent_program(script);
      return;
    }
    script_ = path;
    grant(path, cat("the program ", script), {});
    enqueue(path, false);
    // "plackup bin/app.psgi"
    for (std::size_t i = *at + 1; i < start_.argv.size(); ++i) {
      const std::string word = in_workdir(start_.argv[i]);
      if (!is_code(word) || !is_file(rootfs(), word)) continue;
      grant(word, cat("argument ", start_.argv[i]), {});
      enqueue(word, false);
      directories_.push_back(application_of(word));
    }
  }

  // ---- the application ----

  static bool is_code(std::string_view name) {
    return name.ends_with(".pm") || name.ends_with(".pl") || name.ends_with(".psgi");
  }

  // The directory that a program is in, or the one above it when it is in one of programs.
  static std::string application_of(const std::string& path) {
    static constexpr std::string_view kOfPrograms[] = {"bin", "sbin", "script", "scripts"};
    const std::string_view directory = parent_directory(path);
    const bool programs = std::find(std::begin(kOfPrograms), std::end(kOfPrograms),
                                    base_name(directory)) != std::end(kOfPrograms);
    return std::string(programs ? parent_directory(directory) : directory);
  }

  // How a program finds its own modules (a computed "use lib", start_app('Name'), the names of
  // controllers) cannot be known: all of them are followed.
  void applications() {
    directories_.push_back(scene_.launch.workdir);
    if (!script_.empty()) directories_.push_back(application_of(script_));
    for (const std::string& directory : directories_) {
      if (is_shared_directory(directory) || !is_directory(rootfs(), directory)) continue;
      if (std::any_of(inc_.begin(), inc_.end(), [&](const Inc& inc) {
            return !inc.own && is_within(inc.directory, directory);
          }))
        continue;
      for (const char* library : {"/lib", "/local/lib/perl5"})
        add_inc(cat(directory, library), false, true);
      own_code(directory);
    }
  }

  void own_code(const std::string& directory) {
    grant_below(directory,
                {[](std::string_view name) {
                   return !name.starts_with('.') && name != "node_modules" && name != "local" &&
                          name != "t" && name != "xt";
                 },
                 [](std::string_view name) { return is_code(name) ? Part::code : Part::none; },
                 [this](const std::string& path) { enqueue(path, false); }, Why::perl_use},
                "a module of the application", {});
  }

  // perlrun(1). Single letters may stand together: "-wne".
  Taken option(std::string_view word, std::string_view next) {
    Taken taken;
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string_view rest = word.substr(i + 1);
      switch (word[i]) {
        case 'e':
        case 'E':
          text(next, "the program on the command line");
          return {true, true};
        case 'I':
          if (rest.empty()) {
            front_inc(in_workdir(next));
            return {true, taken.program};
          }
          front_inc(in_workdir(rest));
          return taken;
        case 'M':
        case 'm':
          use(rest.substr(rest.starts_with('-') ? 1 : 0).substr(0, rest.find('=')), {},
              cat("option ", word));
          return taken;
        case 'd':
          if (rest.starts_with(':')) use(cat("Devel::", rest.substr(1)), {}, cat("option ", word));
          return taken;
        case 'C':
        case 'D':
        case 'F':
        case 'V':
        case 'i':
        case 'x':
          return taken;
        default:
          break;
      }
    }
    return taken;
  }

  void front_inc(std::string directory) {
    const auto same = [&](const Inc& inc) { return inc.directory == directory && inc.own; };
    if (is_directory(rootfs(), directory) && std::none_of(inc_.begin(), inc_.end(), same))
      inc_.insert(inc_.begin(), {std::move(directory), false, true});
  }

  void text(std::string_view code, std::string_view shown) {
    const Facts facts = measure::source::scan_perl(as_bytes(code), scene_.limits);
    names(facts, {}, false);
    if (facts.dynamic)
      unknown(cat(shown, " loads modules whose names it computes; name them with --include"));
  }

  // ---- modules ----

  struct Module {
    std::string path;  // as perl opens it
    bool core;
  };

  void enqueue(const std::string& path, bool core) {
    if (seen_.insert(path).second) queue_.push_back({path, core});
  }

  void follow() {
    while (!queue_.empty()) {
      const Module module = std::move(queue_.front());
      queue_.pop_front();
      const Node* node = rootfs().find(module.path);
      if (node == nullptr) continue;
      const Facts* facts = rootfs().source_facts(*node);
      if (facts == nullptr || facts->language != measure::source::Language::perl) continue;
      names(*facts, module.path, module.core);
      if (facts->dynamic) computed(module);
    }
  }

  void names(const Facts& facts, const std::string& from, bool core) {
    // Directories first: the modules may be there.
    for (const std::string& entry : facts.names)
      if (entry.starts_with("lib:")) use_lib(std::string_view(entry).substr(4), from);
    for (const std::string& entry : facts.names) {
      const std::size_t colon = std::min(entry.find(':'), entry.size() - 1);
      const std::string_view kind = std::string_view(entry).substr(0, colon);
      const std::string_view name = std::string_view(entry).substr(colon + 1);
      if (kind == "module")
        use(name, from, cat("use ", name), core);
      else if (kind == "string" && (!core || (same_top(name, from) && !is_cjk_table(name))))
        use(name, from, cat("names ", name));
      else if (kind == "own" && !core)
        data_beside(from);
      else if (kind == "charset" && !core)
        character_set(name, from);
      else if (kind == "file")
        file(name, from, core);
    }
  }

  // What is no code in a module's directory, and below the one of its own name.
  void data_beside(const std::string& module) {
    const std::string directory(parent_directory(module));
    const bool shared = is_shared_directory(directory) ||
                        std::any_of(inc_.begin(), inc_.end(),
                                    [&](const Inc& inc) { return inc.directory == directory; });
    if (!shared) data_in(directory, module);
    if (module.ends_with(".pm")) data_in(module.substr(0, module.size() - 3), module);
  }

  void data_in(const std::string& directory, const std::string& from) {
    const Node* node = rootfs().find(directory);
    if (node == nullptr || !node->is_directory()) return;
    for (const auto& [name, child] : node->children)
      if (child->is_regular() && !is_code(name) && !is_documentation(name))
        grant(cat(directory, "/", name), "data beside a module that looks for it", from);
  }

  // File::ShareDir: the data of a distribution, in a directory that is named after it.
  void shared_data(const std::string& path, const std::string& from) {
    std::string name = path;
    std::replace(name.begin(), name.end(), '/', '-');
    for (const Inc& inc : inc_)
      for (const char* kind : {"/auto/share/dist/", "/auto/share/module/"})
        if (is_directory(rootfs(), cat(inc.directory, kind, name)))
          grant(cat(inc.directory, kind, name, "/**"), "data of its distribution", from);
  }

  // Named by anybody, or computed by the program itself: the tables are needed. Computed by a
  // library: perhaps.
  void character_set(std::string_view name, const std::string& from) {
    const bool library = std::any_of(inc_.begin(), inc_.end(), [&](const Inc& inc) {
      return !inc.own && is_within(from, inc.directory);
    });
    if (name == "*" && library) {
      cjk_perhaps_ = from;
    } else if (!cjk_) {
      cjk_ = true;
      cjk_from_ = from;
      cjk_detail_ = name == "*" ? "names of character sets are computed"
                                : cat("names the character set ", name);
    }
  }

  void use_lib(std::string_view name, const std::string& from) {
    static constexpr std::string_view kScript = "@script";
    const std::string script(parent_directory(script_.empty() ? from : script_));
    std::vector<std::string> places;
    if (name.starts_with(kScript)) {
      // A program that another one loads (plackup) goes by its own directory.
      for (const std::string& place : {script, std::string(parent_directory(from))})
        places.push_back(path_in(place, cat("./", name.substr(kScript.size()))));
    } else {
      places.push_back(in_workdir(name));
    }
    for (std::string& place : places)
      if (!is_shared_directory(place)) front_inc(std::move(place));
  }

  static std::string module_path(std::string_view name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (name.substr(i, 2) == "::") {
        out += '/';
        ++i;
      } else {
        out += name[i];
      }
    }
    return out;
  }

  // Modules of the core library name many others in passing; those of their own family they load.
  bool same_top(std::string_view name, const std::string& from) const {
    const std::string top = cat("/", name.substr(0, name.find("::")));
    return from.find(cat(top, "/")) != std::string::npos || from.ends_with(cat(top, ".pm"));
  }

  void use(std::string_view name, const std::string& from, const std::string& detail,
           bool core = false) {
    const std::string path = module_path(name);
    if (path.empty() || path.find('\0') != std::string::npos || !used_.insert(path).second) return;
    native(path, library_file(cat(path, ".pm"), from, detail), from, detail);
    shared_data(path, from);
    // Tables that it opens by names which it computes.
    if (path == "Unicode/UCD" && !core)
      for (const Inc& inc : inc_)
        if (inc.core) grant(cat(inc.directory, "/unicore/**"), detail, from);
  }

  // auto/A/B: B.so, and subroutines that AutoSplit has cut out. XSLoader looks beside the module
  // (in `beside`), DynaLoader and AutoLoader in the first directory that has it.
  void native(const std::string& path, const Inc* beside, const std::string& from,
              const std::string& detail) {
    bool first = true;
    for (const Inc& inc : inc_) {
      if (!first && &inc != beside) continue;
      const std::string directory = cat(inc.directory, "/auto/", path);
      const Node* node = rootfs().find(directory);
      if (node == nullptr || !node->is_directory()) continue;
      for (const auto& [name, child] : node->children) {
        if (child->is_directory()) continue;
        const std::string file = cat(directory, "/", name);
        grant(file, cat("native part of what is loaded: ", detail), from);
        if (name.ends_with(".al")) enqueue(file, inc.core);
        if (name.ends_with(".so")) first = false;
      }
    }
  }

  // The directory that has it; null when none does.
  const Inc* library_file(std::string_view name, const std::string& from,
                          const std::string& detail) {
    for (const Inc& inc : inc_) {
      const std::string path = path_in(inc.directory, cat("./", name));
      if (!is_file(rootfs(), path)) continue;
      grant(path, detail, from);
      enqueue(path, inc.core);
      return &inc;
    }
    return nullptr;
  }

  void file(std::string_view name, const std::string& from, bool core) {
    const std::string detail = cat("require ", name);
    if (!name.starts_with('/') && !name.starts_with("./") &&
        library_file(name, from, detail) != nullptr)
      return;
    for (const std::string& path :
         {in_workdir(name), path_in(parent_directory(from), cat("./", name))}) {
      if (!is_file(rootfs(), path)) continue;
      grant(path, detail, from);
      enqueue(path, core);
      return;
    }
  }

  void computed(const Module& module) {
    const std::string_view why = "its package loads modules whose names it computes";
    for (const Inc& inc : inc_) {
      if (!module.path.starts_with(cat(inc.directory, "/"))) continue;
      std::string name = module.path.substr(inc.directory.size() + 1);
      if (name.ends_with(".pm")) name.resize(name.size() - 3);
      if (!module.core) name.resize(std::min(name.find('/'), name.size()));
      if (!whole_.insert(name).second) return;
      for (const Inc& place : inc_)
        below(cat(place.directory, "/", name), name, module.path, std::string(why));
      return;
    }
    if (module.path == script_)
      unknown(cat(printable(script_),
                  " loads modules whose names it computes; name them with --include"));
  }

  void below(const std::string& directory, const std::string& name, const std::string& from,
             const std::string& detail) {
    const Node* top = rootfs().find(directory);
    if (top == nullptr || !top->is_directory()) return;
    walk_below(*top, name, [&](const Node& child, std::string path) {
      if (path.ends_with(".pm")) {
        path.resize(path.size() - 3);
        std::string module;
        for (const char c : path) {
          if (c == '/')
            module += "::";
          else
            module += c;
        }
        if (cjk_ || !is_cjk_table(module)) use(module, from, detail);
      } else if (child.is_regular() && !is_documentation(path)) {
        // Templates and other data of the package.
        grant(cat(directory, path.substr(name.size())), detail, from);
      }
      return true;
    });
  }

  static bool is_documentation(std::string_view name) {
    return std::any_of(std::begin(kDocumentation), std::end(kDocumentation),
                       [&](std::string_view suffix) { return name.ends_with(suffix); });
  }

  bool cjk_ = false;
  std::string cjk_from_, cjk_detail_, cjk_perhaps_;
  std::vector<Inc> inc_;
  std::string script_;
  std::deque<Module> queue_;
  std::set<std::string> seen_, used_, whole_;
  std::vector<std::string> directories_;  // of the application
};

}  // namespace

bool detect(const ProgramStart& start, const AnalyzerScene& scene) {
  const std::string real = scene.rootfs.real_path(start.path).value_or(start.path);
  const std::string_view base = base_name(real);
  return base == "perl" || (base.starts_with("perl5") && base.size() > 5);
}

Result<Analysis> analyze(const ProgramStart& start, const AnalyzerScene& scene) {
  return PerlAnalysis(start, scene).run();
}

}  // namespace cloister::manifest::perl
