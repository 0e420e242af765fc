// Never by text: a name from an image or an overlay cannot add keys. Recursion is bounded by the
// depth limit of the TOML parser.
#include "manifest-gen/gramine/merge.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace cloister::manifest {
namespace {

std::string mount_path(const TomlValue& mount) {
  const TomlTable* table = mount.table();
  const TomlValue* path = table != nullptr ? table->find("path") : nullptr;
  return path != nullptr && path->string() != nullptr ? *path->string() : "";
}

void merge_mounts(TomlArray& base, const TomlArray& over) {
  for (const TomlValue& mount : over) {
    const std::string path = mount_path(mount);
    const auto same = std::find_if(base.begin(), base.end(), [&](const TomlValue& existing) {
      return !path.empty() && mount_path(existing) == path;
    });
    if (same != base.end())
      *same = mount;
    else
      base.push_back(mount);
  }
}

void append_new(TomlArray& base, const TomlArray& over) {
  for (const TomlValue& item : over)
    if (std::find(base.begin(), base.end(), item) == base.end()) base.push_back(item);
}

void merge_table(TomlTable& base, const TomlTable& over, const std::string& prefix) {
  for (const auto& [key, value] : over) {
    const std::string name = prefix.empty() ? key : cat(prefix, ".", key);
    TomlValue* existing = base.find(key);
    if (name == "sgx.trusted_files") continue;
    if (existing == nullptr) {
      base.set(key, value);
    } else if (existing->table() != nullptr && value.table() != nullptr && prefix != "loader.env") {
      merge_table(*existing->table(), *value.table(), name);
    } else if (name == "fs.mounts" && existing->array() != nullptr && value.array() != nullptr) {
      merge_mounts(*existing->as<TomlArray>(), *value.array());
    } else if (name == "sgx.allowed_files" && existing->array() != nullptr &&
               value.array() != nullptr) {
      append_new(*existing->as<TomlArray>(), *value.array());
    } else {
      *existing = value;
    }
  }
}

}  // namespace

void merge_manifest(TomlTable& base, const TomlTable& over) {
  merge_table(base, over, "");
}

}  // namespace cloister::manifest
