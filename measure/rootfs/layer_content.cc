// A name may stand several times in one archive; the digest tells which of them is meant. It is
// also what makes a blob that changed on disk harmless: no other bytes are ever answered.
#include "measure/rootfs/layer_content.h"

#include <functional>
#include <map>
#include <optional>
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
    std::optional<Bytes> out;
    const auto visit = [&](const oci::TarEntry& member, const std::string& path,
                           oci::TarReader& tar) -> Result<bool> {
      if (member.size != entry.size || path != entry.path) return true;
      CL_TRY(Bytes bytes, read_member(tar, entry.size));
      if (sha256(bytes) != entry.sha256) return true;
      out = std::move(bytes);
      return false;
    };
    CL_CHECK(each_file(visit));
    if (!out) return gone(entry);
    return std::move(*out);
  }

  Status read_many(const std::vector<const Entry*>& entries, const Sink& sink) const override {
    std::multimap<std::string_view, std::size_t> wanted;
    for (std::size_t i = 0; i < entries.size(); ++i) wanted.emplace(entries[i]->path, i);
    std::vector<bool> found(entries.size());
    const auto visit = [&](const oci::TarEntry& member, const std::string& path,
                           oci::TarReader& tar) -> Result<bool> {
      std::vector<std::size_t> indexes;  // a name may stand for several contents, one after another
      const auto [first, last] = wanted.equal_range(path);
      for (auto at = first; at != last; ++at)
        if (!found[at->second] && entries[at->second]->size == member.size)
          indexes.push_back(at->second);
      if (indexes.empty()) return true;
      Sha256 hash;
      std::uint64_t offset = 0;
      const auto pass_on = [&](ByteView piece) -> Status {
        hash.update(piece);
        for (const std::size_t index : indexes) CL_CHECK(sink(index, offset, piece));
        offset += piece.size();
        return {};
      };
      CL_CHECK(tar.content(pass_on));
      const Digest digest = hash.finish();
      for (const std::size_t index : indexes) found[index] = digest == entries[index]->sha256;
      return true;
    };
    CL_CHECK(each_file(visit));
    for (std::size_t i = 0; i < entries.size(); ++i)
      if (!found[i]) return gone(*entries[i]);
    return {};
  }

 private:
  // Every regular file of the layer, until `visit` answers false.
  Status each_file(const std::function<Result<bool>(const oci::TarEntry&, const std::string& path,
                                                    oci::TarReader&)>& visit) const {
    CL_TRY(const auto blob, open_());
    const auto inflated = make_inflater(compression_, *blob);
    CL_TRY(const auto tar, oci::open_tar(*inflated, limits_));
    for (;;) {
      CL_TRY(const oci::TarEntry* member, tar->next());
      if (member == nullptr) return {};
      if (member->type != oci::FileType::regular) continue;
      CL_TRY(const std::string path, normalize_member(member->path, limits_));
      CL_TRY(const bool more, visit(*member, path, *tar));
      if (!more) return {};
    }
  }
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
