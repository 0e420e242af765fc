// LD_LIBRARY_PATH comes before DT_RUNPATH and before musl's RPATH: each directory that is put there
// for one library is also searched for all others. So for every choice and every listed directory
// that holds another file of that name, the chosen directory must stand before it: a topological
// order of few nodes. Constraints are first all taken; when they form a cycle, only those against
// files that are really granted.
#include "manifest-gen/closure/library_path.h"

#include <algorithm>

#include "base/text.h"
#include "manifest-gen/closure/library_search.h"

namespace cloister::manifest {
namespace {

struct Constraint {
  std::size_t before, after;  // indexes into the directories
  std::size_t choice;
  bool hard;
};

class Order {
 public:
  Order(const measure::Rootfs& rootfs, const std::vector<LibraryChoice>& choices,
        const std::set<Digest>& granted)
      : rootfs_(rootfs), choices_(choices), granted_(granted) {}

  std::size_t add(const std::string& directory) {
    const measure::Node* node = rootfs_.find(directory);
    for (std::size_t i = 0; i < directories_.size(); ++i)
      if (directories_[i] == directory || (node != nullptr && nodes_[i] == node)) return i;
    directories_.push_back(directory);
    nodes_.push_back(node);
    return directories_.size() - 1;
  }

  // Directories may be added while constraints are found, which makes new constraints.
  void constrain() {
    for (std::size_t before = 0; before != directories_.size();) {
      before = directories_.size();
      constraints_.clear();
      for (std::size_t c = 0; c < choices_.size(); ++c) constrain(c);
    }
  }

  LibraryPath run() {
    LibraryPath out;
    std::vector<std::size_t> order;
    if (!sort(false, order) && !sort(true, order)) report(order, out);
    for (const std::size_t i : order) out.directories.push_back(directories_[i]);
    return out;
  }

 private:
  void constrain(std::size_t index) {
    const LibraryChoice& choice = choices_[index];
    for (std::size_t i = 0; i < directories_.size(); ++i) {
      const measure::Node* other = rootfs_.find(cat(directories_[i], "/", choice.name));
      if (!why_not_a_library(rootfs_, other).empty()) continue;
      if (other->entry->sha256 == choice.sha256) continue;
      const std::size_t chosen = add(choice.directory);
      if (chosen == i) continue;
      constraints_.push_back({chosen, i, index, granted_.contains(other->entry->sha256)});
    }
  }

  // Stable: always the first directory that nothing must precede. On a cycle answers false and
  // leaves what could be ordered, then the rest as it came.
  bool sort(bool hard_only, std::vector<std::size_t>& order) const {
    order.clear();
    std::vector<bool> placed(directories_.size());
    for (std::size_t round = 0; round < directories_.size(); ++round) {
      std::size_t next = directories_.size();
      for (std::size_t i = 0; i < directories_.size() && next == directories_.size(); ++i)
        if (!placed[i] && !blocked(i, placed, hard_only)) next = i;
      if (next == directories_.size()) break;
      placed[next] = true;
      order.push_back(next);
    }
    const bool complete = order.size() == directories_.size();
    for (std::size_t i = 0; i < directories_.size(); ++i)
      if (!placed[i]) order.push_back(i);
    return complete;
  }

  bool blocked(std::size_t i, const std::vector<bool>& placed, bool hard_only) const {
    return std::any_of(constraints_.begin(), constraints_.end(), [&](const Constraint& c) {
      return c.after == i && !placed[c.before] && (c.hard || !hard_only);
    });
  }

  // Every hard constraint that the order we are left with breaks.
  void report(const std::vector<std::size_t>& order, LibraryPath& out) const {
    std::vector<std::size_t> position(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) position[order[i]] = i;
    for (const Constraint& c : constraints_) {
      if (!c.hard || position[c.before] < position[c.after]) continue;
      out.conflicts.push_back(
          {c.choice, cat(printable(directories_[c.after]), ": holds another ",
                         printable(choices_[c.choice].name), " and must be searched before ",
                         printable(directories_[c.before]), " for other libraries")});
    }
  }

  const measure::Rootfs& rootfs_;
  const std::vector<LibraryChoice>& choices_;
  const std::set<Digest>& granted_;
  std::vector<std::string> directories_;
  std::vector<const measure::Node*> nodes_;
  std::vector<Constraint> constraints_;
};

}  // namespace

LibraryPath order_library_path(const measure::Rootfs& rootfs,
                               const std::vector<std::string>& environment,
                               const std::vector<std::string>& system,
                               const std::vector<LibraryChoice>& choices,
                               const std::set<Digest>& granted) {
  Order order(rootfs, choices, granted);
  for (const std::string& directory : environment) order.add(directory);
  const auto wanted = [&](const std::string& directory) {
    return std::any_of(choices.begin(), choices.end(), [&](const LibraryChoice& choice) {
      return choice.must_list && choice.directory == directory;
    });
  };
  for (const std::string& directory : system)
    if (wanted(directory)) order.add(directory);
  for (const LibraryChoice& choice : choices)
    if (choice.must_list) order.add(choice.directory);
  order.constrain();
  return order.run();
}

}  // namespace cloister::manifest
