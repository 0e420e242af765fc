// The guest document: what a guest's first process reads (manifest-gen/guest/init/guest.c). It lies
// in the initramfs and is measured with it. Version 1, a line per fact:
//
//   cloister-guest 1
//   kernel VERSION                        for people: the kernel that it was made for
//   program PATH                          what is executed
//   argv WORD | env NAME=VALUE            in order
//   user UID GID | group GID              who runs it; supplementary groups
//   workdir PATH | hostname NAME | stop SIGNAL | earliest SECONDS | network dhcp|none
//   port NUMBER/PROTOCOL                  for who forwards to it; the guest opens what it opens
//   module FILE                           in the order of loading
//   disk DEVICE DATA-BLOCKS HASH-BLOCK
//   writable PATH MODE UID GID
//   directory PATH MODE UID GID | link PATH TARGET | file PATH MODE UID GID SIZE SHA256
//   end COUNT                             of directories, links and files
//
// Fields are separated by one space; in a field the bytes up to 0x20, 0x7f and the backslash are
// written as a backslash and three octal digits (as /proc/mounts has them). Modes are octal, other
// numbers decimal, digests hex.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "manifest-gen/guest/guest_plan.h"
#include "manifest-gen/guest/guest_tree.h"

namespace cloister::manifest {

// A root on a disk of its own, read through dm-verity. The root hash is not here but on the kernel
// command line.
struct DiskLine {
  std::string device = "/dev/vda";
  std::uint64_t data_blocks = 0, hash_start = 0;  // of 4096 bytes

  bool operator==(const DiskLine&) const = default;
};

struct GuestDocument {
  GuestPlan plan;                    // without reasons
  std::string kernel;                // version
  std::vector<std::string> modules;  // names of files
  std::optional<DiskLine> disk;
  GuestTree tree;  // without offsets
};

std::string encode_guest_document(const GuestDocument& document);

// What encode_guest_document() wrote of what a guest takes; `corrupt` for anything else: a name
// that leads elsewhere or whose parent is no listed directory, a user or group of -1, no program.
// `limit` above limits.guest_document_bytes.
Result<GuestDocument> parse_guest_document(std::string_view text, const Limits& limits);

}  // namespace cloister::manifest
