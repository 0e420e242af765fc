// The same way in as every other request takes, for no repository in particular.
#include "oci/registry/login.h"

#include "base/text.h"
#include "oci/registry/connection.h"

namespace cloister::oci {

Result<LoginAnswer> check_login(const std::string& registry, Credentials credentials,
                                RegistryOptions options, const Limits& limits, CancelToken cancel) {
  const auto check = [&]() -> Result<LoginAnswer> {
    CL_TRY(const auto connection,
           Connection::open({registry, "", "", std::nullopt}, Access::pull, std::move(credentials),
                            std::move(options), limits, cancel));
    http::Request request;
    request.url = connection->root().str();
    CL_TRY(const Answer answer, connection->send(request, limits.error_body_bytes));
    const http::Response& response = answer.response;
    if (response.status != 200) return connection->refused(response, "the login");
    if (is_html(response, response.body)) return html_error(response, "a registry's greeting");
    return connection->asks_for_credentials() ? LoginAnswer::accepted : LoginAnswer::not_asked;
  };
  auto answer = check();
  if (answer.has_value() || answer.error().code() != Code::unauthorized) return answer;
  return std::move(answer).error().hint(
      "check user name and password; some registries take an access token in its place");
}

}  // namespace cloister::oci
