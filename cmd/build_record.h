// What a build was made from, as its provenance: written into the image, attested by who signs it,
// and read back by who repeats it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/toml.h"
#include "cmd/pipeline.h"
#include "cmd/plan_options.h"
#include "sign/image/provenance.h"

namespace cloister::cmd {

struct BuildRecord {
  // As typed, but without the places of runtimes and overlay: they are among the inputs.
  PlanArguments plan;
  bool with_direct = false;
  std::vector<std::string> labels;
  Seconds created{};
  std::string platform;
  std::vector<sign::BuildInput> inputs;
  std::string version;  // of cloister

  const sign::BuildInput* input(std::string_view role) const;  // the first; null when there is none
};

// Base, runtime sources and overlay, as the plan found them.
std::vector<sign::BuildInput> build_inputs(const Plan& plan, const std::string& base_name,
                                           const std::string& overlay);

// What was given of the options that are recorded, by their long names.
TomlTable plan_parameters(const PlanArguments& arguments);
// What a plan itself says; the options, the date and the labels are for the caller to add.
BuildRecord record_of(const Plan& plan, const std::string& base_name, const std::string& overlay);
// How the image of a record is put together. `usage` for a malformed label.
Result<AssembleOptions> assemble_options(const BuildRecord& record);

std::string encode_build_record(const BuildRecord& record);
// `corrupt` for what no build of ours writes.
Result<BuildRecord> parse_build_record(std::string_view provenance, const Limits& limits);

}  // namespace cloister::cmd
