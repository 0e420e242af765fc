// A tree of files as entries of a "newc" archive, and such an archive as a tree.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "base/spool.h"
#include "base/stream.h"
#include "base/time.h"
#include "manifest-gen/guest/cpio.h"
#include "manifest-gen/guest/guest_tree.h"

namespace cloister::manifest {

// Of stat(2): S_IFDIR, S_IFREG, S_IFLNK.
std::uint32_t type_bits(GuestEntry::Type type);
// Seconds as an entry can hold them.
std::uint32_t cpio_time(Seconds time);

// Every entry of the tree, in its order, with contents from the spool and this one time. With a
// prefix they lie below that directory, which the tree's root becomes. `unsupported` for a link
// longer than the kernel takes (it would leave it out), and for a file of 4 GiB or more.
// REQUIRES: without a prefix the tree does not describe its root.
Status write_cpio_tree(const GuestTree& tree, std::string_view prefix, const FileSpool& contents,
                       Seconds created, CpioWriter& out);

// A whole archive: what write_cpio_tree() wrote without a prefix. Of files there is the digest, and
// no offset. `corrupt` for what CpioReader refuses, for names that are not in the order of their
// bytes (the kernel would unpack a file whose directory comes later nowhere), and for directories
// with content; `unsupported` for devices and other kinds of files.
Result<GuestTree> read_cpio_tree(Source& archive, const Limits& limits);

}  // namespace cloister::manifest
