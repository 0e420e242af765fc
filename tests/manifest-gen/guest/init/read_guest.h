// The first process's reader on a text that lies in memory.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/manifest-gen/guest/init/refusals.h"

namespace cloister::test {

// False when it refuses the document. The guest is there until forget_guests().
inline bool read_guest_text(std::string_view text, struct guest* out) {
  const int fd = memfd_create("guest.conf", MFD_CLOEXEC);
  if (fd < 0 || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    std::abort();
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const bool read = read_guest_or_refuse(path.c_str(), out);
  close(fd);
  return read;
}

}  // namespace cloister::test
