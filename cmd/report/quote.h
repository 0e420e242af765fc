// A quote for people and for programs: what it says, and whether it is genuine
// (schema/quote.schema.json).
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "sign/quote/quote.h"
#include "sign/quote/verdict.h"

namespace cloister::cmd {

struct QuoteReport {
  std::string name;  // the file
  const sign::Quote& quote;
  const sign::QuoteVerdict& verdict;
  std::vector<sign::Check> checks;  // those of the verdict, and what else was asked
  bool verified() const;
};

// Every field that a reader may want to compare, nothing verified.
std::string quote_text(const sign::Quote& quote);
std::string quote_json(const sign::Quote& quote);

std::string quote_verdict_text(const QuoteReport& report);
std::string quote_verdict_json(const QuoteReport& report);

// The "quote" object that outputs about a verified quote share: fields, TCB, platform.
OrderedJson quote_object(const sign::Quote& quote, const sign::QuoteVerdict* verdict);

}  // namespace cloister::cmd
