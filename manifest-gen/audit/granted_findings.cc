// Of what a manifest grants: what should perhaps not be there. Granted files are checked, not
// hidden, and whoever takes over the program can use them.
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/closure/withheld.h"
#include "manifest-gen/gramine/values.h"
#include "manifest-gen/launch/shebang.h"
#include "measure/index/key_mark.h"

namespace cloister::manifest {
namespace {

constexpr std::uint32_t kSetIds = 06000;  // S_ISUID | S_ISGID

struct ToolKind {
  std::string_view rule;
  std::string_view names;  // separated by blanks; may have wildcards
  std::string_view evidence, fix;
};
// Where programs lie that somebody may start; a module of Python named "apt" is none.
constexpr ToolKind kTools[] = {
    {kRulePackageManager,
     "apt apt-get apt-cache dpkg dpkg-deb apk rpm dnf microdnf yum zypper pacman pip pip3 npm yarn "
     "gem cpan composer cargo",
     "installs software", "--exclude it, or leave it out of the image"},
    {kRuleCompiler,
     "gcc gcc-* g++ g++-* cc c++ cpp cc1 clang clang-* ld as make cmake gdb strace "
     "ltrace objdump rustc go javac",
     "builds or inspects programs", "--exclude it, or leave it out of the image"},
    {kRuleInterpreter,
     "python python2* python3* perl perl5* ruby ruby?* node nodejs java php php?* lua lua5* "
     "tclsh* Rscript awk mawk gawk",
     "runs scripts", "--exclude it, if the program does without"},
};

bool is_program_place(std::string_view path) {
  const std::string_view directory = base_name(parent_directory(path));
  return directory == "bin" || directory == "sbin" || directory == "libexec";
}

bool named_like(std::string_view names, std::string_view base) {
  for (const std::string_view name : split(names, ' '))
    if (match_component(name, base)) return true;
  return false;
}

// A PEM text that says that it is a private key. DER has no such sign: its name has to tell.
bool holds_private_key(const measure::Rootfs& rootfs, const measure::Node& node) {
  if (!node.entry->key_mark || node.entry->elf >= 0) return false;
  const auto bytes = rootfs.read(node, measure::kMaxKeyFile);
  if (!bytes.has_value()) return false;
  return as_text(*bytes).find("PRIVATE KEY-----\n") != std::string_view::npos;
}

class GrantedFindings {
 public:
  GrantedFindings(const EnclaveManifest& manifest, const measure::Rootfs* rootfs)
      : table_(manifest.table), rootfs_(rootfs) {
    const std::string* program = string_at(table_, "libos.entrypoint");
    if (program != nullptr) program_ = *program;
    // A script's interpreter is the program that runs, whatever the manifest calls it.
    const measure::Node* node = rootfs != nullptr ? rootfs->find(program_) : nullptr;
    if (node != nullptr && node->is_regular())
      if (const auto shebang = parse_shebang(node->entry->shebang))
        interpreter_ = rootfs->real_path(shebang->interpreter).value_or(shebang->interpreter);
  }

  std::vector<Finding> run() {
    for (const FileEntry& entry : file_entries(table_, "sgx.trusted_files")) {
      const std::string path(uri_path(entry.uri));
      const measure::Node* node = rootfs_ != nullptr ? rootfs_->find(path) : nullptr;
      file(path, node);
    }
    return std::move(out_);
  }

 private:
  void add(std::string_view rule, const std::string& path, std::string evidence,
           std::string_view fix, std::optional<Severity> severity = std::nullopt) {
    Finding finding = make_finding(rule, path, std::move(evidence), std::string(fix));
    if (severity) finding.severity = *severity;
    if (seen_.emplace(finding.id, finding.where).second) out_.push_back(std::move(finding));
  }

  // One file under several names is one finding: under its real path, where that is known.
  void file(const std::string& spelled, const measure::Node* node) {
    const std::string path = node != nullptr ? node->path() : spelled;
    if (is_within(path, "/gramine")) return;  // the runtime's own
    if (looks_secret(path) || (node != nullptr && holds_private_key(*rootfs_, *node)))
      add(kRuleSecret, path,
          looks_secret(path) ? "its name says that it is a secret" : "holds a private key",
          "keep it out of the image, and let the program get it after attestation "
          "(--secret-prov, --marblerun)");
    if (node != nullptr && (node->entry->mode & kSetIds) != 0)
      add(kRuleSetuid, path, "is set-user-id or set-group-id",
          "--exclude it, if the program does without");
    if (is_program_place(path)) tool(spelled, path);
  }

  void tool(const std::string& spelled, const std::string& path) {
    const bool own =
        path == program_ || path == interpreter_ || spelled == program_ || spelled == interpreter_;
    const std::string_view base = base_name(path);
    if (is_shell(base) || base == "busybox") {
      add(kRuleShell, path, own ? "is what the image starts" : "runs commands",
          own ? "start the program itself, if the script does little (--entrypoint)"
              : "--exclude it, if the program does without",
          own ? std::optional(Severity::info) : std::nullopt);
      return;
    }
    for (const ToolKind& kind : kTools) {
      if (!named_like(kind.names, base)) continue;
      if (own && kind.rule == kRuleInterpreter) return;  // the program is its script
      add(kind.rule, path, std::string(kind.evidence), kind.fix);
      return;
    }
  }

  const TomlTable& table_;
  const measure::Rootfs* rootfs_;
  std::string program_, interpreter_;
  std::set<std::pair<std::string, std::string>> seen_;  // rule and place
  std::vector<Finding> out_;
};

}  // namespace

std::vector<Finding> granted_findings(const EnclaveManifest& manifest,
                                      const measure::Rootfs* rootfs) {
  return GrantedFindings(manifest, rootfs).run();
}

}  // namespace cloister::manifest
