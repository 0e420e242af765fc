// The manifest keys of Gramine 1.9 (Documentation/manifest-syntax.rst, manifest_check.py), and the
// keys that earlier versions had.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cloister::manifest {

enum class KeyType {
  boolean,
  integer,  // within [min, max]
  string,
  size,           // "256K"
  choice,         // one of `choices`
  strings,        // array of strings
  mask64,         // "0x" and 16 hex digits
  mask32,         // "0x" and 8 hex digits
  hex128,         // 32 hex digits
  environment,    // a string, { value = … } or { passthrough = true }
  root,           // a mount without path
  mounts,         // array of mounts
  trusted_files,  // array of URIs or { uri, sha256 }
  ioctls,         // array of { request_code, struct }
  mock_syscalls,  // array of { name, return }
  anything,       // not checked, as in Gramine's own schema
};

struct KeyRule {
  std::string_view key;  // dotted; a last component "*" stands for any name
  KeyType type;
  std::string_view choices = {};  // separated by blanks
  std::int64_t min = 0, max = 0;  // integers
};

// A key that some earlier version had: `key` alone, or everything below it when it ends in ".*".
struct RemovedKey {
  std::string_view key;
  std::string_view since;    // the first version without it, where known
  std::string_view instead;  // what to write now, for people
};

std::span<const KeyRule> key_rules();
const KeyRule* find_key(std::string_view dotted);
// True when keys begin with `dotted` and a dot: it must be a table.
bool is_key_table(std::string_view dotted);
const RemovedKey* find_removed_key(std::string_view dotted);
// The known key that `dotted` was probably meant to be (edit distance), or nothing.
std::optional<std::string_view> nearest_key(std::string_view dotted);

}  // namespace cloister::manifest
