// What may be typed about a SEV-SNP guest.
#include "cmd/guest/snp_options.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "cmd/guest/guest_options.h"
#include "cmd/targets.h"
#include "tests/base/must.h"

namespace cloister::cmd {
namespace {

struct Typed {
  GuestArguments guest;
  std::string tee = "sgx", first;
  bool parsed = false;
};

Typed typed(std::vector<std::string> words) {
  Typed out;
  CLI::App app;
  add_target_option(app, out.tee);
  add_guest_options(app, out.guest);
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
    out.parsed = true;
    if (const auto status = check_guest_options(app, Tee::sgx); !status.has_value())
      out.first = status.error().what().substr(0, status.error().what().find(' '));
  } catch (const CLI::ParseError&) {
    out.parsed = false;
  }
  return out;
}

Result<GuestLaunch> launch(std::vector<std::string> words) {
  const Typed out = typed(std::move(words));
  if (!out.parsed) return Error::usage("the words are no options");
  return to_guest_launch(out.guest, Limits());
}

Code launch_refusal(std::vector<std::string> words) {
  const auto made = launch(std::move(words));
  return made.has_value() ? Code::internal : made.error().code();
}

TEST(GuestOptions, HaveDefaults) {
  const GuestLaunch made = must(launch({}));
  EXPECT_EQ(made.vcpu_type, "EPYC-v4");
  EXPECT_EQ(made.params.vcpu_signature, 0x800f12U);
  EXPECT_EQ(made.params.vcpus, std::vector<std::uint32_t>{1});
  EXPECT_EQ(made.params.guest_features, 1U);
  EXPECT_EQ(made.block, sign::SnpIdBlock());
}

TEST(GuestOptions, AreValues) {
  const GuestLaunch made =
      must(launch({"--vcpus", "1,2,0x10", "--vcpu-type", "EPYC-Milan", "--guest-features", "0x21",
                   "--policy", "0xb0000", "--guest-svn", "7", "--family-id",
                   "000102030405060708090a0b0c0d0e0f", "--image-id", std::string(32, 'A')}));
  EXPECT_EQ(made.params.vcpus, (std::vector<std::uint32_t>{1, 2, 16}));
  EXPECT_EQ(made.vcpu_type, "EPYC-Milan");
  EXPECT_EQ(made.params.vcpu_signature, 0xa00f11U);
  EXPECT_EQ(made.params.guest_features, 0x21U);
  EXPECT_EQ(made.block.policy.bits, 0xb0000U);
  EXPECT_EQ(made.block.guest_svn, 7U);
  EXPECT_EQ(made.block.family_id[15], std::byte{15});
  EXPECT_EQ(made.block.image_id[0], std::byte{0xaa});
}

TEST(GuestOptions, MalformedWordsAreRefused) {
  const std::pair<const char*, std::vector<const char*>> refused[] = {
      {"--vcpus", {"", "0", "1,", ",1", "1,,2", "1,0", "a", "-1", "1 ", "99999999", "0x"}},
      {"--vcpu-type", {"epyc-v4", "EPYC-v", "EPYC-v4 ", "x"}},
      {"--guest-features", {"", "x", "-1", "0x10000000000000000", "18446744073709551616"}},
      {"--policy", {"x", "0", "0x10000", "0x10000000000020000"}},
      {"--guest-svn", {"x", "-1", "4294967296"}},
      {"--family-id",
       {"x", "00", "000102030405060708090a0b0c0d0e0f00", "0x0102030405060708090a0b0c0d0e0f"}},
      {"--image-id", {"x"}},
      {"--hostname", {"", "a234567890123456789012345678901234567890123456789012345678901234x"}},
      {"--append", {"a\nb", "\n", "a\tb", "\x1b[31m", "caf\xc3\xa9", "\xff"}},
      // QEMU is started with a name, which a signature is not.
      {"--vcpu-sig", {"0x800f12"}},
  };
  for (const auto& [option, values] : refused)
    for (const char* value : values)
      EXPECT_EQ(launch_refusal({std::string(option) + "=" + value}), Code::usage)
          << option << " " << value;
  EXPECT_EQ(launch_refusal({"--hostname=guest-1.example", "--append=a=b \"c d\" ~"}),
            Code::internal);
}

TEST(SnpOptions, AProcessorHasOneName) {
  SnpMachineOptions machine;
  machine.vcpu_sig = "0x800f12";
  EXPECT_EQ(must(snp_launch_params(machine, Limits())).vcpu_signature, 0x800f12U);
  EXPECT_EQ(snp_model(machine), "");
  machine.vcpu_type = "EPYC-v4";
  EXPECT_EQ(snp_launch_params(machine, Limits()).error().code(), Code::usage);
  machine.vcpu_type.clear();
  machine.vcpu_sig = "0x100000000";
  EXPECT_EQ(snp_launch_params(machine, Limits()).error().code(), Code::usage);
}

// Each option that only a virtual machine has is known as one, so that a build for other hardware
// can refuse it.
TEST(GuestOptions, AreNoticedOneByOne) {
  CLI::App app;
  GuestArguments unused;
  add_guest_options(app, unused);
  std::size_t options = 0;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_name().find("--help") != std::string::npos) continue;
    const std::string name = option->get_name();
    EXPECT_EQ(typed({option->get_items_expected_max() == 0 ? name : name + "=1"}).first, name);
    ++options;
  }
  EXPECT_GT(options, 10U);
  EXPECT_EQ(typed({}).first, "");
  EXPECT_EQ(typed({"--tee", "snp"}).first, "");
}

TEST(Targets, AreThoseOfTheTable) {
  for (const Target& target : targets()) {
    EXPECT_EQ(&target_named(target.name), &target);
    const Typed out = typed({"--tee", std::string(target.name)});
    EXPECT_TRUE(out.parsed);
    EXPECT_EQ(out.tee, target.name);
  }
  for (const char* tee : {"", "SGX", "tdx", "snp "})
    EXPECT_FALSE(typed({"--tee", tee}).parsed) << tee;
}

}  // namespace
}  // namespace cloister::cmd
