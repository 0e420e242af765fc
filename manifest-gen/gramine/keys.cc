// One row per key. Sources: the key table of Gramine 1.9's documentation, the schema of its
// gramine-manifest-check, and what its loader parses beyond both (trusted_files_cache_size is in
// the schema only). Removed keys come from the documentation's history, version 1.0 to 1.9.
#include "manifest-gen/gramine/keys.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kUid = std::numeric_limits<std::uint32_t>::max();
constexpr std::string_view kFeature = "unspecified disabled required";

constexpr KeyRule kRules[] = {
    {"loader.log_level", KeyType::choice, "none error warning debug trace all"},
    {"loader.log_file", KeyType::string},
    {"loader.entrypoint.uri", KeyType::string},
    {"loader.entrypoint.sha256", KeyType::string},
    {"loader.argv", KeyType::strings},
    {"loader.argv_src_file", KeyType::string},
    {"loader.insecure__use_cmdline_argv", KeyType::boolean},
    {"loader.env.*", KeyType::environment},
    {"loader.env_src_file", KeyType::string},
    {"loader.insecure__use_host_env", KeyType::boolean},
    {"loader.insecure__disable_aslr", KeyType::boolean},
    {"loader.uid", KeyType::integer, {}, 0, kUid},
    {"loader.gid", KeyType::integer, {}, 0, kUid},
    {"libos.entrypoint", KeyType::string},
    {"libos.check_invalid_pointers", KeyType::boolean},
    {"sys.enable_extra_runtime_domain_names_conf", KeyType::boolean},
    {"sys.fds.limit", KeyType::integer, {}, 0, kAny},
    {"sys.stack.size", KeyType::size},
    {"sys.brk.max_size", KeyType::size},
    {"sys.insecure__allow_eventfd", KeyType::boolean},
    {"sys.enable_sigterm_injection", KeyType::boolean},
    {"sys.disallow_subprocesses", KeyType::boolean},
    {"sys.debug__mock_syscalls", KeyType::mock_syscalls},
    {"sys.ioctl_structs.*", KeyType::anything},
    {"sys.allowed_ioctls", KeyType::ioctls},
    {"sys.experimental__enable_flock", KeyType::boolean},
    {"fs.root", KeyType::root},
    {"fs.mounts", KeyType::mounts},
    {"fs.start_dir", KeyType::string},
    {"fs.insecure__keys.*", KeyType::hex128},
    {"sgx.debug", KeyType::boolean},
    {"sgx.edmm_enable", KeyType::boolean},
    {"sgx.enclave_size", KeyType::size},
    {"sgx.max_threads", KeyType::integer, {}, 0, kAny},
    {"sgx.insecure__rpc_thread_num", KeyType::integer, {}, 0, 256},
    {"sgx.use_exinfo", KeyType::boolean},
    {"sgx.insecure__allow_memfaults_without_exinfo", KeyType::boolean},
    {"sgx.cpu_features.avx", KeyType::choice, kFeature},
    {"sgx.cpu_features.avx512", KeyType::choice, kFeature},
    {"sgx.cpu_features.amx", KeyType::choice, kFeature},
    {"sgx.cpu_features.mpx", KeyType::choice, "disabled required"},
    {"sgx.cpu_features.pkru", KeyType::choice, "disabled required"},
    {"sgx.isvprodid", KeyType::integer, {}, 0, 65535},
    {"sgx.isvsvn", KeyType::integer, {}, 0, 65535},
    {"sgx.seal_key.flags_mask", KeyType::mask64},
    {"sgx.seal_key.xfrm_mask", KeyType::mask64},
    {"sgx.seal_key.misc_mask", KeyType::mask32},
    {"sgx.allowed_files", KeyType::strings},
    {"sgx.trusted_files", KeyType::trusted_files},
    {"sgx.trusted_files_cache_size", KeyType::size},
    {"sgx.file_check_policy", KeyType::choice, "strict allow_all_but_log"},
    {"sgx.remote_attestation", KeyType::choice, "none dcap"},
    {"sgx.preheat_enclave", KeyType::boolean},
    {"sgx.enable_stats", KeyType::boolean},
    {"sgx.profile.enable", KeyType::choice, "none main all"},
    {"sgx.profile.mode", KeyType::choice, "aex ocall_inner ocall_outer"},
    {"sgx.profile.with_stack", KeyType::boolean},
    {"sgx.profile.frequency", KeyType::integer, {}, 1, kAny},
    {"sgx.vtune_profile", KeyType::boolean},
};

constexpr std::string_view kEncryptedMount =
    "an fs.mounts entry { type = \"encrypted\", path, uri, key_name }";
constexpr RemovedKey kRemoved[] = {
    {"loader.exec", "", "libos.entrypoint"},
    {"loader.preload", "1.2", "loader.entrypoint.uri"},
    {"loader.argv0_override", "1.3", "loader.argv (its first element)"},
    {"loader.pal_internal_mem_size", "1.5", "nothing: the memory is sized automatically"},
    {"fs.mount.*", "1.2", "fs.mounts, an array of tables"},
    {"fs.insecure__protected_files_key", "1.5", "fs.insecure__keys.NAME"},
    {"fs.experimental__enable_sysfs_topology", "1.5", "nothing: it is always on"},
    {"sgx.thread_num", "1.5", "sgx.max_threads"},
    {"sgx.rpc_thread_num", "1.3", "sgx.insecure__rpc_thread_num"},
    {"sgx.nonpie_binary", "1.5", "nothing: enclaves are placed automatically"},
    {"sgx.sigfile", "", "nothing: the loader finds the .sig file beside the manifest"},
    {"sgx.protected_files.*", "1.5", kEncryptedMount},
    {"sgx.protected_files", "1.5", kEncryptedMount},
    {"sgx.protected_mrenclave_files", "1.5", kEncryptedMount},
    {"sgx.protected_mrsigner_files", "1.5", kEncryptedMount},
    {"sgx.insecure__protected_files_key", "1.2", "fs.insecure__keys.NAME"},
    {"sgx.require_avx", "1.8", "sgx.cpu_features.avx = \"required\""},
    {"sgx.require_avx512", "1.8", "sgx.cpu_features.avx512 = \"required\""},
    {"sgx.require_amx", "1.8", "sgx.cpu_features.amx = \"required\""},
    {"sgx.require_mpx", "1.8", "sgx.cpu_features.mpx = \"required\""},
    {"sgx.require_pkru", "1.8", "sgx.cpu_features.pkru = \"required\""},
    {"sgx.require_exinfo", "1.8", "sgx.use_exinfo"},
    {"sgx.ra_client_spid", "1.9", "sgx.remote_attestation = \"dcap\" (EPID is gone)"},
    {"sgx.ra_client_linkable", "1.9", "sgx.remote_attestation = \"dcap\" (EPID is gone)"},
};

// "loader.env.*" matches "loader.env.PATH", whatever characters the name has.
bool matches_key(std::string_view pattern, std::string_view dotted) {
  if (!pattern.ends_with(".*")) return pattern == dotted;
  const std::string_view prefix = pattern.substr(0, pattern.size() - 1);
  return dotted.size() > prefix.size() && dotted.starts_with(prefix);
}

std::string_view last_component(std::string_view dotted) {
  const std::size_t dot = dotted.rfind('.');
  return dot == std::string_view::npos ? dotted : dotted.substr(dot + 1);
}

}  // namespace

std::span<const KeyRule> key_rules() {
  return kRules;
}

const KeyRule* find_key(std::string_view dotted) {
  for (const KeyRule& rule : kRules)
    if (matches_key(rule.key, dotted)) return &rule;
  return nullptr;
}

bool is_key_table(std::string_view dotted) {
  return std::any_of(std::begin(kRules), std::end(kRules), [&](const KeyRule& rule) {
    return rule.key.size() > dotted.size() && rule.key.starts_with(dotted) &&
           rule.key[dotted.size()] == '.';
  });
}

const RemovedKey* find_removed_key(std::string_view dotted) {
  for (const RemovedKey& removed : kRemoved)
    if (matches_key(removed.key, dotted)) return &removed;
  return nullptr;
}

std::optional<std::string_view> nearest_key(std::string_view dotted) {
  constexpr std::size_t kLongest = 64;  // a longer one was not meant to be any of ours
  if (dotted.size() > kLongest) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t least = dotted.size() / 3 + 1;
  for (const KeyRule& rule : kRules) {
    // The right name in the wrong table ("sgx.argv") is as likely as a slip of the pen.
    const std::size_t d =
        last_component(rule.key) == last_component(dotted) ? 1 : edit_distance(rule.key, dotted);
    if (d < least) least = d, best = rule.key;
  }
  return best;
}

}  // namespace cloister::manifest
