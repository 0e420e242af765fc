// The one pass. image-spec layer.md says what a layer's tar may hold; what it means (whiteouts,
// links into lower layers) is the business of the merge, so entries stay here as they came, under
// clean names.
#include "base/text.h"
#include "measure/index/content_scan.h"
#include "measure/index/layer_index.h"
#include "measure/index/layer_limits.h"
#include "measure/index/member_path.h"
#include "measure/index/tar_pipeline.h"

namespace cloister::measure {
namespace {

Result<Entry> make_entry(const oci::TarEntry& tar, const Limits& limits) {
  Entry entry;
  CL_TRY(entry.path, normalize_member(tar.path, limits));
  entry.type = tar.type;
  entry.mode = tar.mode;
  entry.uid = tar.uid;
  entry.gid = tar.gid;
  entry.size = tar.size;
  entry.mtime = tar.mtime;
  entry.device_major = tar.device_major;
  entry.device_minor = tar.device_minor;
  entry.xattrs = tar.xattrs;
  if (entry.path.empty() && entry.type != FileType::directory)
    return Error::corrupt("the layer replaces the root directory by something else");
  if (entry.type == FileType::hardlink) {
    CL_TRY(entry.link_target, normalize_member(tar.link_target, limits));
    if (entry.link_target.empty())
      return Error::corrupt(cat("hard link ", quote(entry.path), " refers to the root directory"));
  } else {
    entry.link_target = tar.link_target;
  }
  return entry;
}

Status check_diff_id(const Digest& got, const Digest& want) {
  if (got == want) return {};
  return Error::corrupt("the layer's content does not match its diffID")
      .detail(cat("got ", got.str(), ", want ", want.str()))
      .hint("layer and image configuration do not belong together; do not trust this image");
}

}  // namespace

Result<LayerIndex> index_layer(Source& blob, Compression compression,
                               const std::optional<Digest>& want_diff_id, const Limits& limits,
                               CancelToken cancel) {
  LayerIndex index;
  ContentScan scan(index, limits);
  const auto sink = [&](ByteView bytes) -> Status {
    CL_CHECK(cancel.check());
    return scan.piece(bytes);
  };

  TarPipeline pipeline(blob, compression, limits);
  CL_TRY(const auto tar, oci::open_tar(pipeline, limits));
  for (;;) {
    CL_CHECK(cancel.check());
    CL_TRY(const oci::TarEntry* member, tar->next());
    if (member == nullptr) break;
    CL_CHECK(check_entries(index.entries.size() + 1, limits));
    CL_TRY(Entry made, make_entry(*member, limits));
    Entry& entry = index.entries.emplace_back(std::move(made));
    if (entry.type != FileType::regular) continue;
    scan.begin(entry);
    CL_CHECK(tar->content(sink));
    CL_CHECK(scan.end());
  }

  CL_TRY(const TarSummary summary, pipeline.finish());
  index.diff_id = summary.diff_id;
  index.tar_bytes = summary.bytes;
  if (want_diff_id) CL_CHECK(check_diff_id(index.diff_id, *want_diff_id));
  return index;
}

}  // namespace cloister::measure
