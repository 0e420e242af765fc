// LD_LIBRARY_PATH comes before DT_RUNPATH and before musl's RPATH: each directory that is put there
// for one library is also searched for all others. So for every choice and every listed directory
// that holds another file of that name (glibc-hwcaps included), the chosen directory must stand
// before it: a topological order of few nodes. Constraints are first all taken; when they form a
// cycle, only those against files that can be opened. Then each choice is looked up in the result
// as the runtime's loader does it, which tells the paths it will spell and what it gets wrong.
#include "manifest-gen/closure/library_path.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "manifest-gen/closure/library_search.h"

namespace cloister::manifest {
namespace {

// Beyond this many directories nothing is added: each is looked through for every library.
constexpr std::size_t kMaxDirectories = 1024;

struct Constraint {
  std::size_t before, after;  // indexes into the directories
  bool hard;
};

class Order {
 public:
  Order(const measure::Rootfs& rootfs, const std::vector<LibraryChoice>& choices,
        const std::function<bool(std::string_view)>& granted)
      : rootfs_(rootfs), choices_(choices), granted_(granted) {
    for (const LibraryChoice& choice : choices)
      chosen_[choice.name][choice.node].insert(choice.directory);
  }

  std::size_t add(const std::string& directory) {
    const auto [at, added] = index_.try_emplace(directory, directories_.size());
    if (added) {
      directories_.push_back({directory, rootfs_.find(directory), {}});
      Directory& made = directories_.back();
      for (const std::string_view hwcaps : kHwcaps)
        if (rootfs_.find(cat(directory, "/glibc-hwcaps/", hwcaps)) != nullptr)
          made.hwcaps.push_back(cat(directory, "/glibc-hwcaps/", hwcaps));
    }
    return at->second;
  }

  // Directories may be added while constraints are found, which makes new constraints: each pair of
  // choice and directory is looked at once.
  void constrain() {
    for (std::size_t seen = 0; seen < directories_.size();) {
      const std::size_t end = directories_.size();
      for (std::size_t c = 0; c < choices_.size(); ++c)
        for (std::size_t i = seen; i < end; ++i) constrain(choices_[c], i);
      seen = end;
    }
  }

  LibraryPath run() {
    LibraryPath out;
    std::vector<std::size_t> order;
    if (!sort(false, order)) (void)sort(true, order);
    for (const std::size_t i : order) out.directories.push_back(directories_[i].path);
    for (std::size_t c = 0; c < choices_.size(); ++c) look_up(c, order, out);
    return out;
  }

 private:
  struct Directory {
    std::string path;
    const measure::Node* node;
    std::vector<std::string> hwcaps;  // full paths
  };
  struct Candidate {
    std::string path;
    const measure::Node* node;
  };

  // What the runtime's loader meets under that name in one directory, in its order; nothing that it
  // passes over.
  std::vector<Candidate> candidates(std::size_t index, const std::string& name) const {
    std::vector<Candidate> out;
    const Directory& directory = directories_[index];
    const auto add_from = [&](const std::string& path) {
      const measure::Node* node = rootfs_.find(path);
      if (why_not_a_library(rootfs_, node).empty()) out.push_back({path, node});
    };
    for (const std::string& hwcaps : directory.hwcaps) add_from(cat(hwcaps, "/", name));
    if (directory.node != nullptr && directory.node->children.contains(name))
      add_from(directory.path == "/" ? cat("/", name) : cat(directory.path, "/", name));
    return out;
  }

  // Whether the loader may take `other`, met in that directory, for the choice: it is that file, or
  // another processor's variant of it, or has the same bytes. A library that uses $ORIGIN must also
  // be spelled as the image's loader spells it.
  bool serves(const LibraryChoice& choice, const measure::Node* other, std::size_t index) const {
    if (other == choice.node)
      return directories_[index].path == choice.directory || !uses_origin(choice.node);
    if (other->entry->sha256 == choice.node->entry->sha256) return true;
    const auto& chosen = chosen_.at(choice.name);
    const auto sibling = chosen.find(other);
    return sibling != chosen.end() && sibling->second.contains(choice.directory);
  }

  bool uses_origin(const measure::Node* node) const {
    const measure::elf::Facts* facts = rootfs_.elf_facts(*node);
    return facts != nullptr && (facts->runpath.value_or("").find("ORIGIN") != std::string::npos ||
                                facts->rpath.value_or("").find("ORIGIN") != std::string::npos);
  }

  void constrain(const LibraryChoice& choice, std::size_t index) {
    for (const Candidate& other : candidates(index, choice.name)) {
      if (serves(choice, other.node, index)) continue;
      if (directories_.size() >= kMaxDirectories && !index_.contains(choice.directory)) continue;
      const std::size_t chosen = add(choice.directory);
      if (chosen == index) continue;
      const bool hard = opens(choice, other);
      constraints_.push_back({chosen, index, hard});
    }
  }

  // Stable: always the first directory that nothing must precede. On a cycle answers false and
  // leaves what could be ordered, then the rest as it came.
  bool sort(bool hard_only, std::vector<std::size_t>& order) const {
    order.clear();
    std::vector<std::size_t> blockers(directories_.size());
    std::vector<std::vector<std::size_t>> after(directories_.size());
    for (const Constraint& c : constraints_) {
      if (hard_only && !c.hard) continue;
      ++blockers[c.after];
      after[c.before].push_back(c.after);
    }
    std::set<std::size_t> ready;
    for (std::size_t i = 0; i < blockers.size(); ++i)
      if (blockers[i] == 0) ready.insert(i);
    while (!ready.empty()) {
      const std::size_t next = *ready.begin();
      ready.erase(ready.begin());
      order.push_back(next);
      for (const std::size_t i : after[next])
        if (--blockers[i] == 0) ready.insert(i);
    }
    const bool complete = order.size() == directories_.size();
    for (std::size_t i = 0; i < blockers.size(); ++i)
      if (blockers[i] != 0) order.push_back(i);
    return complete;
  }

  // What the runtime's loader opens for one choice. Nothing in any listed directory: then it goes
  // on to the list in which the choice was found.
  void look_up(std::size_t index, const std::vector<std::size_t>& order, LibraryPath& out) const {
    const LibraryChoice& choice = choices_[index];
    for (const std::size_t i : order) {
      for (const Candidate& candidate : candidates(i, choice.name)) {
        if (candidate.node == choice.node) {
          out.spellings.push_back({choice.node, candidate.path});
          return;
        }
        if (serves(choice, candidate.node, i) || !opens(choice, candidate)) continue;
        out.conflicts.push_back({index, cat(printable(directories_[i].path), ": holds another ",
                                            printable(choice.name), " and must be searched before ",
                                            printable(choice.directory), " for other libraries")});
        return;
      }
    }
  }

  bool opens(const LibraryChoice& choice, const Candidate& candidate) const {
    return granted_(candidate.path) || chosen_.at(choice.name).contains(candidate.node);
  }

  const measure::Rootfs& rootfs_;
  const std::vector<LibraryChoice>& choices_;
  const std::function<bool(std::string_view)>& granted_;
  // By name: the files, and the directories in which each was chosen.
  std::map<std::string_view, std::map<const measure::Node*, std::set<std::string_view>>> chosen_;
  std::vector<Directory> directories_;
  std::map<std::string, std::size_t> index_;
  std::vector<Constraint> constraints_;
};

}  // namespace

LibraryPath order_library_path(const measure::Rootfs& rootfs,
                               const std::vector<std::string>& environment,
                               const std::vector<std::string>& system,
                               const std::vector<LibraryChoice>& choices,
                               const std::function<bool(std::string_view)>& granted) {
  Order order(rootfs, choices, granted);
  for (const std::string& directory : environment) order.add(directory);
  std::set<std::string_view> wanted;
  for (const LibraryChoice& choice : choices)
    if (choice.must_list) wanted.insert(choice.directory);
  for (const std::string& directory : system)
    if (wanted.contains(directory)) order.add(directory);
  for (const LibraryChoice& choice : choices)
    if (choice.must_list) order.add(choice.directory);
  order.constrain();
  return order.run();
}

}  // namespace cloister::manifest
