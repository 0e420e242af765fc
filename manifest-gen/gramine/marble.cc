// MarbleRun's premain for Gramine ("premain-libos") is the manifest's entrypoint; the program to
// start after it is loader.argv[0]. A manifest without premain is read the same way: its argv is
// what the program gets either way.
#include "manifest-gen/gramine/marble.h"

#include <algorithm>
#include <string_view>

#include "base/path.h"
#include "manifest-gen/gramine/values.h"
#include "measure/runtime/runtime.h"

namespace cloister::manifest {
namespace {

void read_arguments(const TomlTable& table, MarbleLaunch& out) {
  const TomlValue* argv = table.at("loader.argv");
  if (argv != nullptr && argv->array() != nullptr)
    for (const TomlValue& word : *argv->array())
      if (word.string() != nullptr) out.argv.push_back(*word.string());
  out.host_argv = out.argv.empty() && (table.at("loader.argv_src_file") != nullptr ||
                                       table.at("loader.insecure__use_cmdline_argv") != nullptr);
}

void read_environment_of(const TomlTable& table, MarbleLaunch& out) {
  const TomlValue* env = table.at("loader.env");
  if (env == nullptr || env->table() == nullptr) return;
  for (const auto& [name, value] : *env->table()) {
    if (name == "LD_LIBRARY_PATH" || name.starts_with("EDG_")) continue;  // EDG_: premain's own
    const TomlTable* details = value.table();
    const std::string* text = details == nullptr ? value.string() : string_at(*details, "value");
    if (text != nullptr)
      out.env.emplace_back(name, *text);
    else
      out.host_env.push_back(name);
  }
}

void read_keys(const TomlTable& table, MarbleLaunch& out) {
  for (const Mount& mount : mounts(table)) {
    if (mount.type != "encrypted" || mount.key_name.starts_with("_sgx_")) continue;
    if (std::find(out.keys.begin(), out.keys.end(), mount.key_name) == out.keys.end())
      out.keys.push_back(mount.key_name);
  }
}

}  // namespace

Result<MarbleLaunch> marble_launch(const EnclaveManifest& manifest) {
  MarbleLaunch out;
  const std::string* entrypoint = string_at(manifest.table, "libos.entrypoint");
  if (entrypoint == nullptr || entrypoint->empty())
    return Error::invalid("the enclave's manifest names no program (libos.entrypoint)");
  out.premain = base_name(*entrypoint) == measure::kPremainProgram;
  read_arguments(manifest.table, out);
  if (out.argv.empty()) out.argv = {*entrypoint};
  read_environment_of(manifest.table, out);
  read_keys(manifest.table, out);
  const std::string* attestation = string_at(manifest.table, "sgx.remote_attestation");
  out.attested = attestation != nullptr && *attestation == "dcap";
  return out;
}

}  // namespace cloister::manifest
