// What `measure` can compute a measurement of: one row per kind of hardware, with the options that
// are its own.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cmd/environment.h"
#include "cmd/key_source.h"
#include "cmd/session.h"

namespace cloister::cmd {

// What the targets share, as typed.
struct MeasureOptions {
  CommonOptions common;
  std::string tee = "sgx", file, format = "text";
  bool explain = false;
  // Of targets that sign.
  KeyOptions key;
  std::string signing_data;

  bool signs() const { return key.given() || !signing_data.empty(); }
};

// Measures, prints the result, answers the exit code.
using MeasureAction = std::function<Result<int>(const MeasureOptions&, const Environment&)>;

struct MeasureTarget {
  std::string_view tee;                 // --tee
  std::string_view file;                // what its argument is; empty: it takes none
  std::string_view data, algorithm;     // what is signed, and how; empty: nothing
  MeasureAction (*add)(CLI::App& app);  // declares its own options, returns what runs them

  bool signs() const { return !data.empty(); }
};

std::span<const MeasureTarget> measure_targets();

MeasureAction add_measure_sgx(CLI::App& app);
MeasureAction add_measure_snp(CLI::App& app);
MeasureAction add_measure_nitro(CLI::App& app);

}  // namespace cloister::cmd
