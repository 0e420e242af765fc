#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <thread>

#include "tests/base/must.h"

namespace cloister {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string pattern = (fs::temp_directory_path() / "cloister-file-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~FileTest() override {
    std::error_code error;
    fs::remove_all(directory_, error);
  }
  std::size_t count() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
  }
  fs::path directory_;
};

unsigned mode_of(const fs::path& path) {
  struct stat st {};
  EXPECT_EQ(::stat(path.c_str(), &st), 0);
  return st.st_mode & 07777U;
}

TEST_F(FileTest, ALargeFileOutlivesItsFirstOwner) {
  const fs::path path = directory_ / "a";
  ASSERT_TRUE(write_file_atomic(path, as_bytes(std::string(100'000, 'x') + "end")).has_value());
  SharedBytes part;
  {
    const SharedBytes whole = must(read_large_file(path, 100'003));
    ASSERT_EQ(whole.view().size(), 100'003U);
    part = whole.of(whole.view().last(3));
  }
  EXPECT_EQ(as_text(part.view()), "end");
  EXPECT_EQ(read_large_file(path, 100'002).error().code(), Code::limit);
  EXPECT_EQ(read_large_file(directory_ / "b", 10).error().code(), Code::io);
  ASSERT_TRUE(write_file_atomic(path, {}).has_value());
  EXPECT_TRUE(must(read_large_file(path, 10)).view().empty());
}

TEST_F(FileTest, WritesAndReadsBack) {
  const fs::path path = directory_ / "a";
  ASSERT_TRUE(write_file_atomic(path, as_bytes("content")).has_value());
  EXPECT_EQ(must(read_text_file(path, 100)), "content");
  ASSERT_TRUE(write_file_atomic(path, {}).has_value());
  EXPECT_EQ(must(read_text_file(path, 100)), "");
  EXPECT_EQ(count(), 1U);
}

TEST_F(FileTest, ReadsUpToTheLimitAndNotBeyond) {
  const fs::path path = directory_ / "a";
  ASSERT_TRUE(write_file_atomic(path, Bytes(1000)).has_value());
  EXPECT_EQ(must(read_file(path, 1000)).size(), 1000U);
  const auto refused = read_file(path, 999);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Code::limit);
}

TEST_F(FileTest, MissingFileNamesItself) {
  const auto missing = read_file(directory_ / "no\nsuch", 10);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code(), Code::io);
  EXPECT_NE(missing.error().what().find("no\\x0asuch': No such file or directory"),
            std::string::npos);
}

TEST_F(FileTest, ADirectoryIsNotAFile) {
  EXPECT_EQ(read_file(directory_, 10).error().code(), Code::io);
}

TEST_F(FileTest, TempFileVanishesUnlessCommitted) {
  {
    auto file = TempFile::create(directory_);
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE(file->write(as_bytes("half")).has_value());
    EXPECT_EQ(count(), 1U);
    const TempFile moved = std::move(*file);
    EXPECT_TRUE(fs::exists(moved.path()));
  }
  EXPECT_EQ(count(), 0U);
}

TEST_F(FileTest, CommitReplacesTheTargetAtOnce) {
  const fs::path target = directory_ / "target";
  ASSERT_TRUE(write_file_atomic(target, as_bytes("old")).has_value());
  auto file = TempFile::create(directory_);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE(file->write(as_bytes("new")).has_value());
  EXPECT_EQ(must(read_text_file(target, 10)), "old");
  ASSERT_TRUE(file->commit(target).has_value());
  EXPECT_EQ(must(read_text_file(target, 10)), "new");
  EXPECT_EQ(count(), 1U);
}

TEST_F(FileTest, FailedCommitLeavesNothing) {
  const fs::path target = directory_ / "is-a-directory";
  ASSERT_TRUE(make_directories(target / "full").has_value());
  EXPECT_FALSE(write_file_atomic(target, as_bytes("x")).has_value());
  EXPECT_EQ(count(), 1U);
}

TEST_F(FileTest, ModeIsExactForPrivateFiles) {
  ASSERT_TRUE(write_file_atomic(directory_ / "key", as_bytes("secret"), 0600).has_value());
  EXPECT_EQ(mode_of(directory_ / "key"), 0600U);
}

TEST_F(FileTest, ModeFollowsTheUmask) {
  const auto before = ::umask(027);
  const Status written = write_file_atomic(directory_ / "a", as_bytes("x"));
  ::umask(before);
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(mode_of(directory_ / "a"), 0640U);
}

TEST_F(FileTest, BareNameGoesToTheCurrentDirectory) {
  const fs::path before = fs::current_path();
  fs::current_path(directory_);
  const Status written = write_file_atomic("bare", as_bytes("x"));
  fs::current_path(before);
  EXPECT_TRUE(written.has_value());
  EXPECT_TRUE(fs::exists(directory_ / "bare"));
}

TEST_F(FileTest, MakesDirectoriesOnTheWay) {
  EXPECT_TRUE(make_directories(directory_ / "a/b/c").has_value());
  EXPECT_TRUE(make_directories(directory_ / "a/b/c").has_value());
  EXPECT_TRUE(fs::is_directory(directory_ / "a/b/c"));
  ASSERT_TRUE(write_file_atomic(directory_ / "a/file", as_bytes("x")).has_value());
  EXPECT_EQ(make_directories(directory_ / "a/file/d").error().code(), Code::io);
}

TEST_F(FileTest, FdIsClosedOnceAndMovesCleanly) {
  int number = -1;
  {
    Fd fd = must(open_file("/dev/null"));
    number = fd.get();
    Fd other = std::move(fd);
    EXPECT_FALSE(fd.valid());  // NOLINT: what a moved-from Fd is, is the claim
    EXPECT_EQ(other.get(), number);
    EXPECT_NE(::fcntl(number, F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST_F(FileTest, ExclusiveLockKeepsOthersOut) {
  const fs::path path = directory_ / "lock";
  std::atomic<bool> held{true}, overlapped{false};
  auto lock = std::make_optional(must(FileLock::acquire(path, FileLock::Kind::exclusive)));
  // flock locks belong to open files, so a second descriptor of this process competes as well.
  std::thread other([&] {
    const auto second = FileLock::acquire(path, FileLock::Kind::exclusive);
    if (held || !second.has_value()) overlapped = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  held = false;
  lock.reset();
  other.join();
  EXPECT_FALSE(overlapped);
}

TEST_F(FileTest, SharedLocksGoTogether) {
  const fs::path path = directory_ / "lock";
  const auto first = FileLock::acquire(path, FileLock::Kind::shared);
  const auto second = FileLock::acquire(path, FileLock::Kind::shared);
  EXPECT_TRUE(first.has_value());
  EXPECT_TRUE(second.has_value());
}

TEST_F(FileTest, LockInAMissingDirectoryIsAnError) {
  EXPECT_EQ(FileLock::acquire(directory_ / "none/lock", FileLock::Kind::shared).error().code(),
            Code::io);
}

}  // namespace
}  // namespace cloister
