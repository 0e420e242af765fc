// The lock is on the file itself, so the file must still be the one under its name once the lock is
// granted: the previous owner may have renamed it into place, or removed it, in between.
#include "oci/store/partial_blob.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "oci/store/arriving_blob.h"

namespace cloister::oci {
namespace {

bool is_same_file(int fd, const fs::path& path) {
  struct stat open_one {
  }, named{};
  return ::fstat(fd, &open_one) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

// What the file holds, and then what the source gives, which is opened when it is needed.
class ContinuedSource final : public Source {
 public:
  ContinuedSource(Source& file, std::uint64_t present, std::uint64_t size,
                  const PartialBlob::OpenAt& open_at)
      : file_(file), present_(present), size_(size), open_at_(open_at) {}

  Result<std::size_t> read(std::span<std::byte> out) override {
    if (from_file_ < present_) {
      const auto want =
          static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), present_ - from_file_));
      CL_TRY(const std::size_t n, file_.read(out.first(want)));
      from_file_ += n;
      if (n > 0) return n;
      return Error::io("an unfinished blob became shorter while it was read");
    }
    if (present_ == size_ && size_ > 0) return 0;
    if (!rest_) {
      CL_TRY(rest_, open_at_(present_));
    }
    is_new_ = true;
    return rest_->read(out);
  }
  // Whether the last piece came from the source.
  bool is_new() const { return is_new_; }

 private:
  Source& file_;
  const std::uint64_t present_, size_;
  const PartialBlob::OpenAt& open_at_;
  std::uint64_t from_file_ = 0;
  std::unique_ptr<Source> rest_;
  bool is_new_ = false;
};

}  // namespace

Result<std::optional<PartialBlob>> PartialBlob::open(const fs::path& directory,
                                                     const Digest& digest) {
  const fs::path path = directory / digest.hex();
  for (int attempt = 0; attempt < 8; ++attempt) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd.valid()) return Error::io_errno(cat("cannot open ", quote(path.native())), errno);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      return std::optional<PartialBlob>();
    }
    if (is_same_file(fd.get(), path)) return std::optional(PartialBlob(std::move(fd), path));
  }
  return std::optional<PartialBlob>();
}

Result<std::uint64_t> PartialBlob::size() const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0)
    return Error::io_errno(cat("cannot read ", quote(path_.native())), errno);
  return static_cast<std::uint64_t>(status.st_size);
}

Status PartialBlob::append(ByteView bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      Error error = Error::io_errno(cat("cannot write ", quote(path_.native())), errno);
      return std::move(error).hint("free some space, or use another directory");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Status PartialBlob::clear() const {
  if (::ftruncate(fd_.get(), 0) == 0 && ::lseek(fd_.get(), 0, SEEK_SET) == 0) return {};
  return Error::io_errno(cat("cannot write ", quote(path_.native())), errno);
}

// Reading leaves the descriptor's offset at the end of what is there, which is where writing goes
// on.
Status PartialBlob::attempt(const Descriptor& descriptor, std::uint64_t present,
                            const OpenAt& open_at, const std::function<void(std::size_t)>& on_bytes,
                            CancelToken cancel, ArrivingBlob* arriving) const {
  Fd copy(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return Error::io_errno(cat("cannot read ", quote(path_.native())), errno);
  FileSource file(std::move(copy), path_.native());
  ContinuedSource both(file, present, descriptor.size, open_at);
  VerifySource verified(both, descriptor.digest, descriptor.size,
                        cat("blob ", descriptor.digest.str()));
  Bytes buffer(kStreamBuffer);
  if (arriving != nullptr) arriving->begin(fd_.get());
  for (;;) {
    CL_CHECK(cancel.check());
    CL_TRY(const std::size_t n, verified.read(buffer));
    if (n == 0) return {};
    if (on_bytes) on_bytes(n);
    if (both.is_new()) CL_CHECK(append(ByteView(buffer).first(n)));
    if (arriving != nullptr) arriving->advance(n);
  }
}

Status PartialBlob::complete(const Descriptor& descriptor, const OpenAt& open_at,
                             const fs::path& target,
                             const std::function<void(std::size_t)>& on_bytes, CancelToken cancel,
                             ArrivingBlob* arriving) {
  CL_TRY(std::uint64_t present, size());
  if (present > descriptor.size) {  // no beginning of this blob
    CL_CHECK(clear());
    present = 0;
  }
  auto done = attempt(descriptor, present, open_at, on_bytes, cancel, arriving);
  if (!done.has_value() && done.error().code() == Code::corrupt && present > 0) {
    CL_CHECK(clear());
    done = attempt(descriptor, 0, open_at, {}, cancel, arriving);
  }
  if (!done.has_value()) {
    // What is wrong, and what is nothing, is not worth keeping.
    const auto kept = size();
    if (done.error().code() == Code::corrupt || (kept.has_value() && *kept == 0))
      ::unlink(path_.c_str());
    return done;
  }
  if (::rename(path_.c_str(), target.c_str()) == 0) return {};
  return Error::io_errno(cat("cannot create ", quote(target.native())), errno);
}

}  // namespace cloister::oci
