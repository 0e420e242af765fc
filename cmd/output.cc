#include "cmd/output.h"

#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

Status write_all(std::FILE* file, std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file) != text.size() || std::fflush(file) != 0)
    return Error::io("cannot write the result").hint("what reads it has gone, or its disk is full");
  return {};
}

// A pipe or a device, perhaps behind a link: it is written to. Replacing it, as a file is replaced,
// would put a file in the place of /dev/null.
bool is_special(const std::string& path) {
  std::error_code error;
  const auto type = std::filesystem::status(path, error).type();
  return type == std::filesystem::file_type::fifo ||
         type == std::filesystem::file_type::character ||
         type == std::filesystem::file_type::block || type == std::filesystem::file_type::socket;
}

}  // namespace

Status write_result(const std::string& path, std::string_view text, unsigned mode) {
  if (path.empty() || path == "-") return write_all(stdout, text);
  if (!is_special(path)) return write_file_atomic(path, as_bytes(text), mode);
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr)
    return Error::io(cat("cannot open ", quote(path)))
        .hint("nobody reads from it, or it is not yours to write");
  Status status = write_all(file, text);
  if (std::fclose(file) != 0 && status.has_value())
    status = Error::io(cat("cannot write to ", quote(path))).hint("what reads it has gone");
  return status;
}

ResultStyle result_style(const Environment& env, bool no_color, const std::string& path) {
  if (!env.stdout_tty || (!path.empty() && path != "-")) return {};
  return {env.columns, !no_color && !env.get("NO_COLOR")};
}

}  // namespace cloister::cmd
