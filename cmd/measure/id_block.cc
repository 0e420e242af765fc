#include "cmd/measure/id_block.h"

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/text.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"

namespace cloister::cmd {
namespace {

Status write_base64(const std::string& file, const Bytes& bytes) {
  return write_file_atomic(file, as_bytes(base64(bytes) + "\n"));
}

}  // namespace

void add_id_block_options(CLI::App& app, IdBlockOptions& o) {
  OptionHeading heading(app, kHeadingIdBlock);
  app.add_option("--id-block", o.id_block, "File for the ID block, in base64, with --key")
      ->type_name("FILE");
  app.add_option("--id-auth", o.id_auth, "File for its authentication, in base64, with --key")
      ->type_name("FILE");
  add_snp_block_options(app, o.block);
  app.add_option("--author-key", o.author.key,
                 cat("Key of an author who vouches for the one of --key (", kKeyForms, ")"))
      ->type_name("KEY");
  app.add_option("--author-passphrase-file", o.author.passphrase.file,
                 "File that holds the passphrase of --author-key")
      ->type_name("FILE");
}

Status check_id_block_options(const IdBlockOptions& o, const MeasureOptions& shared) {
  const bool files = !o.id_block.empty() && !o.id_auth.empty();
  if (files != shared.key.given() || o.id_block.empty() != o.id_auth.empty())
    return Error::usage("--key, --id-block and --id-auth belong together")
        .detail("and so do --signer-cmd or --signature, --id-block and --id-auth")
        .hint("--key PEM --id-block FILE --id-auth FILE writes the ID block");
  if (o.block.given() && !shared.signs())
    return Error::usage("there is no ID block that would have a policy, version or ids")
        .detail("they are not part of the launch digest")
        .hint("add --key PEM --id-block FILE --id-auth FILE, or leave them out");
  if (!o.author.key.empty() && !shared.key.given())
    return Error::usage("--author-key needs an ID block to vouch for")
        .hint("add --key PEM --id-block FILE --id-auth FILE");
  return {};
}

Result<std::optional<SignedIdBlock>> write_id_block(const IdBlockOptions& o,
                                                    const MeasureOptions& shared, Session& session,
                                                    const Digest384& launch_digest) {
  if (!shared.signs()) return std::optional<SignedIdBlock>();
  CL_TRY(sign::SnpIdBlock block, snp_id_block(o.block));
  block.launch_digest = launch_digest;
  if (block.policy.debug())
    session.note("warning: --policy lets the host debug the guest, and so read its memory");
  const Bytes encoded = sign::encode_snp_id_block(block);
  if (!shared.signing_data.empty()) {
    CL_CHECK(write_result(shared.signing_data, as_text(encoded)));
    return std::optional<SignedIdBlock>();
  }
  CL_TRY(const auto key, load_snp_key(shared.key, session.key_context()));
  std::optional<LoadedKey<sign::SnpIdKey>> author;
  if (!o.author.key.empty()) {
    CL_TRY(author, load_snp_key(o.author, session.key_context()));
  }
  CL_TRY(const sign::SnpIdAuth auth,
         sign::sign_snp_id_block(block, key.key, author ? &author->key : nullptr));
  CL_CHECK(write_base64(o.id_block, encoded));
  CL_CHECK(write_base64(o.id_auth, sign::encode_snp_id_auth(auth)));
  return std::optional(SignedIdBlock{block, auth});
}

}  // namespace cloister::cmd
