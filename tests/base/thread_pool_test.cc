#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "base/text.h"

namespace cloister {
namespace {

TEST(ThreadPool, RunsEachTaskOnce) {
  for (unsigned jobs : {1U, 2U, 8U}) {
    ThreadPool pool(jobs);
    EXPECT_EQ(pool.jobs(), jobs);
    std::vector<std::atomic<int>> runs(1000);
    ASSERT_TRUE(pool.for_each(runs.size(),
                              [&](std::size_t i) -> Status {
                                ++runs[i];
                                return {};
                              })
                    .has_value());
    for (const auto& count : runs) EXPECT_EQ(count.load(), 1);
  }
}

TEST(ThreadPool, NothingToDoIsDone) {
  ThreadPool pool(4);
  EXPECT_TRUE(pool.for_each(0, [](std::size_t) -> Status { return Error::internal("called"); })
                  .has_value());
}

TEST(ThreadPool, ZeroJobsMeansOne) {
  ThreadPool pool(0);
  EXPECT_EQ(pool.jobs(), 1U);
}

TEST(ThreadPool, OneJobStaysOnTheCallingThreadInOrder) {
  ThreadPool pool(1);
  std::vector<std::size_t> order;
  const auto self = std::this_thread::get_id();
  ASSERT_TRUE(pool.for_each(5,
                            [&](std::size_t i) -> Status {
                              EXPECT_EQ(std::this_thread::get_id(), self);
                              order.push_back(i);
                              return {};
                            })
                  .has_value());
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

TEST(ThreadPool, UsesSeveralThreads) {
  ThreadPool pool(3);
  std::atomic<int> inside{0};
  // Each task waits until all three are inside at once: with fewer threads this would time out.
  const Status status = pool.for_each(3, [&](std::size_t) -> Status {
    ++inside;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (inside.load() < 3) {
      if (std::chrono::steady_clock::now() > deadline) return Error::internal("alone");
      std::this_thread::yield();
    }
    return {};
  });
  EXPECT_TRUE(status.has_value());
}

TEST(ThreadPool, TheLowestFailureWinsWhateverTheOrder) {
  ThreadPool pool(4);
  for (int round = 0; round < 50; ++round) {
    std::atomic<bool> late_failed{false};
    const Status status = pool.for_each(4, [&](std::size_t i) -> Status {
      if (i == 3) {
        late_failed = true;
        return Error::internal("task 3");
      }
      if (i == 0) {
        while (!late_failed) std::this_thread::yield();
        return Error::internal("task 0");
      }
      return {};
    });
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().what(), "task 0");
  }
}

TEST(ThreadPool, NothingBeginsAfterAFailure) {
  ThreadPool pool(1);
  std::size_t begun = 0;
  const Status status = pool.for_each(100, [&](std::size_t i) -> Status {
    ++begun;
    if (i == 3) return Error::corrupt("here");
    return {};
  });
  EXPECT_EQ(status.error().what(), "here");
  EXPECT_EQ(begun, 4U);
  EXPECT_TRUE(
      pool.for_each(2, [](std::size_t) -> Status { return {}; }).has_value());  // still usable
}

TEST(ThreadPool, NestedUseDoesNotDeadlock) {
  for (unsigned jobs : {1U, 2U, 4U}) {
    ThreadPool pool(jobs);
    std::mutex mutex;
    std::set<std::string> seen;
    ASSERT_TRUE(pool.for_each(8,
                              [&](std::size_t i) {
                                return pool.for_each(8, [&, i](std::size_t j) {
                                  return pool.for_each(4, [&, i, j](std::size_t k) -> Status {
                                    std::lock_guard lock(mutex);
                                    seen.insert(cat(i, ".", j, ".", k));
                                    return {};
                                  });
                                });
                              })
                    .has_value());
    EXPECT_EQ(seen.size(), 8U * 8U * 4U);
  }
}

TEST(ThreadPool, AnInnerFailureComesOut) {
  ThreadPool pool(4);
  const Status status = pool.for_each(4, [&](std::size_t i) {
    return pool.for_each(4, [i](std::size_t j) -> Status {
      if (i == 2 && j == 2) return Error::limit("inner");
      return {};
    });
  });
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code(), Code::limit);
}

TEST(ThreadPool, SurvivesManySmallBatches) {
  ThreadPool pool(4);
  std::atomic<std::size_t> total{0};
  for (int i = 0; i < 2000; ++i)
    ASSERT_TRUE(pool.for_each(3,
                              [&](std::size_t) -> Status {
                                ++total;
                                return {};
                              })
                    .has_value());
  EXPECT_EQ(total.load(), 6000U);
}

}  // namespace
}  // namespace cloister
