// MarbleRun's premain for Gramine ("premain-libos") is the manifest's entrypoint; the program to
// start after it is loader.argv[0]. A manifest without premain is read the same way: its argv is
// what the program gets either way.
#include "manifest-gen/gramine/marble.h"

#include <algorithm>
#include <string_view>

#include "base/path.h"
#include "measure/runtime/runtime.h"

namespace cloister::manifest {
namespace {

const std::string* string_under(const TomlTable& table, std::string_view dotted) {
  const TomlValue* value = table.at(dotted);
  return value == nullptr ? nullptr : value->string();
}

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
    const std::string* text = details == nullptr ? value.string() : string_under(*details, "value");
    if (text != nullptr)
      out.env.emplace_back(name, *text);
    else
      out.host_env.push_back(name);
  }
}

void read_keys(const TomlTable& table, MarbleLaunch& out) {
  const TomlValue* mounts = table.at("fs.mounts");
  if (mounts == nullptr || mounts->array() == nullptr) return;
  for (const TomlValue& item : *mounts->array()) {
    const TomlTable* mount = item.table();
    if (mount == nullptr) continue;
    const std::string* type = string_under(*mount, "type");
    if (type == nullptr || *type != "encrypted") continue;
    const std::string* name = string_under(*mount, "key_name");
    const std::string key = name == nullptr ? "default" : *name;  // Gramine's default
    if (key.starts_with("_sgx_")) continue;
    if (std::find(out.keys.begin(), out.keys.end(), key) == out.keys.end()) out.keys.push_back(key);
  }
}

}  // namespace

Result<MarbleLaunch> marble_launch(const EnclaveManifest& manifest) {
  MarbleLaunch out;
  const std::string* entrypoint = string_under(manifest.table, "libos.entrypoint");
  if (entrypoint == nullptr || entrypoint->empty())
    return Error::invalid("the enclave's manifest names no program (libos.entrypoint)");
  out.premain = base_name(*entrypoint) == measure::kPremainProgram;
  read_arguments(manifest.table, out);
  if (out.argv.empty()) out.argv = {*entrypoint};
  read_environment_of(manifest.table, out);
  read_keys(manifest.table, out);
  const std::string* attestation = string_under(manifest.table, "sgx.remote_attestation");
  out.attested = attestation != nullptr && *attestation == "dcap";
  return out;
}

}  // namespace cloister::manifest
