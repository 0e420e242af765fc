#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace cloister {
namespace {

// What most often helps against a refusal of the operating system.
const char* remedy(int error_number) {
  switch (error_number) {
    case ENOENT:
      return "check the path: a file or a directory on the way does not exist";
    case ENOTDIR:
      return "check the path: a part of it is a file, not a directory";
    case EISDIR:
      return "name a file, not a directory";
    case EACCES:
    case EPERM:
      return "check the permissions of the path and of the directories that lead to it";
    case EROFS:
      return "choose a place on a file system that can be written";
    case ENOSPC:
    case EDQUOT:
      return "make room on that file system, or choose another place";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n), or lower --jobs";
    default:
      return "check the file system; the system's log may say more";
  }
}

}  // namespace

Error::Error(Code code, std::string what)
    : detail_(std::make_unique<Detail>(Detail{code, std::move(what), {}, {}, {}})) {}

Error Error::io_errno(std::string what, int error_number) {
  char buffer[256];
  // The GNU strerror_r: thread-safe, may ignore the buffer.
  const char* text = strerror_r(error_number, buffer, sizeof buffer);
  what += ": ";
  what += text;
  return io(std::move(what)).hint(remedy(error_number));
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
