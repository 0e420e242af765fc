// The outcome of verify for people and for programs (schema/verify.schema.json).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "sign/image/checks.h"
#include "sign/quote/quote.h"
#include "sign/quote/verdict.h"

namespace cloister::cmd {

struct VerifyReport {
  std::string name;
  Digest digest;
  std::vector<sign::Check> checks;
  std::string verdict = "This image is what its signer says.";  // for people, when all passed
  std::optional<sign::Quote> quote{};                           // that was verified with it
  sign::QuoteVerdict quote_verdict{};
  bool verified() const;  // every check passed, and there was one
};

// "passed  name  what was seen", one line a check, and what was wanted under those that failed.
std::string checks_text(const std::vector<sign::Check>& checks);
OrderedJson checks_json(const std::vector<sign::Check>& checks);

std::string verify_text(const VerifyReport& report);
std::string verify_json(const VerifyReport& report);

}  // namespace cloister::cmd
