// The settings of a manifest that weaken what the enclave is for. Gramine itself warns of some at
// start, in the container's log, when it is too late; of most it says nothing.
#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/audit/manifest_passes.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/gramine/values.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

// A boolean that is a risk when it has this value.
struct Flag {
  std::string_view rule, key;
  bool value;
  std::string_view evidence, fix;
};
constexpr Flag kFlags[] = {
    {kRuleDebug, "sgx.debug", true, "is true", "set it to false for anything but debugging"},
    {kRuleHostEnvironment, "loader.insecure__use_host_env", true, "is true",
     "name the variables that may come from the host with --passthrough"},
    {kRuleMemoryFaults, "sgx.insecure__allow_memfaults_without_exinfo", true,
     "is true: faults are believed that the processor did not record",
     "remove it; sgx.use_exinfo = true lets the processor record them"},
    {kRuleProfiling, "sgx.enable_stats", true, "is true",
     "remove it: only debug enclaves can be measured in this way"},
    {kRuleProfiling, "sgx.vtune_profile", true, "is true",
     "remove it: only debug enclaves can be profiled"},
    {kRuleNoAslr, "loader.insecure__disable_aslr", true, "is true", "remove it"},
    {kRuleEventfd, "sys.insecure__allow_eventfd", true,
     "is true: the host keeps the counters that threads wait for",
     "remove it: since Gramine 1.7 eventfd works inside the enclave"},
    {kRuleFlock, "sys.experimental__enable_flock", true, "is true",
     "remove it, unless the program stops without locks"},
    {kRulePointerChecks, "libos.check_invalid_pointers", false,
     "is false: bad pointers in system calls crash the program",
     "remove it, unless a measurement shows that it is needed for speed"},
    {kRuleExceptionInfo, "sgx.use_exinfo", true, "is true",
     "remove it, unless the program handles its own page faults (Java, Go with EDMM)"},
    {kRuleSigterm, "sys.enable_sigterm_injection", true,
     "is true: docker stop ends the program in good order", "nothing, if an orderly end is wanted"},
    {kRuleHostNames, "sys.enable_extra_runtime_domain_names_conf", true,
     "is true: /etc/resolv.conf is made from what the host says, checked in form only",
     "nothing, if the program checks by TLS whom it talks to; set it to false if it asks for no "
     "names"},
};

void flag_findings(const TomlTable& table, std::vector<Finding>& out) {
  for (const Flag& flag : kFlags) {
    const TomlValue* value = table.at(flag.key);
    if (value == nullptr || value->boolean() == nullptr || *value->boolean() != flag.value)
      continue;
    out.push_back(make_finding(flag.rule, std::string(flag.key), std::string(flag.evidence),
                               std::string(flag.fix)));
  }
}

// Programs to which arguments are code.
bool runs_arguments(std::string_view base) {
  static constexpr std::string_view kNames[] = {"python", "perl", "ruby", "node", "java",
                                                "php",    "lua",  "R",    "tclsh"};
  return is_shell(base) || std::any_of(std::begin(kNames), std::end(kNames),
                                       [&](auto name) { return base.starts_with(name); });
}

void argument_findings(const TomlTable& table, std::vector<Finding>& out) {
  if (!true_at(table, "loader.insecure__use_cmdline_argv")) return;
  const std::string* program = string_at(table, "libos.entrypoint");
  const bool code = program == nullptr || runs_arguments(base_name(*program));
  Finding finding =
      make_finding(kRuleHostArguments, "loader.insecure__use_cmdline_argv",
                   cat("is true", code && program != nullptr
                                      ? cat(", and ", base_name(*program), " runs its arguments")
                                      : std::string()),
                   "fix the arguments with loader.argv");
  if (!code) finding.severity = Severity::high;
  out.push_back(std::move(finding));
}

bool has_encrypted_mount(const TomlTable& table) {
  const std::vector<Mount> all = mounts(table);
  return std::any_of(all.begin(), all.end(),
                     [](const Mount& mount) { return mount.type == "encrypted"; });
}

void attestation_findings(const TomlTable& table, std::vector<Finding>& out) {
  const TomlValue* value = table.at("sgx.remote_attestation");
  const std::string* text = value == nullptr ? nullptr : value->string();
  if (value != nullptr && (text == nullptr || *text != "none")) return;
  const bool secrets =
      has_encrypted_mount(table) || table.at("loader.env.SECRET_PROVISION_SERVERS") != nullptr;
  Finding finding = make_finding(kRuleNoAttestation, "sgx.remote_attestation",
                                 cat(value == nullptr ? "is not set, which means none" : "is none",
                                     secrets ? ", and the program is to be given secrets" : ""),
                                 "set it to \"dcap\"; leave --no-attestation out");
  if (!secrets) finding.severity = Severity::medium;
  out.push_back(std::move(finding));
}

void log_level_findings(const TomlTable& table, std::vector<Finding>& out) {
  const std::string* level = string_at(table, "loader.log_level");
  if (level != nullptr && *level != "none" && *level != "error") {
    Finding finding =
        make_finding(kRuleLogging, "loader.log_level", cat("is ", *level), "set it to \"error\"");
    if (*level == "warning") finding.severity = Severity::low;
    out.push_back(std::move(finding));
  }
  if (table.at("loader.log_file") == nullptr) return;
  Finding finding = make_finding(kRuleLogging, "loader.log_file",
                                 "is set: the log is a file of the host's", "remove it");
  finding.severity = Severity::low;
  out.push_back(std::move(finding));
}

void profile_findings(const TomlTable& table, std::vector<Finding>& out) {
  const std::string* profile = string_at(table, "sgx.profile.enable");
  if (profile != nullptr && *profile != "none")
    out.push_back(make_finding(kRuleProfiling, "sgx.profile.enable", cat("is ", *profile),
                               "remove it: only debug enclaves can be profiled"));
}

void rpc_findings(const TomlTable& table, std::vector<Finding>& out) {
  const std::int64_t* threads = integer_at(table, "sgx.insecure__rpc_thread_num");
  if (threads != nullptr && *threads > 0)
    out.push_back(make_finding(kRuleRpcThreads, "sgx.insecure__rpc_thread_num",
                               cat("is ", *threads), "remove it: exitless mode is not safe"));
}

void key_findings(const TomlTable& table, std::vector<Finding>& out) {
  const TomlValue* keys = table.at("fs.insecure__keys");
  if (keys == nullptr || keys->table() == nullptr) return;
  for (const auto& [name, value] : *keys->table())
    out.push_back(make_finding(kRulePublicKey, cat("fs.insecure__keys.", toml_key(name)),
                               "the key of encrypted mounts stands in the manifest",
                               "remove it: let the key be provisioned after attestation, or use "
                               "_sgx_mrsigner or _sgx_mrenclave"));
}

void mock_findings(const TomlTable& table, std::vector<Finding>& out) {
  static constexpr std::string_view kHarmless[] = {
      "sched_setaffinity", "sched_getaffinity", "mlock",         "mlockall",      "munlock",
      "madvise",           "set_mempolicy",     "get_mempolicy", "mbind",         "setpriority",
      "ioprio_set",        "fadvise64",         "eventfd2",      "inotify_init1", "uname"};
  const TomlValue* list = table.at("sys.debug__mock_syscalls");
  if (list == nullptr || list->array() == nullptr) return;
  for (const TomlValue& item : *list->array()) {
    const TomlValue* name = item.table() == nullptr ? nullptr : item.table()->find("name");
    if (name == nullptr || name->string() == nullptr) continue;
    Finding finding =
        make_finding(kRuleMockCalls, "sys.debug__mock_syscalls",
                     cat("the answer of ", *name->string(), " is made up"),
                     "remove it, and change the program or its configuration instead");
    if (std::find(std::begin(kHarmless), std::end(kHarmless), *name->string()) !=
        std::end(kHarmless))
      finding.severity = Severity::medium;
    out.push_back(std::move(finding));
  }
}

void ioctl_findings(const TomlTable& table, std::vector<Finding>& out) {
  const TomlValue* list = table.at("sys.allowed_ioctls");
  if (list == nullptr || list->array() == nullptr || list->array()->empty()) return;
  out.push_back(make_finding(
      kRuleHostDevices, "sys.allowed_ioctls",
      cat(list->array()->size(), list->array()->size() == 1 ? " request goes" : " requests go",
          " to the host's devices"),
      "remove them, unless the program checks what comes back from a device"));
}

void version_findings(const TomlTable& table, std::vector<Finding>& out) {
  const auto zero = [&](std::string_view key) {
    const std::int64_t* value = integer_at(table, key);
    return value == nullptr || *value == 0;
  };
  const bool unversioned = zero("sgx.isvprodid") && zero("sgx.isvsvn");
  if (unversioned)
    out.push_back(make_finding(kRuleNoVersion, "sgx.isvsvn",
                               "sgx.isvprodid and sgx.isvsvn are both 0",
                               "number products and security updates: --isvprodid, --isvsvn"));
  for (const Mount& mount : mounts(table)) {
    if (mount.type != "encrypted") continue;
    if (mount.key_name == "_sgx_mrsigner") {
      Finding finding = make_finding(
          kRuleSignerKey, "fs.mounts",
          cat(mount.path, " is encrypted for the signer",
              unversioned ? ", and all products of the signer look the same" : ""),
          unversioned ? "give the product an --isvprodid" : "nothing, if updates must read it");
      if (!unversioned) finding.severity = Severity::info;
      out.push_back(std::move(finding));
    } else if (mount.key_name == "_sgx_mrenclave") {
      out.push_back(make_finding(kRuleEnclaveKey, "fs.mounts",
                                 cat(mount.path, " is encrypted for this enclave alone"),
                                 "nothing, if losing it at an update is right; _sgx_mrsigner or a "
                                 "provisioned key lasts"));
    }
  }
}

// Whether something in the manifest is known to fetch keys.
bool provisions_keys(const TomlTable& table) {
  const std::string* program = string_at(table, "libos.entrypoint");
  const std::string* preload = string_at(table, "loader.env.LD_PRELOAD");
  return table.at("loader.env.SECRET_PROVISION_SERVERS") != nullptr ||
         (program != nullptr && program->ends_with("premain-libos")) ||
         (preload != nullptr && preload->find("secret_prov") != std::string::npos);
}

// The encrypted mount that `mount` lies in, or stands twice; null: none. Directories above are
// looked up by name: a manifest of many mounts is no reason to compare each with each.
const Mount* overlapped(const Mount& mount, const std::map<std::string_view, const Mount*>& first) {
  const auto same = first.find(mount.path);
  if (same != first.end() && same->second != &mount) return same->second;
  for (std::string_view above = mount.path; above.size() > 1;) {
    above = parent_directory(above);
    const auto at = first.find(above);
    if (at != first.end()) return at->second;
  }
  return nullptr;
}

void mount_findings(const TomlTable& table, std::vector<Finding>& out) {
  const std::vector<Mount> all = mounts(table);
  const TomlValue* keys = table.at("fs.insecure__keys");
  const bool provisioned = provisions_keys(table);
  std::map<std::string_view, const Mount*> encrypted;
  for (const Mount& mount : all)
    if (mount.type == "encrypted") encrypted.emplace(mount.path, &mount);
  for (const Mount& mount : all) {
    if (mount.type == "untrusted_shm")
      out.push_back(make_finding(kRuleSharedMount, "fs.mounts",
                                 cat(mount.path, " is of the type untrusted_shm"),
                                 "remove it, unless the program expects an enemy there"));
    if (mount.type != "encrypted") continue;
    if (const Mount* outer = overlapped(mount, encrypted))
      out.push_back(make_finding(kRuleMountOverlap, "fs.mounts",
                                 cat(mount.path, " lies within ", outer->path),
                                 "mount encrypted directories side by side"));
    const bool in_manifest = keys != nullptr && keys->table() != nullptr &&
                             keys->table()->find(mount.key_name) != nullptr;
    if (!mount.key_name.starts_with("_sgx_") && !in_manifest && !provisioned)
      out.push_back(make_finding(
          kRuleUnprovisionedKey, "fs.mounts",
          cat(mount.path, " is encrypted with the key ", quote(mount.key_name),
              ", and nothing in the manifest is known to fetch it"),
          "--secret-prov or --marblerun fetches keys; or the program writes the key to "
          "/dev/attestation/keys"));
  }
}

// Gramine binds sealed data to these bits (manifest_syntax, "seal key").
void seal_mask_findings(const TomlTable& table, std::vector<Finding>& out) {
  struct Mask {
    std::string_view key;
    std::uint64_t full;
  };
  static constexpr Mask kMasks[] = {{"sgx.seal_key.flags_mask", 0xffffffffffffffffULL},
                                    {"sgx.seal_key.xfrm_mask", 0xfffffffffff9ff1bULL},
                                    {"sgx.seal_key.misc_mask", 0xffffffffULL}};
  constexpr std::uint64_t kDebugBit = 2;  // ATTRIBUTES.FLAGS.DEBUG
  for (const Mask& mask : kMasks) {
    const std::string* text = string_at(table, mask.key);
    if (text == nullptr || !text->starts_with("0x")) continue;
    std::uint64_t value = 0;
    const char* end = text->data() + text->size();
    if (std::from_chars(text->data() + 2, end, value, 16).ptr != end) continue;
    if ((value & mask.full) == mask.full) continue;
    const bool debug = mask.key == kMasks[0].key && (value & kDebugBit) == 0;
    Finding finding =
        make_finding(kRuleSealMask, std::string(mask.key),
                     cat("is ", *text,
                         debug ? ": a debug enclave, which the host reads, gets the same key" : ""),
                     "remove it: the default binds to everything");
    if (!debug) finding.severity = Severity::medium;
    out.push_back(std::move(finding));
  }
}

void feature_findings(const TomlTable& table, std::vector<Finding>& out) {
  const TomlValue* features = table.at("sgx.cpu_features");
  if (features == nullptr || features->table() == nullptr) return;
  for (const auto& [name, value] : *features->table())
    if (value.string() != nullptr && *value.string() != "unspecified")
      out.push_back(make_finding(kRuleCpuFeatures, cat("sgx.cpu_features.", toml_key(name)),
                                 cat("is ", *value.string()),
                                 "nothing, if the machines are known; else leave it unspecified"));
}

// ---- the environment ----

// Variables by which whoever sets them runs code or changes whom the program trusts; and those that
// merely move where it looks.
enum class Steering { none, moves, code };

Steering steering_of(std::string_view name) {
  static constexpr std::string_view kPrefixes[] = {"LD_", "PYTHON", "PERL5", "RUBY", "SSL_CERT_"};
  static constexpr std::string_view kCode[] = {"GCONV_PATH",
                                               "NODE_OPTIONS",
                                               "NODE_PATH",
                                               "JAVA_TOOL_OPTIONS",
                                               "JDK_JAVA_OPTIONS",
                                               "_JAVA_OPTIONS",
                                               "CLASSPATH",
                                               "BASH_ENV",
                                               "ENV",
                                               "OPENSSL_CONF",
                                               "GLIBC_TUNABLES",
                                               "PATH",
                                               "LOCPATH",
                                               "OPENSSL_MODULES",
                                               "OPENSSL_ENGINES",
                                               "NODE_EXTRA_CA_CERTS",
                                               "CURL_CA_BUNDLE",
                                               "REQUESTS_CA_BUNDLE",
                                               "R_PROFILE",
                                               "R_LIBS",
                                               "PHPRC",
                                               "PHP_INI_SCAN_DIR",
                                               "GEM_PATH",
                                               "GEM_HOME"};
  static constexpr std::string_view kMoves[] = {"HOME", "TMPDIR", "TZDIR", "TERMINFO",
                                                "XDG_CONFIG_HOME"};
  const auto in = [&](const auto& list) {
    return std::find(std::begin(list), std::end(list), name) != std::end(list);
  };
  const bool prefixed =
      std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                  [&](std::string_view prefix) { return name.starts_with(prefix); });
  if (prefixed || in(kCode)) return Steering::code;
  if (in(kMoves) || name.starts_with("MALLOC_")) return Steering::moves;
  return Steering::none;
}

void environment_findings(const TomlTable& table, std::vector<Finding>& out) {
  for (const std::string& name : passthrough_names(table)) {
    const Steering steering = steering_of(name);
    const std::string_view evidence =
        steering == Steering::code ? "the host chooses a variable that loads code or moves trust"
        : steering == Steering::moves
            ? "the host chooses where the program looks for files, or how "
              "its memory is handled"
            : "the host chooses the value";
    Finding finding =
        make_finding(steering == Steering::none ? kRulePassthrough : kRulePassthroughCode,
                     cat("loader.env.", toml_key(name)), std::string(evidence),
                     "set the value in the manifest (--env NAME=VALUE)");
    if (steering == Steering::moves) finding.severity = Severity::high;
    if (name.starts_with("EDG_")) finding.severity = Severity::info;  // MarbleRun's own
    out.push_back(std::move(finding));
  }
}

void source_file_findings(const TomlTable& table, std::vector<Finding>& out) {
  const std::vector<FileEntry> trusted = file_entries(table, "sgx.trusted_files");
  for (const std::string_view key : {"loader.argv_src_file", "loader.env_src_file"}) {
    const std::string* uri = string_at(table, key);
    if (uri == nullptr) continue;
    const bool found = std::any_of(trusted.begin(), trusted.end(), [&](const FileEntry& entry) {
      return uri_path(entry.uri) == uri_path(*uri) ||
             (is_directory_uri(entry.uri) && is_within(uri_path(*uri), uri_path(entry.uri)));
    });
    if (!found)
      out.push_back(make_finding(kRuleUncheckedSource, std::string(key),
                                 cat(*uri, " is not in sgx.trusted_files"),
                                 "trust the file, or write its contents into the manifest"));
  }
}

}  // namespace

std::vector<Finding> manifest_findings(const EnclaveManifest& manifest,
                                       const measure::Rootfs* rootfs) {
  const TomlTable& table = manifest.table;
  std::vector<Finding> out;
  flag_findings(table, out);
  const std::string* policy = string_at(table, "sgx.file_check_policy");
  if (policy != nullptr && *policy == "allow_all_but_log")
    out.push_back(make_finding(kRuleLooseFiles, "sgx.file_check_policy", "is allow_all_but_log",
                               "remove it: the default is strict"));
  argument_findings(table, out);
  attestation_findings(table, out);
  log_level_findings(table, out);
  profile_findings(table, out);
  rpc_findings(table, out);
  key_findings(table, out);
  mock_findings(table, out);
  ioctl_findings(table, out);
  version_findings(table, out);
  mount_findings(table, out);
  seal_mask_findings(table, out);
  feature_findings(table, out);
  environment_findings(table, out);
  source_file_findings(table, out);
  file_list_findings(table, rootfs, out);
  for (Finding& finding : marblerun_findings(manifest)) out.push_back(std::move(finding));
  return out;
}

}  // namespace cloister::manifest
