// The rule table. Ids: CL1xx runtime, CL2xx closure, CL3xx manifest, CL4xx what Gramine does not
// do. Severities follow what a host gains: critical lets it run code or read everything, high
// weakens a protection the enclave exists for, medium gives it data or influence, low and info are
// for people to know.
#include "manifest-gen/audit/rules.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kWithheldFile = "CL201", kMissingOptional = "CL202", kUnknown = "CL203";
constexpr std::string_view kExcluded = "CL220", kIncluded = "CL221", kIncludedSecret = "CL222",
                           kTrustWide = "CL223", kTrustNone = "CL224";
constexpr std::string_view kDebug = "CL301", kNoAttestation = "CL302", kAllowedFile = "CL303",
                           kAllowedCode = "CL304", kAllowedTrusted = "CL305",
                           kPassthroughCode = "CL306", kPassthrough = "CL307",
                           kHostArguments = "CL308", kHostEnvironment = "CL309",
                           kLooseFiles = "CL310", kContainerLog = "CL311";

// ---- manifests ----

bool is_true(const TomlTable& manifest, std::string_view key) {
  const TomlValue* value = manifest.at(key);
  return value != nullptr && value->boolean() != nullptr && *value->boolean();
}

bool is_text(const TomlTable& manifest, std::string_view key, std::string_view text) {
  const TomlValue* value = manifest.at(key);
  return value != nullptr && value->string() != nullptr && *value->string() == text;
}

std::vector<std::string> uris(const TomlTable& manifest, std::string_view key) {
  std::vector<std::string> out;
  const TomlValue* list = manifest.at(key);
  if (list == nullptr || list->array() == nullptr) return out;
  for (const TomlValue& item : *list->array()) {
    const TomlTable* table = item.table();
    const TomlValue* uri = table != nullptr ? table->find("uri") : &item;
    if (uri != nullptr && uri->string() != nullptr) out.push_back(*uri->string());
  }
  return out;
}

std::string_view path_of(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  return colon == std::string_view::npos ? uri : uri.substr(colon + 1);
}

bool holds_code(std::string_view path) {
  static constexpr std::string_view kTrees[] = {"/usr",   "/bin", "/sbin",   "/lib",
                                                "/lib64", "/etc", "/gramine"};
  return std::any_of(std::begin(kTrees), std::end(kTrees), [&](std::string_view tree) {
    return is_within(tree, path) || is_within(path, tree);
  });
}

bool is_log(std::string_view path) {
  return is_within(path, "/var/log") || path.ends_with(".log") || path.ends_with("_log");
}

void allowed_findings(const TomlTable& manifest, std::vector<Finding>& out) {
  const std::vector<std::string> trusted = uris(manifest, "sgx.trusted_files");
  for (const std::string& uri : uris(manifest, "sgx.allowed_files")) {
    const std::string_view path = path_of(uri);
    const auto shadowed =
        std::find_if(trusted.begin(), trusted.end(),
                     [&](const std::string& file) { return is_within(path_of(file), path); });
    if (shadowed != trusted.end()) {
      out.push_back(make_finding(kAllowedTrusted, uri, cat("covers the trusted file ", *shadowed),
                                 "allow a path that holds no trusted file: allowed wins silently"));
    } else if (holds_code(path)) {
      out.push_back(make_finding(kAllowedCode, uri,
                                 "the host chooses the contents of a system path",
                                 "trust the file (sgx.trusted_files), or use a tmpfs"));
    } else if (is_log(path)) {
      out.push_back(make_finding(kContainerLog, uri, "a log that the host reads and can change",
                                 "nothing, unless the program logs secrets"));
    } else {
      out.push_back(make_finding(kAllowedFile, uri, "the host reads it and chooses its contents",
                                 "use --volume PATH=encrypted or =tmpfs"));
    }
  }
}

// Variables by which whoever sets them runs code or changes whom the program trusts.
bool steers_code(std::string_view name) {
  static constexpr std::string_view kPrefixes[] = {"LD_", "PYTHON", "PERL5", "MALLOC_",
                                                   "SSL_CERT_"};
  static constexpr std::string_view kNames[] = {
      "GCONV_PATH",    "NODE_OPTIONS", "NODE_PATH",       "JAVA_TOOL_OPTIONS",
      "_JAVA_OPTIONS", "CLASSPATH",    "BASH_ENV",        "ENV",
      "OPENSSL_CONF",  "RUBYOPT",      "GLIBC_TUNABLES",  "PATH",
      "HOME",          "LOCPATH",      "OPENSSL_MODULES", "OPENSSL_ENGINES"};
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view prefix) { return name.starts_with(prefix); }) ||
         std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

void environment_findings(const TomlTable& manifest, std::vector<Finding>& out) {
  const TomlValue* env = manifest.at("loader.env");
  if (env == nullptr || env->table() == nullptr) return;
  for (const auto& [name, value] : *env->table()) {
    const TomlTable* table = value.table();
    if (table == nullptr || !is_true(*table, "passthrough")) continue;
    const bool code = steers_code(name);
    out.push_back(make_finding(code ? kPassthroughCode : kPassthrough, cat("loader.env.", name),
                               code ? "the host chooses a variable that loads code or moves trust"
                                    : "the host chooses the value",
                               "set the value in the manifest (--env NAME=VALUE)"));
  }
}

}  // namespace

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::low:
      return "low";
    case Severity::medium:
      return "medium";
    case Severity::high:
      return "high";
    case Severity::critical:
      return "critical";
  }
  return "";
}

Finding make_finding(std::string_view id, std::string where, std::string evidence,
                     std::string fix) {
  const auto& table = rules();
  const auto rule =
      std::find_if(table.begin(), table.end(), [&](const Rule& r) { return r.id == id; });
  return {.id = std::string(id),
          .severity = rule != table.end() ? rule->severity : Severity::critical,
          .where = std::move(where),
          .evidence = std::move(evidence),
          .fix = std::move(fix)};
}

const std::vector<Rule>& rules() {
  static const std::vector<Rule> table = {
      {kRuleMutableRuntime, Severity::medium, "a runtime named by a tag that can change"},
      {kRuleUnknownVersion, Severity::medium, "a runtime whose version is not known"},
      {kWithheldFile, Severity::medium, "a secret in the image, left out of the manifest"},
      {kMissingOptional, Severity::low,
       "something that only a part of the program needs is missing"},
      {kUnknown, Severity::low, "something that cannot be found out without running the program"},
      {kRuleVolumeUnwritable, Severity::medium, "a volume of the image that cannot be written"},
      {kRuleVolumeLost, Severity::low, "a volume of the image that is lost at exit"},
      {kIncludedSecret, Severity::high, "a secret in the image, granted because it was named"},
      {kTrustWide, Severity::medium, "more is granted than the program is known to need"},
      {kTrustNone, Severity::medium, "less is granted than the program is known to need"},
      {kExcluded, Severity::low, "left out by --exclude"},
      {kIncluded, Severity::info, "granted by --include"},
      {kRuleLogUnwritable, Severity::low, "a log file of the image that cannot be written"},
      {kDebug, Severity::critical, "a debug enclave: the host reads its memory"},
      {kLooseFiles, Severity::critical, "files are not checked"},
      {kHostEnvironment, Severity::critical, "the host sets every environment variable"},
      {kHostArguments, Severity::critical, "the host chooses the arguments"},
      {kAllowedTrusted, Severity::critical, "an allowed path covers a trusted file"},
      {kAllowedCode, Severity::critical, "an allowed path holds code or system configuration"},
      {kPassthroughCode, Severity::critical, "the host sets a variable that loads code"},
      {kNoAttestation, Severity::medium, "the enclave cannot be verified"},
      {kAllowedFile, Severity::medium, "a file that the host reads and writes"},
      {kPassthrough, Severity::medium, "the host sets an environment variable"},
      {kContainerLog, Severity::info, "a log file that the host sees"},
      {kRuleMarblerun, Severity::medium, "a marble that does not get what its premain needs"},
      {kRuleSysvIpc, Severity::high, "System V shared memory, semaphores, queues"},
      {kRuleSharedMemory, Severity::medium, "memory shared between processes"},
      {kRuleNotify, Severity::low, "notices of changed files"},
      {kRuleTimers, Severity::medium, "signals and timers as descriptors"},
      {kRuleAsyncIo, Severity::low, "asynchronous input and output"},
      {kRulePipes, Severity::low, "moving data without copying"},
      {kRuleMremap, Severity::low, "growing mappings"},
      {kRuleTracing, Severity::low, "tracing processes"},
      {kRuleNamespaces, Severity::medium, "mounts and namespaces"},
      {kRuleUserfault, Severity::medium, "page faults handled by the program"},
      {kRuleLinks, Severity::low, "making links"},
      {kRuleIdentity, Severity::low, "changing user by calls that are not implemented"},
      {kRuleFileLocks, Severity::low, "file locks"},
      {kRuleLibraryCalls, Severity::info, "calls of libraries that are not implemented"},
      {kRuleProcesses, Severity::info, "more than one process"},
      {kRulePrivileges, Severity::info, "a server that gives up root"},
      {kRuleRawCalls, Severity::info, "system calls that do not go through libc"},
      {kRuleOpenMp, Severity::info, "OpenMP"},
      {kRuleByteCode, Severity::info, "byte code that is never valid"},
  };
  return table;
}

namespace {

// What the user chose over the closure: on record, so that a reviewer sees it.
void choice_findings(const Closure& closure, std::vector<Finding>& out) {
  for (const Closure::Included& item : closure.included) {
    out.push_back(make_finding(kIncluded, item.option,
                               cat("grants ", item.files, item.files == 1 ? " file, " : " files, ",
                                   human_bytes(item.bytes), ", and what they need"),
                               "nothing, if that is what was meant"));
    for (const std::string& path : item.secrets)
      out.push_back(make_finding(kIncludedSecret, path,
                                 cat("looks like a secret, and ", item.option, " grants it"),
                                 "keep it out of the image: the host reads every trusted file"));
  }
  for (const Closure::Excluded& item : closure.excluded) {
    if (item.path.empty())
      out.push_back(make_finding(kExcluded, cat("--exclude ", item.pattern),
                                 "leaves nothing out: no such file would be granted",
                                 "nothing, if it is a precaution"));
    else
      out.push_back(
          make_finding(kExcluded, item.path,
                       cat("left out by --exclude ", item.pattern, "; wanted as ", item.wanted),
                       "make sure that the program does without"));
  }
  if (closure.trust == Trust::package || closure.trust == Trust::all)
    out.push_back(make_finding(kTrustWide, cat("--trust ", trust_name(closure.trust)),
                               closure.trust == Trust::all
                                   ? "every file of the image is granted"
                                   : "every file of every package involved is granted",
                               "leave --trust out, and --include what the program misses"));
  if (closure.trust == Trust::none && !closure.denied.empty()) {
    std::string some;
    for (std::size_t i = 0; i < closure.denied.size() && i < 5; ++i)
      some += cat(i > 0 ? ", " : "", closure.denied[i]);
    out.push_back(make_finding(kTrustNone, "--trust none",
                               cat("the program needs ", closure.denied.size(),
                                   " more files: ", some, closure.denied.size() > 5 ? " …" : ""),
                               "--include what it needs, or leave --trust out"));
  }
}

}  // namespace

std::vector<Finding> closure_findings(const Closure& closure) {
  std::vector<Finding> out;
  choice_findings(closure, out);
  for (const std::string& path : closure.withheld)
    out.push_back(
        make_finding(kWithheldFile, path,
                     is_utf8(path) ? "looks like a secret: not granted"
                                   : "its name is not UTF-8: a manifest cannot express it",
                     "keep it out of the image; --include it if the program cannot do without"));
  for (const Unresolved& item : closure.unresolved_optional)
    out.push_back(make_finding(kMissingOptional, item.needed_by, cat("needs ", item.name),
                               "nothing, unless the program uses that part"));
  for (const Closure::Unknown& item : closure.unknown)
    out.push_back(make_finding(kUnknown, item.program, item.what,
                               "try the program, and --include what it misses"));
  return out;
}

std::vector<Finding> manifest_findings(const EnclaveManifest& manifest) {
  const TomlTable& table = manifest.table;
  std::vector<Finding> out;
  if (is_true(table, "sgx.debug"))
    out.push_back(
        make_finding(kDebug, "sgx.debug", "is true", "set it to false for anything but debugging"));
  if (is_text(table, "sgx.file_check_policy", "allow_all_but_log"))
    out.push_back(make_finding(kLooseFiles, "sgx.file_check_policy", "is allow_all_but_log",
                               "remove it: the default is strict"));
  if (is_true(table, "loader.insecure__use_host_env"))
    out.push_back(
        make_finding(kHostEnvironment, "loader.insecure__use_host_env", "is true",
                     "name the variables that may come from the host with --passthrough"));
  if (is_true(table, "loader.insecure__use_cmdline_argv"))
    out.push_back(make_finding(kHostArguments, "loader.insecure__use_cmdline_argv", "is true",
                               "fix the arguments with loader.argv"));
  if (table.at("sgx.remote_attestation") == nullptr ||
      is_text(table, "sgx.remote_attestation", "none"))
    out.push_back(make_finding(kNoAttestation, "sgx.remote_attestation", "is none",
                               "set it to \"dcap\"; leave --no-attestation out"));
  allowed_findings(table, out);
  environment_findings(table, out);
  for (Finding& finding : marblerun_findings(manifest)) out.push_back(std::move(finding));
  return out;
}

}  // namespace cloister::manifest
