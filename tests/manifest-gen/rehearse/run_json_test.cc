#include "manifest-gen/rehearse/run_json.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/base/must.h"

namespace cloister::manifest {
namespace {

ObservedRun full_run() {
  ObservedRun run;
  run.source = "rehearsal";
  run.command = {"/bin/app", "two words", "\xff\xfe"};
  PathUse use;
  use.of(FileUse::read) = {3, 2, 1};
  use.of(FileUse::create).done = 1;
  use.real = "/real/\n\"x\"";
  use.spelled = "../a\xff";
  use.type = ObservedType::regular;
  use.programs = {"/bin/app", "/bin/\xff"};
  run.paths["/srv/a"] = use;
  run.paths["/srv/\xc3\x28"].of(FileUse::look).absent = 1;
  run.paths["/srv"].type = ObservedType::directory;
  run.paths["/"].type = ObservedType::other;
  run.sockets[{"inet", "bind", "0.0.0.0:80"}] = 1;
  run.sockets[{"unix", "connect", "@\x01\xff"}] = 2;
  run.sockets[{"inet", "socket", ""}] = 3;
  run.programs["/bin/app"] = {1, 2, 3, 4, 5, 6, 7, 8};
  run.forks = 1;
  run.threads = 2;
  run.executions = 3;
  run.peak_processes = 4;
  run.calls[{"read", "socket"}] = 5;
  run.calls[{"read", ""}] = 6;
  run.unimplemented["io_uring_setup"] = 7;
  run.profiled = run.learning = true;
  run.seconds = 1.25;
  run.requests = 8;
  run.exit_status = 255;
  run.exit_signal = 9;
  run.stand_ins = {"/lib/libc.so.6"};
  run.isolation = "user namespace";
  run.notes = {"a", "b\xff"};
  return run;
}

TEST(RunJson, ComesBackAsItWas) {
  const ObservedRun run = full_run();
  const std::string text = run_json(run);
  EXPECT_EQ(must(parse_run_json(text, Limits{}, "a run")), run);
  EXPECT_EQ(run_json(run), text);
  EXPECT_EQ(must(parse_run_json(run_json(ObservedRun()), Limits{}, "a run")), ObservedRun());
}

TEST(RunJson, NamesThatAreNotUtf8StandEscapedBesideTheirBytes) {
  const std::string text = run_json(full_run());
  EXPECT_TRUE(is_utf8(text));
  EXPECT_NE(text.find(R"("path":"/srv/\\xc3(","pathBase64":"L3Nydi/DKA==")"), std::string::npos);
  EXPECT_NE(text.find(R"({"text":"\\xff\\xfe","base64":"//4="})"), std::string::npos);
}

TEST(RunJson, ARunInsideAReportIsRead) {
  const ObservedRun run = full_run();
  const std::string text = cat("{\"verdict\":{},\"run\":", run_json(run), "}");
  EXPECT_EQ(must(parse_run_json(text, Limits{}, "a report")), run);
}

Code code_of(std::string_view text, const Limits& limits = {}) {
  const auto result = parse_run_json(text, limits, "a run");
  return result.has_value() ? Code::internal : result.error().code();
}

TEST(RunJson, WhatIsNoRunIsRefused) {
  for (const std::string_view bad :
       {"",
        "[]",
        "{}",
        "{\"schemaVersion\":\"1\"}",
        "{\"run\":[]}",
        R"({"schemaVersion":1,"paths":{}})",
        R"({"schemaVersion":1,"paths":[1]})",
        R"({"schemaVersion":1,"paths":[{"path":"relative"}]})",
        R"({"schemaVersion":1,"paths":[{"path":"/a/../b"}]})",
        R"({"schemaVersion":1,"paths":[{"path":"/a/"}]})",
        R"({"schemaVersion":1,"paths":[{"path":"/a\u0000b"}]})",
        R"({"schemaVersion":1,"paths":[{"path":"/a"},{"path":"/a"}]})",
        R"({"schemaVersion":1,"paths":[{"path":"/a","real":"b"}]})",
        R"({"schemaVersion":1,"paths":[{"path":"/a","type":"x"}]})",
        R"({"schemaVersion":1,"paths":[{"path":"/a","uses":{"fly":{"done":1}}}]})",
        R"({"schemaVersion":1,"paths":[{"path":"/a","uses":{"read":{"done":-1}}}]})",
        R"({"schemaVersion":1,"paths":[{"path":"/a","uses":{"read":1}}]})",
        R"({"schemaVersion":1,"paths":[{"path":"/a","pathBase64":"!"}]})",
        R"({"schemaVersion":1,"paths":[{"path":"/a","pathBase64":"L2I="}]})",
        R"({"schemaVersion":1,"paths":[{"path":"/other","pathBase64":"L/8="}]})",
        R"({"schemaVersion":1,"exitStatus":256})",
        R"({"schemaVersion":1,"seconds":-1})",
        R"({"schemaVersion":1,"seconds":"1"})",
        R"({"schemaVersion":1,"forks":1.5})",
        R"({"schemaVersion":1,"command":[1]})",
        R"({"schemaVersion":1,"notes":[{"base64":"?"}]})"})
    EXPECT_EQ(code_of(bad), Code::corrupt) << bad;
  EXPECT_EQ(code_of(R"({"schemaVersion":2})"), Code::unsupported);
}

TEST(RunJson, LimitsHold) {
  Limits limits;
  limits.observed_paths = 3;
  EXPECT_EQ(code_of(run_json(full_run()), limits), Code::limit);
  limits = Limits();
  limits.observed_names = 2;
  EXPECT_EQ(code_of(run_json(full_run()), limits), Code::limit);
  limits = Limits();
  limits.run_bytes = 100;
  EXPECT_EQ(code_of(run_json(full_run()), limits), Code::limit);
  limits = Limits();
  limits.path_bytes = 5;
  EXPECT_EQ(code_of(run_json(full_run()), limits), Code::limit);
}

}  // namespace
}  // namespace cloister::manifest
