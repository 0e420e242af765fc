// Private keys and passphrases: memory that is wiped when it goes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"

namespace cloister {

// Overwrites, in a way that the compiler does not leave out.
void wipe(std::string& text);
void wipe(Bytes& bytes);

// Bytes on the heap with one owner, wiped by its end: moving leaves no copy behind, and there is no
// other way to copy them but on purpose.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : bytes_(to_bytes(text)) {}
  explicit Secret(Bytes&& bytes) : bytes_(std::move(bytes)) {}
  Secret(Secret&&) noexcept = default;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(bytes_); }

  ByteView bytes() const { return bytes_; }
  std::string_view text() const { return as_text(bytes_); }
  bool empty() const { return bytes_.empty(); }
  // Keeps what stands before the first line end.
  void keep_first_line();
  bool operator==(const Secret&) const = default;

 private:
  Bytes bytes_;
};

// The whole file or descriptor, as read_file, without copies in memory that was given back.
Result<Secret> read_secret_file(const fs::path& path, std::uint64_t max);
Result<Secret> read_secret(Source& source, std::uint64_t max, std::string_view what);

}  // namespace cloister
