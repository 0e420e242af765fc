#include "cmd/guest/guest_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "cmd/option_heading.h"

namespace cloister::cmd {
namespace {

constexpr std::string_view kGuestOptions[] = {
    "--kernel",    "--firmware",       "--append",    "--hostname",  "--vcpus",
    "--vcpu-type", "--guest-features", "--policy",    "--family-id", "--image-id",
    "--guest-svn", "--disk",           "--no-network"};

// Decimal, or hexadecimal after "0x".
std::optional<std::uint64_t> parse_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x")) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

Result<std::uint64_t> number_option(std::string_view option, const std::string& text) {
  if (const auto number = parse_number(text)) return *number;
  return Error::usage(cat(option, " ", quote(text), " is no number"))
      .hint("write it in decimal, or in hexadecimal as 0x30000");
}

Status set_id(std::string_view option, const std::string& text, std::array<std::byte, 16>& out) {
  if (text.empty()) return {};
  const auto bytes = unhex(text);
  if (!bytes || bytes->size() != out.size())
    return Error::usage(cat(option, " ", quote(text), " is not 32 hex digits"));
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return {};
}

}  // namespace

void add_guest_options(CLI::App& app, GuestArguments& a) {
  OptionHeading heading(app, kHeadingGuest);
  app.add_option("--kernel", a.kernel,
                 "Kernel that the machine boots: a package (.deb), an image or directory that has\n"
                 "one, or a bzImage with all that is needed built in")
      ->type_name("IMAGE|DIR|FILE");
  app.add_option("--firmware", a.firmware,
                 "OVMF built for SEV with kernel hashes: a file, or a package (.deb), image or\n"
                 "directory that has one")
      ->type_name("IMAGE|DIR|FILE");
  app.add_option("--append", a.append, "More words for the kernel command line")->type_name("TEXT");
  app.add_option("--hostname", a.hostname, "Name of the machine")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_flag("--disk", a.disk,
               "Put the root on a read-only disk, checked by dm-verity, in place of memory");
  app.add_flag("--no-network", a.no_network, "Leave the machine's network card alone");
  app.add_option("--vcpus", a.vcpus,
                 "Numbers of processors to state a measurement for: 1,2,4 (default: 1)")
      ->type_name("N,…")
      ->delimiter(',');
  app.add_option("--vcpu-type", a.vcpu_type, "Processor model that QEMU is started with (-cpu)")
      ->type_name("MODEL")
      ->capture_default_str();
  app.add_option("--guest-features", a.guest_features,
                 "SEV_FEATURES that the host's kernel sets: 0x1, or 0x21 with debug swap")
      ->type_name("HEX")
      ->capture_default_str();
  app.add_option("--policy", a.policy, "Guest policy: what the host may do with the machine")
      ->type_name("HEX")
      ->capture_default_str();
  app.add_option("--guest-svn", a.guest_svn, "Security version in the ID block")->type_name("N");
  app.add_option("--family-id", a.family_id, "Family id in the ID block")->type_name("HEX");
  app.add_option("--image-id", a.image_id, "Image id in the ID block")->type_name("HEX");
}

std::string first_guest_option(const CLI::App& app) {
  for (const std::string_view name : kGuestOptions)
    if (const CLI::Option* option = app.get_option_no_throw(std::string(name));
        option != nullptr && option->count() > 0)
      return std::string(name);
  return {};
}

Result<GuestLaunch> to_guest_launch(const GuestArguments& a) {
  GuestLaunch out;
  const auto signature = measure::snp::vcpu_signature(a.vcpu_type);
  if (!signature) {
    std::string known;
    for (const measure::snp::VcpuModel& model : measure::snp::vcpu_models())
      known += cat(known.empty() ? "" : ", ", model.name);
    return Error::usage(cat("--vcpu-type ", quote(a.vcpu_type), " is no model known here"))
        .hint(cat("the models are ", known));
  }
  out.vcpu_type = a.vcpu_type;
  out.params.vcpu_signature = *signature;
  CL_TRY(out.params.guest_features, number_option("--guest-features", a.guest_features));
  if (!a.vcpus.empty()) out.params.vcpus.clear();
  for (const std::string& text : a.vcpus) {
    CL_TRY(const std::uint64_t count, number_option("--vcpus", text));
    out.params.vcpus.push_back(
        static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX)));
  }
  CL_TRY(const std::uint64_t policy, number_option("--policy", a.policy));
  out.block.policy.bits = policy;
  if (!out.block.policy.must_be_one())
    return Error::usage(cat("--policy ", a.policy, " lacks bit 17, which must be set"))
        .hint("0x30000 is the usual policy: no debugging, no migration agent");
  out.block.guest_svn = a.guest_svn;
  CL_CHECK(set_id("--family-id", a.family_id, out.block.family_id));
  CL_CHECK(set_id("--image-id", a.image_id, out.block.image_id));
  return out;
}

}  // namespace cloister::cmd
