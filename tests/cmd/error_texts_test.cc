// What people read when something fails: one real error for each code, rendered, as files under
// errors/ that are reviewed as texts. After a change that is wanted: CLOISTER_ACCEPT=1
// build/cmd_test writes them anew.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>

#include "base/file.h"
#include "base/text.h"
#include "cmd/exit_code.h"
#include "cmd/output.h"
#include "cmd/pipeline.h"
#include "cmd/plan_options.h"
#include "cmd/render_error.h"
#include "cmd/session.h"
#include "oci/registry/registry_error.h"
#include "oci/source/open.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"

namespace cloister::cmd {
namespace {

// No default: a new code does not compile without a name, and has no test without a file.
const char* code_name(Code code) {
  switch (code) {
    case Code::usage:
      return "usage";
    case Code::not_found:
      return "not_found";
    case Code::unauthorized:
      return "unauthorized";
    case Code::unavailable:
      return "unavailable";
    case Code::corrupt:
      return "corrupt";
    case Code::unsupported:
      return "unsupported";
    case Code::limit:
      return "limit";
    case Code::policy:
      return "policy";
    case Code::conflict:
      return "conflict";
    case Code::invalid:
      return "invalid";
    case Code::unresolved:
      return "unresolved";
    case Code::io:
      return "io";
    case Code::cancelled:
      return "cancelled";
    case Code::internal:
      return "internal";
  }
  return nullptr;
}

template <class T>
Error error_of(Result<T> result) {
  if (result.has_value()) return Error::internal("no error was met");
  return std::move(result).error();
}

Error overlay_error(std::string text) {
  PlanOptions options;
  return error_of(set_overlay(options, std::move(text), Limits(), "'overlay.toml'"));
}

Error answer_error(int status) {
  http::Response response;
  response.status = status;
  response.effective_url = "https://reg.example/v2/app/manifests/1";
  response.body = status == 401 ? R"({"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]})"
                                : "upstream\x1b[2J is down";
  return oci::registry_error(response, "image 'reg.example/app:1'",
                             {"reg.example", "app", "https://reg.example:443", false}, Limits());
}

Error with_session(const std::function<Error(Session&)>& f) {
  static std::atomic<bool> never = false;
  Environment env;
  env.interrupted = &never;
  CommonOptions options;
  options.offline = true;
  options.progress = "none";
  const auto session = must(Session::create(options, env));
  return f(*session);
}

Error example_of(Code code) {
  switch (code) {
    case Code::usage: {
      PlanArguments arguments;
      arguments.volumes = {"/data=disk"};
      return error_of(to_plan_options(arguments, Limits()));
    }
    case Code::not_found: {
      oci::ImageRef ref;
      ref.transport = oci::Transport::layout;
      ref.path = "no-such-directory/layout";
      return error_of(oci::open_layout(ref, Limits()));
    }
    case Code::unauthorized:
      return answer_error(401);
    case Code::unavailable:
      return answer_error(503);
    case Code::corrupt:
      return overlay_error("sgx.debug = \n");
    case Code::unsupported:
      return overlay_error("a = 1\nday = 2026-01-02\n");
    case Code::limit:
      return overlay_error("a" + std::string(400, '.') + "b = 1\n");
    case Code::policy:
      return Error::policy("gramine 1.6: open trusted files lose their protection on fork")
          .detail("update to Gramine 1.6.2 or newer")
          .hint("use another runtime, or take the risk on record with --accept CL900");
    case Code::conflict:
      return with_session([](Session& session) {
        oci::RegistryRef ref;
        ref.registry = "reg.example";
        return error_of(session.registry(ref, oci::Access::pull));
      });
    case Code::invalid:
      return with_session([](Session& session) {
        return error_of(load_runtime(session, {"./no-such-directory/gramine"}));
      });
    case Code::unresolved: {
      manifest::Closure closure;
      closure.unresolved = {
          {0, "libfoo.so.1", "/usr/bin/app", {"/lib: not there", "/usr/lib: not there"}},
          {0, "libbar.so.2", "/usr/bin/app", {}}};
      return error_of(require_resolved(closure));
    }
    case Code::io:
      return error_of(write_result("no-such-directory/file", "x"));
    case Code::cancelled:
      return Error::cancelled();
    case Code::internal:
      return Error::internal("a layer has no index");
  }
  return Error::internal("no such code");
}

constexpr int kLastCode = static_cast<int>(Code::internal);

class ErrorTexts : public testing::TestWithParam<int> {};

TEST_P(ErrorTexts, AreAsReviewed) {
  const Code code = static_cast<Code>(GetParam());
  ASSERT_NE(code_name(code), nullptr);
  const Error error = example_of(code);
  EXPECT_EQ(error.code(), code) << error.what();
  // Nothing can be done against Ctrl-C or a bug but what the text says already.
  EXPECT_EQ(error.hint().empty(), code == Code::cancelled || code == Code::internal);
  for (const bool color : {false, true}) {
    const std::string text = cat("exit code ", exit_code(code), "\n", render_error(error, color));
    const auto file =
        source_dir() / "tests/cmd/errors" / cat(code_name(code), color ? ".color.txt" : ".txt");
    if (std::getenv("CLOISTER_ACCEPT") != nullptr) {
      ASSERT_TRUE(write_file_atomic(file, as_bytes(text)).has_value());
      continue;
    }
    const auto reviewed = read_text_file(file, 1U << 20);
    ASSERT_TRUE(reviewed.has_value()) << file << " is missing: CLOISTER_ACCEPT=1 writes it";
    EXPECT_EQ(text, *reviewed) << file;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryCode, ErrorTexts, testing::Range(0, kLastCode + 1),
                         [](const auto& one) {
                           return std::string(code_name(static_cast<Code>(one.param)));
                         });

}  // namespace
}  // namespace cloister::cmd
