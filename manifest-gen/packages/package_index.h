// Which packages an image has, and which of them owns a file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "manifest-gen/packages/package.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

class PackageIndex {
 public:
  PackageIndex() = default;

  // Every database in the image: dpkg, distroless' status.d, apk, rpm (SQLite). One that cannot be
  // read is left out, with a line in notes(): an image does not become unusable by it. The root
  // must outlive the index.
  static PackageIndex read(const measure::Rootfs& rootfs, const Limits& limits);

  // In the order of the databases. Paths that the image lacks are not among Package::files, nor are
  // directories.
  const std::vector<Package>& packages() const { return packages_; }
  bool empty() const { return packages_.empty(); }

  // Where a path is a symbolic link, or leads through one, what counts is the file at its end.
  // Packages spell paths as they like ("/lib/…" on a system whose /lib is a link): owners are found
  // by the file, not by the spelling. Null: nobody's.
  const Package* owner(std::string_view path) const;
  const Package* owner(const measure::Node& file) const;

  const Distribution& distribution() const { return distribution_; }
  // Databases that could not be read, for people.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  friend class PackageIndexReader;
  const measure::Rootfs* rootfs_ = nullptr;
  std::vector<Package> packages_;
  std::unordered_map<const measure::Node*, std::uint32_t> owners_;
  Distribution distribution_;
  std::vector<std::string> notes_;
};

}  // namespace cloister::manifest
