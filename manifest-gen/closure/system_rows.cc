// Rows name what is opened when a function or a library is used in the ordinary way and whose
// absence changes what the program does. Names that stand in a library's own data
// (/etc/gnutls/config, /etc/ldap/ldap.conf) need no row: dlopen_evidence.cc finds them.
//
// Container runtimes mount their own /etc/hosts and /etc/resolv.conf. Those then have other bytes
// than the image's and stay closed, granted or not; where nothing is mounted the grant counts.
#include "manifest-gen/closure/system_rows.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kTrust =
    "SSL_CTX_set_default_verify_* X509_STORE_set_default_paths* curl_easy_init curl_global_init "
    "gnutls_*_system_trust";
constexpr std::string_view kKerberos = "gss_* krb5_init_context";
constexpr std::string_view kLua = "liblua*.so*";

constexpr SystemRow kSystemRows[] = {
    // Names and numbers.
    {When::imports, kUsers, "/etc/passwd", "user names, for getpwnam() and getpwuid()"},
    {When::imports, kGroups, "/etc/group", "group names, for getgrnam() and getgrgid()"},
    {When::glibc_imports, kUsers, "/etc/nsswitch.conf", "where libc looks names up"},
    {When::glibc_imports, kGroups, "/etc/nsswitch.conf", "where libc looks names up"},
    {When::glibc_imports, kHosts, "/etc/nsswitch.conf", "where libc looks names up"},
    {When::glibc_imports, "getsp* getserv* setservent getproto* getnet* getrpc* ether_* innetgr",
     "/etc/nsswitch.conf", "where libc looks names up"},
    {When::glibc_imports, kHosts, "/etc/host.conf", "how host names are looked up"},
    {When::glibc_imports, "getaddrinfo", "/etc/gai.conf", "the order of addresses"},
    {When::imports, kHosts, "/etc/hosts", "host names, where no container runtime mounts its own"},
    {When::imports, kHosts, "/etc/resolv.conf",
     "name servers, where no container runtime mounts its own"},
    {When::imports, "getserv* setservent getaddrinfo getnameinfo", "/etc/services",
     "names of ports"},
    {When::imports, "getproto*", "/etc/protocols", "names of protocols"},
    {When::imports, "getnet*", "/etc/networks", "names of networks"},
    {When::imports, "getrpc*", "/etc/rpc", "names of RPC programs"},
    {When::imports, "ether_*", "/etc/ethers", "names of Ethernet addresses"},
    {When::imports, "getusershell setusershell", "/etc/shells", "the shells of users"},
    {When::imports, "getsubuid", "/etc/subuid", "the subordinate ids of users"},
    // Time.
    {When::imports, kClock, "/etc/localtime", "the time zone, for localtime()"},
    // Programs.
    {When::program_imports, "system popen wordexp", "/bin/sh",
     "system() and popen() give their command to it"},
    // Loaders.
    {When::musl, "", "/etc/ld-musl-x86_64.path", "the directories that musl's loader searches"},
    // TLS.
    {When::library, "libcrypto.so*", "/usr/lib/ssl/openssl.cnf", "OpenSSL's configuration"},
    {When::library, "libcrypto.so*", "/etc/ssl/openssl.cnf", "OpenSSL's configuration"},
    {When::library, "libcrypto.so*", "/etc/pki/tls/openssl.cnf", "OpenSSL's configuration"},
    {When::library, "libcrypto.so*", "/usr/local/ssl/openssl.cnf", "OpenSSL's configuration"},
    {When::imports, "OSSL_PROVIDER_load OSSL_PROVIDER_try_load", "$LIB/ossl-modules/legacy.so",
     "OpenSSL's provider of old algorithms"},
    {When::imports, kTrust, "/etc/ssl/certs/ca-certificates.crt", "certificate authorities"},
    {When::imports, kTrust, "/etc/pki/tls/certs/ca-bundle.crt", "certificate authorities"},
    {When::imports, kTrust, "/etc/ssl/cert.pem", "certificate authorities"},
    {When::imports, kTrust, "/usr/lib/ssl/cert.pem", "certificate authorities"},
    {When::imports, kTrust, "/etc/pki/tls/cert.pem", "certificate authorities"},
    {When::imports, kTrust, "/etc/ssl/ca-bundle.pem", "certificate authorities"},
    {When::library, "libcurl.so* libcurl-gnutls.so* libgnutls.so*",
     "/etc/ssl/certs/ca-certificates.crt", "certificate authorities"},
    {When::library, "libcurl-gnutls.so*", "/etc/ssl/certs/*",
     "certificate authorities: with GnuTLS, libcurl reads every file of the directory"},
    {When::library, "libcurl.so*", "/etc/pki/tls/certs/ca-bundle.crt", "certificate authorities"},
    {When::library, "libp11-kit.so*", "/etc/pkcs11/pkcs11.conf", "PKCS #11 configuration"},
    {When::library, "libp11-kit.so*", "/etc/pkcs11/modules/*", "PKCS #11 modules"},
    {When::library, "libp11-kit.so*", "/usr/share/p11-kit/modules/*", "PKCS #11 modules"},
    {When::library, "libp11-kit.so*", "$LIB/pkcs11/p11-kit-trust.so", "the system's trust store"},
    {When::imports, "NSS_*", "$LIB/libsoftokn3.*", "NSS: its cryptography"},
    {When::imports, "NSS_*", "$LIB/libfreebl*3.*", "NSS: its cryptography"},
    {When::imports, "NSS_*", "$LIB/libnssckbi.so", "NSS: certificate authorities"},
    {When::imports, "NSS_*", "$LIB/nss/*", "NSS: its cryptography"},
    {When::imports, "NSS_*", "/etc/pki/nssdb/*", "NSS: the system's database"},
    // Who one is.
    {When::program_imports, kKerberos, "/etc/krb5.conf", "Kerberos configuration"},
    {When::program_imports, kKerberos, "/etc/krb5.conf.d/*", "Kerberos configuration"},
    {When::program_imports, kKerberos, "/etc/gss/mech.d/*", "GSSAPI mechanisms"},
    {When::program_imports, kKerberos, "$LIB/krb5/plugins/*/*.so", "Kerberos plug-ins"},
    {When::program_imports, "sasl_server_* sasl_client_*", "$LIB/sasl2/*", "SASL mechanisms"},
    {When::program_imports, "sasl_server_* sasl_client_*", "/etc/sasl2/*", "SASL configuration"},
    {When::program_imports, "sasl_server_* sasl_client_*", "/usr/lib/sasl2/*",
     "SASL configuration"},
    {When::program_imports, "ldap_*", "/etc/ldap/ldap.conf", "LDAP client configuration"},
    {When::program_imports, "ldap_*", "/etc/openldap/ldap.conf", "LDAP client configuration"},
    // Drivers of APR-util: Apache itself names all of its functions, so that modules decide.
    {When::library, "mod_dbd.so mod_lua.so", "$LIB/apr-util-1/apr_dbd_*.so",
     "drivers of SQL databases"},
    {When::library, "mod_session_crypto.so libsvn_subr-1.so*", "$LIB/apr-util-1/apr_crypto_*.so",
     "drivers of cryptography"},
    {When::library,
     "mod_rewrite.so mod_authn_dbm.so mod_authz_dbm.so mod_dav_fs.so mod_dav_lock.so "
     "mod_proxy_express.so mod_socache_dbm.so libsvn_subr-1.so*",
     "$LIB/apr-util-1/apr_dbm_*.so", "drivers of DBM files"},
    {When::library, "mod_ldap.so", "$LIB/apr-util-1/apr_ldap*.so", "the LDAP client"},
    // Data of libraries.
    {When::library, "libicuuc.so*", "/usr/share/icu/*/icudt*.dat", "Unicode data"},
    {When::library, kLua, "/usr/share/lua/**", "Lua modules"},
    {When::library, kLua, "/usr/local/share/lua/**", "Lua modules"},
    {When::library, kLua, "/usr/lib/lua/**", "compiled Lua modules"},
    {When::library, kLua, "/usr/local/lib/lua/**", "compiled Lua modules"},
    {When::library, kLua, "$LIB/lua/**", "compiled Lua modules"},
    {When::library, "libmagic.so*", "/etc/magic", "how files are told apart"},
    {When::library, "libmagic.so*", "/usr/share/misc/magic.mgc", "how files are told apart"},
    {When::imports, kFonts, "/etc/fonts/**", "fontconfig's configuration"},
    {When::imports, kFonts, "/usr/share/fontconfig/conf.avail/*",
     "fontconfig reads what configuration there might be"},
    {When::imports, kFonts, "/usr/share/fonts/**", "fonts"},
    {When::imports, kFonts, "/var/cache/fontconfig/*", "fontconfig's list of fonts"},
    // The JVM asks fontconfig, which it opens by name.
    {When::library, "libfontmanager.so", "/etc/fonts/**", "fontconfig's configuration"},
    {When::library, "libfontmanager.so", "/usr/share/fontconfig/conf.avail/*",
     "fontconfig reads what configuration there might be"},
    {When::library, "libfontmanager.so", "/usr/share/fonts/**", "fonts"},
    {When::library, "libfontmanager.so", "/var/cache/fontconfig/*", "fontconfig's list of fonts"},
    {When::library, "libgs.so*", "/var/lib/ghostscript/fonts/*", "Ghostscript's list of fonts"},
    {When::library, "libpaper.so*", "/etc/papersize", "the size of paper"},
    {When::library, "libgio-2.0.so*", "/usr/share/glib-2.0/schemas/gschemas.compiled",
     "the settings that GLib programs know"},
    {When::library, "libgdk_pixbuf-2.0.so*", "$LIB/gdk-pixbuf-2.0/*/loaders.cache",
     "loaders of image formats"},
    {When::library, "libgdk_pixbuf-2.0.so*", "$LIB/gdk-pixbuf-2.0/*/loaders/*.so",
     "loaders of image formats"},
};

}  // namespace

std::span<const SystemRow> system_rows() {
  return kSystemRows;
}

}  // namespace cloister::manifest
