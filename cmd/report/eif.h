// An enclave image file of AWS Nitro, measured, for people and for programs
// (schema/measure-nitro.schema.json).
#pragma once

#include <string>

#include "base/limits.h"
#include "base/result.h"
#include "measure/nitro/eif.h"
#include "sign/nitro/eif_signature.h"

namespace cloister::cmd {

struct EifReport {
  const measure::nitro::Eif& eif;
  const sign::EifSignature* signature = nullptr;  // of a signed one
  const Error* problem = nullptr;                 // why that signature does not count, if so
  const Limits& limits;
  bool explain = false;  // with header, sections and metadata
};

std::string eif_text(const EifReport& report);
std::string eif_json(const EifReport& report);

}  // namespace cloister::cmd
