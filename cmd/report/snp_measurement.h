// A launch measurement for people and for programs (schema/measure-snp.schema.json).
#pragma once

#include <optional>
#include <string>

#include "base/digest.h"
#include "cmd/measure/id_block.h"
#include "measure/snp/launch.h"

namespace cloister::cmd {

struct SnpMeasurementReport {
  const measure::snp::LaunchMeasurement& launch;
  const measure::snp::LaunchParams& params;
  const std::optional<measure::snp::KernelHashes>& kernel;
  Digest firmware;                  // of the file
  std::uint64_t firmware_size = 0;  // bytes
  std::string model = {};           // of the processor, by QEMU's name; empty: not named so
  const SignedIdBlock* id_block = nullptr;
  bool explain = false;  // with every range
};

std::string snp_measurement_text(const SnpMeasurementReport& report);
std::string snp_measurement_json(const SnpMeasurementReport& report);
// The digests alone, one in a line, in the order in which they were asked for.
std::string snp_digests_text(const measure::snp::LaunchMeasurement& launch);

}  // namespace cloister::cmd
