// One answer can hold several heads: "100 Continue" and other 1xx come before the final one, and
// the trailers of a chunked body come after it. Only the final head counts. Everything is bounded:
// a server may send headers without end.
#include "base/http/response_head.h"

#include "base/text.h"

namespace cloister::http {
namespace {

constexpr std::size_t kMaxHeaders = 256;
constexpr std::size_t kMaxHeadBytes = 256 << 10;

// "HTTP/1.1 200 OK" → 200; 0 when it is not a status line.
int status_of(std::string_view line) {
  const std::size_t blank = line.find(' ');
  if (!line.starts_with("HTTP/") || blank == std::string_view::npos) return 0;
  const auto code = parse_u64(line.substr(blank + 1, 3));
  return code && *code >= 100 ? static_cast<int>(*code) : 0;
}

}  // namespace

bool ResponseHead::add_line(std::string_view line) {
  if (complete_) return true;  // a trailer
  total_ += line.size();
  if (line.size() > max_line_ || total_ > kMaxHeadBytes || headers_.size() >= kMaxHeaders) {
    too_large_ = true;
    return false;
  }
  line = trim(line);
  if (const int status = status_of(line); status != 0) {
    status_ = status;
    headers_.clear();
    return true;
  }
  if (line.empty()) {
    complete_ = status_ >= 200;
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos)
    headers_.push_back(
        {lower_ascii(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1)))});
  return true;
}

std::optional<std::string> Response::header(std::string_view lower_case_name) const {
  for (const Header& h : headers)
    if (h.name == lower_case_name) return h.value;
  return std::nullopt;
}

std::vector<std::string> Response::header_values(std::string_view lower_case_name) const {
  std::vector<std::string> out;
  for (const Header& h : headers)
    if (h.name == lower_case_name) out.push_back(h.value);
  return out;
}

}  // namespace cloister::http
