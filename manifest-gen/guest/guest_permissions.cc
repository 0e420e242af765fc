#include "manifest-gen/guest/guest_permissions.h"

#include "base/text.h"

namespace cloister::manifest {
namespace {

std::string toml_text(const std::string& text) {
  return is_utf8(text) ? text : printable(text);
}

TomlArray mounts_of(const GuestPlan& plan) {
  TomlArray out;
  for (const GuestPlace& place : plan.writable) {
    TomlTable mount;
    mount.set("type", "tmpfs");
    mount.set("path", toml_text(place.path));
    out.emplace_back(std::move(mount));
  }
  return out;
}

TomlArray files_of_guest(const GuestTree& tree) {
  TomlArray out;
  for (const auto& [path, entry] : tree) {
    if (entry.type != GuestEntry::Type::file) continue;
    TomlTable file;
    file.set("uri", cat("file:/", toml_text(path)));
    file.set("sha256", entry.sha256.hex());
    out.emplace_back(std::move(file));
  }
  return out;
}

}  // namespace

TomlTable permissions_table(const GuestPlan& plan, const GuestTree& tree) {
  TomlTable out;
  out.put("libos.entrypoint", toml_text(plan.program));
  TomlArray argv;
  for (const std::string& word : plan.argv) argv.emplace_back(toml_text(word));
  out.put("loader.argv", std::move(argv));
  out.put("loader.uid", static_cast<std::int64_t>(plan.uid));
  out.put("loader.gid", static_cast<std::int64_t>(plan.gid));
  TomlTable env;
  for (const auto& [name, value] : plan.env) env.set(toml_text(name), toml_text(value));
  out.put("loader.env", std::move(env));
  out.put("fs.start_dir", toml_text(plan.workdir));
  out.put("fs.mounts", mounts_of(plan));
  out.put("sgx.trusted_files", files_of_guest(tree));
  return out;
}

}  // namespace cloister::manifest
