#include "manifest-gen/runtimes/php/configuration.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/runtimes/config_scan.h"
#include "manifest-gen/runtimes/paths.h"

namespace cloister::manifest::php {
namespace {

using measure::Node;

constexpr std::uint64_t kIniBytes = 256ULL << 10;
constexpr std::size_t kIniFiles = 512;

// Where builds look; '*' stands for a version.
constexpr std::string_view kIniDirectories[] = {"/usr/local/etc/php", "/etc/php*", "/etc",
                                                "/usr/local/lib", "/usr/local/php*/etc"};
constexpr std::string_view kScanned[] = {"conf.d", "php.d", "php-zts.d"};
constexpr std::string_view kExtensionDirectories[] = {
    "/usr/lib/php/20*",          "/usr/local/lib/php/extensions/*", "/usr/lib/php*/modules",
    "/usr/lib64/php/modules",    "/usr/lib64/php-zts/modules",      "/usr/lib/php/modules",
    "/usr/lib/*-linux-gnu/php/*"};
constexpr std::array<std::string_view, 4> kSapiNames = {"cli", "fpm", "cgi", "apache2"};

class ConfigurationReader {
 public:
  ConfigurationReader(const AnalyzerScene& scene, const ConfigurationRequest& request)
      : scene_(scene), request_(request) {}

  Configuration run() {
    if (!request_.none) ini_files();
    if (request_.sapi == Sapi::fpm) pools();
    for (const std::string& extension : request_.extensions)
      this->extension(extension, "named on the command line", {});
    for (const Wanted& wanted : wanted_) extension(wanted.name, wanted.detail, wanted.from);
    return std::move(out_);
  }

 private:
  const measure::Rootfs& rootfs() const { return scene_.rootfs; }

  void add(std::string path, std::string detail, std::string from) {
    if (added_.insert(path).second)
      out_.files.push_back({std::move(path), std::move(detail), std::move(from)});
  }

  // The directories that may hold php.ini; the first that has one counts, and its neighbours are
  // scanned all the same: images hold one PHP.
  std::vector<std::string> directories() const {
    std::vector<std::string> out;
    if (!request_.file.empty()) {
      const std::string path = path_in(scene_.launch.workdir, request_.file);
      if (is_directory(rootfs(), path)) out.push_back(path);
    }
    if (const std::string_view named = scene_.env("PHPRC"); !named.empty()) {
      const std::string path = path_in(scene_.launch.workdir, named);
      out.emplace_back(is_directory(rootfs(), path) ? path : parent_directory(path));
    }
    const std::string_view sapi = kSapiNames.at(static_cast<std::size_t>(request_.sapi));
    const std::string version = request_.version.empty() ? "*" : request_.version;
    for (std::string& path : matching_directories(rootfs(), cat("/etc/php/", version, "/", sapi)))
      out.push_back(std::move(path));
    for (const std::string_view pattern : kIniDirectories)
      for (std::string& path : matching_directories(rootfs(), pattern))
        if (path != "/etc/php") out.push_back(std::move(path));
    return out;
  }

  void ini_files() {
    if (!request_.file.empty()) {
      const std::string path = path_in(scene_.launch.workdir, request_.file);
      if (is_file(rootfs(), path)) ini(path, "-c");
    }
    std::vector<std::string> scanned;
    for (const std::string& directory : directories()) {
      for (const std::string_view name :
           {cat("php-", kSapiNames.at(static_cast<std::size_t>(request_.sapi)), ".ini"),
            std::string("php-cgi-fcgi.ini"), std::string("php.ini")})
        ini(cat(directory, "/", name), "PHP's configuration");
      for (const std::string_view name : kScanned) scanned.push_back(cat(directory, "/", name));
    }
    // An empty item stands for the directory that is compiled in.
    for (const std::string_view item : split(scene_.env("PHP_INI_SCAN_DIR"), ':'))
      if (!item.empty()) scanned.push_back(path_in(scene_.launch.workdir, item));
    for (const std::string& directory : scanned)
      for (const std::string& path : expand_glob(rootfs(), cat(directory, "/*.ini")))
        ini(path, "PHP's configuration");
  }

  std::vector<ConfigDirective> directives(const std::string& path) {
    const Node* node = rootfs().find(path);
    if (node == nullptr || !node->is_regular() || node->entry->size > kIniBytes ||
        ++files_ > kIniFiles)
      return {};
    auto bytes = rootfs().read(*node, kIniBytes);
    if (!bytes) return {};
    return scan_config(as_text(*bytes));
  }

  void ini(const std::string& path, const std::string& detail) {
    if (!is_file(rootfs(), path) || !read_.insert(path).second) return;
    add(path, detail, {});
    for (const ConfigDirective& directive : directives(path)) {
      if (directive.words.empty()) continue;
      const std::string& value = directive.words.front();
      if (directive.name == "extension" || directive.name == "zend_extension")
        wanted_.push_back({value, cat("loaded by ", path), path});
      else
        setting(directive.name, value, path);
    }
  }

  // Settings that stand in pools too.
  void setting(std::string_view name, const std::string& value, const std::string& from) {
    if (name == "extension_dir") {
      if (value.starts_with('/')) extension_directories_.push_back(value);
    } else if (name == "include_path") {
      for (const std::string_view item : split(value, ':'))
        if (item.starts_with('/')) out_.include_path.emplace_back(item);
    } else if (name == "auto_prepend_file" || name == "auto_append_file" ||
               name == "opcache.preload") {
      if (!value.empty()) out_.programs.push_back(value);
    } else if (name == "date.timezone") {
      out_.time_zone = value;
    } else if (value.starts_with('/') && is_file(rootfs(), measure::normalize_path(value))) {
      add(measure::normalize_path(value), cat(name, " in ", from), from);
    }
  }

  // ---- FPM ----

  void pools() {
    const std::string version = request_.version.empty() ? "*" : request_.version;
    for (const std::string& pattern :
         {cat("/etc/php/", version, "/fpm"), std::string("/usr/local/etc"), std::string("/etc"),
          std::string("/etc/php*")})
      for (const std::string& directory : matching_directories(rootfs(), pattern))
        pool(cat(directory, "/php-fpm.conf"), directory);
  }

  void pool(const std::string& path, const std::string& base) {
    if (!is_file(rootfs(), path) || !read_.insert(path).second) return;
    add(path, "configuration of FPM", {});
    for (const ConfigDirective& directive : directives(path)) {
      if (directive.words.empty()) continue;
      std::string_view name = directive.name;
      if (name == "include") {
        const std::string& value = directive.words.front();
        // "include=etc/php-fpm.d/*.conf" of a build under /usr/local is relative to its prefix.
        for (const std::string& pattern :
             {path_in(base, value), path_in(parent_directory(base), value)})
          for (const std::string& file : expand_glob(rootfs(), pattern)) pool(file, base);
        continue;
      }
      // php_admin_value[extension_dir] = …
      if (name.starts_with("php_") && name.ends_with(']'))
        name = name.substr(name.find('[') + 1, name.size() - name.find('[') - 2);
      setting(name, directive.words.back(), path);
    }
  }

  // ---- extensions ----

  void extension(const std::string& name, const std::string& detail, const std::string& from) {
    if (name.empty()) return;
    if (name.find('/') != std::string::npos) {
      const std::string path = path_in(scene_.launch.workdir, name);
      if (is_file(rootfs(), path)) add(path, detail, from);
      return;
    }
    std::vector<std::string> places = extension_directories_;
    for (const std::string_view pattern : kExtensionDirectories)
      for (std::string& path : matching_directories(rootfs(), pattern))
        places.push_back(std::move(path));
    bool found = false;
    for (const std::string& place : places) {
      for (const std::string& file : {cat(place, "/", name), cat(place, "/", name, ".so")}) {
        if (!is_file(rootfs(), file)) continue;
        add(file, detail, from);
        found = true;
      }
    }
    if (!found)
      out_.unknown.push_back(
          cat("the extension ", printable(name), " is in none of PHP's directories"));
  }

  struct Wanted {
    std::string name, detail, from;
  };
  const AnalyzerScene& scene_;
  const ConfigurationRequest& request_;
  Configuration out_;
  std::vector<Wanted> wanted_;
  std::vector<std::string> extension_directories_;
  std::set<std::string> added_, read_;
  std::size_t files_ = 0;
};

}  // namespace

Configuration read_configuration(const AnalyzerScene& scene, const ConfigurationRequest& request) {
  return ConfigurationReader(scene, request).run();
}

}  // namespace cloister::manifest::php
