// Runs on every ELF file of every layer, so that it has to be quick: an undefined symbol costs one
// search in a sorted table, read-only data one memchr for '/' and one for '.'. Code is only looked
// at in files whose linker put code and constants into one segment.
//
// Strings of C end in NUL and, but for what a linker merged (a string that is the tail of another),
// begin after something that is no text. Strings of Go and Rust stand side by side without any
// end: in those only the well-known paths below are recognised.
//
// Trap: a hash table may be empty although there are symbols: GNU ld writes one without buckets in
// use when a program exports nothing, and its first index then says nothing.
#include "measure/elf/evidence.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>

#include "base/path.h"
#include "measure/elf/dlopen_note.h"
#include "measure/elf/noted_imports.h"

namespace cloister::measure::elf {
namespace {

constexpr std::size_t kSymbolSize = 24;
constexpr std::uint64_t kMaxSymbols = 1ULL << 20;
constexpr std::size_t kMinPath = 4, kMaxName = 256, kLongestImport = 64;
constexpr std::uint64_t kPie = 0x08000000;  // DF_1_PIE

// What programs that are linked statically, or written in Go or Rust, open on their own.
constexpr std::string_view kWellKnown[] = {"/etc/group",
                                           "/etc/localtime",
                                           "/etc/mime.types",
                                           "/etc/nsswitch.conf",
                                           "/etc/os-release",
                                           "/etc/passwd",
                                           "/etc/pki/tls/certs/ca-bundle.crt",
                                           "/etc/protocols",
                                           "/etc/services",
                                           "/etc/ssl/cert.pem",
                                           "/etc/ssl/certs/ca-certificates.crt",
                                           "/usr/share/zoneinfo"};
static_assert(std::is_sorted(std::begin(kWellKnown), std::end(kWellKnown)));

// Names of source files and of the machine that a program was built on.
constexpr std::string_view kSourceSuffixes[] = {".c", ".cc", ".cpp", ".cxx", ".go",
                                                ".h", ".hh", ".hpp", ".rs",  ".s",
                                                ".S", ".pl", ".py",  ".adb", ".ml"};
constexpr std::string_view kNotFiles[] = {"/dev/",   "/proc/",     "/sys/",
                                          "/build/", "/builddir/", "/rustc/"};

// The characters of a name: as programs spell paths, no format directives or patterns.
bool is_name(std::byte b) {
  const auto c = static_cast<char>(b);
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
         c == '.' || c == '_' || c == '-' || c == '+' || c == '@' || c == ',' || c == ':' ||
         c == '~' || c == '=';
}

bool is_text(std::byte b) {
  return b >= std::byte{0x20} && b < std::byte{0x7f};
}

bool is_source(std::string_view path) {
  return std::any_of(std::begin(kSourceSuffixes), std::end(kSourceSuffixes),
                     [&](std::string_view suffix) { return path.ends_with(suffix); });
}

// "libx.so", "x.so.1.2": what follows ".so" is a version.
bool is_library_name(std::string_view name) {
  name = base_name(name);
  if (name.empty()) return false;
  const std::size_t at = name.find(".so");
  if (name.front() == '.' || at == std::string_view::npos) return false;
  const std::string_view version = name.substr(at + 3);
  return version.empty() || (version.front() == '.' && version.size() > 1 &&
                             version.find_first_not_of("0123456789.") == std::string_view::npos);
}

const std::byte* find_byte(const std::byte* from, const std::byte* end, char c) {
  const void* at = std::memchr(from, c, static_cast<std::size_t>(end - from));
  return at == nullptr ? end : static_cast<const std::byte*>(at);
}

// The lists of one file, within their common bounds.
class Evidence {
 public:
  explicit Evidence(const Limits& limits) : limits_(limits), budget_(limits.elf_evidence_bytes) {}

  void add(std::set<std::string, std::less<>>& to, std::string_view text) {
    if (to.size() >= limits_.elf_evidence || text.size() > budget_) return;
    if (to.emplace(text).second) budget_ -= text.size();
  }

 private:
  const Limits& limits_;
  std::size_t budget_;
};

using Names = std::set<std::string, std::less<>>;

// The number of symbols that DT_GNU_HASH knows: its chains cover the table to the end, the longest
// begins at the highest bucket, and an odd value ends it. Nothing when no bucket is used.
std::optional<std::uint64_t> gnu_hash_count(const Memory& memory, std::uint64_t address) {
  const auto table = memory.at(address);
  if (!table) return std::nullopt;
  ByteReader in(*table);
  const std::uint32_t buckets = in.u32(), first = in.u32(), words = in.u32();
  in.skip(4 + std::uint64_t{words} * 8);  // shift, Bloom filter
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < buckets && in.ok(); ++i) last = std::max(last, in.u32());
  if (!in.ok() || last == 0 || last < first) return std::nullopt;
  in.skip(std::uint64_t{last - first} * 4);
  std::uint64_t count = last;
  for (bool more = true; more && in.remaining() >= 4 && in.ok(); ++count)
    more = (in.u32() & 1U) == 0;
  if (!in.ok()) return std::nullopt;
  return count;
}

// How many symbols there may be. Undefined ones mostly come first, but a function whose address is
// taken stands among the defined ones, though it is undefined.
std::uint64_t symbol_bound(const Memory& memory, const DynamicTable& table) {
  std::uint64_t bound = kMaxSymbols;
  if (table.gnu_hash) {
    if (const auto count = gnu_hash_count(memory, *table.gnu_hash)) return std::min(bound, *count);
  }
  if (table.hash) {
    if (const auto header = memory.at(*table.hash, 8)) {
      ByteReader in(*header);
      in.skip(4);  // nbucket
      return std::min<std::uint64_t>(bound, in.u32());
    }
  }
  // Linkers put the strings behind the symbols.
  if (*table.strings > *table.symbols)
    bound = std::min(bound, (*table.strings - *table.symbols) / kSymbolSize);
  return bound;
}

void read_imports(const Memory& memory, const DynamicTable& table, Evidence& evidence, Names& out) {
  if (!table.symbols || !table.strings) return;
  const auto symbols = memory.at(*table.symbols);
  const auto strings = memory.at(*table.strings);
  if (!symbols || !strings) return;
  const std::uint64_t count =
      std::min<std::uint64_t>(symbol_bound(memory, table), symbols->size() / kSymbolSize);
  ByteReader in(*symbols);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint32_t name = in.u32();
    in.skip(2);  // st_info, st_other
    const std::uint16_t section = in.u16();
    in.skip(16);  // st_value, st_size
    if (section != 0 || name == 0 || name >= strings->size()) continue;
    const ByteView rest = strings->subspan(name);
    const ByteView window = rest.first(std::min(rest.size(), kLongestImport));
    const std::byte* end = find_byte(window.data(), window.data() + window.size(), '\0');
    const auto size = static_cast<std::size_t>(end - window.data());
    if (size == window.size()) continue;
    const std::string_view text = as_text(window.first(size));
    if (is_noted_import(text)) evidence.add(out, text);
  }
}

// ---- strings ----

class StringScan {
 public:
  StringScan(ByteView bytes, const ReleasePart& release, Evidence& evidence, Names& out)
      : begin_(bytes.data()),
        end_(bytes.data() + bytes.size()),
        release_(release),
        evidence_(evidence),
        out_(out) {}

  void paths() {
    kept_ = begin_;
    for (const std::byte* at = find_byte(begin_, end_, '/'); at != end_;) {
      const std::byte* stop = path(at);
      at = find_byte(std::max(stop, at + 1), end_, '/');
      passed(at);
    }
    passed(end_);
  }

  // What has a '.': libraries, and the locale that a program asks for by name.
  void libraries() {
    kept_ = begin_;
    for (const std::byte* at = find_byte(begin_, end_, '.'); at != end_;
         at = find_byte(at + 1, end_, '.')) {
      if (end_ - at > 3 && at[1] == std::byte{'s'} && at[2] == std::byte{'o'}) library(at);
      if (at != begin_ && at[-1] == std::byte{'C'}) locale(at - 1);
      passed(at);
    }
    passed(end_);
  }

 private:
  // What lies behind `at` is given away now and then.
  void passed(const std::byte* at) {
    if (!release_ || (at - kept_ < kReleaseStep && at != end_)) return;
    release_(ByteView(kept_, at));
    kept_ = at;
  }

  static std::string_view text(const std::byte* from, const std::byte* to) {
    return as_text(ByteView(from, to));
  }

  // The first byte from `at` on that belongs to no name, or kMaxName bytes further.
  const std::byte* end_of_name(const std::byte* at) const {
    const std::byte* limit = end_ - at > std::ptrdiff_t{kMaxName} ? at + kMaxName + 1 : end_;
    while (at != limit && is_name(*at)) ++at;
    return at;
  }

  // Returns where the search goes on.
  const std::byte* path(const std::byte* at) {
    if (end_ - at < std::ptrdiff_t{kMinPath} || !is_name(at[1])) return at + 1;
    const bool begins = at == begin_ || !is_text(at[-1]);
    if (!begins) {
      well_known(at);
      return at + 1;
    }
    const std::byte* stop = end_of_name(at);
    if (stop == end_ || *stop != std::byte{0} || stop - at > std::ptrdiff_t{kMaxName}) {
      well_known(at);
      return at + 1;
    }
    const std::string_view name = text(at, stop);
    if (name.size() >= kMinPath && is_wanted(name)) evidence_.add(out_, name);
    return stop;
  }

  static bool is_wanted(std::string_view path) {
    return path.find("//") == std::string_view::npos && !is_source(path) &&
           std::none_of(std::begin(kNotFiles), std::end(kNotFiles),
                        [&](std::string_view prefix) { return path.starts_with(prefix); });
  }

  void well_known(const std::byte* at) {
    if (at[1] != std::byte{'e'} && at[1] != std::byte{'u'}) return;
    const std::string_view rest = text(at, end_);
    for (const std::string_view known : kWellKnown)
      if (rest.starts_with(known)) evidence_.add(out_, known);
  }

  void locale(const std::byte* at) {
    if (at != begin_ && is_text(at[-1])) return;
    const std::string_view rest = text(at, end_);
    for (const std::string_view name : {kUtf8Locale, std::string_view("C.utf8")})
      if (rest.size() > name.size() && rest.starts_with(name) && rest[name.size()] == '\0')
        evidence_.add(out_, kUtf8Locale);
  }

  void library(const std::byte* dot) {
    const std::byte* from = dot;
    while (from != begin_ && is_name(from[-1]) && dot - from < std::ptrdiff_t{kMaxName}) --from;
    const std::byte* stop = end_of_name(dot);
    if (stop == end_ || *stop != std::byte{0}) return;
    std::string_view name = text(from, stop);
    // "%s/libx.so": the directory is computed, the name is not.
    if (from != begin_ && is_text(from[-1])) {
      const std::size_t slash = name.rfind('/');
      if (slash == std::string_view::npos) return;
      name.remove_prefix(slash + 1);
    }
    // Absolute ones are paths, found already.
    if (name.starts_with('/') || name.size() > kMaxName || !is_library_name(name)) return;
    evidence_.add(out_, name);
  }

  static constexpr std::ptrdiff_t kReleaseStep = 4 << 20;
  const std::byte* begin_;
  const std::byte* end_;
  const std::byte* kept_ = nullptr;
  const ReleasePart& release_;
  Evidence& evidence_;
  Names& out_;
};

bool is_constant(const ProgramHeader& p, bool with_code) {
  return p.type == kLoad && (p.flags & kWritable) == 0 &&
         (with_code || (p.flags & kExecutable) == 0);
}

void read_strings(ByteView file, const Headers& headers, const ReleasePart& release,
                  Evidence& evidence, Names& out) {
  const bool separate =
      std::any_of(headers.program_headers.begin(), headers.program_headers.end(),
                  [](const ProgramHeader& p) { return is_constant(p, false) && p.file_size > 0; });
  for (const ProgramHeader& p : headers.program_headers) {
    if (!is_constant(p, !separate)) continue;
    const auto bytes = slice(file, p.offset, p.file_size);
    if (!bytes || bytes->empty()) continue;
    StringScan scan(*bytes, release, evidence, out);
    scan.paths();
    scan.libraries();
  }
}

// What the loader is told anyway.
void forget_needed(const Facts& facts, Names& strings) {
  const auto forget = [&](const std::string& name) { strings.erase(name); };
  for (const std::string& name : facts.needed) forget(name);
  for (const std::string& name : facts.filters) forget(name);
  for (const std::string& name : facts.auxiliaries) forget(name);
  for (const VersionNeed& need : facts.version_needs) forget(need.file);
  for (const auto& name : {facts.soname, facts.rpath, facts.runpath})
    if (name) forget(*name);
  forget(facts.interpreter);
}

bool has_syscall(ByteView file, const Headers& headers) {
  for (const ProgramHeader& p : headers.program_headers) {
    if (p.type != kLoad || (p.flags & kExecutable) == 0) continue;
    const auto bytes = slice(file, p.offset, p.file_size);
    if (bytes && as_text(*bytes).find("\x0f\x05") != std::string_view::npos) return true;
  }
  return false;
}

std::vector<std::string> list(Names&& names) {
  std::vector<std::string> out;
  out.reserve(names.size());
  while (!names.empty()) out.push_back(std::move(names.extract(names.begin()).value()));
  return out;
}

}  // namespace

void read_evidence(ByteView file, const Headers& headers, const Memory& memory,
                   const DynamicTable* table, const Limits& limits, const ReleasePart& release,
                   Facts& facts) {
  Evidence evidence(limits);
  Names imports, strings;
  if (table != nullptr) read_imports(memory, *table, evidence, imports);
  read_strings(file, headers, release, evidence, strings);
  forget_needed(facts, strings);
  facts.imports = list(std::move(imports));
  facts.strings = list(std::move(strings));
  facts.dlopen_notes = read_dlopen_notes(file, headers, limits);
  const bool program = facts.type == kTypeExec || (facts.flags_1 & kPie) != 0;
  facts.raw_syscalls =
      program && facts.interpreter.empty() && facts.needed.empty() && has_syscall(file, headers);
}

}  // namespace cloister::measure::elf
