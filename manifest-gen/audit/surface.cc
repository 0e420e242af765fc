#include "manifest-gen/audit/surface.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::manifest {
namespace {

struct CapabilityRow {
  std::string_view name, functions;  // functions: separated by blanks, all noted in imports
};
constexpr CapabilityRow kCapabilities[] = {
    {"network", "socket bind listen accept4 getaddrinfo"},
    {"execute",
     "execve execv execvp execvpe execl execlp fexecve posix_spawn posix_spawnp system popen"},
    {"fork", "fork vfork _Fork"},
    {"load code", "dlopen dlmopen"},
};

class SurfaceBuilder {
 public:
  explicit SurfaceBuilder(const SurfaceInput& input) : in_(input) {
    if (in_.closure == nullptr) return;
    for (std::size_t i = 0; i < in_.closure->members.size(); ++i)
      for (const std::string& path : in_.closure->members[i].paths) members_.emplace(path, i);
  }

  Surface run() {
    for (const FileEntry& entry : file_entries(in_.manifest, "sgx.trusted_files")) add(entry);
    sort();
    for (const GrantedFile& file : out_.files) count(file);
    shares();
    capabilities();
    edges();
    if (in_.rootfs != nullptr)
      in_.rootfs->walk([&](const measure::Node& node) {
        if (!node.is_regular()) return;
        ++out_.image_files;
        out_.image_bytes += node.entry->size;
      });
    return std::move(out_);
  }

 private:
  const Member* member_at(const std::string& path) const {
    const auto at = members_.find(path);
    return at == members_.end() ? nullptr : &in_.closure->members[at->second];
  }

  void add(const FileEntry& entry) {
    const std::string spelled(uri_path(entry.uri));
    const Member* member = member_at(spelled);
    const bool runtime =
        (member != nullptr && member->from_runtime) || is_within(spelled, kGramineDir);
    const measure::Node* node =
        in_.rootfs != nullptr && spelled.starts_with('/') ? in_.rootfs->find(spelled) : nullptr;
    if (node != nullptr && !node->is_regular()) node = nullptr;
    const std::string path = node != nullptr     ? node->path()
                             : member != nullptr ? member->real_path
                                                 : spelled;
    const auto [at, added] = by_path_.emplace(path, out_.files.size());
    if (added) out_.files.push_back(describe(path, entry, member, node, runtime));
    GrantedFile& file = out_.files[at->second];
    if (spelled != path) file.aliases.push_back(spelled);
    if (in_.reasons == nullptr) return;
    const auto reason = in_.reasons->find(entry.uri);
    if (reason == in_.reasons->end()) return;
    if (std::find(file.reasons.begin(), file.reasons.end(), reason->second) == file.reasons.end())
      file.reasons.push_back(reason->second);
  }

  GrantedFile describe(const std::string& path, const FileEntry& entry, const Member* member,
                       const measure::Node* node, bool runtime) {
    GrantedFile file;
    file.path = path;
    file.sha256 = entry.sha256;
    using Kind = GrantedFile::Kind;
    if (member != nullptr) file.size = member->size;
    if (node != nullptr) {
      const measure::Entry& of = *node->entry;
      file.size = of.size;
      if (file.sha256.empty()) file.sha256 = of.sha256.hex();
      file.kind = of.elf >= 0                             ? Kind::elf
                  : !of.shebang.empty() || of.source >= 0 ? Kind::script
                                                          : Kind::data;
      file.layer = in_.rootfs->layers()[node->layer].index->blob.str();
      const Package* owner = in_.packages != nullptr ? in_.packages->owner(*node) : nullptr;
      if (owner != nullptr) {
        file.package = owner->name;
        file.version = owner->version;
      }
    }
    if (runtime) file.kind = Kind::runtime;
    return file;
  }

  void sort() {
    std::sort(out_.files.begin(), out_.files.end(),
              [](const GrantedFile& a, const GrantedFile& b) { return a.path < b.path; });
    for (std::size_t i = 0; i < out_.files.size(); ++i) by_path_[out_.files[i].path] = i;
  }

  void count(const GrantedFile& file) {
    out_.bytes += file.size.value_or(0);
    out_.elf += file.kind == GrantedFile::Kind::elf;
    out_.scripts += file.kind == GrantedFile::Kind::script;
  }

  void shares() {
    if (in_.rootfs == nullptr) return;  // nobody knows whose files these are
    std::map<std::pair<std::string, std::string>, Surface::Share> by_name;
    for (const GrantedFile& file : out_.files) {
      const bool runtime = file.kind == GrantedFile::Kind::runtime;
      const std::string name = runtime ? std::string(kRuntimeShare) : file.package;
      Surface::Share& share = by_name[{name, file.version}];
      share.name = name;
      share.version = file.version;
      ++share.files;
      share.bytes += file.size.value_or(0);
    }
    for (auto& [name, share] : by_name) out_.packages.push_back(std::move(share));
    std::stable_sort(out_.packages.begin(), out_.packages.end(),
                     [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  }

  void capabilities() {
    if (in_.rootfs == nullptr) return;
    for (const CapabilityRow& row : kCapabilities) {
      const std::vector<std::string_view> names = split(row.functions, ' ');
      std::set<std::string_view> functions;
      Surface::Capability found{row.name, {}, {}};
      for (const GrantedFile& file : out_.files) {
        if (file.kind != GrantedFile::Kind::elf) continue;
        const measure::Node* node = in_.rootfs->find(file.path);
        const auto* facts = node != nullptr ? in_.rootfs->elf_facts(*node) : nullptr;
        if (facts == nullptr) continue;
        bool has = false;
        for (const std::string_view name : names) {
          if (std::find(facts->imports.begin(), facts->imports.end(), name) == facts->imports.end())
            continue;
          functions.insert(name);
          has = true;
        }
        if (has) found.files.push_back(file.path);
      }
      if (found.files.empty()) continue;
      found.functions.assign(functions.begin(), functions.end());
      out_.capabilities.push_back(std::move(found));
    }
  }

  void edges() {
    if (in_.closure == nullptr) return;
    const auto index_of = [&](std::size_t member) {
      const auto at = by_path_.find(in_.closure->members[member].real_path);
      return at == by_path_.end() ? std::optional<std::size_t>() : at->second;
    };
    for (const Edge& edge : in_.closure->edges) {
      const auto to = index_of(edge.to);
      const auto from = edge.from == kLaunch ? std::nullopt : index_of(edge.from);
      if (!to || (edge.from != kLaunch && !from)) continue;
      out_.edges.push_back(
          {from ? static_cast<std::ptrdiff_t>(*from) : -1, *to, edge.why, edge.detail});
    }
  }

  const SurfaceInput& in_;
  std::unordered_map<std::string, std::size_t> members_, by_path_;
  Surface out_;
};

}  // namespace

std::string_view kind_name(GrantedFile::Kind kind) {
  static constexpr std::string_view kNames[] = {"", "elf", "script", "data", "runtime"};
  return kNames[static_cast<std::size_t>(kind)];
}

Surface surface_of(const SurfaceInput& input) {
  return SurfaceBuilder(input).run();
}

}  // namespace cloister::manifest
