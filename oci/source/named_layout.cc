// image-layout.md, "index.json". A digest decides over a tag, as for registries, and may name any
// manifest that the layout holds, also a child of an index. A size is not known then: it is found
// by reading, up to the limit for manifests.
#include "oci/source/named_layout.h"

#include <mutex>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "base/suggest.h"
#include "base/text.h"
#include "oci/documents/attached.h"
#include "oci/documents/cosign_layout.h"
#include "oci/documents/layout_index.h"

namespace cloister::oci {
namespace {

class LayoutTransport final : public ImageTransport {
 public:
  LayoutTransport(const ImageRef& ref, std::string index_json, BlobOpener open,
                  const Limits& limits)
      : ref_(ref), index_json_(std::move(index_json)), open_(std::move(open)), limits_(limits) {}

  Result<RawManifest> root() override {
    CL_TRY(const Descriptor descriptor,
           choose().while_(cat("reading index.json of ", quote(ref_.path))));
    return read(descriptor);
  }
  Result<RawManifest> manifest(const Descriptor& descriptor) override { return read(descriptor); }
  Result<std::unique_ptr<Source>> blob(const Descriptor& descriptor) override {
    return open_(descriptor);
  }
  Result<std::vector<Attached>> attached(const Digest& subject) override;

 private:
  Result<Descriptor> choose() const;
  Result<Descriptor> choose_only(const ImageIndex& index) const;
  Result<RawManifest> read(const Descriptor& descriptor) const;
  Status list_referrers_once();

  const ImageRef ref_;
  const std::string index_json_;
  const BlobOpener open_;
  const Limits limits_;
  std::mutex mutex_;
  bool listed_ = false;
  std::unordered_map<Digest, std::vector<Descriptor>> referrers_;  // by subject
};

std::string prefix(const ImageRef& ref) {
  return cat(transport_prefix(ref.transport), printable(ref.path));
}

Result<Descriptor> LayoutTransport::choose() const {
  CL_TRY(const ImageIndex index, parse_image_index(index_json_, limits_));
  if (ref_.digest) {
    for (const Descriptor& entry : index.manifests)
      if (entry.digest == *ref_.digest) return entry;
    Descriptor unlisted;
    unlisted.digest = *ref_.digest;
    return unlisted;
  }
  if (ref_.tag.empty()) return choose_only(index);
  if (const Descriptor* found = find_ref_name(index, ref_.tag)) return *found;
  const std::string names = list_ref_names(index);
  return Error::not_found(cat("there is no image ", quote(ref_.tag), " in ", quote(ref_.path)))
      .detail(names.empty() ? "no image in it has a name" : cat("there are: ", names))
      .hint(did_you_mean(nearest_ref_name(index, ref_.tag),
                         "name one that exists, or give a digest: …@sha256:…"));
}

Result<Descriptor> LayoutTransport::choose_only(const ImageIndex& index) const {
  // Signatures and the like do not make an image ambiguous.
  std::vector<Descriptor> images;
  for (const Descriptor& entry : index.manifests) {
    const auto name = entry.annotations.find(std::string(kRefName));
    const bool tagged = name != entry.annotations.end() && is_attached_tag(name->second);
    if (!tagged && entry.artifact_type.empty() && !is_cosign_attachment(entry))
      images.push_back(entry);
  }
  if (images.size() == 1) return images[0];
  if (index.manifests.empty())
    return Error::not_found(cat(quote(ref_.path), " holds no image"))
        .hint("name a layout that holds one");
  const std::string names = list_ref_names(index);
  Error error = Error::usage(cat(quote(ref_.path), " holds ", images.size(), " images"));
  if (!names.empty()) error = std::move(error).detail(cat("there are: ", names));
  return std::move(error).hint(
      cat("say which: ", prefix(ref_), names.empty() ? "@sha256:…" : ":NAME"));
}

Result<RawManifest> LayoutTransport::read(const Descriptor& descriptor) const {
  const std::string what = cat("blob ", descriptor.digest.str(), " of ", quote(ref_.path));
  CL_TRY(auto source, open_(descriptor));
  CL_TRY(const Bytes bytes, read_all(*source, limits_.manifest_bytes, what));
  RawManifest raw{descriptor, std::string(as_text(bytes))};
  raw.descriptor.size = bytes.size();
  raw.descriptor.digest = sha256(bytes);
  if (raw.descriptor.digest != descriptor.digest)
    return Error::corrupt(cat(what, " does not match its digest"))
        .detail(cat("got ", raw.descriptor.digest.str(), " after ", bytes.size(), " bytes"))
        .hint("the layout is damaged; copy the image again");
  return raw;
}

// A layout has no list of referrers: every manifest that index.json names is asked for its subject.
// One that cannot be read belongs to an incomplete image, which is not what was asked about.
Status LayoutTransport::list_referrers_once() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(listed_, true)) return {};
  CL_TRY(const ImageIndex index, parse_image_index(index_json_, limits_));
  for (const Descriptor& entry : index.manifests) {
    const auto raw = read(entry);
    if (!raw.has_value()) continue;
    const auto subject = subject_of(raw->text, limits_);
    if (!subject.has_value() || !*subject) continue;
    referrers_[**subject].push_back(raw->descriptor);
  }
  return {};
}

Result<std::vector<Attached>> LayoutTransport::attached(const Digest& subject) {
  CL_CHECK(list_referrers_once().while_(cat("reading index.json of ", quote(ref_.path))));
  CL_TRY(const ImageIndex index, parse_image_index(index_json_, limits_));
  std::vector<Attached> out;
  for (const std::string_view suffix : kCosignSuffixes) {
    std::string tag = cosign_tag(subject, suffix);
    if (const Descriptor* found = find_ref_name(index, tag)) out.push_back({*found, tag});
  }
  for (CosignAttachment& found : cosign_attachments(index, subject))
    out.push_back({std::move(found.descriptor), std::move(found.tag)});
  if (const auto it = referrers_.find(subject); it != referrers_.end())
    for (const Descriptor& referrer : it->second) out.push_back({referrer, ""});
  if (const Descriptor* fallback = find_ref_name(index, referrers_tag(subject))) {
    // Anything may stand there; what is no list lists nothing.
    const auto raw = read(*fallback);
    const auto list =
        raw.has_value() ? parse_image_index(raw->text, limits_) : Result<ImageIndex>(ImageIndex());
    if (list.has_value())
      for (const Descriptor& referrer : list->manifests) out.push_back({referrer, ""});
  }
  return out;
}

}  // namespace

std::unique_ptr<ImageTransport> make_layout_transport(const ImageRef& ref, std::string index_json,
                                                      BlobOpener open, const Limits& limits) {
  return std::make_unique<LayoutTransport>(ref, std::move(index_json), std::move(open), limits);
}

Error missing_blob(const Descriptor& descriptor, const std::string& where) {
  return Error::not_found(cat("blob ", descriptor.digest.str(), " is missing in ", quote(where)))
      .hint("the layout is incomplete; copy the image again");
}

Status check_layout_version(std::string_view text, const Limits& limits) {
  CL_TRY(const Json json, parse_json(text, limits, "the oci-layout file"));
  CL_TRY(const auto version, get_string(json, "imageLayoutVersion"));
  if (version && version->starts_with("1.")) return {};
  if (!version) return Error::corrupt("the oci-layout file names no imageLayoutVersion");
  return Error::unsupported(cat("image layout version ", quote(version->substr(0, 32)),
                                " is not one cloister knows (1.0.0)"));
}

}  // namespace cloister::oci
