#include "cmd/report/diff.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/report/html_markup.h"
#include "cmd/report/markdown.h"
#include "cmd/report/sarif.h"
#include "cmd/wrap.h"

namespace cloister::cmd {
namespace {

using manifest::Change;
using Direction = Change::Direction;

constexpr Direction kDirections[] = {Direction::widens, Direction::narrows, Direction::differs};

std::size_t count_of(const std::vector<Change>& changes, Direction direction) {
  return static_cast<std::size_t>(
      std::count_if(changes.begin(), changes.end(),
                    [&](const Change& change) { return change.direction == direction; }));
}

std::string_view heading_of(Direction direction) {
  switch (direction) {
    case Direction::widens:
      return "The new one may do more";
    case Direction::narrows:
      return "The new one may do less";
    case Direction::differs:
      return "Neither more nor less, but different";
  }
  return "";
}

// A value of no more than a line.
std::string short_value(const std::string& value) {
  constexpr std::size_t kMost = 120;
  std::string out = printable(value);
  if (out.size() <= kMost) return out;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;  // whole letters
  return out.substr(0, end) + "…";
}

std::string values_phrase(const Change& change) {
  if (change.before.empty()) return short_value(change.after);
  if (change.after.empty()) return short_value(change.before);
  return cat(short_value(change.before), " → ", short_value(change.after));
}

char sign_of(const Change& change) {
  if (change.before.empty() && !change.after.empty()) return '+';
  if (!change.before.empty() && change.after.empty()) return '-';
  return '~';
}

}  // namespace

std::string change_phrase(const std::vector<Change>& changes) {
  if (changes.empty()) return "the same";
  std::string out;
  const auto add = [&](Direction direction, std::string_view one, std::string_view many) {
    const std::size_t n = count_of(changes, direction);
    if (n > 0) out += cat(out.empty() ? "" : ", ", n, " ", n == 1 ? one : many);
  };
  add(Direction::widens, "widens", "widen");
  add(Direction::narrows, "narrows", "narrow");
  add(Direction::differs, "differs", "differ");
  return out;
}

std::string change_line(const Change& change) {
  const std::string values = values_phrase(change);
  return cat(change.area, ": ", sign_of(change), " ", printable(change.what),
             values.empty() ? "" : "  ", values);
}

std::string diff_json(const DiffReport& report) {
  OrderedJson changes = OrderedJson::array();
  for (const Change& change : report.changes) {
    OrderedJson json = {{"direction", manifest::direction_name(change.direction)},
                        {"area", change.area},
                        {"what", change.what}};
    if (!change.before.empty()) json["before"] = change.before;
    if (!change.after.empty()) json["after"] = change.after;
    changes.push_back(std::move(json));
  }
  OrderedJson counts;
  for (const Direction direction : kDirections)
    counts[std::string(manifest::direction_name(direction))] = count_of(report.changes, direction);
  const OrderedJson json = {
      {"format", "cloister-diff-v1"}, {"before", report.before},
      {"after", report.after},        {"widens", manifest::widens(report.changes)},
      {"counts", std::move(counts)},  {"changes", std::move(changes)}};
  return dump_json_pretty(json) + "\n";
}

std::string diff_text(const DiffReport& report, unsigned width, bool color) {
  static constexpr std::string_view kCodes[] = {"31", "32", "33"};
  const auto paint = [&](std::string_view code, std::string_view text) {
    return color ? cat("\033[", code, "m", text, "\033[0m") : std::string(text);
  };
  std::string out = cat("--- ", printable(report.before), "\n+++ ", printable(report.after), "\n");
  for (const Direction direction : kDirections) {
    if (count_of(report.changes, direction) == 0) continue;
    out += cat("\n", paint("1", heading_of(direction)), "\n");
    std::string area;
    for (const Change& change : report.changes) {
      if (change.direction != direction) continue;
      if (change.area != area) out += cat("  ", change.area, "\n");
      area = change.area;
      const std::string head = cat("    ", sign_of(change), " ");
      std::string line = wrapped(printable(change.what), head, width);
      const std::string values = values_phrase(change);
      if (!values.empty()) line += wrapped(values, "        ", width);
      // Painted whole: an escape within a wrapped line would count as columns.
      line.pop_back();
      out += paint(kCodes[static_cast<std::size_t>(direction)], line) + "\n";
    }
  }
  return out + cat(report.changes.empty() ? "" : "\n", change_phrase(report.changes), "\n");
}

std::string diff_markdown(const DiffReport& report) {
  std::string out =
      cat("## ", manifest::widens(report.changes) ? "⚠️" : "✅", " ",
          markdown_code(printable(report.before)), " → ", markdown_code(printable(report.after)),
          "\n\n", change_phrase(report.changes), "\n");
  constexpr std::size_t kMaxDiffRows = 200;
  for (const Direction direction : kDirections) {
    const std::size_t all = count_of(report.changes, direction);
    if (all == 0) continue;
    out += cat("\n### ", heading_of(direction),
               "\n\n| | what | before | after |\n|---|---|---|---|\n");
    std::size_t shown = 0;
    for (const Change& change : report.changes) {
      if (change.direction != direction || ++shown > kMaxDiffRows) continue;
      out += cat("| ", change.area, " | ", markdown_code(printable(change.what)), " | ",
                 change.before.empty() ? "" : markdown_code(short_value(change.before)), " | ",
                 change.after.empty() ? "" : markdown_code(short_value(change.after)), " |\n");
    }
    if (all > kMaxDiffRows) out += cat("\nand ", all - kMaxDiffRows, " more\n");
  }
  return out;
}

std::string diff_sarif(const DiffReport& report) {
  std::vector<SarifResult> results;
  for (const Change& change : report.changes) {
    if (change.direction != Direction::widens) continue;
    SarifResult one;
    one.rule = cat("widens-", change.area.substr(0, change.area.find(' ')));
    one.title = cat("more than before: ", change.area);
    one.meaning = "The new enclave may do something that the old one may not.";
    one.level = "warning";
    one.score = "5.5";
    one.message = change_line(change);
    one.file = report.after;
    one.place = change.what;
    one.place_kind = "permission";
    results.push_back(std::move(one));
  }
  return sarif_document(results);
}

std::string diff_html(const DiffReport& report) {
  static constexpr char kStyle[] =
      ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;"
      "margin:2rem auto;padding:0 1rem}code{font:.9em ui-monospace,monospace;"
      "overflow-wrap:anywhere}table{border-collapse:collapse;width:100%}"
      "td,th{border-bottom:1px solid #8884;padding:.3rem .6rem;text-align:left;"
      "vertical-align:top}.esc{opacity:.6}";
  const std::string hash = base64(sha256(std::string_view(kStyle)).view());
  Markup out;
  out.raw(
         "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'sha256-")
      .text(hash)
      .raw("'\">\n<title>cloister diff</title>\n<style>")
      .raw(kStyle)
      .raw("</style>\n</head>\n<body>\n<h1>");
  out.text(manifest::widens(report.changes) ? "The new one may do more" : "Nothing widens");
  out.raw("</h1>\n<p><code>").text(report.before).raw("</code> → <code>").text(report.after);
  out.raw("</code>: ").text(change_phrase(report.changes)).raw("</p>\n");
  for (const Direction direction : kDirections) {
    if (count_of(report.changes, direction) == 0) continue;
    out.raw("<h2>").text(heading_of(direction));
    out.raw("</h2>\n<table>\n<tr><th>area<th>what<th>before<th>after</tr>\n");
    for (const Change& change : report.changes) {
      if (change.direction != direction) continue;
      out.raw("<tr><td>").text(change.area).raw("<td><code>").text(change.what);
      out.raw("</code><td><code>").text(change.before).raw("</code><td><code>");
      out.text(change.after).raw("</code></tr>\n");
    }
    out.raw("</table>\n");
  }
  return out.raw("</body>\n</html>\n").str();
}

}  // namespace cloister::cmd
