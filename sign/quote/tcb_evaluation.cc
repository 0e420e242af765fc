// A level counts when the platform reaches every one of its security version numbers, and the first
// that counts is the platform's. For TDX the numbers of the TDX module are compared with the list
// of the module's own version, when it has one (tee_tcb_svn[1] > 0: "TDX_01" and later), and only
// those after the first two with the level.
//
// What is out of date or revoked in one part makes the whole so. A trust domain that was started
// under a module that is out of date, on a platform that is not and that runs a current module by
// now, is better off than that: it has only to be started anew (TDRelaunchAdvised).
#include "sign/quote/tcb_evaluation.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr std::size_t kModuleSvn = 0, kModuleVersion = 1, kAfterModule = 2;

std::uint8_t svn_at(const ByteArray<16>& svns, std::size_t at) {
  return static_cast<std::uint8_t>(svns.at(at));
}

bool reaches_sgx(const PckExtension& pck, const TcbLevel& level) {
  for (std::size_t i = 0; i < level.sgx.size(); ++i)
    if (pck.components[i] < level.sgx[i]) return false;
  return pck.pcesvn >= level.pcesvn;
}

bool reaches_tdx(const ByteArray<16>& svns, const TcbLevel& level) {
  for (std::size_t i = svn_at(svns, kModuleVersion) > 0 ? kAfterModule : 0; i < svns.size(); ++i)
    if (svn_at(svns, i) < level.tdx.at(i)) return false;
  return true;
}

// A part that is worse than up to date makes the whole out of date.
TcbStatus converge(TcbStatus whole, TcbStatus part) {
  if (part == TcbStatus::revoked || whole == TcbStatus::revoked) return TcbStatus::revoked;
  if (part == TcbStatus::up_to_date) return whole;
  switch (whole) {
    case TcbStatus::configuration_needed:
    case TcbStatus::configuration_and_sw_hardening_needed:
    case TcbStatus::td_relaunch_advised_configuration_needed:
    case TcbStatus::out_of_date_configuration_needed:
      return TcbStatus::out_of_date_configuration_needed;
    default:
      return TcbStatus::out_of_date;
  }
}

bool needs_configuration(TcbStatus status) {
  return status == TcbStatus::configuration_needed ||
         status == TcbStatus::configuration_and_sw_hardening_needed ||
         status == TcbStatus::out_of_date_configuration_needed ||
         status == TcbStatus::td_relaunch_advised_configuration_needed;
}

bool is_out_of_date(TcbStatus status) {
  return status == TcbStatus::out_of_date || status == TcbStatus::out_of_date_configuration_needed;
}

class TcbEvaluator {
 public:
  TcbEvaluator(const TcbInfo& info, const PckExtension& pck, const IsvLevel& qe)
      : info_(info), pck_(pck), qe_(qe) {}

  TcbEvaluation run(const TdReport* td) {
    const auto sgx = std::find_if(info_.levels.begin(), info_.levels.end(),
                                  [&](const auto& level) { return reaches_sgx(pck_, level); });
    if (sgx == info_.levels.end()) return unlisted();
    if (td == nullptr) {
      add_advisories(sgx->advisories);
      out_.status = sgx->status;
    } else if (!evaluate_td(*td, sgx->status)) {
      out_.status.reset();
      return std::move(out_);
    }
    add_advisories(qe_.advisories);
    out_.status = converge(*out_.status, qe_.status);
    return std::move(out_);
  }

 private:
  // False, with a problem, when the trust domain's platform is in no list.
  bool evaluate_td(const TdReport& td, TcbStatus sgx) {
    const auto level = std::find_if(info_.levels.begin(), info_.levels.end(), [&](const auto& one) {
      return reaches_sgx(pck_, one) && reaches_tdx(td.tee_tcb_svn, one);
    });
    if (level == info_.levels.end()) {
      unlisted();
      return false;
    }
    add_advisories(level->advisories);
    const auto module = module_status(td);
    if (!module) return false;
    out_.status = converge(level->status, *module);
    if (!td.version15 || *out_.status == TcbStatus::revoked) return true;
    return advise_relaunch(td.version15->tee_tcb_svn2, sgx, *module);
  }

  // Whether it is a module of Intel's, and how good that one is.
  std::optional<TcbStatus> module_status(const TdReport& td) {
    const std::uint8_t version = svn_at(td.tee_tcb_svn, kModuleVersion);
    const TdxModule* module = find_module(version);
    if (module == nullptr) return std::nullopt;
    if (td.mrsignerseam != module->mrsigner) {
      out_.problem = "the TDX module is not signed by Intel";
      return std::nullopt;
    }
    for (std::size_t i = 0; i < module->attributes.size(); ++i) {
      const auto byte = static_cast<std::byte>(td.seam_attributes >> (8 * i) & 0xff);
      if ((byte & module->attributes_mask[i]) == module->attributes[i]) continue;
      out_.problem = cat("the TDX module runs with other attributes than Intel's: ",
                         hex_number(td.seam_attributes));
      return std::nullopt;
    }
    if (version == 0) return TcbStatus::up_to_date;  // the level itself has its number
    const IsvLevel* level = find_level(module->levels, svn_at(td.tee_tcb_svn, kModuleSvn));
    if (level == nullptr) {
      out_.problem = "the TDX module is older than every one that Intel lists (TCB not supported)";
      return std::nullopt;
    }
    add_advisories(level->advisories);
    return level->status;
  }

  const TdxModule* find_module(std::uint8_t version) {
    const TdxModule* module = version > 0    ? info_.find_module(version)
                              : info_.module ? &*info_.module
                                             : nullptr;
    if (module == nullptr) out_.problem = cat("Intel lists no TDX module of version ", version);
    return module;
  }

  // False, with a problem, when the module that runs now is in no list.
  bool advise_relaunch(const ByteArray<16>& now, TcbStatus sgx, TcbStatus module) {
    const bool module_alone = qe_.status == TcbStatus::up_to_date && !is_out_of_date(sgx) &&
                              sgx != TcbStatus::revoked && is_out_of_date(*out_.status) &&
                              module == TcbStatus::out_of_date;
    if (!module_alone) return true;
    const TcbLevel& latest = info_.levels.front();
    std::uint32_t want = latest.tdx[kModuleSvn];
    if (const std::uint8_t version = svn_at(now, kModuleVersion); version > 0) {
      const TdxModule* running = find_module(version);
      if (running == nullptr) return false;
      want = running->levels.front().isvsvn;
    }
    if (svn_at(now, kModuleSvn) < want || svn_at(now, kAfterModule) < latest.tdx[kAfterModule])
      return true;
    out_.status = needs_configuration(sgx) || needs_configuration(*out_.status)
                      ? TcbStatus::td_relaunch_advised_configuration_needed
                      : TcbStatus::td_relaunch_advised;
    return true;
  }

  TcbEvaluation unlisted() {
    out_.problem = "the firmware is older than every level that Intel lists (TCB not supported)";
    return out_;
  }

  void add_advisories(const std::vector<std::string>& more) {
    for (const std::string& one : more)
      if (std::find(out_.advisories.begin(), out_.advisories.end(), one) == out_.advisories.end())
        out_.advisories.push_back(one);
  }

  const TcbInfo& info_;
  const PckExtension& pck_;
  const IsvLevel& qe_;
  TcbEvaluation out_;
};

}  // namespace

TcbEvaluation evaluate_tcb(const TcbInfo& info, const PckExtension& pck, const TdReport* td,
                           const IsvLevel& qe) {
  return TcbEvaluator(info, pck, qe).run(td);
}

}  // namespace cloister::sign
