// Writes a guest's disk for guest_disk.sh: guest_disk DISK LISTING. Prints what its guest must be
// told, as words for a kernel's command line; LISTING says what is in it, as guest_disk_init.c
// does.
#include <sys/stat.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>

#include "tests/e2e/guest_disk.h"
#include "tests/manifest-gen/guest/guest_maker.h"

namespace cloister::test {
namespace {

using manifest::GuestEntry;

GuestMaker sample() {
  GuestMaker guest;
  guest.directory("", 0711).gid = 70000;
  guest.directory("etc");
  guest.file("etc/first", varied(300000, 7));
  guest.file("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
  for (const std::size_t size : {0, 1, 4031, 4064, 4065, 4095, 4096, 4097, 8192, 100001})
    guest.file(cat("etc/of-", size), varied(size, size));
  guest.file("etc/large", varied(6000000, 2));
  guest.tree["etc/shared"] = guest.tree["etc/large"];
  guest.file("setuid", varied(5000, 3), 04755);
  guest.file("of-somebody", varied(5000, 4), 0640).uid = 100000;
  guest.directory("tmp", 01777);
  guest.directory("many");
  for (int i = 0; i < 300; ++i) guest.file(cat("many/", i), cat("content of ", i));
  guest.file(std::string(255, 'n'), "a long name");
  std::string deep = "deep";
  for (int i = 0; i < 50; ++i, deep += "/deep") guest.directory(deep);
  for (const std::size_t size : {1, 60, 4063, 4064, 4065, 4095})
    guest.link(cat("link-of-", size), std::string(size, 'l'));
  guest.link("bin", "usr/bin");
  return guest;
}

void list(const GuestMaker& guest, std::ostream& out) {
  for (const auto& [path, entry] : guest.tree) {
    const unsigned types[] = {S_IFDIR, S_IFREG, S_IFLNK};
    std::string content = entry.link_target;
    if (entry.type == GuestEntry::Type::file) {
      Bytes bytes(entry.size);
      if (!guest.contents.read(entry.offset, bytes).has_value()) std::abort();
      content = as_text(bytes);
    }
    char line[512];
    std::snprintf(line, sizeof line, "/%s %o %u:%u %lld %016" PRIx64 "\n", path.c_str(),
                  types[static_cast<int>(entry.type)] | entry.mode, entry.uid, entry.gid,
                  static_cast<long long>(guest.mtime.time_since_epoch().count()),
                  listing_digest(LISTING_SEED, content.data(), content.size()));
    out << line;
  }
}

int write_disk(const char* disk_path, const char* listing_path) {
  const GuestMaker guest = sample();
  std::ofstream listing(listing_path);
  list(guest, listing);
  const auto [disk, bytes] = guest.disk(Bytes(32, std::byte{0x5a}));
  std::ofstream(disk_path, std::ios::binary) << as_text(bytes);
  std::printf("data_blocks=%" PRIu64 " hash_start=%" PRIu64 " root_hash=%s salt=%s\n",
              disk.data_blocks, disk.hash_start, disk.root.hex().c_str(), hex(disk.salt).c_str());
  for (const auto& inode : must(guest.layout()).inodes)
    if (inode.entry->first == "etc/large")
      std::printf("large=%" PRIu64 " large_inode=%" PRIu64 " blocks=%" PRIu64 "\n", inode.block,
                  inode.position / manifest::kDiskBlock, disk.blocks);
  return listing.good() ? 0 : 1;
}

}  // namespace
}  // namespace cloister::test

int main(int argc, char** argv) {
  return argc == 3 ? cloister::test::write_disk(argv[1], argv[2]) : 2;
}
