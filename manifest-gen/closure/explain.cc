// A closure is a graph with shared nodes and loops: the number of its paths grows exponentially.
// Chains are searched backwards from the file, the short ones first; a bound on steps and on chains
// ends the search.
#include "manifest-gen/closure/explain.h"

#include <algorithm>
#include <deque>
#include <set>

#include "base/path.h"
#include "base/suggest.h"
#include "base/text.h"
#include "manifest-gen/closure/withheld.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

using measure::Node;
using measure::elf::Facts;

constexpr std::size_t kMostChains = 64, kMostSteps = 100'000, kMostNeeders = 16, kMostNear = 5;
constexpr std::size_t kFar = static_cast<std::size_t>(-1);

class ChainSearch {
 public:
  explicit ChainSearch(const Closure& closure)
      : closure_(closure),
        incoming_(closure.members.size()),
        distance_(closure.members.size(), kFar) {
    std::vector<std::vector<std::size_t>> outgoing(closure.members.size());
    std::deque<std::size_t> work;
    for (std::size_t i = 0; i < closure.edges.size(); ++i) {
      const Edge& edge = closure.edges[i];
      incoming_[edge.to].push_back(i);
      if (edge.from != kLaunch) {
        outgoing[edge.from].push_back(edge.to);
      } else if (distance_[edge.to] == kFar) {
        distance_[edge.to] = 1;
        work.push_back(edge.to);
      }
    }
    while (!work.empty()) {
      const std::size_t at = work.front();
      work.pop_front();
      for (const std::size_t to : outgoing[at]) {
        if (distance_[to] != kFar) continue;
        distance_[to] = distance_[at] + 1;
        work.push_back(to);
      }
    }
    for (auto& edges : incoming_)
      std::stable_sort(edges.begin(), edges.end(),
                       [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  }

  // Chains of one length after the other, so that the shortest come first and a dead end, where
  // every way to the launch is on the chain already, costs no more than the length allows.
  void run(std::size_t target, Explanation& out) {
    if (distance_[target] == kFar) return;
    for (std::size_t length = distance_[target]; length <= closure_.members.size(); ++length) {
      longer_ = false;
      if (!chains_of(length, target, out)) {
        out.more_chains = true;
        return;
      }
      if (!longer_) return;
    }
  }

 private:
  // False when a bound was reached.
  bool chains_of(std::size_t length, std::size_t target, Explanation& out) {
    struct Level {
      std::size_t member, next;
    };
    std::vector<Level> levels{{target, 0}};
    std::vector<std::size_t> edges;  // of the chain so far, the last one first
    std::set<std::size_t> on_chain{target};
    while (!levels.empty()) {
      if (++steps_ > kMostSteps) return false;
      Level& level = levels.back();
      if (level.next == incoming_[level.member].size()) {
        on_chain.erase(level.member);
        levels.pop_back();
        if (!edges.empty()) edges.pop_back();
        continue;
      }
      const std::size_t edge = incoming_[level.member][level.next++];
      const std::size_t from = closure_.edges[edge].from;
      if (from == kLaunch) {
        if (edges.size() + 1 != length) continue;
        if (out.chains.size() == kMostChains) return false;
        std::vector<std::size_t> chain{edge};
        chain.insert(chain.end(), edges.rbegin(), edges.rend());
        out.chains.push_back(std::move(chain));
      } else if (distance_[from] != kFar && !on_chain.contains(from)) {
        if (edges.size() + 1 + distance_[from] > length) {
          longer_ = true;
          continue;
        }
        on_chain.insert(from);
        edges.push_back(edge);
        levels.push_back({from, 0});
      }
    }
    return true;
  }

  std::size_t rank(std::size_t edge) const {
    const std::size_t from = closure_.edges[edge].from;
    return from == kLaunch ? 0 : distance_[from];
  }
  const Closure& closure_;
  std::vector<std::vector<std::size_t>> incoming_;
  std::vector<std::size_t> distance_;
  std::size_t steps_ = 0;
  bool longer_ = false;  // a way was left because it would be longer than the length at hand
};

class Explainer {
 public:
  Explainer(const Closure& closure, const measure::Rootfs& rootfs, const PackageIndex& packages)
      : closure_(closure), rootfs_(rootfs), packages_(packages) {}

  Result<Explanation> run(std::string_view asked) {
    CL_TRY(out_.path, resolve(asked));
    if (const std::size_t member = member_of(out_.path); member != kFar) {
      granted(member);
      return std::move(out_);
    }
    const Node* node = rootfs_.find(out_.path);
    if (node == nullptr) return absent(out_.path);
    if (node->is_directory()) return directory(out_.path, *node);
    if (!node->is_regular())
      return Error::invalid(cat(quote(out_.path), " is no regular file: nothing has to grant it"))
          .hint("name a file");
    out_.real_path = node->path();
    if (const std::size_t member = member_of(out_.real_path); member != kFar) {
      out_.other_name = true;
      granted(member);
      return std::move(out_);
    }
    outside(*node);
    return std::move(out_);
  }

 private:
  // A bare name: the granted file of that name first, then the image's.
  Result<std::string> resolve(std::string_view asked) {
    if (asked.starts_with('/')) return measure::normalize_path(asked);
    if (asked.empty() || asked.find('/') != std::string_view::npos)
      return Error::invalid(cat(quote(asked), " is no absolute path"))
          .hint("give a path as the program opens it, or a bare file name");
    for (const Member& member : closure_.members)
      for (const std::string& path : member.paths)
        if (base_name(path) == asked) return path;
    const std::vector<std::string> named = files_named(asked, 1);
    if (named.empty()) return absent(asked);
    return named.front();
  }

  std::vector<std::string> files_named(std::string_view name, std::size_t most) const {
    std::vector<std::string> out;
    rootfs_.walk([&](const Node& node) {
      if (out.size() < most && node.name == name && !node.is_directory())
        out.push_back(node.path());
    });
    return out;
  }

  Error absent(std::string_view path) const {
    Error error = Error::invalid(cat("the image has no file ", quote(path)));
    for (const std::string& other : files_named(base_name(path), kMostNear))
      error = std::move(error).detail(cat("of that name: ", printable(other)));
    return std::move(error).hint(
        did_you_mean(near_name(path), "cloister files IMAGE --merged lists every file"));
  }

  // The path of a file, or for a bare name the name.
  std::optional<std::string> near_name(std::string_view path) const {
    std::optional<std::string> best;
    Nearest near(base_name(path));
    rootfs_.walk([&](const Node& node) {
      if (!node.is_directory() && near.offer(node.name))
        best = path.starts_with('/') ? node.path() : node.name;
    });
    return best;
  }

  Error directory(std::string_view path, const Node& node) const {
    const std::string below = node.parent == nullptr ? "/" : cat(node.path(), "/");
    std::vector<std::string> granted;
    for (const Member& member : closure_.members)
      if (!member.from_runtime && member.real_path.starts_with(below))
        granted.push_back(member.real_path);
    std::sort(granted.begin(), granted.end());
    Error error = Error::invalid(cat(quote(path), " is a directory: only files are granted, and ",
                                     granted.size(), " below it are"));
    for (std::size_t i = 0; i < granted.size() && i < kMostNear; ++i)
      error = std::move(error).detail(printable(granted[i]));
    return std::move(error).hint("name one of the files");
  }

  std::size_t member_of(std::string_view path) const {
    for (std::size_t i = 0; i < closure_.members.size(); ++i) {
      const auto& paths = closure_.members[i].paths;
      if (std::find(paths.begin(), paths.end(), path) != paths.end()) return i;
    }
    return kFar;
  }

  std::string package_of(std::string_view path) const {
    const Package* owner = packages_.owner(path);
    return owner != nullptr ? cat(owner->name, " ", owner->version) : std::string();
  }

  void granted(std::size_t index) {
    const Member& member = closure_.members[index];
    out_.granted = true;
    out_.real_path = member.real_path;
    out_.names = member.paths;
    out_.from_runtime = member.from_runtime;
    if (!member.from_runtime) out_.package = package_of(member.real_path);
    ChainSearch(closure_).run(index, out_);
    if (out_.other_name) out_.options.push_back(cat("--include ", out_.path));
  }

  void outside(const Node& node) {
    out_.package = package_of(out_.real_path);
    decided();
    find_needers(node);
    find_nearest();
    out_.options.push_back(cat("--include ", out_.path));
    const Package* owner = packages_.owner(out_.real_path);
    const bool known =
        owner != nullptr &&
        std::any_of(closure_.members.begin(), closure_.members.end(), [&](const Member& m) {
          return !m.from_runtime && packages_.owner(m.real_path) == owner;
        });
    if (is_never_valid(out_.real_path) || looks_secret(out_.real_path)) return;
    if (known && closure_.trust < Trust::package) out_.options.emplace_back("--trust package");
    if (closure_.trust < Trust::all) out_.options.emplace_back("--trust all");
  }

  // What kept it out on purpose.
  void decided() {
    for (const Closure::Excluded& excluded : closure_.excluded)
      if (excluded.path == out_.real_path)
        out_.notes.push_back(
            cat("--exclude ", excluded.pattern, " left it out; wanted as ", excluded.wanted));
    if (std::binary_search(closure_.denied.begin(), closure_.denied.end(), out_.real_path))
      out_.notes.emplace_back("--trust none: the program needs it and does not get it");
    if (looks_secret(out_.real_path))
      out_.notes.emplace_back("it looks like a secret: only --include grants it");
    if (is_never_valid(out_.real_path))
      out_.notes.emplace_back(
          "its bytes at run time are not the image's, or Gramine makes it useless: granting it "
          "would not help");
    const std::string name(base_name(out_.real_path));
    for (const Member& member : closure_.members)
      if (member.from_runtime &&
          (member.runtime_name == name || member.runtime_name == base_name(out_.path)))
        out_.notes.push_back(cat("the runtime's ", member.real_path, " takes its place"));
  }

  // Names by which others may ask for the file: its own, its soname, those of links to it.
  std::set<std::string> names_of(const Node& target) const {
    std::set<std::string> out{target.name, std::string(base_name(out_.path))};
    if (const Facts* facts = rootfs_.elf_facts(target); facts != nullptr && facts->soname)
      out.insert(*facts->soname);
    const std::string directory(parent_directory(out_.real_path));
    if (const Node* parent = rootfs_.find(directory))
      for (const auto& [name, child] : parent->children)
        if (child->is_symlink() && rootfs_.find(cat(directory, "/", name)) == &target)
          out.insert(name);
    return out;
  }

  void find_needers(const Node& target) {
    const std::set<std::string> names = names_of(target);
    std::vector<Explanation::Needer> found;
    rootfs_.walk([&](const Node& node) {
      const Facts* facts = &node == &target ? nullptr : rootfs_.elf_facts(node);
      if (facts == nullptr) return;
      std::string how = asks(*facts, names);
      if (how.empty()) return;
      const std::string path = node.path();
      found.push_back({path, std::move(how), member_of(path) != kFar});
    });
    // Granted ones first: they are one step from bringing it in.
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.granted > b.granted; });
    if (found.size() > kMostNeeders) found.resize(kMostNeeders);
    out_.needers = std::move(found);
  }

  std::string asks(const Facts& facts, const std::set<std::string>& names) const {
    for (const std::string& needed : facts.needed)
      if (names.contains(needed)) return cat("NEEDED ", needed);
    for (const auto& note : facts.dlopen_notes)
      for (const std::string& soname : note.sonames)
        if (names.contains(soname)) return cat("dlopen note ", soname);
    for (const std::string& text : facts.strings)
      if (text == out_.path || text == out_.real_path || names.contains(text))
        return cat("names ", text);
    return {};
  }

  void find_nearest() {
    const Package* owner = packages_.owner(out_.real_path);
    const std::string_view directory = parent_directory(out_.real_path);
    for (const bool by_package : {true, false}) {
      for (const Member& member : closure_.members) {
        if (member.from_runtime || out_.nearest.size() == kMostNear) continue;
        if (by_package ? owner != nullptr && packages_.owner(member.real_path) == owner
                       : parent_directory(member.real_path) == directory)
          out_.nearest.push_back(member.real_path);
      }
      if (!out_.nearest.empty()) return;
    }
  }

  const Closure& closure_;
  const measure::Rootfs& rootfs_;
  const PackageIndex& packages_;
  Explanation out_;
};

}  // namespace

Result<Explanation> explain(const Closure& closure, const measure::Rootfs& rootfs,
                            const PackageIndex& packages, std::string_view path) {
  return Explainer(closure, rootfs, packages).run(path);
}

}  // namespace cloister::manifest
