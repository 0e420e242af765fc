// Where what proves a quote comes from: files, directories, a PCCS; and the root that is trusted.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <vector>

#include "cmd/session.h"
#include "sign/quote/ecdsa_quote.h"
#include "sign/quote/intel_collateral.h"
#include "sign/quote/verify_intel.h"

namespace cloister::cmd {

struct CollateralOptions {
  std::vector<std::string> paths;  // --collateral
  std::string pccs, root;
};

void add_collateral_options(CLI::App& app, CollateralOptions& options);

// What is done with a file; false when it is nothing that this caller reads.
using TakeCollateral = std::function<Result<bool>(ByteView)>;
// Every file of --collateral; of a directory the regular files right in it, by name. A file that is
// named but not taken is `invalid`; in a directory it is passed over, as is one that is larger than
// any collateral. `limit` for a directory of more than limits.collateral_files.
Status read_collateral(const CollateralOptions& options, const Limits& limits,
                       const TakeCollateral& take);

// The roots in the file of --root, PEM or DER; none without that option.
// `invalid` when the file has no root.
Result<std::vector<sign::Certificate>> load_roots(const CollateralOptions& options,
                                                  const Limits& limits);
Result<sign::IntelRoots> load_intel_roots(const CollateralOptions& options, const Limits& limits);
// The files, and with --pccs what the service has for this quote (cmd/pccs.h).
Result<sign::IntelCollateral> load_intel_collateral(Session& session,
                                                    const CollateralOptions& options,
                                                    const sign::EcdsaQuote& quote);

}  // namespace cloister::cmd
