#include "cmd/output.h"

#include <cstdio>

#include "base/file.h"

namespace cloister::cmd {

Status write_result(const std::string& path, std::string_view text, unsigned mode) {
  if (!path.empty() && path != "-") return write_file_atomic(path, as_bytes(text), mode);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    return Error::io("cannot write to standard output")
        .hint("what reads it has gone, or its disk is full");
  return {};
}

}  // namespace cloister::cmd
