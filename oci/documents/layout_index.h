// index.json of an image layout (image-layout.md): which name stands for which manifest.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci/documents/image.h"

namespace cloister::oci {

inline constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";

// The names of an index, for people: quoted, sorted, at most `max`, then "and N more".
std::string list_ref_names(const ImageIndex& index, std::size_t max = 12);

// The name that is nearest to one that is not there.
std::optional<std::string> nearest_ref_name(const ImageIndex& index, std::string_view name);

// The first entry of that name, as skopeo takes it, or null.
const Descriptor* find_ref_name(const ImageIndex& index, std::string_view name);

// The text of an index in which `name` stands for `manifest`. Entries that held the name are
// replaced by one at the end; everything else stays as it came, unknown members included. An empty
// name adds an entry without a name, unless there is one of that digest. An empty `text` is an
// empty index.
Result<std::string> with_ref_name(std::string_view text, std::string_view name,
                                  const Descriptor& manifest, const Limits& limits);

struct NamedManifest {
  std::string name;  // may be empty
  Descriptor manifest;
};
// One after the other; then marked for cosign (cosign_layout.h).
Result<std::string> with_ref_names(std::string_view text, const std::vector<NamedManifest>& names,
                                   const Limits& limits);

// Without the entries at these positions (in ascending order).
Result<std::string> without_entries(std::string_view text,
                                    const std::vector<std::size_t>& positions,
                                    const Limits& limits);

}  // namespace cloister::oci
