// The HTTP client against a server that misbehaves on request.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/http/client.h"
#include "base/http/curl_pool.h"
#include "base/text.h"
#include "tests/base/http_server.h"
#include "tests/base/must.h"

namespace cloister::http {
namespace {

using Clock = std::chrono::steady_clock;

std::unique_ptr<Client> make_client(Options options = {}, CancelToken cancel = {}) {
  return must(Client::create(std::move(options), Limits{}, cancel));
}

Request get(const std::string& url) {
  Request request;
  request.url = url;
  return request;
}

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 2654435761U >> 24);
  return out;
}

// A port where nobody listens.
std::string dead_url() {
  std::string url;
  {
    HttpServer gone([](const Received&) { return Reply{}; });
    url = gone.url("/");
  }
  return url;
}

TEST(HttpClient, GivesStatusHeadersAndBody) {
  HttpServer server([](const Received&) {
    Reply reply;
    reply.status = 418;
    reply.headers = {{"X-Twice", "one"}, {"x-twice", " two "}};
    reply.body = "short and stout";
    return reply;
  });
  const Response response = must(make_client()->send(get(server.url("/pot?a=b")), 100));
  EXPECT_EQ(response.status, 418);
  EXPECT_EQ(response.body, "short and stout");
  EXPECT_EQ(response.header_values("x-twice"), (std::vector<std::string>{"one", "two"}));
  EXPECT_FALSE(response.header("absent"));
  EXPECT_EQ(server.received()[0].path, "/pot");
  EXPECT_EQ(server.received()[0].query, "a=b");
}

TEST(HttpClient, SendsOnlyTheHeadersItWasGiven) {
  HttpServer server([](const Received&) { return Reply{}; });
  Request request = get(server.url("/"));
  request.method = "POST";
  request.headers = {{"X-Mine", "yes"}};
  request.body = "hello";
  Options options;
  options.user_agent = "tester/1";
  (void)must(make_client(options)->send(request, 100));
  const Received seen = server.received()[0];
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.body, "hello");
  EXPECT_EQ(seen.header("x-mine"), "yes");
  EXPECT_EQ(seen.header("user-agent"), "tester/1");
  EXPECT_EQ(seen.headers.count("content-type"), 0U);
  EXPECT_EQ(seen.headers.count("expect"), 0U);
  EXPECT_EQ(seen.headers.count("authorization"), 0U);
}

TEST(HttpClient, RefusesHeadersThatWouldAddLines) {
  HttpServer server([](const Received&) { return Reply{}; });
  Request request = get(server.url("/"));
  request.headers = {{"X", "a\r\nAuthorization: b"}};
  EXPECT_EQ(make_client()->send(request, 100).error().code(), Code::invalid);
  EXPECT_TRUE(server.received().empty());
}

TEST(HttpClient, RefusesOtherProtocols) {
  for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://x/", "nonsense", ""})
    EXPECT_EQ(make_client()->send(get(url), 100).error().code(), Code::invalid) << url;
}

TEST(HttpClient, EmptyBodiesHaveALength) {
  HttpServer server([](const Received&) { return Reply{}; });
  auto client = make_client();
  for (const char* method : {"POST", "PUT", "PATCH"}) {
    Request request = get(server.url("/"));
    request.method = method;
    (void)must(client->send(request, 100));
    EXPECT_EQ(server.received().back().method, method);
    EXPECT_EQ(server.received().back().header("content-length"), "0");
  }
}

TEST(HttpClient, ReusesItsConnections) {
  HttpServer server([](const Received&) {
    Reply reply;
    reply.body = "x";
    return reply;
  });
  auto client = make_client();
  for (int i = 0; i < 5; ++i) (void)must(client->send(get(server.url("/")), 100));
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, FollowsNoRedirect) {
  HttpServer server([](const Received&) {
    Reply reply;
    reply.status = 302;
    reply.headers = {{"Location", "/elsewhere"}};
    return reply;
  });
  EXPECT_EQ(must(make_client()->send(get(server.url("/")), 100)).status, 302);
  EXPECT_EQ(server.received().size(), 1U);
}

TEST(HttpClient, BoundsBodies) {
  HttpServer server([](const Received& request) {
    Reply reply;
    reply.status = request.path == "/error" ? 500 : 200;
    reply.body = std::string(100'000, 'x');
    reply.chunked = request.path == "/chunked";
    return reply;
  });
  auto client = make_client();
  EXPECT_EQ(must(client->send(get(server.url("/")), 100'000)).body.size(), 100'000U);
  EXPECT_EQ(client->send(get(server.url("/")), 99'999).error().code(), Code::limit);
  EXPECT_EQ(client->send(get(server.url("/chunked")), 99'999).error().code(), Code::limit);
  // What explains an error is cut, not refused.
  EXPECT_EQ(must(client->send(get(server.url("/error")), 10)).body.size(), 64U << 10);
}

TEST(HttpClient, BoundsHeaders) {
  HttpServer server([](const Received& request) {
    Reply reply;
    if (request.path == "/long") reply.headers = {{"X", std::string(90'000, 'x')}};
    for (int i = 0; request.path == "/many" && i < 300; ++i) reply.headers.push_back({"X", "y"});
    return reply;
  });
  auto client = make_client();
  EXPECT_EQ(client->send(get(server.url("/long")), 10).error().code(), Code::limit);
  EXPECT_EQ(client->send(get(server.url("/many")), 10).error().code(), Code::limit);
  EXPECT_EQ(must(client->send(get(server.url("/")), 10)).status, 200);
}

TEST(HttpClient, NamesWhatItCouldNotReach) {
  const Error refused = make_client()->send(get(dead_url()), 10).error().clone();
  EXPECT_EQ(refused.code(), Code::unavailable);
  EXPECT_NE(refused.what().find("connection refused"), std::string::npos) << refused.what();
  EXPECT_NE(refused.what().find("127.0.0.1:"), std::string::npos) << refused.what();
  const Error unknown = make_client()->send(get("http://host.invalid/"), 10).error().clone();
  EXPECT_EQ(unknown.code(), Code::unavailable);
  EXPECT_NE(unknown.what().find("'host.invalid'"), std::string::npos) << unknown.what();
}

TEST(HttpClient, ReportsAnAnswerThatIsNotHttp) {
  HttpServer server([](const Received&) {
    Reply reply;
    reply.raw = "220 mail.example ESMTP\r\n\r\n";
    return reply;
  });
  EXPECT_EQ(make_client()->send(get(server.url("/")), 100).error().code(), Code::corrupt);
}

TEST(HttpClient, ReportsASilentServer) {
  HttpServer server([](const Received&) {
    Reply reply;
    reply.delay = std::chrono::seconds(20);
    return reply;
  });
  Options options;
  options.low_speed_seconds = 1;
  const auto result = make_client(options)->send(get(server.url("/")), 10);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), Code::unavailable);
  EXPECT_NE(result.error().what().find("stopped answering"), std::string::npos)
      << result.error().what();
}

TEST(HttpClient, StopsWithinASecondWhenCancelled) {
  HttpServer server([](const Received&) {
    Reply reply;
    reply.delay = std::chrono::seconds(20);
    return reply;
  });
  std::atomic<bool> flag = false;
  auto client = make_client({}, CancelToken(&flag));
  std::thread interrupter([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    flag = true;
  });
  const auto begun = Clock::now();
  const auto result = client->send(get(server.url("/")), 10);
  interrupter.join();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), Code::cancelled);
  EXPECT_LT(Clock::now() - begun, std::chrono::milliseconds(1100));
}

TEST(HttpStream, DeliversLargeBodiesThroughSmallReads) {
  const std::string body = pattern(3 << 20);
  HttpServer server([&](const Received& request) {
    Reply reply;
    reply.body = body;
    reply.chunked = request.path == "/chunked";
    return reply;
  });
  auto client = make_client();
  for (const char* path : {"/", "/chunked"})
    for (std::size_t piece : {std::size_t{1000}, std::size_t{65'537}, kStreamBuffer, body.size()}) {
      auto stream = must(client->open(get(server.url(path))));
      std::string got;
      Bytes buffer(piece);
      while (const std::size_t n = must(stream->read(buffer)))
        got.append(as_text(ByteView(buffer).first(n)));
      EXPECT_EQ(got, body) << path << " in pieces of " << piece;
      EXPECT_EQ(must(stream->read(buffer)), 0U);  // the end stays the end
    }
}

TEST(HttpStream, OutlivesItsClientAndMayBeDroppedUnread) {
  const std::string body = pattern(4 << 20);
  HttpServer server([&](const Received&) {
    Reply reply;
    reply.body = body;
    return reply;
  });
  auto client = make_client();
  auto kept = must(client->open(get(server.url("/"))));
  { auto dropped = must(client->open(get(server.url("/")))); }
  client.reset();
  EXPECT_EQ(must(drain(*kept)), body.size());
}

TEST(HttpStream, ReportsAConnectionThatBreaks) {
  HttpServer server([](const Received&) {
    Reply reply;
    reply.body = std::string(500'000, 'x');
    reply.cut_after = 300'000;
    return reply;
  });
  auto stream = must(make_client()->open(get(server.url("/"))));
  std::uint64_t got = 0;
  Bytes buffer(kStreamBuffer);
  for (;;) {
    auto n = stream->read(buffer);
    if (!n.has_value()) {
      EXPECT_EQ(n.error().code(), Code::unavailable);
      EXPECT_NE(n.error().what().find("broke"), std::string::npos) << n.error().what();
      break;
    }
    ASSERT_GT(*n, 0U) << "a cut body must not end quietly";
    got += *n;
  }
  EXPECT_EQ(got, 300'000U);  // what did arrive is handed out first
}

TEST(HttpStream, ManyThreadsShareAClient) {
  const std::string body = pattern(200'000);
  HttpServer server([&](const Received&) {
    Reply reply;
    reply.body = body;
    return reply;
  });
  auto client = make_client();
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        auto stream = client->open(get(server.url("/")));
        if (!stream.has_value()) continue;
        auto bytes = read_all(**stream, 1 << 20, "body");
        if (bytes.has_value() && as_text(*bytes) == body) ++good;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 30);
  EXPECT_LE(server.connections(), 6);
}

TEST(HttpUpload, StreamsABodyOfKnownLength) {
  HttpServer server([](const Received&) { return Reply{}; });
  const std::string body = pattern(1'500'000);
  MemorySource source(as_bytes(body));
  Request request = get(server.url("/up"));
  request.method = "PATCH";
  request.body_stream = &source;
  request.body_size = body.size();
  EXPECT_EQ(must(make_client()->send(request, 100)).status, 200);
  EXPECT_EQ(server.received()[0].method, "PATCH");
  EXPECT_EQ(server.received()[0].body, body);
}

TEST(HttpUpload, FailsWithTheErrorOfItsSource) {
  struct Failing final : Source {
    Result<std::size_t> read(std::span<std::byte>) override { return Error::io("disk on fire"); }
  };
  HttpServer server([](const Received&) { return Reply{}; });
  Failing source;
  Request request = get(server.url("/up"));
  request.method = "PUT";
  request.body_stream = &source;
  request.body_size = 10;
  const auto result = make_client()->send(request, 100);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), Code::io);
  EXPECT_EQ(result.error().what(), "disk on fire");
}

TEST(HttpUpload, RefusesASourceThatEndsEarly) {
  HttpServer server([](const Received&) { return Reply{}; });
  MemorySource source(as_bytes("abc"));
  Request request = get(server.url("/up"));
  request.method = "PUT";
  request.body_stream = &source;
  request.body_size = 10;
  EXPECT_EQ(make_client()->send(request, 100).error().code(), Code::corrupt);
}

TEST(HttpTls, TrustsOnlyWhatItWasTold) {
  TlsIdentity identity;
  HttpServer server([](const Received&) { return Reply{}; }, &identity);
  const auto untrusted = make_client()->send(get(server.url("/")), 10);
  ASSERT_FALSE(untrusted.has_value());
  EXPECT_EQ(untrusted.error().code(), Code::invalid);
  EXPECT_NE(untrusted.error().what().find("not trusted"), std::string::npos);
  EXPECT_NE(untrusted.error().hint().find("--tls-verify=false"), std::string::npos);
  Options with_ca;
  with_ca.ca_file = identity.certificate_file();
  EXPECT_EQ(must(make_client(with_ca)->send(get(server.url("/")), 10)).status, 200);
  Options unverified;
  unverified.tls_verify = false;
  EXPECT_EQ(must(make_client(unverified)->send(get(server.url("/")), 10)).status, 200);
}

TEST(HttpTls, WrongHostNameIsNotTrusted) {
  TlsIdentity identity;
  HttpServer server([](const Received&) { return Reply{}; }, &identity);
  Options with_ca;
  with_ca.ca_file = identity.certificate_file();
  const std::string url = cat("https://", server.authority("127.0.0.2"), "/");
  // 127.0.0.2 reaches no listener bound to 127.0.0.1: either way there must be no success.
  EXPECT_FALSE(make_client(with_ca)->send(get(url), 10).has_value());
}

TEST(HttpTls, MissingCaFileIsNamed) {
  TlsIdentity identity;
  HttpServer server([](const Received&) { return Reply{}; }, &identity);
  Options options;
  options.ca_file = "/nonexistent/ca.pem";
  const auto result = make_client(options)->send(get(server.url("/")), 10);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), Code::invalid);
  EXPECT_NE(result.error().what().find("/nonexistent/ca.pem"), std::string::npos);
}

TEST(HttpTls, AsksForPlainHttpWhenTheServerHasNoTls) {
  HttpServer server([](const Received&) { return Reply{}; });
  const auto result = make_client()->send(get(cat("https://", server.authority(), "/")), 10);
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().hint().find("--plain-http"), std::string::npos);
}

TEST(HttpTls, TheProbeTellsTlsFromPlain) {
  TlsIdentity identity;
  HttpServer tls([](const Received&) { return Reply{}; }, &identity);
  HttpServer plain([](const Received&) { return Reply{}; });
  auto client = make_client();
  EXPECT_TRUE(must(client->speaks_tls(*parse_url(tls.url("/")))));
  EXPECT_TRUE(tls.received().empty());  // only the handshake
  EXPECT_EQ(client->speaks_tls(*parse_url(dead_url())).error().code(), Code::unavailable);
  // The unverified connection of the probe is not used for requests.
  EXPECT_FALSE(client->send(get(tls.url("/")), 10).has_value());
  EXPECT_FALSE(must(client->speaks_tls(*parse_url(cat("https://", plain.authority(), "/")))));
}

TEST(Sigpipe, IsNotSeenUnderTheGuard) {
  ASSERT_NE(signal(SIGPIPE, SIG_DFL), SIG_ERR);
  {
    const SigpipeGuard guard;
    pthread_kill(pthread_self(), SIGPIPE);
  }
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGPIPE), 0);  // as it was before
}

}  // namespace
}  // namespace cloister::http
