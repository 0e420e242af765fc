// The findings have what is wrong; here stands what was seen, so that a reviewer can tell how much
// a run without findings is worth.
#include "cmd/report/html_rehearsal.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace cloister::cmd {
namespace {

void add_row(Markup& out, std::string_view term, const Markup& value) {
  out.raw("<div><dt>").text(term).raw("</dt><dd>").add(value).raw("</dd></div>\n");
}

// "1 file", "12 files".
Markup number_phrase(std::uint64_t number, std::string_view one, std::string_view many) {
  Markup out;
  out.count(number).raw(" ").text(number == 1 ? one : many);
  return out;
}

Markup outcome(const Json& rehearsal) {
  Markup out;
  if (flag_of(rehearsal, "clean")) {
    out.raw("<strong>Clean</strong>: all that was opened is granted");
    return out;
  }
  std::uint64_t refused = 0;
  for (const Json& one : list_of(rehearsal, "denied"))
    if (!flag_of(one, "harmless")) ++refused;
  out.raw("<strong class=\"bad\">Refused</strong>: ");
  return out.add(number_phrase(refused, "path", "paths"));
}

Markup sizes(const Json& rehearsal) {
  Markup out;
  out.raw("<table><thead><tr><th>key</th><th>is</th><th>seen</th><th></th></tr></thead><tbody>\n");
  for (const Json& size : list_of(rehearsal, "sizes")) {
    const std::uint64_t seen = number_of(size, "seen");
    out.raw("<tr><td><code>").text(text_of(size, "key")).raw("</code></td><td><code>");
    out.text(text_of(size, "current")).raw("</code></td><td>");
    if (text_of(size, "unit") == "bytes")
      out.text(human_bytes(seen));
    else
      out.count(seen);
    out.raw("</td><td>").text(text_of(size, "outcome")).raw("</td></tr>\n");
  }
  return out.raw("</tbody></table>\n");
}

}  // namespace

Markup html_rehearsal(const Json& audit) {
  Markup out;
  if (!has(audit, "rehearsal")) return out;
  const Json& rehearsal = object_of(audit, "rehearsal");
  out.raw(
      "<section id=\"rehearsal\" aria-labelledby=\"rehearsal-title\">\n"
      "<h2 id=\"rehearsal-title\">Rehearsal</h2>\n"
      "<p class=\"lead\">It was run with what the manifest grants, outside of an enclave.</p>\n"
      "<dl class=\"facts\">\n");
  add_row(out, "Outcome", outcome(rehearsal));
  Markup sources;
  for (const Json& file : list_of(rehearsal, "files"))
    if (file.is_string())
      sources.raw("<code>").text(file.get_ref<const std::string&>()).raw("</code> ");
  add_row(out, "By", sources);
  Markup opened = number_phrase(number_of(rehearsal, "opened"), "file", "files");
  opened.raw(", of ").count(number_of(rehearsal, "granted")).raw(" that are granted");
  add_row(out, "Opened", opened);
  Markup unused = number_phrase(number_of(rehearsal, "unusedFiles"), "file", "files");
  unused.raw(", ").text(human_bytes(number_of(rehearsal, "unusedBytes")));
  add_row(out, "Never touched", unused);
  return out.raw("</dl>\n").add(sizes(rehearsal)).raw("</section>\n\n");
}

Markup html_rehearsal_link(const Json& audit) {
  Markup out;
  if (has(audit, "rehearsal")) out.raw("<a href=\"#rehearsal\">Rehearsal</a>\n");
  return out;
}

}  // namespace cloister::cmd
