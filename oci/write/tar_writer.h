// Tar files as image archives need them: the same bytes for the same members.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/stream.h"

namespace cloister::oci {

// Everything belongs to 0:0, has mode 0644 (directories 0755) and the time 0. ustar, with PAX
// records only where a member passes 8 GiB. Not thread-safe.
class TarWriter {
 public:
  explicit TarWriter(TempFile& file);
  TarWriter(const TarWriter&) = delete;
  ~TarWriter();

  Status open();
  Status directory(const std::string& name);
  // REQUIRES: `content` fails or has exactly `size` bytes.
  Status file(const std::string& name, std::uint64_t size, Source& content);
  Status text(const std::string& name, std::string_view content);
  Status close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// `fill` writes an archive that appears under `target` complete or not at all; directories above
// it are made. `hint` is for a target that is a directory.
Status write_tar_file(const std::string& target, std::string hint,
                      const std::function<Status(TarWriter&)>& fill);

}  // namespace cloister::oci
