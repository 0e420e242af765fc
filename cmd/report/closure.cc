#include "cmd/report/closure.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

using manifest::Closure;
using manifest::Edge;
using manifest::kLaunch;
using manifest::Member;

std::vector<std::vector<const Edge*>> edges_by_source(const Closure& closure,
                                                      std::vector<const Edge*>& roots) {
  std::vector<std::vector<const Edge*>> out(closure.members.size());
  for (const Edge& edge : closure.edges)
    (edge.from == kLaunch ? roots : out[edge.from]).push_back(&edge);
  return out;
}

std::string total_line(const Closure& closure) {
  std::uint64_t bytes = 0;
  std::size_t paths = 0;
  for (const Member& member : closure.members) bytes += member.size, paths += member.paths.size();
  return cat(closure.members.size(), " files, ", paths, " paths, ", human_bytes(bytes), "\n");
}

// Depth first with an explicit stack: a chain of dependencies may be as long as an attacker likes.
class TreeWriter {
 public:
  explicit TreeWriter(const Closure& closure) : closure_(closure), shown_(closure.members.size()) {
    outgoing_ = edges_by_source(closure, roots_);
  }

  std::string write() {
    for (const Edge* root : roots_) {
      stack_.push_back({root, "", "", true});
      while (!stack_.empty()) step();
    }
    for (const auto& missing : closure_.unresolved)
      out += cat("not found: ", printable(missing.name), ", needed by ",
                 printable(missing.needed_by), "\n");
    return out + total_line(closure_);
  }

 private:
  struct Item {
    const Edge* edge;
    std::string lead, indent;
    bool root;
  };
  void step() {
    const Item item = stack_.back();
    stack_.pop_back();
    const Member& member = closure_.members[item.edge->to];
    out += item.lead + printable(member.real_path);
    out += cat("  [", manifest::why_name(item.edge->why), item.edge->detail.empty() ? "" : ": ",
               printable(item.edge->detail), "]");
    const bool again = shown_[item.edge->to];
    const auto& next = outgoing_[item.edge->to];
    if (again && !next.empty()) out += " (above)";
    out += '\n';
    if (again) return;
    shown_[item.edge->to] = true;
    for (std::size_t i = next.size(); i-- > 0;) {
      const bool last = i + 1 == next.size();
      stack_.push_back({next[i], item.indent + (last ? "└── " : "├── "),
                        item.indent + (last ? "    " : "│   "), false});
    }
  }
  const Closure& closure_;
  std::vector<bool> shown_;
  std::vector<const Edge*> roots_;
  std::vector<std::vector<const Edge*>> outgoing_;
  std::vector<Item> stack_;
  std::string out;
};

// The member's own edges, in the words of the reasons.
OrderedJson reasons_json(const Closure& closure, std::size_t member) {
  OrderedJson reasons = OrderedJson::array();
  for (const Edge& edge : closure.edges) {
    if (edge.to != member) continue;
    OrderedJson reason = {{"why", manifest::why_name(edge.why)}};
    if (edge.from != kLaunch) reason["from"] = printable(closure.members[edge.from].real_path);
    if (!edge.detail.empty()) reason["detail"] = edge.detail;
    reasons.push_back(std::move(reason));
  }
  return reasons;
}

}  // namespace

std::string closure_tree(const Closure& closure) {
  return TreeWriter(closure).write();
}

std::string closure_list(const Closure& closure) {
  std::vector<std::string> lines;
  for (const Member& member : closure.members)
    for (const std::string& path : member.paths) lines.push_back(printable(path) + "\n");
  std::sort(lines.begin(), lines.end());
  return join(lines, "");
}

std::string closure_json(const Closure& closure) {
  OrderedJson members = OrderedJson::array();
  for (std::size_t i = 0; i < closure.members.size(); ++i) {
    const Member& member = closure.members[i];
    members.push_back({{"path", member.real_path},
                       {"paths", member.paths},
                       {"origin", member.from_runtime ? "runtime" : "image"},
                       {"size", member.size},
                       {"sha256", member.sha256.hex()},
                       {"elf", member.is_elf},
                       {"reasons", reasons_json(closure, i)}});
  }
  OrderedJson unresolved = OrderedJson::array();
  for (const auto& missing : closure.unresolved)
    unresolved.push_back(
        {{"name", missing.name}, {"neededBy", missing.needed_by}, {"searched", missing.searched}});
  const OrderedJson json = {{"libraryPath", closure.library_path},
                            {"members", std::move(members)},
                            {"unresolved", std::move(unresolved)}};
  return dump_json_pretty(json) + "\n";
}

}  // namespace cloister::cmd
