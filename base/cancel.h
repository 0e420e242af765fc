// Cooperative cancellation: the SIGINT handler only sets a flag; loops over data look at it.
#pragma once

#include <atomic>

#include "base/result.h"

namespace cloister {

// A copyable handle on a flag owned by main(). The default one is never cancelled. Thread-safe.
class CancelToken {
 public:
  CancelToken() = default;
  explicit CancelToken(const std::atomic<bool>* flag) : flag_(flag) {}
  bool cancelled() const { return flag_ != nullptr && flag_->load(std::memory_order_relaxed); }
  Status check() const {
    if (cancelled()) return Error::cancelled();
    return {};
  }

 private:
  const std::atomic<bool>* flag_ = nullptr;
};

}  // namespace cloister
