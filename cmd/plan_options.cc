#include "cmd/plan_options.h"

#include "base/file.h"
#include "base/hint.h"
#include "base/net/socket.h"
#include "base/path.h"
#include "base/text.h"
#include "base/toml.h"
#include "cmd/option_heading.h"

namespace cloister::cmd {
namespace {

// PATH=tmpfs|encrypted[:KEY]|allowed
Result<manifest::Volume> parse_volume(const std::string& text) {
  const auto at = text.rfind('=');
  if (at == std::string::npos || !text.starts_with('/'))
    return Error::usage(cat("--volume ", quote(text), " is not PATH=KIND"))
        .hint("write --volume /data=tmpfs, =encrypted[:KEY] or =allowed");
  manifest::Volume volume;
  volume.path = measure::normalize_path(text.substr(0, at));
  const std::string kind = text.substr(at + 1);
  if (kind == "tmpfs") {
    volume.kind = manifest::Volume::Kind::tmpfs;
  } else if (kind == "allowed") {
    volume.kind = manifest::Volume::Kind::allowed;
  } else if (kind == "encrypted" || kind.starts_with("encrypted:")) {
    volume.kind = manifest::Volume::Kind::encrypted;
    volume.key_name =
        kind == "encrypted" ? "_sgx_mrenclave" : kind.substr(std::string("encrypted:").size());
    if (volume.key_name.empty())
      return Error::usage(cat("--volume ", quote(text), " names an empty key"))
          .hint("write =encrypted:KEY, or =encrypted for a key of this enclave alone");
  } else {
    return Error::usage(cat("--volume ", quote(text), " has an unknown kind ", quote(kind)))
        .hint("the kinds are tmpfs, encrypted[:KEY] and allowed");
  }
  return volume;
}

Result<std::pair<std::string, std::string>> parse_env(const std::string& text) {
  const auto at = text.find('=');
  if (at == 0 || at == std::string::npos)
    return Error::usage(cat("--env ", quote(text), " is not NAME=VALUE"))
        .hint("to take it from the host at run time: --passthrough NAME");
  return std::pair(text.substr(0, at), text.substr(at + 1));
}

}  // namespace

namespace {

bool is_plain_file_path(std::string_view path) {
  return path.starts_with('/') && measure::normalize_path(path) == path &&
         parent_directory(path) != "/" && !parent_directory(path).empty();
}

Result<manifest::RaTlsFiles> parse_ra_tls(const std::string& text) {
  const auto parts = split(text, ':');
  if (parts.size() == 2 && parts[0] != parts[1] && is_plain_file_path(parts[0]) &&
      is_plain_file_path(parts[1]))
    return manifest::RaTlsFiles{std::string(parts[0]), std::string(parts[1])};
  return Error::usage(cat("--ra-tls=", quote(text), " is not CERT:KEY"))
      .detail("want two files in directories of their own, by absolute paths")
      .hint("for example --ra-tls=/etc/tls/enclave.crt:/etc/tls/enclave.key");
}

Status set_attestation(const PlanArguments& a, PlanOptions& out) {
  if (a.no_attestation && (!a.ra_tls.empty() || !a.secret_prov.empty()))
    return Error::usage("--ra-tls and --secret-prov need remote attestation")
        .hint("leave out --no-attestation");
  if (a.marblerun && (!a.ra_tls.empty() || a.no_attestation))
    return Error::usage("--marblerun excludes --ra-tls and --no-attestation")
        .hint("premain attests the enclave to the Coordinator, which issues its certificate");
  out.marblerun = a.marblerun;
  if (!a.ra_tls.empty()) {
    CL_TRY(out.ra_tls, parse_ra_tls(a.ra_tls));
  }
  if (a.secret_prov.empty()) return {};
  for (const std::string_view server : split(a.secret_prov, ';'))
    if (const auto at = net::parse_host_port(server); !at || at->host.empty())
      return Error::usage(cat("--secret-prov ", quote(a.secret_prov), " is no list of servers"))
          .hint("want HOST:PORT, or HOST:PORT;HOST:PORT");
  out.secret_servers = a.secret_prov;
  out.secret_ca =
      a.secret_prov_ca.empty() ? "/etc/ssl/certs/ca-certificates.crt" : a.secret_prov_ca;
  if (!out.secret_ca.starts_with('/'))
    return Error::usage(cat("--secret-prov-ca ", quote(out.secret_ca), " is no absolute path"))
        .hint("it is a file of the image");
  return {};
}

}  // namespace

void add_runtime_option(CLI::App& app, std::vector<std::string>& runtimes) {
  OptionHeading heading(app, kHeadingEnclave);
  app.add_option("--runtime", runtimes,
                 cat("Gramine: a directory, a .deb or an image; repeatable, later ones supply what "
                     "earlier ones lack (default: ",
                     kDefaultRuntime, ")"))
      ->type_name("IMAGE|DIR|FILE")
      ->expected(1)
      ->take_all();
}

void add_plan_options(CLI::App& app, PlanArguments& a) {
  add_runtime_option(app, a.runtimes);
  app.get_option("--runtime")->envname("CLOISTER_RUNTIME");
  const auto repeatable = [&app](const std::string& name, std::vector<std::string>& to,
                                 const std::string& text, const char* value) {
    app.add_option(name, to, text + "; repeatable")->type_name(value)->expected(1)->take_all();
  };
  OptionHeading heading(app, kHeadingGrants);
  app.add_option("--manifest", a.manifest_file, "TOML overlay, merged over the generated manifest")
      ->type_name("FILE");
  repeatable("--include", a.includes, "Grant a path or glob of the image too, with what it needs",
             "GLOB");
  repeatable("--exclude", a.excludes,
             "Grant no file that matches a path or glob, whatever asks for it", "GLOB");
  app.add_option(
         "--trust", a.trust,
         "none: entrypoint and interpreter; closure: what is needed, data and configuration\n"
         "of the program's package, the application's own files; package: and every file "
         "of\nevery package involved; all: every file of the image")
      ->check(CLI::IsMember({"none", "closure", "package", "all"}))
      ->capture_default_str();
  OptionHeading launch(app, kHeadingLaunch);
  app.add_option("--entrypoint", a.entrypoint,
                 "Program to start instead of the image's (its Cmd is dropped)")
      ->type_name("PROGRAM");
  repeatable("--arg", a.args, "Argument for the program, in place of the image's Cmd", "TEXT");
  repeatable("--env", a.env, "Set a variable", "NAME=VALUE");
  repeatable("--passthrough", a.passthrough, "Take a variable from the untrusted host at run time",
             "NAME");
  app.add_option("--user", a.user, "User to run as: name or uid, with an optional :group")
      ->type_name("USER");
  app.add_option("--workdir", a.workdir, "Directory to start in")->type_name("PATH");
  repeatable("--volume", a.volumes, "Writable place: tmpfs, encrypted[:KEY] or allowed",
             "PATH=KIND");
  OptionHeading enclave(app, kHeadingEnclave);
  app.add_option("--enclave-size", a.enclave_size, "Enclave size, a power of two: 512M, 4G")
      ->type_name("SIZE");
  app.add_option("--max-threads", a.max_threads, "Threads in the enclave");
  app.add_flag("--edmm", a.edmm, "Let the enclave grow and shrink (SGX2)");
  app.add_flag("--debug", a.debug, "A debug enclave: the host can read its memory");
  app.add_option("--isvprodid", a.isvprodid, "Product id in the SIGSTRUCT")
      ->check(CLI::Range(0U, 65535U));
  app.add_option("--isvsvn", a.isvsvn, "Security version in the SIGSTRUCT")
      ->check(CLI::Range(0U, 65535U));
  repeatable("--accept", a.accepted, "Build in spite of a runtime advisory, by its id", "ID");
  OptionHeading attestation(app, kHeadingAttestation);
  app.add_flag("--no-attestation", a.no_attestation,
               "Leave out remote attestation: nobody can verify the enclave");
  app.add_flag("--ra-tls{/ra-tls/cert.pem:/ra-tls/key.pem}", a.ra_tls,
               "Start through gramine-ratls, which makes a TLS certificate with a quote in it for "
               "the\nprogram to serve: PEM files in enclave memory (default: "
               "/ra-tls/cert.pem:/ra-tls/key.pem)")
      ->type_name("=CERT:KEY");
  auto* marblerun = app.add_flag(
      "--marblerun", a.marblerun,
      "Start through MarbleRun's premain, which fetches arguments and secrets from a Coordinator\n"
      "(what that has to know: cloister marblerun manifest)");
  app.add_option("--premain", a.premain,
                 "That premain: a file named premain-libos, or an image that has it")
      ->type_name("FILE|IMAGE")
      ->needs(marblerun);
  auto* servers =
      app.add_option("--secret-prov", a.secret_prov,
                     "Fetch a secret by RA-TLS before the program starts, into the variable\n"
                     "SECRET_PROVISION_SECRET_STRING; several servers with ';'")
          ->type_name("HOST:PORT");
  app.add_option("--secret-prov-ca", a.secret_prov_ca,
                 "File of the image with the certificates by which those servers are known\n"
                 "(default: /etc/ssl/certs/ca-certificates.crt)")
      ->type_name("PATH")
      ->needs(servers);
}

Result<PlanOptions> to_plan_options(const PlanArguments& a, const Limits& limits) {
  PlanOptions out;
  out.runtimes = a.runtimes;
  if (!a.premain.empty()) {
    std::error_code unknown;
    if (fs::is_regular_file(a.premain, unknown) && base_name(a.premain) != measure::kPremainProgram)
      return Error::usage(
                 cat("--premain ", quote(a.premain), " is not named ", measure::kPremainProgram))
          .hint("give MarbleRun's file under the name that its release has, or an image");
    if (out.runtimes.empty()) out.runtimes.emplace_back(kDefaultRuntime);
    out.runtimes.push_back(a.premain);
  }
  out.includes = a.includes;
  out.excludes = a.excludes;
  out.accepted = a.accepted;
  for (const auto* patterns : {&a.includes, &a.excludes})
    for (const std::string& pattern : *patterns)
      if (!pattern.starts_with('/'))
        return Error::usage(cat(patterns == &a.includes ? "--include " : "--exclude ",
                                quote(pattern), " is no absolute path"))
            .hint("paths and globs are of the image: /etc/app/**, /usr/lib/*/libssl.so.3");
  const auto trust = manifest::parse_trust(a.trust);
  if (!trust) return Error::usage(cat("--trust ", quote(a.trust), " is no level"));
  out.trust = *trust;
  const auto given = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  out.launch.entrypoint = given(a.entrypoint);
  out.launch.user = given(a.user);
  out.launch.workdir = given(a.workdir);
  out.launch.args = a.args;
  out.launch.passthrough = a.passthrough;
  for (const std::string& text : a.env) {
    CL_TRY(auto pair, parse_env(text));
    out.launch.env.push_back(std::move(pair));
  }
  out.manifest.enclave_size = given(a.enclave_size);
  out.manifest.max_threads = a.max_threads;
  out.manifest.edmm = a.edmm;
  out.manifest.debug = a.debug;
  out.manifest.attestation = !a.no_attestation;
  if (a.isvprodid) out.manifest.isvprodid = static_cast<std::uint16_t>(*a.isvprodid);
  if (a.isvsvn) out.manifest.isvsvn = static_cast<std::uint16_t>(*a.isvsvn);
  CL_CHECK(set_attestation(a, out));
  for (const std::string& text : a.volumes) {
    CL_TRY(manifest::Volume volume, parse_volume(text));
    out.manifest.volumes.push_back(std::move(volume));
  }
  if (!a.manifest_file.empty()) {
    CL_TRY(std::string text, read_text_file(a.manifest_file, limits.overlay_bytes));
    CL_CHECK(set_overlay(out, std::move(text), limits, quote(a.manifest_file)));
    out.overlay_file = a.manifest_file;
  }
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_labels(
    const std::vector<std::string>& labels) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& text : labels) {
    const auto at = text.find('=');
    if (at == 0 || at == std::string::npos)
      return Error::usage(cat("--label ", quote(text), " is not NAME=VALUE"))
          .hint("for example --label org.opencontainers.image.vendor=Acme");
    out.emplace_back(text.substr(0, at), text.substr(at + 1));
  }
  return out;
}

Status set_overlay(PlanOptions& options, std::string text, const Limits& limits,
                   std::string_view what) {
  CL_TRY(TomlTable overlay, advise(parse_toml(text, limits, what), kManifestSyntax));
  options.manifest.overlay = std::move(overlay);
  options.overlay_text = std::move(text);
  return {};
}

}  // namespace cloister::cmd
