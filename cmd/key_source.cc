// Errors name a key as the command line does, but never the query of a pkcs11: URI, which may hold
// a PIN, and nothing of what a key's file or variable holds.
#include "cmd/key_source.h"

#include "base/file.h"
#include "base/text.h"
#include "cmd/option_heading.h"
#include "cmd/signer_command.h"
#include "sign/pkcs11/token_key.h"

namespace cloister::cmd {
namespace {

constexpr std::string_view kEnvScheme = "env://";
constexpr std::string_view kForeignSchemes[] = {"awskms://", "gcpkms://", "azurekms://",
                                                "hashivault://", "k8s://"};

Status require_known_scheme(const std::string& reference) {
  for (const std::string_view scheme : kForeignSchemes)
    if (reference.starts_with(scheme))
      return Error::unsupported(cat("keys under ", quote(scheme), " are not read"))
          .hint("let a program sign with it: --signer-cmd CMD --public-key PEM");
  return {};
}

// The PEM text behind a file name or env://NAME.
Result<Secret> read_key_text(const std::string& reference, const KeyContext& context) {
  CL_CHECK(require_known_scheme(reference));
  if (sign::is_pkcs11_uri(reference))
    return Error::usage("a key in a token has no file to read here")
        .hint(
            "export its public half, for example with p11tool --export-pubkey, and name that file");
  if (!reference.starts_with(kEnvScheme))
    return read_secret_file(reference, context.limits.key_bytes);
  const std::string name = reference.substr(kEnvScheme.size());
  const auto at = context.env.variables.find(name);
  if (at == context.env.variables.end() || at->second.empty())
    return Error::invalid(cat("the environment has no variable ", quote(name)))
        .detail(cat(quote(reference), " was to be a key"))
        .hint("set it to the PEM text of the key, and export it");
  if (at->second.size() > context.limits.key_bytes)
    return Error::limit(cat("the variable ", quote(name), " is too large to be a key"))
        .hint("it holds the PEM text of the key, not more");
  return Secret(at->second);
}

// The PIN: from the URI, from the file it names, else as passphrases are asked for.
sign::PassphraseSource pin_source(sign::Pkcs11Uri& uri, const KeyOptions& options,
                                  const KeyContext& context) {
  if (uri.pin) {
    auto pin = std::make_shared<const Secret>(std::move(*uri.pin));
    return [pin]() -> Result<std::optional<Secret>> { return std::optional(Secret(pin->text())); };
  }
  if (!uri.pin_file.empty()) {
    return [file = uri.pin_file]() -> Result<std::optional<Secret>> {
      CL_TRY(Secret pin, read_secret_file(file, 4096));
      pin.keep_first_line();
      return std::optional(std::move(pin));
    };
  }
  return passphrase_source(options.passphrase, context.env, cat("PIN for ", quote(uri.object)),
                           PassphraseFor::token);
}

// `hash` as TokenAccess has it.
Result<sign::ExternalKey> open_token(const KeyOptions& options, const char* hash,
                                     const KeyContext& context) {
  CL_TRY(sign::Pkcs11Uri uri, sign::parse_pkcs11_uri(options.key));
  sign::TokenAccess access;
  access.module = uri.module_path;
  for (const char* name : {"PKCS11_MODULE_PATH", "COSIGN_PKCS11_MODULE_PATH"})
    if (access.module.empty()) access.module = context.env.get(name).value_or("");
  access.pin = pin_source(uri, options, context);
  access.hash = hash;
  return sign::open_token_key(uri, std::move(access));
}

Result<std::string> public_text(const KeyOptions& options, const KeyContext& context) {
  CL_TRY(const Secret text, read_key_text(options.public_key, context));
  return std::string(text.text());
}

// Raw as OpenSSL writes it, or in base64. An RSA signature in base64 is longer than a raw one.
Result<Bytes> read_signature(const std::string& file) {
  constexpr std::uint64_t kMaxSignatureFile = 4096;
  CL_TRY(Bytes bytes, read_file(file, kMaxSignatureFile));
  const auto decoded = unbase64(trim(as_text(bytes)));
  if (decoded && !decoded->empty()) return *decoded;
  return bytes;
}

std::string sign_algorithm(sign::ImageKeyKind kind) {
  switch (kind) {
    case sign::ImageKeyKind::ecdsa_p256:
    case sign::ImageKeyKind::ecdsa_p384:
      return "ecdsa-sha256";
    case sign::ImageKeyKind::ed25519:
      return "ed25519";
    case sign::ImageKeyKind::rsa:
      break;
  }
  return "rsa-pkcs1-sha256";
}

// In a token, or in PEM text. `more` is what a kind of key is made of beside. REQUIRES:
// !options.key.empty()
template <class Key, class... More>
Result<LoadedKey<Key>> load_private_key(const KeyOptions& options, const char* hash,
                                        const KeyContext& context, const More&... more) {
  CL_CHECK(require_known_scheme(options.key));
  if (sign::is_pkcs11_uri(options.key)) {
    CL_TRY(sign::ExternalKey token, open_token(options, hash, context));
    CL_TRY(Key key, Key::external(std::move(token), more...));
    return LoadedKey<Key>{std::move(key), std::nullopt};
  }
  const std::string name = quote(options.key);
  CL_TRY(const Secret pem, read_key_text(options.key, context));
  CL_TRY(Key key, Key::from_pem(pem.bytes(),
                                passphrase_source(options.passphrase, context.env,
                                                  cat("passphrase for ", name)),
                                name, more...));
  return LoadedKey<Key>{std::move(key), sha256(pem.bytes())};
}

// With a program, or used already: its signature is in a file.
template <class Key, class... More>
Result<LoadedKey<Key>> load_outside_key(const KeyOptions& options, std::string half,
                                        const std::string& algorithm, const KeyContext& context,
                                        const More&... more) {
  sign::ExternalKey external;
  if (!options.command.empty()) {
    CL_TRY(external, signer_command_key(options.command, std::move(half), algorithm, context));
  } else {
    external.public_pem = std::move(half);
    external.name = quote(options.signature);
    external.sign = [file = options.signature](ByteView) { return read_signature(file); };
  }
  CL_TRY(Key key, Key::external(std::move(external), more...));
  return LoadedKey<Key>{std::move(key), std::nullopt};
}

}  // namespace

void add_signer_options(CLI::App& app, KeyOptions& options, const std::string& prefix,
                        const std::string& whose) {
  OptionHeading heading(app, kHeadingSigning);
  app.add_option("--" + prefix + "signer-cmd", options.command,
                 cat("Program that signs in place of ", whose,
                     ": the bytes on its standard input, the raw signature on its standard output"))
      ->type_name("COMMAND");
  app.add_option("--" + prefix + "public-key", options.public_key,
                 cat("Public half of the key that signs outside (PEM file or env://VARIABLE)"))
      ->type_name("KEY");
}

void add_two_step_options(CLI::App& app, KeyOptions& options, std::string& signing_data,
                          const std::string& data, const std::string& algorithm) {
  OptionHeading heading(app, kHeadingSigning);
  app.add_option("--emit-signing-data", signing_data,
                 cat("Only write the bytes that the signature is over, to be signed elsewhere (",
                     data, ")"))
      ->type_name("FILE");
  app.add_option("--signature", options.signature,
                 cat("Their signature, raw or base64, with --public-key (", algorithm, ")"))
      ->type_name("FILE");
}

Status check_key_options(const KeyOptions& options, const std::string& prefix) {
  const int ways = static_cast<int>(!options.key.empty()) +
                   static_cast<int>(!options.command.empty()) +
                   static_cast<int>(!options.signature.empty());
  const std::string key = cat("--", prefix, "key"), command = cat("--", prefix, "signer-cmd"),
                    half = cat("--", prefix, "public-key");
  if (ways > 1)
    return Error::usage(cat(key, ", ", command, " and --signature exclude each other"))
        .hint("each is a way to sign; choose one");
  const bool outside = !options.command.empty() || !options.signature.empty();
  if (outside && options.public_key.empty())
    return Error::usage(cat(options.command.empty() ? "--signature" : command, " needs ", half))
        .hint("what was signed outside is checked with the public key before it is used");
  if (!outside && !options.public_key.empty())
    return Error::usage(cat(half, " belongs to ", command, " or --signature"))
        .hint("a private key has its public half with it");
  return {};
}

Result<LoadedKey<sign::SgxKey>> load_sgx_key(const KeyOptions& options, const KeyContext& context) {
  if (!options.key.empty()) return load_private_key<sign::SgxKey>(options, "SHA256", context);
  CL_TRY(std::string half, public_text(options, context));
  return load_outside_key<sign::SgxKey>(options, std::move(half), "rsa-pkcs1-sha256", context);
}

Result<LoadedKey<sign::SnpIdKey>> load_snp_key(const KeyOptions& options,
                                               const KeyContext& context) {
  if (!options.key.empty()) return load_private_key<sign::SnpIdKey>(options, "SHA384", context);
  CL_TRY(std::string half, public_text(options, context));
  return load_outside_key<sign::SnpIdKey>(options, std::move(half), "ecdsa-sha384", context);
}

Result<LoadedKey<sign::EifKey>> load_eif_key(const KeyOptions& options,
                                             const sign::Certificate& certificate,
                                             const KeyContext& context) {
  const char* hash = sign::cose_hash(sign::eif_algorithm_of(certificate));
  if (!options.key.empty())
    return load_private_key<sign::EifKey>(options, hash, context, certificate);
  CL_TRY(std::string half, public_text(options, context));
  return load_outside_key<sign::EifKey>(options, std::move(half), cat("ecdsa-", lower_ascii(hash)),
                                        context, certificate);
}

Result<LoadedKey<sign::ImageKey>> load_image_key(const KeyOptions& options,
                                                 const KeyContext& context) {
  if (!options.key.empty()) return load_private_key<sign::ImageKey>(options, "SHA256", context);
  CL_TRY(std::string half, public_text(options, context));
  CL_TRY(const sign::ImagePublicKey public_half,
         sign::ImagePublicKey::from_pem(as_bytes(half), quote(options.public_key)));
  return load_outside_key<sign::ImageKey>(options, std::move(half),
                                          sign_algorithm(public_half.kind()), context);
}

bool is_key_file(const std::string& reference) {
  return !reference.starts_with(kEnvScheme) && !sign::is_pkcs11_uri(reference) &&
         require_known_scheme(reference).has_value();
}

Result<sign::ImagePublicKey> load_public_key(const std::string& reference,
                                             const KeyContext& context) {
  CL_TRY(const Secret pem, read_key_text(reference, context));
  return sign::ImagePublicKey::from_pem(pem.bytes(), quote(reference));
}

}  // namespace cloister::cmd
