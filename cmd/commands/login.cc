#include <memory>
#include <string>

#include <unistd.h>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/prompt.h"
#include "cmd/registry_access.h"
#include "cmd/session.h"
#include "oci/registry/auth_file.h"
#include "oci/registry/login.h"

namespace cloister::cmd {
namespace {

struct LoginOptions {
  CommonOptions common;
  std::string registry, username;
  bool password_stdin = false;
};

// "https://r.io/" is what people copy from a browser.
Result<std::string> registry_name(std::string text) {
  for (const char* scheme : {"https://", "http://"})
    if (text.starts_with(scheme)) text.erase(0, std::string_view(scheme).size());
  while (text.ends_with('/')) text.pop_back();
  if (text == "index.docker.io/v1" || text == "index.docker.io" || text == "registry-1.docker.io")
    text = "docker.io";
  auto parsed = oci::parse_registry_ref(text + "/name");
  if (text.find('/') == std::string::npos && parsed.has_value() && parsed->registry == text)
    return text;
  return Error::usage(cat("not a registry: ", quote(text)))
      .hint("name its host, and its port if it has one: docker.io, ghcr.io, localhost:5000");
}

Result<oci::Credentials> ask_credentials(const LoginOptions& o, const std::string& registry) {
  oci::Credentials out;
  out.username = o.username;
  if (o.password_stdin && out.username.empty())
    return Error::usage("--password-stdin needs -u USER").hint("give -u USER");
  if (out.username.empty()) {
    CL_TRY(auto typed, ask_terminal(cat("user name for ", registry), /*secret=*/false));
    if (typed) out.username = typed->text();
  }
  if (out.username.empty())
    return Error::usage("a user name is needed, and there is nobody to ask").hint("give -u USER");
  if (o.password_stdin) {
    CL_TRY(const Secret line, read_line_fd(STDIN_FILENO, "standard input", "the password"));
    out.password = line.text();
  } else {
    CL_TRY(auto typed,
           ask_terminal(cat("password of ", out.username, " for ", registry), /*secret=*/true));
    if (typed) out.password = typed->text();
  }
  if (out.password.empty())
    return Error::usage("a password is needed, and there is none")
        .hint("pass it on standard input, with --password-stdin");
  return out;
}

Result<int> run_login(const LoginOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const std::string registry, registry_name(o.registry));
  CL_TRY(const RegistryAccess* access, session->registries());
  CL_TRY(const oci::Credentials credentials, ask_credentials(o, registry));
  CL_TRY(const oci::PullSource source,
         oci::push_source(access->rules(), {registry, "", "", std::nullopt}));
  auto answer = oci::check_login(registry, credentials, access->options(source), session->limits(),
                                 session->cancel());
  if (!answer.has_value())
    return std::move(answer).error().while_(cat("logging in to ", quote(registry)));
  CL_TRY(const std::string where, oci::save_credentials(access->credential_paths(), registry,
                                                        credentials, session->limits()));
  if (*answer == oci::LoginAnswer::not_asked)
    session->note(cat("registry ", quote(registry), " lets everybody in: nothing was checked"));
  session->note(cat("logged in to ", quote(registry), "; the credentials are in ", where));
  return 0;
}

Result<int> run_logout(const LoginOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const std::string registry, registry_name(o.registry));
  CL_TRY(const RegistryAccess* access, session->registries());
  CL_TRY(const auto places,
         oci::remove_credentials(access->credential_paths(), registry, session->limits()));
  session->note(places.empty() ? cat("there were no credentials of ", quote(registry))
                               : cat("forgot the credentials of ", quote(registry), " in ",
                                     join(places, ", ")));
  return 0;
}

}  // namespace

Action add_login(CLI::App& app) {
  auto o = std::make_shared<LoginOptions>();
  add_output_options(app, o->common);
  add_registry_options(app, o->common.registries);
  app.add_option("REGISTRY", o->registry, "Registry: docker.io, ghcr.io, localhost:5000")
      ->required();
  app.add_option("-u,--username", o->username, "User name (default: asked for)")
      ->type_name("USER")
      ->envname("CLOISTER_USERNAME");
  app.add_flag("--password-stdin", o->password_stdin,
               "Read the password from standard input (default: asked for)");
  return [o](const Environment& env) { return run_login(*o, env); };
}

Action add_logout(CLI::App& app) {
  auto o = std::make_shared<LoginOptions>();
  add_output_options(app, o->common);
  app.add_option("--authfile", o->common.registries.authfile,
                 "File to remove it from (default: all of Docker's and Podman's files)")
      ->type_name("FILE")
      ->envname("CLOISTER_AUTHFILE");
  app.add_option("REGISTRY", o->registry, "Registry: docker.io, ghcr.io, localhost:5000")
      ->required();
  return [o](const Environment& env) { return run_logout(*o, env); };
}

}  // namespace cloister::cmd
