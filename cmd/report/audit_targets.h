// Which kinds of confidential machine fit a program, as every form of the audit says it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "manifest-gen/audit/target_fit.h"

namespace cloister::cmd {

OrderedJson targets_json(const std::vector<manifest::TargetFit>& targets);
// A section; nothing without targets. Fits `width` columns, where words do.
std::string targets_text(const std::vector<manifest::TargetFit>& targets, unsigned width,
                         bool color);
std::string targets_markdown(const std::vector<manifest::TargetFit>& targets);

// "SGX enclave"; the target's name where it is none that is known here.
std::string_view target_title(std::string_view name);

}  // namespace cloister::cmd
