#include "base/result.h"

#include <cstring>

namespace cloister {

Error::Error(Code code, std::string what)
    : detail_(std::make_unique<Detail>(Detail{code, std::move(what), {}, {}, {}})) {}

Error Error::io_errno(std::string what, int error_number) {
  char buffer[256];
  // The GNU strerror_r: thread-safe, may ignore the buffer.
  const char* text = strerror_r(error_number, buffer, sizeof buffer);
  what += ": ";
  what += text;
  return io(std::move(what));
}

Error&& Error::hint(std::string text) && {
  detail_->hint = std::move(text);
  return std::move(*this);
}

Error&& Error::detail(std::string text) && {
  detail_->details.push_back(std::move(text));
  return std::move(*this);
}

Error&& Error::while_(std::string doing) && {
  detail_->trace.push_back(std::move(doing));
  return std::move(*this);
}

Error Error::clone() const {
  return Error(std::make_unique<Detail>(*detail_));
}

}  // namespace cloister
