// The file is the buffer between network and analysis: it is written anyway, what was just written
// lies in the page cache, and a slow reader holds up nobody. The reader has a descriptor of its own
// and reads by offset, so it is not disturbed when the file is renamed or continued.
#include "oci/store/arriving_blob.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "oci/store/store.h"

namespace cloister::oci {

class ArrivingBlob::Follower final : public Source {
 public:
  Follower(ArrivingBlob& blob, std::shared_ptr<const Fd> file, unsigned beginning)
      : blob_(blob), file_(std::move(file)), beginning_(beginning) {}

  Result<std::size_t> read(std::span<std::byte> out) override {
    CL_TRY(const std::uint64_t there, available());
    if (there == 0) return 0;
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), there));
    ssize_t n = 0;
    do {
      n = ::pread(file_->get(), out.data(), want, static_cast<off_t>(offset_));
    } while (n < 0 && errno == EINTR);
    if (n < 0) return Error::io_errno("cannot read a blob that is arriving", errno);
    if (n == 0) return Error::io("a blob that is arriving became shorter");
    offset_ += static_cast<std::uint64_t>(n);
    return static_cast<std::size_t>(n);
  }

 private:
  // Waits for bytes beyond what was read; 0 at the end.
  Result<std::uint64_t> available() const {
    std::unique_lock lock(blob_.mutex_);
    blob_.wait(lock, [&] {
      return blob_.ended_ || blob_.beginnings_ != beginning_ || blob_.size_ > offset_;
    });
    if (blob_.beginnings_ != beginning_) return Error::unavailable("the transfer began anew");
    if (blob_.error_) return blob_.error_->clone();
    return blob_.size_ - offset_;
  }

  ArrivingBlob& blob_;
  const std::shared_ptr<const Fd> file_;
  const unsigned beginning_;
  std::uint64_t offset_ = 0;
};

// Others work while this one waits; the lock is not held while it waits for its place again, or a
// transfer could not go on before there is one. Conditions, once true, stay so.
template <class Condition>
void ArrivingBlob::wait(std::unique_lock<std::mutex>& lock, Condition condition) {
  if (condition()) return;
  places_.release();
  changed_.wait(lock, condition);
  lock.unlock();
  places_.acquire();
  lock.lock();
}

bool ArrivingBlob::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

void ArrivingBlob::wait_for_beginning() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended_ || size_ > 0; });
}

Result<std::unique_ptr<Source>> ArrivingBlob::open() {
  const std::lock_guard lock(mutex_);
  if (error_) return error_->clone();
  opened_.reset();
  if (ended_) return store_.open_blob(descriptor_);
  opened_ = beginnings_;
  return std::unique_ptr<Source>(std::make_unique<Follower>(*this, file_, beginnings_));
}

Result<bool> ArrivingBlob::settled() {
  std::unique_lock lock(mutex_);
  wait(lock, [&] { return ended_; });
  if (error_) return error_->clone();
  return !opened_ || *opened_ == beginnings_;
}

void ArrivingBlob::begin(int file) {
  auto copy = std::make_shared<const Fd>(::fcntl(file, F_DUPFD_CLOEXEC, 0));
  {
    const std::lock_guard lock(mutex_);
    ++beginnings_;
    size_ = 0;
    file_ = std::move(copy);
  }
  changed_.notify_all();
}

void ArrivingBlob::advance(std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (!file_->valid()) return;  // no descriptor was left: it is read when it has ended
    size_ += bytes;
  }
  changed_.notify_all();
}

void ArrivingBlob::finish(const Status& status) {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    if (!status.has_value()) error_ = status.error().clone();
  }
  changed_.notify_all();
}

}  // namespace cloister::oci
