// The last step: a program that knows nothing of attestation speaks to an address of this machine,
// and its bytes go on only to a server that has just proved to be the signed image.
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "base/text.h"
#include "base/time.h"
#include "cmd/attested_server.h"
#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/output.h"
#include "cmd/relay.h"
#include "cmd/render_error.h"
#include "cmd/report/verify.h"
#include "cmd/session.h"
#include "cmd/verify_image.h"

namespace cloister::cmd {
namespace {

constexpr std::size_t kMaxClients = 128;  // at one time; others wait
constexpr std::chrono::seconds kCheckAgain(60);

struct ConnectOptions {
  CommonOptions common;
  ImageTrustOptions trust;
  AttestationOptions attestation;
  std::string image, server, listen = "127.0.0.1:0";
  bool once = false;
};

Error refusal(std::string what, const std::vector<sign::Check>& checks) {
  Error error = Error::policy(std::move(what));
  for (const sign::Check& check : checks)
    if (!check.passed) error = std::move(error).detail(cat(check.name, ": ", check.found));
  return error;
}

// All clients of one run. Each has a thread and a connection of its own to the server.
class Proxy {
 public:
  // `at`: the time for which the proof is wanted; without it that of each moment. `not_after`: that
  // of the policy.
  Proxy(Session& session, AttestedServer& server, sign::Sigstruct sigstruct,
        std::optional<Seconds> at, std::optional<Seconds> not_after)
      : session_(session),
        server_(server),
        sigstruct_(std::move(sigstruct)),
        at_(at),
        not_after_(not_after) {}
  ~Proxy() { collect(/*all=*/true); }

  // Until interrupted; with `once` until the first client is served, whose errors are the answer.
  Status serve(const Fd& listener, bool once) {
    for (;;) {
      collect(/*all=*/false);
      pollfd ready{clients_.size() < kMaxClients ? listener.get() : -1, POLLIN, 0};
      CL_CHECK(net::wait_for(std::span(&ready, 1), std::chrono::seconds(1), session_.cancel()));
      if (ready.revents == 0) continue;
      CL_TRY(auto client, net::accept_one(listener));
      if (!client) continue;
      if (once) return attest_and_relay(*client);
      start(std::move(*client));
    }
  }

 private:
  struct Client {
    std::thread thread;
    std::atomic<bool> done = false;
  };

  void start(Fd client) {
    auto& entry = clients_.emplace_back();
    try {
      entry.thread = std::thread([this, &entry, fd = std::move(client)] {
        serve_one(fd);
        entry.done.store(true);
      });
    } catch (const std::system_error&) {  // no room for a thread: this client is turned away
      clients_.pop_back();
    }
  }

  void collect(bool all) {
    for (auto at = clients_.begin(); at != clients_.end();) {
      if (!all && !at->done.load()) {
        ++at;
        continue;
      }
      at->thread.join();
      at = clients_.erase(at);
    }
  }

  void serve_one(const Fd& client) {
    const auto done = attest_and_relay(client);
    if (!done.has_value() && done.error().code() != Code::cancelled)
      say(render_error(done.error(), session_.color()));
  }

  Status attest_and_relay(const Fd& client) {
    auto done = try_relay(client);
    // No client takes a refusal for an empty answer, nor half an answer for a whole one.
    if (!done.has_value()) net::reset_on_close(client);
    return done;
  }

  Status try_relay(const Fd& client) {
    CL_CHECK(check_policy_date());
    CL_TRY(AttestedServer::Connection connection, server_.connect(time()));
    ServerVerdict& verdict = connection.verdict;
    if (verdict.quote)
      for (sign::Check& check : sign::check_quoted_enclave(*verdict.quote, sigstruct_))
        verdict.checks.push_back(std::move(check));
    if (!sign::all_passed(verdict.checks))
      return refusal(cat(quote(server_.address()), " is not the signed image"), verdict.checks)
          .hint("nothing was sent to it");
    say("connection to the signed image\n");
    const sign::Quote& quote = *verdict.quote;
    auto last = std::chrono::steady_clock::now();
    return relay(
        client, std::move(connection.tls),
        [&]() -> Status {
          if (at_ || std::chrono::steady_clock::now() - last < kCheckAgain) return {};
          last = std::chrono::steady_clock::now();
          return check_again(quote);
        },
        session_.cancel());
  }

  // Proof runs out: lists and TCB info are for a month at most.
  Status check_again(const sign::Quote& quote) {
    CL_CHECK(check_policy_date());
    CL_TRY(const sign::QuoteVerdict verdict, server_.verify(quote, time()));
    if (verdict.genuine()) return {};
    return refusal("the server's proof is not valid any more", verdict.checks)
        .hint("fetch fresh collateral and start the proxy again");
  }

  Status check_policy_date() const {
    if (!not_after_ || time() <= *not_after_) return {};
    return Error::policy(cat("the policy was valid until ", format_rfc3339(*not_after_)))
        .hint("look at it again, give it a later date, and start the proxy again");
  }

  Seconds time() const {
    return at_ ? *at_ : std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  }

  void say(std::string_view text) {
    const std::lock_guard lock(saying_);
    session_.note(trim(text));
  }

  Session& session_;
  AttestedServer& server_;
  const sign::Sigstruct sigstruct_;
  const std::optional<Seconds> at_, not_after_;
  std::mutex saying_;
  std::list<Client> clients_;
};

Result<int> run_connect(const ConnectOptions& o, const Environment& env) {
  const auto listen = net::parse_host_port(o.listen);
  if (!listen)
    return Error::usage(cat("--listen ", quote(o.listen), " is no address"))
        .hint("want ADDRESS:PORT, for example 127.0.0.1:6379; port 0 takes a free one");
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const ImageTrust trust, load_trust(*session, o.trust));
  CL_TRY(AttestedServer server, AttestedServer::create(*session, o.server, o.attestation, trust));
  CL_TRY(ImageVerdict image, verify_image(*session, ref, trust, o.trust));
  CL_CHECK(require_quoting_server(image));
  if (!sign::all_passed(image.checks) || !image.sigstruct) {
    const VerifyReport report{image.name, image.digest, image.checks};
    session->note(verify_text(report));
    return kExitPolicy;
  }
  CL_TRY(const Fd listener, net::listen_on(*listen));
  CL_TRY(const net::HostPort at, net::local_address(listener));
  // The one line of the result: programs that start the proxy read the port here.
  CL_CHECK(write_result("", cat(at.str(), "\n")));
  Proxy proxy(*session, server, *image.sigstruct,
              o.trust.at.empty() ? std::nullopt : std::optional(trust.at),
              trust.policy ? trust.policy->policy.not_after : std::nullopt);
  CL_CHECK(proxy.serve(listener, o.once));
  return 0;
}

}  // namespace

Action add_connect(CLI::App& app) {
  auto o = std::make_shared<ConnectOptions>();
  app.add_option("IMAGE", o->image, "Signed image that the server has to be")->required();
  app.add_option("HOST:PORT", o->server, "Server that proves itself by RA-TLS")->required();
  app.add_option("--listen", o->listen, "Where programs of this machine connect; port 0: any free")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  app.add_flag("--once", o->once,
               "Serve one connection, then end: exit 3 when the server is not the image");
  add_trust_options(app, o->trust);
  add_attestation_options(app, o->attestation);
  add_report_data_option(app, o->attestation, "A nonce that the server's claims must hold")
      ->type_name("nonce:TEXT");
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_connect(*o, env); };
}

}  // namespace cloister::cmd
