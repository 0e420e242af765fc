// A registry as a place images come from: thin, because the client already speaks in the values
// that sources share.
#include <utility>

#include "base/text.h"
#include "oci/documents/attached.h"
#include "oci/registry/client.h"

namespace cloister::oci {
namespace {

class RegistryTransport final : public ImageTransport {
 public:
  RegistryTransport(std::shared_ptr<RegistryClient> client, RegistryRef ref)
      : client_(std::move(client)), ref_(std::move(ref)) {}

  Result<RawManifest> root() override { return client_->get_manifest(ref_.reference()); }

  Result<RawManifest> manifest(const Descriptor& descriptor) override {
    CL_TRY(RawManifest got, client_->get_manifest(descriptor.digest.str()));
    if (got.descriptor.size != descriptor.size)
      return Error::corrupt(
                 cat("manifest ", descriptor.digest.str(), " has another size than its index says"))
          .detail(cat("got ", got.descriptor.size, " bytes, want ", descriptor.size));
    return got;
  }

  Result<std::unique_ptr<Source>> blob(const Descriptor& descriptor) override {
    return client_->get_blob(descriptor);
  }
  bool resumable() const override { return true; }
  Result<std::unique_ptr<Source>> blob_from(const Descriptor& descriptor,
                                            std::uint64_t offset) override {
    return client_->get_blob(descriptor, offset);
  }

  Result<std::vector<Attached>> attached(const Digest& subject) override {
    std::vector<Attached> out;
    for (const std::string_view suffix : kCosignSuffixes) {
      const std::string tag = cosign_tag(subject, suffix);
      CL_TRY(auto descriptor, client_->head_manifest(tag));
      if (descriptor) out.push_back({std::move(*descriptor), tag});
    }
    CL_TRY(auto referrers, client_->referrers(subject));
    for (Descriptor& referrer : referrers) out.push_back({std::move(referrer), ""});
    return out;
  }

 private:
  const std::shared_ptr<RegistryClient> client_;
  const RegistryRef ref_;
};

}  // namespace

std::unique_ptr<ImageTransport> make_registry_transport(std::shared_ptr<RegistryClient> client,
                                                        RegistryRef ref) {
  return std::make_unique<RegistryTransport>(std::move(client), std::move(ref));
}

}  // namespace cloister::oci
