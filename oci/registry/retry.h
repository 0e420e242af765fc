// When to try a request again, and how long to wait before.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/cancel.h"
#include "base/http/client.h"
#include "base/result.h"
#include "oci/registry/client.h"

namespace cloister::oci {

// 408, 429, 500, 502, 503, 504: the server may answer otherwise next time.
bool is_temporary(int status);

// The Retry-After of an answer (RFC 9110 §10.2.3), seconds or a date. A date is taken relative to
// the answer's own Date header: libraries do not look at the clock.
std::optional<std::chrono::seconds> retry_after(const http::Response& response);

// Sleeps, and answers `cancelled` within a fraction of a second when asked to stop.
Status pause_for(std::chrono::milliseconds time, CancelToken cancel);

// Counts the tries of one request. Used by one thread.
class Retry {
 public:
  Retry(const RetryPolicy& policy, CancelToken cancel) : policy_(policy), cancel_(cancel) {}
  // Waits; true: try again. False: the tries are used up.
  Result<bool> after_fault();
  Result<bool> after_answer(const http::Response& response);
  // Something was achieved: counting begins anew.
  void reset() { faults_ = answers_ = 0; }

 private:
  Status pause(std::chrono::milliseconds time) const;
  std::chrono::milliseconds random_pause(std::chrono::milliseconds first, unsigned tries) const;
  const RetryPolicy& policy_;
  CancelToken cancel_;
  unsigned faults_ = 0;
  unsigned answers_ = 0;
};

}  // namespace cloister::oci
