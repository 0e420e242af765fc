#include "cmd/render_error.h"

#include <gtest/gtest.h>

#include <set>

#include "cmd/exit_code.h"

namespace cloister::cmd {
namespace {

TEST(RenderError, ShowsDetailsThenTraceThenHint) {
  const Error error = Error::corrupt("layer 'x' does not match its digest")
                          .detail("got a, want b")
                          .while_("indexing layer 3 of 7")
                          .while_("building 'redis'")
                          .hint("pull again");
  EXPECT_EQ(render_error(error, false),
            "error: layer 'x' does not match its digest\n"
            "  got a, want b\n"
            "  while indexing layer 3 of 7\n"
            "  while building 'redis'\n"
            "hint: pull again\n");
}

TEST(RenderError, ColoursOnlyWhenAsked) {
  EXPECT_EQ(render_error(Error::io("x"), false).find('\033'), std::string::npos);
  EXPECT_NE(render_error(Error::io("x"), true).find('\033'), std::string::npos);
}

TEST(ExitCode, FollowsTheContract) {
  EXPECT_EQ(exit_code(Code::usage), 2);
  EXPECT_EQ(exit_code(Code::policy), 3);
  EXPECT_EQ(exit_code(Code::not_found), 4);
  EXPECT_EQ(exit_code(Code::unauthorized), 4);
  EXPECT_EQ(exit_code(Code::cancelled), 130);
  for (const Code code :
       {Code::unavailable, Code::corrupt, Code::unsupported, Code::limit, Code::conflict,
        Code::invalid, Code::unresolved, Code::io, Code::internal})
    EXPECT_EQ(exit_code(code), 1);
}

}  // namespace
}  // namespace cloister::cmd
