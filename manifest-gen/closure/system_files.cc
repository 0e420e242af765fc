// What the rows of the table, and the rules that no row can say, come to for one closure.
#include "manifest-gen/closure/system_files.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/closure/login_sessions.h"
#include "manifest-gen/closure/nsswitch.h"
#include "manifest-gen/closure/openssl_config.h"
#include "manifest-gen/closure/pam_services.h"
#include "manifest-gen/closure/program_kind.h"
#include "manifest-gen/closure/system_rows.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

using measure::Node;
using NameMap = std::map<std::string, std::string, std::less<>>;

// Which database of nsswitch.conf a function reads.
struct Lookup {
  std::string_view names, database;
};
constexpr Lookup kLookups[] = {
    {kUsers, "passwd"},         {kGroups, "group"},      {"initgroups", "initgroups"},
    {"getsp*", "shadow"},       {kHosts, "hosts"},       {"getserv* getaddrinfo", "services"},
    {"getproto*", "protocols"}, {"getnet*", "networks"}, {"getrpc*", "rpc"},
    {"ether_*", "ethers"},      {"innetgr", "netgroup"},
};
// Inside libc.so.6, or a part of the image's libc that does not fit the runtime's.
constexpr std::string_view kLibcServices[] = {"compat", "db", "dns", "files", "hesiod"};

constexpr std::string_view kPackageDatabases[] = {"/var/lib/dpkg",         "/lib/apk/db",
                                                  "/usr/lib/apk/db",       "/var/lib/rpm",
                                                  "/usr/lib/sysimage/rpm", "/var/lib/pacman/local"};

constexpr std::string_view kBundles[] = {"/etc/ssl/certs/ca-certificates.crt",
                                         "/etc/pki/tls/certs/ca-bundle.crt"};
// OPENSSLDIR/cert.pem as distributions configure it.
constexpr std::string_view kDefaultBundles[] = {"/usr/lib/ssl/cert.pem", "/etc/ssl/cert.pem",
                                                "/etc/pki/tls/cert.pem"};

// Not built into libc, small, and asked for by name in many programs.
constexpr std::string_view kCommonCharsets[] = {"ISO-8859-1", "UTF-16", "UTF-32"};

// The first file that matches one of the patterns; null when none does.
const std::string* user_of(const NameMap& names, std::string_view patterns) {
  for (const std::string_view pattern : split(patterns, ' ')) {
    const std::string_view fixed = pattern.substr(0, pattern.find_first_of("*?"));
    for (auto at = names.lower_bound(fixed); at != names.end() && at->first.starts_with(fixed);
         ++at)
      if (match_component(pattern, at->first)) return &at->second;
  }
  return nullptr;
}

// "ISO-8859-15", "iso885915" → "iso885915".
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : lower_ascii(name))
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
  return out;
}

// What libssl calls in libcrypto says nothing about who calls libssl, and the converter between
// character sets in libstdc++ is an extension that programs do not use.
bool is_inner_call(std::string_view library, std::string_view function) {
  return library.starts_with("libssl.so") ||
         (library.starts_with("libstdc++.so") && function == "iconv_open");
}

// Every category but LC_CTYPE is in C.UTF-8 what it is in C, which libc has built in.
bool asks_for_utf8_locale(const measure::elf::Facts& facts) {
  const auto has = [](const std::vector<std::string>& sorted, std::string_view name) {
    return std::binary_search(sorted.begin(), sorted.end(), name);
  };
  return has(facts.strings, measure::elf::kUtf8Locale) &&
         (has(facts.imports, "setlocale") || has(facts.imports, "newlocale"));
}

bool calls_resolver(const measure::elf::Facts& facts) {
  return std::any_of(facts.imports.begin(), facts.imports.end(), [](const std::string& name) {
    return name == "getaddrinfo" || name.starts_with("gethostby");
  });
}

// Shells open network connections only where a script says so, which nobody writes; busybox is many
// programs, of which a few are clients.
bool may_resolve(const Member& member) {
  static constexpr std::string_view kClients[] = {"ftpget", "ftpput", "nc",    "nslookup",
                                                  "ntpd",   "ping",   "ping6", "ssl_client",
                                                  "telnet", "tftp",   "wget"};
  const std::string_view base = base_name(member.real_path);
  if (base != "busybox") return !is_shell(base);
  return std::any_of(member.paths.begin(), member.paths.end(), [](const std::string& path) {
    return std::find(std::begin(kClients), std::end(kClients), base_name(path)) !=
           std::end(kClients);
  });
}

class SystemFilesFinder {
 public:
  SystemFilesFinder(const Launch& launch, const measure::Rootfs& rootfs,
                    const SystemFilesInput& input, const Limits& limits)
      : launch_(launch), rootfs_(rootfs), input_(input), limits_(limits) {
    // Packages are configured with the directory's real name, whatever the loader calls it.
    for (const std::string& directory : *input.library_directories) {
      std::string real = rootfs.real_path(directory).value_or(directory);
      if (std::find(directories_.begin(), directories_.end(), real) == directories_.end())
        directories_.push_back(std::move(real));
    }
  }

  SystemFiles run() {
    for (const SystemRow& row : system_rows()) this->row(row);
    if (input_.glibc) {
      name_services();
      locales();
      converters();
      catalogues();
    }
    host_names();
    time_zone();
    openssl_modules();
    trust();
    linked_fonts();
    pam();
    sessions();
    terminal();
    // Without a package database nobody but the image's author put anything there.
    if (!has_packages())
      add("/etc/**", Why::config, "configuration: the image has no packages, so this is its own");
    return std::move(out_);
  }

 private:
  std::string_view env(std::string_view name) const {
    for (const auto& [key, value] : launch_.env)
      if (key == name) return value;
    return {};
  }

  void add(std::string path, Why why, std::string_view reason, const std::string* from = nullptr) {
    out_.roots.push_back({.path_or_glob = std::move(path),
                          .why = why,
                          .detail = std::string(reason),
                          .optional = true,
                          .from = from == nullptr ? std::string() : *from});
  }

  void add_in_libraries(std::string_view path, Why why, std::string_view reason,
                        const std::string* from) {
    for (const std::string& directory : directories_) add(cat(directory, path), why, reason, from);
  }

  std::optional<std::string> text_of(const std::string& path) const {
    const Node* node = rootfs_.find(path);
    if (node == nullptr || !node->is_regular() || node->entry->size > limits_.packed_file_bytes)
      return std::nullopt;
    auto bytes = rootfs_.read(*node, limits_.packed_file_bytes);
    if (!bytes.has_value()) return std::nullopt;
    return std::string(as_text(*bytes));
  }

  bool is_file(std::string_view path) const {
    const Node* node = rootfs_.find(path);
    return node != nullptr && node->is_regular();
  }

  const std::string* imports(std::string_view names) const {
    return user_of(input_.use->imports, names);
  }

  void row(const SystemRow& row) {
    const std::string* from = nullptr;
    switch (row.when) {
      case When::imports:
        from = imports(row.names);
        break;
      case When::glibc_imports:
        from = input_.glibc ? imports(row.names) : nullptr;
        break;
      case When::program_imports:
        from = user_of(input_.use->program_imports, row.names);
        break;
      case When::library:
        from = user_of(input_.use->libraries, row.names);
        break;
      case When::musl:
        if (input_.musl) add(std::string(row.path), Why::config, row.reason);
        return;
    }
    if (from == nullptr) return;
    if (row.path.starts_with("$LIB"))
      add_in_libraries(row.path.substr(4), Why::config, row.reason, from);
    else
      add(std::string(row.path), Why::config, row.reason, from);
  }

  // ---- libc ----

  void name_services() {
    const auto text = text_of("/etc/nsswitch.conf");
    if (!text) return;
    const auto databases = parse_nsswitch(*text);
    for (const Lookup& lookup : kLookups) {
      const std::string* from = imports(lookup.names);
      const auto services = databases.find(lookup.database);
      if (from == nullptr || services == databases.end()) continue;
      for (const std::string& service : services->second) {
        if (std::find(std::begin(kLibcServices), std::end(kLibcServices), service) !=
            std::end(kLibcServices))
          continue;
        const std::string name = cat("/libnss_", service, ".so.2");
        for (const std::string& directory : *input_.library_directories) {
          if (!is_file(cat(directory, name))) continue;
          add(cat(directory, name), Why::nss,
              cat("/etc/nsswitch.conf: ", lookup.database, ": ", service), from);
          break;
        }
      }
    }
  }

  // LC_ALL, LC_*, LANG as setlocale(LC_ALL, "") reads them; "C" and "POSIX" need no file.
  std::set<std::string> locale_names() const {
    std::set<std::string> out;
    for (const auto& [name, value] : launch_.env)
      if ((name == "LANG" || name.starts_with("LC_")) && !value.empty() && value != "C" &&
          value != "POSIX" && value.find('/') == std::string::npos)
        out.insert(value);
    return out;
  }

  // The directory's name: the codeset in lower case without punctuation ("C.UTF-8" → "C.utf8").
  static std::string locale_directory(std::string_view locale) {
    const std::size_t dot = locale.find('.');
    if (dot == std::string_view::npos) return std::string(locale);
    const std::size_t at = locale.find('@', dot);
    std::string out(locale.substr(0, dot + 1));
    out += plain(locale.substr(dot + 1, at - dot - 1));
    if (at != std::string_view::npos) out += locale.substr(at);
    return out;
  }

  void locales() {
    const std::string* from = imports("setlocale newlocale");
    if (from == nullptr) return;
    // setlocale(LC_CTYPE, "C.UTF-8"), whatever the environment says.
    if (const std::string& asker = input_.use->names_utf8_locale; !asker.empty())
      add("/usr/lib/locale/C.utf8/LC_CTYPE", Why::config, "its code asks for the locale C.UTF-8",
          &asker);
    for (const std::string& name : locale_names()) {
      const std::string reason = cat("the locale ", name);
      add(cat("/usr/lib/locale/", locale_directory(name)), Why::config, reason, from);
      if (name.starts_with("C.")) continue;
      add(cat("/usr/lib/locale/", name), Why::config, reason, from);
      add("/usr/lib/locale/locale-archive", Why::config, reason, from);
      add("/usr/share/locale/locale.alias", Why::config, reason, from);
    }
  }

  // Converters between character sets: libc has those of UTF-8, UCS-2, UCS-4 and ASCII built in.
  void converters() {
    std::set<std::string> charsets;
    const std::string* setlocale = imports("setlocale newlocale");
    const std::string* iconv = imports("iconv_open");
    if (setlocale != nullptr) {
      const std::set<std::string> names = locale_names();
      if (!names.empty()) gconv_file("gconv-modules.cache", setlocale);
      for (const std::string& name : names) {
        const std::size_t dot = name.find('.');
        if (dot != std::string::npos)
          charsets.insert(plain(name.substr(dot + 1, name.find('@', dot) - dot - 1)));
      }
    }
    if (iconv != nullptr) {
      gconv_file("gconv-modules.cache", iconv);
      for (const std::string_view charset : kCommonCharsets) charsets.insert(plain(charset));
    }
    charsets.erase("utf8");
    if (charsets.empty()) return;
    const std::string* from = iconv != nullptr ? iconv : setlocale;
    for (const std::string& directory : directories_) {
      const Node* modules = rootfs_.find(cat(directory, "/gconv"));
      if (modules == nullptr || !modules->is_directory()) continue;
      bool any = false;
      for (const auto& [name, node] : modules->children) {
        if (!name.ends_with(".so") || !charsets.contains(plain(name.substr(0, name.size() - 3))))
          continue;
        any = true;
        add(cat(directory, "/gconv/", name), Why::gconv, "converts a character set", from);
      }
      // With GCONV_PATH, which the converters need in an enclave, the cache is not used.
      if (!any) continue;
      add(cat(directory, "/gconv/gconv-modules"), Why::gconv, "names the converters", from);
      add(cat(directory, "/gconv/gconv-modules.d/*.conf"), Why::gconv, "names the converters",
          from);
    }
  }

  void gconv_file(std::string_view name, const std::string* from) {
    add_in_libraries(cat("/gconv/", name), Why::gconv, "character set conversions", from);
  }

  // Translations: those of the programs and libraries of the closure, in the image's languages.
  void catalogues() {
    const std::string* from = imports("gettext dgettext dcgettext ngettext dcngettext textdomain");
    if (from == nullptr) return;
    std::set<std::string> languages;
    const auto add_language = [&](std::string_view locale) {
      if (locale.empty() || locale == "C" || locale == "POSIX" || locale.starts_with("C.") ||
          locale.find('/') != std::string_view::npos)
        return;
      const std::string_view territory = locale.substr(0, locale.find_first_of(".@"));
      languages.emplace(territory);
      languages.emplace(territory.substr(0, territory.find('_')));
    };
    for (const std::string& name : locale_names()) add_language(name);
    for (const std::string_view name : split(env("LANGUAGE"), ':')) add_language(name);
    if (languages.empty()) return;
    std::set<std::string> domains{"libc", std::string(base_name(launch_.program))};
    for (const auto& [name, path] : input_.use->libraries)
      domains.insert(name.substr(0, name.find(".so")));
    for (const std::string& language : languages)
      for (const std::string& domain : domains) {
        const std::string path =
            cat("/usr/share/locale/", language, "/LC_MESSAGES/", domain, ".mo");
        if (is_file(path)) add(path, Why::config, cat("messages in the language ", language), from);
      }
  }

  void host_names() {
    if (const std::string& from = input_.use->resolves_hosts; !from.empty())
      out_.suggestions.push_back(
          {std::string(kHostNamesKey), true,
           cat("looks host names up (", from, "): the host's resolv.conf, checked by Gramine")});
  }

  // TZ (tzset(3)): a name below the time zone directory, a path, or a rule that needs no file.
  void time_zone() {
    const std::string* from = imports(kClock);
    std::string_view value = env("TZ");
    if (from == nullptr || value.empty()) return;
    if (value.starts_with(':')) value.remove_prefix(1);
    std::string_view directory = env("TZDIR");
    if (!directory.starts_with('/')) directory = "/usr/share/zoneinfo";
    const std::string path =
        value.starts_with('/') ? std::string(value) : cat(directory, "/", value);
    if (is_file(path)) add(path, Why::config, cat("the time zone of TZ=", value), from);
  }

  // ---- TLS ----

  void openssl_modules() {
    const std::string* from = user_of(input_.use->libraries, "libcrypto.so*");
    if (from == nullptr) return;
    std::vector<std::string> files;
    if (const std::string_view own = env("OPENSSL_CONF"); !own.empty()) {
      files.emplace_back(own);
    } else {
      for (const SystemRow& row : system_rows())
        if (row.path.ends_with("/openssl.cnf")) files.emplace_back(row.path);
    }
    std::set<const Node*> seen;
    for (const std::string& file : files) {
      const auto text = text_of(file);
      if (!text || !seen.insert(rootfs_.find(file)).second) continue;
      const OpensslModules modules = parse_openssl_config(*text);
      const std::string reason = cat(file, " activates it");
      for (const std::string& include : modules.includes)
        if (include.starts_with('/')) add(include, Why::config, cat(file, " includes it"), from);
      for (const std::string& name : modules.providers)
        module("/ossl-modules/", env("OPENSSL_MODULES"), name, reason, from);
      for (const std::string& name : modules.engines)
        for (const std::string_view directory : {"/engines-3/", "/engines-1.1/"})
          module(directory, env("OPENSSL_ENGINES"), name, reason, from);
    }
  }

  void module(std::string_view directory, std::string_view chosen, const std::string& name,
              const std::string& reason, const std::string* from) {
    if (name.starts_with('/')) {
      add(name, Why::config, reason, from);
      return;
    }
    const std::string file = name.ends_with(".so") ? name : cat(name, ".so");
    if (file.find('/') != std::string::npos) return;
    if (!chosen.empty())
      add(cat(chosen, "/", file), Why::config, reason, from);
    else
      add_in_libraries(cat(directory, file), Why::config, reason, from);
  }

  // Debian's OpenSSL finds authorities in a directory of hundreds of links, one per certificate.
  // One file holds the same, and OpenSSL takes it where the environment says so.
  void trust() {
    const std::string* from = imports("SSL_CTX_set_default_verify_* X509_STORE_set_default_paths*");
    if (from == nullptr) return;
    if (const std::string_view directory = env("SSL_CERT_DIR"); directory.starts_with('/')) {
      for (const std::string_view item : split(directory, ':'))
        add(std::string(item), Why::config, "certificate authorities, by SSL_CERT_DIR", from);
      return;
    }
    const auto passed = [&](std::string_view name) {
      return std::find(launch_.passthrough.begin(), launch_.passthrough.end(), name) !=
             launch_.passthrough.end();
    };
    if (!env("SSL_CERT_FILE").empty() || passed("SSL_CERT_FILE")) return;
    if (std::any_of(std::begin(kDefaultBundles), std::end(kDefaultBundles),
                    [&](std::string_view path) { return is_file(path); }))
      return;
    for (const std::string_view bundle : kBundles) {
      if (!is_file(bundle)) continue;
      out_.suggestions.push_back(
          {"loader.env.SSL_CERT_FILE", std::string(bundle),
           "one file of certificate authorities instead of a directory of them"});
      return;
    }
  }

  // fontconfig goes through links to directories, and patterns do not.
  void linked_fonts() {
    const std::string* from = imports(kFonts);
    const Node* fonts = rootfs_.find("/usr/share/fonts");
    if (from == nullptr || fonts == nullptr || !fonts->is_directory()) return;
    for (const auto& [kind, directory] : fonts->children) {
      if (!directory->is_directory()) continue;
      for (const auto& [name, child] : directory->children)
        if (child->is_symlink())
          add(cat("/usr/share/fonts/", kind, "/", name), Why::config, "fonts", from);
    }
  }

  // ---- PAM ----

  void pam() {
    const std::string* from = imports("pam_start pam_start_confdir");
    if (from == nullptr) return;
    add("/etc/pam.conf", Why::config, "PAM's configuration", from);
    add("/etc/security/*.conf", Why::config, "configuration of PAM modules", from);
    add("/etc/environment", Why::config, "pam_env reads it", from);
    add("/etc/login.defs", Why::config, "pam_unix reads it", from);
    // A service is mostly called as its program; else any of them may be meant.
    std::set<std::string> services;
    std::vector<std::string> pending;
    const Node* directory = rootfs_.find("/etc/pam.d");
    if (directory == nullptr || !directory->is_directory()) return;
    const auto enqueue = [&](const std::string& name) {
      if (directory->children.contains(name) && services.insert(name).second)
        pending.push_back(name);
    };
    enqueue(std::string(base_name(*from)));
    enqueue(std::string(base_name(launch_.program)));
    if (pending.empty())
      for (const auto& [name, node] : directory->children) enqueue(name);
    enqueue("other");
    std::set<std::string> modules;
    while (!pending.empty()) {
      const std::string path = cat("/etc/pam.d/", pending.back());
      pending.pop_back();
      add(path, Why::config, "a PAM service", from);
      const auto text = text_of(path);
      if (!text) continue;
      PamService service = parse_pam_service(*text);
      for (std::string& name : service.includes) enqueue(name);
      modules.insert(service.modules.begin(), service.modules.end());
    }
    for (const std::string& name : modules) {
      if (name.starts_with('/'))
        add(name, Why::config, "a PAM module", from);
      else
        for (const std::string& library : *input_.library_directories)
          add(cat(library, "/security/", name), Why::config, "a PAM module", from);
    }
  }

  void sessions() {
    const std::string* from = user_of(input_.use->program_imports, "pam_open_session");
    const Node* program = from == nullptr ? nullptr : rootfs_.find(*from);
    const measure::elf::Facts* facts = program == nullptr ? nullptr : rootfs_.elf_facts(*program);
    const auto passwd = text_of("/etc/passwd");
    if (facts == nullptr || !passwd || !opens_login_sessions(*facts)) return;
    for (ClosureRoot& root : login_sessions(*passwd, rootfs_, *from))
      out_.roots.push_back(std::move(root));
    if (input_.use->libraries.contains("pam_motd.so"))
      for (const char* path : {"/etc/update-motd.d/*", "/usr/bin/run-parts", "/usr/bin/env"})
        add(path, Why::script_command, "pam_motd runs what makes its message", from);
    out_.unknown.emplace_back(*from,
                              "starts the shells of users who log in: what they run from there is "
                              "not known; name it with --include");
  }

  // ---- terminals ----

  void terminal() {
    const std::string* from = imports("tgetent setupterm newterm initscr");
    if (from == nullptr) return;
    std::string_view name = env("TERM");
    if (name.empty() || name.find('/') != std::string_view::npos) name = "xterm";
    for (const std::string_view terminal : {name, std::string_view("dumb")})
      for (const std::string_view directory :
           {"/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"}) {
        const std::string path = cat(directory, "/", terminal.substr(0, 1), "/", terminal);
        if (is_file(path)) {
          add(path, Why::config, cat("the terminal ", terminal), from);
          break;
        }
      }
  }

  bool has_packages() const {
    return std::any_of(std::begin(kPackageDatabases), std::end(kPackageDatabases),
                       [&](std::string_view path) { return rootfs_.find(path) != nullptr; });
  }

  const Launch& launch_;
  const measure::Rootfs& rootfs_;
  const SystemFilesInput& input_;
  const Limits& limits_;
  std::vector<std::string> directories_;  // of libraries, by their real names
  SystemFiles out_;
};

}  // namespace

CodeUse code_use(const Closure& closure, const measure::Rootfs& rootfs) {
  CodeUse out;
  for (const Member& member : closure.members) {
    if (member.from_runtime || !member.is_elf) continue;
    const Node* node = rootfs.find(member.real_path);
    const measure::elf::Facts* facts = node == nullptr ? nullptr : rootfs.elf_facts(*node);
    if (facts == nullptr) continue;
    const bool program = !facts->interpreter.empty();
    const std::string_view base = base_name(member.real_path);
    for (const std::string& name : facts->imports) {
      if (is_inner_call(base, name)) continue;
      out.imports.try_emplace(name, member.real_path);
      if (program && !is_interpreter(base)) out.program_imports.try_emplace(name, member.real_path);
    }
    if (out.resolves_hosts.empty() && calls_resolver(*facts) && may_resolve(member))
      out.resolves_hosts = member.real_path;
    if (out.names_utf8_locale.empty() && asks_for_utf8_locale(*facts))
      out.names_utf8_locale = member.real_path;
    for (const std::string& path : member.paths)
      if (path.find(".so") != std::string::npos)
        out.libraries.try_emplace(std::string(base_name(path)), path);
  }
  return out;
}

SystemFiles system_files(const Launch& launch, const measure::Rootfs& rootfs,
                         const SystemFilesInput& input, const Limits& limits) {
  return SystemFilesFinder(launch, rootfs, input, limits).run();
}

}  // namespace cloister::manifest
