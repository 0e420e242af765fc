// A tmpfs hides what the image has below it, so only directories without files are taken; an
// attacker who can fill one fills enclave memory, which ends the program, as a full disk would.
#include "manifest-gen/gramine/writable_places.h"

#include <algorithm>
#include <map>

#include "base/path.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

using measure::Node;

// Below these nothing is expected to last.
constexpr std::string_view kPassing[] = {"/var/cache", "/var/log", "/var/spool",
                                         "/var/lock",  "/run",     "/var/run"};

// Where programs keep links to such directories, and how deep: /var/lib/NAME/logs.
constexpr std::string_view kOfPrograms[] = {"/opt", "/srv", "/usr/local", "/usr/share", "/var/lib"};
constexpr int kLinkDepth = 1;

bool is_below(std::string_view path, std::string_view directory) {
  return path != directory && is_within(path, directory);
}

bool is_passing(std::string_view path) {
  return std::any_of(std::begin(kPassing), std::end(kPassing),
                     [&](std::string_view top) { return is_below(path, top); });
}

// Links count as files: a log that is a link to /dev/stdout must stay.
bool holds_files(const Node& directory) {
  std::vector<const Node*> stack{&directory};
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    for (const auto& [name, child] : node->children) {
      if (!child->is_directory()) return true;
      stack.push_back(child.get());
    }
  }
  return false;
}

class Places {
 public:
  Places(const Launch& launch, const Closure& closure, const measure::Rootfs& rootfs)
      : launch_(launch), closure_(closure), rootfs_(rootfs) {}

  std::vector<WritablePlace> run() {
    const auto& missing = launch_.missing_directories;
    if (launch_.workdir != "/" &&
        std::find(missing.begin(), missing.end(), launch_.workdir) != missing.end() &&
        !is_below(launch_.workdir, "/proc") && !is_below(launch_.workdir, "/sys") &&
        !is_below(launch_.workdir, "/dev"))
      found_.emplace(launch_.workdir, "the working directory, which the image does not have");
    if (!closure_.members.empty()) named();
    for (const std::string_view top : kPassing) owned(top);
    if (!found_.empty())
      for (const std::string_view top : kOfPrograms) links(std::string(top), 0);
    std::vector<WritablePlace> out;
    for (auto& [path, reason] : found_) {
      // One mount for a tree.
      if (!out.empty() && is_below(path, out.back().path)) continue;
      out.push_back({path, reason});
    }
    return out;
  }

 private:
  void named() {
    const Node* program = rootfs_.find(closure_.members.front().real_path);
    const measure::elf::Facts* facts = program != nullptr ? rootfs_.elf_facts(*program) : nullptr;
    if (facts == nullptr) return;
    for (const std::string& text : facts->strings) {
      if (!is_passing(text) || text.find('%') != std::string::npos) continue;
      const std::string path = measure::normalize_path(text);
      add(path, "the program names it");
      add(path.substr(0, path.rfind('/')), "the program names a file in it");
    }
  }

  void owned(std::string_view top) {
    const Node* node = rootfs_.find(top);
    if (node == nullptr || !node->is_directory() || node->path() != top) return;
    for (const auto& [name, child] : node->children)
      if (child->is_directory() && child->entry->uid != 0)
        add(child->path(), "a directory for passing files that is not root's");
  }

  // /var/lib/NAME/logs -> /var/log/NAME: the program goes by the link, and a place is as it is
  // spelled.
  void links(const std::string& directory, int depth) {
    const Node* node = rootfs_.find(directory);
    if (node == nullptr || !node->is_directory()) return;
    for (const auto& [name, child] : node->children) {
      const std::string path = cat(directory, "/", name);
      if (child->is_directory() && depth < kLinkDepth) links(path, depth + 1);
      if (!child->is_symlink() || !is_utf8(path)) continue;
      const Node* target = rootfs_.find(path);
      if (target != nullptr && target->is_directory() && found_.contains(target->path()))
        found_.emplace(path, cat("a link to ", target->path()));
    }
  }

  void add(const std::string& path, const char* reason) {
    if (!is_passing(path) || !is_utf8(path)) return;
    const Node* node = rootfs_.find(path);
    if (node == nullptr || !node->is_directory() || holds_files(*node)) return;
    found_.emplace(path, reason);
  }

  const Launch& launch_;
  const Closure& closure_;
  const measure::Rootfs& rootfs_;
  std::map<std::string, std::string> found_;
};

}  // namespace

std::vector<WritablePlace> writable_places(const Launch& launch, const Closure& closure,
                                           const measure::Rootfs& rootfs) {
  return Places(launch, closure, rootfs).run();
}

}  // namespace cloister::manifest
