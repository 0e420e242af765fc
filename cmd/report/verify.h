// The outcome of verify for people and for programs (schema/verify.schema.json).
#pragma once

#include <string>
#include <vector>

#include "base/digest.h"
#include "sign/image/checks.h"

namespace cloister::cmd {

struct VerifyReport {
  std::string name;
  Digest digest;
  std::vector<sign::Check> checks;
  std::string verdict = "This image is what its signer says.";  // for people, when all passed
  bool verified() const;  // every check passed, and there was one
};

std::string verify_text(const VerifyReport& report);
std::string verify_json(const VerifyReport& report);

}  // namespace cloister::cmd
