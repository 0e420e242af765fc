// Every question is asked that can be, so that whoever reads the list sees all that is wrong.
// Nothing is read that is not signed: TCB info and identity are parsed only after their signature,
// by a certificate of the trusted root, has been verified over these very bytes.
#include "sign/quote/verify_intel.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "sign/quote/pck.h"
#include "sign/quote/qe_identity.h"
#include "sign/quote/tcb_evaluation.h"

namespace cloister::sign {
namespace {

constexpr std::string_view kIntelRootSpki =
    "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e";
constexpr std::string_view kPckName = "SGX PCK Certificate", kCaName = "CA",
                           kRootName = "SGX Root CA", kTcbSignerName = "SGX TCB Signing";
constexpr std::size_t kPckChain = 3;  // PCK, processor or platform CA, root

bool is_named(const Certificate& certificate, std::string_view phrase) {
  return certificate.common_name().find(phrase) != std::string::npos;
}

std::string listed(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  shown.reserve(names.size());
  for (const std::string& name : names) shown.push_back(printable(name));
  return join(shown, ", ");
}

// What a status means to somebody who has to decide.
std::string status_sentence(TcbStatus status, const std::vector<std::string>& advisories) {
  const std::string because = advisories.empty() ? "" : cat(": ", listed(advisories));
  const std::string name = cat(" (", tcb_status_name(status), ")");
  switch (status) {
    case TcbStatus::up_to_date:
      return cat("genuine Intel CPU; its firmware is up to date", name,
                 advisories.empty() ? "" : "; advisories", because);
    case TcbStatus::sw_hardening_needed:
      return cat("genuine Intel CPU; its firmware is up to date, software on it needs the ",
                 "hardening advised", name, because);
    case TcbStatus::configuration_needed:
      return cat("genuine Intel CPU; the machine has to be configured otherwise", name, because);
    case TcbStatus::configuration_and_sw_hardening_needed:
      return cat("genuine Intel CPU; the machine has to be configured otherwise, and software on ",
                 "it needs the hardening advised", name, because);
    case TcbStatus::td_relaunch_advised:
      return cat("genuine Intel CPU; the trust domain was started under an older TDX module and ",
                 "should be started anew", name, because);
    case TcbStatus::td_relaunch_advised_configuration_needed:
      return cat("genuine Intel CPU; the trust domain was started under an older TDX module and ",
                 "should be started anew, and the machine configured otherwise", name, because);
    case TcbStatus::out_of_date:
      return cat("genuine Intel CPU; its firmware is out of date, with weaknesses that are known",
                 name, because);
    case TcbStatus::out_of_date_configuration_needed:
      return cat("genuine Intel CPU; its firmware is out of date, with weaknesses that are known, ",
                 "and the machine has to be configured otherwise", name, because);
    case TcbStatus::revoked:
      break;
  }
  return cat("Intel has revoked what this CPU runs: nothing it says can be relied on", name,
             because);
}

// A signed document of the collateral, once its signature has been verified.
template <class T>
struct Trusted {
  T value;
  Certificate signer;
};

// Which of two documents for the same platform counts: one that is valid at the time, then the one
// of the later evaluation, then the one issued later.
template <class T>
bool counts_more(const T& a, const T& b, Seconds at) {
  const auto rank = [&](const T& d) {
    return std::tuple(d.issue_date <= at && at <= d.next_update, d.evaluation, d.issue_date);
  };
  return rank(a) > rank(b);
}

class IntelVerifier {
 public:
  IntelVerifier(const EcdsaQuote& quote, const IntelCollateral& collateral, const IntelRoots& roots,
                const QuoteRules& rules, Seconds at, const Limits& limits)
      : quote_(quote),
        collateral_(collateral),
        roots_(roots),
        rules_(rules),
        at_(at),
        limits_(limits) {}

  QuoteVerdict run() {
    out_.tee = quote_.tee();
    out_.report_data = quote_.report_data();
    add(passed_check("quote-format", cat(quote_.sgx() != nullptr ? "an SGX" : "a TDX",
                                         " quote of version ", quote_.version)));
    ask_chain();
    if (chain_.size() == kPckChain) {
      ask_collateral();
      ask_revocation();
      ask_dates();
    }
    if (pck_) add(check_quoting_enclave(quote_, *pck_));
    const IsvLevel* qe_level = ask_identity();
    add(check_quote_signature(quote_));
    if (tcb_info_ && qe_level != nullptr) ask_tcb(*qe_level);
    ask_rules();
    ask_debug();
    return std::move(out_);
  }

 private:
  void add(Check check) { out_.checks.push_back(std::move(check)); }

  // Those that are valid first: Intel re-issues certificates under the same name and key.
  std::vector<Certificate> valid_first(std::vector<Certificate> certificates) const {
    std::stable_partition(certificates.begin(), certificates.end(),
                          [&](const Certificate& c) { return c.is_valid_at(at_); });
    return certificates;
  }

  void gather_candidates(std::vector<Certificate> own) {
    candidates_ = std::move(own);
    candidates_.insert(candidates_.end(), collateral_.certificates.begin(),
                       collateral_.certificates.end());
    candidates_ = valid_first(std::move(candidates_));
  }

  void ask_chain() {
    const std::string name = "quote-chain";
    const std::string want = roots_.are_intels()
                                 ? "a PCK certificate under Intel's SGX root"
                                 : "a PCK certificate under the root that was given";
    auto own = quote_certificates(quote_, limits_);
    const bool brought = own.has_value() && !own->empty();
    if (own.has_value())
      pck_ = find_pck(quote_, valid_first(brought ? *own : collateral_.certificates));
    if (!own.has_value())
      return add(failed_check(
          name, cat("the quote's certificates cannot be read: ", own.error().what()), want));
    if (!pck_)
      return add(
          failed_check(name,
                       brought ? "the quote brings no PCK certificate"
                               : "the quote brings no certificate, and the collateral has no PCK "
                                 "certificate for it",
                       want));
    gather_candidates(std::move(*own));
    const auto chain = chain_of(*pck_, candidates_, limits_);
    if (!chain)
      return add(failed_check(name, "the PCK certificate does not lead to any root", want));
    if (chain->size() != kPckChain || !is_named((*chain)[1], kCaName) ||
        !is_named((*chain)[2], kRootName))
      return add(
          failed_check(name, "the certificates are not PCK, processor or platform CA, root", want));
    const Digest root = sha256(chain->back().spki());
    if (std::find(roots_.spki.begin(), roots_.spki.end(), root) == roots_.spki.end())
      return add(failed_check(
          name,
          cat("signed under another root, whose key is ", root.str(), ": not a genuine Intel CPU"),
          want));
    auto extension = pck_extension(*pck_);
    if (!extension.has_value()) return add(failed_check(name, extension.error().what(), want));
    extension_ = *extension;
    chain_ = *chain;
    out_.platform = cat("Intel, FMSPC ", hex(extension_.fmspc));
    add(passed_check(
        name, cat("certified as ", out_.platform, ", by ", printable(chain_[1].common_name()),
                  " under ", roots_.are_intels() ? "Intel's root" : "the root that was given")));
  }

  const RevocationList* find_list(const Certificate& issuer) const {
    const RevocationList* best = nullptr;
    const auto rank = [&](const RevocationList& list) {
      return std::pair(list.is_valid_at(at_), list.this_update());
    };
    for (const RevocationList& list : collateral_.revocation_lists)
      if (list.is_complete() && (best == nullptr || rank(list) > rank(*best)) &&
          list.is_signed_by(issuer))
        best = &list;
    return best;
  }

  // The best document of `documents` that is signed under the root, can be read and is for this
  // platform; `misfits` says why others were passed over.
  template <class T, class Parse, class Fits>
  std::optional<Trusted<T>> find_document(const std::vector<SignedDocument>& documents, Parse parse,
                                          Fits fits, std::string& misfits) const {
    std::optional<Trusted<T>> best;
    for (const SignedDocument& document : documents) {
      const auto signer = std::find_if(signers_.begin(), signers_.end(), [&](const Certificate& c) {
        return c.verify_ecdsa(as_bytes(document.body), document.signature, "SHA256");
      });
      if (signer == signers_.end()) {
        misfits = " signed by Intel";
        continue;
      }
      Result<T> value = parse(document.body, limits_);
      if (!value.has_value()) {
        misfits = cat(" that can be read (", value.error().what(), ")");
        continue;
      }
      if (std::string other = fits(*value); !other.empty()) {
        misfits = std::move(other);
        continue;
      }
      if (!best || counts_more(*value, best->value, at_)) best = {std::move(*value), *signer};
    }
    return best;
  }

  std::string tcb_misfit(const TcbInfo& info) const {
    const std::string here = cat(" for ", tee_name(quote_.tee()), " on FMSPC ",
                                 hex(extension_.fmspc), " (there is one for ", tee_name(info.tee),
                                 " on ", hex(info.fmspc), ", PCE ", hex(info.pceid), ")");
    const bool fits = info.tee == quote_.tee() && info.fmspc == extension_.fmspc &&
                      info.pceid == extension_.pceid;
    return fits ? "" : here;
  }

  void ask_collateral() {
    for (const Certificate& one : candidates_)
      if (is_named(one, kTcbSignerName) && one.is_signed_by(chain_[2])) signers_.push_back(one);
    root_list_ = find_list(chain_[2]);
    pck_list_ = find_list(chain_[1]);
    std::string tcb_misfits, identity_misfits;
    tcb_info_ = find_document<TcbInfo>(
        collateral_.tcb_infos, parse_tcb_info, [&](const TcbInfo& i) { return tcb_misfit(i); },
        tcb_misfits);
    const EnclaveId want = quote_.tee() == TeeKind::sgx ? EnclaveId::qe : EnclaveId::td_qe;
    identity_ = find_document<QeIdentity>(
        collateral_.identities, parse_qe_identity,
        [&](const QeIdentity& i) {
          return i.id == want ? std::string() : cat(" of ", enclave_id_name(want));
        },
        identity_misfits);
    std::vector<std::string> missing;
    if (root_list_ == nullptr) missing.emplace_back("the root's revocation list");
    if (pck_list_ == nullptr)
      missing.push_back(cat("the revocation list of ", printable(chain_[1].common_name())));
    if (signers_.empty() && !collateral_.tcb_infos.empty())
      missing.emplace_back("the TCB signing certificate");
    if (!tcb_info_) missing.push_back(cat("TCB info", tcb_misfits));
    if (!identity_) missing.push_back(cat("an identity of the quoting enclave", identity_misfits));
    if (!missing.empty())
      return add(failed_check("quote-collateral", cat("missing: ", join(missing, ", ")),
                              cat("everything that proves an ", quote_.sgx() ? "SGX" : "TDX",
                                  " quote of this platform")));
    out_.tcb_evaluation = tcb_info_->value.evaluation;
    add(passed_check(
        "quote-collateral",
        cat("TCB info (evaluation ", tcb_info_->value.evaluation,
            "), identity of the quoting enclave and revocation lists, all signed under "
            "the same root")));
  }

  void ask_revocation() {
    if (root_list_ == nullptr || pck_list_ == nullptr) return;
    std::vector<std::string> revoked;
    const auto look = [&](const RevocationList& list, const Certificate& one) {
      if (!list.revokes(one)) return;
      std::string name = cat(printable(one.common_name()), " ", hex(one.serial()));
      if (std::find(revoked.begin(), revoked.end(), name) == revoked.end())
        revoked.push_back(std::move(name));
    };
    look(*pck_list_, *pck_);
    look(*root_list_, chain_[1]);
    if (tcb_info_) look(*root_list_, tcb_info_->signer);
    if (identity_) look(*root_list_, identity_->signer);
    if (!revoked.empty())
      return add(failed_check("quote-revocation", cat("revoked by Intel: ", join(revoked, ", ")),
                              "no certificate that is revoked"));
    add(passed_check("quote-revocation", "no certificate of it is revoked"));
  }

  // One part of what was relied on, and when it holds.
  void look_at_dates(std::string_view part, Seconds from, std::optional<Seconds> to) {
    if (at_ < from) untimely_.push_back(cat(part, " is valid from ", format_rfc3339(from), " on"));
    if (!to) return;
    if (*to < at_) untimely_.push_back(cat(part, " expired at ", format_rfc3339(*to)));
    if (!out_.valid_until || *to < *out_.valid_until) out_.valid_until = *to;
  }
  void look_at_dates(const Certificate& one) {
    look_at_dates(cat("the certificate ", quote(one.common_name())), one.not_before(),
                  one.not_after());
  }

  void ask_dates() {
    for (const Certificate& one : chain_) look_at_dates(one);
    if (root_list_ != nullptr)
      look_at_dates("the root's revocation list", root_list_->this_update(),
                    root_list_->next_update());
    if (pck_list_ != nullptr)
      look_at_dates("the revocation list of PCK certificates", pck_list_->this_update(),
                    pck_list_->next_update());
    if (tcb_info_) {
      look_at_dates(tcb_info_->signer);
      look_at_dates("the TCB info", tcb_info_->value.issue_date, tcb_info_->value.next_update);
    }
    if (identity_) {
      if (!tcb_info_ || tcb_info_->signer.der() != identity_->signer.der())
        look_at_dates(identity_->signer);
      look_at_dates("the identity of the quoting enclave", identity_->value.issue_date,
                    identity_->value.next_update);
    }
    const std::string when = format_rfc3339(at_);
    if (!untimely_.empty())
      return add(
          failed_check("quote-dates", join(untimely_, "; "), cat("all of it valid at ", when)));
    add(passed_check("quote-dates",
                     cat("all of it is valid at ", when, ", and until ",
                         out_.valid_until ? format_rfc3339(*out_.valid_until) : "ever")));
  }

  // The level of the quoting enclave; null when it has none.
  const IsvLevel* ask_identity() {
    const std::string name = "quote-qe-identity";
    if (!identity_) return nullptr;
    const std::string want = cat("Intel's quoting enclave ", enclave_id_name(identity_->value.id));
    if (const auto other = identity_mismatch(identity_->value, quote_.qe_report)) {
      add(failed_check(name, cat("the quote is by another enclave than Intel's: ", *other), want));
      return nullptr;
    }
    const IsvLevel* level = find_level(identity_->value.levels, quote_.qe_report.isvsvn);
    if (level == nullptr) {
      add(failed_check(name,
                       cat("the quoting enclave (version ", quote_.qe_report.isvsvn,
                           ") is older than every one that Intel lists"),
                       want));
      return nullptr;
    }
    add(passed_check(name, cat(want, ", version ", quote_.qe_report.isvsvn, ", ",
                               tcb_status_name(level->status))));
    return level;
  }

  void ask_tcb(const IsvLevel& qe) {
    TcbEvaluation evaluation = evaluate_tcb(tcb_info_->value, extension_, quote_.td(), qe);
    std::vector<std::string> accepted;
    for (const TcbStatus status : rules_.statuses) accepted.emplace_back(tcb_status_name(status));
    const std::string want = cat("firmware of status ", join(accepted, " or "));
    if (!evaluation.status)
      return add(failed_check("quote-tcb", std::move(evaluation.problem), want));
    out_.status = evaluation.status;
    out_.advisories = std::move(evaluation.advisories);
    std::string found = status_sentence(*out_.status, out_.advisories);
    const bool good = std::find(rules_.statuses.begin(), rules_.statuses.end(), *out_.status) !=
                      rules_.statuses.end();
    add(good ? passed_check("quote-tcb", std::move(found))
             : failed_check("quote-tcb", std::move(found), want));
    ask_advisories();
  }

  void ask_advisories() {
    if (!rules_.advisories) return;
    std::vector<std::string> others;
    for (const std::string& one : out_.advisories)
      if (std::find(rules_.advisories->begin(), rules_.advisories->end(), one) ==
          rules_.advisories->end())
        others.push_back(one);
    const std::string want =
        rules_.advisories->empty() ? "none" : cat("none but ", listed(*rules_.advisories));
    add(others.empty()
            ? passed_check("quote-advisories",
                           out_.advisories.empty() ? "none" : listed(out_.advisories))
            : failed_check("quote-advisories", cat("not accepted: ", listed(others)), want));
  }

  void ask_rules() {
    if (rules_.min_tcb_evaluation && tcb_info_ && identity_) {
      const std::uint32_t info = tcb_info_->value.evaluation;
      const std::uint32_t identity = identity_->value.evaluation;
      const std::string found =
          info == identity ? cat("collateral of TCB evaluation ", info)
                           : cat("TCB info of evaluation ", info,
                                 ", identity of the quoting enclave of evaluation ", identity);
      add(std::min(info, identity) >= *rules_.min_tcb_evaluation
              ? passed_check("quote-tcb-evaluation", found)
              : failed_check("quote-tcb-evaluation", cat(found, ": newer knowledge is left out"),
                             cat("evaluation ", *rules_.min_tcb_evaluation, " or later")));
    }
    if (!rules_.fmspcs.empty() && chain_.size() == kPckChain) {
      const std::string fmspc = hex(extension_.fmspc);
      const bool good =
          std::find(rules_.fmspcs.begin(), rules_.fmspcs.end(), fmspc) != rules_.fmspcs.end();
      add(good ? passed_check("quote-platform", cat("FMSPC ", fmspc))
               : failed_check("quote-platform", cat("FMSPC ", fmspc), listed(rules_.fmspcs)));
    }
  }

  void ask_debug() {
    const std::string what = quote_.sgx() != nullptr ? "enclave" : "trust domain";
    if (!quote_.debug()) return add(passed_check("quote-debug", cat("a production ", what)));
    const std::string found = cat("a debug ", what, ": its memory can be read from outside");
    add(rules_.allow_debug ? passed_check("quote-debug", cat(found, "; allowed"))
                           : failed_check("quote-debug", found, cat("a production ", what)));
  }

  const EcdsaQuote& quote_;
  const IntelCollateral& collateral_;
  const IntelRoots& roots_;
  const QuoteRules& rules_;
  const Seconds at_;
  const Limits& limits_;

  std::vector<Certificate> candidates_;
  std::optional<Certificate> pck_;
  std::vector<Certificate> chain_;  // empty unless it leads to a trusted root
  PckExtension extension_;          // of chain_'s first
  std::vector<Certificate> signers_;
  const RevocationList *root_list_ = nullptr, *pck_list_ = nullptr;
  std::optional<Trusted<TcbInfo>> tcb_info_;
  std::optional<Trusted<QeIdentity>> identity_;
  std::vector<std::string> untimely_;
  QuoteVerdict out_;
};

}  // namespace

IntelRoots::IntelRoots() : spki{*Digest::parse_hex(kIntelRootSpki)} {}

bool IntelRoots::are_intels() const {
  return spki.size() == 1 && spki.front().hex() == kIntelRootSpki;
}

QuoteVerdict verify_intel_quote(const EcdsaQuote& quote, const IntelCollateral& collateral,
                                const IntelRoots& roots, const QuoteRules& rules, Seconds at,
                                const Limits& limits) {
  return IntelVerifier(quote, collateral, roots, rules, at, limits).run();
}

Result<std::vector<Certificate>> quote_certificates(const EcdsaQuote& quote, const Limits& limits) {
  const bool one = quote.certification_type == CertificationType::pck_certificate;
  if (!one && quote.certification_type != CertificationType::pck_chain)
    return std::vector<Certificate>();
  const std::string_view text = as_text(quote.certification);
  if (!one || text.starts_with("-----BEGIN")) return Certificate::parse_pem(text, limits);
  CL_TRY(Certificate certificate, Certificate::parse_der(quote.certification));
  return std::vector<Certificate>{std::move(certificate)};
}

std::optional<Certificate> find_pck(const EcdsaQuote& quote,
                                    const std::vector<Certificate>& candidates) {
  std::optional<Certificate> first;
  for (const Certificate& one : candidates) {
    if (!is_named(one, kPckName)) continue;
    if (one.verify_ecdsa(quote.qe_report_bytes, quote.qe_report_signature, "SHA256")) return one;
    if (!first) first = one;
  }
  return first;
}

Check check_quoting_enclave(const EcdsaQuote& quote, const Certificate& pck) {
  const std::string want =
      "a report that the CPU's certified key signed, about the key of the quote";
  if (!pck.verify_ecdsa(quote.qe_report_bytes, quote.qe_report_signature, "SHA256"))
    return failed_check("quote-qe", "the CPU's key did not sign the quoting enclave's report",
                        want);
  Sha256 hash;
  hash.update(quote.attestation_key);
  hash.update(quote.auth_data);
  ReportData bound{};
  const Digest digest = hash.finish();
  std::copy(digest.bytes.begin(), digest.bytes.end(), bound.begin());
  if (quote.qe_report.report_data != bound)
    return failed_check("quote-qe",
                        "the quoting enclave's report is about another key than the quote's", want);
  if (quote.qe_report.debug())
    return failed_check("quote-qe",
                        "the quoting enclave runs in debug mode: anyone could read its key", want);
  return passed_check("quote-qe", "the CPU vouches for the quoting enclave, and that for its key");
}

Check check_quote_signature(const EcdsaQuote& quote) {
  if (verify_p256(quote.attestation_key, quote.signed_bytes, quote.signature))
    return passed_check("quote-signature", "the quote is as the quoting enclave signed it");
  return failed_check("quote-signature", "the quote is not as the quoting enclave signed it",
                      "a quote that nobody changed");
}

}  // namespace cloister::sign
