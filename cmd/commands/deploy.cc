// What runs an image, with the rights it needs and no others, pinned to the bytes that its name
// stands for now. The texts are built as values (cmd/deploy), not from templates: no name from an
// image can add anything to them.
#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/deploy/cloud_commands.h"
#include "cmd/deploy/deployment.h"
#include "cmd/deploy/prepare.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/key_source.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/session.h"

namespace cloister::cmd {
namespace {

struct DeployOptions {
  CommonOptions common;
  std::string image, output, key;
};

enum class DeployTarget { docker, compose, kubernetes };

Result<std::string> deploy_text(DeployTarget target, const Deployment& deployment,
                                const std::string& public_key) {
  if (target == DeployTarget::docker) return docker_command(deployment);
  if (target == DeployTarget::compose) return compose_file(deployment);
  return kubernetes_manifests(deployment, public_key);
}

Result<int> run_deploy(DeployTarget target, const DeployOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, deployable_ref(o.image));
  std::string public_key;
  if (!o.key.empty()) {
    CL_TRY(const sign::ImagePublicKey key, load_public_key(o.key, session->key_context()));
    public_key = key.pem();
  }
  CL_TRY(const Deployment deployment, prepare_deployment(*session, ref));
  CL_TRY(const std::string text, deploy_text(target, deployment, public_key));
  CL_CHECK(write_result(o.output, text));
  return kExitDone;
}

}  // namespace

Action add_deploy(CLI::App& app) {
  auto o = std::make_shared<DeployOptions>();
  app.require_subcommand(1);
  const auto add = [&](const char* name, const char* summary) {
    CLI::App* sub = app.add_subcommand(name, summary);
    sub->add_option("IMAGE", o->image, "Enclave-ready image in a registry")->required();
    add_output_option(*sub, o->output);
    add_image_options(*sub, o->common);
    return sub;
  };
  add("docker", "A docker run command line");
  const CLI::App* compose = add("compose", "A compose.yaml");
  CLI::App* kubernetes =
      add("kubernetes", "Objects for kubectl apply, with Intel's SGX device plugin in the cluster");
  {
    const OptionHeading heading(*kubernetes, kHeadingTrust);
    kubernetes
        ->add_option("--key", o->key,
                     "Public key of the image's signer (PEM file or env://VARIABLE): print, for\n"
                     "sigstore's policy-controller, the rule that admits the image only with an\n"
                     "attestation by it")
        ->type_name("KEY");
  }
  CLI::App* gcp = app.add_subcommand(
      "gcp", "Files for Google Confidential Space: attestation policy, identity pool, instance");
  CLI::App* azure = app.add_subcommand(
      "azure", "Files for Azure: SGX on AKS or a machine, or confidential container instances");
  CLI::App* aws = app.add_subcommand(
      "aws", "Files for an AWS Nitro enclave: key policies, and what starts it on an instance");
  const Action run_on_gcp = add_deploy_gcp(*gcp), run_on_azure = add_deploy_azure(*azure),
               run_on_aws = add_deploy_aws(*aws);
  return [=](const Environment& env) {
    if (gcp->parsed()) return run_on_gcp(env);
    if (azure->parsed()) return run_on_azure(env);
    if (aws->parsed()) return run_on_aws(env);
    const DeployTarget target = kubernetes->parsed() ? DeployTarget::kubernetes
                                : compose->parsed()  ? DeployTarget::compose
                                                     : DeployTarget::docker;
    return run_deploy(target, *o, env);
  };
}

}  // namespace cloister::cmd
