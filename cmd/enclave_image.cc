#include "cmd/enclave_image.h"

#include "base/text.h"
#include "manifest-gen/assemble/paths.h"
#include "measure/sgx/enclave.h"

namespace cloister::cmd {
namespace {

// MRENCLAVE from the bytes in the image.
Status recompute(EnclaveImage& enclave, const Bytes& libpal, const Limits& limits) {
  CL_TRY(const auto layout, measure::sgx::builtin_layout(enclave.version));
  CL_TRY(auto table, parse_toml(as_text(enclave.manifest), limits, "the enclave manifest"));
  CL_TRY(const auto params, manifest::enclave_params({std::move(table)}, nullptr));
  enclave.enclave_size = params.enclave_size;
  CL_TRY(const auto measured,
         measure::sgx::measure_enclave(libpal, enclave.manifest, params, layout, limits));
  enclave.recomputed = measured.mrenclave;
  return {};
}

// The files that the manifest trusts, as path and digest; one without a digest has none that fits.
Result<std::vector<sign::NamedDigest>> trusted_of(const Bytes& manifest, const Limits& limits) {
  constexpr std::string_view kFileUri = "file:";
  CL_TRY(const TomlTable table, parse_toml(as_text(manifest), limits, "the enclave manifest"));
  std::vector<sign::NamedDigest> out;
  const TomlValue* trusted = table.at("sgx.trusted_files");
  if (trusted == nullptr || trusted->array() == nullptr) return out;
  for (const TomlValue& item : *trusted->array()) {
    const TomlTable* entry = item.table();
    const TomlValue* uri = entry == nullptr ? nullptr : entry->find("uri");
    const TomlValue* hash = entry == nullptr ? nullptr : entry->find("sha256");
    if (uri == nullptr || uri->string() == nullptr || hash == nullptr ||
        hash->string() == nullptr || !uri->string()->starts_with(kFileUri))
      return Error::corrupt("sgx.trusted_files of the image's manifest is not of the final form");
    CL_TRY(const Digest digest, Digest::parse_hex(*hash->string()));
    out.push_back({uri->string()->substr(kFileUri.size()), digest});
  }
  return out;
}

}  // namespace

std::string image_label(const oci::Image& image, std::string_view name) {
  const auto& labels = image.config.config.labels;
  const auto at = labels.find(std::string(name));
  return at == labels.end() ? std::string() : at->second;
}

bool is_enclave_ready(const oci::Image& image) {
  return !image.manifest.layers.empty() &&
         image.config.config.labels.contains(std::string(manifest::kLabelMrenclave));
}

Result<EnclaveImage> read_enclave(const measure::Rootfs& rootfs, const oci::Image& image,
                                  const Limits& limits) {
  const auto read = [&](std::string_view path, std::uint64_t max) -> Result<Bytes> {
    const measure::Node* node = rootfs.find(path);
    if (node == nullptr || !node->is_regular())
      return Error::corrupt(cat("the image is labelled as enclave-ready, but it has no ", path))
          .hint("another tool added a layer on top; inspect the image as cloister built it");
    return rootfs.read(*node, max);
  };
  EnclaveImage out;
  CL_TRY(out.manifest, read(manifest::kSgxManifestPath, limits.enclave_manifest_bytes));
  CL_TRY(const Bytes sig, read(manifest::kSigstructPath, sign::kSigstructSize));
  CL_TRY(out.sigstruct, sign::parse_sigstruct(sig));
  out.sigstruct_digest = sha256(sig);
  out.signature_valid = sign::check_sigstruct(out.sigstruct).has_value();
  out.version = image_label(image, manifest::kLabelRuntimeVersion);
  out.provenance = image_label(image, manifest::kLabelProvenance);
  CL_TRY(const Bytes libpal, read(manifest::kLibpalPath, limits.libpal_bytes));
  CL_TRY(const Bytes libsysdb, read(manifest::kLibsysdbPath, limits.libpal_bytes));
  out.runtime_files = {{"libpal.so", sha256(libpal)}, {"libsysdb.so", sha256(libsysdb)}};
  if (auto done = recompute(out, libpal, limits); !done.has_value())
    out.recompute_problem = done.error().what();
  return out;
}

Result<std::optional<EnclaveImage>> read_enclave_image(Session& session, const oci::ImageRef& ref,
                                                       const oci::Image& image) {
  if (!is_enclave_ready(image)) return std::optional<EnclaveImage>();
  oci::Image top = image;
  top.manifest.layers = {image.manifest.layers.back()};
  top.config.diff_ids = {image.config.diff_ids.back()};
  CL_TRY(const LoadedImage loaded, session.load_layers(ref, std::move(top)));
  CL_TRY(EnclaveImage enclave, read_enclave(*loaded.rootfs, image, session.limits()));
  return std::optional(std::move(enclave));
}

Result<EnclaveImage> read_sound_enclave(Session& session, const oci::ImageRef& ref,
                                        const oci::Image& image) {
  CL_TRY(auto read, read_enclave_image(session, ref, image));
  if (!read)
    return Error::invalid(cat(quote(image.name), " is not enclave-ready"))
        .hint("cloister build makes an enclave-ready image of it");
  if (!read->signature_valid)
    return Error::policy(cat("the SIGSTRUCT in ", quote(image.name), " is not validly signed"))
        .hint("build the image anew; nothing should trust this one");
  if (!read->recomputed)
    return Error::unsupported(cat("the measurement of ", quote(image.name),
                                  " cannot be computed: ", read->recompute_problem))
        .hint("build the image anew with this version of cloister");
  if (*read->recomputed != read->sigstruct.mrenclave)
    return Error::policy(cat("the SIGSTRUCT in ", quote(image.name), " signs another enclave"))
        .detail(cat("it signs ", read->sigstruct.mrenclave.hex(), ", the files give ",
                    read->recomputed->hex()))
        .hint("build the image anew; nothing should trust this one");
  return *std::move(read);
}

Result<sign::EnclaveEvidence> enclave_evidence(const LoadedImage& loaded,
                                               const EnclaveImage& enclave, const Limits& limits) {
  sign::EnclaveEvidence out;
  out.sigstruct = enclave.sigstruct;
  out.sigstruct_digest = enclave.sigstruct_digest;
  out.manifest_digest = sha256(enclave.manifest);
  out.mrenclave = enclave.recomputed;
  out.mrenclave_problem = enclave.recompute_problem;
  out.runtime_files = enclave.runtime_files;
  CL_TRY(out.trusted, trusted_of(enclave.manifest, limits));
  for (const sign::NamedDigest& file : out.trusted) {
    const measure::Node* node = loaded.rootfs->find(file.name);
    if (node == nullptr || !node->is_regular() || node->entry->sha256 != file.sha256)
      out.differing.push_back(file.name);
  }
  out.runtime_name = image_label(loaded.image, manifest::kLabelRuntime);
  out.runtime_version = enclave.version;
  out.base_uri = image_label(loaded.image, manifest::kLabelBaseName);
  if (const std::string base = image_label(loaded.image, manifest::kLabelBaseDigest);
      !base.empty()) {
    CL_TRY(out.base_digest, Digest::parse(base));
  }
  const oci::ExecutionConfig& config = loaded.image.config.config;
  const std::vector<std::string> start = {std::string(manifest::kLoaderPath),
                                          std::string(manifest::kLibpalPath), "init",
                                          std::string(manifest::kApplicationPath)};
  out.starts_loader = config.entrypoint == start && config.cmd.empty();
  return out;
}

}  // namespace cloister::cmd
