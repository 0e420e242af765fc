// Which small files travel in the index. A row costs every image that has such a file a few bytes
// and spares a later step inflating the layer again; a new analyser adds its rows here.
//
// Patterns are matched against the whole path: '*' stands for any bytes but '/', "**/" in front for
// any directory or none.
#include <algorithm>
#include <string_view>

#include "measure/index/layer_index.h"

namespace cloister::measure {
namespace {

enum class Kind { any, elf };

struct Rule {
  std::string_view pattern;
  Kind kind;
  std::uint64_t max_bytes;  // 0: limits.packed_file_bytes
};

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kConfigBytes = 64ULL << 10, kPythonText = 64ULL << 10;

constexpr Rule kRules[] = {
    // Who a program runs as, and how libc looks names up.
    {"etc/passwd", Kind::any, kMiB},
    {"etc/group", Kind::any, kMiB},
    {"etc/nsswitch.conf", Kind::any, 0},
    // Where dynamic loaders search.
    {"etc/ld.so.conf", Kind::any, 0},
    {"etc/ld.so.conf.d/*", Kind::any, 0},
    {"etc/ld.so.preload", Kind::any, 0},
    {"etc/ld.so.cache", Kind::any, kMiB},
    {"etc/ld-musl-*.path", Kind::any, 0},
    // What makes libraries load further ones.
    {"etc/pki/tls/openssl.cnf", Kind::any, 0},
    {"**/ssl/openssl.cnf", Kind::any, 0},
    {"etc/pam.d/*", Kind::any, 0},
    // What distribution and packages these are.
    {"etc/os-release", Kind::any, 0},
    {"usr/lib/os-release", Kind::any, 0},
    {"var/lib/dpkg/status", Kind::any, 16 * kMiB},
    {"var/lib/dpkg/status.d/*", Kind::any, kMiB},
    // Who owns a file. All lists of a Debian base are 0.4 MB; 1 ms of a warm run.
    {"var/lib/dpkg/info/*.list", Kind::any, 4 * kMiB},
    {"lib/apk/db/installed", Kind::any, 16 * kMiB},
    {"usr/lib/apk/db/installed", Kind::any, 16 * kMiB},
    {"var/lib/rpm/rpmdb.sqlite", Kind::any, 32 * kMiB},
    {"usr/lib/sysimage/rpm/rpmdb.sqlite", Kind::any, 32 * kMiB},
    // Configuration that names what servers open. Larger files are data.
    {"**/*.conf", Kind::any, kConfigBytes},
    {"**/*.cfg", Kind::any, kConfigBytes},
    {"**/*.cnf", Kind::any, kConfigBytes},
    {"**/*.load", Kind::any, kConfigBytes},
    {"**/sites-available/*", Kind::any, kConfigBytes},
    {"etc/nginx/*", Kind::any, kConfigBytes},
    {"etc/apache2/*", Kind::any, kConfigBytes},
    // Python: where it finds modules, and which packages belong together.
    {"**/pyvenv.cfg", Kind::any, kPythonText},
    {"**/*-packages/*.pth", Kind::any, kPythonText},
    {"**/__editable__*_finder.py", Kind::any, kPythonText},
    {"**/*.dist-info/RECORD", Kind::any, 0},
    {"**/*.dist-info/top_level.txt", Kind::any, kPythonText},
    {"**/*.dist-info/entry_points.txt", Kind::any, kPythonText},
    {"**/*.egg-info/top_level.txt", Kind::any, kPythonText},
    {"**/*.egg-info/entry_points.txt", Kind::any, kPythonText},
    // Where packages of Node.js begin, and what names in them stand for.
    {"**/package.json", Kind::any, 0},
    // Which extensions PHP loads.
    {"**/php*.ini", Kind::any, 4 * kConfigBytes},
    {"**/conf.d/*.ini", Kind::any, kConfigBytes},
    {"**/php.d/*.ini", Kind::any, kConfigBytes},
    {"**/mods-available/*.ini", Kind::any, kConfigBytes},
    // Where R looks for packages.
    {"**/Renviron", Kind::any, kConfigBytes},
    {"**/Renviron.site", Kind::any, kConfigBytes},
    {"**/.Renviron", Kind::any, kConfigBytes},
    // Options of the java launcher.
    {"**/*.args", Kind::any, 0},
    {"**/*.argfile", Kind::any, 0},
    {"**/jvm.options", Kind::any, 0},
    // The enclave runtime: what it is, and the files that are measured and go into the built image.
    {"**/_graminelibos_offsets.py", Kind::any, 0},
    {"**/graminelibos*.dist-info/METADATA", Kind::any, 0},
    {"usr/share/doc/gramine*/copyright", Kind::any, 0},
    {"usr/share/doc/libprotobuf-c1/copyright", Kind::any, 0},
    {"usr/share/doc/libc6/copyright", Kind::any, 0},
    {"**/libpal.so", Kind::elf, 16 * kMiB},
    {"**/libsysdb.so", Kind::elf, 16 * kMiB},
    {"**/gramine/sgx/*", Kind::elf, 16 * kMiB},
    {"**/gramine/direct/*", Kind::elf, 16 * kMiB},
    {"**/gramine/runtime/glibc/*", Kind::elf, 16 * kMiB},
    {"**/gramine/runtime/musl/*", Kind::elf, 16 * kMiB},
    // The libraries of its untrusted loader.
    {"**/libprotobuf-c.so*", Kind::elf, 4 * kMiB},
    {"**/libc.so.6", Kind::elf, 4 * kMiB},
    {"**/ld-linux-x86-64.so.2", Kind::elf, 4 * kMiB},
};

// '*' matches any run of bytes without '/'. Linear: a later '*' never needs an earlier one again
// within one component, and components are matched one to one.
bool match_component(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string_view pop_back_component(std::string_view& path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? path : path.substr(slash + 1);
  path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  return last;
}

bool match_path(std::string_view pattern, std::string_view path) {
  const bool anywhere = pattern.starts_with("**/");
  if (anywhere) pattern.remove_prefix(3);
  // From the end: most paths differ in their last component.
  while (!pattern.empty()) {
    if (path.empty() || !match_component(pop_back_component(pattern), pop_back_component(path)))
      return false;
  }
  return anywhere || path.empty();
}

bool wanted_by(const Rule& rule, const Entry& entry, const Limits& limits) {
  if (rule.kind == Kind::elf && entry.elf < 0) return false;
  const std::uint64_t max = rule.max_bytes > 0 ? rule.max_bytes : limits.packed_file_bytes;
  return entry.size <= max && match_path(rule.pattern, entry.path);
}

}  // namespace

bool wants_packed(const Entry& entry, const Limits& limits) {
  if (entry.type != FileType::regular || entry.size > limits.packed_layer_bytes) return false;
  // Scripts are launched, and later analysed, by their text.
  if (!entry.shebang.empty() && (entry.mode & 0111U) != 0 && entry.size <= limits.packed_file_bytes)
    return true;
  return std::any_of(std::begin(kRules), std::end(kRules),
                     [&](const Rule& rule) { return wanted_by(rule, entry, limits); });
}

}  // namespace cloister::measure
