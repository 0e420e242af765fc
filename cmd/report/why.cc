#include "cmd/report/why.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

using manifest::Closure;
using manifest::Edge;
using manifest::Explanation;

constexpr std::size_t kFirstChains = 5;

std::string reason(const Edge& edge) {
  return cat(manifest::why_name(edge.why), edge.detail.empty() ? "" : ": ", edge.detail);
}

void add_chain(std::string& out, const Closure& closure, const std::vector<std::size_t>& chain) {
  std::string indent = "  ";
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const Edge& edge = closure.edges[chain[i]];
    out += cat(indent, i > 0 ? "└── " : "", printable(closure.members[edge.to].real_path), "  [",
               printable(reason(edge)), "]\n");
    if (i > 0) indent += "    ";
  }
}

void granted_text(std::string& out, const Closure& closure, const Explanation& e, bool all) {
  if (e.other_name)
    out += cat(printable(e.path), " is not granted under this name; the file is, under others\n");
  else
    out += cat(printable(e.path), " is granted\n");
  if (e.from_runtime) out += "  from      the runtime\n";
  if (!e.package.empty()) out += cat("  package   ", printable(e.package), "\n");
  for (const std::string& name : e.names) out += cat("  as        ", printable(name), "\n");
  const std::size_t shown = all ? e.chains.size() : std::min(e.chains.size(), kFirstChains);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i == 0) out += e.chains.size() == 1 ? "\nbecause\n" : "\nbecause (the shortest chain)\n";
    if (i == 1) out += "\nand because\n";
    add_chain(out, closure, e.chains[i]);
  }
  if (shown < e.chains.size() || e.more_chains)
    out += cat("\n", e.chains.size() - shown, e.more_chains ? " or more" : "", " further chains",
               all ? "" : ": --all shows them", "\n");
}

void outside_text(std::string& out, const Explanation& e) {
  out += cat(printable(e.path), " is not granted\n");
  if (e.real_path != e.path) out += cat("  leads to  ", printable(e.real_path), "\n");
  out += cat("  package   ", e.package.empty() ? "none" : printable(e.package), "\n");
  for (const std::string& note : e.notes) out += cat("  note      ", printable(note), "\n");
  out += e.needers.empty() ? "\nno other file of the image asks for it by name\n"
                           : "\nit would come with\n";
  for (const auto& needer : e.needers)
    out += cat("  ", printable(needer.path), needer.granted ? "  (granted)" : "", "  [",
               printable(needer.how), "]\n");
  if (!e.nearest.empty()) out += "\ngranted nearby\n";
  for (const std::string& path : e.nearest) out += cat("  ", printable(path), "\n");
}

}  // namespace

std::string why_text(const Closure& closure, const Explanation& e, bool all) {
  std::string out;
  if (e.granted)
    granted_text(out, closure, e, all);
  else
    outside_text(out, e);
  if (!e.options.empty()) out += "\nto grant it\n";
  for (const std::string& option : e.options) out += cat("  ", printable(option), "\n");
  return out;
}

std::string why_json(const Closure& closure, const Explanation& e) {
  OrderedJson chains = OrderedJson::array();
  for (const auto& chain : e.chains) {
    OrderedJson steps = OrderedJson::array();
    for (const std::size_t index : chain) {
      const Edge& edge = closure.edges[index];
      OrderedJson step = {{"path", closure.members[edge.to].real_path},
                          {"why", manifest::why_name(edge.why)}};
      if (!edge.detail.empty()) step["detail"] = edge.detail;
      steps.push_back(std::move(step));
    }
    chains.push_back(std::move(steps));
  }
  OrderedJson needers = OrderedJson::array();
  for (const auto& needer : e.needers)
    needers.push_back({{"path", needer.path}, {"how", needer.how}, {"granted", needer.granted}});
  OrderedJson json = {{"path", e.path},
                      {"realPath", e.real_path},
                      {"granted", e.granted && !e.other_name},
                      {"grantedAs", e.names},
                      {"origin", e.from_runtime ? "runtime" : "image"},
                      {"package", e.package.empty() ? OrderedJson() : OrderedJson(e.package)},
                      {"chains", std::move(chains)},
                      {"moreChains", e.more_chains},
                      {"notes", e.notes},
                      {"neededBy", std::move(needers)},
                      {"nearest", e.nearest},
                      {"options", e.options}};
  return dump_json_pretty(json) + "\n";
}

}  // namespace cloister::cmd
