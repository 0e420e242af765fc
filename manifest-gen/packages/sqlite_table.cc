// Why not libsqlite3: rpm's database is the only SQLite file that is ever read here, of it one
// table from the first row to the last, and the bytes are hostile. That takes two page types and
// the record format (https://www.sqlite.org/fileformat2.html, sections 1.3 to 2.1): what follows is
// smaller than an in-memory VFS for the library, brings no SQL into the program, and is bounded.
//
// Not read: a write-ahead log beside the file. rpm folds it into the database when it closes it.
#include "manifest-gen/packages/sqlite_table.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::uint8_t kInteriorTable = 0x05, kLeafTable = 0x0d;
constexpr std::size_t kFileHeader = 100;  // bytes of page 1 before its b-tree header

Error damaged_table(std::string_view what) {
  return Error::corrupt(cat("the SQLite database is damaged_table: ", what));
}

// Big-endian numbers and SQLite's varints; a read beyond the end is sticky.
class TableReader {
 public:
  explicit TableReader(ByteView bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {
    if (at > bytes.size()) ok_ = false, at_ = bytes.size();
  }

  std::uint64_t number(unsigned size) {
    if (bytes_.size() - at_ < size) {
      ok_ = false;
      return 0;
    }
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i)
      value = value << 8U | std::to_integer<std::uint64_t>(bytes_[at_++]);
    return value;
  }
  // One to nine bytes, seven bits each, the ninth with eight.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) {
      const std::uint64_t byte = number(1);
      value = value << 7U | (byte & 0x7fU);
      if ((byte & 0x80U) == 0) return value;
    }
    return value << 8U | number(1);
  }
  std::size_t at() const { return at_; }
  bool ok() const { return ok_; }

 private:
  ByteView bytes_;
  std::size_t at_;
  bool ok_ = true;
};

class Database {
 public:
  Database(ByteView bytes, const Limits& limits) : bytes_(bytes), limits_(limits) {}

  Status open() {
    if (bytes_.size() < kFileHeader || as_text(bytes_.first(16)) != kMagic)
      return Error::corrupt("this is no SQLite 3 database");
    page_size_ = TableReader(bytes_, 16).number(2);
    if (page_size_ == 1) page_size_ = 65536;
    const std::uint64_t reserved = TableReader(bytes_, 20).number(1);
    if (page_size_ < 512 || (page_size_ & (page_size_ - 1)) != 0 || page_size_ - reserved < 480)
      return damaged_table("its page size");
    usable_ = page_size_ - reserved;
    pages_ = bytes_.size() / page_size_;
    return {};
  }

  // Every row of the table whose b-tree is rooted at `root`, its whole record.
  Status rows(std::uint64_t root, const std::function<Status(ByteView record)>& row) {
    std::vector<bool> visited(pages_ + 1);
    std::vector<std::uint64_t> stack{root};
    std::size_t count = 0;
    while (!stack.empty()) {
      const std::uint64_t number = stack.back();
      stack.pop_back();
      CL_TRY(const ByteView page, this->page(number));
      if (visited[number]) return damaged_table("its pages form a loop");
      visited[number] = true;
      TableReader header(page, number == 1 ? kFileHeader : 0);
      const std::uint64_t type = header.number(1);
      (void)header.number(2);  // first free block
      const std::uint64_t cells = header.number(2);
      (void)header.number(3);  // cell content, fragmented bytes
      if (type == kInteriorTable) {
        const std::uint64_t rightmost = header.number(4);
        stack.push_back(rightmost);
        const std::size_t first = stack.size();
        for (std::uint64_t i = 0; i < cells && header.ok(); ++i)
          stack.push_back(TableReader(page, header.number(2)).number(4));
        std::reverse(stack.begin() + static_cast<std::ptrdiff_t>(first), stack.end());
      } else if (type == kLeafTable) {
        for (std::uint64_t i = 0; i < cells && header.ok(); ++i) {
          if (++count > limits_.packages)
            return Error::limit(cat("more than ", limits_.packages, " rows"));
          CL_TRY(const Bytes record, cell(page, header.number(2)));
          CL_CHECK(row(record));
        }
      } else {
        return damaged_table("a page is of another kind");
      }
      if (!header.ok()) return damaged_table("a page is cut short");
    }
    return {};
  }

 private:
  Result<ByteView> page(std::uint64_t number) const {
    if (number == 0 || number > pages_) return damaged_table("a page number is out of range");
    return bytes_.subspan((number - 1) * page_size_, page_size_);
  }

  // A leaf cell: payload size, row id, the payload's beginning, and the page where it goes on.
  Result<Bytes> cell(ByteView page, std::uint64_t at) const {
    TableReader reader(page, at);
    const std::uint64_t size = reader.varint();
    (void)reader.varint();  // row id
    if (!reader.ok() || size > bytes_.size()) return damaged_table("a cell is cut short");
    const std::uint64_t most = usable_ - 35;
    std::uint64_t local = size;
    if (size > most) {
      const std::uint64_t least = (usable_ - 12) * 32 / 255 - 23;
      local = least + (size - least) % (usable_ - 4);
      if (local > most) local = least;
    }
    const auto begin = slice(page, reader.at(), local);
    if (!begin) return damaged_table("a cell is cut short");
    Bytes out(begin->begin(), begin->end());
    if (local == size) return out;
    std::uint64_t next = TableReader(page, reader.at() + local).number(4);
    // Each page adds bytes, so that a loop ends at `size`.
    while (out.size() < size) {
      CL_TRY(const ByteView more, this->page(next));
      const std::uint64_t take = std::min<std::uint64_t>(size - out.size(), usable_ - 4);
      const auto piece = slice(more, 4, take);
      if (!piece) return damaged_table("an overflow page is cut short");
      out.insert(out.end(), piece->begin(), piece->end());
      next = TableReader(more).number(4);
    }
    return out;
  }

  ByteView bytes_;
  const Limits& limits_;
  std::uint64_t page_size_ = 0, usable_ = 0, pages_ = 0;
};

// One column of a record: its serial type and where its bytes are.
struct Column {
  std::uint64_t type = 0;
  ByteView bytes;
  bool is_blob() const { return type >= 12 && type % 2 == 0; }
  bool is_text() const { return type >= 13 && type % 2 == 1; }
};

std::uint64_t column_size(std::uint64_t type) {
  if (type >= 12) return (type - 12) / 2;
  static constexpr std::uint8_t kSizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return kSizes[type];
}

Result<std::vector<Column>> columns(ByteView record) {
  static constexpr std::size_t kMost = 64;
  TableReader header(record);
  const std::uint64_t header_size = header.varint();
  if (!header.ok() || header_size > record.size()) return damaged_table("a record is cut short");
  std::vector<Column> out;
  std::uint64_t at = header_size;
  while (header.at() < header_size && out.size() < kMost) {
    Column column;
    column.type = header.varint();
    const auto bytes = slice(record, at, column_size(column.type));
    if (!header.ok() || !bytes) return damaged_table("a record is cut short");
    column.bytes = *bytes;
    at += bytes->size();
    out.push_back(column);
  }
  return out;
}

}  // namespace

Status read_sqlite_blobs(ByteView bytes, std::string_view name, const Limits& limits,
                         const std::function<Status(ByteView blob)>& row) {
  Database database(bytes, limits);
  CL_CHECK(database.open());
  // sqlite_schema: type, name, tbl_name, rootpage, sql.
  std::uint64_t root = 0;
  CL_CHECK(database.rows(1, [&](ByteView record) -> Status {
    CL_TRY(const std::vector<Column> c, columns(record));
    if (c.size() >= 4 && c[0].is_text() && as_text(c[0].bytes) == "table" && c[1].is_text() &&
        as_text(c[1].bytes) == name && c[3].type >= 1 && c[3].type <= 6)
      root = TableReader(c[3].bytes).number(static_cast<unsigned>(c[3].bytes.size()));
    return {};
  }));
  if (root == 0) return Error::unresolved(cat("the SQLite database has no table ", quote(name)));
  return database.rows(root, [&](ByteView record) -> Status {
    CL_TRY(const std::vector<Column> c, columns(record));
    const auto blob = std::find_if(c.begin(), c.end(), [](const Column& x) { return x.is_blob(); });
    return blob != c.end() ? row(blob->bytes) : Status();
  });
}

}  // namespace cloister::manifest
