// What is attached to a manifest of a repository (distribution-spec, "Listing Referrers" and
// "Pushing Manifests with Subject"): the referrers API, or its fallback tag.
#pragma once

#include <vector>

#include "oci/registry/client.h"
#include "oci/registry/connection.h"

namespace cloister::oci {

// An empty list when there are none. `client` reads the fallback tag of the same repository.
Result<std::vector<Descriptor>> list_referrers(Connection& connection, RegistryClient& client,
                                               const Digest& subject);
// Puts a manifest with a subject under its digest; where the registry does not say that it took
// note of the subject, and has no referrers API, the fallback index is changed too.
Status put_referrer(Connection& connection, RegistryClient& client, const RawManifest& manifest,
                    const Digest& subject);

}  // namespace cloister::oci
