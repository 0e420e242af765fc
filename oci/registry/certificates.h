// certs.d: the CAs and client certificates that people keep per registry (containers-certs.d(5)).
#pragma once

#include <string>
#include <vector>

#include "base/http/client.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::oci {

// DIR/HOST[:PORT]/*.crt are CAs, beside the system's; NAME.cert with NAME.key is what we show a
// server that asks. The first of `directories` that has the host's directory counts, alone; of
// several client certificates the first by name. A certificate without its key, and a file that
// cannot be read, are errors: a registry that wants them would only say that it refuses us.
Result<http::HostTls> find_certificates(const std::vector<std::string>& directories,
                                        const http::Url& host);

}  // namespace cloister::oci
