// A private key in an image is everybody's who can pull it: a build refuses to publish one that it
// signs with, and any that was made to sign enclaves.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "cmd/session.h"

namespace cloister::cmd {

struct UsedKey {
  std::string option;          // "--key"
  Digest fingerprint;          // of its public half
  std::optional<Digest> text;  // of the PEM file: an encrypted copy is known by its bytes
};

// `policy`, with layer and path, for a key in any layer (also in a file that a later layer hides,
// as every layer is published), in the image's configuration, or in `manifest`: what a build makes
// of options and overlay, as text.
Status require_no_private_key(const LoadedImage& base, std::string_view manifest,
                              const std::vector<UsedKey>& used);

}  // namespace cloister::cmd
