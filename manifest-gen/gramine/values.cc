#include "manifest-gen/gramine/values.h"

#include "base/path.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

std::string text_in(const TomlTable& table, std::string_view key) {
  const TomlValue* value = table.find(key);
  return value != nullptr && value->string() != nullptr ? *value->string() : std::string();
}

Mount mount_from(const TomlTable& table) {
  Mount out{text_in(table, "type"), text_in(table, "path"), text_in(table, "uri"),
            text_in(table, "key_name")};
  if (out.type.empty()) out.type = "chroot";
  if (out.type == "encrypted" && out.key_name.empty()) out.key_name = "default";
  return out;
}

std::string_view without_trailing_slash(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

const std::string* string_at(const TomlTable& table, std::string_view dotted) {
  const TomlValue* value = table.at(dotted);
  return value == nullptr ? nullptr : value->string();
}

const std::int64_t* integer_at(const TomlTable& table, std::string_view dotted) {
  const TomlValue* value = table.at(dotted);
  return value == nullptr ? nullptr : value->integer();
}

bool true_at(const TomlTable& table, std::string_view dotted) {
  const TomlValue* value = table.at(dotted);
  return value != nullptr && value->boolean() != nullptr && *value->boolean();
}

std::vector<std::string> passthrough_names(const TomlTable& table) {
  std::vector<std::string> out;
  const TomlValue* env = table.at("loader.env");
  if (env == nullptr || env->table() == nullptr) return out;
  for (const auto& [name, value] : *env->table())
    if (value.table() != nullptr && true_at(*value.table(), "passthrough")) out.push_back(name);
  return out;
}

std::vector<FileEntry> file_entries(const TomlTable& table, std::string_view dotted) {
  std::vector<FileEntry> out;
  const TomlValue* list = table.at(dotted);
  if (list == nullptr || list->array() == nullptr) return out;
  out.reserve(list->array()->size());
  for (const TomlValue& item : *list->array()) {
    if (item.string() != nullptr) {
      out.push_back({*item.string(), ""});
    } else if (item.table() != nullptr && item.table()->find("uri") != nullptr) {
      out.push_back({text_in(*item.table(), "uri"), text_in(*item.table(), "sha256")});
    }
  }
  return out;
}

std::string_view uri_path(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon != std::string_view::npos) uri.remove_prefix(colon + 1);
  return without_trailing_slash(uri);
}

bool is_directory_uri(std::string_view uri) {
  return uri.ends_with('/');
}

std::vector<Mount> mounts(const TomlTable& table) {
  std::vector<Mount> out;
  const TomlValue* root = table.at("fs.root");
  out.push_back(root != nullptr && root->table() != nullptr ? mount_from(*root->table()) : Mount());
  out.front().path = "/";
  if (out.front().type.empty()) out.front().type = "chroot";
  if (out.front().uri.empty()) out.front().uri = "file:.";
  const TomlValue* list = table.at("fs.mounts");
  if (list == nullptr || list->array() == nullptr) return out;
  for (const TomlValue& item : *list->array())
    if (item.table() != nullptr) out.push_back(mount_from(*item.table()));
  return out;
}

const Mount* mount_of(const std::vector<Mount>& mounts, std::string_view path) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts) {
    const std::string_view at = without_trailing_slash(mount.path);
    if (!is_within(path, at)) continue;
    if (best == nullptr || at.size() >= without_trailing_slash(best->path).size()) best = &mount;
  }
  return best;
}

std::optional<std::string> host_path(const std::vector<Mount>& mounts, std::string_view path) {
  const Mount* mount = mount_of(mounts, path);
  if (mount == nullptr || mount->type != "chroot") return std::nullopt;
  std::string_view rest = path;
  rest.remove_prefix(mount->path == "/" ? 0 : without_trailing_slash(mount->path).size());
  while (rest.starts_with('/')) rest.remove_prefix(1);
  std::string_view base = uri_path(mount->uri);
  if (base == ".") base = {};
  if (base == "/" || base.empty()) return cat(base, rest);
  return rest.empty() ? std::string(base) : cat(base, "/", rest);
}

}  // namespace cloister::manifest
