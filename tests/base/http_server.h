// A small HTTP/1.1 server on a loopback port, for tests: answers come from a function, and may be
// broken on purpose.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/base/tls_identity.h"

namespace cloister {

struct Received {
  std::string method, path, query;             // "/v2/", "a=b" as sent
  std::map<std::string, std::string> headers;  // names lower case
  std::string body;
  std::string header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? std::string() : it->second;
  }
};

struct Reply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<std::size_t> announced;  // Content-Length, if it shall not be that of the body
  std::optional<std::size_t> cut_after;  // close the connection after so many bytes of the body
  bool chunked = false;
  std::string raw;                     // sent as it is, in place of everything else
  std::chrono::milliseconds delay{0};  // before answering
  std::chrono::milliseconds drip{0};   // after each byte, head included; 0: all at once
};

// One thread per connection, keep-alive. The handler is called from several threads.
class HttpServer {
 public:
  using Handler = std::function<Reply(const Received&)>;
  // With `tls`, which must outlive the server, it speaks https. With `unix_socket`, a path, it
  // listens there and not on a port.
  explicit HttpServer(Handler handler, const TlsIdentity* tls = nullptr,
                      const std::string& unix_socket = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string authority(const std::string& host = "127.0.0.1") const;  // host:port
  std::string url(const std::string& path) const;
  std::vector<Received> received() const;  // in the order they were answered
  int connections() const { return connections_; }

 private:
  void listen_on_loopback();
  void listen_on(const std::string& unix_socket);
  void accept_loop();
  void serve(int fd);
  bool answer(class Wire& wire, const Received& request);

  const Handler handler_;
  const TlsIdentity* const tls_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  std::vector<Received> received_;
  std::vector<int> open_;  // connections being served
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace cloister
