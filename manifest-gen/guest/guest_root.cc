#include "manifest-gen/guest/guest_root.h"

#include <algorithm>
#include <vector>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/gramine/trusted_files.h"

namespace cloister::manifest {
namespace {

using measure::Node;

constexpr std::string_view kKernelPlaces[] = {"proc", "sys", "dev"};
constexpr std::string_view kMachineFiles[] = {"etc/hosts", "etc/hostname", "etc/resolv.conf"};
constexpr std::string_view kCapabilityAttribute = "security.capability";

bool in_kernel_place(std::string_view path) {
  return std::any_of(std::begin(kKernelPlaces), std::end(kKernelPlaces),
                     [&](std::string_view top) { return is_within(path, top); });
}

std::string relative_to_root(std::string_view path) {
  return std::string(path.substr(1));
}

class Collector {
 public:
  Collector(const GuestPlan& plan, const Closure& closure, const measure::Rootfs& rootfs,
            const Limits& limits)
      : plan_(plan), closure_(closure), rootfs_(rootfs), limits_(limits) {}

  Result<GuestRoot> run() {
    names();
    CL_CHECK(granted_files());
    CL_CHECK(files_of_places());
    CL_CHECK(made_here());
    return std::move(out_);
  }

 private:
  void names() {
    rootfs_.walk([&](const Node& node) {
      const std::string path = relative_to_root(node.path());
      if (in_kernel_place(path)) return;
      GuestEntry entry;
      entry.mode = node.entry->mode;
      entry.uid = node.entry->uid;
      entry.gid = node.entry->gid;
      if (node.is_symlink()) {
        entry.type = GuestEntry::Type::symlink;
        entry.mode = 0777;
        entry.uid = entry.gid = 0;
        entry.link_target = node.entry->link_target;
      } else if (!node.is_directory()) {
        return;
      }
      out_.tree.emplace(path, std::move(entry));
    });
  }

  Status add_file(const Node& node, const std::string& reason) {
    const std::string path = relative_to_root(node.path());
    if (in_kernel_place(path) || out_.tree.contains(path)) return {};
    for (const auto& [name, value] : node.entry->xattrs)
      if (name == kCapabilityAttribute) out_.without_capabilities.push_back(node.path());
    GuestEntry entry;
    entry.type = GuestEntry::Type::file;
    entry.mode = node.entry->mode;
    entry.uid = node.entry->uid;
    entry.gid = node.entry->gid;
    entry.size = node.entry->size;
    entry.sha256 = node.entry->sha256;
    out_.bytes += entry.size;
    ++out_.files;
    if (out_.bytes > limits_.guest_root_bytes)
      return Error::limit(
          cat("the root of the guest would hold more than ", limits_.guest_root_bytes, " bytes"));
    out_.reasons.emplace(node.path(), reason);
    out_.tree.emplace(path, std::move(entry));
    return {};
  }

  Status granted_files() {
    const std::vector<std::string> reasons = member_reasons(closure_);
    for (std::size_t i = 0; i < closure_.members.size(); ++i) {
      const Node* node = rootfs_.find(closure_.members[i].real_path);
      if (node == nullptr || !node->is_regular())
        return Error::internal(
            cat("a granted file is not in the image: ", printable(closure_.members[i].real_path)));
      CL_CHECK(add_file(*node, reasons[i]));
    }
    return {};
  }

  Status files_of_places() {
    for (const GuestPlace& place : plan_.writable) {
      const Node* top = rootfs_.find(place.path);
      if (top == nullptr) continue;
      std::vector<const Node*> pending{top};
      while (!pending.empty()) {
        const Node* node = pending.back();
        pending.pop_back();
        if (node->is_regular()) CL_CHECK(add_file(*node, cat("what ", place.path, " begins with")));
        for (const auto& [name, child] : node->children) pending.push_back(child.get());
      }
    }
    return {};
  }

  // A directory with all above it, as root's, where there is none.
  Status make_directory(const std::string& path, const GuestEntry& entry) {
    for (std::size_t slash = path.find('/');; slash = path.find('/', slash + 1)) {
      const std::string part = path.substr(0, slash);
      const auto [at, made] =
          out_.tree.try_emplace(part, slash == std::string::npos ? entry : GuestEntry{});
      if (at->second.type != GuestEntry::Type::directory)
        return Error::conflict(cat("the guest needs the directory ", quote("/" + path), ", and ",
                                   quote("/" + part), " is something else in the image"));
      if (slash == std::string::npos) return {};
    }
  }

  Status made_here() {
    out_.tree.try_emplace("");
    for (const std::string_view path : kKernelPlaces)
      CL_CHECK(make_directory(std::string(path), {}));
    GuestEntry open;
    open.mode = 01777;
    // An image may have a link there.
    const Node* temporary = rootfs_.find("/tmp");
    if (temporary == nullptr || !temporary->is_directory()) CL_CHECK(make_directory("tmp", open));
    for (const GuestPlace& place : plan_.writable) {
      GuestEntry entry;
      entry.mode = place.mode;
      entry.uid = place.uid;
      entry.gid = place.gid;
      CL_CHECK(make_directory(relative_to_root(place.path), entry));
    }
    if (rootfs_.find(plan_.workdir) == nullptr)
      CL_CHECK(make_directory(relative_to_root(plan_.workdir), {}));
    if (rootfs_.find("/etc", /*follow_last=*/false) == nullptr) CL_CHECK(make_directory("etc", {}));
    for (const std::string_view path : kMachineFiles) machine_file(std::string(path));
    return {};
  }

  // A link there is the image's own business.
  void machine_file(const std::string& path) {
    const auto etc = out_.tree.find("etc");
    const auto present = out_.tree.find(path);
    if (etc == out_.tree.end() || etc->second.type != GuestEntry::Type::directory) return;
    if (present != out_.tree.end() && present->second.type != GuestEntry::Type::file) return;
    if (present != out_.tree.end()) {
      out_.bytes -= present->second.size;
    } else {
      ++out_.files;
    }
    GuestEntry entry;
    entry.type = GuestEntry::Type::file;
    entry.mode = 0644;
    entry.sha256 = sha256(std::string_view());
    out_.reasons.insert_or_assign("/" + path, "of the machine: the guest fills it when it starts");
    out_.tree.insert_or_assign(path, std::move(entry));
  }

  const GuestPlan& plan_;
  const Closure& closure_;
  const measure::Rootfs& rootfs_;
  const Limits& limits_;
  GuestRoot out_;
};

}  // namespace

Result<GuestRoot> collect_guest_root(const GuestPlan& plan, const Closure& closure,
                                     const measure::Rootfs& rootfs, const Limits& limits) {
  return Collector(plan, closure, rootfs, limits).run();
}

// Hard links share their content here too.
Status fill_guest_root(GuestTree& tree, const measure::Rootfs& rootfs, FileSpool& spool) {
  std::map<const measure::Entry*, std::uint64_t> starts;
  std::vector<const Node*> nodes;
  for (auto& [path, entry] : tree) {
    if (entry.type != GuestEntry::Type::file) continue;
    const Node* node = rootfs.find("/" + path, /*follow_last=*/false);
    if (node == nullptr || !node->is_regular() || node->entry->sha256 != entry.sha256) continue;
    const auto [at, first] = starts.try_emplace(node->entry, 0);
    if (first) {
      CL_TRY(at->second, spool.reserve(entry.size));
      nodes.push_back(node);
    }
    entry.offset = at->second;
  }
  const auto write = [&](std::size_t index, std::uint64_t offset, ByteView piece) -> Status {
    const measure::Entry* entry = nodes[index]->entry;
    if (offset > entry->size || piece.size() > entry->size - offset)
      return Error::corrupt("a layer changed while it was read");
    return spool.write(starts.at(entry) + offset, piece);
  };
  return rootfs.read_many(nodes, write);
}

}  // namespace cloister::manifest
