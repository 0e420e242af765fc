#include "manifest-gen/audit/audit_policy.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::manifest {
namespace {

Result<AuditPolicy> policy_of(std::string_view text) {
  auto table = parse_toml(text, Limits{}, "policy.toml");
  if (!table) return std::move(table).error();
  return parse_audit_policy(*table, "policy.toml");
}

std::vector<Finding> two_findings() {
  return {make_finding(kRuleAllowedFile, "file:/srv/a", "seen", "fix"),
          make_finding(kRuleNoVersion, "sgx.isvsvn", "seen", "fix")};
}

TEST(AuditPolicy, RaisesLowersAndAccepts) {
  const auto policy = policy_of(
      "fail-on = 'medium'\n"
      "severity = { CL303 = 'critical', CL327 = 'info' }\n"
      "[[accept]]\nid = 'CL327'\nreason = 'the only product'\nuntil = '2027-01-31'\n");
  ASSERT_TRUE(policy) << policy.error().what();
  EXPECT_EQ(policy->fail_on, Severity::medium);
  auto findings = two_findings();
  apply_policy(*policy, "2027-01-31", findings);
  EXPECT_EQ(findings[0].severity, Severity::critical);
  EXPECT_EQ(findings[0].rule_severity, Severity::high);
  EXPECT_FALSE(findings[0].accepted);
  ASSERT_TRUE(findings[1].accepted);
  EXPECT_EQ(findings[1].accepted->reason, "the only product");
  EXPECT_EQ(worst_of(findings), Severity::critical);
}

TEST(AuditPolicy, AnAcceptanceRunsOut) {
  const auto policy =
      policy_of("[[accept]]\nid = 'CL303'\nreason = 'for now'\nuntil = '2026-12-31'\n");
  ASSERT_TRUE(policy);
  auto findings = two_findings();
  apply_policy(*policy, "2027-01-01", findings);
  EXPECT_FALSE(findings[0].accepted);
  EXPECT_NE(findings[0].evidence.find("2026-12-31"), std::string::npos) << findings[0].evidence;
}

TEST(AuditPolicy, AcceptsByPlace) {
  const auto accepted = [](std::string_view where) {
    const auto policy =
        policy_of(cat("[[accept]]\nid = 'CL303'\nwhere = '", where, "'\nreason = 'x'\n"));
    auto findings = two_findings();
    apply_policy(*policy, "2027-01-01", findings);
    return findings[0].accepted.has_value();
  };
  EXPECT_TRUE(accepted("file:/srv/*"));
  EXPECT_TRUE(accepted("file:/srv/a"));
  EXPECT_FALSE(accepted("file:/srv"));
  EXPECT_FALSE(accepted("file:/var/*"));
}

TEST(AuditPolicy, WhatIsNotKnownIsRefused) {
  for (const std::string_view text :
       {"fail_on = 'high'", "fail-on = 'terrible'", "fail-on = 1", "severity = 1",
        "severity = { CL999 = 'low' }", "severity = { CL303 = 'bad' }", "accept = 1",
        "accept = [1]", "[[accept]]\nid = 'CL303'", "[[accept]]\nid = 'CL303'\nreason = ' '",
        "[[accept]]\nid = 'CL999'\nreason = 'x'", "[[accept]]\nreason = 'x'",
        "[[accept]]\nid = 'CL303'\nreason = 'x'\nuntil = '2027-1-1'",
        "[[accept]]\nid = 'CL303'\nreason = 'x'\nuntil = 'tomorrow'",
        "[[accept]]\nid = 'CL303'\nreason = 'x'\nbecause = 'y'", "[[accept]]\nid = 1"}) {
    const auto policy = policy_of(text);
    EXPECT_FALSE(policy) << text;
    if (!policy) {
      EXPECT_FALSE(policy.error().hint().empty()) << text;
    }
  }
}

TEST(AuditPolicy, AdvisoriesAreAcceptedByTheirNames) {
  EXPECT_TRUE(policy_of("[[accept]]\nid = 'gramine-fork-trusted-files'\nreason = 'one process'\n"));
}

struct CommentCase {
  std::string_view text;
  std::size_t line;  // 0: the whole document
};

TEST(AcceptedInComments, ACommentIsAboutItsLineOrTheOneBelow) {
  for (const CommentCase& c : {
           CommentCase{"a = 1  # cloister: accept CL303 because x\n", 1},
           CommentCase{"# cloister: accept CL303 because x\na = 1\n", 2},
           CommentCase{"# cloister: accept CL303 because x\n# more\na = 1\n", 3},
           CommentCase{"# cloister: accept CL303 because x\n\na = 1\n", 0},
           CommentCase{"a = 1\n# cloister: accept CL303 because x", 0},
           CommentCase{"a = 1\n# cloister: accept CL303 because x\n", 0},
       }) {
    const auto rules = accepted_in_comments(c.text, "o.toml");
    ASSERT_TRUE(rules) << c.text << rules.error().what();
    ASSERT_EQ(rules->size(), 1U) << c.text;
    EXPECT_EQ(rules->front().at ? rules->front().at->line : 0, c.line) << c.text;
    EXPECT_EQ(rules->front().reason, "x");
  }
}

TEST(AcceptedInComments, SeveralRulesAndADate) {
  const auto rules = accepted_in_comments(
      "# cloister: accept CL303, CL327 until 2027-06-30 because we looked\n\n", "o.toml");
  ASSERT_TRUE(rules) << rules.error().what();
  ASSERT_EQ(rules->size(), 2U);
  EXPECT_EQ((*rules)[1].id, "CL327");
  EXPECT_EQ((*rules)[1].until, "2027-06-30");
  EXPECT_EQ((*rules)[1].by, "o.toml:1");
}

TEST(AcceptedInComments, StringsAreNoComments) {
  const auto rules = accepted_in_comments(
      "a = '# cloister: accept CL303 because x'\n"
      "b = \"\"\"\n# cloister: accept CL303 because x\n\"\"\"\n"
      "c = '''\n# cloister: accept CL303 because x\n'''\n# just a comment\n",
      "o.toml");
  ASSERT_TRUE(rules) << rules.error().what();
  EXPECT_TRUE(rules->empty());
}

TEST(AcceptedInComments, OneThatIsMeantAndWrongIsRefused) {
  for (const std::string_view text :
       {"# cloister: accept CL303", "# cloister: accept CL303 because ", "# cloister: ignore CL303",
        "# cloister: accept CL999 because x", "# cloister: accept CL303 until soon because x",
        "# cloister: accept because x"})
    EXPECT_FALSE(accepted_in_comments(text, "o.toml")) << text;
}

TEST(AcceptedInComments, OnlyAFindingOfThatLineIsAccepted) {
  AuditPolicy policy;
  policy.accepted = *accepted_in_comments("a = 1  # cloister: accept CL303 because x\n", "o.toml");
  auto findings = two_findings();
  apply_policy(policy, "2027-01-01", findings);
  EXPECT_FALSE(findings[0].accepted);
  findings[0].source = Finding::Source{"o.toml", 1};
  apply_policy(policy, "2027-01-01", findings);
  EXPECT_TRUE(findings[0].accepted);
}

}  // namespace
}  // namespace cloister::manifest
