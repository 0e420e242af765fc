// A blob on its way into the store, read while it comes: its reader follows the file that it is
// written to, and waits where that ends.
//
// What is read was not verified yet, for the digest is known only at the end. Nothing that is made
// of it may be kept, shown or believed before settled() has said that these were the blob's bytes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>

#include "base/file.h"
#include "base/stream.h"
#include "oci/documents/descriptor.h"

namespace cloister::oci {

class Store;

// One writer and one reader at a time, on threads of their own.
class ArrivingBlob {
 public:
  // `places` are those of the workers: the reader has one, and gives it away while it waits.
  ArrivingBlob(const Store& store, const Descriptor& descriptor, std::counting_semaphore<>& places)
      : store_(store), descriptor_(descriptor), places_(places) {}

  // --- The reader ---
  // Whether the transfer has ended.
  bool ended() const;
  // Waits until there is something to read, or the transfer has ended; to be called without a
  // place.
  void wait_for_beginning();
  // The bytes from the first one on. A transfer that fails, or begins anew, fails the stream. The
  // object must outlive it. REQUIRES: wait_for_beginning() has returned.
  Result<std::unique_ptr<Source>> open();
  // Waits for the end of the transfer. True: what open() gave were the bytes of the blob. False:
  // the transfer began anew meanwhile, and the blob in the store is to be read. A transfer that
  // failed is its error.
  Result<bool> settled();

  // --- The writer ---
  // From now on the blob is written to this file, from its beginning; any number of times.
  void begin(int file);
  // So many more bytes are in the file.
  void advance(std::size_t bytes);
  // The last word: the blob is in the store, or the transfer failed.
  void finish(const Status& status);

 private:
  class Follower;
  template <class Condition>
  void wait(std::unique_lock<std::mutex>& lock, Condition condition);

  const Store& store_;
  const Descriptor& descriptor_;
  std::counting_semaphore<>& places_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::shared_ptr<const Fd> file_;
  unsigned beginnings_ = 0;
  std::uint64_t size_ = 0;  // of what can be read
  bool ended_ = false;
  std::optional<Error> error_;
  std::optional<unsigned> opened_;  // which beginning the reader follows
};

}  // namespace cloister::oci
