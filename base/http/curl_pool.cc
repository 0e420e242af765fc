// libcurl keeps connections in the multi handle, and a multi handle must not be used by two
// threads. So each transfer borrows a pair of handles from a pool: as many connections exist as
// transfers ran at one time, and no lock is held while bytes move.
#include "base/http/curl_pool.h"

#include <ctime>

#include "base/text.h"

namespace cloister::http {
namespace {

// More idle channels than this are closed rather than kept.
constexpr std::size_t kMaxIdle = 32;

CURLcode init_libcurl_once() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  return code;
}

bool sigpipe_pending() {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

}  // namespace

SigpipeGuard::SigpipeGuard() {
  if (sigpipe_pending()) return;  // somebody else's: leave it alone
  sigset_t block;
  sigemptyset(&block);
  sigaddset(&block, SIGPIPE);
  active_ = pthread_sigmask(SIG_BLOCK, &block, &old_mask_) == 0;
}

SigpipeGuard::~SigpipeGuard() {
  if (!active_) return;
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, SIGPIPE);
  const timespec now{};
  while (sigpipe_pending() && sigtimedwait(&only, nullptr, &now) == SIGPIPE) {
  }
  pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
}

Result<std::unique_ptr<Channel>> Channel::create() {
  if (const CURLcode code = init_libcurl_once(); code != CURLE_OK)
    return Error::internal(cat("libcurl does not start: ", curl_easy_strerror(code)));
  std::unique_ptr<Channel> channel(new Channel);
  channel->easy_ = curl_easy_init();
  channel->multi_ = curl_multi_init();
  if (channel->easy_ == nullptr || channel->multi_ == nullptr)
    return Error::internal("libcurl gives no handle");
  return channel;
}

Channel::~Channel() {
  const SigpipeGuard guard;  // closing says goodbye to the server
  if (easy_ != nullptr) curl_easy_cleanup(easy_);
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
}

Result<std::unique_ptr<Channel>> ChannelPool::take() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto channel = std::move(idle_.back());
      idle_.pop_back();
      return channel;
    }
  }
  return Channel::create();
}

void ChannelPool::give_back(std::unique_ptr<Channel> channel) {
  std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(channel));
}

}  // namespace cloister::http
