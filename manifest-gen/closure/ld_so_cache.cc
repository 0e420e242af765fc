// glibc's sysdeps/generic/dl-cache.h. All numbers are the machine's: little-endian here.
//
//   new   "glibc-ld.so.cache" "1.1", entries, size of the strings, flags (byte order), 3 unused,
//         offset of the extensions, 12 unused; then per entry flags, key, value, unused, hwcap (24
//         bytes). Key and value are offsets of NUL-terminated strings from this header.
//   old   "ld.so-1.7.0", one byte, entries; then 12 bytes per entry. Before glibc 2.32 it stands
//         before the new one, which begins at the next multiple of 8; since libc 5 is gone the old
//         entries themselves serve nobody.
//   extensions   magic, sections; per section tag, flags, offset, size. Tag 1 lists the names of
//         glibc-hwcaps subdirectories, to which an entry's hwcap refers when of its upper half only
//         bit 62 is set, apart from ten bits for the ISA level.
//
// Entries with other hwcap bits are for the subdirectories ("tls", "haswell") that glibc 2.37 gave
// up; the runtime's glibc is newer.
#include "manifest-gen/closure/ld_so_cache.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kOldMagic = "ld.so-1.7.0";
constexpr std::string_view kNewMagic = "glibc-ld.so.cache1.1";
constexpr std::uint64_t kOldHeader = 16, kOldEntry = 12, kNewHeader = 48, kNewEntry = 24;
constexpr std::uint32_t kX8664Libc6 = 0x0303;  // FLAG_X8664_LIB64 | FLAG_ELF_LIBC6
constexpr std::uint8_t kByteOrderMask = 3, kByteOrderUnset = 0, kByteOrderLittle = 2;
constexpr std::uint32_t kExtensionMagic = 0xeaa42174, kTagHwcaps = 1;
constexpr std::uint64_t kHwcapExtension = 1ULL << 30, kIsaLevelMask = (1ULL << 10) - 1;
// NAME_MAX and PATH_MAX: nothing longer can be opened.
constexpr std::size_t kMaxCacheName = 255, kMaxPath = 4096;
constexpr std::size_t kMaxSections = 64, kMaxHwcaps = 64;

// Where the new format begins, or nothing.
std::optional<std::uint64_t> new_format_at(ByteView file) {
  const std::string_view text = as_text(file);
  if (text.starts_with(kNewMagic)) return 0;
  if (!text.starts_with(kOldMagic) || file.size() < kOldHeader) return std::nullopt;
  ByteReader reader(file);
  reader.seek(kOldHeader - 4);
  const std::uint64_t end = kOldHeader + kOldEntry * std::uint64_t{reader.u32()};
  const std::uint64_t at = (end + 7) / 8 * 8;
  if (at >= file.size() || !text.substr(at).starts_with(kNewMagic)) return std::nullopt;
  return at;
}

// The NUL-terminated string at `offset`; empty when it is outside, unterminated or too long.
std::string_view cache_string_at(ByteView cache, std::uint64_t offset, std::size_t max) {
  if (offset >= cache.size()) return {};
  const std::string_view text = as_text(cache).substr(offset, max + 1);
  const std::size_t end = text.find('\0');
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end);
}

std::vector<std::string_view> hwcap_names(ByteView cache, std::uint32_t extensions) {
  std::vector<std::string_view> out;
  ByteReader header(cache);
  header.seek(extensions);
  if (extensions == 0 || header.u32() != kExtensionMagic) return out;
  const std::uint32_t sections = header.u32();
  for (std::size_t i = 0; i < std::min<std::size_t>(sections, kMaxSections) && header.ok(); ++i) {
    const std::uint32_t tag = header.u32();
    header.skip(4);
    const std::uint32_t offset = header.u32(), size = header.u32();
    if (!header.ok() || tag != kTagHwcaps || !slice(cache, offset, size)) continue;
    ByteReader names(cache);
    names.seek(offset);
    for (std::size_t n = 0; n < std::min<std::size_t>(size / 4, kMaxHwcaps); ++n)
      out.push_back(cache_string_at(cache, names.u32(), kMaxCacheName));
    return out;
  }
  return out;
}

}  // namespace

Result<LdSoCache> LdSoCache::parse(Bytes file) {
  LdSoCache out(std::move(file));
  const auto at = new_format_at(out.file_);
  if (!at) return Error::corrupt("ld.so.cache begins like no known format");
  const ByteView cache = ByteView(out.file_).subspan(*at);
  ByteReader header(cache);
  header.skip(kNewMagic.size());
  const std::uint32_t count = header.u32();
  header.skip(4);
  const std::uint8_t order = header.u8() & kByteOrderMask;
  header.skip(3);
  const std::uint32_t extensions = header.u32();
  header.skip(12);
  CL_CHECK(header.finish("the header of ld.so.cache"));
  if (order != kByteOrderUnset && order != kByteOrderLittle)
    return Error::corrupt("ld.so.cache is for machines of another byte order");
  if (count > (cache.size() - kNewHeader) / kNewEntry)
    return Error::corrupt("ld.so.cache is shorter than its entries");

  const std::vector<std::string_view> hwcaps = hwcap_names(cache, extensions);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t flags = header.u32(), key = header.u32(), value = header.u32();
    header.skip(4);
    const std::uint64_t hwcap = header.u64();
    if (flags != kX8664Libc6) continue;
    Entry entry{cache_string_at(cache, value, kMaxPath), {}};
    const std::string_view soname = cache_string_at(cache, key, kMaxCacheName);
    if (soname.empty() || !entry.path.starts_with('/')) continue;
    if (hwcap != 0) {
      const std::uint64_t name = hwcap & 0xffffffffU;
      if (((hwcap >> 32) & ~kIsaLevelMask) != kHwcapExtension || name >= hwcaps.size()) continue;
      entry.hwcaps = hwcaps[name];
      if (entry.hwcaps.empty()) continue;
    }
    out.libraries_[soname].push_back(entry);
  }
  return out;
}

const std::vector<LdSoCache::Entry>& LdSoCache::find(std::string_view soname) const {
  static const std::vector<Entry> kNone;
  const auto at = libraries_.find(soname);
  return at == libraries_.end() ? kNone : at->second;
}

}  // namespace cloister::manifest
