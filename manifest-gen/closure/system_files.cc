// Rows name what is opened when a library is used in the ordinary way and whose absence changes
// what the program does. Files that container runtimes mount (/etc/hosts, /etc/resolv.conf) are
// never here: their bytes are the host's.
#include "manifest-gen/closure/system_files.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::manifest {
namespace {

struct Row {
  std::string_view when;  // "libc", "glibc", "musl", or the beginning of a library's name
  std::string_view path;
  std::string_view reason;
};

constexpr Row kRows[] = {
    {"libc", "/etc/localtime", "the time zone, for localtime()"},
    {"libc", "/etc/passwd", "user names, for getpwnam() and getpwuid()"},
    {"libc", "/etc/group", "group names, for getgrnam() and getgrgid()"},
    {"glibc", "/etc/nsswitch.conf", "where libc looks names up"},
    {"musl", "/etc/ld-musl-x86_64.path", "the directories that musl's loader searches"},
    {"libcrypto.so", "/usr/lib/ssl/openssl.cnf", "OpenSSL's configuration"},
    {"libcrypto.so", "/etc/ssl/openssl.cnf", "OpenSSL's configuration"},
    {"libcrypto.so", "/etc/pki/tls/openssl.cnf", "OpenSSL's configuration"},
    {"libssl.so", "/etc/ssl/certs/ca-certificates.crt", "certificate authorities"},
    {"libssl.so", "/etc/ssl/cert.pem", "certificate authorities"},
    {"libssl.so", "/etc/pki/tls/certs/ca-bundle.crt", "certificate authorities"},
    {"libgnutls.so", "/etc/ssl/certs/ca-certificates.crt", "certificate authorities"},
};

constexpr std::string_view kPackageDatabases[] = {"/var/lib/dpkg",         "/lib/apk/db",
                                                  "/usr/lib/apk/db",       "/var/lib/rpm",
                                                  "/usr/lib/sysimage/rpm", "/var/lib/pacman/local"};

bool applies(const Row& row, const SystemFilesInput& input) {
  if (row.when == "libc") return input.glibc || input.musl;
  if (row.when == "glibc") return input.glibc;
  if (row.when == "musl") return input.musl;
  return std::any_of(input.sonames->begin(), input.sonames->end(),
                     [&](const std::string& soname) { return soname.starts_with(row.when); });
}

// LC_ALL, LC_*, LANG as glibc's setlocale(LC_ALL, "") reads them; "C" and "POSIX" need no file.
std::set<std::string> locales(const Launch& launch) {
  std::set<std::string> out;
  for (const auto& [name, value] : launch.env)
    if ((name == "LANG" || name.starts_with("LC_")) && !value.empty() && value != "C" &&
        value != "POSIX" && value.find('/') == std::string::npos)
      out.insert(value);
  return out;
}

// The directory's name: the codeset in lower case without punctuation ("C.UTF-8" → "C.utf8").
std::string locale_directory(std::string_view locale) {
  const std::size_t dot = locale.find('.');
  if (dot == std::string_view::npos) return std::string(locale);
  const std::size_t at = locale.find('@', dot);
  std::string out(locale.substr(0, dot + 1));
  for (const char c : lower_ascii(locale.substr(dot + 1, at - dot - 1)))
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
  if (at != std::string_view::npos) out += locale.substr(at);
  return out;
}

ClosureRoot root(std::string path, std::string_view reason) {
  return {std::move(path), Why::config, std::string(reason), /*optional=*/true};
}

void add_locales(const Launch& launch, const SystemFilesInput& input,
                 std::vector<ClosureRoot>& out) {
  const std::set<std::string> names = locales(launch);
  for (const std::string& name : names) {
    const std::string reason = cat("the locale ", name);
    out.push_back(root(cat("/usr/lib/locale/", locale_directory(name)), reason));
    if (name.starts_with("C.")) continue;
    out.push_back(root(cat("/usr/lib/locale/", name), reason));
    out.push_back(root("/usr/lib/locale/locale-archive", reason));
  }
  if (names.empty()) return;
  for (const std::string& directory : *input.library_directories)
    out.push_back(root(cat(directory, "/gconv/gconv-modules.cache"), "character set conversions"));
}

bool has_packages(const measure::Rootfs& rootfs) {
  return std::any_of(std::begin(kPackageDatabases), std::end(kPackageDatabases),
                     [&](std::string_view path) { return rootfs.find(path) != nullptr; });
}

}  // namespace

std::vector<ClosureRoot> system_files(const Launch& launch, const measure::Rootfs& rootfs,
                                      const SystemFilesInput& input) {
  std::vector<ClosureRoot> out;
  for (const Row& row : kRows)
    if (applies(row, input)) out.push_back(root(std::string(row.path), row.reason));
  if (input.glibc) add_locales(launch, input, out);
  // Without a package database nobody but the image's author put anything there.
  if (!has_packages(rootfs))
    out.push_back(root("/etc/**", "configuration: the image has no packages, so this is its own"));
  return out;
}

}  // namespace cloister::manifest
