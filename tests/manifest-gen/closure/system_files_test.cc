// The rows of the table of system files: each is tried with what triggers it and without.
#include "manifest-gen/closure/system_files.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "tests/manifest-gen/closure/closure_of.h"

namespace cloister::manifest {
namespace {

using test::closure_of;
using test::debian_tree;
using test::Environment;
using test::grants;
using test::library;
using test::program;
using test::reason_of;
using test::Tree;
using test::with_imports;
using Names = std::vector<std::string>;

constexpr std::string_view kLibraries = "/usr/lib/x86_64-linux-gnu/";

// A program that imports these functions, in an image with the files given.
Tree image(const Names& imports, const Names& files, const Names& needed = {}) {
  Names libraries{"libc.so.6"};
  libraries.insert(libraries.end(), needed.begin(), needed.end());
  Tree tree = debian_tree();
  tree.elf("/usr/bin/app", with_imports(program(libraries), imports));
  for (const std::string& name : needed) tree.elf(cat(kLibraries, name), library());
  for (const std::string& path : files) tree.file(path, path);
  return tree;
}

void expect_granted(const Names& imports, const Names& files, const Names& needed = {},
                    const Environment& env = {}) {
  const auto with = image(imports, files, needed).build();
  const Closure granted = closure_of(with, "/usr/bin/app", env);
  const auto without = image({}, files).build();
  const Closure refused = closure_of(without, "/usr/bin/app", env);
  for (const std::string& path : files) {
    EXPECT_TRUE(grants(granted, path)) << path;
    EXPECT_FALSE(reason_of(granted, path).empty()) << path;
    EXPECT_FALSE(grants(refused, path)) << path;
  }
}

TEST(SystemFiles, UsersAndGroups) {
  expect_granted({"getpwnam"}, {"/etc/passwd", "/etc/nsswitch.conf"});
  expect_granted({"getgrgid_r"}, {"/etc/group", "/etc/nsswitch.conf"});
  expect_granted({"initgroups"}, {"/etc/group"});
  expect_granted({"getusershell"}, {"/etc/shells"});
}

TEST(SystemFiles, HostsServicesAndNetworks) {
  expect_granted({"getaddrinfo"},
                 {"/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services"});
  expect_granted({"getservbyname"}, {"/etc/services", "/etc/nsswitch.conf"});
  expect_granted({"getprotobyname"}, {"/etc/protocols"});
  expect_granted({"getnetbyname"}, {"/etc/networks"});
  expect_granted({"getrpcbyname"}, {"/etc/rpc"});
  expect_granted({"ether_hostton"}, {"/etc/ethers"});
}

std::string asks_name_servers(const Tree& tree, const std::string& path) {
  const auto root = Tree(tree).build();
  const Closure closure = closure_of(root, path);
  for (const Suggestion& suggestion : closure.suggestions)
    if (suggestion.key == kHostNamesKey) return suggestion.reason;
  return {};
}

TEST(SystemFiles, NameServersForWhoLooksHostsUp) {
  const auto resolver = with_imports(program(), {"getaddrinfo"});
  EXPECT_NE(asks_name_servers(debian_tree().elf("/usr/bin/app", resolver), "/usr/bin/app"), "");
  EXPECT_EQ(asks_name_servers(debian_tree().elf("/usr/bin/app", program()), "/usr/bin/app"), "");
  EXPECT_EQ(asks_name_servers(debian_tree().elf("/usr/bin/bash", resolver), "/usr/bin/bash"), "")
      << "scripts use /dev/tcp rarely, and other programs often";
  const Tree alpine = debian_tree().elf("/bin/busybox", resolver).link("/bin/wget", "busybox");
  EXPECT_EQ(asks_name_servers(alpine, "/bin/busybox"), "");
  EXPECT_NE(asks_name_servers(alpine, "/bin/wget"), "");
}

TEST(SystemFiles, WhoAsksIsTheFileThatImports) {
  const auto root = debian_tree()
                        .elf("/usr/bin/app", program({"liba.so.1"}))
                        .elf(cat(kLibraries, "liba.so.1"), with_imports(library(), {"getpwuid"}))
                        .file("/etc/passwd", "p")
                        .build();
  const Closure closure = closure_of(root, "/usr/bin/app");
  const auto at = static_cast<std::size_t>(test::index_of(closure, cat(kLibraries, "liba.so.1")));
  const auto to = static_cast<std::size_t>(test::index_of(closure, "/etc/passwd"));
  EXPECT_TRUE(std::any_of(closure.edges.begin(), closure.edges.end(),
                          [&](const Edge& edge) { return edge.from == at && edge.to == to; }));
}

TEST(SystemFiles, LocalTimeUnderBothItsNames) {
  const auto root = image({"strftime"}, {"/usr/share/zoneinfo/Etc/UTC"})
                        .link("/etc/localtime", "/usr/share/zoneinfo/Etc/UTC")
                        .build();
  const Closure closure = closure_of(root, "/usr/bin/app");
  EXPECT_TRUE(grants(closure, "/etc/localtime"));
  EXPECT_TRUE(grants(closure, "/usr/share/zoneinfo/Etc/UTC"));
}

TEST(SystemFiles, TimeZoneOfTheEnvironment) {
  const std::string berlin = "/usr/share/zoneinfo/Europe/Berlin";
  for (const char* value :
       {"Europe/Berlin", ":Europe/Berlin", ":/usr/share/zoneinfo/Europe/Berlin"})
    expect_granted({"localtime"}, {berlin}, {}, {{"TZ", value}});
  expect_granted({"localtime"}, {"/opt/zones/X"}, {}, {{"TZ", "X"}, {"TZDIR", "/opt/zones"}});
  const auto root = image({"localtime"}, {berlin}).build();
  EXPECT_FALSE(grants(closure_of(root, "/usr/bin/app", {{"TZ", "CET-1CEST"}}), berlin));
}

TEST(SystemFiles, NameServiceModulesOfNsswitch) {
  const auto root =
      debian_tree()
          .elf("/usr/bin/app", with_imports(program(), {"getpwnam"}))
          .file("/etc/nsswitch.conf", "passwd: files systemd compat\nhosts: resolve\n")
          .elf(cat(kLibraries, "libnss_systemd.so.2"), library({"libcap.so.2"}))
          .elf(cat(kLibraries, "libcap.so.2"), library())
          .elf(cat(kLibraries, "libnss_compat.so.2"), library())
          .elf(cat(kLibraries, "libnss_resolve.so.2"), library())
          .build();
  const Closure closure = closure_of(root, "/usr/bin/app");
  EXPECT_EQ(reason_of(closure, cat(kLibraries, "libnss_systemd.so.2")),
            "nss: /etc/nsswitch.conf: passwd: systemd");
  EXPECT_TRUE(grants(closure, cat(kLibraries, "libcap.so.2")));
  EXPECT_FALSE(grants(closure, cat(kLibraries, "libnss_compat.so.2")));   // libc's, not the image's
  EXPECT_FALSE(grants(closure, cat(kLibraries, "libnss_resolve.so.2")));  // nobody asks for hosts
  EXPECT_EQ(closure.library_path, "/gramine/runtime/glibc:/lib/x86_64-linux-gnu");
}

TEST(SystemFiles, LocalesOfTheEnvironment) {
  const std::string cache = cat(kLibraries, "gconv/gconv-modules.cache");
  expect_granted({"setlocale"}, {"/usr/lib/locale/C.utf8/LC_CTYPE", cache}, {},
                 {{"LANG", "C.UTF-8"}});
  expect_granted({"newlocale"},
                 {"/usr/lib/locale/locale-archive", "/usr/lib/locale/de_DE.utf8/LC_TIME", cache,
                  "/usr/share/locale/locale.alias"},
                 {}, {{"LC_ALL", "de_DE.UTF-8"}});
  const auto root = image({"setlocale"}, {"/usr/lib/locale/locale-archive", cache}).build();
  EXPECT_FALSE(grants(closure_of(root, "/usr/bin/app", {{"LANG", "C"}}), cache));
}

TEST(SystemFiles, TheLocaleThatCodeAsksFor) {
  const std::string path = "/usr/lib/locale/C.utf8/LC_CTYPE";
  const auto grants_it = [&](const Names& imports, const Names& strings) {
    auto app = with_imports(program(), imports);
    app.strings = strings;
    const auto root = debian_tree().elf("/usr/bin/app", app).file(path, "l").build();
    return grants(closure_of(root, "/usr/bin/app"), path);
  };
  EXPECT_TRUE(grants_it({"setlocale"}, {"C.UTF-8"}));
  EXPECT_TRUE(grants_it({"newlocale"}, {"C.UTF-8"}));
  EXPECT_FALSE(grants_it({"setlocale"}, {}));
  EXPECT_FALSE(grants_it({}, {"C.UTF-8"}));
}

TEST(SystemFiles, ConvertersForTheLocaleAndForIconv) {
  Tree tree = image({"setlocale"}, {cat(kLibraries, "gconv/gconv-modules")});
  for (const char* name : {"ISO8859-15.so", "ISO8859-1.so", "UTF-16.so", "KOI8-R.so"})
    tree.elf(cat(kLibraries, "gconv/", name), library());
  tree.elf("/usr/bin/iconv", with_imports(program(), {"iconv_open"}));
  const auto root = tree.build();
  const Closure locale = closure_of(root, "/usr/bin/app", {{"LANG", "de_DE.ISO-8859-15@euro"}});
  EXPECT_TRUE(grants(locale, cat(kLibraries, "gconv/ISO8859-15.so")));
  EXPECT_TRUE(grants(locale, cat(kLibraries, "gconv/gconv-modules")));
  EXPECT_FALSE(grants(locale, cat(kLibraries, "gconv/ISO8859-1.so")));
  const Closure iconv = closure_of(root, "/usr/bin/iconv");
  EXPECT_TRUE(grants(iconv, cat(kLibraries, "gconv/ISO8859-1.so")));
  EXPECT_TRUE(grants(iconv, cat(kLibraries, "gconv/UTF-16.so")));
  EXPECT_FALSE(grants(iconv, cat(kLibraries, "gconv/KOI8-R.so")));
  const Closure none = closure_of(root, "/usr/bin/app", {{"LANG", "C.UTF-8"}});
  EXPECT_FALSE(grants(none, cat(kLibraries, "gconv/gconv-modules")));
}

TEST(SystemFiles, MessagesInTheImagesLanguages) {
  const Names files = {"/usr/share/locale/de/LC_MESSAGES/app.mo",
                       "/usr/share/locale/de_AT/LC_MESSAGES/liba.mo",
                       "/usr/share/locale/fr/LC_MESSAGES/libc.mo"};
  expect_granted({"dcgettext"}, files, {"liba.so.1"},
                 {{"LANG", "de_AT.UTF-8"}, {"LANGUAGE", "fr:en"}});
  const std::string other = "/usr/share/locale/de/LC_MESSAGES/other.mo";
  const auto root = image({"gettext"}, {other}).build();
  EXPECT_FALSE(grants(closure_of(root, "/usr/bin/app", {{"LANG", "de_AT.UTF-8"}}), other));
}

TEST(SystemFiles, OpensslConfigurationUnderBothItsNames) {
  const auto root = image({}, {"/etc/ssl/openssl.cnf"}, {"libcrypto.so.3"})
                        .link("/usr/lib/ssl/openssl.cnf", "/etc/ssl/openssl.cnf")
                        .build();
  const Closure closure = closure_of(root, "/usr/bin/app");
  EXPECT_TRUE(grants(closure, "/etc/ssl/openssl.cnf"));
  EXPECT_TRUE(grants(closure, "/usr/lib/ssl/openssl.cnf"));
}

TEST(SystemFiles, OpensslModulesThatTheConfigurationActivates) {
  const std::string text =
      "openssl_conf = i\n[i]\nproviders = p\nengines = e\n[p]\nlegacy = l\n[l]\nactivate = 1\n"
      "[e]\ngost = g\n[g]\nengine_id = gost\n";
  Tree tree = image({}, {}, {"libcrypto.so.3"});
  for (const char* name : {"ossl-modules/legacy.so", "ossl-modules/other.so", "engines-3/gost.so"})
    tree.elf(cat(kLibraries, name), library({"libcrypto.so.3"}));
  const auto root = tree.file("/etc/ssl/openssl.cnf", text).build();
  const Closure closure = closure_of(root, "/usr/bin/app");
  EXPECT_TRUE(grants(closure, cat(kLibraries, "ossl-modules/legacy.so")));
  EXPECT_TRUE(grants(closure, cat(kLibraries, "engines-3/gost.so")));
  EXPECT_FALSE(grants(closure, cat(kLibraries, "ossl-modules/other.so")));
}

TEST(SystemFiles, LegacyProviderForWhoLoadsProviders) {
  Tree tree = image({"OSSL_PROVIDER_load"}, {}, {"libcrypto.so.3"});
  const auto root =
      tree.elf(cat(kLibraries, "ossl-modules/legacy.so"), library({"libc.so.6"})).build();
  EXPECT_TRUE(grants(closure_of(root, "/usr/bin/app"), cat(kLibraries, "ossl-modules/legacy.so")));
}

TEST(SystemFiles, DriversOfAprUtilForTheModulesThatUseThem) {
  const std::string sql = cat(kLibraries, "apr-util-1/apr_dbd_sqlite3-1.so"),
                    ldap = cat(kLibraries, "apr-util-1/apr_ldap-1.so");
  Tree tree = image({}, {}, {"libaprutil-1.so.0", "mod_dbd.so"});
  tree.elf(cat(kLibraries, "libaprutil-1.so.0"),
           test::with_strings(with_imports(library(), {"apr_dso_load"}),
                              {cat(kLibraries, "apr-util-1")}))
      .elf(sql, library())
      .elf(ldap, library());
  const auto root = tree.build();
  const Closure closure = closure_of(root, "/usr/bin/app");
  EXPECT_TRUE(grants(closure, sql));
  EXPECT_FALSE(grants(closure, ldap));
}

TEST(SystemFiles, FontconfigReadsItsTemplates) {
  expect_granted({"FcInit"},
                 {"/etc/fonts/fonts.conf", "/usr/share/fontconfig/conf.avail/10-a.conf"});
}

TEST(SystemFiles, AuthoritiesForWhoTrustsTheDefault) {
  const std::string bundle = "/etc/ssl/certs/ca-certificates.crt";
  expect_granted({"SSL_CTX_set_default_verify_paths"}, {bundle});
  expect_granted({}, {bundle}, {"libgnutls.so.30"});
  const auto root = image({}, {bundle}, {"libssl.so.3"}).build();
  EXPECT_FALSE(grants(closure_of(root, "/usr/bin/app"), bundle));  // a server, say
}

TEST(SystemFiles, OneBundleInsteadOfADirectoryOfLinks) {
  const Names imports = {"SSL_CTX_set_default_verify_paths"};
  const std::string bundle = "/etc/ssl/certs/ca-certificates.crt";
  const auto root = image(imports, {bundle, "/opt/certs/a.pem"}).build();
  const Closure closure = closure_of(root, "/usr/bin/app");
  ASSERT_EQ(closure.suggestions.size(), 1U);
  EXPECT_EQ(closure.suggestions.front().key, "loader.env.SSL_CERT_FILE");
  EXPECT_EQ(*closure.suggestions.front().value.string(), bundle);

  EXPECT_TRUE(closure_of(root, "/usr/bin/app", {{"SSL_CERT_FILE", bundle}}).suggestions.empty());
  const Closure directory = closure_of(root, "/usr/bin/app", {{"SSL_CERT_DIR", "/opt/certs"}});
  EXPECT_TRUE(directory.suggestions.empty());
  EXPECT_TRUE(grants(directory, "/opt/certs/a.pem"));
  const auto alpine = image(imports, {bundle, "/etc/ssl/cert.pem"}).build();
  EXPECT_TRUE(closure_of(alpine, "/usr/bin/app").suggestions.empty());
}

TEST(SystemFiles, PamServiceOfTheProgramWithItsModules) {
  Tree tree = image({"pam_start"}, {"/etc/security/limits.conf"}, {"libpam.so.0"});
  tree.file("/etc/pam.d/app", "@include common-auth\naccount required pam_unix.so\n")
      .file("/etc/pam.d/common-auth", "auth required pam_deep.so\n")
      .file("/etc/pam.d/other", "auth required pam_deny.so\n")
      .file("/etc/pam.d/login", "auth required pam_login.so\n");
  for (const char* name : {"pam_unix.so", "pam_deep.so", "pam_deny.so", "pam_login.so"})
    tree.elf(cat(kLibraries, "security/", name), library({"libc.so.6"}));
  const auto root = tree.build();
  const Closure closure = closure_of(root, "/usr/bin/app");
  for (const char* name : {"pam_unix.so", "pam_deep.so", "pam_deny.so"})
    EXPECT_TRUE(grants(closure, cat(kLibraries, "security/", name))) << name;
  EXPECT_TRUE(grants(closure, "/etc/pam.d/common-auth"));
  EXPECT_TRUE(grants(closure, "/etc/security/limits.conf"));
  EXPECT_FALSE(grants(closure, "/etc/pam.d/login"));
  EXPECT_FALSE(grants(closure, cat(kLibraries, "security/pam_login.so")));
}

TEST(SystemFiles, KerberosSaslAndLdapForProgramsNotForWhatLibrariesLink) {
  const Names files = {"/etc/krb5.conf", "/etc/krb5.conf.d/a", "/etc/sasl2/app.conf",
                       "/etc/ldap/ldap.conf"};
  expect_granted({"gss_accept_sec_context", "sasl_server_init", "ldap_initialize"}, files);
  Tree tree = debian_tree();
  tree.elf("/usr/bin/app", program({"liba.so.1"}))
      .elf(cat(kLibraries, "liba.so.1"), with_imports(library(), {"sasl_client_init"}))
      .elf(cat(kLibraries, "sasl2/libplain.so"), library({"libc.so.6"}))
      .elf("/usr/bin/server", with_imports(program(), {"sasl_server_init"}));
  const auto root = tree.build();
  EXPECT_FALSE(grants(closure_of(root, "/usr/bin/app"), cat(kLibraries, "sasl2/libplain.so")));
  EXPECT_TRUE(grants(closure_of(root, "/usr/bin/server"), cat(kLibraries, "sasl2/libplain.so")));
}

TEST(SystemFiles, DataOfLibraries) {
  expect_granted({}, {"/usr/share/misc/magic.mgc", "/etc/magic"}, {"libmagic.so.1"});
  expect_granted({}, {"/usr/share/icu/72.1/icudt72l.dat"}, {"libicuuc.so.72"});
  expect_granted({}, {"/etc/pkcs11/pkcs11.conf", "/usr/share/p11-kit/modules/a.module"},
                 {"libp11-kit.so.0"});
  expect_granted({"FcInit"}, {"/etc/fonts/fonts.conf", "/etc/fonts/conf.d/10.conf",
                              "/usr/share/fonts/truetype/x.ttf"});
  expect_granted({"NSS_Init"}, {cat(kLibraries, "nss/libsoftokn3.chk"), "/etc/pki/nssdb/cert9.db"});
}

TEST(SystemFiles, TerminalOfTheEnvironment) {
  expect_granted({"setupterm"}, {"/lib/terminfo/x/xterm-256color"}, {},
                 {{"TERM", "xterm-256color"}});
  expect_granted({"tgetent"}, {"/usr/share/terminfo/x/xterm"});
}

TEST(SystemFiles, ShellForProgramsThatRunCommands) {
  Tree tree = image({"popen"}, {});
  tree.elf("/usr/bin/dash", with_imports(program(), {"getpwnam"}))
      .link("/usr/bin/sh", "dash")
      .elf("/usr/bin/python3", with_imports(program(), {"system"}))
      .file("/etc/passwd", "p");
  const auto root = tree.build();
  const Closure closure = closure_of(root, "/usr/bin/app");
  EXPECT_TRUE(grants(closure, "/bin/sh"));
  EXPECT_TRUE(grants(closure, "/etc/passwd"));  // what the shell calls counts as well
  EXPECT_FALSE(grants(closure_of(root, "/usr/bin/python3"), "/bin/sh"));
}

TEST(SystemFiles, MuslReadsTheFilesWithoutNsswitch) {
  auto app = with_imports(library(), {"getpwnam", "setlocale"});
  app.interpreter = "/lib/ld-musl-x86_64.so.1";
  const auto root = Tree()
                        .directory("/lib/apk/db")
                        .elf("/lib/ld-musl-x86_64.so.1", library())
                        .elf("/app", app)
                        .file("/etc/passwd", "p")
                        .file("/etc/nsswitch.conf", "n")
                        .file("/etc/ld-musl-x86_64.path", "/lib\n")
                        .build();
  const Closure closure = closure_of(root, "/app", {{"LANG", "C.UTF-8"}});
  EXPECT_TRUE(grants(closure, "/etc/passwd"));
  EXPECT_TRUE(grants(closure, "/etc/ld-musl-x86_64.path"));
  EXPECT_FALSE(grants(closure, "/etc/nsswitch.conf"));
}

}  // namespace
}  // namespace cloister::manifest
