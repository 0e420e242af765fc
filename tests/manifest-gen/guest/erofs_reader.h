// A small reader of EROFS images, written from the kernel's description of the format and as strict
// as its reader: what the images that we write are held against.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace cloister::test {

struct ErofsFile {
  std::uint16_t mode = 0;  // with type bits
  std::uint32_t uid = 0, gid = 0, links = 0;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;
  std::string content;      // of a file, or a link's target
  std::uint64_t block = 0;  // where its whole blocks begin, if it has any
  std::uint64_t number = 0;
};

class ErofsReader {
 public:
  explicit ErofsReader(ByteView image) : image_(image) { read_superblock(); }

  // Everything by its path without leading '/'; the root is the empty path.
  std::map<std::string, ErofsFile> read_all();
  // The number of the inode that the kernel finds under a path, halving at each step.
  std::optional<std::uint64_t> look_up(std::string_view path);

  std::uint64_t blocks() const { return blocks_; }
  std::uint64_t inodes() const { return inodes_; }
  std::string uuid() const { return uuid_; }
  // What a kernel would refuse, or should not have been written.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Line {
    std::string name;
    std::uint64_t number = 0;
    std::uint8_t type = 0;
  };
  void read_superblock();
  ErofsFile read_inode(std::uint64_t number);
  std::vector<Line> read_lines(std::string_view list, std::size_t block);
  void walk(const std::string& path, std::uint64_t number, std::uint64_t parent,
            std::map<std::string, ErofsFile>& out);
  void problem(const std::string& text) { problems_.push_back(text); }

  ByteView image_;
  std::uint64_t root_ = 0, blocks_ = 0, inodes_ = 0;
  std::int64_t build_time_ = 0;
  std::string uuid_;
  std::vector<std::string> problems_;
};

}  // namespace cloister::test
