// What one pass over a layer leaves behind: entries, digests, ELF facts, a content pack.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/stream.h"
#include "measure/elf/facts.h"
#include "measure/source/source.h"
#include "oci/archive/tar_reader.h"
#include "oci/documents/descriptor.h"

namespace cloister::measure {

using oci::FileType;

struct Entry {
  // Relative to the root, no leading or trailing '/', no "." or ".." component; the root itself is
  // "". Bytes, not necessarily UTF-8. Whiteouts stand here under their own ".wh." names.
  std::string path;
  FileType type = FileType::regular;
  std::uint32_t mode = 0;  // 07777 bits
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;
  Digest sha256;            // regular files only
  std::string link_target;  // symlink: text as it is; hard link: normalised like `path`
  std::uint32_t device_major = 0, device_minor = 0;
  std::vector<std::pair<std::string, std::string>> xattrs;
  std::int32_t elf = -1;     // index into LayerIndex::elfs, or -1
  std::int32_t source = -1;  // index into LayerIndex::sources, or -1
  bool key_mark = false;     // may hold a private key (key_mark.h)
  std::string shebang;       // the text after "#!" of the first line, trimmed, at most 255 bytes
  bool operator==(const Entry&) const = default;
};

struct LayerIndex {
  Digest blob;     // of the compressed layer, as in the manifest: set by the caller of index_layer,
                   // who knows it (zero for a directory source)
  Digest diff_id;  // of the tar
  std::uint64_t tar_bytes = 0;
  std::vector<Entry> entries;  // in archive order, duplicates kept (the later one wins on merge)
  std::vector<elf::Facts> elfs;
  std::vector<source::Facts> sources;
  // Content pack: bytes of small files that analysers read, by digest of the content.
  std::unordered_map<Digest, SharedBytes> pack;
};

// Which contents go into the pack: by path, kind and size. One table, measure/index/pack_rules.cc.
// An ELF file is known by entry.elf >= 0, a script by entry.shebang.
bool wants_packed(const Entry& entry, const Limits& limits);

// The one pass. `blob` gives the compressed bytes (already verified or verified by a wrapper);
// diff_id is computed over the tar and, when `want_diff_id` is given, compared (`corrupt`).
// Names are normalised as image tools do ("./", a leading or trailing '/', "//", inner ".."); one
// that leads outside the root by ".." is refused, and so is a root that is no directory.
// Two threads beside the caller's inflate and hash the tar; `blob` is read on one of them.
// Memory: a few MiB and the index, whatever the layer; a large ELF file lies in an unlinked
// temporary file while its facts are read.
Result<LayerIndex> index_layer(Source& blob, Compression compression,
                               const std::optional<Digest>& want_diff_id, const Limits& limits,
                               CancelToken cancel);

// Binary form, little-endian, schema-versioned; `decode` of another schema is `unsupported`, of
// damaged bytes `corrupt`. The same index gives the same bytes. The schema changes with the form,
// and with what the pass finds in the same layer (ELF facts, pack rules).
inline constexpr std::uint32_t kLayerIndexSchema = 6;
Bytes encode_layer_index(const LayerIndex& index);
// The pack stays where it is in `bytes`: a warm run copies none of it.
Result<LayerIndex> decode_layer_index(const SharedBytes& bytes, const Limits& limits);

}  // namespace cloister::measure
