// Colours of the reports for a terminal.
#pragma once

#include <string>
#include <string_view>

#include "base/text.h"
#include "manifest-gen/audit/finding.h"

namespace cloister::cmd {

class Painter {
 public:
  explicit Painter(bool color) : color_(color) {}
  std::string bold(std::string_view text) const { return paint("1", text); }
  std::string faint(std::string_view text) const { return paint("2", text); }
  std::string severity(manifest::Severity severity, std::string_view text) const {
    // Those of the 16 colours that are readable on light and dark.
    static constexpr std::string_view kCodes[] = {"36", "34", "33", "31", "1;31"};
    return paint(kCodes[static_cast<std::size_t>(severity)], text);
  }
  std::string good(std::string_view text) const { return paint("1;32", text); }
  std::string bad(std::string_view text) const { return paint("1;31", text); }

 private:
  std::string paint(std::string_view code, std::string_view text) const {
    return color_ ? cat("\033[", code, "m", text, "\033[0m") : std::string(text);
  }
  bool color_;
};

}  // namespace cloister::cmd
