// Sigstore bundles v0.3 that hold a DSSE envelope signed by a bare key, as cosign 3 attaches them.
#pragma once

#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "sign/image/dsse.h"

namespace cloister::sign {

inline constexpr std::string_view kBundleMediaType =
    "application/vnd.dev.sigstore.bundle.v0.3+json";

// `envelope` as sign_dsse() made it. The hint is that of cosign: base64 of the key's fingerprint.
std::string encode_bundle(std::string_view envelope, const ImagePublicKey& key);
// The envelope of a bundle v0.1 to v0.3. `unsupported` for a bundle without one (message
// signatures); certificates and transparency log entries are not looked at: trust is in the key.
Result<DsseEnvelope> parse_bundle(std::string_view text, const Limits& limits);

}  // namespace cloister::sign
