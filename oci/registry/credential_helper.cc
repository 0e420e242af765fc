// The helper is named by a configuration file, so its name is checked (a slash would run any file).
// It gets the environment that the caller hands on, which it needs (HOME, PATH, DBUS…). It says "no
// such credentials" by a sentence on standard output and a non-zero status. Its output is a secret
// and never shown.
#include "oci/registry/credential_helper.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/program.h"
#include "base/text.h"

namespace cloister::oci {
namespace {

constexpr std::string_view kNotFound = "credentials not found in native keychain";
constexpr std::string_view kIdentityUser = "<token>";

bool valid_helper_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

Result<Credentials> parse_answer(std::string_view text, const std::string& program,
                                 const Limits& limits) {
  CL_TRY(const Json json, parse_json(text, limits, cat("the answer of ", quote(program))));
  CL_TRY(auto username, get_string(json, "Username"));
  CL_TRY(auto secret, get_string(json, "Secret"));
  Credentials out;
  if (!secret || secret->empty()) return out;
  if (username == kIdentityUser) {
    out.identity_token = std::move(*secret);
  } else {
    out.username = username.value_or("");
    out.password = std::move(*secret);
  }
  return out;
}

// One run of docker-credential-NAME.
struct Call {
  const std::string& name;
  const char* verb;
  const std::string& server;  // for messages
  const std::string& file;    // likewise: who named the helper
  const std::map<std::string, std::string>& environment;
  const Limits& limits;
  std::chrono::seconds patience;

  std::string program() const { return "docker-credential-" + name; }
  Error failed(const ProgramOutput& output) const {
    return Error::io(cat("the credential helper ", quote(program()), " failed to ", verb,
                         " credentials of ", quote(server)))
        .detail(cat("named by ", quote(file), ", exit status ", output.status))
        .hint("run it by hand, or pass --authfile FILE with other credentials");
  }
};

Result<ProgramOutput> run_helper(const Call& call, std::string_view text) {
  if (!valid_helper_name(call.name))
    return Error::invalid(cat(quote(call.file), " names an impossible credential helper"))
        .detail(cat("got ", quote(call.name.substr(0, 100))))
        .hint("correct the file, or pass --authfile FILE with other credentials");
  ProgramRun run;
  run.arguments = {call.program(), call.verb};
  run.environment = call.environment;
  run.input = as_bytes(text);
  run.max_output = call.limits.token_body_bytes;
  run.patience = call.patience;
  auto output = run_program(run);
  if (output.has_value()) return output;
  if (output.error().code() != Code::io)
    return std::move(output).error().hint("run it by hand, or pass --authfile FILE");
  return std::move(output)
      .error()
      .detail(cat("it is a credential helper, named by ", quote(call.file)))
      .hint("install it, or pass --authfile FILE with other credentials");
}

}  // namespace

Result<Credentials> run_credential_helper(const std::string& name, const std::string& server,
                                          const std::string& file,
                                          const std::map<std::string, std::string>& environment,
                                          const Limits& limits, std::chrono::seconds patience) {
  const Call call{name, "get", server, file, environment, limits, patience};
  CL_TRY(const ProgramOutput output, run_helper(call, server));
  if (output.status == 0) return parse_answer(as_text(output.output), call.program(), limits);
  if (as_text(output.output).find(kNotFound) != std::string::npos) return Credentials{};
  return call.failed(output);
}

Status store_with_credential_helper(const std::string& name, const std::string& server,
                                    const Credentials& credentials, const std::string& file,
                                    const std::map<std::string, std::string>& environment,
                                    const Limits& limits, std::chrono::seconds patience) {
  const Call call{name, "store", server, file, environment, limits, patience};
  const Json document = {
      {"ServerURL", server}, {"Username", credentials.username}, {"Secret", credentials.password}};
  CL_TRY(const ProgramOutput output, run_helper(call, dump_json(document)));
  return output.status == 0 ? Status() : Status(call.failed(output));
}

Status erase_with_credential_helper(const std::string& name, const std::string& server,
                                    const std::string& file,
                                    const std::map<std::string, std::string>& environment,
                                    const Limits& limits, std::chrono::seconds patience) {
  const Call call{name, "erase", server, file, environment, limits, patience};
  CL_TRY(const ProgramOutput output, run_helper(call, server));
  if (output.status == 0 || as_text(output.output).find(kNotFound) != std::string::npos) return {};
  return call.failed(output);
}

}  // namespace cloister::oci
