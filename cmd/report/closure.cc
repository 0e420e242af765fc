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

struct Sums {
  std::size_t files = 0, paths = 0, runtime_files = 0;
  std::uint64_t bytes = 0, runtime_bytes = 0;
};

Sums sums_of(const Closure& closure) {
  Sums out;
  for (const Member& member : closure.members) {
    ++out.files;
    out.paths += member.paths.size();
    out.bytes += member.size;
    if (!member.from_runtime) continue;
    ++out.runtime_files;
    out.runtime_bytes += member.size;
  }
  return out;
}

std::string total_line(const Closure& closure) {
  const Sums sums = sums_of(closure);
  return cat(sums.files, sums.files == 1 ? " file, " : " files, ", sums.paths, " paths, ",
             human_bytes(sums.bytes), " (of the runtime: ", sums.runtime_files, ", ",
             human_bytes(sums.runtime_bytes), ")\n");
}

// Depth first with an explicit stack: a chain of dependencies may be as long as an attacker likes.
class TreeWriter {
 public:
  TreeWriter(const Closure& closure, bool color)
      : closure_(closure), color_(color), shown_(closure.members.size()) {
    outgoing_ = edges_by_source(closure, roots_);
  }

  std::string write() {
    for (const Edge* root : roots_) {
      stack_.push_back({root, "", ""});
      while (!stack_.empty()) step();
    }
    for (const auto& missing : closure_.unresolved) not_found(missing, "not found", kRed);
    for (const auto& missing : closure_.unresolved_optional)
      not_found(missing, "not found, and only a part of the program needs it", kYellow);
    return out_ + total_line(closure_);
  }

 private:
  static constexpr std::string_view kRed = "31", kYellow = "33", kCyan = "36", kDim = "2",
                                    kBold = "1";
  struct Item {
    const Edge* edge;
    std::string lead, indent;
  };

  std::string paint(std::string_view code, const std::string& text) const {
    return color_ ? cat("\033[", code, "m", text, "\033[0m") : text;
  }

  // "libz.so.1 => /usr/lib/…/libz.so.1.2.13", or the path and the reason.
  std::string label(const Edge& edge) const {
    static constexpr std::string_view kNeeded = "NEEDED ";
    const Member& member = closure_.members[edge.to];
    std::string path = printable(member.real_path);
    if (member.from_runtime)
      path = paint(kCyan, path) + "  (runtime)";
    else if (edge.to == 0)
      path = paint(kBold, path);
    if (edge.why == manifest::Why::needed && edge.detail.starts_with(kNeeded))
      return cat(printable(edge.detail.substr(kNeeded.size())), " => ", path);
    return cat(path, "  ",
               paint(kDim, cat("[", manifest::why_name(edge.why), edge.detail.empty() ? "" : ": ",
                               printable(edge.detail), "]")));
  }

  void step() {
    const Item item = stack_.back();
    stack_.pop_back();
    out_ += item.lead + label(*item.edge);
    const bool again = shown_[item.edge->to];
    const auto& next = outgoing_[item.edge->to];
    if (again && !next.empty()) out_ += paint(kDim, "  (above)");
    out_ += '\n';
    if (again) return;
    shown_[item.edge->to] = true;
    for (std::size_t i = next.size(); i-- > 0;) {
      const bool last = i + 1 == next.size();
      stack_.push_back({next[i], item.indent + (last ? "└── " : "├── "),
                        item.indent + (last ? "    " : "│   ")});
    }
  }

  void not_found(const manifest::Unresolved& missing, std::string_view what,
                 std::string_view color) {
    out_ += cat(paint(color, cat(what, ": ", printable(missing.name))), ", needed by ",
                printable(missing.needed_by), "\n");
    for (std::size_t i = 0; i < missing.searched.size(); ++i)
      out_ += cat("  ", i + 1, ". ", printable(missing.searched[i]), "\n");
  }

  const Closure& closure_;
  bool color_;
  std::vector<bool> shown_;
  std::vector<const Edge*> roots_;
  std::vector<std::vector<const Edge*>> outgoing_;
  std::vector<Item> stack_;
  std::string out_;
};

// The member's own edges, in the words of the reasons.
OrderedJson reasons_json(const Closure& closure,
                         const std::vector<std::vector<const Edge*>>& incoming,
                         std::size_t member) {
  OrderedJson reasons = OrderedJson::array();
  for (const Edge* edge : incoming[member]) {
    OrderedJson reason = {{"why", manifest::why_name(edge->why)}};
    if (edge->from != kLaunch) reason["from"] = printable(closure.members[edge->from].real_path);
    if (!edge->detail.empty()) reason["detail"] = edge->detail;
    reasons.push_back(std::move(reason));
  }
  return reasons;
}

OrderedJson unresolved_json(const std::vector<manifest::Unresolved>& list) {
  OrderedJson out = OrderedJson::array();
  for (const auto& missing : list)
    out.push_back(
        {{"name", missing.name}, {"neededBy", missing.needed_by}, {"searched", missing.searched}});
  return out;
}

OrderedJson members_json(const ClosurePlan& plan) {
  const Closure& closure = plan.closure;
  std::vector<std::vector<const Edge*>> incoming(closure.members.size());
  for (const Edge& edge : closure.edges) incoming[edge.to].push_back(&edge);
  OrderedJson members = OrderedJson::array();
  for (std::size_t i = 0; i < closure.members.size(); ++i) {
    const Member& member = closure.members[i];
    OrderedJson json = {{"path", member.real_path},
                        {"paths", member.paths},
                        {"origin", member.from_runtime ? "runtime" : "image"},
                        {"size", member.size},
                        {"sha256", member.sha256.hex()},
                        {"elf", member.is_elf}};
    const manifest::Package* owner =
        member.from_runtime ? nullptr : plan.packages.owner(member.real_path);
    if (owner != nullptr) json["package"] = {{"name", owner->name}, {"version", owner->version}};
    json["reasons"] = reasons_json(closure, incoming, i);
    members.push_back(std::move(json));
  }
  return members;
}

OrderedJson choices_json(const Closure& closure) {
  OrderedJson included = OrderedJson::array(), excluded = OrderedJson::array();
  for (const auto& item : closure.included)
    included.push_back({{"option", item.option}, {"files", item.files}, {"bytes", item.bytes}});
  for (const auto& item : closure.excluded) {
    OrderedJson json = {{"pattern", item.pattern}};
    if (!item.path.empty()) json["path"] = item.path;
    if (!item.wanted.empty()) json["wanted"] = item.wanted;
    excluded.push_back(std::move(json));
  }
  return {{"included", std::move(included)},
          {"excluded", std::move(excluded)},
          {"withheld", closure.withheld},
          {"denied", closure.denied}};
}

// Within a double-quoted string of the DOT language a backslash begins an escape of its own.
std::string dot_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string closure_tree(const Closure& closure, bool color) {
  return TreeWriter(closure, color).write();
}

std::string closure_list(const Closure& closure) {
  std::vector<std::string> lines;
  for (const Member& member : closure.members)
    for (const std::string& path : member.paths) lines.push_back(printable(path) + "\n");
  std::sort(lines.begin(), lines.end());
  return join(lines, "");
}

std::string closure_dot(const Closure& closure) {
  std::string out =
      "digraph closure {\n  rankdir=LR;\n  node [shape=box, fontname=monospace];\n"
      "  launch [shape=oval];\n";
  for (std::size_t i = 0; i < closure.members.size(); ++i)
    out += cat("  n", i, " [label=", dot_string(closure.members[i].real_path),
               closure.members[i].from_runtime ? ", style=dashed" : "", "];\n");
  for (const Edge& edge : closure.edges) {
    out += edge.from == kLaunch ? std::string("  launch") : cat("  n", edge.from);
    out += cat(" -> n", edge.to, " [label=", dot_string(manifest::why_name(edge.why)),
               ", tooltip=", dot_string(edge.detail), "];\n");
  }
  for (std::size_t i = 0; i < closure.unresolved.size(); ++i) {
    const auto& missing = closure.unresolved[i];
    out += cat("  missing", i, " [label=", dot_string(missing.name), ", color=red];\n  ",
               missing.from == kLaunch ? std::string("launch") : cat("n", missing.from),
               " -> missing", i, " [color=red];\n");
  }
  return out + "}\n";
}

std::string closure_json(const ClosurePlan& plan) {
  const Closure& closure = plan.closure;
  const Sums sums = sums_of(closure);
  OrderedJson json = {{"trust", manifest::trust_name(closure.trust)},
                      {"libc", plan.image_libc ? "image" : "runtime"},
                      {"libraryPath", closure.library_path},
                      {"files", sums.files},
                      {"paths", sums.paths},
                      {"bytes", sums.bytes},
                      {"members", members_json(plan)},
                      {"unresolved", unresolved_json(closure.unresolved)},
                      {"unresolvedOptional", unresolved_json(closure.unresolved_optional)}};
  json.update(choices_json(closure));
  return dump_json_pretty(json) + "\n";
}

}  // namespace cloister::cmd
