// The root of a guest: what is granted of an image, with the directories and links that lead to it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/spool.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/guest/guest_plan.h"
#include "manifest-gen/guest/guest_tree.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

struct GuestRoot {
  GuestTree tree;
  std::uint64_t files = 0, bytes = 0;          // regular files, and their sizes
  std::map<std::string, std::string> reasons;  // of files: path → why, for people
  // Files with capabilities of their own (capabilities(7)), which an initramfs cannot hold: they
  // come along without.
  std::vector<std::string> without_capabilities;
};

// The closure's files under their real paths, and whatever regular files lie in writable places of
// the image; every directory and symbolic link of the image; and what container runtimes add:
// mount points, /tmp, and empty /etc/hosts, /etc/hostname and /etc/resolv.conf, which the guest
// fills. Nothing below /proc, /sys and /dev comes along. Contents are not read.
// `limit` above limits.guest_root_bytes.
Result<GuestRoot> collect_guest_root(const GuestPlan& plan, const Closure& closure,
                                     const measure::Rootfs& rootfs, const Limits& limits);

// Puts the contents of the tree's files into the spool, and their places into the tree. A file
// whose content is not the image's has been put there already.
Status fill_guest_root(GuestTree& tree, const measure::Rootfs& rootfs, FileSpool& spool);

}  // namespace cloister::manifest
