#include "tests/sign/quote/pccs_stand_in.h"

#include "base/http/url.h"
#include "base/text.h"

namespace cloister::sign {
namespace {

Reply answer(std::string body, std::string_view chain_name, const std::vector<Bytes>& chain) {
  Reply reply;
  reply.headers = {{std::string(chain_name), chain_field(chain)}};
  reply.body = std::move(body);
  return reply;
}

}  // namespace

std::string chain_field(const std::vector<Bytes>& chain) {
  std::string pem;
  for (const Bytes& one : chain) pem += pem_certificate(one);
  return http::url_encode(pem);
}

HttpServer::Handler pccs_stand_in(const IntelPki& pki) {
  return [pki](const Received& request) -> Reply {
    const std::string fmspc = cat("fmspc=", hex(pki.platform.fmspc));
    const std::string sgx = "/sgx/certification/v4", tdx = "/tdx/certification/v4";
    auto ca_chain = pki.pck_chain(ChainOrder::leaf_first);
    ca_chain.erase(ca_chain.begin());
    if (request.path == sgx + "/pckcrl" && request.query == "ca=platform&encoding=der")
      return answer(std::string(as_text(pki.pck_crl())), "SGX-PCK-CRL-Issuer-Chain", ca_chain);
    if (request.path == sgx + "/rootcacrl") {
      Reply reply;
      reply.body = hex(pki.root_crl());
      return reply;
    }
    for (const auto tee : {TeeKind::sgx, TeeKind::tdx}) {
      const std::string& api = tee == TeeKind::sgx ? sgx : tdx;
      if (request.path == api + "/tcb" && request.query == fmspc)
        return answer(pki.tcb_info_reply(tee), "TCB-Info-Issuer-Chain", pki.tcb_chain());
      if (request.path == api + "/qe/identity")
        return answer(pki.identity_reply(tee), "SGX-Enclave-Identity-Issuer-Chain",
                      pki.tcb_chain());
    }
    Reply reply;
    reply.status = 404;
    return reply;
  };
}

}  // namespace cloister::sign
