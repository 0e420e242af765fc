// Two questions decide here: would trying again help (Code::unavailable), and what should the user
// look at. libcurl's own text goes into a detail line: it is precise, but not written for users of
// a registry.
#include "base/http/transfer_error.h"

#include <cstring>

#include "base/text.h"

namespace cloister::http {
namespace {

std::string errno_text(long number) {
  char buffer[128];
  return strerror_r(static_cast<int>(number), buffer, sizeof buffer);
}

// Whether there was a connection, a new one or one that was kept: it tells a dead host from a
// silent one.
bool connected(CURL* easy) {
  curl_off_t microseconds = 0;
  long request_bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &microseconds);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
  return microseconds > 0 || request_bytes > 0;
}

std::uint64_t bytes_received(CURL* easy) {
  curl_off_t bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
  return bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

Error cannot_connect(const FailedTransfer& failed, std::string_view host) {
  long number = 0;
  curl_easy_getinfo(failed.easy, CURLINFO_OS_ERRNO, &number);
  const std::string cause = number != 0 ? lower_ascii(errno_text(number)) : "no connection";
  return Error::unavailable(cat("cannot connect to ", host, ": ", cause))
      .hint("check the host name and the port, and that the server is running");
}

Error timed_out(const FailedTransfer& failed, std::string_view host, const Options& options,
                const std::string& text) {
  if (!connected(failed.easy))
    return Error::unavailable(cat("connecting to ", host, " timed out after ",
                                  options.connect_timeout_ms / 1000, " seconds"))
        .hint("check the host name, the network and the proxy settings");
  return Error::unavailable(cat(host, " stopped answering")).detail(text).hint("try again later");
}

// A server that wants to see a certificate says so in an alert, which libcurl reports as whatever
// it was doing when the alert came.
bool wants_certificate(std::string_view text) {
  return text.find("certificate required") != std::string_view::npos ||
         text.find("alert bad certificate") != std::string_view::npos ||
         text.find("alert unknown ca") != std::string_view::npos;
}

}  // namespace

Error transfer_error(const FailedTransfer& failed, const Options& options) {
  const std::string host = quote(failed.url.authority());
  const std::string text =
      printable(failed.text.empty() ? std::string_view(curl_easy_strerror(failed.code))
                                    : failed.text.substr(0, 300));
  if (wants_certificate(text))
    return Error::invalid(cat(host, " wants a client certificate, and ours or none will not do"))
        .detail(text)
        .hint(cat("put NAME.cert and NAME.key into ~/.config/containers/certs.d/",
                  failed.url.authority(), "/"));
  switch (failed.code) {
    case CURLE_SSL_CERTPROBLEM:
      return Error::invalid(cat("the client certificate for ", host, " cannot be used"))
          .detail(text)
          .hint("its .cert and .key must be a pair, in PEM, the key without a passphrase");
    case CURLE_COULDNT_RESOLVE_HOST:
      return Error::unavailable(cat("unknown host ", quote(failed.url.host)))
          .hint("check the spelling of the registry's name and the network");
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Error::unavailable("the name of the proxy cannot be resolved")
          .detail(text)
          .hint("check HTTPS_PROXY, HTTP_PROXY and NO_PROXY");
    case CURLE_COULDNT_CONNECT:
      return cannot_connect(failed, host);
    case CURLE_OPERATION_TIMEDOUT:
      return timed_out(failed, host, options, text);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return Error::invalid(cat("the TLS certificate of ", host, " is not trusted"))
          .detail(text)
          .hint(cat("put the CA that signed it into ~/.config/containers/certs.d/",
                    failed.url.authority(),
                    "/ca.crt, or pass --tls-verify=false for a test registry"));
    case CURLE_SSL_CACERT_BADFILE:
      return Error::invalid(cat("the CA file ", quote(options.ca_file), " cannot be used"))
          .detail(text)
          .hint("name a readable file of PEM certificates");
    case CURLE_SSL_CONNECT_ERROR:
      return Error::unavailable(cat("no TLS connection with ", host))
          .detail(text)
          .hint("if this registry speaks plain HTTP, pass --plain-http");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
      return Error::corrupt(cat(host, " does not answer in HTTP"))
          .detail(text)
          .hint("check the host name and the port");
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_GOT_NOTHING:
      return Error::unavailable(cat("the connection to ", host, " broke"))
          .detail(cat(text, " (after ", bytes_received(failed.easy), " bytes received)"))
          .hint("try again");
    case CURLE_OUT_OF_MEMORY:
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return Error::internal(cat("libcurl: ", text));
    default:
      return Error::unavailable(cat("the transfer with ", host, " failed"))
          .detail(text)
          .hint("try again");
  }
}

}  // namespace cloister::http
