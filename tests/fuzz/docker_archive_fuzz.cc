// Any bytes as the manifest.json of a docker-archive. What is read is written and read back alike.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "oci/documents/docker_archive.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const Limits limits;
  const auto images =
      oci::parse_docker_archive(as_text(std::as_bytes(std::span(data, size))), limits);
  if (!images.has_value()) return 0;
  const std::string written = oci::write_docker_archive(*images);
  const auto again = oci::parse_docker_archive(written, limits);
  if (!again.has_value() || oci::write_docker_archive(*again) != written) std::abort();
  for (const char* tag : {"", "@0", "@7", "docker.io/library/redis:7"}) {
    const auto chosen = oci::choose_docker_image(*images, tag, "file");
    if (chosen.has_value() && *chosen >= images->size()) std::abort();
  }
  return 0;
}
