// A name may stand several times in one archive; the digest tells which of them is meant. It is
// also what makes a blob that changed on disk harmless: no other bytes are ever answered.
#include "measure/rootfs/layer_content.h"

#include <map>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/text.h"
#include "measure/index/member_path.h"
#include "oci/archive/tar_reader.h"

namespace cloister::measure {
namespace {

class TarContent final : public LayerContent {
 public:
  TarContent(OpenBlob open, Compression compression, const Limits& limits)
      : open_(std::move(open)), compression_(compression), limits_(limits) {}

  Result<Bytes> read(const Entry& entry, std::uint64_t max) const override {
    if (entry.size > max)
      return Error::limit(
          cat(quote("/" + entry.path), " is larger than the limit of ", human_bytes(max)));
    CL_TRY(const auto blob, open_());
    const auto inflated = make_inflater(compression_, *blob);
    CL_TRY(const auto tar, oci::open_tar(*inflated, limits_));
    for (;;) {
      CL_TRY(const oci::TarEntry* member, tar->next());
      if (member == nullptr) break;
      if (member->type != oci::FileType::regular || member->size != entry.size) continue;
      CL_TRY(const std::string path, normalize_member(member->path, limits_));
      if (path != entry.path) continue;
      CL_TRY(Bytes bytes, read_member(*tar, entry.size));
      if (sha256(bytes) == entry.sha256) return bytes;
    }
    return gone(entry);
  }

  Status read_many(const std::vector<const Entry*>& entries, const Sink& sink) const override {
    // Names that share one content are hard links, of which one is asked for.
    std::map<std::string_view, std::size_t> wanted;
    for (std::size_t i = 0; i < entries.size(); ++i) wanted[entries[i]->path] = i;
    std::vector<bool> found(entries.size());
    CL_TRY(const auto blob, open_());
    const auto inflated = make_inflater(compression_, *blob);
    CL_TRY(const auto tar, oci::open_tar(*inflated, limits_));
    for (;;) {
      CL_TRY(const oci::TarEntry* member, tar->next());
      if (member == nullptr) break;
      if (member->type != oci::FileType::regular) continue;
      CL_TRY(const std::string path, normalize_member(member->path, limits_));
      const auto at = wanted.find(path);
      if (at == wanted.end() || entries[at->second]->size != member->size) continue;
      const std::size_t index = at->second;
      Sha256 hash;
      std::uint64_t offset = 0;
      const auto pass_on = [&](ByteView piece) -> Status {
        hash.update(piece);
        CL_CHECK(sink(index, offset, piece));
        offset += piece.size();
        return {};
      };
      CL_CHECK(tar->content(pass_on));
      found[index] = hash.finish() == entries[index]->sha256;
    }
    for (std::size_t i = 0; i < entries.size(); ++i)
      if (!found[i]) return gone(*entries[i]);
    return {};
  }

 private:
  static Error gone(const Entry& entry) {
    return Error::corrupt(cat(quote("/" + entry.path), " is no longer in its layer"))
        .hint("the local store was modified; pull the image again");
  }
  static Result<Bytes> read_member(oci::TarReader& tar, std::uint64_t size) {
    Bytes bytes;
    bytes.reserve(static_cast<std::size_t>(size));
    CL_CHECK(tar.content([&](ByteView piece) -> Status {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
      return {};
    }));
    return bytes;
  }

  OpenBlob open_;
  Compression compression_;
  Limits limits_;
};

}  // namespace

std::shared_ptr<const LayerContent> make_tar_content(OpenBlob open, Compression compression,
                                                     const Limits& limits) {
  return std::make_shared<const TarContent>(std::move(open), compression, limits);
}

}  // namespace cloister::measure
