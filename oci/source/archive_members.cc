// libarchive is given the tar format alone and no filter: its filters may start external programs,
// and gzip and zstd are inflated by base/inflate.h anyway.
//
// In a plain tar a member lies at a fixed place, which libarchive does not tell. But it tells where
// each header begins, and contents are padded to 512 bytes and followed by the next header: so a
// member of size s whose successor begins at n has its content at n - roundup(s, 512). A wrong
// guess could only give bytes that fail their digest. Sparse members have no such place.
//
// docker save makes layers that it has already written symbolic links ("ID/layer.tar" to
// "../ID/layer.tar"), and other writers hard links. They are resolved as text among the members:
// nothing outside of the archive is ever looked up.
//
// A compressed archive is read anew from its beginning for every member: that costs time but
// neither memory nor disk, and blobs are compressed already, so such archives are rare.
#include "oci/source/archive_members.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "base/file.h"
#include "base/inflate.h"
#include "base/suggest.h"
#include "base/text.h"

namespace cloister::oci {
namespace {

constexpr std::uint64_t kBlock = 512;
constexpr std::size_t kMaxMembers = 65536;
constexpr std::size_t kMaxNames = 16 << 20;  // bytes of all names and link targets

// Reads [offset, offset + size) of a shared descriptor, without moving its offset.
class RangeSource final : public Source {
 public:
  RangeSource(std::shared_ptr<const Fd> fd, std::uint64_t offset, std::uint64_t size,
              std::string what)
      : fd_(std::move(fd)), offset_(offset), left_(size), what_(std::move(what)) {}

  Result<std::size_t> read(std::span<std::byte> out) override {
    const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_));
    if (want == 0) return 0;
    for (;;) {
      const ssize_t n = ::pread(fd_->get(), out.data(), want, static_cast<off_t>(offset_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Error::io_errno(cat("cannot read ", quote(what_)), errno);
      offset_ += static_cast<std::uint64_t>(n);
      left_ = n == 0 ? 0 : left_ - static_cast<std::uint64_t>(n);
      return static_cast<std::size_t>(n);
    }
  }

 private:
  std::shared_ptr<const Fd> fd_;
  std::uint64_t offset_, left_;
  std::string what_;
};

struct FreeReader {
  void operator()(archive* a) const { archive_read_free(a); }
};

// The archive as a stream of members, from its beginning.
class TarStream {
 public:
  TarStream(std::shared_ptr<const Fd> fd, const std::string& file, Compression compression,
            const Limits& limits)
      : raw_(std::move(fd), 0, UINT64_MAX, file),
        inflated_(make_inflater(compression, raw_)),
        limited_(*inflated_, limits.archive_bytes, quote(file)),
        file_(file),
        buffer_(kStreamBuffer),
        archive_(archive_read_new()) {}
  TarStream(const TarStream&) = delete;

  Status open() {
    if (!archive_) return Error::internal("libarchive gives no reader");
    archive_read_support_format_tar(archive_.get());
    const auto read = [](archive*, void* self, const void** data) -> la_ssize_t {
      return static_cast<TarStream*>(self)->fill(data);
    };
    if (archive_read_open(archive_.get(), this, nullptr, read, nullptr) == ARCHIVE_OK) return {};
    return failure();
  }

  // The next entry, or null at the end.
  Result<archive_entry*> next() {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) return static_cast<archive_entry*>(nullptr);
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return failure();
    return entry;
  }

  Result<std::size_t> read_data(std::span<std::byte> out) {
    const la_ssize_t n = archive_read_data(archive_.get(), out.data(), out.size());
    if (n < 0) return failure();
    return static_cast<std::size_t>(n);
  }

  // Where the header begins that next() read or stumbled over last, in the inflated stream.
  std::uint64_t header_position() const {
    return static_cast<std::uint64_t>(archive_read_header_position(archive_.get()));
  }

 private:
  la_ssize_t fill(const void** data) {
    auto n = limited_.read(buffer_);
    if (!n.has_value()) {
      error_ = std::move(n).error();
      archive_set_error(archive_.get(), EIO, "see error_");
      return -1;
    }
    *data = buffer_.data();
    return static_cast<la_ssize_t>(*n);
  }

  // What the stream below said, or what libarchive makes of its bytes.
  Error failure() {
    if (error_) return std::move(*std::exchange(error_, std::nullopt));
    const char* text = archive_error_string(archive_.get());
    return Error::corrupt(cat(quote(file_), " is not an intact tar archive"))
        .detail(printable(text == nullptr ? "no reason given" : text))
        .hint("make the archive again: docker save, podman save or skopeo copy");
  }

  RangeSource raw_;
  std::unique_ptr<Source> inflated_;
  LimitSource limited_;
  std::string file_;
  Bytes buffer_;
  std::optional<Error> error_;
  std::unique_ptr<archive, FreeReader> archive_;
};

std::string_view member_text(const char* raw) {
  return raw == nullptr ? std::string_view() : std::string_view(raw);
}

std::string_view member_name(std::string_view name) {
  while (name.starts_with("./")) name.remove_prefix(2);
  return name;
}

// What a symbolic link at `name` leads to, as a member name; "" for what cannot be one.
std::string link_destination(std::string_view name, std::string_view target) {
  if (target.starts_with('/')) return "";
  std::vector<std::string_view> parts = split(name, '/');
  parts.pop_back();
  for (const std::string_view part : split(target, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return "";
    } else {
      parts.pop_back();
    }
  }
  return join(parts, "/");
}

struct Member {
  std::size_t ordinal = 0;  // position among all entries
  MemberInfo info;
  std::optional<std::uint64_t> offset;  // content, in a plain archive
};

// The content of the current member of a stream that it owns.
class StreamedMember final : public Source {
 public:
  explicit StreamedMember(std::unique_ptr<TarStream> tar) : tar_(std::move(tar)) {}
  Result<std::size_t> read(std::span<std::byte> out) override { return tar_->read_data(out); }

 private:
  std::unique_ptr<TarStream> tar_;
};

class Members final : public ArchiveMembers {
 public:
  Members(std::shared_ptr<const Fd> fd, std::string file, Compression compression,
          const Limits& limits)
      : fd_(std::move(fd)), file_(std::move(file)), compression_(compression), limits_(limits) {}

  Status scan();
  std::optional<MemberInfo> find(const std::string& name) const override {
    const Member* member = follow(name);
    return member == nullptr ? std::nullopt : std::optional(member->info);
  }
  Result<std::unique_ptr<Source>> open(const std::string& name) const override;

 private:
  std::unique_ptr<TarStream> stream() const {
    return std::make_unique<TarStream>(fd_, file_, compression_, limits_);
  }
  const Member* follow(std::string name) const;
  Result<Member*> add_member(TarStream& tar, archive_entry* entry, std::size_t ordinal);

  std::shared_ptr<const Fd> fd_;
  const std::string file_;
  const Compression compression_;
  const Limits limits_;
  std::size_t name_bytes_ = 0;
  std::map<std::string, Member> members_;
  std::map<std::string, std::string> links_;  // to a member or another link
};

const Member* Members::follow(std::string name) const {
  for (std::size_t hops = 0; hops <= limits_.symlink_hops; ++hops) {
    const auto member = members_.find(name);
    if (member != members_.end()) return &member->second;
    const auto link = links_.find(name);
    if (link == links_.end()) return nullptr;
    name = link->second;
  }
  return nullptr;
}

// The member that `entry` made, when it is one with content.
Result<Member*> Members::add_member(TarStream& tar, archive_entry* entry, std::size_t ordinal) {
  const std::string name(member_name(member_text(archive_entry_pathname(entry))));
  const std::string_view symlink = member_text(archive_entry_symlink(entry));
  const std::string_view hardlink = member_text(archive_entry_hardlink(entry));
  name_bytes_ += name.size() + symlink.size() + hardlink.size();
  if (name_bytes_ > kMaxNames)
    return Error::limit(
        cat("the member names of ", quote(file_), " take more than ", human_bytes(kMaxNames)));
  members_.erase(name);
  links_.erase(name);
  if (!hardlink.empty()) {
    links_[name] = std::string(member_name(hardlink));
  } else if (archive_entry_filetype(entry) == AE_IFLNK) {
    links_[name] = link_destination(name, symlink);
  } else if (archive_entry_filetype(entry) == AE_IFREG && archive_entry_size(entry) >= 0) {
    Member member{ordinal, {static_cast<std::uint64_t>(archive_entry_size(entry)), {}}, {}};
    Bytes head(8);
    CL_TRY(const std::size_t n, tar.read_data(head));
    member.info.content = detect_compression(ByteView(head).first(n));
    return &(members_[name] = member);
  }
  return static_cast<Member*>(nullptr);
}

// Fills in where the content of the member before the header at `next` lies.
void locate(Member& member, std::uint64_t next) {
  std::uint64_t padded = 0;
  if (!checked_add(member.info.size, kBlock - 1, padded)) return;
  padded -= padded % kBlock;
  if (padded <= next) member.offset = next - padded;
}

Status Members::scan() {
  const auto tar = stream();
  CL_CHECK(tar->open());
  Member* previous = nullptr;
  for (std::size_t ordinal = 0;; ++ordinal) {
    CL_TRY(archive_entry * entry, tar->next());
    if (previous != nullptr && compression_ == Compression::none)
      locate(*previous, tar->header_position());
    if (entry == nullptr) return {};
    if (ordinal == kMaxMembers)
      return Error::limit(cat(quote(file_), " has more than ", kMaxMembers, " members"));
    CL_TRY(previous, add_member(*tar, entry, ordinal));
    if (archive_entry_sparse_count(entry) != 0) previous = nullptr;
  }
}

Result<std::unique_ptr<Source>> Members::open(const std::string& name) const {
  const Member* found = follow(name);
  if (found == nullptr) return std::unique_ptr<Source>();
  const Member& member = *found;
  if (member.offset)
    return std::make_unique<RangeSource>(fd_, *member.offset, member.info.size, file_);
  auto tar = stream();
  CL_CHECK(tar->open());
  for (std::size_t ordinal = 0;; ++ordinal) {
    CL_TRY(archive_entry * entry, tar->next());
    if (entry == nullptr) return Error::corrupt(cat(quote(file_), " changed while it was read"));
    if (ordinal == member.ordinal) return std::make_unique<StreamedMember>(std::move(tar));
  }
}

Result<Compression> compression_of(const std::shared_ptr<const Fd>& fd, const std::string& file) {
  Bytes head(512);
  RangeSource source(fd, 0, head.size(), file);
  CL_TRY(const std::size_t n, read_full(source, head));
  const std::string_view text = as_text(ByteView(head).first(n));
  for (std::string_view magic : {std::string_view("\xfd"
                                                  "7zXZ\0",
                                                  6),
                                 std::string_view("BZh")})
    if (text.starts_with(magic))
      return Error::unsupported(
                 cat(quote(file), " is compressed by ", magic[0] == 'B' ? "bzip2" : "xz"))
          .hint("decompress it first; gzip and zstd are read as they are");
  return detect_compression(ByteView(head).first(n));
}

}  // namespace

Result<std::shared_ptr<const ArchiveMembers>> ArchiveMembers::scan(const std::string& file,
                                                                   const Limits& limits) {
  CL_TRY(Fd opened, open_file(file));
  const auto fd = std::make_shared<const Fd>(std::move(opened));
  CL_TRY(const Compression compression, compression_of(fd, file));
  auto members = std::make_shared<Members>(fd, file, compression, limits);
  CL_CHECK(members->scan());
  return std::shared_ptr<const ArchiveMembers>(std::move(members));
}

Status check_archive_file(const std::string& path, std::string directory_hint) {
  std::error_code error;
  if (!fs::exists(path, error))
    return Error::not_found(cat("there is no archive ", quote(path)))
        .hint(did_you_mean(nearest_path(path),
                           "check the path; what stands after a colon in it is taken for a tag"));
  if (fs::is_directory(path, error))
    return Error::invalid(cat(quote(path), " is a directory, not an archive"))
        .hint(std::move(directory_hint));
  if (!fs::is_regular_file(path, error))
    return Error::invalid(cat(quote(path), " is not a regular file"))
        .hint(
            "an archive is read at several places, which a pipe does not allow; write it to a file "
            "first");
  return {};
}

Result<std::string> read_member(const ArchiveMembers& members, const std::string& name,
                                std::uint64_t max) {
  CL_TRY(auto source, members.open(name));
  CL_TRY(const Bytes bytes, read_all(*source, max, quote(name)));
  return std::string(as_text(bytes));
}

}  // namespace cloister::oci
