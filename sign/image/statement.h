// in-toto Statement v1: something (the predicate) is said about something (the subject).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::sign {

inline constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
// What cosign 3 signs when it signs an image; the predicate is empty.
inline constexpr std::string_view kCosignSignPredicate = "https://sigstore.dev/cosign/sign/v1";

struct Statement {
  std::vector<Digest> subjects;  // those that have a SHA-256 digest
  std::string predicate_type;
  std::string predicate;  // a JSON object as text

  bool is_about(const Digest& digest) const;
};

// Compact JSON. `predicate` is a JSON object as text, made by one of ours. `name` may be empty: the
// subject is then its digest alone.
std::string encode_statement(std::string_view name, const Digest& subject,
                             std::string_view predicate_type, std::string_view predicate);
// v0.1 is read too: cosign still writes it. Another _type is `unsupported`, everything else that is
// no statement `corrupt`.
Result<Statement> parse_statement(std::string_view text, const Limits& limits);

}  // namespace cloister::sign
