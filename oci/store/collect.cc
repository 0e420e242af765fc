// A walk over manifests: an index leads to its children, every manifest to what is attached to it.
// Both are lists that somebody else wrote, so there is a budget, and each digest is visited once.
#include "oci/store/collect.h"

#include <deque>
#include <unordered_set>

#include "base/hint.h"
#include "base/text.h"
#include "oci/documents/attached.h"
#include "oci/store/document_reader.h"

namespace cloister::oci {
namespace {

constexpr int kMaxCollectDepth = 3;
constexpr std::size_t kMaxCollected = 1024;

class Collector {
 public:
  Collector(const ImageRef& ref, ImageTransport& transport, Store& store,
            const FetchContext& context, bool attached)
      : reader_(ref, transport, store, context),
        transport_(transport),
        store_(store),
        context_(context),
        attached_(attached) {}

  Result<CollectedImage> from(RawManifest root);
  Result<RawManifest> root() { return reader_.root(); }
  Result<RawManifest> document(const Descriptor& descriptor) {
    return reader_.document(descriptor);
  }

 private:
  Status add_document(RawManifest& raw, int depth);
  Status add_children(const RawManifest& index, int depth);
  Status add_blobs(const RawManifest& raw);
  Status add_attached(const Digest& subject);
  void add_blob(const Descriptor& blob) {
    if (seen_blobs_.insert(blob.digest).second) out_.blobs.push_back(blob);
  }

  DocumentReader reader_;
  ImageTransport& transport_;
  Store& store_;
  const FetchContext& context_;
  const bool attached_;
  CollectedImage out_;
  std::unordered_set<Digest> seen_, seen_blobs_;
  std::deque<Digest> subjects_;  // whose attachments are still to be looked for
};

// Recursion ends at kMaxCollectDepth.
Status Collector::add_document(RawManifest& raw, int depth) {
  CL_CHECK(context_.cancel.check());
  if (seen_.size() > kMaxCollected)
    return Error::limit(cat("the image consists of more than ", kMaxCollected, " manifests"));
  CL_TRY(const DocumentIdentity identity, reader_.keep(raw));
  seen_.insert(raw.descriptor.digest);
  subjects_.push_back(raw.descriptor.digest);
  return identity.index ? add_children(raw, depth) : add_blobs(raw);
}

Status Collector::add_children(const RawManifest& index, int depth) {
  if (depth == kMaxCollectDepth)
    return Error::limit(cat("image indexes are nested deeper than ", kMaxCollectDepth, " levels"));
  CL_TRY(const ImageIndex parsed, parse_image_index(index.text, context_.limits));
  for (const Descriptor& entry : parsed.manifests) {
    if (seen_.contains(entry.digest)) continue;
    auto child = reader_.document(entry);
    if (!child.has_value() && child.error().code() == Code::not_found)
      return std::move(child).error().hint(
          "the source lacks a part of the index: copy one image of it with --platform");
    if (!child.has_value()) return std::move(child).error();
    const std::string what =
        entry.platform ? entry.platform->str() : std::string("an entry without a platform");
    CL_CHECK(
        add_document(*child, depth + 1).while_(cat("copying ", printable(what), " of the index")));
    out_.children.push_back(std::move(*child));
  }
  return {};
}

Status Collector::add_blobs(const RawManifest& raw) {
  CL_TRY(const ImageManifest manifest, parse_image_manifest(raw.text, context_.limits));
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    if (is_foreign_layer(manifest.layers[i].media_type))
      return unreadable_layer(manifest.layers[i], i, manifest.layers.size());
    add_blob(manifest.layers[i]);
  }
  add_blob(manifest.config);
  return {};
}

Status Collector::add_attached(const Digest& subject) {
  CL_TRY(const auto found, transport_.attached(subject));
  for (const Attached& attached : found) {
    if (seen_.contains(attached.descriptor.digest)) continue;
    CL_TRY(RawManifest raw, reader_.document(attached.descriptor));
    CL_CHECK(add_document(raw, 1).while_(cat("copying what is attached to ", subject.str())));
    AttachedManifest manifest{std::move(raw), attached.tag, std::nullopt};
    if (attached.tag.empty()) manifest.subject = subject;
    out_.attached.push_back(std::move(manifest));
  }
  return {};
}

Result<CollectedImage> Collector::from(RawManifest root) {
  out_.root = std::move(root);
  CL_CHECK(add_document(out_.root, 0));
  while (attached_ && !subjects_.empty()) {
    const Digest subject = subjects_.front();
    subjects_.pop_front();
    CL_CHECK(add_attached(subject).while_(cat("looking for what is attached to ", subject.str())));
  }
  CL_CHECK(fetch_blobs(out_.blobs, transport_, store_, context_));
  return std::move(out_);
}

constexpr Advice kCollectAdvice{
    "the image's documents are damaged: make or copy the image anew",
    "such an image is outside of what cloister accepts (base/limits.h); copy one platform of it",
    "name another image, or make this one anew with a current tool"};

}  // namespace

Result<CollectedImage> collect_image(const ImageRef& ref, ImageTransport& transport, Store& store,
                                     const FetchContext& context, bool attached) {
  const auto collect = [&]() -> Result<CollectedImage> {
    Collector collector(ref, transport, store, context, attached);
    CL_TRY(RawManifest root, collector.root());
    return collector.from(std::move(root));
  };
  return advise(collect(), kCollectAdvice).while_(cat("copying ", quote(ref.str())));
}

Result<CollectedImage> collect_manifest(const ImageRef& ref, const Descriptor& manifest,
                                        ImageTransport& transport, Store& store,
                                        const FetchContext& context, bool attached) {
  const auto collect = [&]() -> Result<CollectedImage> {
    Collector collector(ref, transport, store, context, attached);
    CL_TRY(RawManifest root, collector.document(manifest));
    return collector.from(std::move(root));
  };
  return advise(collect(), kCollectAdvice).while_(cat("copying ", quote(ref.str())));
}

}  // namespace cloister::oci
