// The bounds on hostile layers that people may move: base/limits.h has all of them.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"

namespace cloister::cmd {

struct LimitFlags {
  std::string layer_size = "256G";
  std::uint64_t ratio = Limits().layer_ratio;
  std::uint64_t entries = Limits().layer_entries;
};

void add_limit_options(CLI::App& app, LimitFlags& flags);
Result<Limits> make_limits(const LimitFlags& flags);

// "20G" as bytes; `usage`, naming the option, when it is no size.
Result<std::uint64_t> parse_size_option(std::string_view option, const std::string& text);

}  // namespace cloister::cmd
