// /etc/ld.so.cache: the libraries that ldconfig found, by soname.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::manifest {

inline constexpr std::string_view kLdSoCache = "/etc/ld.so.cache";

class LdSoCache {
 public:
  struct Entry {
    std::string_view path;
    std::string_view hwcaps;  // subdirectory of glibc-hwcaps ("x86-64-v3"); empty: for every CPU
  };

  // Entries that a 64-bit x86 loader would take; what refers outside the file is left out, as the
  // loader leaves it out. A file that it would not use at all (other magic, other byte order, fewer
  // entries than announced) is `corrupt`. Time linear in the file but for sorting.
  static Result<LdSoCache> parse(Bytes file);

  LdSoCache(LdSoCache&&) = default;
  LdSoCache& operator=(LdSoCache&&) = default;

  // In the file's order; empty when the soname is not there.
  const std::vector<Entry>& find(std::string_view soname) const;
  std::size_t size() const { return libraries_.size(); }  // sonames

 private:
  explicit LdSoCache(Bytes file) : file_(std::move(file)) {}

  Bytes file_;  // the views below point into it
  std::map<std::string_view, std::vector<Entry>> libraries_;
};

}  // namespace cloister::manifest
