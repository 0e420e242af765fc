#include "cmd/enclave_image.h"

#include "base/text.h"
#include "manifest-gen/assemble/paths.h"
#include "measure/sgx/enclave.h"

namespace cloister::cmd {
namespace {

// MRENCLAVE from the bytes in the image; nothing when the layout of the runtime is not known.
std::optional<Digest> recompute(const EnclaveImage& enclave, const Bytes& libpal,
                                const Limits& limits) {
  auto layout = measure::sgx::builtin_layout(enclave.version);
  auto table = parse_toml(as_text(enclave.manifest), limits, "the enclave manifest");
  if (!layout.has_value() || !table.has_value()) return std::nullopt;
  auto params = manifest::enclave_params({std::move(*table)}, nullptr);
  if (!params.has_value()) return std::nullopt;
  auto measured = measure::sgx::measure_enclave(libpal, enclave.manifest, *params, *layout, limits);
  if (!measured.has_value()) return std::nullopt;
  return measured->mrenclave;
}

}  // namespace

Result<std::optional<EnclaveImage>> read_enclave_image(Session& session, const oci::ImageRef& ref,
                                                       const oci::Image& image) {
  std::optional<EnclaveImage> none;
  if (image.manifest.layers.empty() ||
      !image.config.config.labels.contains(std::string(manifest::kLabelMrenclave)))
    return none;
  oci::Image top = image;
  top.manifest.layers = {image.manifest.layers.back()};
  top.config.diff_ids = {image.config.diff_ids.back()};
  CL_TRY(const LoadedImage loaded, session.load_layers(ref, std::move(top)));
  const measure::Rootfs& rootfs = *loaded.rootfs;
  const auto read = [&](std::string_view path, std::uint64_t max) -> Result<Bytes> {
    const measure::Node* node = rootfs.find(path);
    if (node == nullptr || !node->is_regular())
      return Error::corrupt(
                 cat("the image is labelled as enclave-ready, but its last layer has no ", path))
          .hint("another tool added a layer on top; inspect the image as cloister built it");
    return rootfs.read(*node, max);
  };
  EnclaveImage out;
  CL_TRY(out.manifest, read(manifest::kSgxManifestPath, session.limits().enclave_manifest_bytes));
  CL_TRY(const Bytes sig, read(manifest::kSigstructPath, sign::kSigstructSize));
  CL_TRY(out.sigstruct, sign::parse_sigstruct(sig));
  out.signature_valid = sign::check_sigstruct(out.sigstruct).has_value();
  const auto version = image.config.config.labels.find(std::string(manifest::kLabelRuntimeVersion));
  if (version != image.config.config.labels.end()) out.version = version->second;
  CL_TRY(const Bytes libpal, read(manifest::kLibpalPath, session.limits().libpal_bytes));
  out.recomputed = recompute(out, libpal, session.limits());
  return std::optional(std::move(out));
}

}  // namespace cloister::cmd
