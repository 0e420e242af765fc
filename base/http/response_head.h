// Collects status line and headers of an answer, bounded.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/http/client.h"

namespace cloister::http {

class ResponseHead {
 public:
  explicit ResponseHead(const Limits& limits) : max_line_(limits.header_bytes) {}
  // One line as libcurl delivers it, with its line end. False when a bound is passed: the transfer
  // is to be ended.
  bool add_line(std::string_view line);
  // The empty line after a final status (200 and above) has been seen.
  bool complete() const { return complete_; }
  bool too_large() const { return too_large_; }
  int status() const { return status_; }
  std::vector<Header> take_headers() { return std::move(headers_); }

 private:
  std::size_t max_line_;
  std::size_t total_ = 0;
  int status_ = 0;
  bool complete_ = false;
  bool too_large_ = false;
  std::vector<Header> headers_;
};

}  // namespace cloister::http
