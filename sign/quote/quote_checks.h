// What a genuine quote has to say: that it is of this image's enclave, and made for this session.
// A quote proves neither by being genuine: anybody can start another enclave, or show an old quote.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "sign/quote/quote.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::sign {

// The report data that a verifier expects: any of these, of which the first is shown.
using ExpectedReportData = std::vector<ReportData>;

// Up to 64 bytes, zeros after them. `invalid` for more, or none.
Result<ReportData> padded_report_data(ByteView bytes);
// A nonce as a client sent it: enclaves put it there as it is, or its SHA-256 or SHA-512.
ExpectedReportData report_data_of_nonce(std::string_view nonce);

// "quote-session": some of what the quote holds for a verifier (session_data_of) is expected.
// Without an expectation nobody knows for whom the quote was made, or when: failed unless
// `allow_unbound`.
Check check_session(const std::vector<ReportData>& found, const ExpectedReportData& expected,
                    bool allow_unbound);

// "quote-image", and with it quote-mrenclave, quote-mrsigner, quote-isvprodid, quote-isvsvn (a
// minimum: the same enclave may have been signed anew) and quote-attributes (under the masks of
// SIGSTRUCT, as EINIT compares them): the quote is of the enclave that `signed_enclave` stands for.
std::vector<Check> check_quoted_enclave(const Quote& quote, const Sigstruct& signed_enclave);

}  // namespace cloister::sign
