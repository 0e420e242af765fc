// What starts a guest: a script that shells take, and a domain that is XML, whatever an image and a
// command line hold.
#include "cmd/guest/guest_launch.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "tests/base/must.h"

namespace cloister::cmd {
namespace {

sign::GuestMeasurement sample_measurement() {
  sign::GuestMeasurement out;
  out.vcpu_type = "EPYC-v4";
  out.block.policy.bits = 0x30000;
  out.digests.resize(2);
  out.digests[0].vcpus = 2;
  out.digests[1].vcpus = 4;
  out.command_line = "console=ttyS0 SECRET-WORD <&>'\"]]>$(reboot)`reboot`";
  return out;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

class GuestLaunchTexts : public testing::Test {
 protected:
  GuestLaunchTexts() : folder_(testing::TempDir() + "cloister-launch-XXXXXX") {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  }
  ~GuestLaunchTexts() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }
  std::string put(const std::string& name, std::string_view text, unsigned mode = 0644) {
    const std::string path = cat(folder_, "/", name);
    EXPECT_TRUE(write_file_atomic(path, as_bytes(text), mode).has_value());
    return path;
  }
  static int run(const std::string& command) { return std::system(command.c_str()); }
  // All four kinds of texts.
  std::vector<GuestLaunchFacts> kinds() const {
    std::vector<GuestLaunchFacts> out;
    for (const bool disk : {false, true})
      for (const bool blocks : {false, true})
        out.push_back({measurement_, {"6379/tcp", "53/udp"}, 1024, disk, blocks});
    return out;
  }

  sign::GuestMeasurement measurement_ = sample_measurement();
  std::string folder_;
};

TEST_F(GuestLaunchTexts, ShellsTakeTheScript) {
  for (const GuestLaunchFacts& facts : kinds()) {
    const std::string path = put("launch.sh", launch_script(facts), 0755);
    EXPECT_EQ(run(cat("sh -n ", path)), 0);
  }
}

TEST_F(GuestLaunchTexts, ShellcheckTakesTheScript) {
  if (run("shellcheck --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no shellcheck";
  for (const GuestLaunchFacts& facts : kinds()) {
    const std::string path = put("launch.sh", launch_script(facts), 0755);
    EXPECT_EQ(run(cat("shellcheck ", path)), 0);
  }
}

// A stand-in for QEMU writes down its arguments.
TEST_F(GuestLaunchTexts, TheScriptStartsWhatWasMeasured) {
  const std::string qemu = put("qemu", "#!/bin/sh\nprintf '%s\\n' \"$@\" >\"$0.args\"\n", 0755);
  put("cmdline", measurement_.command_line);
  put("id-block-4.bin", "block");
  put("id-auth-4.bin", "auth");
  const std::string script =
      put("launch.sh", launch_script({measurement_, {"6379/tcp"}, 640, true, true}), 0755);
  const auto arguments = [&](const std::string& environment, const std::string& words) {
    EXPECT_EQ(run(cat("cd / && env QEMU=", qemu, " ", environment, " ", script, " ", words)), 0);
    return must(read_text_file(qemu + ".args", 1 << 20));
  };
  const std::string four = arguments("", "4");
  EXPECT_TRUE(has(four, "-smp\n4\n")) << four;
  EXPECT_TRUE(has(four, cat("-append\n", measurement_.command_line, "\n"))) << four;
  EXPECT_TRUE(has(four, cat("-kernel\n", folder_, "/vmlinuz\n"))) << four;
  EXPECT_TRUE(has(four, cat("-initrd\n", folder_, "/initrd.img\n"))) << four;
  EXPECT_TRUE(has(four, cat("-bios\n", folder_, "/OVMF.fd\n"))) << four;
  EXPECT_TRUE(has(four, "-cpu\nEPYC-v4\n")) << four;
  EXPECT_TRUE(has(four, "-m\n640M\n")) << four;
  EXPECT_TRUE(has(four, ",hostfwd=tcp:127.0.0.1:6379-:6379\n")) << four;
  EXPECT_TRUE(has(four, cat("file=", folder_, "/root.img,format=raw"))) << four;
  EXPECT_TRUE(has(four,
                  "sev-snp-guest,id=snp0,policy=0x30000,cbitpos=51,reduced-phys-bits=1,"
                  "kernel-hashes=on,id-block=YmxvY2s=,id-auth=YXV0aA==\n"))
      << four;
  const std::string two = arguments("MEMORY=2G CBITPOS=47", "");  // the first number; no block
  EXPECT_TRUE(has(two, "-smp\n2\n")) << two;
  EXPECT_TRUE(has(two, "cbitpos=47,reduced-phys-bits=1,kernel-hashes=on\n")) << two;
  EXPECT_TRUE(has(two, "-m\n2G\n")) << two;
  const std::string plain = arguments("PLAIN=1", "");
  EXPECT_TRUE(has(plain, "q35,accel=tcg\n")) << plain;
  EXPECT_FALSE(has(plain, "sev-snp-guest")) << plain;
}

// It is read from its file, which no shell looks into.
TEST_F(GuestLaunchTexts, TheCommandLineIsNotInTheScript) {
  for (const GuestLaunchFacts& facts : kinds())
    EXPECT_FALSE(has(launch_script(facts), "SECRET-WORD"));
}

TEST_F(GuestLaunchTexts, PortsAreNumbers) {
  const auto script = [&](std::vector<std::string> ports) {
    return launch_script({measurement_, std::move(ports), 1024, false, false});
  };
  const std::string none = script({});
  for (const char* port : {"",
                           "/",
                           "/tcp",
                           "0/tcp",
                           "65536/tcp",
                           "99999/tcp",
                           "4294967376/tcp",
                           "-1/tcp",
                           "+1/tcp",
                           "1 /tcp",
                           " 1/tcp",
                           "0x50/tcp",
                           "80-90/tcp",
                           "80/sctp",
                           "80/TCP",
                           "80/tcp ",
                           "80/",
                           "80/tcp/x",
                           "$(reboot)/tcp",
                           "80/tcp'$(reboot)'",
                           "80',restrict=off/tcp",
                           "a/tcp",
                           "80\n/tcp",
                           "80.0"})
    EXPECT_EQ(script({port}), none) << port;
  EXPECT_TRUE(has(script({"1/tcp"}), ",hostfwd=tcp:127.0.0.1:1-:1'"));
  EXPECT_TRUE(has(script({"65535/udp"}), ",hostfwd=udp:127.0.0.1:65535-:65535'"));
  EXPECT_TRUE(has(script({"80"}), ",hostfwd=tcp:127.0.0.1:80-:80'"));
  // QEMU refuses to forward one twice.
  EXPECT_EQ(script({"80", "080/tcp", "80/tcp"}), script({"80/tcp"}));
  EXPECT_TRUE(has(script({"53/tcp", "53/udp"}),
                  ",hostfwd=tcp:127.0.0.1:53-:53,hostfwd=udp:127.0.0.1:53-:53'"));
}

TEST_F(GuestLaunchTexts, TheDomainIsXml) {
  if (run("xmllint --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no xmllint";
  for (const GuestLaunchFacts& facts : kinds()) {
    const std::string path = put("libvirt.xml", libvirt_domain(facts));
    EXPECT_EQ(run(cat("xmllint --noout ", path)), 0);
    EXPECT_EQ(run(cat("test \"$(xmllint --xpath 'string(/domain/os/cmdline)' ", path,
                      ")\" = \"$(cat ", put("cmdline", measurement_.command_line), ")\"")),
              0);
    EXPECT_EQ(run(cat("test \"$(xmllint --xpath 'count(/domain/devices/disk)' ", path,
                      ")\" = ", facts.disk ? 1 : 0)),
              0);
  }
}

TEST_F(GuestLaunchTexts, TheDomainSaysWhatWasMeasured) {
  const std::string domain = libvirt_domain({measurement_, {}, 640, true, true});
  for (const char* part :
       {"<memory unit='MiB'>640</memory>", "<vcpu>2</vcpu>", "<policy>0x30000</policy>",
        "<model>EPYC-v4</model>", "kernelHashes='yes'", "@DIR@/root.img", "&lt;&amp;&gt;",
        "id-block-N.bin"})
    EXPECT_TRUE(has(domain, part)) << part;
  EXPECT_FALSE(has(libvirt_domain({measurement_, {}, 640, false, false}), "root.img"));
  EXPECT_FALSE(has(libvirt_domain({measurement_, {}, 640, false, false}), "id-block"));
}

// An archive that does not fit is unpacked in part: the guest refuses to start, after a while.
TEST(GuestMemory, HoldsTheRootTwiceAndMore) {
  constexpr std::uint64_t kMib = 1 << 20;
  EXPECT_EQ(guest_memory_mib(0, 0, false), 512U);
  EXPECT_EQ(guest_memory_mib(34 * kMib, 135 * kMib, false), 640U);
  EXPECT_GE(guest_memory_mib(34 * kMib, 135 * kMib, false) * kMib, 28 * 135 * kMib / 10);
  EXPECT_EQ(guest_memory_mib(10 * kMib, 50'000 * kMib, true), 512U);  // on a disk
  std::uint64_t before = 0;
  for (std::uint64_t size = 0; size < 4096; size += 100) {
    const std::uint64_t memory = guest_memory_mib(size * kMib / 4, size * kMib, false);
    EXPECT_GE(memory, before);
    EXPECT_EQ(memory % 128, 0U);
    EXPECT_GT(memory, 2 * size);  // half of it is for files
    before = memory;
  }
}

}  // namespace
}  // namespace cloister::cmd
