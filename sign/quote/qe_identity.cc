#include "sign/quote/qe_identity.h"

#include <array>
#include <nlohmann/json.hpp>

namespace cloister::sign {
namespace {

constexpr std::array<std::string_view, 3> kEnclaveIds = {"QE", "TD_QE", "QVE"};

// (value & mask) == wanted, byte by byte.
template <std::size_t N>
bool masked_equal(const ByteArray<N>& value, const ByteArray<N>& mask, const ByteArray<N>& want) {
  for (std::size_t i = 0; i < N; ++i)
    if ((value[i] & mask[i]) != want[i]) return false;
  return true;
}

}  // namespace

std::string_view enclave_id_name(EnclaveId id) {
  return kEnclaveIds.at(static_cast<std::size_t>(id));
}

Result<QeIdentity> parse_qe_identity(std::string_view body, const Limits& limits) {
  constexpr std::string_view kWhat = "the identity of the quoting enclave";
  CL_TRY(const Json json, parse_json(body, limits, kWhat));
  const DocumentReader document(json, std::string(kWhat), limits);
  QeIdentity out;
  CL_TRY(const std::string id, document.text("id"));
  const auto at = std::find(kEnclaveIds.begin(), kEnclaveIds.end(), id);
  if (at == kEnclaveIds.end())
    return Error::unsupported(cat("the identity of an enclave ", quote(id.substr(0, 100))))
        .detail("want QE, TD_QE or QVE");
  out.id = static_cast<EnclaveId>(at - kEnclaveIds.begin());
  CL_TRY(const std::uint32_t version, document.number("version", 0xffff));
  if (version != 2)
    return Error::unsupported(cat("an enclave identity of version ", version)).detail("want 2");
  CL_TRY(out.issue_date, document.time("issueDate"));
  CL_TRY(out.next_update, document.time("nextUpdate"));
  CL_TRY(out.evaluation, document.number("tcbEvaluationDataNumber", 0xffffffff));
  CL_TRY(out.misc_select, document.bytes<4>("miscselect"));
  CL_TRY(out.misc_mask, document.bytes<4>("miscselectMask"));
  CL_TRY(out.attributes, document.bytes<16>("attributes"));
  CL_TRY(out.attributes_mask, document.bytes<16>("attributesMask"));
  CL_TRY(out.mrsigner.bytes, document.bytes<32>("mrsigner"));
  CL_TRY(const std::uint32_t isvprodid, document.number("isvprodid", 0xffff));
  out.isvprodid = static_cast<std::uint16_t>(isvprodid);
  CL_TRY(out.levels, document.isv_levels());
  return out;
}

std::optional<std::string> identity_mismatch(const QeIdentity& identity, const SgxReport& report) {
  ByteWriter misc;
  misc.u32(report.misc_select);
  ByteArray<4> misc_select{};
  std::copy(misc.view().begin(), misc.view().end(), misc_select.begin());
  if (report.mrsigner != identity.mrsigner) return cat("MRSIGNER ", report.mrsigner.hex());
  if (report.isvprodid != identity.isvprodid) return cat("ISVPRODID ", report.isvprodid);
  if (!masked_equal(misc_select, identity.misc_mask, identity.misc_select))
    return cat("MISCSELECT ", hex(misc_select));
  if (!masked_equal(report.attributes(), identity.attributes_mask, identity.attributes))
    return cat("ATTRIBUTES ", hex(report.attributes()));
  return std::nullopt;
}

}  // namespace cloister::sign
