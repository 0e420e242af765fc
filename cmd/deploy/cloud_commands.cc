#include "cmd/deploy/cloud_commands.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/deploy/aws.h"
#include "cmd/deploy/azure.h"
#include "cmd/deploy/gcp.h"
#include "cmd/deploy/prepare.h"
#include "cmd/exit_code.h"
#include "cmd/guest/guest_image.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "manifest-gen/guest/guest_document.h"

namespace cloister::cmd {
namespace {

struct CloudOptions {
  CommonOptions common;
  std::string image, directory;
};

struct GcpArguments {
  CloudOptions cloud;
  std::string technology = "tdx", restart = "never";
};

struct AzureArguments {
  CloudOptions cloud;
  std::string service, key, layer_hashes;
  std::vector<std::string> capabilities;
  AzureAciOptions aci;
};

struct AwsArguments {
  CloudOptions cloud;
  std::string eif = "app.eif", role;
  std::uint32_t memory = 0, cpus = 2;
};

void add_cloud_options(CLI::App& app, CloudOptions& o, const char* image) {
  app.add_option("IMAGE", o.image, image)->required();
  {
    const OptionHeading heading(app, kHeadingOutput);
    app.add_option(
           "-o,--output", o.directory,
           "Directory for the files, made if it is missing (default: all of them as one text\n"
           "on standard output)")
        ->type_name("DIR");
  }
  add_image_options(app, o.common);
}

Result<int> give_out(const CloudOptions& o, const Environment& env, const DeployFiles& files) {
  if (!o.directory.empty() && o.directory != "-") {
    CL_CHECK(write_deploy_files(o.directory, files));
    return kExitDone;
  }
  const ResultStyle style = result_style(env, o.common.no_color, "");
  CL_CHECK(write_result("", files_text(files, style.width)));
  return kExitDone;
}

Result<CloudImage> load_cloud_image(Session& session, const std::string& argument) {
  CL_TRY(const oci::ImageRef ref, deployable_ref(argument));
  CL_TRY(const oci::Image image, session.resolve(ref));
  return cloud_image_of(ref, image);
}

GcpOptions gcp_options(const GcpArguments& o) {
  GcpOptions out;
  const std::string technology = lower_ascii(o.technology);  // gcloud writes SEV_SNP
  if (technology == "sev") out.technology = GcpTechnology::sev;
  if (technology == "sev_snp") out.technology = GcpTechnology::sev_snp;
  if (o.restart == "on-failure") out.restart = GcpRestart::on_failure;
  if (o.restart == "always") out.restart = GcpRestart::always;
  return out;
}

Result<int> run_gcp(const GcpArguments& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.cloud.common, env));
  CL_TRY(const CloudImage image, load_cloud_image(*session, o.cloud.image));
  return give_out(o.cloud, env, gcp_files(image, gcp_options(o)));
}

// What an option is for, when it is given to a service that has no use for it.
Status refuse_idle_options(const AzureArguments& o, bool aci) {
  const auto idle = [&](bool given, const char* option, const char* service) -> Status {
    if (!given) return {};
    return Error::usage(cat(option, " is for --service ", service)).hint("leave it out");
  };
  CL_CHECK(idle(aci && !o.key.empty(), "--key", "aks"));
  CL_CHECK(idle(o.service == "vm" && !o.key.empty(), "--key", "aks"));
  CL_CHECK(idle(!aci && !o.layer_hashes.empty(), "--layer-hashes", "aci"));
  CL_CHECK(idle(!aci && !o.capabilities.empty(), "--capability", "aci"));
  return idle(!aci && o.aci.allow_stdio, "--allow-stdio", "aci");
}

Result<AzureAciOptions> aci_options(const AzureArguments& o, const CloudImage& image,
                                    const Limits& limits) {
  constexpr std::uint64_t kHashLine = 128;  // bytes
  AzureAciOptions out = o.aci;
  for (const std::string& text : o.capabilities) {
    CL_TRY(std::string capability, parse_aci_capability(text));
    out.capabilities.push_back(std::move(capability));
  }
  if (o.layer_hashes.empty())
    return Error::unsupported(
               "the policy of a container group names a dm-verity root hash for each layer, which "
               "depend on how Microsoft lays out a file system: cloister does not make them")
        .detail(cat("the image has ", image.layers, image.layers == 1 ? " layer" : " layers"))
        .hint(cat("dmverity-vhd roothash -i ", image.reference,
                  " > hashes.txt (of microsoft/hcsshim; the layers that az confcom acipolicygen "
                  "prints, one a line, are the same), then --layer-hashes hashes.txt"));
  CL_TRY(const std::string text, read_text_file(o.layer_hashes, limits.layers * kHashLine));
  CL_TRY(out.layer_hashes, parse_layer_hashes(text, image.layers, limits));
  return out;
}

Result<DeployFiles> aci_files(const AzureArguments& o, Session& session) {
  CL_TRY(const CloudImage image, load_cloud_image(session, o.cloud.image));
  CL_TRY(const AzureAciOptions options, aci_options(o, image, session.limits()));
  return azure_aci_files(image, options);
}

Result<DeployFiles> sgx_files(const AzureArguments& o, Session& session) {
  AzureSgxOptions options;
  options.service = o.service == "vm" ? AzureSgx::vm : AzureSgx::aks;
  options.provider = o.aci.provider;
  if (!o.key.empty()) {
    CL_TRY(const sign::ImagePublicKey key, load_public_key(o.key, session.key_context()));
    options.public_key = key.pem();
  }
  CL_TRY(const oci::ImageRef ref, deployable_ref(o.cloud.image));
  CL_TRY(const Deployment deployment, prepare_deployment(session, ref));
  return azure_sgx_files(deployment, options);
}

Result<int> run_azure(AzureArguments o, const Environment& env) {
  CL_CHECK(check_attestation_provider(o.aci.provider));
  CL_TRY(auto session, Session::create(o.cloud.common, env));
  if (o.service.empty()) {
    CL_TRY(const oci::ImageRef ref, deployable_ref(o.cloud.image));
    CL_TRY(const oci::Image image, session->resolve(ref));
    o.service = is_enclave_ready(image) ? "aks" : "aci";
  }
  const bool aci = o.service == "aci";
  CL_CHECK(refuse_idle_options(o, aci));
  if (aci) {
    CL_TRY(const DeployFiles files, aci_files(o, *session));
    return give_out(o.cloud, env, files);
  }
  CL_TRY(const DeployFiles files, sgx_files(o, *session));
  return give_out(o.cloud, env, files);
}

// Only an enclave image file says what a Nitro enclave is.
Status require_nitro(const oci::ImageRef& ref, const oci::Image& image) {
  const std::string name = quote(ref.str());
  constexpr std::string_view kBuild =
      "cloister build IMAGE --tee nitro --kernel bzImage --init init -t NAME --push, of the image "
      "that it was made from";
  if (is_guest(image.manifest)) {
    CL_TRY(const Tee tee, guest_tee(image));
    if (tee == Tee::nitro) return {};
    return Error::unsupported(cat(name, " is a virtual machine of AMD SEV-SNP"))
        .detail(
            "on EC2 the firmware is AWS's, and boots what lies on a disk: what SEV-SNP measures "
            "there says nothing of this image")
        .hint(std::string(kBuild));
  }
  if (is_enclave_ready(image))
    return Error::unsupported(cat(name, " is for SGX, which no machine of EC2 has"))
        .hint(std::string(kBuild));
  return Error::unsupported(cat(name, " is a container image, and no enclave of AWS Nitro"))
      .hint("cloister build IMAGE --tee nitro --kernel bzImage --init init -t NAME --push");
}

Result<std::vector<ExposedPort>> ports_of_guest(Session& session, const GuestImage& guest,
                                                std::vector<std::string>& problems) {
  CL_TRY(const oci::Store* store, session.store());
  CL_TRY(const Bytes text,
         store->read_blob(guest_descriptor(*find_blob(guest.files, GuestFile::document)),
                          session.limits().guest_document_bytes));
  CL_TRY(const auto document, manifest::parse_guest_document(as_text(text), session.limits()));
  oci::ExecutionConfig config;
  config.exposed_ports = document.plan.ports;
  std::vector<ExposedPort> out;
  read_ports(config, out, problems);
  return out;
}

Result<int> run_aws(const AwsArguments& o, const Environment& env) {
  if (!o.role.empty()) CL_CHECK(check_role(o.role));
  CL_TRY(auto session, Session::create(o.cloud.common, env));
  CL_TRY(const oci::ImageRef ref, deployable_ref(o.cloud.image));
  CL_TRY(const oci::Image image, session->resolve(ref));
  CL_CHECK(require_nitro(ref, image));
  CL_TRY(const GuestImage guest, read_sound_guest(*session, ref, image));
  const auto& stated = std::get<sign::NitroMeasurement>(guest.stated);
  oci::RegistryRef pinned = ref.registry;
  pinned.digest = image.manifest_descriptor.digest;
  pinned.tag.clear();
  NitroDeployment d;
  d.title = pinned.str();
  d.name = dns_label(base_name(pinned.repository));
  d.eif = o.eif;
  d.eif_size = find_blob(guest.files, GuestFile::eif)->size;
  d.pcr0 = stated.pcr0;
  d.pcr1 = stated.pcr1;
  d.pcr2 = stated.pcr2;
  d.pcr8 = stated.pcr8;
  d.memory_mib = o.memory != 0 ? o.memory : usual_memory_mib(d.eif_size);
  d.cpus = o.cpus;
  d.role = o.role;
  std::vector<std::string> problems;
  CL_TRY(d.ports, ports_of_guest(*session, guest, problems));
  CL_TRY(DeployFiles files, aws_files(d));
  files.notes.insert(files.notes.begin(), cat("cloister pull ", pinned.str(),
                                              " -o DIR fetches the enclave image file, app.eif"));
  files.notes.insert(files.notes.end(), problems.begin(), problems.end());
  return give_out(o.cloud, env, files);
}

void add_aci_options(CLI::App& app, AzureArguments& o) {
  app.add_option("--layer-hashes", o.layer_hashes,
                 "File with the dm-verity root hash of each layer, one a line, as dmverity-vhd "
                 "prints them\n(aci)")
      ->type_name("FILE");
  app.add_option("--capability", o.capabilities,
                 "Linux capability that the container has (repeatable; aci; default: none)")
      ->expected(1)
      ->take_all()
      ->type_name("CAP");
  app.add_flag("--allow-stdio", o.aci.allow_stdio,
               "Let the host read what the program prints (aci)");
  app.add_option("--infrastructure-svn", o.aci.infrastructure_svn,
                 "Least security version of Microsoft's own containers in the group (aci)")
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace

Action add_deploy_gcp(CLI::App& app) {
  auto o = std::make_shared<GcpArguments>();
  app.add_option("--confidential-compute-type", o->technology, "What keeps the memory confidential")
      ->check(CLI::IsMember({"sev", "sev_snp", "tdx"}, CLI::ignore_case))
      ->capture_default_str();
  app.add_option("--restart", o->restart,
                 "Whether the launcher starts the program again when it ends")
      ->check(CLI::IsMember({"never", "on-failure", "always"}))
      ->capture_default_str();
  add_cloud_options(app, o->cloud, "Image in a registry; any, but not one made for SGX");
  return [o](const Environment& env) { return run_gcp(*o, env); };
}

Action add_deploy_azure(CLI::App& app) {
  auto o = std::make_shared<AzureArguments>();
  app.add_option("--service", o->service,
                 "Where it runs: aks and vm for an enclave-ready image, on machines with SGX; aci "
                 "for any\nother, in confidential container instances (default: aks or aci, as the "
                 "image is)")
      ->check(CLI::IsMember({"aks", "vm", "aci"}));
  add_aci_options(app, *o);
  {
    const OptionHeading heading(app, kHeadingTrust);
    app.add_option("--attestation-provider", o->aci.provider,
                   "Whose tokens release a key: an endpoint of Azure Attestation")
        ->type_name("URL")
        ->capture_default_str();
    app.add_option("--key", o->key,
                   "Public key of the image's signer, for the rule that admits the image (aks)")
        ->type_name("KEY");
  }
  add_cloud_options(app, o->cloud, "Image in a registry");
  return [o](const Environment& env) { return run_azure(*o, env); };
}

Action add_deploy_aws(CLI::App& app) {
  auto o = std::make_shared<AwsArguments>();
  app.add_option("--eif-path", o->eif, "Where the enclave image file lies on the instance")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--memory", o->memory,
                 "Memory of the enclave (default: what nitro-cli wants for the file, at least 512)")
      ->type_name("MIB")
      ->check(CLI::Range(64U, 1U << 24));
  app.add_option("--cpu-count", o->cpus, "Virtual CPUs of the enclave")
      ->type_name("N")
      ->check(CLI::Range(1U, 1024U))
      ->capture_default_str();
  {
    const OptionHeading heading(app, kHeadingTrust);
    app.add_option("--role", o->role,
                   "Role of the instance, which asks for the enclave's keys (default: left to be "
                   "put in)")
        ->type_name("ARN");
  }
  add_cloud_options(app, o->cloud,
                    "Enclave of AWS Nitro (cloister build --tee nitro) in a registry");
  return [o](const Environment& env) { return run_aws(*o, env); };
}

}  // namespace cloister::cmd
