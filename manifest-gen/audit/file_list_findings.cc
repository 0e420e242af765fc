// Allowed files are not checked, and match by prefix: "file:/usr" takes the protection from every
// file below, silently, whatever sgx.trusted_files says (Gramine asks for allowed files first).
#include <algorithm>
#include <map>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/audit/manifest_passes.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::manifest {
namespace {

constexpr std::size_t kManyFiles = 2000;

// Read by libc's parsers, which were not written against an enemy (Gramine's documentation).
bool is_name_service(std::string_view path) {
  static constexpr std::string_view kFiles[] = {
      "/etc/passwd",   "/etc/group",     "/etc/nsswitch.conf", "/etc/hosts",
      "/etc/gai.conf", "/etc/host.conf", "/etc/resolv.conf",   "/etc/ethers"};
  return std::find(std::begin(kFiles), std::end(kFiles), path) != std::end(kFiles);
}

// By its name alone: a directory of code or system configuration, or something in one.
bool is_code_place(std::string_view path) {
  static constexpr std::string_view kTrees[] = {"/usr",   "/bin", "/sbin",   "/lib",
                                                "/lib64", "/opt", "/gramine"};
  if (path.empty() || path == "/" || path == "." || is_within("/etc", path)) return true;
  if (is_within(path, "/usr/share") || is_within(path, "/usr/local/share")) return false;
  return std::any_of(std::begin(kTrees), std::end(kTrees), [&](std::string_view tree) {
    return is_within(tree, path) || is_within(path, tree);
  });
}

bool has_code_name(std::string_view path) {
  static constexpr std::string_view kEndings[] = {".so", ".py",  ".pyc", ".sh",    ".pl",  ".rb",
                                                  ".js", ".mjs", ".jar", ".class", ".php", ".lua"};
  const std::string_view base = base_name(path);
  return base.find(".so.") != std::string_view::npos ||
         std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](std::string_view ending) { return base.ends_with(ending); });
}

bool is_code(const measure::Node& node) {
  return node.is_regular() &&
         (node.entry->elf >= 0 || !node.entry->shebang.empty() || node.entry->source >= 0);
}

// The first file of code at or below `path`; empty when there is none.
std::string code_below(const measure::Rootfs& rootfs, std::string_view path) {
  const measure::Node* top = rootfs.find(path);
  if (top == nullptr) return {};
  std::vector<const measure::Node*> open = {top};
  while (!open.empty()) {
    const measure::Node* node = open.back();
    open.pop_back();
    if (is_code(*node)) return node->path();
    for (auto child = node->children.rbegin(); child != node->children.rend(); ++child)
      open.push_back(child->second.get());
  }
  return {};
}

bool is_log_path(std::string_view path) {
  return is_within(path, "/var/log") || path.ends_with(".log") || path.ends_with("_log");
}

// The paths that are trusted, sorted, so that what lies below one is found without a search of all.
class TrustedPaths {
 public:
  explicit TrustedPaths(const TomlTable& manifest) {
    for (const FileEntry& entry : file_entries(manifest, "sgx.trusted_files")) {
      (is_directory_uri(entry.uri) ? directories_ : paths_).emplace(uri_path(entry.uri), entry.uri);
    }
  }
  // The URI of a trusted file that an allowed path takes the protection from; empty: of none.
  std::string covered_by(std::string_view path) const {
    for (const Paths* all : {&paths_, &directories_}) {
      const auto exact = all->find(path);
      if (exact != all->end()) return exact->second;
      const std::string below = path == "/" ? "/" : cat(path, "/");
      const auto first = all->lower_bound(below);
      if (first != all->end() && first->first.starts_with(below)) return first->second;
    }
    // A directory that it lies in.
    for (std::string_view above = path; above.size() > 1;) {
      above = parent_directory(above);
      const auto directory = directories_.find(above);
      if (directory != directories_.end()) return directory->second;
    }
    return {};
  }

 private:
  using Paths = std::map<std::string, std::string, std::less<>>;  // path → URI
  Paths paths_, directories_;
};

Finding allowed_finding(const std::string& uri, const TrustedPaths& trusted,
                        const measure::Rootfs* rootfs) {
  const std::string_view path = uri_path(uri);
  if (uri.starts_with("dev:"))
    return make_finding(kRuleHostDevices, uri, "what is read and written goes to a device",
                        "remove it, unless the program checks what comes back from the device");
  if (const std::string file = trusted.covered_by(path); !file.empty())
    return make_finding(kRuleAllowedTrusted, uri, cat("covers the trusted file ", file),
                        "allow a path that holds no trusted file: allowed wins silently");
  if (is_name_service(path))
    return make_finding(kRuleNameService, uri, "is read by libc, whose parsers trust it",
                        "trust the image's file, or set "
                        "sys.enable_extra_runtime_domain_names_conf = true");
  const std::string code = rootfs != nullptr ? code_below(*rootfs, path) : std::string();
  if (!code.empty() || is_code_place(path) || has_code_name(path)) {
    Finding finding =
        make_finding(kRuleAllowedCode, uri,
                     code.empty() ? std::string("the host chooses the contents of a system path")
                                  : cat("the host chooses the contents of ", code),
                     "trust the file (sgx.trusted_files), or use a tmpfs");
    if (!code.empty()) finding.files = {code};
    return finding;
  }
  if (is_log_path(path))
    return make_finding(kRuleContainerLog, uri, "a log that the host reads and can change",
                        "nothing, unless the program logs secrets");
  Finding finding =
      make_finding(kRuleAllowedFile, uri,
                   is_within(path, "/etc") ? "the host chooses the program's configuration"
                                           : "the host reads it and chooses its contents",
                   "use --volume PATH=encrypted or =tmpfs, or trust the file");
  if (!is_within(path, "/etc")) finding.severity = Severity::medium;
  return finding;
}

}  // namespace

void file_list_findings(const TomlTable& manifest, const measure::Rootfs* rootfs,
                        std::vector<Finding>& out) {
  const TrustedPaths trusted(manifest);
  for (const FileEntry& entry : file_entries(manifest, "sgx.allowed_files")) {
    Finding finding = allowed_finding(entry.uri, trusted, rootfs);
    finding.key = "sgx.allowed_files";
    out.push_back(std::move(finding));
  }
  const std::vector<FileEntry> files = file_entries(manifest, "sgx.trusted_files");
  for (const FileEntry& entry : files) {
    if (!is_directory_uri(entry.uri)) continue;
    Finding finding =
        make_finding(kRuleTrustedDirectory, entry.uri, "stands for every file below it",
                     "list the files that the program opens (cloister manifest IMAGE finds them)");
    finding.key = "sgx.trusted_files";
    out.push_back(std::move(finding));
  }
  if (files.size() > kManyFiles)
    out.push_back(make_finding(kRuleManyFiles, "sgx.trusted_files",
                               cat(files.size(),
                                   " entries: starting, and each further process, "
                                   "takes noticeably longer"),
                               "grant what is needed only (leave --trust out)"));
}

}  // namespace cloister::manifest
