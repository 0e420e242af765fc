#include "cmd/measure/id_block.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "base/text.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"

namespace cloister::cmd {
namespace {

Result<std::array<std::byte, 16>> parse_id(std::string_view option, const std::string& text) {
  std::array<std::byte, 16> out{};
  if (text.empty()) return out;
  const auto bytes = unhex(text);
  if (!bytes || bytes->size() != out.size())
    return Error::usage(cat(option, " is not an id: ", quote(text)))
        .hint("an id is 16 bytes, written as 32 hexadecimal digits");
  std::ranges::copy(*bytes, out.begin());
  return out;
}

Result<sign::SnpPolicy> parse_policy(const std::string& text) {
  sign::SnpPolicy policy = sign::SnpIdBlock().policy;
  if (text.empty()) return policy;
  CL_TRY(policy.bits, parse_number_option("--policy", text, ~0ULL));
  if (!policy.must_be_one())
    return Error::usage(cat("--policy ", quote(text), " is one that no processor accepts"))
        .detail("bit 17 is reserved and must be one")
        .hint("add 0x20000; QEMU's default is 0x30000");
  return policy;
}

Result<sign::SnpIdBlock> id_block_of(const IdBlockOptions& o, const Digest384& launch_digest) {
  sign::SnpIdBlock block;
  block.launch_digest = launch_digest;
  CL_TRY(block.policy, parse_policy(o.policy));
  CL_TRY(block.family_id, parse_id("--family-id", o.family_id));
  CL_TRY(block.image_id, parse_id("--image-id", o.image_id));
  if (!o.guest_svn.empty()) {
    CL_TRY(const std::uint64_t svn, parse_number_option("--guest-svn", o.guest_svn, 0xffffffff));
    block.guest_svn = static_cast<std::uint32_t>(svn);
  }
  return block;
}

Status write_base64(const std::string& file, const Bytes& bytes) {
  return write_file_atomic(file, as_bytes(base64(bytes) + "\n"));
}

}  // namespace

Result<std::uint64_t> parse_number_option(std::string_view option, std::string_view text,
                                          std::uint64_t max) {
  const bool hexadecimal = text.starts_with("0x");
  const std::string_view digits = hexadecimal ? text.substr(2) : text;
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value, hexadecimal ? 16 : 10);
  if (digits.empty() || read.ec != std::errc() || read.ptr != end || value > max)
    return Error::usage(cat(option, " is no number, or too large: ", quote(text.substr(0, 100))))
        .detail(cat("at most ", max > 0xffff ? hex_number(max) : cat(max)))
        .hint("decimal, or hexadecimal behind 0x");
  return value;
}

void add_id_block_options(CLI::App& app, IdBlockOptions& o) {
  OptionHeading heading(app, kHeadingIdBlock);
  app.add_option("--id-block", o.id_block, "File for the ID block, in base64, with --key")
      ->type_name("FILE");
  app.add_option("--id-auth", o.id_auth, "File for its authentication, in base64, with --key")
      ->type_name("FILE");
  app.add_option("--policy", o.policy, "Policy that the launch must have (default: 0x30000)")
      ->type_name("N");
  app.add_option("--guest-svn", o.guest_svn, "Security version of the guest (default: 0)")
      ->type_name("N");
  app.add_option("--family-id", o.family_id, "Family of the guest, 16 bytes (default: zeros)")
      ->type_name("HEX");
  app.add_option("--image-id", o.image_id, "Image of the guest, 16 bytes (default: zeros)")
      ->type_name("HEX");
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
  const bool fields =
      !o.policy.empty() || !o.guest_svn.empty() || !o.family_id.empty() || !o.image_id.empty();
  if (fields && !shared.signs())
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
  CL_TRY(const sign::SnpIdBlock block, id_block_of(o, launch_digest));
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
