// Single values of a manifest, read leniently: what has another type than it should counts as
// absent. validate.h is where that is an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/toml.h"

namespace cloister::manifest {

const std::string* string_at(const TomlTable& table, std::string_view dotted);
const std::int64_t* integer_at(const TomlTable& table, std::string_view dotted);
bool true_at(const TomlTable& table, std::string_view dotted);

// Variables of loader.env whose value the host chooses: { passthrough = true }.
std::vector<std::string> passthrough_names(const TomlTable& table);

// An entry of sgx.trusted_files or sgx.allowed_files.
struct FileEntry {
  std::string uri;     // "file:/usr/bin/env"
  std::string sha256;  // hex; empty: not in the final form
};
std::vector<FileEntry> file_entries(const TomlTable& table, std::string_view dotted);
// What follows the scheme, without a trailing '/': "/usr/bin/env", or a path relative to the
// manifest's directory.
std::string_view uri_path(std::string_view uri);
bool is_directory_uri(std::string_view uri);  // ends in '/': stands for all below it

// An entry of fs.mounts, or fs.root with the path "/".
struct Mount {
  std::string type;      // "chroot" where none is given
  std::string path;      // in the enclave
  std::string uri;       // on the host; empty for tmpfs
  std::string key_name;  // encrypted only; Gramine's default is "default"
};
// In order; fs.root first, as Gramine takes it: by default the directory of the manifest.
std::vector<Mount> mounts(const TomlTable& table);
// The mount that decides about a path: the last of those that are nearest.
const Mount* mount_of(const std::vector<Mount>& mounts, std::string_view path);
// The path on the host that Gramine looks up for a path in the enclave; nothing where that is not a
// directory of the host.
std::optional<std::string> host_path(const std::vector<Mount>& mounts, std::string_view path);

}  // namespace cloister::manifest
