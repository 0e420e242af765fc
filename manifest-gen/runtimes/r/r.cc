// A start of R is three programs: Rscript turns its arguments into those of R, a shell script that
// starts bin/exec/R with LD_LIBRARY_PATH set. What is run is known from the arguments of the first
// two; whoever is linked against libR.so loads R's base packages, whatever it is called.
//
// Packages are installed as databases of compiled functions, so that what they do is not read here;
// what they need is: DESCRIPTION and NAMESPACE say it, and R goes by them. Of a package all is
// granted but what is for people and for building others. Programs are followed through the files
// they source and the strings that name files.
#include "manifest-gen/runtimes/r/r.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/launch/program_search.h"
#include "manifest-gen/runtimes/analysis_run.h"
#include "manifest-gen/runtimes/paths.h"
#include "manifest-gen/runtimes/r/libraries.h"
#include "measure/source/r.h"

namespace cloister::manifest::r {
namespace {

using measure::Node;
using measure::source::Facts;

// R_DEFAULT_PACKAGES, and the compiler, which R calls for functions that are used twice.
constexpr std::string_view kDefaultPackages =
    "datasets,utils,grDevices,graphics,stats,methods,compiler";
constexpr std::string_view kSiteFiles[] = {"ldpaths", "Renviron", "Renviron.site", "Rprofile.site",
                                           "repositories"};
// Renviron of the user, then the profile.
constexpr std::string_view kUserFiles[] = {".Renviron", ".Rprofile"};
constexpr std::string_view kFileVariables[] = {"R_ENVIRON", "R_ENVIRON_USER", "R_PROFILE",
                                               "R_PROFILE_USER"};
// What R's own packages run: to find programs, to name the system, to remove the session's
// temporary directory.
constexpr std::string_view kCommands[] = {"sh", "which", "uname", "rm"};

// And what some of them run when they are used: to count processors.
struct CommandRow {
  std::string_view package, command;
};
constexpr CommandRow kPackageCommands[] = {{"parallel", "grep"}, {"parallel", "wc"}};

// Of an installed package.
constexpr std::string_view kNotInUse[] = {
    "help", "html", "doc",      "docs",      "demo",     "tests",    "include",
    "po",   "man",  "examples", "unitTests", "tinytest", "src-i386", "testthat"};
constexpr std::string_view kForPeople[] = {"INDEX",    "CITATION",   "MD5",
                                           "WORDLIST", "SOURCES.ts", "AUTHORS"};
constexpr std::string_view kForPeoplePrefixes[] = {"NEWS",    "LICENSE",   "LICENCE", "COPYRIGHT",
                                                   "COPYING", "ChangeLog", "README"};
constexpr std::string_view kMeta[] = {"package.rds", "nsInfo.rds", "features.rds", "data.rds"};

template <std::size_t N>
bool one_of(const std::string_view (&list)[N], std::string_view what) {
  return std::find(std::begin(list), std::end(list), what) != std::end(list);
}

bool is_for_people(std::string_view name) {
  return one_of(kForPeople, name) || name.ends_with(".md") ||
         std::any_of(std::begin(kForPeoplePrefixes), std::end(kForPeoplePrefixes),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool is_code(std::string_view name) {
  return measure::source::is_r(name, {}) && name != "DESCRIPTION" && name != "NAMESPACE";
}

// How it is started: by Rscript, by R's front end, or it is R, or has R in it.
enum class Front { none, rscript, script, embedded };

Front front_of(const ProgramStart& start, const measure::Rootfs& rootfs) {
  const std::string real = rootfs.real_path(start.path).value_or(start.path);
  const Node* node = rootfs.find(real);
  if (node == nullptr) return Front::none;
  const std::string_view base = base_name(real);
  const measure::elf::Facts* elf = rootfs.elf_facts(*node);
  if (elf == nullptr) return base == "R" ? Front::script : Front::none;
  if (base == "Rscript") return Front::rscript;
  const bool has_r =
      std::find(elf->needed.begin(), elf->needed.end(), "libR.so") != elf->needed.end();
  return has_r || real.ends_with("/bin/exec/R") ? Front::embedded : Front::none;
}

class RAnalysis final : AnalysisRun {
 public:
  RAnalysis(const ProgramStart& start, const AnalyzerScene& scene)
      : AnalysisRun(start, scene),
        homes_(home_directories(scene.rootfs, scene.rootfs.real_path(start.path).value_or(""))),
        libraries_(scene.rootfs) {}

  Result<Analysis> run() {
    const Front front = front_of(start_, rootfs());
    out_.follows_data = true;
    CL_CHECK(libraries_.add_defaults(scene_, homes_));
    if (front == Front::rscript) {
      rscript();
      return std::move(out_);
    }
    if (front == Front::script) {
      front_end();
    } else if (base_name(start_.path) == "r") {
      littler();
    }
    start_files();
    follow();
    suggested();
    return std::move(out_);
  }

 private:
  void grant(std::string path, std::string detail, std::string from = {},
             Why why = Why::r_library) {
    AnalysisRun::grant(std::move(path), why, std::move(detail), std::move(from));
  }

  // ---- command lines ----

  // Rscript(1): its options, then the file or -e. What it starts is R, told so.
  void rscript() {
    std::vector<std::string> argv{"R", "--no-echo", "--no-restore"};
    std::size_t expressions = 0;
    const auto at = find_script([&](std::string_view word, std::string_view next) -> Taken {
      static constexpr std::string_view kPackages = "--default-packages=";
      if (word == "-e") {
        argv.emplace_back("-e");
        argv.emplace_back(next);
        ++expressions;
        return {true, true};
      }
      if (word.starts_with(kPackages))
        packages(word.substr(kPackages.size()), cat("option ", word));
      return {};
    });
    if (at) {
      argv.push_back(cat("--file=", start_.argv[*at]));
      argv.emplace_back("--args");
    } else if (expressions == 0 && !start_.complete) {
      return start_r({});  // said by find_script
    }
    start_r(argv);
    follow();
    suggested();
  }

  void start_r(const std::vector<std::string>& argv) {
    for (const std::string& home : homes_)
      start_program(cat(home, "/bin/R"), argv, "started by Rscript", {});
  }

  void start_program(std::string path, std::vector<std::string> argv, std::string detail,
                     std::string from) {
    if (!is_file(rootfs(), path)) return;
    ClosureRoot root;
    root.path_or_glob = std::move(path);
    root.why = Why::script_command;
    root.detail = std::move(detail);
    root.optional = true;
    root.from = std::move(from);
    root.argv = std::move(argv);
    out_.roots.push_back(std::move(root));
  }

  // R(1): other operands than CMD mean nothing to it.
  void front_end() {
    const std::vector<std::string>& argv = start_.argv;
    if (argv.size() > 3 && argv[1] == "CMD" && argv[2] == "BATCH") {
      for (std::size_t i = 3; i < argv.size(); ++i)
        if (!argv[i].starts_with('-')) return program(argv[i]);
      return;
    }
    static constexpr std::string_view kFile = "--file=";
    bool known = false;
    for (std::size_t i = 1; i < argv.size(); ++i) {
      const std::string_view word = argv[i];
      const bool more = i + 1 < argv.size();
      if (word == "--args") break;
      if (word == "-e" && more) {
        text(argv[++i]);
        known = true;
      } else if (word == "-f" && more) {
        program(argv[++i]);
        known = true;
      } else if (word.starts_with(kFile)) {
        program(word.substr(kFile.size()));
        known = true;
      } else if (word == "--no-site-file" || word == "--no-environ" || word == "--no-init-file" ||
                 word == "--vanilla") {
        quiet_ = quiet_ || word == "--no-init-file" || word == "--vanilla";
      } else if (word == "-g" || word == "--gui" || word == "-d" || word == "--debugger" ||
                 word == "--encoding") {
        ++i;
      }
    }
    if (!known && argv.size() > 1 && !start_.complete) unknown_program();
    if (!known && start_.complete && start_.path == scene_.launch.entrypoint)
      unknown(
          "it reads its program from standard input: name the packages that it loads with "
          "--include");
  }

  // littler(1): r [-l packages] [-e text | file].
  void littler() {
    const auto at = find_script([&](std::string_view word, std::string_view next) -> Taken {
      if (word == "-e" || word == "--eval") {
        text(next);
        return {true, true};
      }
      if (word == "-l" || word == "--packages") packages(next, cat("option ", word));
      const bool value = word == "-l" || word == "--packages" || word == "-L" ||
                         word == "--libpath" || word == "-w";
      return {value, false};
    });
    if (at) program(start_.argv[*at]);
  }

  void program(std::string_view script) {
    const std::string path = in_workdir(script);
    if (!is_file(rootfs(), path)) {
      absent_program(script);
      return;
    }
    grant(path, cat("the program ", script));
    enqueue(path);
  }

  void text(std::string_view code) {
    const Facts facts = measure::source::scan_r(as_bytes(code), scene_.limits);
    names(facts, {}, /*own=*/true);
    if (facts.dynamic)
      unknown(
          "the program on the command line loads packages or files whose names it computes; name "
          "them with --include");
  }

  // ---- what R opens on its own ----

  void start_files() {
    const std::string_view listed = scene_.env("R_DEFAULT_PACKAGES", kDefaultPackages);
    packages("base,compiler", "loaded by R itself");
    if (listed != "NULL") packages(listed, "loaded by R itself");
    for (const std::string& home : homes_) {
      for (const std::string_view name : kSiteFiles)
        started(cat(home, "/etc/", name), "read by R at its start");
      // Found by the LD_LIBRARY_PATH that etc/ldpaths sets; linear algebra is loaded when used.
      grant(cat(home, "/lib/*.so"), "R's own libraries");
      grant(cat(home, "/modules/lapack.so"), "R's linear algebra");
    }
    for (const std::string_view variable : kFileVariables)
      if (const std::string_view file = scene_.env(variable); !file.empty())
        started(in_workdir(file), cat("environment variable ", variable));
    for (const std::string_view name : kUserFiles)
      for (const std::string& path : {in_workdir(name), path_in(scene_.env("HOME", "/"), name)})
        if (!quiet_ || name != ".Rprofile") started(path, "read by R at its start");
    for (const std::string_view name : kCommands) command(name, {}, "run by R itself");
    if (is_file(rootfs(), "/etc/os-release"))
      grant("/etc/os-release", "R's utils names the system that it runs on");
    translations();
  }

  void started(const std::string& path, std::string detail) {
    if (!is_file(rootfs(), path)) return;
    grant(path, std::move(detail), {}, Why::config);
    enqueue(path);
  }

  // Messages in the language of the locale: "de" of "de_AT.UTF-8".
  void translations() {
    const std::string_view locale =
        scene_.env("LANGUAGE", scene_.env("LC_ALL", scene_.env("LC_MESSAGES", scene_.env("LANG"))));
    language_ = locale.substr(0, locale.find_first_of("_.@:"));
    if (language_ == "C" || language_ == "POSIX") language_.clear();
    if (language_.empty() || language_.find_first_of("*?/") != std::string::npos) return;
    for (const std::string& path : libraries_.find("translations"))
      grant(cat(path, "/", language_, "*/LC_MESSAGES/*.mo"), cat("messages in ", locale));
  }

  void command(std::string_view name, const std::string& from, const std::string& detail) {
    const ProgramSearch found =
        find_program(rootfs(), name, scene_.env("PATH", kDefaultPath), scene_.launch.workdir);
    if (!found.found.empty()) grant(found.found, detail, from, Why::script_command);
    // The path of `which` and of the shell is compiled in.
    for (const std::string_view directory : {"/usr/bin/", "/bin/"})
      if (const std::string path = cat(directory, name);
          (name == "which" || name == "sh") && is_file(rootfs(), path))
        grant(path, detail, from, Why::script_command);
  }

  // ---- files ----

  void enqueue(const std::string& path) {
    if (seen_.insert(path).second) queue_.push_back(path);
  }

  void follow() {
    while (!queue_.empty()) {
      const std::string path = std::move(queue_.front());
      queue_.pop_front();
      const Node* node = rootfs().find(path);
      if (node == nullptr) continue;
      const Facts* facts = rootfs().source_facts(*node);
      if (facts == nullptr || facts->language != measure::source::Language::r) continue;
      const bool own = !packaged_.contains(path);
      names(*facts, path, own);
      if (facts->dynamic && own) computed(path);
    }
  }

  void names(const Facts& facts, const std::string& from, bool own) {
    // Trees first: the packages may be there.
    for (const std::string& entry : facts.names)
      if (entry.starts_with("libraries:"))
        libraries_.add(in_workdir(std::string_view(entry).substr(10)));
    for (const std::string& entry : facts.names) {
      const std::size_t colon = std::min(entry.find(':'), entry.size() - 1);
      const std::string_view kind = std::string_view(entry).substr(0, colon);
      const std::string_view name = std::string_view(entry).substr(colon + 1);
      if (kind == "package")
        package(name, from, own ? cat("library(", name, ")") : cat("needs ", name));
      else if (kind == "string" && own)
        package(name, from, cat("names ", name));
      else if (kind == "suggests" && !is_base(from))
        suggests_.emplace(name);
      else if (kind == "module")
        module(name, from);
      else if (kind == "path" && own)
        path_of(name, from);
      else if (kind == "command" && own)
        runs(name, from);
    }
  }

  void runs(std::string_view name, const std::string& from) {
    if (name == "*")
      unknown(cat(from.empty() ? "the program on the command line" : printable(from),
                  " runs commands whose text it computes; name their programs with --include"));
    else
      command(name, from, cat("runs ", name));
  }

  // Relative to the working directory; programs change to their own at times.
  void path_of(std::string_view name, const std::string& from) {
    if (name.find('\0') != std::string_view::npos) return;
    std::vector<std::string> places{in_workdir(name)};
    if (!name.starts_with('/') && !from.empty())
      places.push_back(path_in(parent_directory(from), cat("./", name)));
    for (const std::string& path : places) {
      if (is_file(rootfs(), path)) {
        grant(path, cat("names ", name), from);
        enqueue(path);
      } else if (is_directory(rootfs(), path) && !is_shared_directory(path) && holds_code(path)) {
        below(path, from, cat("the R code in ", name));
      }
    }
    if (const std::string zone = path_in("/usr/share/zoneinfo", cat("./", name));
        !name.starts_with('/') && is_file(rootfs(), zone))
      grant(zone, cat("the time zone ", name), from);
  }

  bool holds_code(const std::string& directory) const {
    const Node* node = rootfs().find(directory);
    return std::any_of(node->children.begin(), node->children.end(),
                       [](const auto& child) { return is_code(child.first); });
  }

  // ---- packages ----

  void packages(std::string_view list, const std::string& detail) {
    for (const std::string_view name : split(list, ',')) package(trim(name), {}, detail);
  }

  void package(std::string_view name, const std::string& from, const std::string& detail) {
    if (name.empty() || name.find('/') != std::string_view::npos || name == "R" ||
        !used_.insert(std::string(name)).second)
      return;
    for (const std::string& directory : libraries_.find(name)) installed(directory, from, detail);
    for (const CommandRow& row : kPackageCommands)
      if (row.package == name) command(row.command, from, cat("run by the package ", name));
  }

  void installed(const std::string& directory, const std::string& from, const std::string& detail) {
    for (const auto& [name, child] : rootfs().find(directory)->children) {
      const std::string path = cat(directory, "/", name);
      if (name == "DESCRIPTION" || name == "NAMESPACE") {
        grant(path, detail, from);
        packaged_.insert(path);
        enqueue(path);
      } else if (name == "Meta") {
        for (const std::string_view file : kMeta)
          if (is_file(rootfs(), cat(path, "/", file))) grant(cat(path, "/", file), detail, from);
      } else if (name == "po") {
        if (!language_.empty())
          grant(cat(path, "/", language_, "*/LC_MESSAGES/*.mo"), detail, from);
      } else if (name == "libs") {
        compiled(path, from, detail);
      } else if (is_directory(rootfs(), path)) {
        if (!one_of(kNotInUse, name)) grant(cat(path, "/**"), detail, from);
      } else if (!is_for_people(name)) {
        grant(path, detail, from);
      }
    }
  }

  // The bitmaps of grDevices wait until somebody draws one: they bring Cairo, Pango and fonts.
  void compiled(const std::string& directory, const std::string& from, const std::string& detail) {
    const Node* node = rootfs().find(directory);
    if (node == nullptr || !node->is_directory()) return;
    for (const auto& [name, child] : node->children)
      if (child->is_directory())
        grant(cat(directory, "/", name, "/**"), detail, from);
      else if (name != "cairo.so" || !directory.ends_with("/grDevices/libs"))
        grant(cat(directory, "/", name), detail, from);
  }

  void module(std::string_view name, const std::string& from) {
    if (name == "bitmaps" && !from.empty() && is_base(from)) return;
    if (!used_.insert(cat("module ", name)).second) return;
    for (const std::string& home : homes_) {
      if (name == "internet") {
        grant(cat(home, "/modules/internet.so"), "connections of R", from);
      } else if (name == "bitmaps") {
        grant(cat(home, "/modules/R_X11.so"), "bitmaps of R", from);
        grant(cat(home, "/library/grDevices/libs/cairo.so"), "bitmaps of R", from);
      } else if (name == "workers") {
        start_program(cat(home, "/bin/Rscript"), {"Rscript", "-e", "parallel:::.workRSOCK()"},
                      "started as a worker", from);
      }
    }
  }

  // Of R itself: its packages name each other's functions in any case.
  bool is_base(const std::string& path) const {
    return packaged_.contains(path) &&
           std::any_of(homes_.begin(), homes_.end(), [&](const std::string& home) {
             return is_within(path, cat(home, "/library"));
           });
  }

  // What packages offer more with, if it is there: R asks for it under the user's hand.
  void suggested() {
    std::vector<std::string> left_out;
    for (const std::string& name : suggests_)
      if (!used_.contains(name) && left_out.size() < kMaxNamed && !libraries_.find(name).empty())
        left_out.push_back(name);
    if (left_out.empty()) return;
    unknown(cat("packages that others only suggest are left out: ", join(left_out, ", "),
                "; a program that comes to use one needs --include of its directory"));
  }

  // ---- what is not known ----

  // Every file of R in the program's directory: followed, as if something had sourced it.
  void computed(const std::string& path) {
    std::string root = measure::normalize_path(scene_.launch.workdir);
    if (is_shared_directory(root) || !is_within(path, root)) root = parent_directory(path);
    const bool shared = is_shared_directory(root);
    if (!shared) below(root, path, "it loads packages or files whose names it computes");
    unknown(cat(printable(path),
                " loads packages or files whose names it computes: what its strings and the files "
                "beside it do not name must be named with --include"));
  }

  void below(const std::string& directory, const std::string& from, const std::string& detail) {
    const auto enters = [](std::string_view name) {
      return name != "renv" && name != "packrat" && name != ".git" && name != "tests";
    };
    const auto part = [](std::string_view name) { return is_code(name) ? Part::code : Part::data; };
    grant_below(directory,
                {enters, part, [this](const std::string& path) { enqueue(path); }, Why::r_library},
                detail, from);
  }

  static constexpr std::size_t kMaxNamed = 24;
  std::vector<std::string> homes_;
  Libraries libraries_;
  std::string language_;
  bool quiet_ = false;  // no profile of the user
  std::deque<std::string> queue_;
  std::set<std::string> suggests_;  // packages, by others than R's own
  std::set<std::string> seen_, used_, packaged_;
};

}  // namespace

bool detect(const ProgramStart& start, const AnalyzerScene& scene) {
  return front_of(start, scene.rootfs) != Front::none;
}

Result<Analysis> analyze(const ProgramStart& start, const AnalyzerScene& scene) {
  return RAnalysis(start, scene).run();
}

}  // namespace cloister::manifest::r
