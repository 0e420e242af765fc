#include "manifest-gen/gramine/migrate.h"

#include <optional>

#include "base/text.h"
#include "manifest-gen/gramine/keys.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::manifest {
namespace {

struct Renamed {
  std::string_view from, to;  // to: empty when nothing takes its place
};
constexpr Renamed kRenamed[] = {
    {"sgx.thread_num", "sgx.max_threads"},
    {"sgx.rpc_thread_num", "sgx.insecure__rpc_thread_num"},
    {"sgx.require_exinfo", "sgx.use_exinfo"},
    {"sgx.insecure__protected_files_key", "fs.insecure__keys.default"},
    {"fs.insecure__protected_files_key", "fs.insecure__keys.default"},
    {"loader.exec", "libos.entrypoint"},
    {"loader.pal_internal_mem_size", ""},
    {"fs.experimental__enable_sysfs_topology", ""},
    {"sgx.nonpie_binary", ""},
    {"sgx.sigfile", ""},
    {"sgx.ra_client_spid", ""},
    {"sgx.ra_client_linkable", ""},
};

class Migrator {
 public:
  explicit Migrator(const TomlTable& manifest) { out_.manifest = manifest; }

  Migration run() {
    for (const Renamed& row : kRenamed) rename(row);
    loader_entrypoint();
    libos_entrypoint();
    first_argument();
    old_mounts();
    file_tables();
    protected_files("sgx.protected_files", "default");
    protected_files("sgx.protected_mrenclave_files", "_sgx_mrenclave");
    protected_files("sgx.protected_mrsigner_files", "_sgx_mrsigner");
    features();
    attestation();
    booleans();
    if (out_.manifest.at("fs.mounts") == nullptr) {
      if (put("fs.mounts", TomlArray())) note("fs.mounts = [] was added: it must be there");
    }
    return std::move(out_);
  }

 private:
  TomlTable& table() { return out_.manifest; }
  void note(std::string text) { out_.done.push_back(std::move(text)); }

  // The value and its key are taken out.
  std::optional<TomlValue> take(std::string_view dotted) {
    const std::size_t dot = dotted.rfind('.');
    TomlTable* parent = &table();
    if (dot != std::string_view::npos) {
      const TomlValue* value = table().at(dotted.substr(0, dot));
      if (value == nullptr || value->table() == nullptr) return std::nullopt;
      parent = const_cast<TomlTable*>(value->table());  // NOLINT: of a table that is ours
    }
    const std::string_view name = dot == std::string_view::npos ? dotted : dotted.substr(dot + 1);
    TomlValue* value = parent->find(name);
    if (value == nullptr) return std::nullopt;
    TomlValue out = std::move(*value);
    parent->erase(name);
    return out;
  }

  // False when something else than a table is in the way.
  bool put(std::string_view dotted, TomlValue value) {
    for (std::size_t dot = dotted.find('.'); dot != std::string_view::npos;
         dot = dotted.find('.', dot + 1)) {
      const TomlValue* on_the_way = table().at(dotted.substr(0, dot));
      if (on_the_way != nullptr && on_the_way->table() == nullptr) return false;
    }
    table().put(dotted, std::move(value));
    return true;
  }

  void move_to(std::string_view from, TomlValue value, std::string_view to) {
    if (table().at(to) != nullptr)
      note(cat(from, " was dropped: ", to, " is set"));
    else if (put(to, std::move(value)))
      note(cat(from, " is ", to, " now"));
    else
      note(cat(from, " was dropped: there is no place for ", to));
  }

  void rename(const Renamed& row) {
    auto value = take(row.from);
    if (!value) return;
    if (row.to.empty())
      note(cat(row.from, " was dropped: nothing takes its place"));
    else
      move_to(row.from, std::move(*value), row.to);
  }

  void loader_entrypoint() {
    if (auto preload = take("loader.preload"))
      move_to("loader.preload", std::move(*preload), "loader.entrypoint.uri");
    const TomlValue* value = table().at("loader.entrypoint");
    if (value == nullptr || value->string() == nullptr) return;
    TomlValue uri = *take("loader.entrypoint");
    move_to("loader.entrypoint", std::move(uri), "loader.entrypoint.uri");
  }

  void libos_entrypoint() {
    const std::string* uri = string_at(table(), "libos.entrypoint");
    if (uri == nullptr || !uri->starts_with("file:")) return;
    std::string path(uri_path(*uri));
    if (!path.starts_with('/')) path = cat("/", path);
    note(cat("libos.entrypoint is the path ", path, " now, not a URI"));
    table().put("libos.entrypoint", std::move(path));
  }

  void first_argument() {
    auto name = take("loader.argv0_override");
    if (!name) return;
    const TomlValue* argv = table().at("loader.argv");
    if (argv != nullptr && argv->array() != nullptr && !argv->array()->empty()) {
      TomlArray all = *argv->array();
      all.front() = std::move(*name);
      put("loader.argv", std::move(all));
    } else {
      put("loader.argv", TomlArray{std::move(*name)});
    }
    note("loader.argv0_override is the first element of loader.argv now");
  }

  void add_mount(TomlTable mount) {
    const TomlValue* mounts = table().at("fs.mounts");
    TomlArray all =
        mounts != nullptr && mounts->array() != nullptr ? *mounts->array() : TomlArray();
    all.emplace_back(std::move(mount));
    put("fs.mounts", std::move(all));
  }

  void old_mounts() {
    auto old = take("fs.mount");
    if (!old || old->table() == nullptr) return;
    for (auto& [name, value] : *old->table()) {
      if (value.table() == nullptr) continue;
      if (name == "root") {
        value.table()->erase("path");  // it says where by itself
        move_to("fs.mount.root", std::move(value), "fs.root");
      } else {
        note(cat("fs.mount.", name, " is an entry of fs.mounts now"));
        add_mount(std::move(*value.table()));
      }
    }
  }

  // { name = "file:/x" } as tables of names were until 1.2.
  static TomlArray values_of(TomlValue value) {
    TomlArray out;
    if (const TomlArray* array = value.array()) return *array;
    if (TomlTable* table = value.table()) {
      for (auto& [name, item] : *table) out.push_back(std::move(item));
    } else if (value.string() != nullptr) {
      out.push_back(std::move(value));
    }
    return out;
  }

  void file_tables() {
    for (const std::string_view key : {"sgx.trusted_files", "sgx.allowed_files"}) {
      const TomlValue* value = table().at(key);
      if (value == nullptr || value->table() == nullptr) continue;
      put(key, values_of(*take(key)));
      note(cat(key, " is an array now"));
    }
  }

  void protected_files(std::string_view key, const char* key_name) {
    auto old = take(key);
    if (!old) return;
    for (const TomlValue& uri : values_of(std::move(*old))) {
      if (uri.string() == nullptr) continue;
      std::string path(uri_path(*uri.string()));
      if (!path.starts_with('/')) path = cat("/", path);
      TomlTable mount;
      mount.set("type", "encrypted");
      mount.set("path", std::move(path));
      mount.set("uri", *uri.string());
      mount.set("key_name", key_name);
      add_mount(std::move(mount));
    }
    note(cat(key, " are encrypted mounts with the key ", key_name, " now"));
  }

  void features() {
    for (const std::string_view name : {"avx", "avx512", "amx", "mpx", "pkru"}) {
      const std::string from = cat("sgx.require_", name), to = cat("sgx.cpu_features.", name);
      auto value = take(from);
      if (!value) continue;
      const bool required = (value->boolean() != nullptr && *value->boolean()) ||
                            (value->integer() != nullptr && *value->integer() != 0);
      if (required)
        move_to(from, "required", to);
      else
        note(cat(from, " was dropped: nothing was required"));
    }
  }

  void attestation() {
    const TomlValue* value = table().at("sgx.remote_attestation");
    if (value == nullptr) return;
    const bool epid = value->string() != nullptr && *value->string() == "epid";
    const bool* truth = value->boolean();
    if (!epid && truth == nullptr) return;
    const char* now = truth != nullptr && !*truth ? "none" : "dcap";
    note(cat("sgx.remote_attestation is \"", now, "\" now", epid ? ": EPID is gone" : ""));
    table().put("sgx.remote_attestation", now);
  }

  // 0 and 1 for what is true or false now.
  void booleans() {
    for (const KeyRule& rule : key_rules()) {
      if (rule.type != KeyType::boolean) continue;
      const std::int64_t* number = integer_at(table(), rule.key);
      if (number == nullptr || *number < 0 || *number > 1) continue;
      const bool truth = *number == 1;
      table().put(rule.key, truth);
      note(cat(rule.key, " is ", truth ? "true" : "false", " now, not a number"));
    }
  }

  Migration out_;
};

}  // namespace

Migration migrate_manifest(const TomlTable& manifest) {
  return Migrator(manifest).run();
}

}  // namespace cloister::manifest
