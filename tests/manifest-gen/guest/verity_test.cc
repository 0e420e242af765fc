#include "manifest-gen/guest/verity.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/base/source_dir.h"
#include "tests/manifest-gen/guest/guest_maker.h"

namespace cloister::test {
namespace {

using manifest::kDiskBlock;
using manifest::VerityHasher;

struct HashedData {
  Digest root;
  Bytes tree;
};

HashedData hash_data(ByteView data, ByteView salt, std::size_t piece = 1 << 20) {
  auto hasher = must(VerityHasher::create(data.size() / kDiskBlock, salt));
  while (!data.empty()) {
    const ByteView now = data.first(std::min(piece, data.size()));
    EXPECT_TRUE(hasher.update(now).has_value());
    data = data.subspan(now.size());
  }
  const auto tree = must(hasher.finish());
  HashedData out{tree.root, Bytes(tree.blocks.size())};
  EXPECT_TRUE(tree.blocks.read(0, out.tree).has_value());
  return out;
}

// The data of testdata/guest/make-verity.sh.
std::string numbers(std::size_t size) {
  std::string out;
  out.reserve(size + 16);
  for (std::uint64_t i = 1; out.size() < size; ++i) out += cat(i, '\n');
  out.resize(size);
  return out;
}

TEST(Verity, HashesAsVeritysetupDoes) {
  const std::string table =
      must(read_text_file(source_dir() / "testdata/guest/verity.tsv", 1 << 20));
  const std::string data = numbers(16385 * kDiskBlock);
  std::size_t rows = 0;
  for (const std::string_view line : split(table, '\n')) {
    if (line.empty() || line.starts_with("blocks")) continue;
    SCOPED_TRACE(line);
    const auto row = split(line, '\t');
    ASSERT_EQ(row.size(), 4u);
    const auto salt = unhex(row[1] == "-" ? "" : row[1]);
    ASSERT_TRUE(salt.has_value());
    const auto hashed = hash_data(as_bytes(data).first(*parse_u64(row[0]) * kDiskBlock), *salt);
    EXPECT_EQ(hashed.root.hex(), row[2]);
    EXPECT_EQ(sha256(hashed.tree).hex(), row[3]);
    ++rows;
  }
  EXPECT_EQ(rows, 32u);
}

TEST(Verity, DoesNotDependOnThePiecesThatDataComesIn) {
  const std::string data = numbers(300 * kDiskBlock);
  const Bytes salt(32, std::byte{7});
  const auto whole = hash_data(as_bytes(data), salt);
  for (const std::size_t piece : {1000, 4095, 4096, 4097, 12288, 100000}) {
    const auto pieces = hash_data(as_bytes(data), salt, piece);
    EXPECT_EQ(whole.root, pieces.root) << piece;
    EXPECT_EQ(whole.tree, pieces.tree) << piece;
  }
}

TEST(Verity, WantsAllOfTheDataAndNoMore) {
  const Bytes data(3 * kDiskBlock);
  for (const std::size_t missing : {1, 4096}) {
    auto hasher = must(VerityHasher::create(3, {}));
    ASSERT_TRUE(hasher.update(ByteView(data).first(data.size() - missing)).has_value());
    EXPECT_FALSE(hasher.finish().has_value()) << missing;
  }
  auto whole_block = must(VerityHasher::create(2, {}));
  EXPECT_FALSE(whole_block.update(data).has_value());
  auto a_byte = must(VerityHasher::create(2, {}));
  ASSERT_TRUE(a_byte.update(ByteView(data).first(2 * kDiskBlock + 1)).has_value());
  EXPECT_FALSE(a_byte.finish().has_value());
}

TEST(Verity, RefusesWhatHasNoTree) {
  EXPECT_FALSE(VerityHasher::create(0, {}).has_value());
  EXPECT_TRUE(VerityHasher::create(1, Bytes(256)).has_value());
  const auto long_salt = VerityHasher::create(1, Bytes(257));
  ASSERT_FALSE(long_salt.has_value());
  EXPECT_EQ(long_salt.error().code(), Code::invalid);
  const auto large = VerityHasher::create(~0ULL, {});
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code(), Code::limit);
}

}  // namespace
}  // namespace cloister::test
