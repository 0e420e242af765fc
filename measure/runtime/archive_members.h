// The two formats around a Debian package's tar files, by libarchive: ar and xz.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/stream.h"

namespace cloister::measure {

// Reads an ar archive (the common format: deb(5)) member by member.
class ArReader {
 public:
  virtual ~ArReader() = default;
  // Moves to the next member and answers its name, without the '/' that System V archives append;
  // empty at the end. Content not read is skipped.
  virtual Result<std::string> next() = 0;
  // The content of the current member; valid until next().
  virtual Source& content() = 0;
};
// Errors call the archive `what`. `inner` must outlive the reader.
Result<std::unique_ptr<ArReader>> open_ar(Source& inner, std::string what);

// The inflated bytes of an xz stream. `inner` must outlive it.
Result<std::unique_ptr<Source>> make_xz_source(Source& inner, std::string what);

}  // namespace cloister::measure
