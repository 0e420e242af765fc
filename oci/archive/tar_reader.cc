// libarchive reads the tar dialects; what it is not trusted with is character sets. For PAX names
// it converts from UTF-8 to the charset of the locale, which in a UTF-8 locale rewrites names: it
// normalises to NFC and replaces bytes that are not UTF-8, and Go's writers, which made most
// layers, put such bytes into PAX records as they are. In the "C" locale that conversion either
// changes nothing (ASCII) or fails, and then libarchive keeps the bytes as they stand and warns. So
// all calls run under the "C" locale, whatever locale the program has, and that one warning is
// expected. Any other warning means that something was skipped: corrupt.
//
// Not libarchive's notion of an error either: RETRY stands for a header whose check sum is wrong,
// where it would search on for something that looks like a header. An image tool would not.
#include "oci/archive/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>  // NOLINT: newlocale is POSIX, not <clocale>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>

#include "base/text.h"

namespace cloister::oci {
namespace {

// Makes "C" the calling thread's locale while it lives.
class CLocale {
 public:
  CLocale() : before_(uselocale(c_locale())) {}
  ~CLocale() { uselocale(before_); }
  CLocale(const CLocale&) = delete;
  CLocale& operator=(const CLocale&) = delete;

 private:
  static locale_t c_locale() {
    static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
    return locale;
  }
  locale_t before_;
};

// Cuts a plain source into blocks.
class SourceBlocks final : public BlockSource {
 public:
  explicit SourceBlocks(Source& source) : source_(source), buffer_(kStreamBuffer) {}
  Result<ByteView> next_block() override {
    CL_TRY(const std::size_t n, source_.read(buffer_));
    return ByteView(buffer_).first(n);
  }

 private:
  Source& source_;
  Bytes buffer_;
};

struct ArchiveCloser {
  void operator()(archive* a) const { archive_read_free(a); }
};

class LibarchiveTar final : public TarReader {
 public:
  LibarchiveTar(BlockSource& blocks, const Limits& limits) : blocks_(blocks), limits_(limits) {}
  LibarchiveTar(std::unique_ptr<BlockSource> blocks, const Limits& limits)
      : owned_(std::move(blocks)), blocks_(*owned_), limits_(limits) {}

  Status open() {
    const CLocale locale;
    archive_.reset(archive_read_new());
    if (archive_ == nullptr) return Error::internal("libarchive did not start");
    archive* a = archive_.get();
    archive_read_support_format_tar(a);
    archive_read_support_format_empty(a);
    if (archive_read_open(a, this, nullptr, &read_callback, nullptr) != ARCHIVE_OK)
      return failure();
    return {};
  }

  Result<const TarEntry*> next() override {
    const CLocale locale;
    archive_entry* e = nullptr;
    const int code = archive_read_next_header(archive_.get(), &e);
    if (code == ARCHIVE_EOF) {
      CL_CHECK(stream_failure());
      return static_cast<const TarEntry*>(nullptr);
    }
    if (code != ARCHIVE_OK && !(code == ARCHIVE_WARN && is_charset_warning())) return failure();
    CL_CHECK(take(e));
    return static_cast<const TarEntry*>(&entry_);
  }

  Status content(const std::function<Status(ByteView)>& sink) override {
    const CLocale locale;
    std::uint64_t at = 0;
    for (;;) {
      const void* data = nullptr;
      std::size_t size = 0;
      la_int64_t where = 0;
      const int code = archive_read_data_block(archive_.get(), &data, &size, &where);
      if (code == ARCHIVE_EOF) break;
      if (code != ARCHIVE_OK) return failure();
      const auto offset = static_cast<std::uint64_t>(where);
      if (size == 0) continue;
      if (where < 0 || offset < at || offset > entry_.size || size > entry_.size - offset)
        return Error::corrupt(cat("the sparse map of ", quote(entry_.path), " is malformed"));
      CL_CHECK(hole(offset - at, sink));
      CL_CHECK(sink(ByteView(static_cast<const std::byte*>(data), size)));
      at = offset + size;
    }
    CL_CHECK(stream_failure());
    return hole(entry_.size - at, sink);
  }

 private:
  static la_ssize_t read_callback(archive* a, void* self, const void** buffer) {
    return static_cast<LibarchiveTar*>(self)->read(a, buffer);
  }

  la_ssize_t read(archive* a, const void** buffer) {
    auto block = blocks_.next_block();
    if (!block.has_value()) {
      failed_ = std::move(block).error();
      archive_set_error(a, EIO, "the stream failed");
      return ARCHIVE_FATAL;
    }
    *buffer = block->data();
    return static_cast<la_ssize_t>(block->size());
  }

  // libarchive may take a failed read for the end: the stream's own error comes first.
  Status stream_failure() const {
    if (failed_) return failed_->clone();
    return {};
  }

  // The error of the source when it had one, else what libarchive says.
  Error failure() {
    if (auto status = stream_failure(); !status.has_value()) return std::move(status).error();
    const char* text = archive_error_string(archive_.get());
    return Error::corrupt("the tar archive is damaged or truncated")
        .detail(lower_ascii(printable(text != nullptr ? text : "unknown error")))
        .hint("the layer was cut short or changed; pull or export the image again");
  }

  bool is_charset_warning() const {
    const char* text = archive_error_string(archive_.get());
    return text != nullptr && std::strstr(text, "can't be converted from") != nullptr;
  }

  // A few bytes of archive can claim exabytes of zeros, and someone has to hash them.
  Status hole(std::uint64_t size, const std::function<Status(ByteView)>& sink) {
    static constexpr std::array<std::byte, 64 << 10> kZeros{};
    if (size > limits_.sparse_bytes - holes_)
      return Error::limit(cat("the sparse files of the archive have more than ",
                              human_bytes(limits_.sparse_bytes), " of holes"));
    holes_ += size;
    while (size > 0) {
      const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(size, kZeros.size()));
      CL_CHECK(sink(ByteView(kZeros).first(n)));
      size -= n;
    }
    return {};
  }

  Status take(archive_entry* e) {
    const char* path = archive_entry_pathname(e);
    if (path == nullptr || *path == '\0') return Error::corrupt("a tar entry has no name");
    if (std::strlen(path) > limits_.path_bytes)
      return Error::limit(cat("a tar entry's name is longer than ", limits_.path_bytes, " bytes"))
          .detail(cat("it begins ", quote(std::string_view(path).substr(0, 100))));
    entry_.path = path;
    entry_.mode = archive_entry_perm(e) & 07777U;
    entry_.mtime = archive_entry_mtime(e);
    CL_TRY(entry_.uid, id(archive_entry_uid(e), "owner"));
    CL_TRY(entry_.gid, id(archive_entry_gid(e), "group"));
    entry_.size = 0;
    entry_.device_major = entry_.device_minor = 0;
    entry_.link_target.clear();
    CL_CHECK(take_type(e));
    return take_xattrs(e);
  }

  Status take_type(archive_entry* e) {
    if (const char* target = archive_entry_hardlink(e); target != nullptr) {
      // POSIX lets a PAX hard link carry content, Go's reader takes it for the next header: such a
      // layer would not be the same tree for everyone.
      if (archive_entry_size(e) != 0)
        return Error::unsupported(cat("hard link ", quote(entry_.path), " has content of its own"));
      entry_.type = FileType::hardlink;
      return take_link(target);
    }
    switch (archive_entry_filetype(e)) {
      case AE_IFREG: {
        const la_int64_t size = archive_entry_size(e);
        if (size < 0)
          return Error::corrupt(cat("the size of ", quote(entry_.path), " is negative"));
        entry_.type = FileType::regular;
        entry_.size = static_cast<std::uint64_t>(size);
        return {};
      }
      case AE_IFDIR:
        entry_.type = FileType::directory;
        return {};
      case AE_IFLNK: {
        const char* target = archive_entry_symlink(e);
        entry_.type = FileType::symlink;
        return take_link(target != nullptr ? target : "");
      }
      case AE_IFCHR:
        entry_.type = FileType::char_device;
        return take_device(e);
      case AE_IFBLK:
        entry_.type = FileType::block_device;
        return take_device(e);
      case AE_IFIFO:
        entry_.type = FileType::fifo;
        return {};
      default:
        break;
    }
    return Error::unsupported(cat("tar entry ", quote(entry_.path), " is of an unknown type"));
  }

  Status take_link(const char* target) {
    if (*target == '\0') return Error::corrupt(cat("link ", quote(entry_.path), " has no target"));
    if (std::strlen(target) > limits_.path_bytes)
      return Error::limit(cat("the target of link ", quote(entry_.path), " is longer than ",
                              limits_.path_bytes, " bytes"));
    entry_.link_target = target;
    return {};
  }

  Status take_device(archive_entry* e) {
    entry_.device_major = static_cast<std::uint32_t>(archive_entry_rdevmajor(e));
    entry_.device_minor = static_cast<std::uint32_t>(archive_entry_rdevminor(e));
    return {};
  }

  // libarchive lists an attribute twice when the archive has it in two encodings
  // (SCHILY.xattr and LIBARCHIVE.xattr, as bsdtar writes them): one is kept.
  Status take_xattrs(archive_entry* e) {
    entry_.xattrs.clear();
    std::size_t total = 0;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    archive_entry_xattr_reset(e);
    while (archive_entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK) {
      total += std::strlen(name) + size;
      if (total > limits_.xattr_bytes)
        return Error::limit(cat("the extended attributes of ", quote(entry_.path),
                                " are larger than ", limits_.xattr_bytes, " bytes"));
      entry_.xattrs.emplace_back(name, std::string(static_cast<const char*>(value), size));
    }
    if (entry_.xattrs.size() < 2) return {};
    auto by_name = [](const auto& a, const auto& b) { return a.first < b.first; };
    auto same_name = [](const auto& a, const auto& b) { return a.first == b.first; };
    std::stable_sort(entry_.xattrs.begin(), entry_.xattrs.end(), by_name);
    entry_.xattrs.erase(std::unique(entry_.xattrs.begin(), entry_.xattrs.end(), same_name),
                        entry_.xattrs.end());
    return {};
  }

  Result<std::uint32_t> id(la_int64_t value, std::string_view what) const {
    if (value < 0 || value > std::numeric_limits<std::uint32_t>::max())
      return Error::corrupt(cat("the ", what, " of ", quote(entry_.path), " is not a 32-bit id"));
    return static_cast<std::uint32_t>(value);
  }

  std::unique_ptr<BlockSource> owned_;
  BlockSource& blocks_;
  Limits limits_;
  std::unique_ptr<archive, ArchiveCloser> archive_;
  std::optional<Error> failed_;
  TarEntry entry_;
  std::uint64_t holes_ = 0;  // bytes given as zeros so far
};

Result<std::unique_ptr<TarReader>> opened(std::unique_ptr<LibarchiveTar> reader) {
  CL_CHECK(reader->open());
  return std::unique_ptr<TarReader>(std::move(reader));
}

}  // namespace

Result<std::unique_ptr<TarReader>> open_tar(Source& tar, const Limits& limits) {
  return opened(std::make_unique<LibarchiveTar>(std::make_unique<SourceBlocks>(tar), limits));
}

Result<std::unique_ptr<TarReader>> open_tar(BlockSource& tar, const Limits& limits) {
  return opened(std::make_unique<LibarchiveTar>(tar, limits));
}

}  // namespace cloister::oci
