#include "measure/sgx/layout.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/base/source_dir.h"

namespace cloister::measure::sgx {
namespace {

std::string offsets() {
  auto text = read_text_file(source_dir() / "testdata/runtime/offsets.py", 1 << 20);
  return text.has_value() ? std::move(*text) : "";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Layout, TheModuleOfVersion19IsTheBuiltInTable) {
  const auto parsed = parse_offsets(offsets());
  ASSERT_TRUE(parsed.has_value()) << parsed.error().what();
  EXPECT_EQ(*parsed, *builtin_layout("1.9"));
}

TEST(Layout, KnowsVersions16To19) {
  for (const char* version :
       {"1.6", "1.6.2", "1.7", "1.8", "1.9", "1.9-1~bookworm", "1.8post~gita"})
    EXPECT_TRUE(builtin_layout(version).has_value()) << version;
  for (const char* version : {"", "1", "1.5", "1.10", "1.60", "1.99", "2.0", "11.9", "v1.9"}) {
    const auto layout = builtin_layout(version);
    ASSERT_FALSE(layout.has_value()) << version;
    EXPECT_EQ(layout.error().code(), Code::unsupported);
  }
}

TEST(Layout, TakesADifferentConstantFromTheModule) {
  const auto parsed = parse_offsets(
      replaced(offsets(), "ENCLAVE_STACK_SIZE = 0x40000", "ENCLAVE_STACK_SIZE = 0x80000  # more"));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->stack_size, 0x80000U);
}

TEST(Layout, NamesAConstantThatIsMissing) {
  const auto parsed = parse_offsets(replaced(offsets(), "SGX_SIG_STACK_LOW", "SGX_SIG_STACK_LO"));
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code(), Code::unsupported);
  EXPECT_NE(parsed.error().what().find("SGX_SIG_STACK_LOW"), std::string::npos);
}

TEST(Layout, RefusesConstantsThatMakeNoSense) {
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"PAGESIZE = 0x1000", "PAGESIZE = 0x2000"},
           {"PAGESIZE = 0x1000", "PAGESIZE = 0"},
           {"SSA_FRAME_SIZE = 0x4000", "SSA_FRAME_SIZE = 0x4001"},
           {"SSA_FRAME_SIZE = 0x4000", "SSA_FRAME_SIZE = 0xfffffffffffff000"},
           {"SSA_FRAME_NUM = 0x2", "SSA_FRAME_NUM = 0x20000000"},
           {"ENCLAVE_STACK_SIZE = 0x40000", "ENCLAVE_STACK_SIZE = 0"},
           {"SGX_HEAP_MAX = 0x1b0", "SGX_HEAP_MAX = 0xffc"},
           {"SGX_HEAP_MAX = 0x1b0", "SGX_HEAP_MAX = 0xfffffffffffffff8"},
           {"SGX_HEAP_MAX = 0x1b0", "SGX_HEAP_MAX = many"},
           {"SGX_HEAP_MAX = 0x1b0", "SGX_HEAP_MAX = 0x"},
           {"SGX_GPR_SIZE = 0xb8", "SGX_GPR_SIZE = 0x10000"}}) {
    EXPECT_FALSE(parse_offsets(replaced(offsets(), from, to)).has_value()) << to;
  }
}

TEST(Layout, IsNotConfusedByHostileText) {
  EXPECT_FALSE(parse_offsets("").has_value());
  EXPECT_FALSE(parse_offsets(std::string(1 << 16, '=')).has_value());
  EXPECT_FALSE(parse_offsets(std::string("\0\n=\n\n", 5)).has_value());
}

}  // namespace
}  // namespace cloister::measure::sgx
