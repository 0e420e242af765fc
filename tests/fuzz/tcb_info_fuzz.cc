// Replies of Intel's service, and the documents in them: TCB info and enclave identities.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "sign/quote/qe_identity.h"
#include "sign/quote/tcb_info.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Limits limits;
  for (const char* member : {"tcbInfo", "enclaveIdentity"}) {
    const auto reply = sign::split_signed_reply(text, member, limits);
    if (!reply.has_value()) continue;
    // What was signed is a part of what came, and an object.
    if (text.find(reply->body) == std::string_view::npos || reply->body.front() != '{' ||
        reply->body.back() != '}')
      std::abort();
    (void)sign::parse_tcb_info(reply->body, limits);
    (void)sign::parse_qe_identity(reply->body, limits);
  }
  const auto info = sign::parse_tcb_info(text, limits);
  if (info.has_value() && (info->levels.empty() || info->levels.size() > limits.tcb_levels ||
                           (info->tee == sign::TeeKind::tdx) != info->module.has_value()))
    std::abort();
  const auto identity = sign::parse_qe_identity(text, limits);
  if (identity.has_value()) (void)sign::identity_mismatch(*identity, sign::SgxReport());
  return 0;
}
