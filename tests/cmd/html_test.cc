// The page is hostile text in a document that runs scripts: what may stand between tags, in the
// data block, and in the policy. tests/e2e/html_report.sh looks at the same in a browser.
#include "cmd/report/html.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/report/html_data.h"
#include "cmd/report/html_markup.h"
#include "tests/base/must.h"
#include "tests/cmd/audit_fixture.h"

namespace cloister::cmd {
namespace {

std::string page_of(const std::string& json) {
  auto page = audit_html(json);
  EXPECT_TRUE(page) << (page ? "" : page.error().what());
  return page ? std::move(*page) : std::string();
}

std::size_t times(std::string_view text, std::string_view needle) {
  std::size_t n = 0;
  for (std::size_t at = text.find(needle); at != std::string_view::npos;
       at = text.find(needle, at + needle.size()))
    ++n;
  return n;
}

// What stands between the first `begin` and the next `end`.
std::string_view between(std::string_view text, std::string_view begin, std::string_view end) {
  const std::size_t from = text.find(begin);
  if (from == std::string_view::npos) return {};
  const std::size_t at = from + begin.size();
  return text.substr(at, text.find(end, at) - at);
}

std::string_view style_of(std::string_view page) {
  return between(page, "<style>", "</style>");
}
std::string_view data_of(std::string_view page) {
  return between(page, "<script type=\"application/json\" id=\"data\">", "</script>");
}
std::string_view script_of(std::string_view page) {
  return between(page, "<script>", "</script>");
}

// The page without style, data and script.
std::string markup_of(std::string_view page) {
  std::string out(page);
  for (const std::string_view part : {style_of(page), data_of(page), script_of(page)}) {
    EXPECT_FALSE(part.empty());
    out.erase(out.find(part), part.size());
  }
  return out;
}

// Every tag, from `<` to `>`.
std::vector<std::string> tags_of(const std::string& markup) {
  std::vector<std::string> out;
  for (std::size_t at = markup.find('<'); at != std::string::npos; at = markup.find('<', at + 1))
    out.push_back(markup.substr(at, markup.find('>', at) + 1 - at));
  return out;
}

TEST(AuditHtml, HostileTextMakesNoTag) {
  // Names and attributes that the templates use; values may hold no quote, so a tag that matches is
  // ours.
  static const std::regex ours(
      R"(</?(html|head|body|title|style|script|noscript|a|header|div|nav|button|main|section|h1|h2|h3|h4|p|dl|dt|dd|ul|li|code|kbd|span|strong|b|br|meter|article|details|summary|footer)( (data-outcome|lang|class|href|id|type|aria-label|aria-labelledby|aria-hidden|tabindex|min|max|value|data-severity)="[A-Za-z0-9 #/_-]*"| hidden| data-name)*>|<!doctype html>|<(meta|link) [^<>]*>)");
  std::size_t seen = 0;
  for (const std::string& tag : tags_of(markup_of(page_of(hostile_audit())))) {
    ++seen;
    EXPECT_TRUE(std::regex_match(tag, ours)) << tag;
  }
  EXPECT_GT(seen, 500U);
}

TEST(AuditHtml, HostileTextReachesNoAttributeOfTheHead) {
  const std::string page = page_of(hostile_audit());
  const std::string_view head = between(page, "<head>", "<style>");
  EXPECT_EQ(times(head, "<"), 9U) << head;
  EXPECT_NE(head.find("<title>Not passed: "), std::string_view::npos);
}

TEST(AuditHtml, DataBlockCannotBeLeft) {
  const std::string page = page_of(hostile_audit());
  const std::string_view data = data_of(page);
  EXPECT_EQ(data.find_first_of("<>&"), std::string_view::npos);
  for (const char c : data) ASSERT_TRUE(c >= ' ' && c < 0x7f) << static_cast<int>(c);
  EXPECT_EQ(times(page, "<script"), 2U + times(script_of(page), "<script"));
  EXPECT_EQ(times(page, "</script"), 2U);
}

TEST(AuditHtml, UnseenCharactersAreShown) {
  const std::string markup = markup_of(page_of(hostile_audit()));
  for (const char* shown : {"\\x1b", "\\x07", "\\x0a", "\\x0d", "\\x09", "\\u202e", "\\u202c",
                            "\\u2028", "\\u200b", "\\ufeff", "\\x00", "\\u{e0041}"})
    EXPECT_NE(markup.find(cat("<span class=\"esc\">", shown, "</span>")), std::string::npos)
        << shown;
  for (const char c : markup) ASSERT_TRUE(c == '\n' || (c < 0 || c >= ' ')) << static_cast<int>(c);
  for (const char* raw :
       {"\xe2\x80\xae", "\xe2\x80\xa8", "\xe2\x80\x8b", "\xef\xbb\xbf", "\xf3\xa0\x81\x81"})
    EXPECT_EQ(markup.find(raw), std::string::npos);
}

TEST(AuditHtml, EveryHostileTextIsSomewhere) {
  const std::string markup = markup_of(page_of(hostile_audit()));
  for (const std::string& text : hostile_texts()) {
    Markup shown;
    shown.text(text);
    EXPECT_NE(markup.find(shown.str()), std::string::npos) << shown.str();
  }
}

TEST(AuditHtml, PolicyKnowsStyleAndScriptByDigestAndNothingElse) {
  for (const std::string& json : {hostile_audit(), bare_audit()}) {
    const std::string page = page_of(json);
    const std::string_view policy =
        between(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"", "\">");
    EXPECT_EQ(policy, cat("default-src 'none'; img-src data:; style-src 'sha256-",
                          base64(sha256(style_of(page)).view()), "'; script-src 'sha256-",
                          base64(sha256(script_of(page)).view()),
                          "'; base-uri 'none'; form-action 'none'"));
  }
}

TEST(AuditHtml, NothingIsAskedOfTheNetwork) {
  const std::string page = page_of(large_audit(50));
  for (const char* word :
       {"http:", "https:", "url(", "@import", " src=", "fetch(", "XMLHttpRequest", "WebSocket",
        "EventSource", "sendBeacon", "import(", "new Image"})
    EXPECT_EQ(times(page, word), 0U) << word;
  static const std::regex link(R"re(href="([^"]*)")re");
  for (std::sregex_iterator it(page.begin(), page.end(), link), end; it != end; ++it) {
    const std::string target = (*it)[1];
    EXPECT_TRUE(target.starts_with('#') || target == "data:,") << target;
  }
}

TEST(AuditHtml, ScriptParsesNoMarkupAndNoCode) {
  const std::string page = page_of(bare_audit());
  for (const char* word :
       {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser",
        "createContextualFragment", "srcdoc", "eval(", "Function(", "localStorage"})
    EXPECT_EQ(times(script_of(page), word), 0U) << word;
}

TEST(AuditHtml, FiveThousandFilesStayBelowTwoMegabytes) {
  const std::string json = large_audit(5000);
  const std::string page = page_of(json);
  EXPECT_GT(json.size(), 4'000'000U);
  EXPECT_LT(page.size(), 2'000'000U);
}

// What the script makes of the data block, in C++.
class DataReader {
 public:
  explicit DataReader(const std::string& text) : data_(Json::parse(text)) {}
  std::string text(const Json& number) const {
    if (number == -1) return {};
    const Json& row = data_["strings"][number.get<std::size_t>()];
    if (row.is_string()) return row;
    return text(row[0]) + path(row[1]) + text(row[2]);
  }
  std::string path(const Json& file) const {
    const Json& columns = data_["files"];
    const auto i = file.get<std::size_t>();
    return data_["dirs"][columns["dir"][i].get<std::size_t>()].get<std::string>() +
           columns["name"][i].get<std::string>();
  }
  std::string digest(std::size_t file) const {
    return hex(*unbase64(data_["files"]["sha"][file].get<std::string>()));
  }
  Json line(std::size_t number) const {
    const Json& row = data_["lines"][number];
    if (row.size() == 2) return {text(row[0]), text(row[1])};
    const auto file = row[0].get<std::size_t>();
    const auto alias = row[1].get<std::size_t>();
    const Json& shape = data_["shapes"][row[2].get<std::size_t>()];
    const std::string name =
        alias == 0 ? path(row[0]) : data_["files"]["aliases"][file][alias - 1].get<std::string>();
    return {shape[0].get<std::string>() + name + shape[1].get<std::string>() + digest(file) +
                shape[2].get<std::string>(),
            text(row[3])};
  }
  const Json& operator[](const char* key) const { return data_[key]; }

 private:
  Json data_;
};

TEST(HtmlData, SaysTheSameAsTheReport) {
  for (const std::string& json : {large_audit(300), hostile_audit(), bare_audit()}) {
    const Json audit = Json::parse(json);
    const DataReader data(html_data(audit));
    const Json& files = audit["files"];
    ASSERT_EQ(data["files"]["name"].size(), files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
      EXPECT_EQ(data.path(i), files[i]["path"]);
      EXPECT_EQ(data.digest(i), files[i]["sha256"]);
      EXPECT_EQ(data["files"]["size"][i], files[i].value("size", Json(-1)));
      EXPECT_EQ(data["files"]["aliases"][i], files[i].value("aliases", Json::array()));
      for (const char* column : {"kind", "package", "layer"})  // none is of the runtime
        EXPECT_EQ(data.text(data["files"][column][i]), files[i].value(column, ""));
      Json reasons = Json::array();
      for (const Json& reason : data["files"]["reasons"][i]) reasons.push_back(data.text(reason));
      EXPECT_EQ(reasons, files[i].value("reasons", Json::array()));
    }
    const Json edges = audit.value("edges", Json::array());
    ASSERT_EQ(data["edges"].size(), 4 * edges.size());
    for (std::size_t i = 0; i < edges.size(); ++i) {
      EXPECT_EQ(data["edges"][4 * i], edges[i]["from"]);
      EXPECT_EQ(data["edges"][4 * i + 1], edges[i]["to"]);
      EXPECT_EQ(data.text(data["edges"][4 * i + 2]), edges[i]["why"]);
      EXPECT_EQ(data.text(data["edges"][4 * i + 3]), edges[i]["detail"]);
    }
    const Json& lines = audit["manifest"]["lines"];
    ASSERT_EQ(data["lines"].size(), lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i)
      EXPECT_EQ(data.line(i), Json({lines[i]["text"].get<std::string>(),
                                    lines[i].value("reason", std::string())}));
  }
}

TEST(HtmlData, EdgesThatLeadNowhereAreLeftOut) {
  Json audit = {{"files", {{{"path", "/a"}}}}, {"edges", Json::array()}};
  for (const auto& [from, to] : {std::pair{0, 1}, {1, 0}, {-2, 0}, {-1, 0}, {0, -1}})
    audit["edges"].push_back({{"from", from}, {"to", to}, {"why", "needed"}});
  const DataReader data(html_data(audit));
  EXPECT_EQ(data["edges"].size(), 4U);
  EXPECT_EQ(data["edges"][0], -1);
}

TEST(HtmlData, FilesOfTheRuntimeAreOfItsShare) {
  const DataReader data(html_data(
      {{"files",
        {{{"path", "/gramine/a"}, {"kind", "runtime"}}, {{"path", "/b"}, {"kind", "data"}}}}}));
  EXPECT_EQ(data.text(data["files"]["package"][0]), "gramine (runtime)");
  EXPECT_EQ(data["files"]["package"][1], -1);
}

std::string answer_to(const Json& audit, std::string_view question) {
  const std::string page = page_of(audit.dump());
  return std::string(between(page, cat("<dt>", question, "</dt><dd><strong>"), "</strong>"));
}

TEST(AuditHtml, NoIsSaidOnlyWhereItIsOne) {
  Json audit = Json::parse(large_audit(5));
  EXPECT_EQ(answer_to(audit, "Use the network"), "Yes, 1 file");
  // Of a static program nobody knows, nor where no edges tell whether it is one.
  EXPECT_EQ(answer_to(audit, "Start other programs"), "Unknown");
  const Json edges = audit["edges"];
  audit["edges"] = Json::array();
  audit["files"][0]["kind"] = "script";
  EXPECT_EQ(answer_to(audit, "Start other programs"), "Unknown");
  audit["edges"] = edges;
  audit["files"][0]["kind"] = "elf";
  audit["files"][1]["kind"] = "elf";
  audit["edges"].push_back({{"from", 0}, {"to", 1}, {"why", "needed"}, {"detail", "NEEDED"}});
  EXPECT_EQ(answer_to(audit, "Start other programs"), "No");
  for (const char* name : {"network", "execute", "fork", "load code"}) {
    audit["surface"]["capabilities"][0]["capability"] = name;
    EXPECT_EQ(answer_to(audit, "Start other programs"),
              name == std::string("execute") ? "Yes, 1 file" : "No");
  }
  audit["surface"]["capabilities"][0]["capability"] = "run programs";
  EXPECT_EQ(answer_to(audit, "run programs"), "Yes, 1 file");
  EXPECT_EQ(answer_to(audit, "Start other programs"), "Unknown");
}

TEST(AuditHtml, VerdictSaysWhy) {
  struct Case {
    const char *gate, *worst;
    bool passed;
    std::vector<int> counts;  // critical … info, accepted
    const char* want;
  };
  const Case cases[] = {
      {"high",
       "medium",
       true,
       {0, 0, 2, 0, 0, 0},
       "No finding is high or worse; the worst is medium."},
      {"critical", "high", true, {0, 1, 0, 0, 0, 0}, "No finding is critical; the worst is high."},
      {"none",
       "high",
       true,
       {0, 1, 0, 0, 0, 0},
       "The worst finding is high; no severity was set to fail."},
      {"high", "", true, {0, 0, 0, 0, 0, 0}, "There is no finding."},
      {"high", "", true, {0, 0, 0, 0, 0, 3}, "Every finding is accepted."},
      {"medium",
       "high",
       false,
       {0, 2, 1, 4, 0, 0},
       "3 findings are medium or worse; the worst is high."},
      {"critical", "critical", false, {1, 2, 0, 0, 0, 0}, "1 finding is critical."},
  };
  for (const Case& c : cases) {
    Json audit = Json::parse(bare_audit());
    audit["verdict"] = {{"failOn", c.gate}, {"worst", c.worst}, {"passed", c.passed}};
    int i = 0;
    for (const char* key : {"critical", "high", "medium", "low", "info", "accepted"})
      audit["counts"][key] = c.counts[static_cast<std::size_t>(i++)];
    const std::string page = page_of(audit.dump());
    EXPECT_NE(page.find(c.want), std::string::npos)
        << c.want << " in " << between(page, "<p class=\"outcome\">", "</p>");
    EXPECT_NE(page.find(cat("<strong>", c.passed ? "Passed" : "Not passed", "</strong>")),
              std::string::npos);
  }
}

TEST(AuditHtml, ARuleIsExplainedOnceForAllItsPlaces) {
  const std::string markup = markup_of(page_of(large_audit(50)));
  EXPECT_EQ(times(markup, "written data is lost at exit"), 1U);
  EXPECT_EQ(times(markup, "<li class=\"place\">"), 23U);
  EXPECT_NE(markup.find("and 12 more places"), std::string::npos);
  EXPECT_EQ(times(markup, "<b>Accepted</b> pinned elsewhere"), 1U);
  EXPECT_NE(markup.find("by policy.toml until 2027-01-01"), std::string::npos);
}

TEST(AuditHtml, WhatAManifestAloneDoesNotSayIsUnknown) {
  const std::string page = page_of(bare_audit());
  EXPECT_EQ(times(page, "<strong>Unknown</strong>"), 4U);
  EXPECT_EQ(times(page, "<dt>MRENCLAVE</dt>"), 0U);
  EXPECT_EQ(times(page, "<strong class=\"bad\">debug</strong>"), 1U);
}

TEST(AuditHtml, OtherDocumentsAreRefused) {
  EXPECT_EQ(audit_html("<html>").error().code(), Code::corrupt);
  EXPECT_EQ(audit_html("{}").error().code(), Code::unsupported);
  EXPECT_EQ(audit_html("[]").error().code(), Code::unsupported);
  EXPECT_EQ(audit_html(R"({"format":"cloister-audit-v2"})").error().code(), Code::unsupported);
}

TEST(AuditHtml, AbsentAndMistypedMembersReadAsEmpty) {
  const Json full = Json::parse(hostile_audit());
  for (const auto& [key, value] : full.items()) {
    if (key == "format") continue;
    for (const Json& wrong :
         {Json(), Json(-1), Json("text"), Json::array({Json(), -1, "text", Json::array()}),
          Json::object({{"name", 1}, {"lines", "x"}, {"packages", 7}, {"from", -5}})}) {
      Json audit = full;
      audit[key] = wrong;
      EXPECT_TRUE(audit_html(audit.dump())) << key << " " << wrong;
    }
  }
  EXPECT_NE(page_of(R"({"format":"cloister-audit-v1"})").find("Nothing is left to decide"),
            std::string::npos);
}

}  // namespace
}  // namespace cloister::cmd
