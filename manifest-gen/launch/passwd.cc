// Container runtimes (runc's user package) and libc differ in detail: a runtime takes a numeric
// User as a number without asking passwd for a name, gives an unknown number group 0 and home "/",
// and takes the first matching line. Malformed lines (too few fields, numbers that are none, "+"
// lines of NIS) match nothing. The files come from the image: any bytes are possible.
#include "manifest-gen/launch/passwd.h"

#include <limits>
#include <vector>

#include "base/text.h"

namespace cloister::manifest {
namespace {

// Calls `visit` with the colon-separated fields of each line until it answers true.
template <class Visit>
void each_line(std::string_view text, std::size_t min_fields, const Visit& visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() >= min_fields && visit(fields)) return;
  }
}

// name:password:uid:gid:gecos:home:shell
template <class Match>
std::optional<PasswdEntry> find_passwd(std::string_view text, const Match& match) {
  std::optional<PasswdEntry> found;
  each_line(text, 4, [&](const std::vector<std::string_view>& f) {
    const auto uid = parse_id(f[2]), gid = parse_id(f[3]);
    if (f[0].empty() || !uid || !gid || !match(f[0], *uid)) return false;
    found = PasswdEntry{std::string(f[0]), f.size() > 5 ? std::string(f[5]) : "", *uid, *gid};
    return true;
  });
  return found;
}

Result<std::uint32_t> resolve_group(std::string_view name,
                                    const std::optional<std::string>& group) {
  if (const auto gid = parse_id(name)) return *gid;
  if (!group) {
    return Error::unresolved(cat("the group ", quote(name), " cannot be looked up"))
        .detail("the image has no /etc/group")
        .hint("give the group as a number, for example --user 1000:1000");
  }
  if (const auto entry = group_by_name(*group, name)) return entry->gid;
  return Error::unresolved(cat("the group ", quote(name), " is not in the image's /etc/group"))
      .hint("name a group that the image has, or a number, with --user");
}

Result<PasswdEntry> resolve_user(std::string_view name, const std::optional<std::string>& passwd) {
  const std::string_view text = passwd ? std::string_view(*passwd) : std::string_view();
  if (const auto uid = parse_id(name)) {
    if (auto entry = passwd_by_uid(text, *uid)) return std::move(*entry);
    return PasswdEntry{"", "/", *uid, 0};
  }
  if (auto entry = passwd_by_name(text, name)) return std::move(*entry);
  if (!passwd) {
    return Error::unresolved(cat("the user ", quote(name), " cannot be looked up"))
        .detail("the image has no /etc/passwd")
        .hint("give the user as a number, for example --user 1000");
  }
  return Error::unresolved(cat("the user ", quote(name), " is not in the image's /etc/passwd"))
      .hint("name a user that the image has, or a number, with --user");
}

}  // namespace

std::optional<std::uint32_t> parse_id(std::string_view text) {
  const auto value = parse_u64(text);
  if (!value || *value > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::optional<PasswdEntry> passwd_by_name(std::string_view text, std::string_view name) {
  return find_passwd(text, [&](std::string_view n, std::uint32_t) { return n == name; });
}

std::optional<PasswdEntry> passwd_by_uid(std::string_view text, std::uint32_t uid) {
  return find_passwd(text, [&](std::string_view, std::uint32_t u) { return u == uid; });
}

std::optional<GroupEntry> group_by_name(std::string_view text, std::string_view name) {
  std::optional<GroupEntry> found;
  each_line(text, 3, [&](const std::vector<std::string_view>& f) {
    const auto gid = parse_id(f[2]);
    if (f[0] != name || !gid) return false;
    found = GroupEntry{std::string(name), *gid};
    return true;
  });
  return found;
}

Result<Identity> resolve_identity(std::string_view user, const std::optional<std::string>& passwd,
                                  const std::optional<std::string>& group) {
  const std::size_t colon = user.find(':');
  const std::string_view name = user.substr(0, colon);
  const std::string_view group_name =
      colon == std::string_view::npos ? std::string_view() : user.substr(colon + 1);
  CL_TRY(PasswdEntry entry, resolve_user(name.empty() ? "0" : name, passwd));
  Identity out{entry.uid, entry.gid, entry.home.empty() ? "/" : std::move(entry.home)};
  if (!group_name.empty()) {
    CL_TRY(out.gid, resolve_group(group_name, group));
  }
  return out;
}

}  // namespace cloister::manifest
