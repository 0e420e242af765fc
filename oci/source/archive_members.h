// The members of a tar file as far as image archives need them: found by one scan, opened later.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/inflate.h"
#include "base/limits.h"
#include "base/stream.h"

namespace cloister::oci {

// What is known of a member before it is opened.
struct MemberInfo {
  std::uint64_t size = 0;                   // bytes of content
  Compression content = Compression::none;  // by its first bytes
};

// Names are without a leading "./" ("blobs/sha256/…"); one that is a symbolic or hard link stands
// for the regular member it leads to, within the archive only. Where a name occurs twice, the later
// one counts, as when extracting. Thread-safe: every open member reads the file on its own. Memory:
// one name and a few numbers per member; contents are streamed.
class ArchiveMembers {
 public:
  static Result<std::shared_ptr<const ArchiveMembers>> scan(const std::string& file,
                                                            const Limits& limits);
  virtual ~ArchiveMembers() = default;

  // Nothing when there is no regular member of that name.
  virtual std::optional<MemberInfo> find(const std::string& name) const = 0;
  // Its content, or null when there is none.
  virtual Result<std::unique_ptr<Source>> open(const std::string& name) const = 0;
  bool contains(const std::string& name) const { return find(name).has_value(); }
};

// `not_found`, or `invalid` for a directory or something that is no regular file: an archive is
// read at several places.
Status check_archive_file(const std::string& path, std::string directory_hint);
// The whole of a small member. REQUIRES: there is one.
Result<std::string> read_member(const ArchiveMembers& members, const std::string& name,
                                std::uint64_t max);

}  // namespace cloister::oci
