// AMD's key hierarchy for SEV-SNP, made anew: ARK, ASK and ASVK with RSA keys that live as long as
// the process, leaf keys, revocation lists, and reports that these keys sign. So that tests can ask
// for what no real processor gives them: other levels, dates, chips, policies.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "sign/quote/snp_collateral.h"
#include "sign/quote/verify_snp.h"

struct evp_pkey_st;

namespace cloister::sign {

using AmdKey = std::shared_ptr<evp_pkey_st>;

struct AmdValidity {
  Seconds from = Seconds(std::chrono::seconds(1'600'000'000));  // 2020-09-13
  Seconds to = Seconds(std::chrono::seconds(2'200'000'000));    // 2039-09-18
};

struct AmdLeaf {
  SnpSigner signer = SnpSigner::vcek;
  SnpTcb tcb{};
  Bytes chip = Bytes(64, std::byte{0x5a});  // VCEK: the chip's identifier
  std::string cloud = "cloud.example";      // VLEK: whose it is
  std::string product;                      // empty: as the hierarchy's
  AmdValidity validity;
};

class AmdPki {
 public:
  explicit AmdPki(SnpProduct product = SnpProduct::milan, AmdValidity validity = {});

  const Certificate& ark() const { return certificates_[0]; }
  const Certificate& ask() const { return certificates_[1]; }
  const Certificate& asvk() const { return certificates_[2]; }
  SnpRoots roots() const;
  Certificate leaf(const AmdLeaf& leaf) const;
  // By the ARK, over serial numbers of certificates that it issued.
  Bytes revocation_list(const std::vector<Certificate>& revoked, AmdValidity validity) const;
  // Root, both intermediates and the leaf.
  SnpCollateral collateral(const AmdLeaf& leaf) const;

 private:
  SnpProduct product_;
  std::vector<Certificate> certificates_;
};

// A good report of version 3 by the chip and at the levels of `leaf`.
SnpReport plain_report(SnpProduct product, const AmdLeaf& leaf);
// The 1184 bytes with these fields, signed by the leaf key of the process.
Bytes encode_snp_report(const SnpReport& report);

}  // namespace cloister::sign
