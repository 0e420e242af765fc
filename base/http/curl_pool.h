// libcurl handles with owners, and the pool that keeps their connections alive between requests.
#pragma once

#include <curl/curl.h>
#include <signal.h>

#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"

namespace cloister::http {

// TLS writes to a connection that the server closed raise SIGPIPE, whose disposition belongs to the
// program. While an object of this class lives, the calling thread does not see it.
class SigpipeGuard {
 public:
  SigpipeGuard();
  ~SigpipeGuard();
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  bool active_ = false;
  sigset_t old_mask_{};
};

// One transfer at a time: an easy handle and the multi handle that drives it and owns its
// connections. Used by one thread at a time.
class Channel {
 public:
  static Result<std::unique_ptr<Channel>> create();
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  CURL* easy() const { return easy_; }
  CURLM* multi() const { return multi_; }

 private:
  Channel() = default;
  CURL* easy_ = nullptr;
  CURLM* multi_ = nullptr;
};

// Idle channels, the last used first: its connections are the likeliest to be alive. Thread-safe.
class ChannelPool {
 public:
  Result<std::unique_ptr<Channel>> take();
  void give_back(std::unique_ptr<Channel> channel);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Channel>> idle_;
};

}  // namespace cloister::http
