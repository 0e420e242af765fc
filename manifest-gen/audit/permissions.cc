// Every key of a manifest is compared. The lists that grant something have rules of their own; of
// the settings a table says which value lets the program, or the host, do more.
#include "manifest-gen/audit/permissions.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>

#include "base/text.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::manifest {
namespace {

using Direction = Change::Direction;

constexpr std::string_view kFiles = "files", kWritable = "writable places",
                           kEnvironment = "environment", kArguments = "arguments",
                           kPrivileges = "privileges", kSettings = "settings",
                           kProvenance = "base and runtime", kMeasurement = "measurement";
constexpr std::string_view kAreas[] = {kFiles,      kWritable, kEnvironment, kArguments,
                                       kPrivileges, kSettings, kProvenance,  kMeasurement};

// Keys that are compared as lists, not as settings.
constexpr std::string_view kLists[] = {"sgx.trusted_files", "sgx.allowed_files", "fs.mounts",
                                       "fs.root",           "loader.env",        "loader.argv",
                                       "loader.entrypoint"};

// Settings that let the host do more when true; and those that do so when false.
constexpr std::string_view kRiskyWhenTrue[] = {"sgx.debug",
                                               "sgx.enable_stats",
                                               "sgx.vtune_profile",
                                               "loader.insecure__use_host_env",
                                               "loader.insecure__use_cmdline_argv",
                                               "loader.insecure__disable_aslr",
                                               "sgx.insecure__allow_memfaults_without_exinfo",
                                               "sys.insecure__allow_eventfd",
                                               "sys.experimental__enable_flock",
                                               "sys.enable_sigterm_injection",
                                               "sys.enable_extra_runtime_domain_names_conf",
                                               "sgx.use_exinfo"};
constexpr std::string_view kRiskyWhenFalse[] = {"libos.check_invalid_pointers",
                                                "sys.disallow_subprocesses"};
// Anything that is there lets the host do more than nothing.
constexpr std::string_view kRiskyWhenPresent[] = {"sys.debug__mock_syscalls", "sys.allowed_ioctls",
                                                  "loader.argv_src_file", "loader.env_src_file",
                                                  "loader.log_file"};

template <std::size_t N>
bool is_one_of(std::string_view key, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), key) != std::end(list);
}

// How much a setting lets the host or the program do; nothing: it is no matter of more or less.
std::optional<std::int64_t> grade(std::string_view key, const TomlValue* value) {
  const bool is_true = value != nullptr && value->boolean() != nullptr && *value->boolean();
  const bool is_false = value != nullptr && value->boolean() != nullptr && !*value->boolean();
  const std::string* text = value != nullptr ? value->string() : nullptr;
  const std::int64_t* number = value != nullptr ? value->integer() : nullptr;
  if (is_one_of(key, kRiskyWhenTrue)) return is_true ? 1 : 0;
  if (key == "sys.disallow_subprocesses") return is_true ? 0 : 1;
  if (is_one_of(key, kRiskyWhenFalse)) return is_false ? 1 : 0;
  if (is_one_of(key, kRiskyWhenPresent) || key.starts_with("fs.insecure__keys."))
    return value != nullptr ? 1 : 0;
  if (key == "sgx.remote_attestation") return text != nullptr && *text == "dcap" ? 0 : 1;
  if (key == "sgx.file_check_policy") return text != nullptr && *text == "allow_all_but_log";
  if (key == "sgx.profile.enable") return text != nullptr && *text != "none";
  if (key == "sgx.insecure__rpc_thread_num") return number != nullptr && *number > 0;
  if (key == "loader.uid" || key == "loader.gid") return number == nullptr || *number == 0;
  if (key == "loader.log_level") {
    static constexpr std::string_view kLevels[] = {"none",  "error", "warning",
                                                   "debug", "trace", "all"};
    const auto at =
        std::find(std::begin(kLevels), std::end(kLevels), text == nullptr ? "error" : *text);
    return at - std::begin(kLevels);
  }
  // An older security version is what a roll-back brings.
  if (key == "sgx.isvsvn") return number == nullptr ? 0 : -*number;
  // A mask with fewer bits seals for more enclaves.
  if (key.starts_with("sgx.seal_key.")) {
    const bool xfrm = key == "sgx.seal_key.xfrm_mask";
    const std::string_view mask = text != nullptr ? std::string_view(*text)
                                  : xfrm          ? "0xfffffffffff9ff1b"
                                                  : "0x";
    return std::count_if(mask.begin(), mask.end(),
                         [](char c) { return c != 'f' && c != 'F' && c != 'x'; });
  }
  return std::nullopt;
}

std::string shown(const TomlValue* value) {
  if (value == nullptr) return {};
  TomlTable one;
  one.set("v", *value);
  const std::string line = emit_toml(one);
  constexpr std::string_view kHead = "v = ";
  return std::string(trim(line.starts_with(kHead) ? line.substr(kHead.size()) : line));
}

using Named = std::map<std::string, std::string, std::less<>>;

class Comparison {
 public:
  Comparison(const Permissions& before, const Permissions& after) : old_(before), new_(after) {}

  std::vector<Change> run() {
    files();
    writable();
    environment();
    arguments();
    settings();
    text(kProvenance, "base", old_.base, new_.base);
    text(kProvenance, "runtime", old_.runtime, new_.runtime);
    text(kMeasurement, "mrenclave", old_.mrenclave, new_.mrenclave);
    std::stable_sort(out_.begin(), out_.end(), [](const Change& a, const Change& b) {
      const auto rank = [](const Change& change) {
        return std::make_tuple(
            change.direction,
            std::find(std::begin(kAreas), std::end(kAreas), change.area) - std::begin(kAreas));
      };
      return rank(a) < rank(b);
    });
    return std::move(out_);
  }

 private:
  void add(Direction direction, std::string_view area, std::string what, std::string before,
           std::string after) {
    out_.push_back(
        {direction, std::string(area), std::move(what), std::move(before), std::move(after)});
  }

  // Only where both sides say something.
  void text(std::string_view area, std::string what, const std::string& before,
            const std::string& after) {
    if (!before.empty() && !after.empty() && before != after)
      add(Direction::differs, area, std::move(what), before, after);
  }

  // What is in one and not in the other lets that one do more.
  void named(std::string_view area, const Named& before, const Named& after, Direction changed) {
    for (const auto& [name, value] : after) {
      const auto old = before.find(name);
      if (old == before.end())
        add(Direction::widens, area, name, "", value);
      else if (old->second != value)
        add(changed, area, name, old->second, value);
    }
    for (const auto& [name, value] : before)
      if (!after.contains(name)) add(Direction::narrows, area, name, value, "");
  }

  static Named trusted(const TomlTable& manifest) {
    Named out;
    for (const FileEntry& entry : file_entries(manifest, "sgx.trusted_files"))
      out.emplace(uri_path(entry.uri), entry.sha256);
    return out;
  }

  void files() {
    // A file of other contents is an update, which says nothing of what may be opened.
    named(kFiles, trusted(old_.manifest), trusted(new_.manifest), Direction::differs);
  }

  static Named places(const TomlTable& manifest) {
    Named out;
    for (const FileEntry& entry : file_entries(manifest, "sgx.allowed_files"))
      out.emplace(uri_path(entry.uri), "allowed: the host reads and writes it");
    for (const Mount& mount : mounts(manifest)) {
      if (mount.path == "/") continue;
      out[mount.path] = mount.type == "encrypted" ? cat("encrypted with ", mount.key_name)
                        : mount.uri.empty()       ? mount.type
                                                  : cat(mount.type, " ", mount.uri);
    }
    return out;
  }

  void writable() {
    const Named before = places(old_.manifest), after = places(new_.manifest);
    named(kWritable, before, after, Direction::differs);
    // From a place of the enclave's own to one that the host sees.
    for (Change& change : out_) {
      if (change.area != kWritable || change.direction != Direction::differs) continue;
      const auto open = [](const std::string& how) {
        return how.starts_with("allowed") || how.starts_with("untrusted_shm") ||
               how.starts_with("chroot");
      };
      if (!open(change.before) && open(change.after)) change.direction = Direction::widens;
      if (open(change.before) && !open(change.after)) change.direction = Direction::narrows;
    }
    const Mount before_root = mounts(old_.manifest).front(),
                after_root = mounts(new_.manifest).front();
    if (before_root.type != after_root.type || before_root.uri != after_root.uri)
      add(Direction::differs, kWritable, "/", cat(before_root.type, " ", before_root.uri),
          cat(after_root.type, " ", after_root.uri));
  }

  void environment() {
    const auto of = [](const TomlTable& manifest) -> const TomlTable* {
      const TomlValue* env = manifest.at("loader.env");
      return env == nullptr ? nullptr : env->table();
    };
    static const TomlTable kNone;
    const TomlTable& before = of(old_.manifest) != nullptr ? *of(old_.manifest) : kNone;
    const TomlTable& after = of(new_.manifest) != nullptr ? *of(new_.manifest) : kNone;
    const auto is_host = [](const TomlValue* value) {
      return value != nullptr && value->table() != nullptr &&
             true_at(*value->table(), "passthrough");
    };
    const auto how = [&](const TomlValue* value) {
      return is_host(value) ? std::string("the host's") : shown(value);
    };
    const auto compare = [&](const std::string& name) {
      const TomlValue *old = before.find(name), *now = after.find(name);
      if (old != nullptr && now != nullptr && *old == *now) return;
      const Direction direction = is_host(now) && !is_host(old)   ? Direction::widens
                                  : is_host(old) && !is_host(now) ? Direction::narrows
                                                                  : Direction::differs;
      add(direction, kEnvironment, name, how(old), how(now));
    };
    for (const auto& [name, value] : after) compare(name);
    for (const auto& [name, value] : before)
      if (after.find(name) == nullptr) compare(name);
  }

  void arguments() {
    const TomlValue *before = old_.manifest.at("loader.argv"),
                    *after = new_.manifest.at("loader.argv");
    const bool same = before == nullptr || after == nullptr ? before == after : *before == *after;
    if (!same) add(Direction::differs, kArguments, "loader.argv", shown(before), shown(after));
  }

  // Every leaf that is in no list, by its dotted key.
  static void leaves(const TomlTable& table, std::map<std::string, const TomlValue*>& out) {
    struct Open {
      const TomlTable* table;
      std::string prefix;
    };
    std::vector<Open> open = {{&table, ""}};
    for (std::size_t at = 0; at < open.size(); ++at) {
      const Open one = open[at];
      for (const auto& [key, value] : *one.table) {
        const std::string name = one.prefix.empty() ? key : cat(one.prefix, ".", key);
        if (is_one_of(name, kLists)) continue;
        if (value.table() != nullptr)
          open.push_back({value.table(), name});
        else
          out.emplace(name, &value);
      }
    }
  }

  void settings() {
    std::map<std::string, const TomlValue*> before, after;
    leaves(old_.manifest, before);
    leaves(new_.manifest, after);
    const auto at = [](const auto& map, const std::string& key) {
      const auto found = map.find(key);
      return found == map.end() ? nullptr : found->second;
    };
    const auto compare = [&](const std::string& key) {
      const TomlValue *old = at(before, key), *now = at(after, key);
      if (old != nullptr && now != nullptr && *old == *now) return;
      const auto old_grade = grade(key, old), new_grade = grade(key, now);
      Direction direction = Direction::differs;
      if (old_grade && *old_grade < *new_grade) direction = Direction::widens;
      if (old_grade && *old_grade > *new_grade) direction = Direction::narrows;
      // Absent means the default: saying so is no change.
      if (old_grade && *old_grade == *new_grade && (old == nullptr || now == nullptr)) return;
      // Lists of requests and of answers: another one is more, whatever went.
      if (old_grade && *old_grade == *new_grade && is_one_of(key, kRiskyWhenPresent))
        direction = Direction::widens;
      add(direction, old_grade ? kPrivileges : kSettings, key, shown(old), shown(now));
    };
    for (const auto& [key, value] : after) compare(key);
    for (const auto& [key, value] : before)
      if (!after.contains(key)) compare(key);
  }

  const Permissions &old_, &new_;
  std::vector<Change> out_;
};

}  // namespace

std::string_view direction_name(Change::Direction direction) {
  static constexpr std::string_view kNames[] = {"widens", "narrows", "differs"};
  return kNames[static_cast<std::size_t>(direction)];
}

std::vector<Change> compare_permissions(const Permissions& before, const Permissions& after) {
  return Comparison(before, after).run();
}

bool widens(const std::vector<Change>& changes) {
  return std::any_of(changes.begin(), changes.end(),
                     [](const Change& change) { return change.direction == Direction::widens; });
}

}  // namespace cloister::manifest
