#include "cmd/guest/guest_options.h"

#include <algorithm>

#include "base/text.h"
#include "cmd/option_heading.h"

namespace cloister::cmd {
namespace {

constexpr std::size_t kLongestHostname = 64;  // sethostname(2)

struct GuestOption {
  std::string_view name;
  bool snp, nitro;  // which machines have it
};

constexpr GuestOption kGuestOptions[] = {
    {"--kernel", true, true},     {"--append", true, true},      {"--firmware", true, false},
    {"--hostname", true, false},  {"--vcpus", true, false},      {"--vcpu-type", true, false},
    {"--vcpu-sig", true, false},  {"--policy", true, false},     {"--guest-features", true, false},
    {"--family-id", true, false}, {"--image-id", true, false},   {"--guest-svn", true, false},
    {"--disk", true, false},      {"--no-network", true, false}, {"--init", false, true},
    {"--nsm", false, true},       {"--certificate", false, true}};

bool is_for(const GuestOption& option, Tee tee) {
  return (tee == Tee::snp && option.snp) || (tee == Tee::nitro && option.nitro);
}

void add_nitro_options(CLI::App& app, GuestArguments& a) {
  OptionHeading heading(app, kHeadingNitro);
  app.add_option("--init", a.init, "First process of an enclave: AWS's init, of nitro-cli's blobs")
      ->type_name("FILE");
  app.add_option("--nsm", a.nsm,
                 "Kernel module of the security module: AWS's nsm.ko, unless the kernel has it")
      ->type_name("FILE");
  app.add_option("--certificate", a.certificate,
                 "Certificate of --key, which signs the enclave image file then; PEM, its digest\n"
                 "is PCR8")
      ->type_name("FILE");
}

}  // namespace

void add_guest_options(CLI::App& app, GuestArguments& a) {
  OptionHeading heading(app, kHeadingGuest);
  app.add_option("--kernel", a.kernel,
                 "Kernel that the machine boots: a package (.deb) or image that has one, or a\n"
                 "bzImage with all that is needed built in")
      ->type_name("IMAGE|FILE");
  app.add_option(
         "--firmware", a.firmware,
         "OVMF built for SEV with kernel hashes: a file, or a package (.deb) or image that\n"
         "has one")
      ->type_name("IMAGE|FILE");
  app.add_option("--append", a.append, "More words for the kernel command line")
      ->type_name("WORDS");
  app.add_option("--hostname", a.hostname, "Name of the machine")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_flag("--disk", a.disk,
               "Put the root on a read-only disk, checked by dm-verity, in place of memory\n"
               "(always, when it has more than 512 MiB)");
  app.add_flag("--no-network", a.no_network, "Leave the machine's network card alone");
  add_snp_machine_options(app, a.machine);
  add_snp_block_options(app, a.block);
  add_nitro_options(app, a);
}

Status check_guest_options(const CLI::App& app, Tee tee) {
  for (const GuestOption& one : kGuestOptions) {
    const CLI::Option* option = app.get_option_no_throw(std::string(one.name));
    if (option == nullptr || option->count() == 0 || is_for(one, tee)) continue;
    const std::string wanted = one.snp && one.nitro ? "--tee snp or --tee nitro"
                               : one.snp            ? "--tee snp"
                                                    : "--tee nitro";
    return Error::usage(cat(one.name, " is for ", wanted))
        .hint(cat("add ", wanted, ", or leave it out"));
  }
  return {};
}

Result<GuestLaunch> to_guest_launch(const GuestArguments& a, const Limits& limits) {
  GuestLaunch out;
  // It goes through a shell and an XML document, and must come out as it was measured.
  if (!std::all_of(a.append.begin(), a.append.end(), [](char c) { return c >= ' ' && c <= '~'; }))
    return Error::usage(cat("--append ", quote(a.append), " is no line of ASCII text"))
        .hint("kernels take words of printable characters, separated by spaces");
  if (a.hostname.empty() || a.hostname.size() > kLongestHostname)
    return Error::usage(cat("--hostname ", quote(a.hostname), " is no name of a machine"))
        .hint(cat("Linux takes 1 to ", kLongestHostname, " bytes"));
  out.vcpu_type = snp_model(a.machine);
  if (out.vcpu_type.empty())
    return Error::usage("--vcpu-sig names no processor that QEMU could be started with")
        .hint("give --vcpu-type MODEL");
  CL_TRY(out.params, snp_launch_params(a.machine, limits));
  CL_TRY(out.block, snp_id_block(a.block));
  return out;
}

}  // namespace cloister::cmd
