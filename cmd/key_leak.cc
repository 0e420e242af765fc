#include "cmd/key_leak.h"

#include <algorithm>

#include "base/text.h"
#include "measure/index/key_mark.h"
#include "sign/found_key.h"

namespace cloister::cmd {
namespace {

constexpr const char* kLeakHint =
    "build the base image without the key (what a later layer removes is still in the image), and "
    "consider the key known";

// What is wrong with content, or nothing.
std::optional<std::string> leak_in(ByteView content, const std::vector<UsedKey>& used) {
  for (const sign::FoundKey& found : sign::find_private_keys(content)) {
    for (const UsedKey& key : used)
      if (key.fingerprint == found.fingerprint) return cat("the private key of ", key.option);
    if (found.sgx) return "a private key that signs enclaves (RSA-3072, exponent 3)";
  }
  return std::nullopt;
}

// Through the pack where it is there, else from the layer.
Result<Bytes> content_in_layer(const measure::IndexedLayer& layer, const measure::Entry& entry) {
  const auto packed = layer.index->pack.find(entry.sha256);
  if (packed != layer.index->pack.end()) return packed->second.copy();
  if (layer.content == nullptr) return Error::internal("a layer without content was searched");
  CL_TRY(Bytes bytes, layer.content->read(entry, measure::kMaxKeyFile));
  if (sha256(bytes) != entry.sha256)
    return Error::corrupt(cat(quote("/" + entry.path), " is not what it was when it was indexed"))
        .hint("repair the store: cloister cache verify --repair");
  return bytes;
}

Result<std::optional<std::string>> leak_in_file(const measure::IndexedLayer& layer,
                                                const measure::Entry& entry,
                                                const std::vector<UsedKey>& used) {
  for (const UsedKey& key : used)
    if (key.text == entry.sha256) return std::optional(cat("the file of ", key.option));
  if (!entry.key_mark) return std::optional<std::string>();
  CL_TRY(Bytes content, content_in_layer(layer, entry));
  auto leak = leak_in(content, used);
  wipe(content);
  return leak;
}

std::string config_text(const oci::ExecutionConfig& config) {
  std::string out;
  for (const std::string& variable : config.env) out += variable + "\n";
  for (const auto& label : config.labels) out += label.second + "\n";
  return out;
}

}  // namespace

Status require_no_private_key(const LoadedImage& base, std::string_view manifest,
                              const std::vector<UsedKey>& used) {
  const auto& layers = base.rootfs->layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    for (const measure::Entry& entry : layers[i].index->entries) {
      if (entry.type != measure::FileType::regular) continue;
      CL_TRY(const auto leak, leak_in_file(layers[i], entry, used));
      if (!leak) continue;
      return Error::policy(cat("the image holds ", *leak, ": ", quote("/" + entry.path)))
          .detail(cat("in layer ", i + 1, " of ", layers.size(), ", ", layers[i].index->blob.str()))
          .hint(kLeakHint);
    }
  }
  if (auto leak = leak_in(as_bytes(config_text(base.image.config.config)), used))
    return Error::policy(cat("the image's configuration holds ", *leak))
        .detail("in an environment variable or a label")
        .hint(kLeakHint);
  if (auto leak = leak_in(as_bytes(manifest), used))
    return Error::policy(cat("the manifest would hold ", *leak))
        .detail("everybody can read it in the built image")
        .hint("take it out of --env or the overlay, and consider the key known");
  return {};
}

}  // namespace cloister::cmd
