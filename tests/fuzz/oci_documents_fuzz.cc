// Any bytes as image manifest, index and configuration. What one reader takes for a manifest the
// other must not take for an index; a manifest we write reads back; an edited index.json stays one.
#include <cstdint>
#include <cstdlib>

#include "oci/documents/image.h"
#include "oci/documents/layout_index.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  const Limits limits;
  const auto manifest = oci::parse_image_manifest(text, limits);
  const auto index = oci::parse_image_index(text, limits);
  if (manifest.has_value() && index.has_value()) std::abort();
  if (manifest.has_value()) {
    const std::string written = oci::write_image_manifest(*manifest);
    const auto again = oci::parse_image_manifest(written, limits);
    if (!again.has_value() || oci::write_image_manifest(*again) != written) std::abort();
  }
  if (index.has_value()) {
    (void)oci::select_platform(*index, {"linux", "amd64", ""});
    oci::Descriptor entry;
    entry.media_type = oci::media_type::kOciManifest;
    const auto edited = oci::with_ref_name(text, "name", entry, limits);
    if (edited.has_value()) {
      const auto again = oci::parse_image_index(*edited, limits);
      if (!again.has_value() || oci::find_ref_name(*again, "name") == nullptr) std::abort();
    }
  }
  if (const auto config = oci::parse_image_config(text, limits); config.has_value())
    if (config->created && config->created->time_since_epoch().count() < 0) std::abort();
  (void)oci::identify_document(text, oci::media_type::kDockerManifestList, limits);
  return 0;
}
