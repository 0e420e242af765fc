#include "cmd/exercise.h"

#include <algorithm>

#include "base/http/client.h"
#include "base/program.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto kAskReadyEvery = 50ms;
constexpr std::uint64_t kMaxAnswer = 64ULL << 20;
constexpr std::uint64_t kMaxCommandOutput = 16ULL << 20;
constexpr std::chrono::seconds kCommandPatience{3600};

}  // namespace

Exercise::Exercise(Session& session, ExerciseOptions options, std::function<bool()> ready)
    : session_(session), options_(std::move(options)), ready_(std::move(ready)) {
  thread_ = std::thread([this] {
    result_ = work();
    finished_ = true;
  });
}

Exercise::~Exercise() {
  stop_ = true;
  thread_.join();
}

bool Exercise::pause(std::chrono::milliseconds time) const {
  for (const auto until = Steady::now() + time; Steady::now() < until && !stop_;)
    std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(time, 20ms));
  return !stop_;
}

Status Exercise::wait_until_ready() {
  const auto until = Steady::now() + options_.patience;
  while (!ready_()) {
    if (Steady::now() > until)
      return Error::unavailable(
          cat("the program was not ready within ", options_.patience.count(), " seconds"));
    if (!pause(kAskReadyEvery)) return cancel_.check();
  }
  return {};
}

Status Exercise::ask(const std::string& url) {
  http::Options how;
  how.user_agent = user_agent();
  CL_TRY(const auto client, http::Client::create(how, session_.limits(), cancel_));
  http::Request request;
  request.url = url;
  const auto until = Steady::now() + options_.patience;
  for (std::uint64_t done = 0; done < std::max<std::uint64_t>(options_.requests, 1);) {
    auto response = client->send(request, kMaxAnswer);
    if (!response.has_value()) {
      if (done > 0 || Steady::now() > until || !pause(kAskReadyEvery))
        return std::move(response).error().while_(cat("asking the program for ", quote(url)));
      continue;
    }
    // What it answers is its own affair, but for what says that it cannot.
    if (response->status >= 500)
      return Error::unavailable(cat("the program answered ", response->status, " to ", quote(url)));
    ++done;
    ++requests_done_;
    if (stop_) return cancel_.check();
  }
  return {};
}

Status Exercise::execute(const std::string& command) {
  ProgramRun run;
  run.arguments = {"/bin/sh", "-c", command};
  run.environment = session_.env().variables;
  run.show_errors = true;
  run.max_output = kMaxCommandOutput;
  run.patience = kCommandPatience;
  run.cancel = cancel_;
  CL_TRY(const ProgramOutput done, run_program(run));
  output_ += as_text(done.output);
  if (done.status != 0)
    return Error::policy(done.status < 0
                             ? cat("the command ", quote(command), " was killed")
                             : cat("the command ", quote(command), " failed with ", done.status));
  return {};
}

Status Exercise::work() {
  const auto began = Steady::now();
  if (!options_.urls.empty() || !options_.commands.empty()) CL_CHECK(wait_until_ready());
  for (const std::string& url : options_.urls) CL_CHECK(ask(url));
  for (const std::string& command : options_.commands) CL_CHECK(execute(command));
  if (options_.urls.empty()) requests_done_ = options_.requests;
  const auto rest = began + options_.duration - Steady::now();
  if (rest > 0ms) pause(std::chrono::duration_cast<std::chrono::milliseconds>(rest));
  return {};
}

}  // namespace cloister::cmd
