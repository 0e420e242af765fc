// One pool of worker threads, made in cmd/ (--jobs) and passed down.
//
// Work is split by layer and by file, never inside a parser, and results land in pre-sized slots,
// so that --jobs 1 and --jobs N give the same bytes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/cancel.h"
#include "base/result.h"

namespace cloister {

class ThreadPool {
 public:
  // jobs >= 1; the calling thread of for_each counts as one of them.
  explicit ThreadPool(unsigned jobs);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  unsigned jobs() const;
  // Runs task(0) … task(count - 1), each once, in any order, and waits. The error of the lowest
  // index that failed is returned; after a failure no new index is begun. May be called from
  // within a task: the caller always works too, so nothing can deadlock.
  Status for_each(std::size_t count, const std::function<Status(std::size_t)>& task);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloister
