// Where Gramine is installed is not fixed: /usr/lib/x86_64-linux-gnu/gramine in the official
// packages, /usr/lib64/gramine in RPMs, /usr/local for who builds it, and
// /gramine/meson_build_output/lib/x86_64-linux-gnu/gramine in the images of GSC; and --runtime may
// name any directory on the way. What never changes is the shape below `gramine`, so that is what
// is looked for: a file sgx/libpal.so, or libsysdb.so, or a C library below runtime/.
#include "measure/runtime/gramine_tree.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"

namespace cloister::measure {
namespace {

constexpr std::array<std::string_view, 6> kPreferred = {
    "/usr/lib/x86_64-linux-gnu/gramine",
    "/usr/lib64/gramine",
    "/usr/local/lib/x86_64-linux-gnu/gramine",
    "/usr/local/lib64/gramine",
    "/lib/x86_64-linux-gnu/gramine",
    "/gramine/meson_build_output/lib/x86_64-linux-gnu/gramine",
};

// Paths relative to the directory; finding any of them makes it a candidate.
constexpr std::array<std::string_view, 6> kLandmarks = {
    "sgx/libpal.so",           "sgx/loader",           "libsysdb.so", "direct/libpal.so",
    "runtime/glibc/libc.so.6", "runtime/musl/libc.so",
};

// The directory for which `node` is at `landmark`, or null.
const Node* directory_of(const Node& node, std::string_view landmark) {
  const Node* at = &node;
  while (!landmark.empty()) {
    const std::size_t slash = landmark.rfind('/');
    const std::string_view name =
        slash == std::string_view::npos ? landmark : landmark.substr(slash + 1);
    if (at->parent == nullptr || at->name != name) return nullptr;
    at = at->parent;
    landmark = slash == std::string_view::npos ? std::string_view() : landmark.substr(0, slash);
  }
  return at;
}

const Node* regular_file(const Rootfs& rootfs, const std::string& path) {
  const Node* node = rootfs.find(path);
  return node != nullptr && node->is_regular() ? node : nullptr;
}

// Libraries lie beside Gramine's directory, the program in a bin above it: PREFIX/bin of
// PREFIX/lib/x86_64-linux-gnu/gramine, say.
std::map<std::string, const Node*> attestation_parts(const Rootfs& rootfs, const Node& directory,
                                                     const GramineTree& tree) {
  static constexpr std::string_view kLibraryNames[] = {"libra_tls_attest.so",
                                                       "libsecret_prov_attest.so"};
  std::map<std::string, const Node*> out;
  const auto keep = [&](std::string_view name, const Node* node) {
    if (node != nullptr && rootfs.elf_facts(*node) != nullptr) out.emplace(name, node);
  };
  for (const std::string_view name : kLibraryNames)
    keep(name, regular_file(rootfs, tree.at(cat("runtime/glibc/", name))));
  if (directory.parent == nullptr) return out;
  for (const auto& [name, child] : directory.parent->children)
    if (name.starts_with("libmbed") && name.find("_gramine.so.") != std::string::npos)
      keep(name, regular_file(rootfs, child->path()));
  for (const Node* above = directory.parent; above != nullptr; above = above->parent)
    keep(kRaTlsProgram, regular_file(rootfs, cat(above->path(), "/bin/", kRaTlsProgram)));
  return out;
}

GramineTree read_tree(const Rootfs& rootfs, std::size_t source, const Node& directory) {
  GramineTree tree;
  tree.source = source;
  tree.directory = directory.path();
  tree.loader = regular_file(rootfs, tree.at("sgx/loader"));
  tree.libpal = regular_file(rootfs, tree.at("sgx/libpal.so"));
  tree.libsysdb = regular_file(rootfs, tree.at("libsysdb.so"));
  tree.direct_libpal = regular_file(rootfs, tree.at("direct/libpal.so"));
  tree.glibc = shared_objects(rootfs, tree.at("runtime/glibc"));
  tree.musl = shared_objects(rootfs, tree.at("runtime/musl"));
  tree.attestation = attestation_parts(rootfs, directory, tree);
  return tree;
}

// Fewer is better.
std::size_t absent_parts(const GramineTree& tree) {
  return static_cast<std::size_t>(tree.loader == nullptr) + (tree.libpal == nullptr) +
         (tree.libsysdb == nullptr) + tree.glibc.empty();
}

std::size_t preference(const GramineTree& tree) {
  return static_cast<std::size_t>(std::find(kPreferred.begin(), kPreferred.end(), tree.directory) -
                                  kPreferred.begin());
}

}  // namespace

std::string GramineTree::at(std::string_view relative) const {
  std::string path = directory == "/" ? "" : directory;
  path += '/';
  path += relative;
  return path;
}

std::map<std::string, const Node*> shared_objects(const Rootfs& rootfs,
                                                  std::string_view directory) {
  std::map<std::string, const Node*> out;
  const Node* parent = rootfs.find(directory);
  if (parent == nullptr || !parent->is_directory()) return out;
  for (const auto& [name, child] : parent->children) {
    const Node* file = rootfs.find(child->path());
    if (file == nullptr || !file->is_regular() || file->parent != parent) continue;
    const elf::Facts* facts = rootfs.elf_facts(*file);
    if (facts == nullptr || !facts->is_x86_64() || facts->type != elf::kTypeDyn) continue;
    if (name.find(".so") != std::string::npos) out.emplace(name, file);
  }
  return out;
}

std::vector<GramineTree> find_gramine_trees(const Rootfs& rootfs, std::size_t source) {
  std::set<const Node*> directories;
  rootfs.walk([&](const Node& node) {
    if (node.is_directory()) return;
    for (const std::string_view landmark : kLandmarks)
      if (const Node* directory = directory_of(node, landmark)) directories.insert(directory);
  });
  std::vector<GramineTree> trees;
  trees.reserve(directories.size());
  for (const Node* directory : directories) trees.push_back(read_tree(rootfs, source, *directory));
  // A lone libc.so.6 in somebody's runtime/glibc directory is not ours.
  std::erase_if(trees, [](const GramineTree& tree) {
    return absent_parts(tree) == 4 && tree.musl.empty() && tree.direct_libpal == nullptr;
  });
  std::sort(trees.begin(), trees.end(), [](const GramineTree& a, const GramineTree& b) {
    return std::tuple(absent_parts(a), preference(a), std::string_view(a.directory)) <
           std::tuple(absent_parts(b), preference(b), std::string_view(b.directory));
  });
  return trees;
}

}  // namespace cloister::measure
