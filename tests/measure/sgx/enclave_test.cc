#include "measure/sgx/enclave.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/base/source_dir.h"

namespace cloister::measure::sgx {
namespace {

const Limits kLimits;
const LayoutConstants kLayout;

Bytes pal(const std::string& name) {
  auto file = read_file(source_dir() / "testdata/sgx" / name, 1 << 20);
  EXPECT_TRUE(file.has_value()) << name;
  return file.has_value() ? std::move(*file) : Bytes();
}

Result<EnclaveMeasurement> measure(const EnclaveParams& params, const char* name = "plain.so",
                                   std::string_view manifest = "x = 1\n") {
  return measure_enclave(pal(name), as_bytes(manifest), params, kLayout, kLimits);
}

EnclaveParams sized(std::uint64_t size, std::uint32_t threads = 4, bool edmm = false) {
  EnclaveParams params;
  params.enclave_size = size;
  params.max_threads = threads;
  params.edmm = edmm;
  return params;
}

TEST(Enclave, ListsItsAreasInTheOrderOfMeasuring) {
  const auto m = measure(sized(4 << 20, 2));
  ASSERT_TRUE(m.has_value());
  std::vector<std::string> names;
  for (const EnclaveArea& area : m->areas) names.push_back(area.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"manifest", "ssa", "tcs", "tls", "stack", "stack",
                                      "sig_stack", "sig_stack", "pal", "pal", "pal", "free"}));
  EXPECT_EQ(m->areas.front().address + m->areas.front().size, 4U << 20);
  EXPECT_EQ(m->areas[0].protection, 4U);
  EXPECT_TRUE(m->areas[2].tcs);
  EXPECT_EQ(m->areas[9].protection, 5U);  // code
  EXPECT_FALSE(m->areas.back().measured);
  EXPECT_EQ(m->areas.back().protection, 7U);
  EXPECT_EQ(m->areas.back().address, 0x10000U);
}

TEST(Enclave, WithEdmmNothingIsFree) {
  const auto m = measure(sized(4 << 20, 1, true));
  ASSERT_TRUE(m.has_value());
  for (const EnclaveArea& area : m->areas) EXPECT_TRUE(area.measured) << area.name;
}

TEST(Enclave, AreasNeverOverlapAndStayInside) {
  for (const char* name : {"plain.so", "holes.so", "fixed-address.so"})
    for (const std::uint32_t threads : {0U, 1U, 3U, 8U}) {
      const auto m = measure(sized(16 << 20, threads), name);
      ASSERT_TRUE(m.has_value()) << name;
      auto areas = m->areas;
      std::sort(areas.begin(), areas.end(),
                [](const auto& a, const auto& b) { return a.address < b.address; });
      for (std::size_t i = 0; i < areas.size(); ++i) {
        const std::uint64_t end = areas[i].address + areas[i].size;
        EXPECT_LE(end, i + 1 < areas.size() ? areas[i + 1].address : 16U << 20) << name;
      }
    }
}

TEST(Enclave, EachInputMatters) {
  const auto base = measure(sized(4 << 20))->mrenclave;
  EXPECT_NE(measure(sized(8 << 20))->mrenclave, base);
  EXPECT_NE(measure(sized(4 << 20, 5))->mrenclave, base);
  EXPECT_NE(measure(sized(4 << 20, 4, true))->mrenclave, base);
  EXPECT_NE(measure(sized(4 << 20), "holes.so")->mrenclave, base);
  EXPECT_NE(measure(sized(4 << 20), "plain.so", "x = 2\n")->mrenclave, base);
  EXPECT_NE(measure(sized(4 << 20), "plain.so", "x = 1\n\n")->mrenclave, base);
  EnclaveParams attributes = sized(4 << 20);
  attributes.debug = true;
  attributes.flags = 6;
  EXPECT_EQ(measure(attributes)->mrenclave, base);  // these are in SIGSTRUCT only
}

TEST(Enclave, TheSmallestThatFitsAndTheNextSmaller) {
  const auto big = measure(sized(4 << 20));
  ASSERT_TRUE(big.has_value());
  std::uint64_t used = 0;
  for (const EnclaveArea& area : big->areas)
    if (area.name != "free") used = std::max(used, (4U << 20) - area.address);
  const std::uint64_t least = used + kLayout.heap_min;
  EXPECT_TRUE(measure(sized(least)).has_value());
  const auto smaller = measure(sized(least - 4096));
  ASSERT_FALSE(smaller.has_value());
  EXPECT_EQ(smaller.error().code(), Code::invalid);
  EXPECT_NE(smaller.error().what().find("not large enough"), std::string::npos);
  EXPECT_NE(smaller.error().details().at(0).find(cat(least)), std::string::npos);
}

TEST(Enclave, RefusesSizesThatNoProcessorTakes) {
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{4095}, std::uint64_t{1000001}, std::uint64_t{1} << 58,
        ~std::uint64_t{0}, ~std::uint64_t{4095}}) {
    const auto m = measure(sized(size));
    ASSERT_FALSE(m.has_value()) << size;
    EXPECT_EQ(m.error().code(), Code::invalid) << size;
  }
}

TEST(Enclave, BoundsTheWork) {
  EXPECT_FALSE(measure(sized(4ULL << 40)).has_value());          // 64 GiB of EADD records
  EXPECT_TRUE(measure(sized(4ULL << 40, 4, true)).has_value());  // EDMM adds none of them
  EXPECT_FALSE(measure(sized(1ULL << 45, 65537, true)).has_value());
  EXPECT_FALSE(measure(sized(1ULL << 45, ~0U, true)).has_value());
}

TEST(Enclave, RefusesAManifestWithNul) {
  const auto m = measure(sized(4 << 20), "plain.so", std::string_view("a\0b", 3));
  ASSERT_FALSE(m.has_value());
  EXPECT_EQ(m.error().code(), Code::invalid);
}

TEST(Enclave, RefusesAPalThatDoesNotFitWhereItWantsToBe) {
  EXPECT_TRUE(measure(sized(16 << 20), "fixed-address.so").has_value());
  EXPECT_FALSE(measure(sized(4 << 20), "fixed-address.so").has_value());
}

TEST(Enclave, RefusesAHostilePal) {
  Bytes file = pal("plain.so");
  const auto try_memory_size = [&](std::uint64_t size, bool edmm) {
    for (unsigned i = 0; i < 8; ++i)  // p_memsz of the last segment
      file[64 + 2 * 56 + 40 + i] = static_cast<std::byte>(size >> (8 * i) & 0xff);
    return measure_enclave(file, {}, sized(1ULL << 56, 1, edmm), kLayout, kLimits).has_value();
  };
  EXPECT_TRUE(try_memory_size(1 << 20, true));
  EXPECT_FALSE(try_memory_size(1ULL << 50, true));
  EXPECT_FALSE(try_memory_size(~0ULL, true));
  EXPECT_FALSE(try_memory_size(~0ULL - 0x4000, true));
  EXPECT_FALSE(
      measure_enclave(to_bytes("no ELF"), {}, sized(4 << 20), kLayout, kLimits).has_value());
  EXPECT_FALSE(measure_enclave({}, {}, sized(4 << 20), kLayout, kLimits).has_value());
}

TEST(Enclave, RefusesALayoutThatMakesNoSense) {
  LayoutConstants layout;
  layout.heap_max_offset = 4095;
  EXPECT_FALSE(measure_enclave(pal("plain.so"), {}, sized(4 << 20), layout, kLimits).has_value());
}

}  // namespace
}  // namespace cloister::measure::sgx
