#include "oci/store/document_reader.h"

#include "base/text.h"

namespace cloister::oci {
namespace {

const std::optional<Digest>& wanted_digest(const ImageRef& ref) {
  return ref.transport == Transport::registry ? ref.registry.digest : ref.digest;
}

// The transports verify too; this is where it is relied on.
Status verify(const RawManifest& raw, const Digest& want) {
  const Digest got = sha256(raw.text);
  if (got == want) return {};
  return Error::corrupt("the image manifest does not match its digest")
      .detail(cat("got ", got.str(), " after ", raw.text.size(), " bytes, want ", want.str()))
      .hint("something between you and the source changed the bytes; do not trust this copy");
}

}  // namespace

Error unreadable_layer(const Descriptor& layer, std::size_t i, std::size_t count) {
  const std::string_view type = layer.media_type;
  std::string_view why = "cloister reads tar layers, plain or compressed by gzip or zstd";
  std::string_view hint = "ask for another build of the image";
  if (is_foreign_layer(type)) {
    why = "it is not distributable: such a layer lies elsewhere (Windows base images have them)";
    hint = "choose another platform of the image with --platform, or another image";
  } else if (type.ends_with("+encrypted")) {
    why = "the layer is encrypted";
    hint = "decrypt the image first, for example with skopeo copy --decryption-key";
  }
  return Error::unsupported(
             cat("layer ", i + 1, " of ", count, " is of type ", quote(type.substr(0, 200))))
      .detail(std::string(why))
      .hint(std::string(hint));
}

// The bytes of a blob that the store holds intact.
std::optional<std::string> DocumentReader::stored(const Descriptor& descriptor,
                                                  std::uint64_t max) const {
  if (!store_.has_blob(descriptor.digest, descriptor.size)) return std::nullopt;
  const auto bytes = store_.read_blob(descriptor, max);
  if (!bytes.has_value()) return std::nullopt;
  return std::string(as_text(*bytes));
}

// A digest alone does not tell the size; the file does, and the hash tells the truth.
std::optional<RawManifest> DocumentReader::stored_root(const Digest& digest) const {
  std::error_code error;
  RawManifest raw;
  raw.descriptor.digest = digest;
  raw.descriptor.size = fs::file_size(store_.blob_path(digest), error);
  if (error) return std::nullopt;
  auto text = stored(raw.descriptor, context_.limits.manifest_bytes);
  if (!text) return std::nullopt;
  raw.text = std::move(*text);
  return raw;
}

Result<RawManifest> DocumentReader::root() {
  const std::optional<Digest>& want = wanted_digest(ref_);
  if (want) {
    if (auto raw = stored_root(*want)) return std::move(*raw);
  }
  CL_TRY(RawManifest raw, transport_.root());
  CL_CHECK(verify(raw, want ? *want : raw.descriptor.digest));
  return raw;
}

Result<RawManifest> DocumentReader::document(const Descriptor& descriptor) {
  if (descriptor.size > context_.limits.manifest_bytes)
    return Error::limit(cat("the image manifest is larger than the limit of ",
                            human_bytes(context_.limits.manifest_bytes)))
        .detail(cat("got ", descriptor.size, " bytes"));
  if (auto text = stored(descriptor, context_.limits.manifest_bytes))
    return RawManifest{descriptor, std::move(*text)};
  CL_TRY(RawManifest raw, transport_.manifest(descriptor));
  CL_CHECK(verify(raw, descriptor.digest));
  raw.descriptor.media_type = descriptor.media_type;
  return raw;
}

Result<DocumentIdentity> DocumentReader::keep(RawManifest& raw) {
  CL_TRY(DocumentIdentity identity,
         identify_document(raw.text, raw.descriptor.media_type, context_.limits));
  CL_TRY(raw.descriptor, store_.put_bytes(identity.media_type, as_bytes(raw.text)));
  return identity;
}

Result<std::string> DocumentReader::text(const Descriptor& descriptor, std::uint64_t max) {
  if (auto kept = stored(descriptor, max)) return std::move(*kept);
  CL_CHECK(store_.fetch_blob(descriptor, transport_, {}, context_.cancel));
  CL_TRY(const Bytes bytes, store_.read_blob(descriptor, max));
  return std::string(as_text(bytes));
}

}  // namespace cloister::oci
