// One row per server: which configuration it reads, which directives include further files, load
// modules or name directories of files that it serves. configuration.cc follows them.
#include "manifest-gen/runtimes/servers.h"

#include <algorithm>
#include <array>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/runtimes/configuration.h"

namespace cloister::manifest {
namespace {

constexpr std::array kServers = {
    Server{.name = "nginx",
           .programs = "nginx nginx-debug openresty",
           .files = "/etc/nginx/nginx.conf /usr/local/nginx/conf/nginx.conf "
                    "/usr/local/openresty/nginx/conf/nginx.conf /etc/nginx/templates/**",
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
           .modules = "LoadModule LoadFile PerlRequire PerlPostConfigRequire TypesConfig "
                      "MIMEMagicFile SSLCertificateFile "
                      "SSLCertificateKeyFile SSLCertificateChainFile SSLCACertificateFile "
                      "AuthUserFile AuthGroupFile",
           .trees = "DocumentRoot Alias ScriptAlias AliasMatch SSLCACertificatePath "
                    "WSGIDaemonProcess WSGIPythonPath",
           .bases = "/etc/apache2 /etc/httpd /usr/local/apache2 /usr/lib/apache2",
           .scripts = "WSGIScriptAlias WSGIScriptAliasMatch WSGIImportScript WSGIAuthUserScript "
                      "WSGIDispatchScript",
           .interpreter = "/usr/bin/python3 /usr/local/bin/python3"},
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
    Server{.name = "dovecot",
           .programs = "dovecot",
           .files = "/etc/dovecot/dovecot.conf",
           .option = "-c",
           .includes = "!include !include_try",
           .modules = "ssl_cert ssl_key ssl_ca ssl_dh",
           .bases = "/etc/dovecot",
           .plugins = "mail_plugins",
           .plugin_files = "/usr/lib/dovecot/modules/lib??_{}_plugin.so",
           .extra = "/usr/share/dovecot/* /usr/share/dovecot/protocols.d/* "
                    "/usr/lib/dovecot/modules/libssl_iostream_openssl.so "
                    "/usr/lib/dovecot/modules/libdriver_*.so "
                    "/usr/lib/dovecot/modules/libmech_*.so /usr/lib/dovecot/modules/auth/*.so "
                    "/usr/lib/dovecot/modules/dict/*.so /usr/lib/dovecot/modules/settings/*.so "
                    "/usr/lib/dovecot/modules/old-stats/*.so /usr/lib/dovecot/libdcrypt_openssl.so",
           .programs_run = "/usr/bin/doveconf /usr/lib/dovecot/anvil /usr/lib/dovecot/auth "
                           "/usr/lib/dovecot/config /usr/lib/dovecot/dict "
                           "/usr/lib/dovecot/dns-client /usr/lib/dovecot/imap* "
                           "/usr/lib/dovecot/lmtp /usr/lib/dovecot/log /usr/lib/dovecot/pop3* "
                           "/usr/lib/dovecot/managesieve* /usr/lib/dovecot/master "
                           "/usr/lib/dovecot/stats /usr/lib/dovecot/submission*"},
    Server{.name = "squid",
           .programs = "squid squid3",
           .files = "/etc/squid/squid.conf",
           .option = "-f",
           .includes = "include",
           .bases = "/etc/squid",
           .extra = "/usr/share/squid/* /usr/share/squid/icons/** "
                    "/usr/share/squid/errors/templates/* /usr/share/squid/errors/en/* "
                    "/etc/squid/errorpage.css /etc/squid/mime.conf",
           .programs_run = "/usr/lib/squid/log_file_daemon /usr/lib/squid/diskd "
                           "/usr/lib/squid/unlinkd /usr/lib/squid/pinger"},
    // It compiles its configuration and loads what that became.
    Server{.name = "varnish",
           .programs = "varnishd",
           .files = "/etc/varnish/default.vcl",
           .option = "-f",
           .includes = "include",
           .bases = "/etc/varnish /usr/share/varnish/vcl",
           .plugins = "import",
           .plugin_files = "/usr/lib/x86_64-linux-gnu/varnish/vmods/libvmod_{}.so "
                           "/usr/lib/varnish/vmods/libvmod_{}.so",
           .extra = "/usr/share/varnish/**",
           .programs_run = "/bin/sh /usr/bin/gcc /usr/bin/x86_64-linux-gnu-gcc "
                           "/usr/bin/rm"},
    Server{.name = "gcc",
           .programs = "gcc gcc-? gcc-?? *-linux-gnu-gcc *-linux-gnu-gcc-?? cc",
           .extra = "/usr/lib/gcc/x86_64-linux-gnu/*/* /usr/lib/gcc/x86_64-linux-gnu/*/include/** "
                    "/usr/include/*.h /usr/include/x86_64-linux-gnu/** /usr/include/linux/** "
                    "/usr/include/asm-generic/** /usr/lib/x86_64-linux-gnu/*.o "
                    "/usr/lib/x86_64-linux-gnu/libc.so /usr/lib/x86_64-linux-gnu/libm.so "
                    "/usr/lib/x86_64-linux-gnu/*_nonshared.a "
                    "/usr/lib/x86_64-linux-gnu/libpthread.a /usr/lib/x86_64-linux-gnu/libdl.a "
                    "/usr/lib/x86_64-linux-gnu/librt.a",
           .left_out = "lto1 lto-wrapper cc1plus f951 g++-mapper-server",
           .programs_run = "/usr/lib/gcc/x86_64-linux-gnu/*/cc1 "
                           "/usr/lib/gcc/x86_64-linux-gnu/*/collect2 /usr/bin/as /usr/bin/ld"},
    Server{.name = "gnupg",
           .programs = "gpg gpg2 gpgsm",
           .files = "/etc/gnupg/gpg.conf /etc/gnupg/gpgsm.conf",
           .extra = "/usr/share/gnupg/*",
           .left_out = "dirmngr",
           .programs_run = "/usr/bin/gpg-agent /usr/bin/gpg-connect-agent /usr/bin/gpgconf "
                           "/usr/lib/gnupg/keyboxd /usr/bin/dirmngr"},
    Server{.name = "erlang",
           .programs = "erlexec beam.smp",
           .extra = "/usr/lib/erlang/bin/*.boot /usr/lib/erlang/releases/** "
                    "/usr/lib/erlang/lib/*/ebin/* /usr/lib/erlang/lib/*/priv/**",
           .programs_run = "/bin/sh /usr/lib/erlang/erts-*/bin/beam.smp "
                           "/usr/lib/erlang/erts-*/bin/dyn_erl "
                           "/usr/lib/erlang/erts-*/bin/epmd "
                           "/usr/lib/erlang/erts-*/bin/erl_child_setup "
                           "/usr/lib/erlang/erts-*/bin/inet_gethost "
                           "/usr/lib/erlang/erts-*/bin/erl /usr/bin/df /usr/bin/getconf"},
    Server{.name = "gpgconf",
           .programs = "gpgconf gpg-connect-agent",
           .files = "/etc/gnupg/gpgconf.conf",
           .programs_run = "/usr/bin/gpg-agent /usr/bin/gpg-connect-agent /usr/bin/gpgconf"},
    Server{.name = "gpg-agent",
           .programs = "gpg-agent",
           .files = "/etc/gnupg/gpg-agent.conf",
           .programs_run = "/usr/bin/pinentry /usr/lib/gnupg/scdaemon"},
    Server{.name = "postgres",
           .programs = "postgres initdb pg_ctl",
           .option = "config_file",
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

bool matches_one(std::string_view list, std::string_view name) {
  for (const std::string_view item : split(list, ' '))
    if (!item.empty() && match_component(item, name)) return true;
  return false;
}

}  // namespace

const Server* server_of(const ProgramStart& start, const measure::Rootfs& rootfs) {
  const std::string_view name = base_name(start.path);
  const std::string real = rootfs.real_path(start.path).value_or(start.path);
  for (const Server& server : kServers)
    if (matches_one(server.programs, name) || matches_one(server.programs, base_name(real)))
      return &server;
  return nullptr;
}

bool detect_server(const ProgramStart& start, const AnalyzerScene& scene) {
  return server_of(start, scene.rootfs) != nullptr || names_configuration(start, scene);
}

Result<Analysis> analyze_server(const ProgramStart& start, const AnalyzerScene& scene) {
  return read_configuration(start, scene, server_of(start, scene.rootfs), {});
}

}  // namespace cloister::manifest
