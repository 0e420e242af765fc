// PHP's own configuration says which extensions are loaded; programs say what they include, mostly
// by __DIR__. Classes are loaded by their names: whoever registers a loader may include anything of
// its application or library, which is then granted whole. For servers (FPM, CGI, Apache) which
// script is run is decided by requests: all of what the image serves.
#include "manifest-gen/runtimes/php/php.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <optional>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/runtimes/analysis_run.h"
#include "manifest-gen/runtimes/commands.h"
#include "manifest-gen/runtimes/paths.h"
#include "manifest-gen/runtimes/php/configuration.h"
#include "measure/source/php.h"

namespace cloister::manifest::php {
namespace {

using measure::Node;
using measure::source::Facts;

// Debian's, and where PEAR installs elsewhere.
constexpr std::string_view kIncludePath[] = {"/usr/share/php", "/usr/share/pear",
                                             "/usr/local/lib/php"};
// What requests may ask for, where configuration does not say.
constexpr std::string_view kServed[] = {"/var/www/html", "/var/www", "/app", "/srv/www"};
constexpr std::size_t kMaxIncludePath = 64;
// Opened for any use of the clock; further zones when something names one.
constexpr std::string_view kClockFiles[] = {"zone.tab", "zone1970.tab", "iso3166.tab", "UTC",
                                            "Etc/UTC"};
constexpr std::string_view kNotServed[] = {"node_modules", ".git", ".svn", "doc", "docs"};
constexpr std::string_view kReadByPeople[] = {".md", ".markdown", ".rst", ".map", ".pot", ".po"};

struct Started {
  Sapi sapi = Sapi::cli;
  std::string version;
};

// "php", "php8.2", "php-fpm8.2", "php-cgi81".
std::optional<Started> started_as(std::string_view name) {
  static constexpr std::pair<std::string_view, Sapi> kNames[] = {
      {"php-fpm", Sapi::fpm}, {"php-cgi", Sapi::cgi}, {"php", Sapi::cli}};
  for (const auto& [prefix, sapi] : kNames) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view version = name.substr(prefix.size());
    if (version.find_first_not_of("0123456789.") == std::string_view::npos)
      return Started{sapi, std::string(version)};
  }
  return std::nullopt;
}

std::optional<Started> started(const ProgramStart& start, const measure::Rootfs& rootfs) {
  const std::string real = rootfs.real_path(start.path).value_or(start.path);
  auto out = started_as(base_name(real));
  if (!out) out = started_as(base_name(start.path));
  if (out) return out;
  const std::string_view name = base_name(start.path);
  if (name != "apache2" && name != "httpd") return std::nullopt;
  for (const std::string_view pattern :
       {"/usr/lib/apache2/modules/libphp*.so", "/usr/lib64/httpd/modules/libphp*.so"})
    if (!expand_glob(rootfs, pattern).empty()) return Started{Sapi::apache, ""};
  return std::nullopt;
}

class PhpAnalysis final : AnalysisRun {
 public:
  PhpAnalysis(const ProgramStart& start, const AnalyzerScene& scene, Started started)
      : AnalysisRun(start, scene) {
    request_.sapi = started.sapi;
    request_.version = std::move(started.version);
  }

  Analysis run() {
    if (request_.sapi != Sapi::apache) command_line();
    configuration();
    for (const std::string_view name : kClockFiles)
      if (const std::string path = cat("/usr/share/zoneinfo/", name); is_file(rootfs(), path))
        grant(path, "PHP's clock");
    if (request_.sapi != Sapi::cli) served();
    follow();
    return std::move(out_);
  }

 private:
  void grant(std::string path, std::string detail, std::string from = {},
             Why why = Why::php_include) {
    AnalysisRun::grant(std::move(path), why, std::move(detail), std::move(from));
  }

  void configuration() {
    Configuration found = read_configuration(scene_, request_);
    for (Configuration::File& file : found.files)
      grant(std::move(file.path), std::move(file.detail), std::move(file.from), Why::config);
    for (std::string& what : found.unknown) unknown(std::move(what));
    include_path_ = std::move(found.include_path);
    if (include_path_.size() > kMaxIncludePath) include_path_.resize(kMaxIncludePath);
    for (const std::string_view directory : kIncludePath) include_path_.emplace_back(directory);
    for (const std::string& program : found.programs) include(program, {}, "PHP's configuration");
    if (!found.time_zone.empty()) zone(found.time_zone, {});
  }

  // ---- the command line (php(1), php-fpm(8)) ----

  void command_line() {
    const std::vector<std::string>& argv = start_.argv;
    bool text = false, server = false;
    std::string script, directory;
    std::size_t i = 1;
    for (; i < argv.size(); ++i) {
      const std::string& word = argv[i];
      if (word == "--") {
        ++i;
        break;
      }
      if (word.size() < 2 || word.front() != '-') break;
      const bool attached = word.size() > 2 && word[1] != '-';
      const std::string value = attached              ? word.substr(2)
                                : i + 1 < argv.size() ? argv[i + 1]
                                                      : std::string();
      bool takes = true;
      switch (word[1]) {
        case 'c':
          request_.file = value;
          break;
        case 'd':
          define(value);
          break;
        case 'z':
          request_.extensions.push_back(value);
          break;
        case 'f':
        case 'F':
          if (request_.sapi == Sapi::cli) {
            script = value;
          } else {
            takes = false;  // of FPM: in the foreground
          }
          break;
        case 'r':
        case 'B':
        case 'R':
        case 'E':
          if (request_.sapi == Sapi::cli) {
            code(value);
            text = true;
          } else {
            takes = false;
          }
          break;
        case 'S':
          server = true;
          break;
        case 't':
          if (request_.sapi == Sapi::cli)
            directory = value;
          else
            takes = false;
          break;
        case 'y':
          grant(in_workdir(value), "configuration of FPM", {}, Why::config);
          break;
        case 'n':
          request_.none = true;
          takes = false;
          break;
        case 'p':
        case 'g':
          break;
        default:
          takes = false;
      }
      if (takes && !attached) ++i;
    }
    if (request_.sapi != Sapi::cli) return;
    if (script.empty() && !text && i < argv.size()) script = argv[i];
    if (server) {
      const std::string root = in_workdir(directory.empty() ? "." : directory);
      serve(root, "served by PHP");
    }
    if (script.empty()) {
      if (!text && !server && !start_.complete) unknown_program();
      return;
    }
    const std::string path = in_workdir(script);
    if (!is_file(rootfs(), path)) {
      absent_program(script);
      return;
    }
    grant(path, cat("the program ", script));
    enqueue(path);
  }

  void define(std::string_view setting) {
    const std::size_t equals = std::min(setting.find('='), setting.size());
    const std::string_view name = setting.substr(0, equals);
    if (name == "extension" || name == "zend_extension")
      request_.extensions.emplace_back(setting.substr(std::min(equals + 1, setting.size())));
    else if (name == "date.timezone")
      zone(setting.substr(std::min(equals + 1, setting.size())), {});
  }

  void code(std::string_view text) {
    const Facts facts = measure::source::scan_php(as_bytes(text), scene_.limits);
    names(facts, in_workdir("-r"));
    if (facts.dynamic)
      unknown(
          "the program on the command line includes files whose names it computes; name them with "
          "--include");
  }

  // ---- what requests ask for ----

  void served() {
    const std::string workdir = measure::normalize_path(scene_.launch.workdir);
    if (!is_shared_directory(workdir)) serve(workdir, "the working directory");
    for (const std::string_view directory : kServed)
      serve(std::string(directory), "where scripts for web servers lie");
    unknown(
        "which scripts it runs is decided by requests: those of the working directory and below "
        "/var/www are granted; name others with --include");
  }

  void serve(const std::string& directory, const std::string& detail) {
    if (!is_directory(rootfs(), directory) || is_shared_directory(directory)) return;
    below(directory, {}, detail);
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
      if (facts == nullptr || facts->language != measure::source::Language::php) continue;
      names(*facts, path);
      if (facts->dynamic) computed(path);
    }
  }

  void names(const Facts& facts, const std::string& from) {
    for (const std::string& entry : facts.names) {
      const std::size_t colon = std::min(entry.find(':'), entry.size() - 1);
      const std::string_view kind = std::string_view(entry).substr(0, colon);
      const std::string_view name = std::string_view(entry).substr(colon + 1);
      if (kind == "include")
        include(name, from, cat("include ", name));
      else if (kind == "own")
        own(name, from);
      else if (kind == "run")
        run_command(name, from);
      else if (kind == "zone" && name == "*")
        zones(from);
      else if (kind == "zone")
        zone(name, from);
    }
  }

  void run_command(std::string_view command, const std::string& from) {
    for (std::string& path : programs_run_by(command, scene_))
      AnalysisRun::grant(std::move(path), Why::script_command, cat("runs ", command), from);
  }

  void zone(std::string_view name, const std::string& from) {
    const std::string path = path_in("/usr/share/zoneinfo", cat("./", name));
    if (is_file(rootfs(), path)) grant(path, cat("the time zone ", name), from);
  }

  void zones(const std::string& from) {
    grant_time_zones(Why::php_include, "time zones, which it asks for by name", from);
  }

  void include(std::string_view name, const std::string& from, const std::string& detail) {
    if (name.empty() || name.find('\0') != std::string_view::npos) return;
    std::vector<std::string> places{in_workdir(name)};
    if (!name.starts_with('/')) {
      for (const std::string& directory : include_path_)
        places.push_back(path_in(directory, cat("./", name)));
      if (!from.empty()) places.push_back(path_in(parent_directory(from), cat("./", name)));
    }
    for (const std::string& path : places) {
      if (!is_file(rootfs(), path)) continue;
      grant(path, detail, from);
      enqueue(path);
    }
  }

  void own(std::string_view name, const std::string& from) {
    const std::string path = path_in(parent_directory(from), cat("./", name));
    if (is_file(rootfs(), path)) {
      grant(path, cat("its own ", name), from);
      enqueue(path);
    } else if (!is_shared_directory(path) && !is_include_directory(path)) {
      below(path, from, cat("its own ", name));
    }
  }

  bool is_include_directory(std::string_view path) const {
    return std::find(include_path_.begin(), include_path_.end(), path) != include_path_.end();
  }

  // The directory whose files it may load: where Composer's vendor/ or composer.json is; of a
  // packaged library its own directory; else the working directory.
  std::string root_of(const std::string& path) const {
    std::string own(parent_directory(path));
    for (const std::string& directory : include_path_)
      if (is_within(path, directory)) return own;
    for (std::string at = own; at != "/"; at = parent_directory(at))
      if (is_file(rootfs(), cat(at, "/composer.json")) ||
          is_file(rootfs(), cat(at, "/vendor/autoload.php")))
        return at;
    std::string workdir = measure::normalize_path(scene_.launch.workdir);
    if (is_within(own, workdir) && !is_shared_directory(workdir)) return workdir;
    return own;
  }

  void computed(const std::string& path) {
    const std::string root = root_of(path);
    if (is_shared_directory(root) || is_include_directory(root)) {
      unknown(cat(printable(path),
                  " includes files whose names it computes; name them with --include"));
      return;
    }
    below(root, path, cat("it loads classes or files by computed names: all of ", root));
  }

  void below(const std::string& directory, const std::string& from, const std::string& detail) {
    const auto enters = [](std::string_view name) {
      return std::find(std::begin(kNotServed), std::end(kNotServed), name) == std::end(kNotServed);
    };
    const auto part = [](std::string_view name) {
      if (is_read_by_people(name)) return Part::none;
      return measure::source::is_php(name, {}) ? Part::code : Part::data;
    };
    grant_below(
        directory,
        {enters, part, [this](const std::string& path) { enqueue(path); }, Why::php_include},
        detail, from);
  }

  static bool is_read_by_people(std::string_view name) {
    return std::any_of(std::begin(kReadByPeople), std::end(kReadByPeople),
                       [&](std::string_view suffix) { return name.ends_with(suffix); });
  }

  ConfigurationRequest request_;
  std::vector<std::string> include_path_;
  std::deque<std::string> queue_;
  std::set<std::string> seen_;
};

}  // namespace

bool detect(const ProgramStart& start, const AnalyzerScene& scene) {
  return started(start, scene.rootfs).has_value();
}

Result<Analysis> analyze(const ProgramStart& start, const AnalyzerScene& scene) {
  return PhpAnalysis(start, scene, started(start, scene.rootfs).value_or(Started{})).run();
}

}  // namespace cloister::manifest::php
