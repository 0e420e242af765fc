// No name of an image stands in these texts but the ports, which are numbers, and the command line,
// which the scripts read from its file or which is escaped.
#include "cmd/guest/guest_launch.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "cmd/guest/guest_files.h"

namespace cloister::cmd {
namespace {

constexpr std::uint64_t kMiB = 1 << 20, kKernelMiB = 192, kSmallestMiB = 512, kStepMiB = 128;

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

struct Port {
  std::uint32_t number;
  std::string protocol;
  bool operator==(const Port&) const = default;
};

// As ExposedPorts has them; ranges and other protocols are not forwarded, and none twice: QEMU
// would not start.
std::vector<Port> forwarded(const std::vector<std::string>& ports) {
  std::vector<Port> out;
  for (const std::string& text : ports) {
    const std::size_t slash = text.find('/');
    const std::string_view digits = std::string_view(text).substr(0, slash);
    Port port{0, slash == std::string::npos ? "tcp" : text.substr(slash + 1)};
    const char* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, port.number);
    const bool number =
        read.ec == std::errc() && read.ptr == end && port.number >= 1 && port.number <= 65535;
    if (number && (port.protocol == "tcp" || port.protocol == "udp") &&
        std::find(out.begin(), out.end(), port) == out.end())
      out.push_back(port);
  }
  return out;
}

// What the two kinds of shell text have in common: where ID blocks are.
constexpr std::string_view kIdBlockWords =
    "id=\n"
    "if [ -e \"$dir/id-block-$vcpus.bin\" ]; then\n"
    "  id=\",id-block=$(base64 -w 0 \"$dir/id-block-$vcpus.bin\")"
    ",id-auth=$(base64 -w 0 \"$dir/id-auth-$vcpus.bin\")\"\n"
    "fi\n";

}  // namespace

std::uint64_t guest_memory_mib(std::uint64_t initrd_bytes, std::uint64_t root_bytes, bool disk) {
  // The first root may fill half of the memory, and the archive is there until it is unpacked.
  const std::uint64_t unpacked = disk ? initrd_bytes * 4 : root_bytes;
  const std::uint64_t needed = kKernelMiB + (2 * unpacked + unpacked / 4 + initrd_bytes) / kMiB;
  return std::max(kSmallestMiB, (needed + kStepMiB - 1) / kStepMiB * kStepMiB);
}

std::string launch_script(const GuestLaunchFacts& facts) {
  const sign::GuestMeasurement& m = facts.measurement;
  std::string known;
  for (const sign::LaunchMeasurementOf& one : m.digests)
    known += cat(known.empty() ? "" : " ", one.vcpus);
  std::string forwards;
  for (const Port& port : forwarded(facts.ports))
    forwards += cat(",hostfwd=", port.protocol, ":127.0.0.1:", port.number, "-:", port.number);
  std::string out = cat(
      "#!/bin/sh\n"
      "# Starts the guest on a host with AMD SEV-SNP (QEMU 9.1 or newer, Linux 6.11 or newer).\n"
      "# usage: launch.sh [PROCESSORS [OPTION...]]   measured: ",
      known,
      "; options are more of QEMU's\n"
      "# MEMORY: how much it gets (default ",
      facts.memory_mib,
      "M). QEMU: the program.\n"
      "# PLAIN=1: without SEV-SNP and unmeasured, under emulation where KVM is missing, to try "
      "it.\n"
      "set -eu\n"
      "dir=$(CDPATH='' cd -- \"$(dirname -- \"$0\")\" && pwd)\n"
      "vcpus=${1:-",
      m.digests.front().vcpus,
      "}\n"
      "[ $# = 0 ] || shift\n"
      "memory=${MEMORY:-",
      facts.memory_mib,
      "M}\n"
      "network='user,id=net0",
      forwards,
      "'\n"
      "set -- -nodefaults -no-reboot -display none -serial stdio -smp \"$vcpus\" \\\n"
      "  -netdev \"${NETWORK:-$network}\" \\\n"
      "  -device virtio-net-pci,netdev=net0,romfile= \\\n");
  if (facts.disk)
    out +=
        "  -drive \"file=$dir/root.img,format=raw,if=none,id=root,readonly=on\" \\\n"
        "  -device virtio-blk-pci,drive=root \\\n";
  out +=
      "  -kernel \"$dir/vmlinuz\" -initrd \"$dir/initrd.img\" -append \"$(cat \"$dir/cmdline\")\" "
      "\"$@\"\n"
      "if [ -n \"${PLAIN:-}\" ]; then\n"
      "  exec \"${QEMU:-qemu-system-x86_64}\" -machine q35,accel=\"${ACCEL:-tcg}\" -cpu max \\\n"
      "    -m \"$memory\" \"$@\"\n"
      "fi\n";
  if (facts.id_blocks) out += kIdBlockWords;
  out += cat(
      "exec \"${QEMU:-qemu-system-x86_64}\" -enable-kvm -cpu ", m.vcpu_type,
      " \\\n"
      "  -machine q35,confidential-guest-support=snp0,memory-backend=ram0 \\\n"
      "  -object \"memory-backend-memfd,id=ram0,size=$memory,share=true,prealloc=false\" \\\n"
      "  -object \"sev-snp-guest,id=snp0,policy=",
      hex_number(m.block.policy.bits),
      ",cbitpos=${CBITPOS:-51},reduced-phys-bits=1,kernel-hashes=on", facts.id_blocks ? "$id" : "",
      "\" \\\n"
      "  -bios \"$dir/OVMF.fd\" -m \"$memory\" \"$@\"\n");
  return out;
}

std::string libvirt_domain(const GuestLaunchFacts& facts) {
  const sign::GuestMeasurement& m = facts.measurement;
  std::string disk;
  if (facts.disk)
    disk =
        "    <disk type='file' device='disk'>\n"
        "      <driver name='qemu' type='raw'/>\n"
        "      <source file='@DIR@/root.img'/>\n"
        "      <target dev='vda' bus='virtio'/>\n"
        "      <readonly/>\n"
        "    </disk>\n";
  return cat(
      "<!-- libvirt 10.5 or newer. Replace @DIR@ by the directory of the files. -->\n"
      "<domain type='kvm'>\n"
      "  <name>cloister-guest</name>\n"
      "  <memory unit='MiB'>",
      facts.memory_mib,
      "</memory>\n"
      "  <vcpu>",
      m.digests.front().vcpus,
      "</vcpu>\n"
      "  <os>\n"
      "    <type arch='x86_64' machine='q35'>hvm</type>\n"
      "    <loader type='rom' readonly='yes' stateless='yes'>@DIR@/OVMF.fd</loader>\n"
      "    <kernel>@DIR@/vmlinuz</kernel>\n"
      "    <initrd>@DIR@/initrd.img</initrd>\n"
      "    <cmdline>",
      xml_escaped(m.command_line),
      "</cmdline>\n"
      "  </os>\n"
      "  <features><acpi/></features>\n"
      "  <cpu mode='custom' match='exact'><model>",
      m.vcpu_type,
      "</model></cpu>\n"
      "  <on_poweroff>destroy</on_poweroff>\n"
      "  <on_reboot>destroy</on_reboot>\n"
      "  <on_crash>destroy</on_crash>\n"
      "  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>\n"
      "  <launchSecurity type='sev-snp' kernelHashes='yes'>\n"
      "    <policy>",
      hex_number(m.block.policy.bits),
      "</policy>\n"
      "    <cbitpos>51</cbitpos>\n"
      "    <reducedPhysBits>1</reducedPhysBits>\n",
      facts.id_blocks ? cat("    <!-- <idBlock> and <idAuth>: base64 of id-block-N.bin and "
                            "id-auth-N.bin, N the number of processors -->\n")
                      : std::string(),
      "  </launchSecurity>\n"
      "  <devices>\n",
      disk,
      "    <interface type='network'>\n"
      "      <source network='default'/>\n"
      "      <model type='virtio'/>\n"
      "      <rom enabled='no'/>\n"
      "    </interface>\n"
      "    <serial type='pty'/>\n"
      "    <console type='pty'/>\n"
      "  </devices>\n"
      "</domain>\n");
}

}  // namespace cloister::cmd
