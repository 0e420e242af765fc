#include "cmd/guest/guest_packing.h"

#include "base/text.h"

namespace cloister::cmd {
Status GuestPacking::put(GuestFile file, std::string title, const Digest& digest,
                         std::uint64_t size, Source& content) {
  oci::Descriptor descriptor;
  descriptor.digest = digest;
  descriptor.size = size;
  CL_CHECK(store_.put_blob(descriptor, content, {}, session_.cancel()));
  blobs_.push_back({file, std::move(title), digest, size});
  return {};
}

Status GuestPacking::keep(GuestFile file, ByteView content, std::uint32_t vcpus) {
  MemorySource source(content);
  return put(file, guest_file_title(file, vcpus), sha256(content), content.size(), source);
}

Result<GuestBuild> GuestPacking::finish(manifest::GuestDocument document, GuestStatement statement,
                                        Seconds created, const GuestNaming& naming) {
  GuestConfigFacts facts;
  facts.tee = tee_of(statement);
  facts.created = created;
  facts.labels.insert(naming.labels.begin(), naming.labels.end());
  facts.labels["org.opencontainers.image.base.digest"] = origin_of(statement).base_digest.str();
  if (!naming.base_name.empty())
    facts.labels["org.opencontainers.image.base.name"] = naming.base_name;
  GuestBuild out{std::move(document), std::move(statement), std::move(blobs_), {}};
  out.artifact = make_guest_artifact(out.blobs, facts);
  CL_CHECK(store_.put_bytes(oci::media_type::kGuestConfig, as_bytes(out.artifact.config_text)));
  CL_CHECK(store_.put_bytes(oci::media_type::kOciManifest, as_bytes(out.artifact.manifest_text)));
  return out;
}

sign::GuestOrigin origin_of_build(const Session& session, const GuestDraft& draft,
                                  const manifest::GuestDocument& document,
                                  const GuestNaming& naming) {
  sign::GuestOrigin out;
  out.platform = session.platform().str();
  state_document(manifest::encode_guest_document(document), document.tree, out);
  out.base_uri = naming.base_name;
  out.base_digest = draft.found.base.image.manifest_descriptor.digest;
  out.generator_version = std::string(kVersion);
  return out;
}

}  // namespace cloister::cmd
