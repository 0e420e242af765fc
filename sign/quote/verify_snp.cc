// AMD's certificate extensions below 1.3.6.1.4.1.3704.1: .2 the product, .3.N one security patch
// level each (DER INTEGER), .4 the chip's identifier (raw bytes: 64, Turin 8), .5 the cloud that a
// VLEK is for. A VCEK is derived from the levels it names, so a report with other levels is not one
// that this key can vouch for, whatever its signature says.
//
// Traps: the order of the levels in the eight bytes of a TCB version changed with Turin. A host may
// mask the chip's identifier (zeros); the key is still that of one chip.
#include "sign/quote/verify_snp.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "sign/quote/der.h"

namespace cloister::sign {
namespace {

// The content octets of 1.3.6.1.4.1.3704.1.
constexpr std::array<std::uint8_t, 8> kAmdOid = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01};
constexpr std::uint8_t kProductArc = 2, kLevelArc = 3, kChipArc = 4, kCloudArc = 5;

// Which extension .3.N each byte of a TCB version is, and what it is called; "" for reserved ones.
struct TcbPart {
  std::uint8_t arc;
  std::string_view name;
};
using TcbLayout = std::array<TcbPart, 8>;
constexpr TcbLayout kMilanLayout = {{{1, "boot loader"},
                                     {2, "TEE"},
                                     {4, ""},
                                     {5, ""},
                                     {6, ""},
                                     {7, ""},
                                     {3, "SNP firmware"},
                                     {8, "microcode"}}};
constexpr TcbLayout kTurinLayout = {{{9, "FMC"},
                                     {1, "boot loader"},
                                     {2, "TEE"},
                                     {3, "SNP firmware"},
                                     {5, ""},
                                     {6, ""},
                                     {7, ""},
                                     {8, "microcode"}}};

const TcbLayout& layout_of(SnpProduct product) {
  return product == SnpProduct::turin ? kTurinLayout : kMilanLayout;
}

std::optional<Bytes> amd_extension(const Certificate& certificate,
                                   std::initializer_list<std::uint8_t> arcs) {
  std::vector<std::uint8_t> oid(kAmdOid.begin(), kAmdOid.end());
  oid.insert(oid.end(), arcs);
  return certificate.extension(std::as_bytes(std::span(oid)));
}

std::optional<std::uint32_t> patch_level(ByteView der) {
  const auto item = der_item(der);
  return item ? der_integer(*item, 255) : std::nullopt;
}

// The text of an IA5String; "" for anything else.
std::string short_string(ByteView der) {
  const auto item = der_item(der);
  return item && item->tag == kDerIa5String ? std::string(as_text(item->value)) : "";
}

std::string product_extension(const Certificate& certificate) {
  const auto value = amd_extension(certificate, {kProductArc});
  return value ? short_string(*value) : "";
}

// CPUID families and models of each product; nothing for those that are none.
std::optional<SnpProduct> product_of(const SnpCpuid& cpuid) {
  if (cpuid.family == 0x19 && cpuid.model < 0x10) return SnpProduct::milan;
  if (cpuid.family == 0x19 &&
      ((cpuid.model >= 0x10 && cpuid.model < 0x20) || (cpuid.model >= 0xa0 && cpuid.model < 0xb0)))
    return SnpProduct::genoa;
  if (cpuid.family == 0x1a && cpuid.model < 0x20) return SnpProduct::turin;
  return std::nullopt;
}

std::string_view signing_key_name(SnpSigner signer) {
  return signer == SnpSigner::vlek ? "VLEK" : "VCEK";
}

std::string tcb_text(const SnpTcb& tcb, SnpProduct product) {
  std::string out;
  for (std::size_t i = 0; i < tcb.size(); ++i) {
    const std::string_view name = layout_of(product).at(i).name;
    if (!name.empty()) out += cat(out.empty() ? "" : ", ", name, " ", unsigned{tcb.at(i)});
  }
  return out;
}

class SnpVerifier {
 public:
  SnpVerifier(const SnpReport& report, const SnpCollateral& collateral, const SnpRoots& roots,
              const QuoteRules& rules, Seconds at, const Limits& limits)
      : report_(report),
        collateral_(collateral),
        roots_(roots),
        rules_(rules),
        at_(at),
        limits_(limits),
        certificates_(collateral.certificates) {
    // Those that are valid first: AMD certifies keys anew, and old files are left where they are.
    std::stable_partition(certificates_.begin(), certificates_.end(),
                          [&](const Certificate& c) { return c.is_valid_at(at_); });
  }

  QuoteVerdict run() {
    out_.tee = TeeKind::snp;
    out_.report_data = report_.report_data();
    out_.platform = "AMD";
    if (check_format() && check_chain()) {
      const SnpSigner signer = *report_.signer();
      out_.platform = cat("AMD ", snp_product_name(product_), ", ", signing_key_name(signer));
      check_dates();
      check_revocation();
      check_signature();
      check_platform();
      check_tcb();
    }
    check_debug();
    check_migration();
    return std::move(out_);
  }

 private:
  bool check_format() {
    const auto fail = [&](std::string found, std::string expected) {
      return out_.answer("quote-format", false, std::move(found), std::move(expected));
    };
    if (report_.signature_algorithm != 1)
      return fail(
          cat("the report's signature is of the unknown kind ", report_.signature_algorithm),
          "1 (ECDSA P-384 with SHA-384)");
    if (report_.vmpl > 3)
      return fail("the report was not asked for by the guest, so that its data are not the guest's",
                  "a privilege level (VMPL) from 0 to 3");
    if (!report_.policy.must_be_one())
      return fail("the guest's policy is one that the firmware does not accept", "bit 17 set");
    const auto signer = report_.signer();
    if (!signer || *signer == SnpSigner::none)
      return fail("the report says that no key signed it", "a signature by VCEK or VLEK");
    return out_.answer(
        "quote-format", true,
        cat("a report of version ", report_.version, ", signed by ", signing_key_name(*signer)),
        "");
  }

  // Of the certificates that are no authorities, the one whose key signed the report, else any.
  const Certificate* signing_certificate() {
    const Certificate* any = nullptr;
    for (const Certificate& one : certificates_) {
      if (one.may_issue()) continue;
      signature_good_ = one.verify_ecdsa(report_.signed_bytes, report_.signature, "SHA384");
      if (signature_good_) return &one;
      if (any == nullptr) any = &one;
    }
    return any;
  }

  bool check_chain() {
    const SnpSigner signer = *report_.signer();
    const std::string want =
        cat("AMD's root (ARK), an intermediate (", signer == SnpSigner::vcek ? "ASK" : "ASVK",
            ") and the chip's ", signing_key_name(signer));
    const auto fail = [&](std::string found) {
      return out_.answer("quote-chain", false, std::move(found), want);
    };
    const Certificate* leaf = signing_certificate();
    if (leaf == nullptr)
      return fail(cat("no ", signing_key_name(signer), " certificate among the collateral"));
    const auto chain = chain_of(*leaf, certificates_, limits_);
    if (!chain || chain->size() != 3)
      return fail(cat("no way from the certificate ", quote(leaf->common_name()),
                      " through an intermediate to a root"));
    chain_ = *chain;
    const Digest key = sha256(chain_[2].spki());
    const auto root = std::find_if(roots_.roots.begin(), roots_.roots.end(),
                                   [&](const SnpRoot& r) { return r.spki == key; });
    if (root == roots_.roots.end())
      return fail(cat("the chain ends in ", quote(chain_[2].common_name()),
                      ", which is not a root that is trusted (its key: sha256:", key.hex(), ")"));
    product_ = root->product;
    const std::string intermediate =
        cat(signer == SnpSigner::vlek ? "SEV-VLEK-" : "SEV-", snp_product_name(product_));
    const std::string leaf_name = cat("SEV-", signing_key_name(signer));
    if (chain_[1].common_name() != intermediate || chain_[0].common_name() != leaf_name)
      return fail(cat("the report says that a ", signing_key_name(signer),
                      " signed it, but the certificates are ", quote(chain_[0].common_name()),
                      " by ", quote(chain_[1].common_name())));
    return out_.answer("quote-chain", true,
                       cat(leaf_name, " by ", intermediate, " by ", quote(chain_[2].common_name()),
                           ", a pinned root"),
                       "");
  }

  void check_dates() {
    bool good = true;
    std::string found;
    for (const Certificate& one : chain_) {
      until(one.not_after());
      if (one.is_valid_at(at_) || !good) continue;
      good = false;
      found = cat("the certificate ", quote(one.common_name()), " is valid from ",
                  format_rfc3339(one.not_before()), " to ", format_rfc3339(one.not_after()));
    }
    if (good) found = cat("every certificate is valid at ", format_rfc3339(at_));
    out_.answer("quote-dates", good, std::move(found), cat("valid at ", format_rfc3339(at_)));
  }

  void check_revocation() {
    const Certificate& root = chain_[2];
    const RevocationList* current = nullptr;
    bool any = false;
    for (const RevocationList& list : collateral_.lists) {
      if (!list.is_signed_by(root)) continue;
      any = true;
      // An older list does not become untrue: what it revokes stays revoked.
      for (const Certificate& one : chain_) {
        if (!list.revokes(one)) continue;
        out_.answer("quote-revocation", false,
                    cat("AMD has revoked the certificate ", quote(one.common_name())),
                    "no revoked certificate");
        return;
      }
      if (list.is_complete() && list.is_valid_at(at_) &&
          (current == nullptr || list.this_update() > current->this_update()))
        current = &list;
    }
    if (current != nullptr) {
      if (current->next_update()) until(*current->next_update());
      out_.answer("quote-revocation", true,
                  cat("nothing revoked by the list of ", format_rfc3339(current->this_update())),
                  "");
      return;
    }
    if (any) {
      out_.answer(
          "quote-revocation", false,
          "the revocation list is not one of that time, or only of a part of what is revoked",
          cat("a complete list valid at ", format_rfc3339(at_)));
      return;
    }
    out_.answer(
        "quote-revocation", !rules_.require_revocation,
        cat("not looked up: the collateral has no revocation list by ", quote(root.common_name())),
        "a revocation list, as the policy requires");
  }

  void check_signature() {
    const bool good = signature_good_;  // by the leaf that the chain begins with
    out_.answer("quote-signature", good,
                good ? "the processor's key signed this report, and nothing in it was changed"
                     : "the report was changed, or signed by another processor",
                "a signature by the certificate's key");
  }

  void check_platform() {
    const auto fail = [&](std::string found, std::string expected) {
      out_.answer("quote-platform", false, std::move(found), std::move(expected));
    };
    const std::string product(snp_product_name(product_));
    const std::string named = product_extension(chain_[0]);
    if (named.substr(0, named.find('-')) != product)
      return fail(cat("the certificate is for the product ", quote(named)), product);
    if (report_.cpuid && product_of(*report_.cpuid) != product_)
      return fail(
          cat("the report is by a processor of family ", unsigned{report_.cpuid->family},
              " and model ", unsigned{report_.cpuid->model}, ", the certificate for another"),
          product);
    if (!rules_.products.empty() &&
        std::find(rules_.products.begin(), rules_.products.end(), product) == rules_.products.end())
      return fail(cat("the processor is an AMD EPYC of the kind ", product),
                  join(rules_.products, " or "));
    if (*report_.signer() == SnpSigner::vlek) return check_cloud(product);
    const auto chip = amd_extension(chain_[0], {kChipArc});
    const std::size_t size = product_ == SnpProduct::turin ? 8 : report_.chip_id.size();
    if (!chip || chip->size() != size)
      return fail("the certificate does not say which chip it is for", "a chip identifier");
    const std::string shown = hex(ByteView(*chip)).substr(0, 16);
    if (report_.chip_masked()) {
      out_.answer("quote-platform", true,
                  cat("an AMD EPYC ", product,
                      "; the host hides its chip's number in reports, the certificate "
                      "has ",
                      shown, "…"),
                  "");
      return;
    }
    if (!std::equal(chip->begin(), chip->end(), report_.chip_id.begin()))
      return fail(cat("the report is by the chip ", hex(ByteView(report_.chip_id)).substr(0, 16),
                      "…, the certificate for another"),
                  cat("chip ", shown, "…"));
    out_.answer("quote-platform", true, cat("an AMD EPYC ", product, ", chip ", shown, "…"), "");
  }

  void check_cloud(const std::string& product) {
    const auto cloud = amd_extension(chain_[0], {kCloudArc});
    const std::string name = cloud ? short_string(*cloud) : "";
    out_.answer("quote-platform", !name.empty(),
                name.empty() ? "the VLEK certificate does not say whose it is"
                             : cat("an AMD EPYC ", product, " of the cloud ", quote(name)),
                "the name of a cloud");
  }

  void check_tcb() {
    const TcbLayout& layout = layout_of(product_);
    const SnpTcb& tcb = report_.reported_tcb;
    for (std::size_t i = 0; i < tcb.size(); ++i) {
      const TcbPart& part = layout.at(i);
      const auto extension = amd_extension(chain_[0], {kLevelArc, part.arc});
      auto level = extension ? patch_level(*extension) : std::nullopt;
      if (!extension && part.name.empty()) level = 0;  // reserved and left out
      if (level == tcb.at(i)) continue;
      out_.answer("quote-tcb", false,
                  cat("the report says ", part_name(part), " ", unsigned{tcb.at(i)},
                      level ? ", the certificate is for another" : ", the certificate names none"),
                  level ? cat(part_name(part), " ", *level) : "a level in the certificate");
      return;
    }
    if (rules_.min_tcb) {
      for (std::size_t i = 0; i < tcb.size(); ++i) {
        const auto least = static_cast<std::uint8_t>(*rules_.min_tcb >> (8 * i));
        if (tcb.at(i) >= least) continue;
        out_.answer("quote-tcb", false,
                    cat("the processor's firmware is too old: ", part_name(layout.at(i)), " ",
                        unsigned{tcb.at(i)}),
                    cat(part_name(layout.at(i)), " ", unsigned{least}, " or later"));
        return;
      }
    }
    out_.answer("quote-tcb", true,
                cat("the processor's firmware: ", tcb_text(tcb, product_),
                    rules_.min_tcb ? ", not older than required" : "; no minimum was asked for"),
                "");
  }
  static std::string_view part_name(const TcbPart& part) {
    return part.name.empty() ? "reserved level" : part.name;
  }

  void check_debug() {
    const bool debug = report_.policy.debug();
    out_.answer("quote-debug", !debug || rules_.allow_debug,
                debug ? "the guest may be debugged: its host can read and change its memory"
                      : "the guest cannot be debugged",
                "a policy without debugging");
  }

  void check_migration() {
    if (!report_.policy.migration_agent()) {
      out_.answer("quote-migration", true, "the guest cannot be moved to another machine", "");
      return;
    }
    const bool agent = report_.has_migration_agent();
    out_.answer(
        "quote-migration", !agent || rules_.allow_migration,
        agent ? cat("a migration agent holds the guest's keys; it was not verified (its report: ",
                    hex(ByteView(report_.report_id_ma)), ")")
              : "the guest's policy allows a migration agent, but it has none",
        "a guest without a migration agent");
  }

  void until(Seconds end) {
    if (!out_.valid_until || end < *out_.valid_until) out_.valid_until = end;
  }

  const SnpReport& report_;
  const SnpCollateral& collateral_;
  const SnpRoots& roots_;
  const QuoteRules& rules_;
  Seconds at_;
  const Limits& limits_;
  std::vector<Certificate> certificates_;
  QuoteVerdict out_;
  bool signature_good_ = false;
  std::vector<Certificate> chain_;  // leaf, intermediate, root
  SnpProduct product_ = SnpProduct::milan;
};

}  // namespace

std::string_view snp_product_name(SnpProduct product) {
  constexpr std::array<std::string_view, 3> kNames = {"Milan", "Genoa", "Turin"};
  return kNames.at(static_cast<std::size_t>(product));
}

SnpRoots SnpRoots::amd() {
  constexpr std::array<std::pair<SnpProduct, std::string_view>, 3> kPins = {{
      {SnpProduct::milan, "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9"},
      {SnpProduct::genoa, "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831"},
      {SnpProduct::turin, "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08"},
  }};
  SnpRoots out;
  for (const auto& [product, pin] : kPins) out.roots.push_back({product, *Digest::parse_hex(pin)});
  return out;
}

Result<SnpRoot> SnpRoots::of(const Certificate& ark) {
  for (const SnpProduct product : {SnpProduct::milan, SnpProduct::genoa, SnpProduct::turin})
    if (ark.common_name() == cat("ARK-", snp_product_name(product)))
      return SnpRoot{product, sha256(ark.spki())};
  return Error::unsupported(
             cat("the certificate ", quote(ark.common_name()), " is no root of SEV-SNP reports"))
      .hint("a root is named ARK-Milan, ARK-Genoa or ARK-Turin");
}

QuoteVerdict verify_snp_report(const SnpReport& report, const SnpCollateral& collateral,
                               const SnpRoots& roots, const QuoteRules& rules, Seconds at,
                               const Limits& limits) {
  return SnpVerifier(report, collateral, roots, rules, at, limits).run();
}

}  // namespace cloister::sign
