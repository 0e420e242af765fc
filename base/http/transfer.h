// One request on its way: sends it, collects the head, hands out the body as it is asked for.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>

#include "base/http/client.h"
#include "base/http/curl_pool.h"
#include "base/http/response_head.h"

namespace cloister::http {

// What every transfer of a client shares.
struct Shared {
  Options options;
  Limits limits;
  CancelToken cancel;
  ChannelPool pool;
};

// Used by one thread at a time. libcurl holds pointers into it: it does not move.
class Transfer {
 public:
  // `url` is the parsed request.url.
  Transfer(std::shared_ptr<Shared> shared, Request request, Url url);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Before begin(): the time for all of it is limited, not only its silence.
  void limit_whole() { whole_ = true; }
  // Sends the request and waits for the head of the answer.
  Result<Response> begin();
  // As Source::read, of the answer's body.
  Result<std::size_t> read(std::span<std::byte> out);
  // In place of begin(): connects and shakes hands, unverified and without a request.
  Result<bool> handshake();

 private:
  Status start();
  void set_request();
  void set_body();
  Status set_tls();
  void set_proxy();
  void set_time_outs();
  Status step();
  void take_result();
  Error failure();
  Error endless_headers() const;
  bool handle_done() const { return result_.has_value(); }
  std::size_t on_body(const char* data, std::size_t size);
  std::size_t on_upload(char* data, std::size_t size);

  static std::size_t write_callback(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t header_callback(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t read_callback(char* data, std::size_t, std::size_t size, void* self);

  std::shared_ptr<Shared> shared_;
  Request request_;
  Url url_;
  std::unique_ptr<Channel> channel_;
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  std::unique_ptr<curl_slist, FreeList> header_list_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  ResponseHead head_;
  std::optional<CURLcode> result_;
  std::optional<Error> own_error_;  // ours, found inside a callback: it explains libcurl's
  // The body: straight into the reader's buffer, and what did not fit there.
  std::span<std::byte> out_;
  std::size_t filled_ = 0;
  Bytes spill_;
  std::size_t spill_read_ = 0;
  bool paused_ = false;
  bool added_ = false;
  bool reusable_ = true;
  bool whole_ = false;
  std::uint64_t upload_left_ = 0;
};

}  // namespace cloister::http
