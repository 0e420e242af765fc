#include "cmd/report/quote.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cmd/report/sgx_json.h"
#include "cmd/report/verify.h"

namespace cloister::cmd {
namespace {

// Name and value of each field, in the order of the structure.
using Fields = std::vector<std::pair<std::string, OrderedJson>>;

template <std::size_t N>
std::string hex_of(const std::array<std::byte, N>& bytes) {
  return hex(std::span<const std::byte>(bytes));
}

std::string svn_text(const sign::SnpTcb& tcb) {
  return hex(std::span<const std::uint8_t>(tcb));
}

Fields sgx_fields(const sign::SgxReport& r) {
  return {{"mrenclave", r.mrenclave.hex()},
          {"mrsigner", r.mrsigner.hex()},
          {"isvprodid", r.isvprodid},
          {"isvsvn", r.isvsvn},
          {"debug", r.debug()},
          {"attributes", hex_of(r.attributes())},
          {"miscselect", hex_le(r.misc_select, sizeof(r.misc_select))},
          {"cpusvn", hex_of(r.cpusvn)},
          {"configid", hex_of(r.config_id)},
          {"configsvn", r.config_svn},
          {"isvextprodid", hex_of(r.isv_ext_prod_id)},
          {"isvfamilyid", hex_of(r.isv_family_id)}};
}

Fields td_fields(const sign::TdReport& r) {
  Fields out{{"mrtd", hex_of(r.mrtd)},
             {"rtmr0", hex_of(r.rtmr[0])},
             {"rtmr1", hex_of(r.rtmr[1])},
             {"rtmr2", hex_of(r.rtmr[2])},
             {"rtmr3", hex_of(r.rtmr[3])},
             {"debug", r.debug()},
             {"tdattributes", hex_le(r.td_attributes, sizeof(r.td_attributes))},
             {"xfam", hex_le(r.xfam, sizeof(r.xfam))},
             {"mrconfigid", hex_of(r.mrconfigid)},
             {"mrowner", hex_of(r.mrowner)},
             {"mrownerconfig", hex_of(r.mrownerconfig)},
             {"teeTcbSvn", hex_of(r.tee_tcb_svn)},
             {"mrseam", hex_of(r.mrseam)},
             {"mrsignerseam", hex_of(r.mrsignerseam)}};
  if (r.version15) {
    out.emplace_back("teeTcbSvn2", hex_of(r.version15->tee_tcb_svn2));
    out.emplace_back("mrservicetd", hex_of(r.version15->mrservicetd));
  }
  return out;
}

Fields snp_fields(const sign::SnpReport& r) {
  return {{"measurement", hex_of(r.measurement)},
          {"policy", hex_le(r.policy.bits, sizeof(r.policy.bits))},
          {"debug", r.policy.debug()},
          {"guestSvn", r.guest_svn},
          {"vmpl", r.vmpl},
          {"hostData", hex_of(r.host_data)},
          {"idKeyDigest", hex_of(r.id_key_digest)},
          {"authorKeyDigest", hex_of(r.author_key_digest)},
          {"familyId", hex_of(r.family_id)},
          {"imageId", hex_of(r.image_id)},
          {"reportedTcb", svn_text(r.reported_tcb)},
          {"currentTcb", svn_text(r.current_tcb)},
          {"committedTcb", svn_text(r.committed_tcb)},
          {"launchTcb", svn_text(r.launch_tcb)},
          {"platformInfo", hex_le(r.platform_info, sizeof(r.platform_info))},
          {"chipId", hex_of(r.chip_id)},
          {"reportId", hex_of(r.report_id)}};
}

OrderedJson hex_or_null(const std::optional<Bytes>& bytes) {
  return bytes ? OrderedJson(hex(ByteView(*bytes))) : OrderedJson();
}

// Registers that nothing was written to are left out, but for those that measure the image.
Fields nitro_fields(const sign::NitroDocument& d) {
  Fields out{{"moduleId", d.module_id}, {"time", format_rfc3339(d.time)}, {"debug", d.debug()}};
  for (const auto& [number, value] : d.pcrs)
    if (number <= 2 || value != Digest384{})
      out.emplace_back(cat("pcr", unsigned{number}), hex_of(value));
  out.emplace_back("certificate", d.certificate.common_name());
  out.emplace_back("publicKey", hex_or_null(d.public_key));
  out.emplace_back("userData", hex_or_null(d.user_data));
  out.emplace_back("nonce", hex_or_null(d.nonce));
  return out;
}

struct Described {
  std::string what;                 // for people
  std::optional<unsigned> version;  // where it has one
  Fields fields;
};

Described describe(const sign::Quote& quote) {
  if (const auto* snp = std::get_if<sign::SnpReport>(&quote))
    return {"SEV-SNP attestation report", snp->version, snp_fields(*snp)};
  if (const auto* document = std::get_if<sign::NitroDocument>(&quote))
    return {"attestation document of AWS Nitro", std::nullopt, nitro_fields(*document)};
  const auto& ecdsa = std::get<sign::EcdsaQuote>(quote);
  if (const auto* sgx = ecdsa.sgx()) return {"SGX quote (ECDSA)", ecdsa.version, sgx_fields(*sgx)};
  return {ecdsa.td()->version15 ? "TDX 1.5 quote (ECDSA)" : "TDX 1.0 quote (ECDSA)", ecdsa.version,
          td_fields(*ecdsa.td())};
}

std::string field_text(const OrderedJson& value) {
  if (value.is_null()) return "none";
  return value.is_string() ? printable(value.get<std::string>()) : value.dump();
}

}  // namespace

bool QuoteReport::verified() const {
  return sign::all_passed(checks);
}

OrderedJson quote_object(const sign::Quote& quote, const sign::QuoteVerdict* verdict) {
  const Described described = describe(quote);
  OrderedJson out = OrderedJson::object();
  out["tee"] = sign::tee_name(sign::tee_of(quote));
  if (described.version) out["version"] = *described.version;
  if (const auto* data = sign::report_data_of(quote)) out["reportData"] = hex_of(*data);
  OrderedJson fields = OrderedJson::object();
  for (const auto& [name, value] : described.fields) fields[name] = value;
  out["fields"] = std::move(fields);
  if (verdict == nullptr) return out;
  out["genuine"] = verdict->genuine();
  out["platform"] = verdict->platform;
  if (verdict->status) {
    out["tcb"] = OrderedJson::object(
        {{"status", sign::tcb_status_name(*verdict->status)}, {"advisories", verdict->advisories}});
    if (verdict->tcb_evaluation) out["tcb"]["evaluation"] = *verdict->tcb_evaluation;
  }
  if (verdict->valid_until) out["validUntil"] = format_rfc3339(*verdict->valid_until);
  return out;
}

std::string quote_text(const sign::Quote& quote) {
  const Described described = describe(quote);
  std::size_t width = std::string_view("report data").size();
  for (const auto& field : described.fields) width = std::max(width, field.first.size());
  const auto line = [&](std::string_view name, std::string_view value) {
    return cat(name, std::string(width - name.size() + 2, ' '), value, "\n");
  };
  std::string out =
      cat(described.what, described.version ? cat(", version ", *described.version) : "",
          "; what it says, not whether it is true\n\n");
  for (const auto& [name, value] : described.fields) out += line(name, field_text(value));
  if (const auto* data = sign::report_data_of(quote)) out += line("report data", hex_of(*data));
  return out;
}

std::string quote_json(const sign::Quote& quote) {
  return dump_json_pretty(quote_object(quote, nullptr)) + "\n";
}

std::string quote_verdict_text(const QuoteReport& report) {
  const Described described = describe(report.quote);
  const auto bad = std::count_if(report.checks.begin(), report.checks.end(),
                                 [](const sign::Check& c) { return !c.passed; });
  std::string out = cat("quote     ", printable(report.name), ": ", described.what, "\n");
  if (!report.verdict.platform.empty())
    out += cat("platform  ", printable(report.verdict.platform), "\n");
  if (report.verdict.valid_until)
    out += cat("until     ", format_rfc3339(*report.verdict.valid_until),
               ", when its proof has to be fetched anew\n");
  out += "\n" + checks_text(report.checks);
  if (!report.verified())
    return out + cat("\nNOT VERIFIED: ", bad, " of ", report.checks.size(), " checks failed.\n");
  return out +
         "\nThe quote is genuine. Compare its measurement with the one you expect: cloister "
         "verify IMAGE --quote.\n";
}

std::string quote_verdict_json(const QuoteReport& report) {
  OrderedJson out = OrderedJson::object();
  out["verified"] = report.verified();
  out["quote"] = quote_object(report.quote, &report.verdict);
  out["checks"] = checks_json(report.checks);
  return dump_json_pretty(out) + "\n";
}

}  // namespace cloister::cmd
