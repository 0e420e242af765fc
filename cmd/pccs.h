// A provisioning certificate caching service (PCCS), or Intel's own service behind the same API,
// version 4: where collateral is fetched when it is not at hand.
#pragma once

#include <string>

#include "base/http/client.h"
#include "base/limits.h"
#include "base/result.h"
#include "sign/quote/ecdsa_quote.h"
#include "sign/quote/intel_collateral.h"

namespace cloister::cmd {

// Fetches what proves `quote` into `collateral`: TCB info, the identity of the quoting enclave,
// both revocation lists, and the chains of each. `url` is that of the service, with or without its
// /sgx/certification/v4. A service without the root's revocation list (Intel's own) is no failure.
// `usage` for a malformed URL; `invalid` when neither the quote nor `collateral` has the PCK
// certificate, without which nobody knows what to ask for; `not_found`, `unauthorized`,
// `unavailable` by what the service answers; `corrupt` when that is no collateral.
Status fetch_collateral(http::Client& client, const std::string& url, const sign::EcdsaQuote& quote,
                        const Limits& limits, sign::IntelCollateral& collateral);

}  // namespace cloister::cmd
