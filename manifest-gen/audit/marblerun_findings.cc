// A manifest that starts MarbleRun's premain has to give it what it needs, or the marble never gets
// its secrets. What that is: MarbleRun's documentation of marbles on Gramine.
#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/gramine/marble.h"
#include "manifest-gen/gramine/values.h"
#include "manifest-gen/launch/front.h"

namespace cloister::manifest {
namespace {

bool names_uuid_file(const TomlTable& table) {
  const std::vector<FileEntry> allowed = file_entries(table, "sgx.allowed_files");
  return std::any_of(allowed.begin(), allowed.end(), [](const FileEntry& entry) {
    return base_name(uri_path(entry.uri)) == "uuid";
  });
}

}  // namespace

std::vector<Finding> marblerun_findings(const EnclaveManifest& manifest) {
  std::vector<Finding> out;
  const auto launch = marble_launch(manifest);
  if (!launch.has_value() || !launch->premain) return out;
  const TomlTable& table = manifest.table;
  const auto add = [&](std::string where, std::string evidence, std::string fix) {
    out.push_back(
        make_finding(kRuleMarblerun, std::move(where), std::move(evidence), std::move(fix)));
  };
  if (!launch->attested)
    add("sgx.remote_attestation", "is not dcap: no Coordinator lets this marble in",
        "set it to \"dcap\"");
  if (table.at("loader.env.EDG_MARBLE_TYPE") == nullptr)
    add("loader.env.EDG_MARBLE_TYPE", "is neither set nor the host's: premain does not start",
        "pass it through, as cloister build --marblerun does");
  if (!names_uuid_file(table) && table.at("loader.env.EDG_MARBLE_UUID_FILE") == nullptr)
    add("sgx.allowed_files", "has no file for the marble's UUID",
        "allow the file uuid in the start directory, or set EDG_MARBLE_UUID_FILE");
  const TomlValue* size = table.at("sgx.enclave_size");
  if (size != nullptr && size->string() != nullptr &&
      parse_size(*size->string(), Strictness::signer).value_or(kPremainEnclaveSize) <
          kPremainEnclaveSize)
    add("sgx.enclave_size", cat("is ", printable(*size->string()), ": premain wants 1024M"),
        "raise it to 1024M or more: premain is a program of Go");
  const TomlValue* edmm = table.at("sgx.edmm_enable");
  const bool dynamic = edmm != nullptr && edmm->boolean() != nullptr && *edmm->boolean();
  const TomlValue* threads = table.at("sgx.max_threads");
  if (!dynamic && threads != nullptr && threads->integer() != nullptr &&
      *threads->integer() < kPremainThreads)
    add("sgx.max_threads", cat("is ", *threads->integer(), ": premain wants 16"),
        "raise it to 16 or more: premain is a program of Go");
  return out;
}

}  // namespace cloister::manifest
