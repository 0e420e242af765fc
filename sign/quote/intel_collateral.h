// What proves that an Intel quote is genuine, as it is found: certificates, revocation lists, TCB
// info, identities. A pile: which of it belongs to a quote, and whether any of it is to be trusted,
// is asked when a quote is verified. One pile may hold what several platforms and both TEEs need.
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "sign/quote/certificate.h"
#include "sign/quote/collateral_json.h"

namespace cloister::sign {

struct IntelCollateral {
  std::vector<Certificate> certificates;  // of every chain, each once
  std::vector<RevocationList> revocation_lists;
  std::vector<SignedDocument> tcb_infos, identities;
};

// Adds what a file holds, which is recognised by its contents:
//   JSON     a reply of Intel's service or a PCCS ({"tcbInfo": {…}, "signature": "…"}, the same
//   with
//            "enclaveIdentity"), or all in one file as verifiers store it: root_ca_crl, pck_crl,
//            tcb_info with tcb_info_signature, qe_identity with qe_identity_signature, and chains
//            (pck_crl_issuer_chain, tcb_info_issuer_chain, qe_identity_issuer_chain, …) in any
//            member that is PEM
//   PEM      certificates and revocation lists, also URL-encoded
//   DER      one certificate or revocation list, also in hex or base64
//   HTTP     a reply with its head, or a head alone: chains are in its fields, URL-encoded
// Answers false for everything else. `corrupt` for what is recognised but damaged, `limit` beyond
// limits.collateral_bytes, or more than limits.collateral_files of one sort.
Result<bool> add_collateral(IntelCollateral& collateral, ByteView file, const Limits& limits);

// A certificate chain as a field of an HTTP head has it: URL-encoded PEM.
Status add_chain_field(IntelCollateral& collateral, std::string_view value, const Limits& limits);

}  // namespace cloister::sign
