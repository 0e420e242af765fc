#include "base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace cloister {
struct ThreadPool::Impl {
  // One for_each call: indices are claimed one by one by whoever is free.
  struct Batch {
    std::size_t count = 0;
    const std::function<Status(std::size_t)>* task = nullptr;
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::mutex mutex;
    std::condition_variable idle;
    std::size_t running = 0;  // helpers inside work(), guarded by mutex
    std::size_t failed_index = 0;
    std::optional<Error> error;

    bool exhausted() const { return next.load() >= count || failed.load(); }

    void work() {
      while (!failed.load()) {
        const std::size_t i = next.fetch_add(1);
        if (i >= count) return;
        Status status = (*task)(i);
        if (status.has_value()) continue;
        std::lock_guard lock(mutex);
        if (!error || i < failed_index) {
          error = std::move(status).error();
          failed_index = i;
        }
        failed = true;
      }
    }
  };

  unsigned jobs;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::shared_ptr<Batch>> batches;
  bool stopping = false;
  std::vector<std::jthread> threads;

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return stopping || !batches.empty(); });
      if (stopping) return;
      std::shared_ptr<Batch> batch = batches.front();
      if (batch->exhausted()) {
        batches.pop_front();
        continue;
      }
      {
        std::lock_guard guard(batch->mutex);
        ++batch->running;
      }
      lock.unlock();
      batch->work();
      {
        std::lock_guard guard(batch->mutex);
        --batch->running;
        batch->idle.notify_all();
      }
      lock.lock();
    }
  }
};

ThreadPool::ThreadPool(unsigned jobs) : impl_(std::make_unique<Impl>()) {
  impl_->jobs = std::max(1U, jobs);
  for (unsigned i = 1; i < impl_->jobs; ++i)
    impl_->threads.emplace_back([impl = impl_.get()] { impl->run(); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  impl_->threads.clear();  // joins
}

unsigned ThreadPool::jobs() const {
  return impl_->jobs;
}

Status ThreadPool::for_each(std::size_t count, const std::function<Status(std::size_t)>& task) {
  auto batch = std::make_shared<Impl::Batch>();
  batch->count = count;
  batch->task = &task;
  if (count > 1 && impl_->jobs > 1) {
    {
      std::lock_guard lock(impl_->mutex);
      impl_->batches.push_back(batch);
    }
    impl_->wake.notify_all();
  }
  batch->work();
  {
    // No helper may enter any more: take the batch off the queue, then wait for those inside.
    std::lock_guard lock(impl_->mutex);
    std::erase(impl_->batches, batch);
  }
  std::unique_lock lock(batch->mutex);
  batch->idle.wait(lock, [&] { return batch->running == 0; });
  if (batch->error) return std::move(*batch->error);
  return {};
}

}  // namespace cloister
