// Follows what each file requires, from the program on, through $LOAD_PATH and the installed gems;
// the load path is compiled into ruby, and here it is what distributions compile in. RubyGems,
// which every ruby loads first, reads the specifications of all gems; its own files are granted
// whole and not followed: they could install gems, and a program does not.
//
// Where a file computes names, the whole of what it belongs to is granted and followed: a gem its
// gem, an application its directory, a part of the standard library what is below its own name.
#include "manifest-gen/runtimes/ruby/ruby.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/launch/program_search.h"
#include "manifest-gen/runtimes/analysis_run.h"
#include "manifest-gen/runtimes/commands.h"
#include "manifest-gen/runtimes/paths.h"
#include "manifest-gen/runtimes/ruby/load_path.h"
#include "measure/source/ruby.h"

namespace cloister::manifest::ruby {
namespace {

using measure::Node;
using measure::source::Facts;

// Loaded before the program: gem_prelude.rb, and the encodings that are not built in.
constexpr std::string_view kStart[] = {"rbconfig",
                                       "monitor",
                                       "did_you_mean",
                                       "error_highlight",
                                       "syntax_suggest/core_ext",
                                       "enc/encdb.so",
                                       "enc/trans/transdb.so"};

// What compiled parts of the standard library require.
struct NativeRow {
  std::string_view feature, requires_feature;
};
constexpr NativeRow kNativeRequires[] = {{"/json/ext/parser.so", "json/common"},
                                         {"/json/ext/generator.so", "json/common"},
                                         {"/psych.so", "psych/syntax_error"},
                                         {"/io/console.so", "io/console/size"},
                                         {"/openssl.so", "digest"}};

// Parts of a gem that a program that uses it does not read.
constexpr std::string_view kNotForUse[] = {
    "test",   "tests",   "spec",      "specs", "doc",         "docs",
    "ext",    "ports",   "benchmark", "bench", "example",     "examples",
    "sample", "samples", "features",  ".git",  "node_modules"};
constexpr std::string_view kNotForMachines[] = {
    ".md", ".rdoc", ".ri", ".c", ".h", ".cpp", ".java", ".o", ".gem", ".txt", ".markdown", ".rbs"};

template <std::size_t N>
bool one_of(const std::string_view (&list)[N], std::string_view what) {
  return std::find(std::begin(list), std::end(list), what) != std::end(list);
}

bool is_code(std::string_view path) {
  return path.ends_with(".rb") || path.ends_with(".so");
}

class RubyAnalysis final : AnalysisRun {
 public:
  RubyAnalysis(const ProgramStart& start, const AnalyzerScene& scene)
      : AnalysisRun(start, scene), load_path_(scene.rootfs) {}

  Analysis run() {
    search_places();
    for (const std::string_view word : split(scene_.env("RUBYOPT"), ' '))
      if (!word.empty()) (void)option(word, {});
    command_line();
    start_files();
    for (const std::string& feature : required_) use(feature, {}, cat("option -r ", feature));
    follow();
    return std::move(out_);
  }

 private:
  void grant(std::string path, std::string detail, std::string from = {}) {
    AnalysisRun::grant(std::move(path), Why::ruby_require, std::move(detail), std::move(from));
  }

  // ---- where it looks ----

  void search_places() {
    for (const std::string_view item : split(scene_.env("RUBYLIB"), ':'))
      if (!item.empty()) load_path_.add(in_workdir(item), Origin::application);
    load_path_.add_defaults();
    for (const std::string_view variable : {"GEM_HOME", "GEM_PATH"})
      for (const std::string_view item : split(scene_.env(variable), ':'))
        if (item.starts_with('/')) load_path_.add_gem_home(item);
    if (const std::string_view bundle = scene_.env("BUNDLE_PATH"); !bundle.empty()) {
      load_path_.add_gem_home(in_workdir(bundle));
      load_path_.add_gem_home(cat(in_workdir(bundle), "/ruby/*"));
    }
    load_path_.add_gem_home(in_workdir("vendor/bundle/ruby/*"));
    if (const std::string home(scene_.env("HOME")); home.starts_with('/')) {
      load_path_.add_gem_home(cat(home, "/.gem/ruby/*"));
      load_path_.add_gem_home(cat(home, "/.local/share/gem/ruby/*"));
    }
    load_path_.add_default_gem_homes();
  }

  void start_files() {
    for (const std::string_view feature : kStart)
      if (rubygems_ || feature.starts_with("enc/")) use(feature, {}, "loaded by ruby itself");
    if (const std::string_view locale = scene_.env("LC_ALL", scene_.env("LANG"));
        locale.find('.') != std::string_view::npos &&
        lower_ascii(locale).find("utf") == std::string::npos)
      encodings(cat("the locale ", locale), {});
    if (!rubygems_) return;
    for (const LoadDirectory& directory : load_path_.list()) {
      if (!is_file(rootfs(), cat(directory.path, "/rubygems.rb"))) continue;
      grant(cat(directory.path, "/rubygems.rb"), "RubyGems, loaded by ruby itself");
      grant(cat(directory.path, "/rubygems/**"), "RubyGems, loaded by ruby itself");
      break;
    }
    for (const std::string& home : load_path_.gem_homes())
      grant(cat(home, "/specifications/**"), "RubyGems reads what gems there are");
  }

  // ---- the command line ----

  void command_line() {
    const auto at = find_script(
        [this](std::string_view word, std::string_view next) { return option(word, next); });
    if (!at) return;
    const std::vector<std::string>& argv = start_.argv;
    program(argv[*at], {argv.begin() + static_cast<std::ptrdiff_t>(*at) + 1, argv.end()});
  }

  void program(const std::string& script, const std::vector<std::string>& arguments) {
    std::string path = in_workdir(script);
    if (search_ && !is_file(rootfs(), path)) {
      const ProgramSearch found =
          find_program(rootfs(), script, scene_.env("PATH", kDefaultPath), scene_.launch.workdir);
      if (!found.found.empty()) path = found.found;
    }
    if (!is_file(rootfs(), path)) {
      absent_program(script);
      return;
    }
    script_ = path;
    const bool own = is_application(path);
    grant(path, cat("the program ", script));
    enqueue(path, own ? Origin::application : Origin::site, nullptr);
    const std::string_view name = base_name(path);
    if (name.starts_with("bundle")) bundler(arguments);
    // Servers, and tools such as rake: what they load lies in the working directory.
    if (!own) application("a program that loads it");
  }

  // ruby(1). Single letters may stand together: "-wne".
  Taken option(std::string_view word, std::string_view next) {
    Taken taken;
    if (word.starts_with("--")) {
      if (word == "--disable-gems" || word == "--disable-all" || word == "--disable=all" ||
          word == "--disable=gems" || word == "--disable=gem")
        rubygems_ = false;
      taken.next = word == "--encoding" || word == "--external-encoding" ||
                   word == "--internal-encoding" || word == "--disable" || word == "--enable";
      if (word.find("encoding") != std::string_view::npos) encodings(cat("option ", word), {});
      return taken;
    }
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string_view rest = word.substr(i + 1);
      const bool attached = !rest.empty();
      const std::string_view value = attached ? rest : next;
      switch (word[i]) {
        case 'e':
          text(value);
          return {!attached, true};
        case 'I':
          for (const std::string_view item : split(value, ':'))
            if (!item.empty()) load_path_.add_in_front(in_workdir(item));
          return {!attached, taken.program};
        case 'r':
          required_.emplace_back(value);
          return {!attached, taken.program};
        case 'S':
          search_ = true;
          break;
        case 'E':
          if (lower_ascii(value).substr(0, 5) != "utf-8") encodings(cat("option -E ", value), {});
          return {!attached, taken.program};
        case 'C':
        case 'X':
          return {!attached, taken.program};
        case 'F':
        case 'K':
        case 'T':
        case 'W':
        case 'i':
        case 'x':
        case '0':
          return taken;
        default:
          break;
      }
    }
    return taken;
  }

  void text(std::string_view code) {
    const Facts facts = measure::source::scan_ruby(as_bytes(code), scene_.limits);
    names(facts, {in_workdir("-e"), Origin::application, nullptr}, {});
    if (facts.dynamic)
      unknown(
          "the program on the command line loads features whose names it computes; name them with "
          "--include");
  }

  // ---- Bundler ----

  // bundle exec NAME: the gems of the Gemfile, and the program of one of them.
  void bundler(const std::vector<std::string>& arguments) {
    use("bundler", script_, "bundle");
    use("bundler/cli", script_, "bundle");
    use("bundler/setup", script_, "bundle");
    gems_of_bundle("bundle exec");
    std::size_t at = 0;
    while (at < arguments.size() && arguments[at].starts_with('-')) ++at;
    if (at + 1 >= arguments.size() || arguments[at] != "exec") return;
    binary(arguments[at + 1],
           {arguments.begin() + static_cast<std::ptrdiff_t>(at) + 2, arguments.end()});
  }

  void binary(const std::string& name, const std::vector<std::string>& arguments) {
    if (name == "ruby") {
      if (!arguments.empty() && !arguments.front().starts_with('-')) program(arguments.front(), {});
      return;
    }
    const std::string detail = cat("bundle exec ", name);
    bool found = program_of_gem("", name, script_, detail);
    const ProgramSearch in_path =
        find_program(rootfs(), name, scene_.env("PATH", kDefaultPath), scene_.launch.workdir);
    if (!in_path.found.empty()) {
      grant(in_path.found, detail, script_);
      enqueue(in_path.found, Origin::site, nullptr);
      found = true;
    }
    if (!found) absent_program(name);
  }

  // The program of a gem, of any gem when `gem` is empty.
  bool program_of_gem(std::string_view gem, std::string_view name, const std::string& from,
                      const std::string& detail) {
    if (!gem_programs_known_) {
      gem_programs_known_ = true;
      for (const std::string& home : load_path_.gem_homes())
        for (const std::string_view bin : {"exe", "bin"})
          for (const std::string& directory :
               matching_directories(rootfs(), cat(home, "/gems/*/", bin)))
            for (const auto& [file, node] : rootfs().find(directory)->children)
              gem_programs_.emplace(file, cat(directory, "/", file));
    }
    bool found = false;
    const auto [begin, end] = gem_programs_.equal_range(name);
    for (auto at = begin; at != end; ++at) {
      const std::string& path = at->second;
      const std::string_view root = parent_directory(parent_directory(path));
      if ((!gem.empty() && gem_name(base_name(root)) != gem) || !is_file(rootfs(), path)) continue;
      grant(path, detail, from);
      enqueue(path, Origin::gem, load_path_.gem_of(path));
      found = true;
    }
    return found;
  }

  void gems_of_bundle(const std::string& detail) {
    if (bundled_) return;
    bundled_ = true;
    std::string file(scene_.env("BUNDLE_GEMFILE"));
    file = file.empty() ? in_workdir("Gemfile") : in_workdir(file);
    for (const std::string& path : {file, cat(file, ".lock"), in_workdir("gems.rb"),
                                    in_workdir("gems.locked"), in_workdir(".bundle/config")}) {
      if (!is_file(rootfs(), path)) continue;
      grant(path, detail, script_);
      const Node* node = rootfs().find(path);
      const Facts* facts = rootfs().source_facts(*node);
      if (facts == nullptr || facts->language != measure::source::Language::ruby) continue;
      for (const std::string& entry : facts->names) {
        if (!entry.starts_with("gem:")) continue;
        std::string name = entry.substr(4);
        use(name, path, cat("gem ", name));
        std::replace(name.begin(), name.end(), '-', '/');
        use(name, path, cat("gem ", name));
      }
    }
  }

  // ---- the application ----

  bool is_application(const std::string& path) const {
    const std::string_view directory = parent_directory(path);
    const std::string_view base = base_name(directory);
    if (load_path_.gem_of(path) != nullptr || load_path_.directory_of(path) != nullptr)
      return false;
    return !is_shared_directory(directory) && !base.starts_with("bin") && base != "sbin";
  }

  std::string application_root() const {
    std::string workdir = measure::normalize_path(scene_.launch.workdir);
    if (!is_shared_directory(workdir)) return workdir;
    if (!script_.empty() && is_application(script_)) return std::string(parent_directory(script_));
    return {};
  }

  // Every file of Ruby in the application's directory: followed, as if something had loaded it.
  void application(std::string_view why) {
    const std::string root = application_root();
    if (root.empty() || !whole_.insert(root).second) return;
    below(root, Origin::application, nullptr, script_, cat("the application's own files: ", why),
          /*data=*/false);
  }

  // ---- files ----

  struct Module {
    std::string path;  // as ruby opens it
    Origin origin;
    const Gem* gem;
  };

  void enqueue(const std::string& path, Origin origin, const Gem* gem) {
    if (seen_.insert(path).second) queue_.push_back({path, origin, gem});
  }

  void follow() {
    while (!queue_.empty()) {
      const Module module = std::move(queue_.front());
      queue_.pop_front();
      for (const NativeRow& row : kNativeRequires)
        if (module.path.ends_with(row.feature))
          use(row.requires_feature, module.path, cat("loaded by ", row.feature.substr(1)));
      const Node* node = rootfs().find(module.path);
      if (node == nullptr) continue;
      const Facts* facts = rootfs().source_facts(*node);
      if (facts == nullptr || facts->language != measure::source::Language::ruby) continue;
      names(*facts, module, module.path);
      if (facts->dynamic) computed(module);
    }
  }

  void names(const Facts& facts, const Module& module, const std::string& from) {
    // Directories first: what is loaded may be there.
    for (const std::string& entry : facts.names)
      if (entry.starts_with("path:")) load_directory(std::string_view(entry).substr(5), module);
    for (const std::string& entry : facts.names) {
      const std::size_t colon = std::min(entry.find(':'), entry.size() - 1);
      const std::string_view kind = std::string_view(entry).substr(0, colon);
      const std::string_view name = std::string_view(entry).substr(colon + 1);
      if (kind == "require")
        use(name, from, cat("require ", name));
      else if (kind == "string")
        use(name, from, cat("names ", name));
      else if (kind == "relative")
        beside(name, module, from);
      else if (kind == "family")
        family(name, from);
      else if (kind == "own")
        own(name, module);
      else if (kind == "run" && module.origin == Origin::application)
        for (std::string& path : programs_run_by(name, scene_))
          AnalysisRun::grant(std::move(path), Why::script_command, cat("runs ", name), from);
      else if (kind == "bundle")
        gems_of_bundle("Bundler.require");
      else if (kind == "bin")
        (void)program_of_gem(name.substr(0, name.find('/')), name.substr(name.find('/') + 1), from,
                             cat("the program of a gem: ", name));
      else if (kind == "encoding" && module.origin != Origin::core)
        character_set(name, module);
      else if (kind == "zone" && module.origin != Origin::core)
        grant_time_zones(Why::ruby_require, "time zones, which it asks for by name", from);
    }
  }

  void load_directory(std::string_view name, const Module& module) {
    static constexpr std::string_view kOwn = "@own/";
    const std::string path = name.starts_with(kOwn) ? path_in(parent_directory(module.path),
                                                              cat("./", name.substr(kOwn.size())))
                                                    : in_workdir(name);
    // Gems put what is in their load path there once more.
    if (module.origin == Origin::application && !is_shared_directory(path))
      load_path_.add_in_front(path);
  }

  void use(std::string_view name, const std::string& from, const std::string& detail) {
    if (name.empty() || name == "rubygems" || name.find('\0') != std::string_view::npos) return;
    if (name.starts_with('/') || name.starts_with("./") || name.starts_with("../")) {
      loaded(in_workdir(name), Origin::application, nullptr, from, detail);
      return;
    }
    if (!used_.insert(std::string(name)).second) return;
    for (const LoadPath::Found& found : load_path_.find(name)) {
      grant(found.path, detail, from);
      enqueue(found.path, found.origin, found.gem);
    }
    if (name == "tzinfo") grant_time_zones(Why::ruby_require, "time zones, for tzinfo", from);
  }

  // A path that may lack its suffix.
  bool loaded(const std::string& path, Origin origin, const Gem* gem, const std::string& from,
              const std::string& detail) {
    for (const std::string_view suffix : {"", ".rb", ".so"}) {
      const std::string file = cat(path, suffix);
      if (!is_file(rootfs(), file)) continue;
      grant(file, detail, from);
      enqueue(file, origin, gem);
      return true;
    }
    return false;
  }

  void beside(std::string_view name, const Module& module, const std::string& from) {
    const std::string path = path_in(parent_directory(module.path), cat("./", name));
    if (loaded(path, module.origin, module.gem, from, cat("require_relative ", name))) return;
    // Of a gem's native part, which lies elsewhere: the feature of that name.
    if (const Gem* gem = module.gem)
      for (const std::string& load : gem->load)
        if (is_within(path, load))
          use(path.substr(std::min(load.size() + 1, path.size())), from,
              cat("require_relative ", name));
    // The beginning of a name, or a directory whose files are loaded one by one.
    if (is_directory(rootfs(), path) && !is_shared_directory(path))
      below(path, module.origin, module.gem, from, cat("what is in ", name), /*data=*/false);
  }

  void family(std::string_view name, const std::string& from) {
    while (name.ends_with('/')) name.remove_suffix(1);
    if (name.empty() || !families_.insert(std::string(name)).second) return;
    for (const LoadPath::Found& found : load_path_.directories(name))
      below(found.path, found.origin, found.gem, from, cat("require of ", name, "/…, computed"),
            /*data=*/false);
  }

  // Data that lies beside the code.
  void own(std::string_view name, const Module& module) {
    // "templates/*.erb": the directory.
    if (const std::size_t wild = name.find_first_of("*?[{#"); wild != std::string_view::npos) {
      const std::size_t slash = name.rfind('/', wild);
      name = name.substr(0, slash == std::string_view::npos ? 0 : slash);
    }
    const std::string path = path_in(parent_directory(module.path), cat("./", name));
    const std::string detail = cat("its own ", name);
    if (const Gem* gem = module.gem) {
      if (name.empty() || !is_within(path, gem->directory) || path == gem->directory ||
          std::find(gem->load.begin(), gem->load.end(), path) != gem->load.end()) {
        data_of(*gem, module.path);
        return;
      }
    } else if (name.empty() || is_shared_directory(path) || holds_load_directory(path)) {
      return;
    }
    if (loaded(path, module.origin, module.gem, module.path, detail)) return;
    below(path, module.origin, module.gem, module.path, detail, /*data=*/true);
  }

  bool holds_load_directory(const std::string& path) const {
    return std::any_of(load_path_.list().begin(), load_path_.list().end(),
                       [&](const LoadDirectory& known) { return is_within(known.path, path); });
  }

  void computed(const Module& module) {
    const std::string why = "it loads features whose names it computes";
    if (module.gem != nullptr) {
      whole_gem(*module.gem, module.path, why);
      return;
    }
    if (module.origin == Origin::application) {
      application(why);
      unknown(cat(printable(module.path),
                  " loads features whose names it computes: what is not below ",
                  application_root().empty() ? "its directory" : application_root(),
                  " must be named with --include"));
      return;
    }
    const LoadDirectory* directory = load_path_.directory_of(module.path);
    if (directory == nullptr) return;
    std::string name = module.path.substr(directory->path.size() + 1);
    if (name.ends_with(".rb")) name.resize(name.size() - 3);
    if (module.origin != Origin::core) name.resize(std::min(name.find('/'), name.size()));
    if (!families_.insert(name).second) return;
    for (const LoadDirectory& place : load_path_.list())
      below(cat(place.path, "/", name), place.origin, nullptr, module.path,
            cat("its library is granted whole: ", why), /*data=*/true);
  }

  void whole_gem(const Gem& gem, const std::string& from, const std::string& why) {
    if (!whole_.insert(gem.directory).second) return;
    for (const std::string& load : gem.load)
      below(load, Origin::gem, &gem, from, cat("the whole gem ", gem.name, ": ", why),
            /*data=*/true);
  }

  void data_of(const Gem& gem, const std::string& from) {
    if (!whole_.insert(cat(gem.directory, " data")).second) return;
    below(gem.directory, Origin::gem, &gem, from,
          cat("data of the gem ", gem.name, ", which looks around in its own directory"),
          /*data=*/true, /*code=*/false);
  }

  // Everything below a directory: code is followed, data only granted.
  void below(const std::string& directory, Origin origin, const Gem* gem, const std::string& from,
             const std::string& detail, bool data, bool code = true) {
    if (!below_.insert(cat(directory, data ? " data" : "", code ? " code" : "")).second) return;
    const Node* top = rootfs().find(directory);
    if (top == nullptr || !top->is_directory()) return;
    std::vector<std::pair<const Node*, std::string>> work{{top, directory}};
    while (!work.empty()) {
      const auto at = std::move(work.back());
      work.pop_back();
      for (const auto& [name, child] : at.first->children) {
        std::string path = cat(at.second, "/", name);
        if (child->is_directory()) {
          const bool foreign =
              origin == Origin::application && (name == "vendor" || name == "node_modules");
          if (!one_of(kNotForUse, name) && !foreign)
            work.emplace_back(child.get(), std::move(path));
        } else if (is_code(name) || name.ends_with(".ru")) {
          if (!code) continue;
          grant(path, detail, from);
          enqueue(path, origin, gem);
        } else if (data && !is_for_people(name) && is_file(rootfs(), path)) {
          grant(std::move(path), detail, from);
        }
      }
    }
  }

  static bool is_for_people(std::string_view name) {
    return std::any_of(std::begin(kNotForMachines), std::end(kNotForMachines),
                       [&](std::string_view suffix) { return name.ends_with(suffix); });
  }

  void encodings(const std::string& detail, const std::string& from) {
    if (encodings_) return;
    encodings_ = true;
    for (const LoadPath::Found& found : load_path_.directories("enc"))
      if (found.origin == Origin::core) grant(cat(found.path, "/**"), detail, from);
  }

  void character_set(std::string_view name, const Module& module) {
    encodings(cat("names the character set ", name), module.path);
    // Native parts of gems convert with libc.
    if (module.gem == nullptr || module.gem->load.size() < 2) return;
    if (!converters_.insert(plain(name)).second) return;
    for (const std::string& directory :
         matching_directories(rootfs(), "/usr/lib/*-linux-gnu/gconv")) {
      const Node* converters = rootfs().find(directory);
      for (const auto& [file, node] : converters->children) {
        if (!file.ends_with(".so") || plain(file.substr(0, file.size() - 3)) != plain(name))
          continue;
        const std::string detail = cat("converts the character set ", name);
        grant(cat(directory, "/", file), detail, module.path);
        grant(cat(directory, "/gconv-modules"), detail, module.path);
        grant(cat(directory, "/gconv-modules.d/*.conf"), detail, module.path);
      }
    }
  }

  // "ISO8859-15", "iso-8859-15" → "iso885915".
  static std::string plain(std::string_view name) {
    std::string out;
    for (const char c : lower_ascii(name))
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
    return out;
  }

  LoadPath load_path_;
  std::string script_;
  bool rubygems_ = true, search_ = false, bundled_ = false, encodings_ = false;
  std::deque<Module> queue_;
  std::vector<std::string> required_;  // by options; when the load path is known
  std::set<std::string> seen_, used_, whole_, families_, below_, converters_;
  bool gem_programs_known_ = false;
  std::multimap<std::string, std::string, std::less<>> gem_programs_;  // by name
};

}  // namespace

bool detect(const ProgramStart& start, const AnalyzerScene& scene) {
  const std::string real = scene.rootfs.real_path(start.path).value_or(start.path);
  std::string_view base = base_name(real);
  if (!base.starts_with("ruby")) return false;
  base.remove_prefix(4);
  return base.find_first_not_of("0123456789.") == std::string_view::npos;
}

Result<Analysis> analyze(const ProgramStart& start, const AnalyzerScene& scene) {
  return RubyAnalysis(start, scene).run();
}

}  // namespace cloister::manifest::ruby
