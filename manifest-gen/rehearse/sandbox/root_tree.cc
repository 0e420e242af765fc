// Every name is made, and opened, by its path in the merged tree, whose directories were all made
// here: no link of the image is ever followed.
#include "manifest-gen/rehearse/sandbox/root_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <system_error>

#include "base/file.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

using measure::Node;

Error tree_error(std::string_view what, const std::string& path, int error) {
  Error out = Error::io(cat("making ", what, " ", quote(path),
                            " of the image: ", std::generic_category().message(error)));
  if (error == ENOSPC)
    return std::move(out).hint("the root lies in memory: give it more with --memory");
  return out;
}

class RootMaker {
 public:
  RootMaker(int root, const measure::Rootfs& rootfs) : root_(root), rootfs_(rootfs) {}

  Status make_names(CancelToken cancel);
  Status make_directories(const std::vector<std::string>& directories);
  Status fill(const std::set<const Node*>& files, CancelToken cancel);
  Status make_links();

 private:
  Status make(const Node& node);
  // Relative to the root, as *at calls want it.
  static std::string below(const std::string& path) { return path.substr(1); }

  int root_;
  const measure::Rootfs& rootfs_;
  std::map<const measure::Entry*, std::string> made_;  // regular files, for hard links
  std::vector<const Node*> links_;
};

Status RootMaker::make(const Node& node) {
  const std::string path = node.path();
  const std::string name = below(path);
  const measure::Entry& entry = *node.entry;
  switch (entry.type) {
    case measure::FileType::directory:
      if (name.empty()) return {};
      if (mkdirat(root_, name.c_str(), S_IRWXU) < 0 ||
          fchmodat(root_, name.c_str(), entry.mode | S_IRWXU, 0) < 0)
        return tree_error("directory", path, errno);
      return {};
    case measure::FileType::symlink:
      links_.push_back(&node);
      return {};
    case measure::FileType::fifo:
      if (mkfifoat(root_, name.c_str(), entry.mode & 0777) < 0)
        return tree_error("fifo", path, errno);
      return {};
    case measure::FileType::regular:
    case measure::FileType::hardlink:
      break;
    case measure::FileType::char_device:
    case measure::FileType::block_device:
      return {};
  }
  const auto [first, is_new] = made_.try_emplace(&entry, name);
  if (!is_new) {
    if (linkat(root_, first->second.c_str(), root_, name.c_str(), 0) < 0)
      return tree_error("hard link", path, errno);
    return {};
  }
  const Fd fd(openat(root_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                     S_IRUSR | S_IWUSR));
  const timespec times[2] = {};
  if (!fd.valid() || ftruncate(fd.get(), static_cast<off_t>(entry.size)) < 0 ||
      fchmod(fd.get(), entry.mode | S_IRUSR) < 0 || futimens(fd.get(), times) < 0)
    return tree_error("file", path, errno);
  return {};
}

Status RootMaker::make_names(CancelToken cancel) {
  Status status;
  rootfs_.walk([&](const Node& node) {
    if (!status.has_value()) return;
    status = cancel.check();
    if (status.has_value()) status = make(node);
  });
  return status;
}

Status RootMaker::make_directories(const std::vector<std::string>& directories) {
  for (const std::string& path : directories) {
    for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
      const std::string name = below(path.substr(0, slash));
      struct stat status {};
      if (name.empty()) break;
      if (mkdirat(root_, name.c_str(), 0755) < 0 && errno != EEXIST)
        return tree_error("directory", path, errno);
      if (fstatat(root_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0 ||
          !S_ISDIR(status.st_mode))
        return Error::invalid(cat(quote(path),
                                  " should be a directory, and the image has something "
                                  "else there"));
      if (slash == std::string::npos) break;
    }
  }
  return {};
}

Status RootMaker::fill(const std::set<const Node*>& files, CancelToken cancel) {
  std::map<const measure::Entry*, const Node*> once;
  for (const Node* node : files) once.emplace(node->entry, node);
  std::vector<const Node*> nodes;
  nodes.reserve(once.size());
  for (const auto& [entry, node] : once) nodes.push_back(node);
  Fd fd;
  std::size_t open_index = nodes.size();
  std::string path;
  const auto write_piece = [&](std::size_t index, std::uint64_t offset, ByteView piece) -> Status {
    CL_CHECK(cancel.check());
    if (index != open_index) {
      path = nodes[index]->path();
      fd = Fd(openat(root_, below(path).c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
      // Its mode may forbid writing, even to its owner.
      if (!fd.valid() && errno == EACCES &&
          fchmodat(root_, below(path).c_str(), S_IRUSR | S_IWUSR, 0) == 0)
        fd = Fd(openat(root_, below(path).c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
      if (!fd.valid()) return tree_error("file", path, errno);
      open_index = index;
    }
    while (!piece.empty()) {
      const ssize_t written =
          pwrite(fd.get(), piece.data(), piece.size(), static_cast<off_t>(offset));
      if (written < 0) return tree_error("file", path, errno);
      piece = piece.subspan(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
    return {};
  };
  CL_CHECK(rootfs_.read_many(nodes, write_piece));
  // Writing moved the times, and perhaps the modes.
  const timespec times[2] = {};
  for (const Node* node : nodes) {
    const std::string name = below(node->path());
    if (utimensat(root_, name.c_str(), times, AT_SYMLINK_NOFOLLOW) < 0 ||
        fchmodat(root_, name.c_str(), node->entry->mode | S_IRUSR, 0) < 0)
      return tree_error("file", node->path(), errno);
  }
  return {};
}

Status RootMaker::make_links() {
  for (const Node* node : links_) {
    const std::string path = node->path();
    if (symlinkat(node->entry->link_target.c_str(), root_, below(path).c_str()) < 0)
      return tree_error("symbolic link", path, errno);
  }
  return {};
}

void insert_below(std::set<const Node*>& out, const Node& top) {
  std::vector<const Node*> pending{&top};
  while (!pending.empty()) {
    const Node* node = pending.back();
    pending.pop_back();
    if (node->is_regular()) out.insert(node);
    for (const auto& [name, child] : node->children) pending.push_back(child.get());
  }
}

}  // namespace

std::set<const Node*> granted_files(const FileRules& rules, const measure::Rootfs& rootfs) {
  std::set<const Node*> out;
  for (const std::string& path : rules.listed_on_host())
    if (const Node* node = rootfs.find(path); node != nullptr) insert_below(out, *node);
  rootfs.walk([&](const Node& node) {
    if (node.is_directory() || !rules.stands_in(node.name)) return;
    if (const Node* target = rootfs.find(node.path()); target != nullptr && target->is_regular())
      out.insert(target);
  });
  return out;
}

std::set<const Node*> all_files(const measure::Rootfs& rootfs) {
  std::set<const Node*> out;
  insert_below(out, rootfs.root());
  return out;
}

std::uint64_t bytes_of(const std::set<const Node*>& files) {
  std::uint64_t out = 0;
  for (const Node* node : files) out += node->entry->size;
  return out;
}

Status make_names(int root, const measure::Rootfs& rootfs,
                  const std::vector<std::string>& directories, CancelToken cancel) {
  RootMaker maker(root, rootfs);
  CL_CHECK(maker.make_names(cancel));
  CL_CHECK(maker.make_directories(directories));
  return maker.make_links();
}

Status fill_files(int root, const measure::Rootfs& rootfs,
                  const std::set<const measure::Node*>& files, CancelToken cancel) {
  return RootMaker(root, rootfs).fill(files, cancel);
}

}  // namespace cloister::manifest
