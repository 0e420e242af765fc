// An index as bytes:
//
//   u32 magic, u32 schema, 32 blob, 32 diff_id, u64 tar_bytes
//   u32 count, ELF facts…     u32 count, source facts…     u32 count, entries…
//   u32 count, pack: 32 digest, u32 size, bytes…
//
// A text is u32 length and bytes. A path is written as the number of bytes it shares with the one
// before and the rest: neighbours in an archive share their directory, and what is not written
// needs neither reading nor authenticating in a warm run.
#include <algorithm>

#include "base/text.h"
#include "measure/index/layer_index.h"

namespace cloister::measure {
namespace {

constexpr std::uint32_t kMagic = 0x58494c43;  // "CLIX"
// The fewest bytes that one element can take: what a count is checked against before memory is
// reserved for it.
constexpr std::uint64_t kMinEntry = 30, kMinElf = 63, kMinSource = 6, kMinText = 4, kMinPacked = 36;

// What follows an entry's fixed fields.
enum Has : std::uint8_t { kShebang = 1, kElf = 2, kXattrs = 4, kSource = 8, kKeyMark = 16 };

class Encoder {
 public:
  Bytes run(const LayerIndex& index) {
    out_.u32(kMagic);
    out_.u32(kLayerIndexSchema);
    out_.bytes(index.blob.view());
    out_.bytes(index.diff_id.view());
    out_.u64(index.tar_bytes);
    count(index.elfs.size());
    for (const elf::Facts& facts : index.elfs) put(facts);
    count(index.sources.size());
    for (const source::Facts& facts : index.sources) put(facts);
    count(index.entries.size());
    for (const Entry& entry : index.entries) put(entry);
    put_pack(index);
    return out_.take();
  }

 private:
  void count(std::size_t n) { out_.u32(static_cast<std::uint32_t>(n)); }
  void text(std::string_view s) {
    count(s.size());
    out_.text(s);
  }
  void texts(const std::vector<std::string>& list) {
    count(list.size());
    for (const std::string& s : list) text(s);
  }
  void optional_text(const std::optional<std::string>& s) {
    out_.u8(s ? 1 : 0);
    if (s) text(*s);
  }

  void put(const elf::Facts& f) {
    out_.u8(static_cast<std::uint8_t>((f.is_64 ? 1 : 0) | (f.little_endian ? 2 : 0) |
                                      (f.has_dynamic ? 4 : 0) | (f.raw_syscalls ? 8 : 0)));
    out_.u8(f.os_abi);
    out_.u16(f.type);
    out_.u16(f.machine);
    text(f.interpreter);
    texts(f.needed);
    optional_text(f.rpath);
    optional_text(f.runpath);
    optional_text(f.soname);
    count(f.version_needs.size());
    for (const elf::VersionNeed& need : f.version_needs) {
      text(need.file);
      count(need.versions.size());
      for (const auto& version : need.versions) {
        out_.u8(version.weak ? 1 : 0);
        text(version.name);
      }
    }
    texts(f.version_definitions);
    out_.u64(f.flags);
    out_.u64(f.flags_1);
    texts(f.filters);
    texts(f.auxiliaries);
    optional_text(f.audit);
    optional_text(f.depaudit);
    texts(f.imports);
    texts(f.strings);
    count(f.dlopen_notes.size());
    for (const elf::DlopenNote& note : f.dlopen_notes) {
      out_.u8(static_cast<std::uint8_t>(note.priority));
      texts(note.sonames);
      text(note.feature);
      text(note.description);
    }
  }

  void put(const source::Facts& f) {
    out_.u8(static_cast<std::uint8_t>(f.language));
    out_.u8(f.dynamic ? 1 : 0);
    texts(f.names);
  }

  void put(const Entry& e) {
    const auto differ = std::mismatch(e.path.begin(), e.path.end(), before_.begin(), before_.end());
    const auto shared = static_cast<std::size_t>(differ.first - e.path.begin());
    out_.u16(static_cast<std::uint16_t>(shared));
    text(std::string_view(e.path).substr(shared));
    before_ = e.path;
    out_.u8(static_cast<std::uint8_t>(e.type));
    out_.u8(static_cast<std::uint8_t>((e.shebang.empty() ? 0 : kShebang) | (e.elf < 0 ? 0 : kElf) |
                                      (e.xattrs.empty() ? 0 : kXattrs) |
                                      (e.source < 0 ? 0 : kSource) | (e.key_mark ? kKeyMark : 0)));
    out_.u16(static_cast<std::uint16_t>(e.mode));
    out_.u32(e.uid);
    out_.u32(e.gid);
    out_.u64(static_cast<std::uint64_t>(e.mtime));
    if (e.type == FileType::regular) {
      out_.u64(e.size);
      out_.bytes(e.sha256.view());
    } else if (e.type == FileType::char_device || e.type == FileType::block_device) {
      out_.u32(e.device_major);
      out_.u32(e.device_minor);
    } else {
      text(e.link_target);
    }
    if (!e.shebang.empty()) text(e.shebang);
    if (e.elf >= 0) out_.u32(static_cast<std::uint32_t>(e.elf));
    if (e.source >= 0) out_.u32(static_cast<std::uint32_t>(e.source));
    if (!e.xattrs.empty()) {
      count(e.xattrs.size());
      for (const auto& [name, value] : e.xattrs) {
        text(name);
        text(value);
      }
    }
  }

  void put_pack(const LayerIndex& index) {
    std::vector<const std::pair<const Digest, SharedBytes>*> sorted;
    for (const auto& item : index.pack) sorted.push_back(&item);
    std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->first < b->first; });
    count(sorted.size());
    for (const auto* item : sorted) {
      out_.bytes(item->first.view());
      count(item->second.view().size());
      out_.bytes(item->second.view());
    }
  }

  ByteWriter out_;
  std::string before_;
};

class Decoder {
 public:
  Decoder(const SharedBytes& bytes, const Limits& limits)
      : bytes_(bytes), in_(bytes.view()), limits_(limits) {}

  Result<LayerIndex> run() {
    if (in_.u32() != kMagic) in_.fail();
    const std::uint32_t schema = in_.u32();
    if (in_.ok() && schema != kLayerIndexSchema)
      return Error::unsupported(cat("layer index of schema ", schema, ", not ", kLayerIndexSchema));
    LayerIndex index;
    index.blob = digest();
    index.diff_id = digest();
    index.tar_bytes = in_.u64();
    index.elfs.resize(count(kMinElf));
    for (elf::Facts& facts : index.elfs) get(facts);
    index.sources.resize(count(kMinSource));
    for (source::Facts& facts : index.sources) get(facts);
    index.entries.resize(count(kMinEntry));
    for (Entry& entry : index.entries) {
      get(entry, index.elfs.size(), index.sources.size());
      if (!in_.ok()) break;
    }
    get_pack(index);
    if (in_.remaining() > 0) in_.fail();
    CL_CHECK(in_.finish("layer index"));
    return index;
  }

 private:
  // A number of elements that the rest of the bytes can hold, else 0 and failure.
  std::size_t count(std::uint64_t min_size) {
    const std::uint32_t n = in_.u32();
    if (n <= in_.remaining() / min_size) return n;
    in_.fail();
    return 0;
  }
  std::string_view view() {
    const std::uint32_t n = in_.u32();
    return as_text(in_.bytes(n));
  }
  std::string text() { return std::string(view()); }
  std::vector<std::string> texts() {
    std::vector<std::string> out(count(kMinText));
    for (std::string& s : out) s = text();
    return out;
  }
  std::optional<std::string> optional_text() {
    if (in_.u8() == 0) return std::nullopt;
    return text();
  }
  Digest digest() {
    Digest d;
    const ByteView bytes = in_.bytes(d.bytes.size());
    std::copy(bytes.begin(), bytes.end(), d.bytes.begin());
    return d;
  }

  void get(elf::Facts& f) {
    const std::uint8_t bits = in_.u8();
    f.is_64 = (bits & 1U) != 0;
    f.little_endian = (bits & 2U) != 0;
    f.has_dynamic = (bits & 4U) != 0;
    f.raw_syscalls = (bits & 8U) != 0;
    f.os_abi = in_.u8();
    f.type = in_.u16();
    f.machine = in_.u16();
    f.interpreter = text();
    f.needed = texts();
    f.rpath = optional_text();
    f.runpath = optional_text();
    f.soname = optional_text();
    f.version_needs.resize(count(2 * kMinText));
    for (elf::VersionNeed& need : f.version_needs) {
      need.file = text();
      need.versions.resize(count(1 + kMinText));
      for (auto& version : need.versions) {
        version.weak = in_.u8() != 0;
        version.name = text();
      }
    }
    f.version_definitions = texts();
    f.flags = in_.u64();
    f.flags_1 = in_.u64();
    f.filters = texts();
    f.auxiliaries = texts();
    f.audit = optional_text();
    f.depaudit = optional_text();
    f.imports = texts();
    f.strings = texts();
    f.dlopen_notes.resize(count(1 + 3 * kMinText));
    for (elf::DlopenNote& note : f.dlopen_notes) {
      const std::uint8_t priority = in_.u8();
      if (priority > static_cast<std::uint8_t>(elf::DlopenNote::Priority::suggested)) in_.fail();
      note.priority = static_cast<elf::DlopenNote::Priority>(priority);
      note.sonames = texts();
      note.feature = text();
      note.description = text();
    }
  }

  void get(source::Facts& f) {
    const std::uint8_t language = in_.u8();
    if (language == 0 || language > static_cast<std::uint8_t>(source::Language::r)) in_.fail();
    f.language = static_cast<source::Language>(language);
    f.dynamic = in_.u8() != 0;
    f.names = texts();
  }

  void get(Entry& e, std::size_t elfs, std::size_t sources) {
    const std::uint16_t shared = in_.u16();
    const std::string_view rest = view();
    if (shared > before_.size() || shared + rest.size() > limits_.path_bytes) return in_.fail();
    e.path.reserve(shared + rest.size());
    e.path.assign(before_, 0, shared);
    e.path += rest;
    before_ = e.path;
    const std::uint8_t type = in_.u8(), has = in_.u8();
    if (type > static_cast<std::uint8_t>(FileType::fifo)) return in_.fail();
    e.type = static_cast<FileType>(type);
    e.mode = in_.u16();
    e.uid = in_.u32();
    e.gid = in_.u32();
    e.mtime = static_cast<std::int64_t>(in_.u64());
    if (e.type == FileType::regular) {
      e.size = in_.u64();
      e.sha256 = digest();
    } else if (e.type == FileType::char_device || e.type == FileType::block_device) {
      e.device_major = in_.u32();
      e.device_minor = in_.u32();
    } else {
      e.link_target = text();
    }
    e.key_mark = (has & kKeyMark) != 0;
    if ((has & kShebang) != 0) e.shebang = text();
    if ((has & kElf) != 0) {
      const std::uint32_t n = in_.u32();
      if (n >= elfs) return in_.fail();
      e.elf = static_cast<std::int32_t>(n);
    }
    if ((has & kSource) != 0) {
      const std::uint32_t n = in_.u32();
      if (n >= sources) return in_.fail();
      e.source = static_cast<std::int32_t>(n);
    }
    if ((has & kXattrs) != 0) {
      e.xattrs.resize(count(2 * kMinText));
      for (auto& [name, value] : e.xattrs) {
        name = text();
        value = text();
      }
    }
  }

  void get_pack(LayerIndex& index) {
    const std::size_t n = count(kMinPacked);
    index.pack.reserve(n);
    for (std::size_t i = 0; i < n && in_.ok(); ++i) {
      const Digest key = digest();
      const ByteView content = in_.bytes(in_.u32());
      index.pack.try_emplace(key, bytes_.of(content));
    }
  }

  const SharedBytes& bytes_;
  ByteReader in_;
  const Limits& limits_;
  std::string_view before_;
};

}  // namespace

Bytes encode_layer_index(const LayerIndex& index) {
  return Encoder().run(index);
}

Result<LayerIndex> decode_layer_index(const SharedBytes& bytes, const Limits& limits) {
  return Decoder(bytes, limits).run();
}

}  // namespace cloister::measure
