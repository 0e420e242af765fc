// Format: rpm's docs/manual/hregions.md and format.md. Big-endian: the number of index entries, the
// size of the data, the entries (tag, type, offset, count), the data. Paths are three arrays:
// directories, base names, and for each base name the index of its directory.
#include "manifest-gen/packages/rpm.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/text.h"
#include "manifest-gen/packages/sqlite_table.h"

namespace cloister::manifest {
namespace {

enum Tag : std::uint32_t {
  kName = 1000,
  kVersion = 1001,
  kRelease = 1002,
  kEpoch = 1003,
  kLicense = 1014,
  kArch = 1022,
  kFileFlags = 1037,
  kSourceRpm = 1044,
  kRequireName = 1049,
  kDirIndexes = 1116,
  kBaseNames = 1117,
  kDirNames = 1118
};
enum Type : std::uint32_t { kInt32 = 4, kString = 6, kStringArray = 8, kI18nString = 9 };

constexpr std::uint32_t kConfigFile = 1, kGhostFile = 1U << 6U;
constexpr std::size_t kMostEntries = 65536;

std::uint32_t big32(ByteView bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8U | std::to_integer<std::uint32_t>(bytes[at + i]);
  return value;
}

Error damaged_header() {
  return Error::corrupt("an rpm header is damaged");
}

class Header {
 public:
  static Result<Header> read(ByteView bytes) {
    if (bytes.size() < 8) return damaged_header();
    const std::uint64_t entries = big32(bytes, 0), data = big32(bytes, 4);
    if (entries > kMostEntries || 8 + entries * 16 + data > bytes.size()) return damaged_header();
    Header out;
    out.data_ = bytes.subspan(8 + entries * 16, data);
    for (std::uint64_t i = 0; i < entries; ++i) {
      const std::size_t at = 8 + i * 16;
      const Entry entry{big32(bytes, at + 4), big32(bytes, at + 8), big32(bytes, at + 12)};
      out.entries_.try_emplace(big32(bytes, at), entry);
    }
    return out;
  }

  // The strings of a tag, at most `most`; empty when it is absent or something else.
  std::vector<std::string_view> strings(std::uint32_t tag, std::size_t most) const {
    std::vector<std::string_view> out;
    const Entry* entry = find(tag);
    if (entry == nullptr ||
        (entry->type != kString && entry->type != kStringArray && entry->type != kI18nString))
      return out;
    std::string_view rest = as_text(data_);
    if (entry->offset > rest.size()) return out;
    rest.remove_prefix(entry->offset);
    const std::size_t count = entry->type == kString ? 1 : entry->count;
    while (out.size() < std::min(count, most)) {
      const std::size_t end = rest.find('\0');
      if (end == std::string_view::npos) break;
      out.push_back(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    return out;
  }
  std::string_view string(std::uint32_t tag) const {
    const auto all = strings(tag, 1);
    return all.empty() ? std::string_view() : all.front();
  }
  std::vector<std::uint32_t> numbers(std::uint32_t tag, std::size_t most) const {
    std::vector<std::uint32_t> out;
    const Entry* entry = find(tag);
    if (entry == nullptr || entry->type != kInt32) return out;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(entry->count, most); ++i) {
      const std::uint64_t at = entry->offset + i * 4;
      if (at + 4 > data_.size()) break;
      out.push_back(big32(data_, at));
    }
    return out;
  }

 private:
  struct Entry {
    std::uint32_t type, offset, count;
  };
  const Entry* find(std::uint32_t tag) const {
    const auto at = entries_.find(tag);
    return at == entries_.end() ? nullptr : &at->second;
  }
  std::map<std::uint32_t, Entry> entries_;
  ByteView data_;
};

// "bash-5.2.15-3.fc38.src.rpm" → "bash".
std::string_view source_name(std::string_view file) {
  for (int part = 0; part < 2; ++part) {
    const std::size_t dash = file.rfind('-');
    if (dash == std::string_view::npos) return {};
    file = file.substr(0, dash);
  }
  return file;
}

}  // namespace

Result<Package> parse_rpm_header(ByteView bytes, const Limits& limits) {
  CL_TRY(const Header header, Header::read(bytes));
  Package out;
  out.manager = PackageManager::rpm;
  out.name = header.string(kName);
  if (out.name.empty()) return damaged_header();
  const std::vector<std::uint32_t> epoch = header.numbers(kEpoch, 1);
  if (!epoch.empty() && epoch.front() != 0) out.version = cat(epoch.front(), ":");
  out.version += cat(header.string(kVersion), "-", header.string(kRelease));
  out.architecture = header.string(kArch);
  out.license = header.string(kLicense);
  out.source = source_name(header.string(kSourceRpm));
  if (out.source.empty()) out.source = out.name;
  for (const std::string_view name : header.strings(kRequireName, limits.package_files))
    if (!name.starts_with("rpmlib(")) out.depends.emplace_back(name);

  const auto directories = header.strings(kDirNames, limits.package_files);
  const auto names = header.strings(kBaseNames, limits.package_files);
  const auto indexes = header.numbers(kDirIndexes, limits.package_files);
  const auto flags = header.numbers(kFileFlags, limits.package_files);
  std::uint64_t text = 0;
  for (std::size_t i = 0; i < names.size() && i < indexes.size(); ++i) {
    if (indexes[i] >= directories.size()) return damaged_header();
    // A ghost is not in the package: something makes it later, or never.
    const std::uint32_t flag = i < flags.size() ? flags[i] : 0;
    if ((flag & kGhostFile) != 0) continue;
    std::string path = cat(directories[indexes[i]], names[i]);
    if (!path.starts_with('/') || path.size() > limits.path_bytes) continue;
    // A long directory that many files name would be repeated without end.
    text += path.size();
    if (text > limits.package_database_bytes)
      return Error::limit(cat("the file names of the package ", quote(out.name), " are too long"));
    if ((flag & kConfigFile) != 0) out.conffiles.push_back(path);
    out.files.push_back(std::move(path));
  }
  return out;
}

Result<std::vector<Package>> parse_rpm_database(ByteView database, const Limits& limits) {
  std::vector<Package> out;
  std::size_t files = 0;
  std::uint64_t text = 0;
  CL_CHECK(read_sqlite_blobs(database, "Packages", limits, [&](ByteView blob) -> Status {
    CL_TRY(Package package, parse_rpm_header(blob, limits));
    if (package.name == "gpg-pubkey") return {};
    files += package.files.size();
    for (const std::string& path : package.files) text += path.size();
    if (files > limits.package_files || text > limits.package_database_bytes)
      return Error::limit("the packages have too many files");
    out.push_back(std::move(package));
    return {};
  }));
  return out;
}

}  // namespace cloister::manifest
