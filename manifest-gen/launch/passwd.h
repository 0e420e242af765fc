// passwd(5) and group(5) as a container runtime reads them: who `User` of an image is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::manifest {

struct PasswdEntry {
  std::string name, home;
  std::uint32_t uid = 0, gid = 0;
  bool operator==(const PasswdEntry&) const = default;
};
struct GroupEntry {
  std::string name;
  std::uint32_t gid = 0;
  bool operator==(const GroupEntry&) const = default;
};

// The first well-formed line for this name or number; malformed lines are passed over.
std::optional<PasswdEntry> passwd_by_name(std::string_view text, std::string_view name);
std::optional<PasswdEntry> passwd_by_uid(std::string_view text, std::uint32_t uid);
std::optional<GroupEntry> group_by_name(std::string_view text, std::string_view name);

// A user or group number: decimal, at most 2^31 - 1 (what container runtimes accept).
std::optional<std::uint32_t> parse_id(std::string_view text);

struct Identity {
  std::uint32_t uid = 0, gid = 0;
  std::string home = "/";
};

// `user` is the image's User: "", name, uid, name:group, uid:gid and mixtures. `passwd` and `group`
// are nothing when the image has no such file: then only numbers can be resolved. A number is
// always a number, even when a user is named so; its group and home come from its passwd line, if
// there is one. `unresolved` names what is missing.
Result<Identity> resolve_identity(std::string_view user, const std::optional<std::string>& passwd,
                                  const std::optional<std::string>& group);

}  // namespace cloister::manifest
