#include <memory>
#include <string>

#include "base/file.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/passphrase.h"
#include "sign/image/image_key.h"
#include "sign/key.h"
#include "sign/snp/id_key.h"

namespace cloister::cmd {
namespace {

enum class NewKeyKind { sgx, image, snp };

struct KeygenOptions {
  std::string output, public_output, type = "ecdsa-p256";
  NewKeyKind kind = NewKeyKind::sgx;
  bool encrypt = false, force = false;
  PassphraseOptions passphrase;
};

// Two texts: the private key and, where others need it as a file, the public one.
struct NewKey {
  Secret private_pem;
  std::string public_pem;
};

Result<NewKey> make_sgx_key(const std::optional<Secret>& passphrase) {
  CL_TRY(const sign::SgxKey key, sign::SgxKey::generate());
  CL_TRY(Secret pem, key.to_pem(passphrase));
  return NewKey{std::move(pem), ""};
}

Result<NewKey> make_image_key(const std::string& type, const std::optional<Secret>& passphrase) {
  const auto kind = sign::parse_image_key_kind(type);
  if (!kind) return Error::internal(cat("no key type ", quote(type)));
  CL_TRY(const sign::ImageKey key, sign::ImageKey::generate(*kind));
  CL_TRY(Secret pem, key.to_pem(passphrase));
  return NewKey{std::move(pem), key.public_key().pem()};
}

Result<NewKey> make_snp_key(const std::optional<Secret>& passphrase) {
  CL_TRY(const sign::SnpIdKey key, sign::SnpIdKey::generate());
  CL_TRY(Secret pem, key.to_pem(passphrase));
  return NewKey{std::move(pem), ""};
}

Result<NewKey> make_key(const KeygenOptions& o, const std::optional<Secret>& passphrase) {
  switch (o.kind) {
    case NewKeyKind::image:
      return make_image_key(o.type, passphrase);
    case NewKeyKind::snp:
      return make_snp_key(passphrase);
    case NewKeyKind::sgx:
      break;
  }
  return make_sgx_key(passphrase);
}

// "image.pem" → "image.pub".
std::string public_name(const std::string& file) {
  fs::path path(file);
  return path.replace_extension(".pub").string();
}

bool is_file_name(const std::string& output) {
  return !output.empty() && output != "-";
}

Result<int> run_keygen(const KeygenOptions& o, const Environment& env) {
  std::string public_output = o.public_output;
  if (o.kind == NewKeyKind::image && public_output.empty() && is_file_name(o.output))
    public_output = public_name(o.output);
  if (is_file_name(o.output) && public_output == o.output)
    return Error::usage(cat(quote(o.output), " cannot hold both keys"))
        .hint("name the private key NAME.pem, or the public one with --public");
  for (const std::string& file : {o.output, public_output}) {
    std::error_code error;
    if (is_file_name(file) && !o.force && fs::exists(file, error))
      return Error::conflict(cat(quote(file), " exists already"))
          .hint("a lost key cannot be had back; give --force to replace it");
  }
  std::optional<Secret> passphrase;
  if (o.encrypt || o.passphrase.given()) {
    CL_TRY(passphrase, passphrase_source(o.passphrase, env, "passphrase for the new key",
                                         PassphraseFor::new_key)());
    if (!passphrase || passphrase->empty())
      return Error::invalid("an encrypted key needs a passphrase")
          .hint("give --passphrase-file, or set CLOISTER_PASSWORD");
  }
  CL_TRY(const NewKey key, make_key(o, passphrase));
  CL_CHECK(write_result(o.output, key.private_pem.text(), 0600));
  if (!public_output.empty()) CL_CHECK(write_result(public_output, key.public_pem));
  return 0;
}

}  // namespace

Action add_keygen(CLI::App& app) {
  auto o = std::make_shared<KeygenOptions>();
  const auto add = [&](const char* name, const char* summary) {
    CLI::App* kind = app.add_subcommand(name, summary);
    kind->add_option("-o,--output", o->output,
                     "File for the private key, mode 0600 (default: standard output)")
        ->type_name("FILE");
    kind->add_flag("--encrypt", o->encrypt, "Protect it with a passphrase");
    kind->add_flag("--force", o->force, "Replace an existing file");
    add_passphrase_options(*kind, o->passphrase);
    return kind;
  };
  app.require_subcommand(1);
  add("sgx", "An enclave signing key: RSA-3072 with public exponent 3, PEM (PKCS#8)");
  CLI::App* image = add("image", "A key that signs images and attestations, PEM (PKCS#8)");
  image->add_option("--type", o->type, "Kind of key")
      ->check(CLI::IsMember({"ecdsa-p256", "ecdsa-p384", "ed25519", "rsa"}))
      ->capture_default_str();
  image
      ->add_option("--public", o->public_output,
                   "File for the public key (default: the private key's name with .pub)")
      ->type_name("FILE");
  image->parse_complete_callback([o] { o->kind = NewKeyKind::image; });
  CLI::App* snp =
      add("snp", "A key that signs ID blocks of SEV-SNP guests: ECDSA on P-384, PEM (PKCS#8)");
  snp->parse_complete_callback([o] { o->kind = NewKeyKind::snp; });
  return [o](const Environment& env) { return run_keygen(*o, env); };
}

}  // namespace cloister::cmd
