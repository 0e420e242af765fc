// Bodies are recognised as files are. The chains are in fields of the head, whose names differ
// between versions of the API, so that every field is looked at whose name ends as theirs do.
#include "cmd/pccs.h"

#include "base/text.h"
#include "sign/quote/pck.h"
#include "sign/quote/verify_intel.h"

namespace cloister::cmd {
namespace {

constexpr std::string_view kApi = "/certification/v4";

// The service's own part of the URL, without a slash at its end.
Result<http::Url> service_of(const std::string& text) {
  auto url = http::parse_url(text);
  if (!url || !url->query.empty())
    return Error::usage(cat("--pccs ", quote(text), " is no URL of a service"))
        .hint("for example https://localhost:8081, as in /etc/sgx_default_qcnl.conf");
  std::string_view path = url->path;
  while (path.ends_with('/')) path.remove_suffix(1);
  for (const std::string_view api :
       {"/sgx/certification/v4", "/tdx/certification/v4", "/sgx/certification/v3"})
    if (path.ends_with(api)) path.remove_suffix(api.size());
  url->path = std::string(path);
  return std::move(*url);
}

class Pccs {
 public:
  Pccs(http::Client& client, http::Url service, const Limits& limits,
       sign::IntelCollateral& collateral)
      : client_(client), service_(std::move(service)), limits_(limits), collateral_(collateral) {}

  // `what` is for people. Nothing is added, and the answer is false, when there is no such thing.
  Result<bool> get(std::string_view path, std::string query, std::string_view what) {
    http::Request request;
    http::Url url = service_;
    url.path += path;
    url.query = std::move(query);
    request.url = url.str();
    auto sent = client_.send(request, limits_.collateral_bytes);
    const std::string doing = cat("fetching ", what, " from ", quote(service_.authority()));
    CL_TRY(const http::Response response, std::move(sent).while_(doing));
    if (response.status == 404) return false;
    if (response.status != 200) return refused(response.status).while_(std::string(doing));
    for (const http::Header& field : response.headers) {
      if (!field.name.ends_with("-issuer-chain")) continue;
      CL_CHECK(sign::add_chain_field(collateral_, field.value, limits_).while_(doing));
    }
    CL_TRY(const bool known,
           sign::add_collateral(collateral_, as_bytes(response.body), limits_).while_(doing));
    if (!known)
      return Error::corrupt(cat("the service answered something that is not ", what))
          .hint("is the URL of --pccs that of a PCCS?")
          .while_(std::string(doing));
    return true;
  }

  Status need(std::string_view path, std::string query, std::string_view what) {
    CL_TRY(const bool there, get(path, std::move(query), what));
    if (there) return {};
    return Error::not_found(cat(quote(service_.authority()), " has no ", what))
        .hint("is the URL of --pccs that of a PCCS, and does it know this platform?");
  }

 private:
  static Error refused(int status) {
    const std::string what = cat("the service answered ", status);
    if (status == 401 || status == 403)
      return Error::unauthorized(what).hint("the service wants to know who asks; ask another one");
    if (status >= 500 || status == 429)
      return Error::unavailable(what).hint("try again, or name files with --collateral");
    return Error::not_found(what).hint("it may not know this platform; ask another one");
  }

  http::Client& client_;
  const http::Url service_;
  const Limits& limits_;
  sign::IntelCollateral& collateral_;
};

}  // namespace

Status fetch_collateral(http::Client& client, const std::string& url, const sign::EcdsaQuote& quote,
                        const Limits& limits, sign::IntelCollateral& collateral) {
  CL_TRY(http::Url service, service_of(url));
  CL_TRY(auto certificates, sign::quote_certificates(quote, limits));
  const auto pck =
      sign::find_pck(quote, certificates.empty() ? collateral.certificates : certificates);
  if (!pck)
    return Error::invalid("the quote names its processor, and brings no certificate of it")
        .hint("name a file with the platform's PCK certificate chain: --collateral FILE");
  CL_TRY(const sign::PckExtension platform, sign::pck_extension(*pck));
  const bool is_platform_ca =
      as_text(pck->issuer()).find("PCK Platform CA") != std::string_view::npos;
  const std::string tee = cat("/", sign::tee_name(quote.tee()), kApi);
  const std::string sgx = cat("/sgx", kApi);

  Pccs pccs(client, std::move(service), limits, collateral);
  CL_CHECK(pccs.need(sgx + "/pckcrl",
                     cat("ca=", is_platform_ca ? "platform" : "processor", "&encoding=der"),
                     "the revocation list of PCK certificates"));
  CL_CHECK(pccs.get(sgx + "/rootcacrl", "", "the root's revocation list"));
  CL_CHECK(pccs.need(tee + "/tcb", cat("fmspc=", hex(platform.fmspc)), "TCB info"));
  CL_CHECK(pccs.need(tee + "/qe/identity", "", "the identity of the quoting enclave"));
  return {};
}

}  // namespace cloister::cmd
