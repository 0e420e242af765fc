// A PCCS for tests: answers a client of version 4 of the API with what an IntelPki has.
#pragma once

#include "tests/base/http_server.h"
#include "tests/sign/quote/intel_pki.h"

namespace cloister::sign {

// 404 for what it does not know: another platform, another path. `pki` is copied.
HttpServer::Handler pccs_stand_in(const IntelPki& pki);

// URL-encoded PEM, as such a service has chains in its heads.
std::string chain_field(const std::vector<Bytes>& chain);

}  // namespace cloister::sign
