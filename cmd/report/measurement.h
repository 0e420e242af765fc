// A measurement for people and for programs (schema/measure.schema.json).
#pragma once

#include <string>
#include <vector>

#include "measure/sgx/enclave.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::cmd {

struct MeasurementReport {
  const measure::sgx::EnclaveParams& params;
  const measure::sgx::EnclaveMeasurement& measurement;
  const sign::Sigstruct* sigstruct = nullptr;  // when one was made
  bool explain = false;                        // with every range
};

std::string measurement_text(const MeasurementReport& report);
std::string measurement_json(const MeasurementReport& report);
// One line per range: address, size, protection, page type, measured or not, name.
std::string areas_text(const std::vector<measure::sgx::EnclaveArea>& areas);

}  // namespace cloister::cmd
