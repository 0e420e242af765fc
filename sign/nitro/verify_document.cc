#include "sign/nitro/verify_document.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::sign {
namespace {

// Of the certificate whose SHA-256 AWS publishes
// (641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b): keys stay when certificates
// are issued anew.
constexpr std::string_view kAwsRootKey =
    "f2caf5ecc6190b4a8399b78bc58a2bbcd0382375db8a1bfd78a82743874fd225";

class NitroVerifier {
 public:
  NitroVerifier(const NitroDocument& document, const NitroRoots& roots, const QuoteRules& rules,
                Seconds at, const Limits& limits)
      : document_(document), roots_(roots), rules_(rules), at_(at), limits_(limits) {}

  QuoteVerdict run() {
    out_.tee = TeeKind::nitro;
    out_.platform = cat("AWS Nitro, ", document_.module_id);
    if (check_format() && check_chain()) {
      check_dates();
      check_signature();
    }
    check_debug();
    return std::move(out_);
  }

 private:
  bool check_format() {
    const bool good = document_.sign1.algorithm == CoseAlgorithm::es384;
    return out_.answer("quote-format", good,
                       cat("an attestation document of ", format_rfc3339(document_.time),
                           ", signed by ", cose_algorithm_name(document_.sign1.algorithm)),
                       "ES384 (ECDSA P-384 with SHA-384)");
  }

  bool check_chain() {
    constexpr std::string_view kWanted = "a way from the enclave's certificate to AWS's root";
    auto chain = chain_of(document_.certificate, document_.bundle, limits_);
    if (!chain || chain->size() < 2)
      return out_.answer("quote-chain", false,
                         cat("no way from the certificate ",
                             quote(document_.certificate.common_name()), " to a root"),
                         std::string(kWanted));
    chain_ = std::move(*chain);
    const Certificate& root = chain_.back();
    const Digest key = sha256(root.spki());
    if (std::find(roots_.keys.begin(), roots_.keys.end(), key) == roots_.keys.end())
      return out_.answer(
          "quote-chain", false,
          cat("the chain ends in ", quote(root.common_name()),
              ", which is not a root that is trusted (its key: sha256:", key.hex(), ")"),
          std::string(kWanted));
    return out_.answer("quote-chain", true,
                       cat(quote(document_.certificate.common_name()), " by ", chain_.size() - 2,
                           " intermediates by ", quote(root.common_name()), ", a pinned root"),
                       "");
  }

  void check_dates() {
    std::string found;
    for (const Certificate& one : chain_) {
      if (!out_.valid_until || one.not_after() < *out_.valid_until)
        out_.valid_until = one.not_after();
      if (one.is_valid_at(at_) || !found.empty()) continue;
      found = cat("the certificate ", quote(one.common_name()), " is valid from ",
                  format_rfc3339(one.not_before()), " to ", format_rfc3339(one.not_after()));
    }
    const std::string when = cat("valid at ", format_rfc3339(at_));
    const bool good = found.empty();
    out_.answer("quote-dates", good, good ? cat("every certificate is ", when) : std::move(found),
                when);
  }

  void check_signature() {
    const bool good = is_signed_by(document_.sign1, document_.certificate);
    out_.answer("quote-signature", good,
                good ? "the hypervisor signed this document, and nothing in it was changed"
                     : "the document was changed, or signed by another key",
                "a signature by the certificate's key");
  }

  void check_debug() {
    if (!document_.debug()) {
      out_.answer("quote-debug", true, "a production enclave", "");
      return;
    }
    out_.answer("quote-debug", rules_.allow_debug,
                "a debug enclave: its host reads the console, and its registers are zeros",
                "a production enclave");
  }

  const NitroDocument& document_;
  const NitroRoots& roots_;
  const QuoteRules& rules_;
  const Seconds at_;
  const Limits& limits_;
  std::vector<Certificate> chain_;
  QuoteVerdict out_;
};

}  // namespace

NitroRoots NitroRoots::aws() {
  return {{*Digest::parse_hex(kAwsRootKey)}};
}

QuoteVerdict verify_nitro_document(const NitroDocument& document, const NitroRoots& roots,
                                   const QuoteRules& rules, Seconds at, const Limits& limits) {
  return NitroVerifier(document, roots, rules, at, limits).run();
}

}  // namespace cloister::sign
