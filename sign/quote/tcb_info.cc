// Version 2 names the sixteen components one by one (sgxtcbcomp01svn), version 3 lists them.
// Members that say nothing of the level (category, type) are passed over.
#include "sign/quote/tcb_info.h"

#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

namespace cloister::sign {
namespace {

constexpr std::string_view kWhat = "the TCB info";

Result<TcbComponents> read_components(const DocumentReader& tcb, std::string_view key) {
  TcbComponents out{};
  CL_TRY(const auto components, tcb.objects(key, out.size()));
  if (components.size() != out.size()) return tcb.wrong(key, cat(out.size(), " components"));
  for (std::size_t i = 0; i < out.size(); ++i) {
    CL_TRY(const std::uint32_t svn, components[i].number("svn", 0xff));
    out[i] = static_cast<std::uint8_t>(svn);
  }
  return out;
}

Result<TcbComponents> read_named_components(const DocumentReader& tcb) {
  TcbComponents out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    CL_TRY(const std::uint32_t svn,
           tcb.number(cat("sgxtcbcomp", i < 9 ? "0" : "", i + 1, "svn"), 0xff));
    out[i] = static_cast<std::uint8_t>(svn);
  }
  return out;
}

Result<TcbLevel> read_tcb_level(const DocumentReader& level, const TcbInfo& info) {
  TcbLevel out;
  CL_TRY(const DocumentReader tcb, level.object("tcb"));
  if (info.version == 2) {
    CL_TRY(out.sgx, read_named_components(tcb));
  } else {
    CL_TRY(out.sgx, read_components(tcb, "sgxtcbcomponents"));
  }
  if (info.tee == TeeKind::tdx) {
    CL_TRY(out.tdx, read_components(tcb, "tdxtcbcomponents"));
  }
  CL_TRY(const std::uint32_t pcesvn, tcb.number("pcesvn", 0xffff));
  out.pcesvn = static_cast<std::uint16_t>(pcesvn);
  CL_TRY(out.date, level.time("tcbDate"));
  CL_TRY(out.status, level.status());
  CL_TRY(out.advisories, level.advisories());
  return out;
}

Status read_module(const DocumentReader& module, TdxModule& out) {
  CL_TRY(out.mrsigner, module.bytes<48>("mrsigner"));
  CL_TRY(out.attributes, module.bytes<8>("attributes"));
  CL_TRY(out.attributes_mask, module.bytes<8>("attributesMask"));
  return {};
}

Status read_modules(const DocumentReader& document, const Limits& limits, TcbInfo& info) {
  CL_TRY(const DocumentReader module, document.object("tdxModule"));
  CL_CHECK(read_module(module, info.module.emplace()));
  if (!document.has("tdxModuleIdentities")) return {};
  CL_TRY(const auto identities, document.objects("tdxModuleIdentities", limits.tcb_levels));
  for (const DocumentReader& identity : identities) {
    TdxModule one;
    CL_TRY(const std::string id, identity.text("id"));
    const auto version = id.starts_with("TDX_") && id.size() == 6 ? unhex(id.substr(4)) : Bytes();
    if (!version || version->empty()) return identity.wrong("id", "TDX_ and two hex digits");
    one.version = static_cast<std::uint8_t>(version->front());
    CL_CHECK(read_module(identity, one));
    CL_TRY(one.levels, identity.isv_levels());
    if (info.find_module(one.version) != nullptr) return identity.wrong("id", "each module once");
    info.modules.push_back(std::move(one));
  }
  return {};
}

}  // namespace

const TdxModule* TcbInfo::find_module(std::uint8_t module_version) const {
  for (const TdxModule& one : modules)
    if (one.version == module_version) return &one;
  return nullptr;
}

Result<TcbInfo> parse_tcb_info(std::string_view body, const Limits& limits) {
  CL_TRY(const Json json, parse_json(body, limits, kWhat));
  const DocumentReader document(json, std::string(kWhat), limits);
  TcbInfo out;
  CL_TRY(out.version, document.number("version", 0xffff));
  if (out.version != 2 && out.version != 3)
    return Error::unsupported(cat("TCB info of version ", out.version)).detail("want 2 or 3");
  if (out.version == 3) {
    CL_TRY(const std::string id, document.text("id"));
    if (id != "SGX" && id != "TDX")
      return Error::unsupported(cat("TCB info for ", quote(id.substr(0, 100))))
          .detail("want SGX or TDX");
    out.tee = id == "SGX" ? TeeKind::sgx : TeeKind::tdx;
  }
  CL_TRY(out.issue_date, document.time("issueDate"));
  CL_TRY(out.next_update, document.time("nextUpdate"));
  CL_TRY(out.fmspc, document.bytes<6>("fmspc"));
  CL_TRY(out.pceid, document.bytes<2>("pceId"));
  CL_TRY(const std::uint32_t type, document.number("tcbType", 0xffff));
  if (type != 0) return Error::unsupported(cat("TCB info of tcbType ", type)).detail("want 0");
  CL_TRY(out.evaluation, document.number("tcbEvaluationDataNumber", 0xffffffff));
  if (out.tee == TeeKind::tdx) CL_CHECK(read_modules(document, limits, out));
  CL_TRY(const auto levels, document.objects("tcbLevels", limits.tcb_levels));
  std::set<std::tuple<TcbComponents, std::uint16_t, TcbComponents>> seen;
  for (const DocumentReader& level : levels) {
    CL_TRY(TcbLevel one, read_tcb_level(level, out));
    if (!seen.insert({one.sgx, one.pcesvn, one.tdx}).second)
      return document.wrong("tcbLevels", "each level once");
    out.levels.push_back(std::move(one));
  }
  return out;
}

}  // namespace cloister::sign
