// How good a platform's firmware is by Intel's lists: the rules of "Intel SGX/TDX DCAP Quote
// Verification", in the order of Intel's own library.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sign/quote/ecdsa_quote.h"
#include "sign/quote/pck.h"
#include "sign/quote/tcb_info.h"

namespace cloister::sign {

struct TcbEvaluation {
  std::optional<TcbStatus> status;  // nothing: the platform is in no list, and `problem` says why
  std::string problem;
  std::vector<std::string> advisories;  // each once
};

// `td` is null for SGX; `qe` is the level of the quoting enclave.
TcbEvaluation evaluate_tcb(const TcbInfo& info, const PckExtension& pck, const TdReport* td,
                           const IsvLevel& qe);

}  // namespace cloister::sign
