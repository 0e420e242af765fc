// Claims of the token: docs of Confidential Space, "Attestation assertions" and "Attestation token
// claims". Of `env` only the image's own variables are asked for: the launcher adds HOSTNAME.
// `image_reference` is not asked for: it says where the image came from, which the digest makes
// irrelevant, and would tie the policy to one registry.
#include "cmd/deploy/gcp.h"

#include "base/text.h"
#include "cmd/deploy/shell.h"

namespace cloister::cmd {
namespace {

struct TechnologyRow {
  std::string_view gcloud;   // --confidential-compute-type
  std::string_view claim;    // what `hwmodel` is one of, as a CEL list
  std::string_view machine;  // the smallest of the usual series
  std::string_view maintenance;
  std::string_view cpu;  // --min-cpu-platform; empty: any of the series
  std::string_view title;
};
// TDX is named in two ways, on two pages of the documentation.
constexpr TechnologyRow kTechnologies[] = {
    {"SEV", R"(["GCP_AMD_SEV"])", "n2d-standard-2", "MIGRATE", "", "AMD SEV"},
    {"SEV_SNP", R"(["GCP_AMD_SEV_SNP"])", "n2d-standard-2", "TERMINATE", "AMD Milan",
     "AMD SEV-SNP"},
    {"TDX", R"(["GCP_INTEL_TDX", "INTEL_TDX"])", "c3-standard-4", "TERMINATE", "", "Intel TDX"},
};

const TechnologyRow& technology_row(GcpTechnology technology) {
  return kTechnologies[static_cast<std::size_t>(technology)];
}

std::string_view restart_word(GcpRestart restart) {
  static constexpr std::string_view kWords[] = {"Never", "OnFailure", "Always"};
  return kWords[static_cast<std::size_t>(restart)];
}

std::string code_digits(std::uint32_t number, int digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4)
    out += kDigits[(number >> static_cast<unsigned>(shift)) & 0xfU];
  return out;
}

std::string arguments_condition(const CloudImage& image) {
  std::vector<std::string> words;
  for (const std::string& word : image.command) words.push_back(cel_string(word));
  return cat("assertion.submods.container.args == [", join(words, ", "), "]");
}

std::vector<std::string> environment_conditions(const CloudImage& image) {
  std::vector<std::string> out;
  for (const auto& [name, value] : image.env)
    if (name != "HOSTNAME")
      out.push_back(
          cat("assertion.submods.container.env[", cel_string(name), "] == ", cel_string(value)));
  return out;
}

std::string joined_conditions(const std::vector<std::string>& conditions) {
  return cat(join(conditions, "\n&& "), "\n");
}

constexpr std::string_view kScriptHead = "#!/bin/sh\nset -eu\n";

std::string pool_script(const CloudImage& image) {
  return cat(
      kScriptHead,
      ": \"${PROJECT:?the project that owns the key}\" \"${PROJECT_NUMBER:?its number}\"\n"
      ": \"${POOL:?a name for the pool}\" \"${PROVIDER:?a name for its provider}\"\n"
      ": \"${LOCATION:?of the key ring}\" \"${KEYRING:?the ring of the key}\" \"${KEY:?the key "
      "that decrypts}\"\n"
      "policy=$(cat \"$(dirname \"$0\")/attestation-policy.cel\")\n"
      "gcloud iam workload-identity-pools create \"$POOL\" --project=\"$PROJECT\" "
      "--location=global\n"
      "gcloud iam workload-identity-pools providers create-oidc \"$PROVIDER\" \\\n"
      "  --project=\"$PROJECT\" --location=global --workload-identity-pool=\"$POOL\" \\\n"
      "  --issuer-uri=https://confidentialcomputing.googleapis.com/ \\\n"
      "  --allowed-audiences=https://sts.googleapis.com \\\n"
      "  --attribute-mapping='google.subject=\"gcpcs::\"+assertion.submods.container.image_digest+"
      "\"::\"+assertion.submods.gce.project_number+\"::\"+assertion.submods.gce.instance_id,"
      "attribute.image_digest=assertion.submods.container.image_digest' \\\n"
      "  --attribute-condition=\"$policy\"\n"
      "gcloud kms keys add-iam-policy-binding \"$KEY\" \\\n"
      "  --project=\"$PROJECT\" --location=\"$LOCATION\" --keyring=\"$KEYRING\" \\\n"
      "  --role=roles/cloudkms.cryptoKeyDecrypter \\\n"
      "  --member=\"principalSet://iam.googleapis.com/projects/$PROJECT_NUMBER/locations/global/"
      "workloadIdentityPools/$POOL/attribute.image_digest/",
      image.digest, "\"\n");
}

std::string instance_script(const CloudImage& image, const GcpOptions& options) {
  const TechnologyRow& row = technology_row(options.technology);
  std::vector<std::string> words = {
      cat("gcloud compute instances create ", image.name),
      "--project=\"$PROJECT\" --zone=\"$ZONE\"",
      cat("--machine-type=\"${MACHINE_TYPE:-", row.machine, "}\""),
      cat("--confidential-compute-type=", row.gcloud),
      cat("--maintenance-policy=", row.maintenance),
      "--shielded-secure-boot",
      "--image-project=confidential-space-images --image-family=confidential-space",
      "--service-account=\"$SERVICE_ACCOUNT\" --scopes=cloud-platform",
      cat("--metadata=", shell_word(cat("^~^tee-image-reference=", image.reference,
                                        "~tee-restart-policy=", restart_word(options.restart))))};
  if (!row.cpu.empty())
    words.insert(words.begin() + 4, cat("--min-cpu-platform=", shell_word(row.cpu)));
  return cat(kScriptHead,
             ": \"${PROJECT:?the project that pays for it}\" \"${ZONE:?one that has such "
             "machines}\"\n"
             ": \"${SERVICE_ACCOUNT:?with roles/confidentialcomputing.workloadUser, and the right "
             "to pull the image}\"\n",
             join(words, " \\\n  "), "\n");
}

std::string policy_value(const LaunchPolicy& policy) {
  return policy.set ? quote(policy.value) : std::string("not set");
}

std::string_view state_word(LaunchPolicy::State state) {
  static constexpr std::string_view kWords[] = {"closed", "OPEN", "REFUSED", "unknown"};
  return kWords[static_cast<std::size_t>(state)];
}

bool asks_for_change(const LaunchPolicy& policy) {
  return policy.state == LaunchPolicy::State::open || policy.state == LaunchPolicy::State::refused;
}

std::string launch_policy_text(const CloudImage& image, const std::vector<LaunchPolicy>& policies) {
  std::string out, lines;
  for (const LaunchPolicy& policy : policies) {
    out += cat(state_word(policy.state), "\t", printable(policy.label), "\t", policy_value(policy),
               "\t", policy.meaning, "\n");
    if (asks_for_change(policy))
      lines += cat("LABEL \"", policy.label, "\"=\"", policy.closing, "\"\n");
  }
  if (lines.empty()) return out + "\nNothing to change: what is not set is closed.\n";
  return cat(
      out,
      "\nTo close them, build the image with labels that do, by a Dockerfile like this "
      "(cloister sets\nlabels of the images that it builds for SGX, not of others):\n\nFROM ",
      image.reference, "\n", lines);
}

std::vector<std::string> gcp_notes(const CloudImage& image, const GcpOptions& options,
                                   const std::vector<LaunchPolicy>& policies,
                                   const std::vector<std::string>& left_out) {
  std::vector<std::string> out = image.problems;
  for (const LaunchPolicy& policy : policies)
    if (asks_for_change(policy))
      out.push_back(
          cat("label ", policy.label, " is ", policy_value(policy), ": ", policy.meaning));
  for (const std::string& what : left_out)
    out.push_back(cat("the policy does not name ", what,
                      ": a condition has at most 4096 characters; the image digest covers it, and "
                      "that nobody overrides it is asked for"));
  if (options.technology == GcpTechnology::sev)
    out.emplace_back(
        "SEV encrypts memory without protecting its integrity: prefer SEV_SNP or TDX where there "
        "is a choice");
  if (options.technology == GcpTechnology::sev_snp)
    out.emplace_back(
        "of SEV-SNP Google's pages said little when this was written: look at the claim hwmodel of "
        "a first token");
  std::vector<std::string> ports;
  for (const ExposedPort& port : image.ports) ports.push_back(cat(port.protocol, ":", port.number));
  if (!ports.empty())
    out.push_back(cat("the machine's own firewall opens what the image exposes (", join(ports, ","),
                      "); the network's has to be told"));
  if (!image.volumes.empty())
    out.push_back(cat("nothing is kept: what is written to ", join(image.volumes, ", "),
                      " is gone when the machine stops"));
  if (image.healthcheck) out.emplace_back("the image's HEALTHCHECK does not run there");
  return out;
}

}  // namespace

std::string cel_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const auto [point, length] = code_point_at(text, at);
    const auto number = static_cast<std::uint32_t>(point);
    if (point == '"' || point == '\\')
      out += cat('\\', static_cast<char>(point));
    else if (is_unseen(point))
      out +=
          number > 0xffff ? cat("\\U", code_digits(number, 8)) : cat("\\u", code_digits(number, 4));
    else
      out.append(text, at, length);
    at += length;
  }
  return out + "\"";
}

std::string attestation_policy(const CloudImage& image, const GcpOptions& options,
                               std::vector<std::string>& left_out) {
  std::vector<std::string> conditions = {
      "assertion.swname == \"CONFIDENTIAL_SPACE\"",
      "assertion.dbgstat == \"disabled-since-boot\"",
      "\"STABLE\" in assertion.submods.confidential_space.support_attributes",
      cat("assertion.hwmodel in ", technology_row(options.technology).claim),
      cat("assertion.submods.container.image_digest == ", cel_string(image.digest)),
      "size(assertion.submods.container.cmd_override) == 0",
      "size(assertion.submods.container.env_override) == 0",
      cat("assertion.submods.container.restart_policy == ",
          cel_string(restart_word(options.restart)))};
  const auto try_with = [&](const std::vector<std::string>& more, const char* what) {
    std::vector<std::string> all = conditions;
    all.insert(all.end(), more.begin(), more.end());
    if (joined_conditions(all).size() <= kMaxAttributeCondition)
      conditions = std::move(all);
    else
      left_out.emplace_back(what);
  };
  try_with({arguments_condition(image)}, "the arguments");
  try_with(environment_conditions(image), "the environment");
  return joined_conditions(conditions);
}

DeployFiles gcp_files(const CloudImage& image, const GcpOptions& options) {
  const std::vector<LaunchPolicy> policies = launch_policies(image.labels);
  std::vector<std::string> left_out;
  const std::string policy = attestation_policy(image, options, left_out);
  DeployFiles out;
  out.title = cat(image.reference, " in Google Confidential Space, on ",
                  technology_row(options.technology).title);
  out.notes = gcp_notes(image, options, policies, left_out);
  out.files = {
      {"attestation-policy.cel",
       "What a token must say before anything is given to its bearer: that Google's launcher of a "
       "supported production version runs exactly this image, on this technology, with the image's "
       "own arguments and environment. It does not say who operates the machine, nor what the "
       "program does with what it is given; and it trusts Google, who signs the token.",
       policy},
      {"identity-pool.sh",
       "Makes a workload identity pool that accepts tokens by that policy alone, and lets this "
       "image, by digest, decrypt with a key. Run by who owns the key, once for each image.",
       pool_script(image)},
      {"create-instance.sh",
       "Starts the machine. The image is pulled by digest. None of this is trusted: a machine that "
       "is started in another way gets a token that says so.",
       instance_script(image, options)},
      {"launch-policy.txt",
       "What the image's labels let the operator of the machine decide. They are part of the image "
       "configuration, so that the digest pins them.",
       launch_policy_text(image, policies)}};
  return out;
}

}  // namespace cloister::cmd
