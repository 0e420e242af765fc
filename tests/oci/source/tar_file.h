// Tar files of all dialects for tests, made with libarchive.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/file.h"

namespace cloister::oci {

struct TarMember {
  std::string name, content = {};
  std::string symlink = {}, hardlink = {};  // at most one of them, then without content
};
using Members = std::vector<TarMember>;

struct TarOptions {
  int format = ARCHIVE_FORMAT_TAR_USTAR;
  int filter = ARCHIVE_FILTER_NONE;
  bool long_records = false;  // PAX records before every member
};

inline void write_tar(const fs::path& path, const Members& members,
                      const TarOptions& options = {}) {
  archive* a = archive_write_new();
  archive_write_set_format(a, options.format);
  archive_write_add_filter(a, options.filter);
  ASSERT_EQ(archive_write_open_filename(a, path.c_str()), ARCHIVE_OK);
  for (const TarMember& member : members) {
    const std::string& content = member.content;
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.name.c_str());
    archive_entry_set_filetype(entry, member.symlink.empty() ? AE_IFREG : AE_IFLNK);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_mtime(entry, 1, options.long_records ? 123456789 : 0);
    if (!member.symlink.empty()) archive_entry_set_symlink(entry, member.symlink.c_str());
    if (!member.hardlink.empty()) archive_entry_set_hardlink(entry, member.hardlink.c_str());
    if (options.long_records)
      archive_entry_xattr_add_entry(entry, "user.note", content.data(),
                                    std::min<std::size_t>(content.size(), 700));
    ASSERT_EQ(archive_write_header(a, entry), ARCHIVE_OK);
    ASSERT_EQ(archive_write_data(a, content.data(), content.size()),
              static_cast<la_ssize_t>(content.size()));
    archive_entry_free(entry);
  }
  ASSERT_EQ(archive_write_free(a), ARCHIVE_OK);
}

}  // namespace cloister::oci
