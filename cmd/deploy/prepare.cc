#include "cmd/deploy/prepare.h"

#include <memory>

#include "base/text.h"

namespace cloister::cmd {

Result<oci::ImageRef> deployable_ref(const std::string& argument) {
  CL_TRY(oci::ImageRef ref, oci::parse_image_ref(argument));
  if (ref.transport != oci::Transport::registry)
    return Error::usage(
               cat(quote(argument), " is not in a registry, from which hosts could pull it"))
        .hint(cat("cloister push ", printable(argument), " REGISTRY/REPOSITORY:TAG"));
  return ref;
}

Result<Deployment> prepare_deployment(Session& session, const oci::ImageRef& ref) {
  CL_TRY(const oci::Image image, session.resolve(ref));
  CL_TRY(const EnclaveImage enclave, read_sound_enclave(session, ref, image));
  CL_TRY(const bool whole, wants_rootfs(image, enclave, session.limits()));
  std::shared_ptr<const measure::Rootfs> rootfs;
  if (whole) {
    CL_TRY(const LoadedImage loaded, session.load_layers(ref, image));
    rootfs = loaded.rootfs;
  }
  return deployment_of(ref, image, enclave, rootfs.get(), session.limits());
}

}  // namespace cloister::cmd
