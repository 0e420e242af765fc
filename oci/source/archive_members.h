// The members of a tar file as far as an image layout needs them: found by one scan, opened later.
#pragma once

#include <memory>
#include <string>

#include "base/limits.h"
#include "base/stream.h"

namespace cloister::oci {

// Thread-safe: every open member reads the file on its own. Memory: one name and two numbers per
// member; contents are streamed.
class ArchiveMembers {
 public:
  static Result<std::shared_ptr<const ArchiveMembers>> scan(const std::string& file,
                                                            const Limits& limits);
  virtual ~ArchiveMembers() = default;

  virtual bool contains(const std::string& name) const = 0;
  // The content of a regular member ("blobs/sha256/…", without leading "./"), or null when there is
  // none of that name. Where a name occurs twice, the later one counts, as when extracting.
  virtual Result<std::unique_ptr<Source>> open(const std::string& name) const = 0;
};

}  // namespace cloister::oci
