#include "manifest-gen/launch/wrapper.h"

#include <gtest/gtest.h>

namespace cloister::manifest {
namespace {

std::string run_by(std::vector<std::string> argv) {
  const std::size_t at = wrapped_program(argv);
  return at < argv.size() ? argv[at] : "";
}

TEST(Wrapper, OptionsAndTheirValuesArePassedOver) {
  EXPECT_EQ(run_by({"/usr/bin/tini", "-g", "-p", "SIGTERM", "--", "prog", "-x"}), "prog");
  EXPECT_EQ(run_by({"gosu", "redis", "redis-server"}), "redis-server");
  EXPECT_EQ(run_by({"env", "-u", "HOME", "A=1", "prog"}), "prog");
  EXPECT_EQ(run_by({"timeout", "-k", "5", "10s", "prog"}), "prog");
  EXPECT_EQ(run_by({"nice", "-n", "5", "prog"}), "prog");
  EXPECT_EQ(run_by({"setpriv", "--reuid=1", "--regid", "1", "--clear-groups", "prog"}), "prog");
}

TEST(Wrapper, NothingIsRun) {
  EXPECT_EQ(run_by({"gosu", "redis"}), "");
  EXPECT_EQ(run_by({"tini", "--"}), "");
  EXPECT_EQ(run_by({"redis-server", "x"}), "");
  EXPECT_EQ(wrapped_program({}), 0u);
}

}  // namespace
}  // namespace cloister::manifest
