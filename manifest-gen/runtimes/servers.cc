// One row per server: which configuration it reads, which directives include further files, load
// modules or name directories of files that it serves. Every file that configuration names by an
// absolute path is granted for any program: whoever wrote the path there meant the program to open
// it. Directories are granted only where a directive says that their contents are served, since a
// directory may as well be one that is written to.
//
// Relative names are looked for in every directory that the server may mean (its prefix depends on
// how it was built); those that exist are granted.
#include "manifest-gen/runtimes/servers.h"

#include <algorithm>
#include <array>
#include <deque>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/runtimes/config_scan.h"
#include "manifest-gen/runtimes/paths.h"

namespace cloister::manifest {
namespace {

// Lists are separated by blanks; directives are compared without case.
struct Server {
  std::string_view name = "";
  std::string_view programs = "";  // patterns of base names
  std::string_view files = "";     // its configuration when the command line names none
  std::string_view option = "";    // which names it: the option's value
  std::string_view includes =
      "";                         // directives: further configuration; patterns and directories too
  std::string_view modules = "";  // directives: files by names that may be relative
  std::string_view trees = "";    // directives: directories whose files it serves
  std::string_view bases = "";  // what relative names may be relative to, beside the configuration
  std::string_view module_of = "";     // "mod_*" words are files of these directories, with ".so"
  std::string_view runs = "";          // directives: commands that it gives to the shell
  std::string_view extra = "";         // what it opens on its own: patterns
  std::string_view left_out = "";      // base names that `extra` matches_any and few need
  std::string_view programs_run = "";  // programs that it starts on its own
};

constexpr std::array kServers = {
    Server{.name = "nginx",
           .programs = "nginx nginx-debug openresty",
           .files = "/etc/nginx/nginx.conf /usr/local/nginx/conf/nginx.conf "
                    // What the official image's entrypoint makes configuration of.
                    "/etc/nginx/templates "
                    "/usr/local/openresty/nginx/conf/nginx.conf",
           .option = "-c",
           .includes = "include",
           .modules = "load_module ssl_certificate ssl_certificate_key ssl_trusted_certificate "
                      "ssl_client_certificate ssl_dhparam ssl_password_file auth_basic_user_file "
                      "ssl_crl js_include js_import geoip_country geoip_city",
           .trees = "root alias js_path perl_modules lua_package_path",
           .bases = "/etc/nginx /usr/share/nginx /usr/local/nginx /usr/local/openresty/nginx",
           .extra = "/usr/local/openresty/lualib/** /usr/local/openresty/site/lualib/**"},
    Server{.name = "caddy",
           .programs = "caddy",
           .files = "/etc/caddy/Caddyfile",
           .option = "--config",
           .includes = "import",
           .modules = "tls",
           .trees = "root templates",
           .bases = "/etc/caddy"},
    Server{.name = "apache",
           .programs = "apache2 httpd",
           .files = "/etc/apache2/apache2.conf /etc/httpd/conf/httpd.conf "
                    "/usr/local/apache2/conf/httpd.conf /etc/apache2/httpd.conf",
           .option = "-f",
           .includes = "Include IncludeOptional",
           .modules = "LoadModule LoadFile TypesConfig MIMEMagicFile SSLCertificateFile "
                      "SSLCertificateKeyFile SSLCertificateChainFile SSLCACertificateFile "
                      "AuthUserFile AuthGroupFile",
           .trees = "DocumentRoot Alias ScriptAlias AliasMatch SSLCACertificatePath",
           .bases = "/etc/apache2 /etc/httpd /usr/local/apache2 /usr/lib/apache2"},
    Server{
        .name = "lighttpd",
        .programs = "lighttpd lighttpd-angel",
        .files = "/etc/lighttpd/lighttpd.conf",
        .option = "-f",
        .includes = "include",
        .modules = "ssl.pemfile ssl.privkey ssl.ca-file",
        .trees = "server.document-root alias.url",
        .bases = "/etc/lighttpd",
        .module_of = "/usr/lib/lighttpd /usr/local/lib/lighttpd /usr/lib/x86_64-linux-gnu/lighttpd",
        .runs = "include_shell",
        .extra = "/etc/mime.types"},
    Server{.name = "haproxy",
           .programs = "haproxy",
           .files = "/etc/haproxy/haproxy.cfg /usr/local/etc/haproxy/haproxy.cfg",
           .option = "-f",
           .modules = "errorfile ca-file crt crl-file lua-load lua-load-per-thread",
           .trees = "crt",
           .bases = "/etc/haproxy /usr/local/etc/haproxy",
           .extra = "/usr/lib/ssl/certs/*.pem /usr/lib/ssl/certs/ca-certificates.crt "
                    "/etc/ssl/certs/*.pem"},
    Server{.name = "redis",
           .programs = "redis-server redis-sentinel redis-check-rdb redis-check-aof valkey-server "
                       "valkey-sentinel keydb-server",
           .includes = "include",
           .modules = "loadmodule aclfile tls-cert-file tls-key-file tls-ca-cert-file"},
    Server{.name = "mariadb",
           .programs = "mariadbd mysqld mariadbd-safe mysqld_safe",
           .files = "/etc/my.cnf /etc/mysql/my.cnf /usr/etc/my.cnf",
           .option = "--defaults-file",
           .includes = "!include !includedir",
           .modules = "ssl-ca ssl-cert ssl-key ssl_ca ssl_cert ssl_key init-file init_file",
           .extra = "/usr/share/mysql/* /usr/share/mysql/*/errmsg.sys /usr/share/mysql/charsets/* "
                    "/usr/share/mariadb/* /usr/share/mariadb/*/errmsg.sys "
                    "/usr/share/mariadb/charsets/* /usr/lib/mysql/plugin/*.so "
                    "/usr/lib/mariadb/plugin/*.so /usr/lib64/mysql/plugin/*.so "
                    "/usr/lib64/mariadb/plugin/*.so"},
    Server{.name = "postgres",
           .programs = "postgres initdb pg_ctl",
           .includes = "include include_if_exists include_dir",
           .modules = "ssl_cert_file ssl_key_file ssl_ca_file hba_file ident_file",
           .extra = "/usr/share/postgresql/*/* /usr/share/postgresql/*/timezonesets/* "
                    "/usr/share/postgresql/*/tsearch_data/* /usr/share/postgresql/*/extension/* "
                    "/usr/lib/postgresql/*/lib/*.so /usr/lib/postgresql/*/lib/*.bc "
                    "/usr/local/share/postgresql/** /usr/local/lib/postgresql/*.so "
                    "/usr/share/zoneinfo/* /usr/share/zoneinfo/Africa/* "
                    "/usr/share/zoneinfo/America/** /usr/share/zoneinfo/Antarctica/* "
                    "/usr/share/zoneinfo/Asia/* /usr/share/zoneinfo/Atlantic/* "
                    "/usr/share/zoneinfo/Australia/* /usr/share/zoneinfo/Etc/* "
                    "/usr/share/zoneinfo/Europe/* /usr/share/zoneinfo/Indian/* "
                    "/usr/share/zoneinfo/Pacific/*",
           .left_out = "llvmjit.so llvmjit_types.bc",
           .programs_run = "/usr/lib/postgresql/*/bin/postgres /usr/local/bin/postgres /bin/sh "
                           "/usr/bin/locale"},
};

constexpr std::string_view kConfigNames[] = {"*.conf", "*.cnf",  "*.cfg",  "*.ini",        "*.yml",
                                             "*.yaml", "*.toml", "*.json", "*.properties", "*.hcl"};

constexpr std::uint64_t kConfigBytes = 256ULL << 10;
constexpr std::size_t kConfigFiles = 1024, kNamedFiles = 16384;

bool listed(std::string_view list, std::string_view word) {
  for (const std::string_view item : split(list, ' '))
    if (!item.empty() && iequals_ascii(item, word)) return true;
  return false;
}

bool matches_any(std::string_view list, std::string_view name) {
  for (const std::string_view item : split(list, ' '))
    if (!item.empty() && match_component(item, name)) return true;
  return false;
}

const Server* server_of(const ProgramStart& start, const AnalyzerScene& scene) {
  const std::string_view name = base_name(start.path);
  const std::string real = scene.rootfs.real_path(start.path).value_or(start.path);
  for (const Server& server : kServers)
    if (matches_any(server.programs, name) || matches_any(server.programs, base_name(real)))
      return &server;
  return nullptr;
}

bool is_config_name(std::string_view path) {
  return std::any_of(std::begin(kConfigNames), std::end(kConfigNames),
                     [&](std::string_view p) { return match_component(p, base_name(path)); });
}

// What programs without a row call it: "include", "include_dir", "!includedir", "@include".
bool is_include(std::string_view directive) {
  if (directive.starts_with('!') || directive.starts_with('@')) directive.remove_prefix(1);
  return iequals_ascii(directive.substr(0, 7), "include");
}

// Too much below it to be what somebody serves.
bool is_wide(std::string_view directory) {
  static constexpr std::string_view kWide[] = {
      "/",        "/usr",  "/usr/share", "/usr/lib", "/usr/local", "/etc",  "/var",
      "/var/lib", "/home", "/opt",       "/srv",     "/root",      "/proc", "/sys",
      "/dev",     "/run",  "/tmp",       "/lib",     "/bin",       "/sbin"};
  return std::find(std::begin(kWide), std::end(kWide), directory) != std::end(kWide);
}

class ConfigReader {
 public:
  ConfigReader(const ProgramStart& start, const AnalyzerScene& scene)
      : start_(start), scene_(scene), server_(server_of(start, scene)) {}

  Result<Analysis> run() {
    if (server_ != nullptr) own_files();
    out_.follows_data = server_ != nullptr;
    command_line();
    // Other arguments may name files too; where an option names the configuration, none was.
    if (server_ != nullptr && !named_ && (pending_.empty() || !server_->option.empty()))
      for (const std::string_view file : split(server_->files, ' ')) configuration(file, {});
    while (!pending_.empty()) {
      const std::string path = std::move(pending_.front());
      pending_.pop_front();
      CL_CHECK(read(path));
    }
    return std::move(out_);
  }

 private:
  static constexpr std::string_view kCommandLine = "";

  void grant(std::string path, std::string_view from, std::string detail, Why why = Why::config) {
    if (out_.roots.size() >= kNamedFiles) return;
    if (!granted_.insert({path, std::string(from)}).second) return;
    out_.roots.push_back({std::move(path), why, std::move(detail), true, std::string(from)});
  }

  void own_files() {
    const std::string detail = cat("opened by ", server_->name, " on its own");
    for (const std::string_view pattern : split(server_->extra, ' ')) {
      if (pattern.empty()) continue;
      if (server_->left_out.empty() || pattern.find("**") != std::string_view::npos) {
        grant(std::string(pattern), {}, detail, Why::package_data);
        continue;
      }
      for (const std::string& path : expand_glob(scene_.rootfs, pattern)) {
        if (!listed(server_->left_out, base_name(path)))
          grant(path, {}, detail, Why::package_data);
        else
          out_.unknown.push_back(cat("uses ", path,
                                     " for few things only, so that it is left out: switch those "
                                     "off, or --include the file"));
      }
    }
    for (const std::string_view program : split(server_->programs_run, ' ')) {
      if (program.empty()) continue;
      for (const std::string& path : expand_glob(scene_.rootfs, program))
        if (path != start_.path)
          grant(path, {}, cat("started by ", server_->name), Why::script_command);
    }
  }

  // Files that arguments name: "-c FILE", "--defaults-file=FILE", FILE.
  void command_line() {
    for (std::size_t i = 1; i < start_.argv.size(); ++i) {
      std::string_view word = start_.argv[i], key = start_.argv[i - 1];
      if (const std::size_t equals = word.find('='); word.starts_with('-') && equals != word.npos) {
        key = word.substr(0, equals);
        word.remove_prefix(equals + 1);
      }
      const bool option = server_ != nullptr && !server_->option.empty() && key == server_->option;
      named_ = named_ || option;
      if (word.empty() || word.starts_with('-')) continue;
      const std::string path = absolute(word, scene_.launch.workdir);
      if (option || server_ != nullptr || is_config_name(path)) configuration(path, kCommandLine);
    }
  }

  static std::string absolute(std::string_view path, std::string_view base) {
    return measure::normalize_path(path.starts_with('/') ? std::string(path)
                                                         : cat(base, "/", path));
  }

  // Text that is read as configuration; a directory means the files in it.
  void configuration(std::string_view path, std::string_view from) {
    const measure::Node* node = scene_.rootfs.find(path);
    if (node == nullptr) return;
    if (node->is_directory()) {
      for (const std::string& file : expand_glob(scene_.rootfs, cat(path, "/*")))
        configuration_file(file, from);
    } else {
      configuration_file(std::string(path), from);
    }
  }

  void configuration_file(const std::string& path, std::string_view from) {
    const measure::Node* node = scene_.rootfs.find(path);
    if (node == nullptr || !node->is_regular() || scene_.rootfs.elf_facts(*node) != nullptr) return;
    grant(path, from, from.empty() ? "configuration" : cat("included by ", from));
    if (node->entry->size > kConfigBytes || read_.size() >= kConfigFiles ||
        !read_.insert(node).second)
      return;
    pending_.push_back(path);
  }

  Status read(const std::string& path) {
    const measure::Node* node = scene_.rootfs.find(path);
    auto bytes = scene_.rootfs.read(*node, kConfigBytes);
    if (!bytes) return std::move(bytes.error()).while_(cat("reading ", printable(path)));
    const std::string_view text = as_text(*bytes);
    if (text.find('\0') != std::string_view::npos) return {};
    bases_.insert(std::string(parent_directory(path)));
    for (const ConfigDirective& directive : scan_config(text)) directive_of(directive, path);
    return {};
  }

  void directive_of(const ConfigDirective& directive, const std::string& from) {
    if (iequals_ascii(directive.name, "ServerRoot") && !directive.words.empty())
      bases_.insert(directive.words.front());
    if (server_ != nullptr && listed(server_->runs, directive.name)) {
      command(directive, from);
      return;
    }
    word_of(directive.name, directive.name, from);
    for (const std::string& word : directive.words) word_of(word, directive.name, from);
    if (server_ != nullptr && server_->name == "haproxy") pairs_of(directive, from);
  }

  // "bind :443 ssl crt FILE": the keyword is any word, and its value the next.
  void pairs_of(const ConfigDirective& directive, const std::string& from) {
    for (std::size_t i = 0; i + 1 < directive.words.size(); ++i)
      word_of(directive.words[i + 1], directive.words[i], from);
  }

  void command(const ConfigDirective& directive, const std::string& from) {
    if (directive.words.empty()) return;
    const std::string_view line = directive.words.front();
    const std::string program(line.substr(0, line.find(' ')));
    if (!program.starts_with('/')) return;
    grant(program, from, cat("run by ", from), Why::script_command);
    grant("/bin/sh", from, cat("runs commands of ", from), Why::script_command);
  }

  void word_of(const std::string& word, const std::string& directive, const std::string& from) {
    if (word.empty() || word.size() > 4096 || word.find_first_of("$%") != std::string::npos ||
        word.find("://") != std::string::npos)
      return;
    const bool include =
        server_ != nullptr ? listed(server_->includes, directive) : is_include(directive);
    const bool module = server_ != nullptr && listed(server_->modules, directive);
    const bool tree = server_ != nullptr && listed(server_->trees, directive);
    if (word.starts_with('/')) {
      path_of(measure::normalize_path(word), include, tree, from);
      return;
    }
    if (server_ != nullptr && word.starts_with("mod_") && word.find('/') == std::string::npos)
      for (const std::string_view directory : split(server_->module_of, ' '))
        if (!directory.empty()) file_of(cat(directory, "/", word, ".so"), from);
    if (!include && !module && !tree) return;
    std::set<std::string> bases = bases_;
    if (server_ != nullptr)
      for (const std::string_view base : split(server_->bases, ' '))
        if (!base.empty()) bases.emplace(base);
    for (const std::string& base : bases) {
      const std::string path = absolute(word, base);
      // Of a program without a row: "include": ["src", "*.ts"] means something else.
      if (server_ != nullptr || is_file(scene_.rootfs, path)) path_of(path, include, tree, from);
    }
  }

  void path_of(const std::string& path, bool include, bool tree, const std::string& from) {
    if (include) {
      if (has_wildcard(path)) {
        for (const std::string& file : expand_glob(scene_.rootfs, path))
          configuration_file(file, from);
      } else {
        configuration(path, from);
      }
      return;
    }
    const measure::Node* node = scene_.rootfs.find(path);
    if (node == nullptr) {
      out_.absent.push_back({path, cat("in ", from)});
      return;
    }
    if (node->is_regular()) {
      file_of(path, from);
    } else if (tree && node->is_directory()) {
      if (is_wide(path) || is_wide(node->path()))
        out_.unknown.push_back(cat("serves files below ", path, " (", from,
                                   "), which holds more than that: name them with --include"));
      else
        grant(cat(path, "/**"), from, cat("served, says ", from));
    }
  }

  void file_of(const std::string& path, const std::string& from) {
    const measure::Node* node = scene_.rootfs.find(path);
    if (node == nullptr || !node->is_regular()) return;
    grant(path, from, cat("named in ", from));
  }

  const ProgramStart& start_;
  const AnalyzerScene& scene_;
  const Server* server_;
  Analysis out_;
  bool named_ = false;  // the command line names the configuration
  std::deque<std::string> pending_;
  std::set<const measure::Node*> read_;
  std::set<std::pair<std::string, std::string>> granted_;
  std::set<std::string> bases_;
};

}  // namespace

bool detect_server(const ProgramStart& start, const AnalyzerScene& scene) {
  if (server_of(start, scene) != nullptr) return true;
  return std::any_of(start.argv.begin(), start.argv.end(),
                     [](const std::string& word) { return is_config_name(word); });
}

Result<Analysis> analyze_server(const ProgramStart& start, const AnalyzerScene& scene) {
  return ConfigReader(start, scene).run();
}

}  // namespace cloister::manifest
