// What MarbleRun's Coordinator must be told about images, from their own bytes. The manifest is one
// to start from: users, recovery keys and TLS are for the operator to add.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "base/toml.h"
#include "cmd/command.h"
#include "cmd/enclave_image.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/marble_options.h"
#include "cmd/output.h"
#include "cmd/report/marblerun.h"
#include "cmd/session.h"
#include "sign/quote/certificate.h"

namespace cloister::cmd {
namespace {

struct MarblerunOptions {
  CommonOptions common;
  std::vector<std::string> images;
  std::string identity, admin, output;
  bool update = false;
};

// "NAME=IMAGE", or an image that gives its own name. A name has no character that an image
// reference must have before its first "=".
struct NamedImage {
  std::string name, image;
};
NamedImage split_name(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos || equals == 0) return {"", argument};
  const std::string name = argument.substr(0, equals);
  if (marble_name(name) != name) return {"", argument};
  return {name, argument.substr(equals + 1)};
}

std::string own_name(const oci::ImageRef& ref) {
  return marble_name(ref.transport == oci::Transport::registry ? ref.registry.repository
                                                               : ref.path);
}

void note_what_lacks(const Session& session, const Marble& marble) {
  const manifest::MarbleLaunch& launch = marble.launch;
  const std::string who = quote(marble.name);
  if (!launch.premain)
    session.note(cat("warning: ", who,
                     " does not start MarbleRun's premain: it never asks the Coordinator for what "
                     "stands in the manifest"));
  if (!launch.attested)
    session.note(cat("warning: ", who,
                     " cannot be attested, so that no Coordinator lets it in; build it without "
                     "--no-attestation"));
  if (marble.sigstruct.debug())
    session.note(cat("warning: ", who, " is a debug enclave, which hides nothing"));
  if (launch.host_argv)
    session.note(cat("note: the host chooses the arguments of ", who,
                     "; write those that you want into its Argv"));
  if (!launch.host_env.empty())
    session.note(cat("note: the host chooses ", join(launch.host_env, ", "), " of ", who,
                     "; a value in its Env is one that the host cannot change"));
}

Result<Marble> load_marble(Session& session, const std::string& argument) {
  const NamedImage named = split_name(argument);
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(named.image));
  CL_TRY(const oci::Image image, session.resolve(ref));
  CL_TRY(const EnclaveImage enclave, read_sound_enclave(session, ref, image));
  CL_TRY(auto table,
         parse_toml(as_text(enclave.manifest), session.limits(), "the enclave manifest"));
  Marble out;
  out.name = named.name.empty() ? own_name(ref) : named.name;
  out.sigstruct = enclave.sigstruct;
  CL_TRY(out.launch, manifest::marble_launch({std::move(table)}));
  return out;
}

std::string certificate_pem(ByteView der) {
  constexpr std::size_t kColumns = 64;
  const std::string text = base64(der);
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < text.size(); at += kColumns)
    out += cat(std::string_view(text).substr(at, kColumns), "\n");
  return cat(out, "-----END CERTIFICATE-----\n");
}

// The certificate's own PEM text, without what stands around it in the file: no private key of a
// file that has both gets into a manifest, which everybody may read.
Result<std::string> load_admin(const std::string& file, const Limits& limits) {
  if (file.empty()) return std::string();
  CL_TRY(const std::string text, read_text_file(file, limits.key_bytes));
  auto read = sign::Certificate::parse_pem(text, limits);
  if (!read.has_value())
    return std::move(read)
        .error()
        .while_(cat("reading ", quote(file)))
        .hint("--admin wants the certificate, in PEM, of who may update the manifest");
  return certificate_pem(read->front().der());
}

Result<int> run_marblerun_manifest(const MarblerunOptions& o, const Environment& env) {
  if (o.update && o.identity == "unique")
    return Error::usage("--update and --identity unique exclude each other")
        .detail("an update raises security versions, which a package with a UniqueID has none of")
        .hint("set a new manifest instead, or begin with --identity signer");
  if (!o.admin.empty() && (o.update || o.identity != "signer"))
    return Error::usage("--admin is for a manifest with --identity signer")
        .detail("its certificate may raise security versions, and only such a manifest has them")
        .hint("add --identity signer, or leave out --admin");
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const std::string admin, load_admin(o.admin, session->limits()));
  std::vector<Marble> marbles;
  for (const std::string& argument : o.images) {
    CL_TRY(Marble marble, load_marble(*session, argument));
    const bool taken = std::any_of(marbles.begin(), marbles.end(),
                                   [&](const Marble& m) { return m.name == marble.name; });
    if (taken)
      return Error::usage(cat("two images are named ", quote(marble.name)))
          .hint(cat("name one of them: cloister marblerun manifest NAME=", argument));
    if (!o.update) note_what_lacks(*session, marble);
    marbles.push_back(std::move(marble));
  }
  const std::string text =
      o.update ? marblerun_update_json(marbles)
               : marblerun_manifest_json(marbles, marble_identity(o.identity), admin);
  CL_CHECK(write_result(o.output, text));
  return kExitDone;
}

}  // namespace

Action add_marblerun(CLI::App& app) {
  auto o = std::make_shared<MarblerunOptions>();
  app.require_subcommand(1);
  CLI::App* manifest = app.add_subcommand(
      "manifest",
      "A manifest to start from: packages, Marbles with the arguments, environment and mount keys\n"
      "of each image");
  add_image_options(*manifest, o->common);
  manifest
      ->add_option("IMAGE", o->images,
                   "Enclave-ready images; NAME=IMAGE names package and Marble otherwise than "
                   "the image")
      ->required();
  add_identity_option(*manifest, o->identity);
  manifest
      ->add_option("--admin", o->admin,
                   "Certificate (PEM) of who may raise the security versions later")
      ->type_name("FILE");
  manifest->add_flag(
      "--update", o->update,
      "An update for a manifest that knows the images by signer: security versions only");
  add_output_option(*manifest, o->output);
  return [o](const Environment& env) { return run_marblerun_manifest(*o, env); };
}

}  // namespace cloister::cmd
