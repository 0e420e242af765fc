// The ID block of a measured SEV-SNP guest, as `measure --tee snp` writes it: for QEMU's id-block
// and id-auth, in base64 as QEMU takes them.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>

#include "cmd/guest/snp_options.h"
#include "cmd/measure/target.h"
#include "sign/snp/id_block.h"

namespace cloister::cmd {

// As typed; empty: not given.
struct IdBlockOptions {
  std::string id_block, id_auth;
  SnpBlockOptions block;
  KeyOptions author;
};
void add_id_block_options(CLI::App& app, IdBlockOptions& options);
// Options that contradict each other, or are for an ID block and there is none: `usage`.
Status check_id_block_options(const IdBlockOptions& options, const MeasureOptions& shared);

struct SignedIdBlock {
  sign::SnpIdBlock block;
  sign::SnpIdAuth auth;
};
// Writes the files. Nothing without a key, and when the block is only written to be signed.
Result<std::optional<SignedIdBlock>> write_id_block(const IdBlockOptions& options,
                                                    const MeasureOptions& shared, Session& session,
                                                    const Digest384& launch_digest);

}  // namespace cloister::cmd
