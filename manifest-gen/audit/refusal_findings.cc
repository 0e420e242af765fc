// Why Gramine would not start an enclave with this manifest, or start it and stop at once.
#include <algorithm>

#include "base/text.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/gramine/keys.h"
#include "manifest-gen/gramine/validate.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::manifest {
namespace {

constexpr std::size_t kMostViolations = 200;
constexpr std::int64_t kHelperThreads =
    3;  // Gramine's own: IPC, asynchronous events, TLS handshake
constexpr std::int64_t kDefaultThreads = 4;  // what Gramine's signer fills in
constexpr std::uint64_t kDefaultStack = 256U << 10;

// What sgx-sign leaves behind: every trusted file with its hash, and libsysdb's.
bool is_final_form(const TomlTable& table) {
  const std::vector<FileEntry> trusted = file_entries(table, "sgx.trusted_files");
  return string_at(table, "loader.entrypoint.sha256") != nullptr &&
         std::all_of(trusted.begin(), trusted.end(),
                     [](const FileEntry& entry) { return !entry.sha256.empty(); });
}

Finding violation_finding(const Violation& violation) {
  const bool misspelled =
      !violation.key.empty() && find_key(violation.key) == nullptr && !is_key_table(violation.key);
  std::string evidence = violation.error.what();
  for (const std::string& line : violation.error.details()) evidence += cat("; ", line);
  std::string fix = violation.error.hint();
  if (fix.empty()) fix = "see the manifest syntax of Gramine 1.9";
  return make_finding(misspelled ? kRuleRemovedKey : kRuleRefused,
                      violation.key.empty() ? std::string("manifest") : violation.key,
                      std::move(evidence), std::move(fix));
}

void thread_findings(const TomlTable& table, std::vector<Finding>& out) {
  const std::int64_t* given = integer_at(table, "sgx.max_threads");
  const std::int64_t threads = given != nullptr ? *given : kDefaultThreads;
  if (threads <= kHelperThreads && threads > 0 && !true_at(table, "sgx.edmm_enable"))
    out.push_back(make_finding(kRuleThreads, "sgx.max_threads", cat("is ", threads),
                               "raise it to the program's threads and 3: --max-threads"));
  const std::string* size = string_at(table, "sgx.enclave_size");
  if (size == nullptr || threads <= 0 || threads > 4096) return;
  const auto enclave = parse_size(*size, Strictness::signer);
  const std::string* stack_text = string_at(table, "sys.stack.size");
  const auto stack =
      stack_text != nullptr ? parse_size(*stack_text, Strictness::signer) : kDefaultStack;
  if (!enclave.has_value() || !stack.has_value()) return;
  if (*stack <= *enclave / static_cast<std::uint64_t>(threads)) return;
  out.push_back(make_finding(
      kRuleStacks, "sys.stack.size",
      cat(threads, " stacks of ", human_bytes(*stack), " do not fit into ", human_bytes(*enclave)),
      "make the stacks or the number of threads smaller, or the enclave larger"));
}

void entrypoint_findings(const TomlTable& table, std::vector<Finding>& out) {
  const std::string* program = string_at(table, "libos.entrypoint");
  if (program == nullptr || !program->starts_with('/')) return;  // refused above
  const auto path = host_path(mounts(table), *program);
  if (!path) return;  // from an encrypted mount: protected otherwise
  const auto has = [&](std::string_view list) {
    const std::vector<FileEntry> entries = file_entries(table, list);
    return std::any_of(entries.begin(), entries.end(), [&](const FileEntry& entry) {
      std::string_view listed = uri_path(entry.uri);
      if (listed.starts_with("./")) listed.remove_prefix(2);
      return listed == *path ||
             (is_directory_uri(entry.uri) && path->starts_with(cat(listed, "/")));
    });
  };
  if (has("sgx.trusted_files") || has("sgx.allowed_files")) return;
  out.push_back(make_finding(kRuleEntrypoint, "libos.entrypoint",
                             cat(*path, " is neither trusted nor allowed"),
                             cat("add \"file:", *path, "\" to sgx.trusted_files")));
}

}  // namespace

std::vector<Finding> refusal_findings(const EnclaveManifest& manifest) {
  std::vector<Finding> out;
  const Strictness strictness =
      is_final_form(manifest.table) ? Strictness::loader : Strictness::signer;
  for (const Violation& violation : find_violations(manifest, strictness, kMostViolations))
    out.push_back(violation_finding(violation));
  thread_findings(manifest.table, out);
  entrypoint_findings(manifest.table, out);
  return out;
}

}  // namespace cloister::manifest
