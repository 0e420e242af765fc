#include "sign/quote/quote_checks.h"

#include <openssl/sha.h>

#include <algorithm>

#include "base/text.h"

namespace cloister::sign {
namespace {

// SIGSTRUCT is signed before there is an enclave, which alone can be initialised.
constexpr std::uint64_t kInitFlag = 1;

std::string report_data_text(const ReportData& data) {
  const bool half = std::all_of(data.begin() + data.size() / 2, data.end(),
                                [](std::byte b) { return b == std::byte{0}; });
  const auto bytes = std::span<const std::byte>(data);
  return half ? cat(hex(bytes.first(data.size() / 2)), " and zeros") : hex(bytes);
}

Check equal(std::string name, const Digest& found, const Digest& expected, std::string_view other) {
  if (found == expected) return passed_check(std::move(name), found.hex());
  return failed_check(std::move(name), cat(found.hex(), " (", other, ")"), expected.hex());
}

std::string attributes_text(std::uint64_t flags, std::uint64_t xfrm, std::uint64_t misc) {
  return cat("flags ", hex_number(flags), ", XFRM ", hex_number(xfrm), ", MISCSELECT ",
             hex_number(misc));
}

Check check_attributes(const SgxReport& report, const Sigstruct& s) {
  const std::uint64_t flags = report.flags & ~kInitFlag;
  const bool same = (flags & s.flags_mask) == (s.flags & s.flags_mask) &&
                    (report.xfrm & s.xfrm_mask) == (s.xfrm & s.xfrm_mask) &&
                    (report.misc_select & s.misc_mask) == (s.misc_select & s.misc_mask);
  const std::string found = attributes_text(flags, report.xfrm, report.misc_select);
  if (same) return passed_check("quote-attributes", found);
  return failed_check(
      "quote-attributes", found,
      cat(attributes_text(s.flags, s.xfrm, s.misc_select), ", under the masks ",
          hex_number(s.flags_mask), ", ", hex_number(s.xfrm_mask), ", ", hex_number(s.misc_mask)));
}

}  // namespace

Result<ReportData> padded_report_data(ByteView bytes) {
  ReportData out{};
  if (bytes.empty() || bytes.size() > out.size())
    return Error::invalid(cat("report data of ", bytes.size(), " bytes"))
        .detail(cat("want 1 to ", out.size()));
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

ExpectedReportData report_data_of_nonce(std::string_view nonce) {
  ExpectedReportData out;
  if (auto plain = padded_report_data(as_bytes(nonce)); plain.has_value()) out.push_back(*plain);
  ReportData hashed{};
  std::ranges::copy(sha256(nonce).bytes, hashed.begin());
  out.push_back(hashed);
  SHA512(raw(as_bytes(nonce).data()), nonce.size(), raw(hashed.data()));
  out.push_back(hashed);
  return out;
}

Check check_session(const std::vector<ReportData>& found, const ExpectedReportData& expected,
                    bool allow_unbound) {
  const std::string shown =
      found.empty() ? "" : cat("report data ", report_data_text(found.front()));
  if (expected.empty()) {
    std::string text =
        cat("not bound to a session: ", found.empty() ? "it holds nothing that could name one"
                                                      : cat(shown, " were not compared"));
    if (allow_unbound) return passed_check("quote-session", std::move(text));
    return failed_check("quote-session", std::move(text),
                        "report data that name this session (--report-data), or --allow-unbound");
  }
  for (const ReportData& one : found)
    if (std::find(expected.begin(), expected.end(), one) != expected.end())
      return passed_check("quote-session",
                          cat("made for this session: report data ", report_data_text(one)));
  return failed_check(
      "quote-session",
      found.empty() ? "made for no session" : cat("made for another session: ", shown),
      report_data_text(expected.front()));
}

std::vector<Check> check_quoted_enclave(const Quote& quote, const Sigstruct& s) {
  const auto* ecdsa = std::get_if<EcdsaQuote>(&quote);
  const SgxReport* report = ecdsa == nullptr ? nullptr : ecdsa->sgx();
  if (report == nullptr)
    return {failed_check("quote-image", cat("the quote is of ", tee_subject(tee_of(quote))),
                         "a quote of an SGX enclave, which the image holds")};
  std::vector<Check> out;
  const bool same = report->mrenclave == s.mrenclave && report->mrsigner == s.mrsigner() &&
                    report->isvprodid == s.isvprodid && report->isvsvn >= s.isvsvn;
  out.push_back(same ? passed_check("quote-image", "the enclave is the signed image")
                     : failed_check("quote-image", "the enclave is NOT the signed image",
                                    "the enclave that the image holds"));
  out.push_back(equal("quote-mrenclave", report->mrenclave, s.mrenclave, "another enclave"));
  out.push_back(equal("quote-mrsigner", report->mrsigner, s.mrsigner(), "another signer"));
  out.push_back(report->isvprodid == s.isvprodid
                    ? passed_check("quote-isvprodid", cat(report->isvprodid))
                    : failed_check("quote-isvprodid", cat(report->isvprodid), cat(s.isvprodid)));
  out.push_back(report->isvsvn >= s.isvsvn
                    ? passed_check("quote-isvsvn", cat(report->isvsvn))
                    : failed_check("quote-isvsvn", cat(report->isvsvn),
                                   cat(s.isvsvn, " or higher: an older build runs")));
  out.push_back(check_attributes(*report, s));
  return out;
}

}  // namespace cloister::sign
