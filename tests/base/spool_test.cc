#include "base/spool.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/text.h"
#include "tests/base/must.h"

namespace cloister {
namespace {

Bytes read_back(const FileSpool& spool, std::uint64_t offset, std::size_t size) {
  Bytes out(size);
  EXPECT_TRUE(spool.read(offset, out).has_value());
  return out;
}

TEST(Spool, KeepsWhatIsAppendedOneAfterTheOther) {
  FileSpool spool = must(FileSpool::create());
  EXPECT_EQ(must(spool.append(as_bytes("first"))), 0u);
  EXPECT_EQ(must(spool.append(as_bytes("second"))), 5u);
  EXPECT_EQ(as_text(read_back(spool, 5, 6)), "second");
  EXPECT_EQ(spool.size(), 11u);
}

TEST(Spool, ReadsZerosWhereNothingWasWritten) {
  FileSpool spool = must(FileSpool::create());
  const std::uint64_t at = must(spool.reserve(4));
  EXPECT_TRUE(spool.write(at + 1, as_bytes("x")).has_value());
  EXPECT_EQ(read_back(spool, at, 4), (Bytes{std::byte{0}, std::byte{'x'}, {}, {}}));
}

TEST(Spool, RefusesToGrowBeyondWhatAFileCanHold) {
  FileSpool spool = must(FileSpool::create());
  must(spool.append(as_bytes("x")));
  EXPECT_FALSE(spool.reserve(std::numeric_limits<std::uint64_t>::max()).has_value());
  EXPECT_FALSE(spool.reserve(std::numeric_limits<std::int64_t>::max()).has_value());
  EXPECT_EQ(spool.size(), 1u);
}

TEST(Spool, IsReadInPartAsAStream) {
  FileSpool spool = must(FileSpool::create());
  must(spool.append(as_bytes("before, within, after")));
  SpoolSource source(spool, 8, 6);
  EXPECT_EQ(as_text(must(read_all(source, 100, "a spool"))), "within");
}

TEST(Spool, SaysWhenSomethingIsReadThatIsNotThere) {
  FileSpool spool = must(FileSpool::create());
  Bytes out(1);
  EXPECT_FALSE(spool.read(0, out).has_value());
}

}  // namespace
}  // namespace cloister
