#include "manifest-gen/guest/erofs.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/manifest-gen/guest/erofs_reader.h"
#include "tests/manifest-gen/guest/guest_maker.h"

namespace cloister::test {
namespace {

using manifest::GuestEntry;

// The image holds the tree, the whole tree, and nothing but the tree; every name is found as the
// kernel would look for it.
void expect_round_trip(const GuestMaker& guest, const Bytes& image) {
  ErofsReader reader(image);
  auto found = reader.read_all();
  EXPECT_EQ(reader.problems(), std::vector<std::string>());
  EXPECT_EQ(reader.inodes(), found.size());
  auto tree = guest.tree;
  tree.try_emplace("");
  ASSERT_EQ(found.size(), tree.size());
  for (const auto& [path, entry] : tree) {
    SCOPED_TRACE(printable(path));
    const auto at = found.find(path);
    ASSERT_NE(at, found.end());
    const ErofsFile& file = at->second;
    const unsigned types[] = {0040000, 0100000, 0120000};
    EXPECT_EQ(file.mode, types[static_cast<int>(entry.type)] | entry.mode);
    EXPECT_EQ(file.uid, entry.uid);
    EXPECT_EQ(file.gid, entry.gid);
    EXPECT_EQ(file.mtime, guest.mtime.time_since_epoch().count());
    EXPECT_EQ(reader.look_up(path), file.number);
    if (entry.type == GuestEntry::Type::symlink) {
      EXPECT_EQ(file.content, entry.link_target);
    }
    if (entry.type != GuestEntry::Type::file) continue;
    EXPECT_EQ(file.size, entry.size);
    EXPECT_EQ(sha256(file.content), entry.sha256);
  }
  EXPECT_EQ(reader.look_up("no such name"), std::nullopt);
  EXPECT_EQ(reader.problems(), std::vector<std::string>());
}
void expect_round_trip(const GuestMaker& guest) {
  expect_round_trip(guest, guest.image());
}

Code code_of_layout(const GuestMaker& guest) {
  const auto layout = guest.layout();
  EXPECT_FALSE(layout.has_value());
  return layout.has_value() ? Code::cancelled : layout.error().code();
}

TEST(Erofs, HoldsAnEmptyRoot) {
  const GuestMaker guest;
  const Bytes image = guest.image();
  EXPECT_EQ(image.size(), 2 * manifest::kDiskBlock);
  expect_round_trip(guest, image);
}

TEST(Erofs, HoldsWhatTheRootItselfIs) {
  GuestMaker guest;
  GuestEntry& root = guest.directory("", 0700);
  root.uid = 5;
  root.gid = 70000;
  expect_round_trip(guest);
}

TEST(Erofs, HoldsFilesOfEverySizeAroundABlock) {
  GuestMaker guest;
  for (const std::size_t size :
       {0,    1,    31,   32,   33,   4031,  4032,  4033,   4063,   4064,   4065,   4095,
        4096, 4097, 8191, 8192, 8193, 12256, 12257, 262143, 262144, 262145, 5000001})
    guest.file(cat("file-", size), varied(size, size));
  expect_round_trip(guest);
}

TEST(Erofs, PacksSmallFilesBesideTheirInodes) {
  GuestMaker guest;
  std::size_t all = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    const std::size_t size = i * 1237 % 4000;
    guest.file(cat("small-", i), varied(size, i));
    all += size;
  }
  const Bytes image = guest.image();
  expect_round_trip(guest, image);
  EXPECT_LT(image.size(), all * 107 / 100);  // a block for each would be 4.1 MB, twice as much
}

TEST(Erofs, HoldsDirectoriesOfManyNames) {
  GuestMaker guest;
  guest.directory("many");
  for (int i = 0; i < 5000; ++i) guest.file(cat("many/name-", i), i % 7 == 0 ? "content" : "");
  guest.directory("directories");
  for (int i = 0; i < 300; ++i) guest.directory(cat("directories/", std::string(200, 'd'), i));
  expect_round_trip(guest);
}

// 15 names of 255 bytes, "." and ".." leave 64 bytes of a block: with one of 20 bytes the list just
// fits behind its inode, with one of 52 it just fills a block.
TEST(Erofs, FillsBlocksOfNamesToTheLastByte) {
  for (int last = 15; last <= 60; ++last) {
    GuestMaker guest;
    for (char c = 'a'; c < 'a' + 15; ++c) guest.file(std::string(255, c), "");
    guest.file(std::string(static_cast<std::size_t>(last), 'z'), "");
    expect_round_trip(guest);
    guest.file(std::string(static_cast<std::size_t>(last), '~'), "");
    expect_round_trip(guest);
  }
}

TEST(Erofs, LinksMoreDirectoriesThanSixteenBitsCount) {
  GuestMaker guest;
  for (int i = 0; i < 65534; ++i) guest.directory(std::to_string(i));
  const Bytes image = guest.image();
  ErofsReader reader(image);
  EXPECT_EQ(reader.read_all().at("").links, 65536u);
  EXPECT_EQ(reader.problems(), std::vector<std::string>());
}

TEST(Erofs, HoldsLongAndOddNames) {
  GuestMaker guest;
  guest.file(std::string(255, 'x'), "long");
  guest.directory(std::string(255, 'y'));
  guest.file(std::string(255, 'y') + "/" + std::string(255, 'z'), "longer");
  // Before, between and behind "." and "..".
  for (const char* name : {"!", "-", "...", ".a", ".\x01", "a b", "a\nb", "\xff\xfe", "\x80", "%",
                           "'\"\\", "\xe2\x82\xac", "\x1b[31m", "*"})
    guest.file(name, name);
  for (int c = 1; c < 256; ++c)
    if (c != '/' && c != '.') guest.file(std::string(1, static_cast<char>(c)), "byte");
  // What a byte order of whole paths would mix with what is in a directory.
  guest.directory("d");
  guest.directory("d/d");
  guest.file("d-", "1");
  guest.file("d/-", "2");
  guest.file("d0", "3");
  guest.file("d/d-", "4");
  expect_round_trip(guest);
}

TEST(Erofs, HoldsDeepPaths) {
  GuestMaker guest;
  std::string path;
  for (int i = 0; i < 400; ++i) {
    path += path.empty() ? "deep" : "/deep";
    guest.directory(path);
  }
  guest.file(path + "/file", "at the bottom");
  expect_round_trip(guest);
}

TEST(Erofs, HoldsLinksOfEveryLength) {
  GuestMaker guest;
  for (const std::size_t size : {1, 59, 60, 4063, 4064, 4065, 4095})
    guest.link(cat("link-", size), std::string(size, 't'));
  guest.link("odd", "\xff\n/../..//.");
  expect_round_trip(guest);
}

TEST(Erofs, KeepsModesAndOwners) {
  GuestMaker guest;
  guest.file("setuid", "s", 04755);
  guest.file("setgid", "s", 02755);
  guest.file("none", "s", 0);
  guest.directory("sticky", 01777);
  guest.file("all", "s", 07777).uid = 65535;
  guest.file("large-owner", varied(5000), 0600).uid = 65536;
  guest.file("large-group", varied(4040), 0600).gid = 0xffffffff;
  guest.link("link", "target").uid = 1000000;
  expect_round_trip(guest);
}

TEST(Erofs, StoresWhatIsSharedOnce) {
  GuestMaker guest;
  const GuestEntry shared = guest.file("one", varied(3000000));
  const std::size_t before = guest.image().size();
  for (int i = 0; i < 100; ++i) guest.tree[cat("again-", i)] = shared;
  guest.tree["by-another"] = shared;
  guest.tree["by-another"].uid = 100000;
  const Bytes image = guest.image();
  expect_round_trip(guest, image);
  EXPECT_LT(image.size(), before + 300000);
  auto found = ErofsReader(image).read_all();
  EXPECT_EQ(found.at("one").block, found.at("again-99").block);
}

// The beginning of a content in the spool may be a file of its own: 4060 bytes follow a compact
// inode, but not an extended one.
TEST(Erofs, DoesNotMistakeABeginningForTheWhole) {
  GuestMaker guest;
  GuestEntry entry = guest.file("whole", varied(20000));
  for (const std::size_t size : {1, 4060, 4096, 8156, 8192, 12288, 19999}) {
    entry.size = size;
    entry.sha256 = sha256(varied(20000).substr(0, size));
    entry.uid = 0;
    guest.tree[cat("beginning-", size)] = entry;
    entry.uid = 70000;
    guest.tree[cat("extended-", size)] = entry;
  }
  expect_round_trip(guest);
}

TEST(Erofs, GivesTheSameBytesForTheSameTree) {
  GuestMaker guest;
  guest.directory("usr");
  guest.file("usr/a", varied(70000));
  guest.file("usr/b", varied(10, 2));
  guest.link("bin", "usr");
  const Bytes image = guest.image();
  EXPECT_EQ(image, guest.image());

  // Whatever was put into the spool before, and in which order.
  GuestMaker other;
  other.file("unused", varied(12345, 3));
  other.file("usr/b", varied(10, 2));
  other.file("usr/a", varied(70000));
  other.link("bin", "usr");
  other.directory("usr");
  other.tree.erase("unused");
  EXPECT_EQ(image, other.image());
}

TEST(Erofs, NamesItselfAfterWhatItHolds) {
  GuestMaker guest;
  guest.file("a", "1");
  const std::string uuid = ErofsReader(guest.image()).uuid();
  EXPECT_EQ(uuid[12], '8');  // the version
  guest.file("a", "2");
  const std::string other = ErofsReader(guest.image()).uuid();
  EXPECT_NE(uuid, other);
  guest.mtime += std::chrono::seconds(1);
  EXPECT_NE(other, ErofsReader(guest.image()).uuid());
}

TEST(Erofs, TakesTimesBefore1970) {
  GuestMaker guest;
  guest.mtime = Seconds(std::chrono::seconds(-1));
  guest.file("large-owner", "x").uid = 100000;
  expect_round_trip(guest);
}

TEST(Erofs, RefusesWhatIsTooLarge) {
  GuestMaker guest;
  guest.file("file", varied(40000));
  guest.limits.guest_root_bytes = 11 * 4096;
  EXPECT_TRUE(guest.layout().has_value());  // superblock, inodes and ends, 9 blocks
  guest.limits.guest_root_bytes = 11 * 4096 - 1;
  EXPECT_EQ(code_of_layout(guest), Code::limit);

  // Sizes whose sum is no number, and more blocks than can be counted.
  guest.limits.guest_root_bytes = ~0ULL;
  EXPECT_TRUE(guest.layout().has_value());
  guest.tree["file"].size = ~0ULL;
  EXPECT_EQ(code_of_layout(guest), Code::limit);
  guest.tree["file"].size = 1ULL << 44;
  EXPECT_EQ(code_of_layout(guest), Code::limit);
}

TEST(Erofs, LaysOutFilesLargerThanFourGigabytes) {
  GuestMaker guest;
  guest.file("large", "").size = (5ULL << 30) + 1;
  guest.file("small", varied(5000));
  const auto layout = must(guest.layout());
  EXPECT_TRUE(layout.inodes[1].extended);
  EXPECT_EQ(layout.inodes[1].in_blocks, 5ULL << 30);
  EXPECT_EQ(layout.blocks, 1 + 1 + (5ULL << 18) + 1);
}

TEST(Erofs, RefusesNamesThatNoFileCanHave) {
  const auto refused = [](const std::string& name) {
    GuestMaker guest;
    guest.directory("d");
    guest.file(name, "x");
    return code_of_layout(guest);
  };
  EXPECT_EQ(refused(std::string(256, 'x')), Code::limit);
  EXPECT_EQ(refused("d/" + std::string(256, 'x')), Code::limit);
  for (const char* name : {".", "..", "d/.", "d/..", "d/", "/"})
    EXPECT_EQ(refused(name), Code::unsupported) << name;
  EXPECT_EQ(refused(std::string("a\0b", 3)), Code::unsupported);
  // The tree itself is broken.
  for (const char* name : {"/d", "none/x", "d//x"})
    EXPECT_EQ(refused(name), Code::internal) << name;
}

TEST(Erofs, RefusesLinksThatLeadNowhere) {
  const auto refused = [](const std::string& target) {
    GuestMaker guest;
    guest.link("link", target);
    return code_of_layout(guest);
  };
  EXPECT_EQ(refused(""), Code::unsupported);
  EXPECT_EQ(refused(std::string(4096, 'x')), Code::unsupported);
  EXPECT_EQ(refused(std::string("a\0b", 3)), Code::unsupported);
}

TEST(Erofs, RefusesATreeThatIsNone) {
  GuestMaker below_file;
  below_file.file("file", "x");
  below_file.file("file/x", "x");
  EXPECT_EQ(code_of_layout(below_file), Code::internal);
  GuestMaker file_as_root;
  file_as_root.file("", "x");
  EXPECT_EQ(code_of_layout(file_as_root), Code::internal);
}

TEST(Erofs, StopsWhereNothingTakesItsBytes) {
  GuestMaker guest;
  guest.file("file", varied(3000000));
  int calls = 0;
  const auto layout = must(guest.layout());
  const auto status =
      manifest::write_erofs(layout, guest.contents, guest.mtime, [&](ByteView) -> Status {
        if (++calls == 3) return Error::io("the disk is full");
        return {};
      });
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().what(), "the disk is full");
  EXPECT_EQ(calls, 3);
}

TEST(Erofs, SaysWhenAContentIsMissing) {
  GuestMaker guest;
  guest.file("file", "x").size = 100000;
  const auto layout = must(guest.layout());
  EXPECT_FALSE(manifest::write_erofs(layout, guest.contents, guest.mtime, [](ByteView) -> Status {
                 return {};
               }).has_value());
}

// Random trees: every size, name and nesting that the generator comes up with, from fixed seeds.
class RandomTree : public testing::TestWithParam<unsigned> {};

TEST_P(RandomTree, ComesBackAsItWas) {
  std::mt19937 random(GetParam());
  const auto below = [&](std::size_t bound) { return random() % bound; };
  GuestMaker guest;
  std::vector<std::string> directories = {""};
  std::vector<GuestEntry> files;
  const std::size_t count = 1 + below(400);
  for (std::size_t i = 0; i < count; ++i) {
    std::string name;
    for (std::size_t left = 1 + below(below(4) == 0 ? 255 : 12); left > 0; --left) {
      char c = static_cast<char>(1 + below(255));
      if (below(3) != 0) c = static_cast<char>('-' + below(4));  // "-", ".", "/" and "0" are near
      name += c == '/' ? '_' : c;
    }
    if (name == "." || name == "..") continue;
    const std::string& directory = directories[below(directories.size())];
    const std::string path = directory.empty() ? name : cat(directory, "/", name);
    if (guest.tree.contains(path)) continue;
    GuestEntry* entry = nullptr;
    switch (below(5)) {
      case 0:
        entry = &guest.directory(path);
        directories.push_back(path);
        break;
      case 1:
        entry = &guest.link(path, std::string(1 + below(below(5) == 0 ? 4095 : 60), 'l'));
        break;
      case 2:
        if (!files.empty()) {
          entry = &(guest.tree[path] = files[below(files.size())]);
          break;
        }
        [[fallthrough]];
      default:
        entry = &guest.file(path, varied(below(below(8) == 0 ? 100000 : 6000), random()));
        files.push_back(*entry);
    }
    entry->mode = static_cast<std::uint32_t>(below(010000));
    if (below(10) == 0) entry->uid = static_cast<std::uint32_t>(random());
    if (below(10) == 0) entry->gid = static_cast<std::uint32_t>(random());
  }
  expect_round_trip(guest);
}

INSTANTIATE_TEST_SUITE_P(Erofs, RandomTree, testing::Range(1U, 65U));

}  // namespace
}  // namespace cloister::test
