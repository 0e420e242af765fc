#include "cmd/guest/snp_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/suggest.h"
#include "base/text.h"
#include "cmd/option_heading.h"

namespace cloister::cmd {
namespace {

namespace snp = measure::snp;

constexpr std::string_view kDefaultModel = "EPYC-v4";
std::vector<std::string> model_names() {
  std::vector<std::string> out;
  for (const snp::VcpuModel& model : snp::vcpu_models()) out.emplace_back(model.name);
  return out;
}

Result<std::uint32_t> signature_of(const SnpMachineOptions& o) {
  if (!o.vcpu_sig.empty()) {
    CL_TRY(const std::uint64_t number, parse_number_option("--vcpu-sig", o.vcpu_sig, 0xffffffff));
    return static_cast<std::uint32_t>(number);
  }
  const std::string model = snp_model(o);
  if (const auto signature = snp::vcpu_signature(model)) return *signature;
  return Error::usage(cat("--vcpu-type ", quote(model), " is not known"))
      .detail(cat("known are ", join(model_names(), ", ")))
      .hint(did_you_mean(nearest(model, model_names()),
                         "give the CPUID signature of another model with --vcpu-sig"));
}

Result<std::array<std::byte, 16>> parse_id(std::string_view option, const std::string& text) {
  std::array<std::byte, 16> out{};
  if (text.empty()) return out;
  const auto bytes = unhex(text);
  if (!bytes || bytes->size() != out.size())
    return Error::usage(cat(option, " is not an id: ", quote(text)))
        .hint("an id is 16 bytes, written as 32 hexadecimal digits");
  std::ranges::copy(*bytes, out.begin());
  return out;
}

Result<sign::SnpPolicy> parse_policy(const std::string& text) {
  sign::SnpPolicy policy = sign::SnpIdBlock().policy;
  if (text.empty()) return policy;
  CL_TRY(policy.bits, parse_number_option("--policy", text, ~0ULL));
  if (!policy.must_be_one())
    return Error::usage(cat("--policy ", quote(text), " is one that no processor accepts"))
        .detail("bit 17 is reserved and must be one")
        .hint("add 0x20000; QEMU's default is 0x30000");
  return policy;
}

}  // namespace

Result<std::uint64_t> parse_number_option(std::string_view option, std::string_view text,
                                          std::uint64_t max) {
  const bool hexadecimal = text.starts_with("0x");
  const std::string_view digits = hexadecimal ? text.substr(2) : text;
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value, hexadecimal ? 16 : 10);
  if (digits.empty() || read.ec != std::errc() || read.ptr != end || value > max)
    return Error::usage(cat(option, " is no number, or too large: ", quote(text.substr(0, 100))))
        .detail(cat("at most ", max > 0xffff ? hex_number(max) : cat(max)))
        .hint("decimal, or hexadecimal behind 0x");
  return value;
}

std::string snp_model(const SnpMachineOptions& o) {
  if (!o.vcpu_sig.empty()) return {};
  return o.vcpu_type.empty() ? std::string(kDefaultModel) : o.vcpu_type;
}

Result<snp::LaunchParams> snp_launch_params(const SnpMachineOptions& o, const Limits& limits) {
  if (!o.vcpu_type.empty() && !o.vcpu_sig.empty())
    return Error::usage("--vcpu-type and --vcpu-sig exclude each other")
        .hint("both say which processor the guest sees");
  snp::LaunchParams out;
  out.vcpus.clear();
  for (const std::string_view one : split(o.vcpus, ',')) {
    CL_TRY(const std::uint64_t vcpus, parse_number_option("--vcpus", one, limits.vcpus));
    if (vcpus == 0) return Error::usage("--vcpus 0 is no guest").hint("for example --vcpus 1,2,4");
    out.vcpus.push_back(static_cast<std::uint32_t>(vcpus));
  }
  CL_TRY(out.vcpu_signature, signature_of(o));
  CL_TRY(out.guest_features, parse_number_option("--guest-features", o.guest_features, ~0ULL));
  return out;
}

Result<sign::SnpIdBlock> snp_id_block(const SnpBlockOptions& o) {
  sign::SnpIdBlock block;
  CL_TRY(block.policy, parse_policy(o.policy));
  CL_TRY(block.family_id, parse_id("--family-id", o.family_id));
  CL_TRY(block.image_id, parse_id("--image-id", o.image_id));
  if (!o.guest_svn.empty()) {
    CL_TRY(const std::uint64_t svn, parse_number_option("--guest-svn", o.guest_svn, 0xffffffff));
    block.guest_svn = static_cast<std::uint32_t>(svn);
  }
  return block;
}

void add_snp_machine_options(CLI::App& app, SnpMachineOptions& o) {
  OptionHeading heading(app, kHeadingSnp);
  app.add_option("--vcpus", o.vcpus, "Numbers of processors, with a digest for each")
      ->type_name("N,…")
      ->capture_default_str();
  app.add_option(
         "--vcpu-type", o.vcpu_type,
         cat("Processor that the guest sees, by QEMU's name (default: ", kDefaultModel, ")"))
      ->type_name("MODEL");
  app.add_option("--vcpu-sig", o.vcpu_sig,
                 "Processor that the guest sees, by its CPUID signature (Fn0000_0001_EAX)")
      ->type_name("N");
  app.add_option("--guest-features", o.guest_features,
                 "SEV features that the host switches on: 0x1 SNP, 0x20 debug swap (older kernels)")
      ->type_name("N")
      ->capture_default_str();
}

void add_snp_block_options(CLI::App& app, SnpBlockOptions& o) {
  OptionHeading heading(app, kHeadingIdBlock);
  app.add_option("--policy", o.policy, "Policy that the launch must have (default: 0x30000)")
      ->type_name("N");
  app.add_option("--guest-svn", o.guest_svn, "Security version of the guest (default: 0)")
      ->type_name("N");
  app.add_option("--family-id", o.family_id, "Family of the guest, 16 bytes (default: zeros)")
      ->type_name("HEX");
  app.add_option("--image-id", o.image_id, "Image of the guest, 16 bytes (default: zeros)")
      ->type_name("HEX");
}

}  // namespace cloister::cmd
