#include "cmd/report/html_targets.h"

#include <nlohmann/json.hpp>

#include "cmd/report/audit_targets.h"

namespace cloister::cmd {
namespace {

void add_fit(Markup& out, std::string_view fits) {
  if (fits == "yes")
    out.raw("<strong>Yes</strong>");
  else if (fits == "with-limits")
    out.raw("<strong>With limits</strong>");
  else
    out.raw("<strong>No</strong>");
}

// How the page marks an answer: a limit as what may happen, a no as what is exposed.
void open_fit(Markup& out, std::string_view fits) {
  if (fits == "yes")
    out.raw("<div>");
  else if (fits == "with-limits")
    out.raw("<div class=\"may\">");
  else
    out.raw("<div class=\"exposed\">");
}

}  // namespace

Markup html_targets(const Json& audit) {
  Markup out;
  if (list_of(audit, "targets").empty()) return out;
  out.raw(
      "<section id=\"targets\" aria-labelledby=\"targets-title\">\n"
      "<h2 id=\"targets-title\">Where it can run</h2>\n<dl class=\"answers\">\n");
  for (const Json& target : list_of(audit, "targets")) {
    const std::string_view fits = text_of(target, "fits");
    open_fit(out, fits);
    out.raw("<dt>").text(target_title(text_of(target, "tee"))).raw("</dt><dd>");
    add_fit(out, fits);
    out.raw("<ul>\n");
    for (const Json& reason : list_of(target, "reasons"))
      out.raw("<li><b>")
          .text(text_of(reason, "effect"))
          .raw("</b> ")
          .text(text_of(reason, "what"))
          .raw(" (")
          .text(text_of(reason, "evidence"))
          .raw(")</li>\n");
    out.raw("</ul></dd></div>\n");
  }
  return out.raw("</dl>\n</section>\n\n");
}

Markup html_targets_link(const Json& audit) {
  Markup out;
  if (!list_of(audit, "targets").empty()) out.raw("<a href=\"#targets\">Where</a>\n");
  return out;
}

}  // namespace cloister::cmd
