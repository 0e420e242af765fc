// A rule that speaks in two hundred places is one thing to understand: what its findings have in
// common is written once.
#include "cmd/report/html_findings.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "base/text.h"

namespace cloister::cmd {
namespace {

using FindingList = std::vector<const Json*>;
constexpr std::size_t kPlacesShown = 8;

// Findings that say the same, in the order in which they came.
std::vector<FindingList> by_rule(const FindingList& findings) {
  std::vector<FindingList> groups;
  std::map<std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>,
           std::size_t>
      numbers;
  for (const Json* f : findings) {
    const auto [at, added] = numbers.try_emplace(
        {text_of(*f, "id"), text_of(*f, "severity"), text_of(*f, "title"), text_of(*f, "meaning")},
        groups.size());
    if (added) groups.emplace_back();
    groups[at->second].push_back(f);
  }
  return groups;
}

bool all_say(const FindingList& group, std::string_view key) {
  for (const Json* f : group)
    if (text_of(*f, key) != text_of(*group.front(), key)) return false;
  return true;
}

void add_accepted(Markup& out, const Json& finding) {
  if (!has(finding, "accepted")) return;
  const Json& accepted = object_of(finding, "accepted");
  out.raw("<p class=\"accepted-by\"><b>Accepted</b> ").text(text_of(accepted, "reason"));
  out.raw(" <span class=\"by\">");
  if (has(accepted, "by")) out.raw("by ").text(text_of(accepted, "by"));
  if (has(accepted, "until")) out.raw(" until ").text(text_of(accepted, "until"));
  out.raw("</span></p>");
}

void add_place(Markup& out, const Json& finding, bool with_fix) {
  const Json& where = object_of(finding, "where");
  out.raw("<li class=\"place\"><div class=\"where\"><span class=\"by\">");
  out.text(text_of(where, "kind")).raw("</span> <code data-name>").text(text_of(where, "name"));
  out.raw("</code></div>");
  if (const auto evidence = text_of(finding, "evidence"); !evidence.empty())
    out.raw("<p class=\"evidence\">").text(evidence).raw("</p>");
  Markup from;
  const Json& source = object_of(where, "source");
  if (has(source, "file")) {
    from.raw("<span>").text(text_of(source, "file"));
    if (has(source, "line")) from.text(cat(":", number_of(source, "line")));
    from.raw("</span> ");
  }
  if (has(where, "package"))
    from.raw("<span>package ").text(text_of(where, "package")).raw("</span> ");
  if (has(where, "layer")) {
    const std::string_view layer = text_of(where, "layer");
    from.raw("<span>layer ").text(layer.substr(0, layer.starts_with("sha256:") ? 19 : 64));
    from.raw("…</span> ");
  }
  if (has(finding, "ruleSeverity"))
    from.raw("<span>")
        .text(text_of(finding, "ruleSeverity"))
        .raw(" unless the policy changes it</span> ");
  if (!from.str().empty()) out.raw("<p class=\"from\">").add(from).raw("</p>");
  if (with_fix && has(finding, "fix"))
    out.raw("<p class=\"fix\"><b>Fix</b> ").text(text_of(finding, "fix")).raw("</p>");
  add_accepted(out, finding);
  out.raw("</li>\n");
}

void add_rule(Markup& out, const FindingList& group) {
  const Json& first = *group.front();
  const bool one_fix = all_say(group, "fix");
  out.raw("<article class=\"rule sev-").word(text_of(first, "severity")).raw("\">\n<header><h4>");
  out.text(text_of(first, "title")).raw("</h4> <span class=\"tag\">");
  out.text(text_of(first, "severity")).raw("</span> <code class=\"id\">");
  out.text(text_of(first, "id")).raw("</code>");
  if (group.size() > 1) out.raw(" <span class=\"by\">").count(group.size()).raw(" places</span>");
  out.raw("</header>\n<p class=\"meaning\">").text(text_of(first, "meaning")).raw("</p>\n");
  if (one_fix && has(first, "fix"))
    out.raw("<p class=\"fix\"><b>Fix</b> ").text(text_of(first, "fix")).raw("</p>\n");
  out.raw("<ul class=\"places\">\n");
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (i == kPlacesShown && group.size() > kPlacesShown + 1)
      out.raw("</ul><details class=\"more\"><summary>and ")
          .count(group.size() - i)
          .raw(" more places</summary><ul class=\"places\">\n");
    add_place(out, *group[i], !one_fix);
  }
  out.raw("</ul>");
  if (group.size() > kPlacesShown + 1) out.raw("</details>");
  out.raw("</article>\n");
}

void add_rules(Markup& out, const FindingList& findings) {
  for (const FindingList& group : by_rule(findings)) add_rule(out, group);
}

}  // namespace

Markup html_findings(const Json& audit) {
  FindingList accepted;
  std::map<std::string_view, FindingList> open;
  std::vector<std::string_view> order;  // of severities: as they came, the worst first
  for (const Json& finding : list_of(audit, "findings")) {
    if (has(finding, "accepted")) {
      accepted.push_back(&finding);
      continue;
    }
    FindingList& list = open[text_of(finding, "severity")];
    if (list.empty()) order.push_back(text_of(finding, "severity"));
    list.push_back(&finding);
  }
  Markup out;
  if (order.empty()) out.raw("<p class=\"empty\">Nothing is left to decide.</p>\n");
  for (const std::string_view severity : order) {
    out.raw("<div class=\"group sev-").word(severity).raw("\" data-severity=\"").word(severity);
    out.raw("\">\n<h3>").text(severity).raw(" <span class=\"by\">").count(open[severity].size());
    out.raw("</span></h3>\n");
    add_rules(out, open[severity]);
    out.raw("</div>\n");
  }
  if (!accepted.empty()) {
    out.raw(
        "<details class=\"group sev-accepted\" data-severity=\"accepted\">\n<summary><h3>accepted "
        "<span class=\"by\">");
    out.count(accepted.size()).raw("</span></h3></summary>\n");
    add_rules(out, accepted);
    out.raw("</details>\n");
  }
  return out;
}

}  // namespace cloister::cmd
