// A policy says what it says, strictly; and each of its rules can fail.
#include "sign/policy/policy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "sign/image/rebuild.h"
#include "sign/image/statement.h"
#include "sign/policy/checks.h"
#include "tests/base/must.h"

namespace cloister::sign {
namespace {

constexpr std::string_view kFull = R"(schemaVersion = 1
not-after = "2027-06-30T00:00:00Z"
[signers]
keys = ["a.pub", "b.pub"]
threshold = 2
[rebuilders]
keys = ["c.pub"]
[sgx]
mrsigner = ["1111111111111111111111111111111111111111111111111111111111111111"]
isvprodid = 7
min-isvsvn = 3
allow-debug = true
[revoked]
images = ["sha256:2222222222222222222222222222222222222222222222222222222222222222"]
mrenclave = ["3333333333333333333333333333333333333333333333333333333333333333"]
[bases]
allowed = ["redis", "reg.example:5000/team/app"]
[runtimes]
allowed = ["sha256:4444444444444444444444444444444444444444444444444444444444444444"]
)";

Result<Policy> parse(std::string_view text) {
  return parse_policy(text, Limits(), "'policy.toml'");
}

TEST(Policy, SaysWhatItSays) {
  const Policy p = must(parse(kFull));
  EXPECT_EQ(format_rfc3339(*p.not_after), "2027-06-30T00:00:00Z");
  EXPECT_EQ(p.signers.keys, (std::vector<std::string>{"a.pub", "b.pub"}));
  EXPECT_EQ(p.signers.threshold, 2U);
  EXPECT_EQ(p.rebuilders.threshold, 1U);
  EXPECT_EQ(p.sgx.mrsigners.size(), 1U);
  EXPECT_EQ(p.sgx.isvprodid, 7);
  EXPECT_EQ(p.sgx.min_isvsvn, 3);
  EXPECT_TRUE(p.sgx.allow_debug);
  EXPECT_EQ(p.revoked_images.size(), 1U);
  EXPECT_EQ(p.revoked_enclaves.size(), 1U);
  EXPECT_EQ(p.bases.at(0).repository, "docker.io/library/redis");
  EXPECT_EQ(p.bases.at(1).repository, "reg.example:5000/team/app");
  EXPECT_TRUE(p.runtimes.at(0).digest);
}

// A rule that were passed over in silence would be worse than none.
TEST(Policy, RefusesWhatItDoesNotKnow) {
  const auto refused = [](std::string_view what, std::string_view with) {
    std::string text(kFull);
    const auto at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), with);
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_FALSE(parsed.error().hint().empty()) << parsed.error().what();
  };
  refused("schemaVersion = 1", "");
  refused("schemaVersion = 1", "schemaVersion = 2");
  refused("not-after", "not_after");
  refused("not-after = \"2027-06-30T00:00:00Z\"", "not-after = \"soon\"");
  refused("min-isvsvn", "min-svn");
  refused("min-isvsvn = 3", "min-isvsvn = 70000");
  refused("min-isvsvn = 3", "min-isvsvn = \"3\"");
  refused("allow-debug = true", "allow-debug = 1");
  refused("[signers]", "[signer]");
  refused("threshold = 2", "threshold = 3");
  refused("threshold = 2", "threshold = 0");
  refused("[\"c.pub\"]", "[]");
  refused("[\"c.pub\"]", "\"c.pub\"");
  refused("\"redis\"", "\"redis:7\"");
  refused("\"redis\"", "\"Redis\"");
  refused("[\"redis\", \"reg.example:5000/team/app\"]", "[]");
  refused("sha256:4444", "sha256:44");
  refused("3333333333333333", "3");
  refused("[\"1111111111111111111111111111111111111111111111111111111111111111\"]", "[]");
  EXPECT_FALSE(parse("schemaVersion = 1\n").has_value());
  EXPECT_FALSE(parse("").has_value());
  EXPECT_FALSE(parse("{").has_value());
}

Result<Policy> parse_quote_rules(std::string_view rules) {
  return parse(cat("schemaVersion = 1\n[signers]\nkeys = [\"a.pub\"]\n[quote]\n", rules, "\n"));
}

TEST(PolicyOfQuotes, SaysWhatItSays) {
  const QuoteRules rules = must(parse_quote_rules(R"(tcb-statuses = ["UpToDate", "OutOfDate"]
advisories = ["INTEL-SA-00615"]
min-tcb-evaluation = 17
fmspc = ["00A067110000", "30606a000000"]
products = ["Milan", "Turin"]
min-tcb = "03000000000017d3")"))
                               .quote;
  EXPECT_EQ(rules.statuses,
            (std::vector<TcbStatus>{TcbStatus::up_to_date, TcbStatus::out_of_date}));
  EXPECT_EQ(rules.advisories, std::vector<std::string>{"INTEL-SA-00615"});
  EXPECT_EQ(rules.min_tcb_evaluation, 17U);
  EXPECT_EQ(rules.fmspcs, (std::vector<std::string>{"00a067110000", "30606a000000"}));
  EXPECT_EQ(rules.products, (std::vector<std::string>{"Milan", "Turin"}));
  EXPECT_EQ(rules.min_tcb, 0xd317'0000'0000'0003U);
  EXPECT_FALSE(rules.allow_debug);
}

TEST(PolicyOfQuotes, WhatIsNotSaidIsThatOfTheProgram) {
  const QuoteRules own;
  for (const QuoteRules& rules :
       {must(parse_quote_rules("")).quote,
        must(parse("schemaVersion = 1\n[signers]\nkeys = [\"a.pub\"]\n")).quote}) {
    EXPECT_EQ(rules.statuses, own.statuses);
    EXPECT_FALSE(rules.advisories);
    EXPECT_FALSE(rules.min_tcb_evaluation);
    EXPECT_FALSE(rules.min_tcb);
    EXPECT_TRUE(rules.fmspcs.empty());
    EXPECT_TRUE(rules.products.empty());
    EXPECT_FALSE(rules.allow_debug);
  }
  EXPECT_TRUE(must(parse(kFull)).quote.allow_debug);  // of [sgx]
}

TEST(PolicyOfQuotes, EmptyListsAreNoSilentNever) {
  // No advisory at all is something to ask for; no status or platform at all is a mistake.
  EXPECT_EQ(must(parse_quote_rules("advisories = []")).quote.advisories,
            std::vector<std::string>());
  for (const char* empty : {"tcb-statuses = []", "fmspc = []", "products = []"})
    EXPECT_EQ(parse_quote_rules(empty).error().code(), Code::invalid) << empty;
}

TEST(PolicyOfQuotes, RefusesWhatItDoesNotKnow) {
  for (const char* bad : {R"(tcb-status = ["UpToDate"])",
                          R"(tcb-statuses = ["uptodate"])",
                          R"(tcb-statuses = ["Revoked"])",
                          R"(tcb-statuses = "UpToDate")",
                          "tcb-statuses = [1]",
                          R"(advisories = "INTEL-SA-00615")",
                          "advisories = [615]",
                          "min-tcb-evaluation = -1",
                          "min-tcb-evaluation = 4294967296",
                          R"(min-tcb-evaluation = "17")",
                          R"(fmspc = ["00a06711000"])",
                          R"(fmspc = ["00a0671100000"])",
                          R"(fmspc = ["00a06711000g"])",
                          R"(fmspc = "00a067110000")",
                          R"(products = ["milan"])",
                          R"(products = ["Rome"])",
                          R"(min-tcb = "03")",
                          R"(min-tcb = "03000000000017d3d3")",
                          R"(min-tcb = "0300000000001xyz")",
                          "min-tcb = 3",
                          "allow-debug = true"}) {
    const auto parsed = parse_quote_rules(bad);
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_EQ(parsed.error().code(), Code::invalid) << bad;
    EXPECT_FALSE(parsed.error().hint().empty()) << bad;
  }
  EXPECT_FALSE(parse("schemaVersion = 1\nquote = 1\n[signers]\nkeys = [\"a.pub\"]\n").has_value());
}

PolicySubject subject() {
  PolicySubject s;
  s.image = sha256("image");
  s.at = must(parse_rfc3339("2026-01-01T00:00:00Z"));
  s.sigstruct = Sigstruct();
  s.sigstruct->isvprodid = 7;
  s.sigstruct->isvsvn = 3;
  s.sigstruct->mrenclave = sha256("enclave");
  s.bases = {{"base", "docker.io/library/redis:7", sha256("base"), false, ""}};
  s.runtimes = {{"runtime", "docker.io/gramineproject/gramine:1.9", sha256("runtime"), false, ""}};
  return s;
}

// The rules that fail, in their order.
std::string failing(const Policy& policy, const PolicySubject& subject) {
  std::string out;
  for (const Check& check : check_policy(policy, subject)) {
    EXPECT_EQ(check.passed, check.expected.empty()) << check.name;
    if (!check.passed) out += cat(out.empty() ? "" : " ", check.name);
  }
  return out;
}

TEST(Policy, EachRuleCanFail) {
  Policy policy = must(parse(kFull));
  policy.sgx.mrsigners = {subject().sigstruct->mrsigner()};
  policy.runtimes = {{"", sha256("runtime")}};
  EXPECT_EQ(failing(policy, subject()), "");

  PolicySubject s = subject();
  s.at = must(parse_rfc3339("2027-06-30T00:00:01Z"));
  EXPECT_EQ(failing(policy, s), "policy-expiry");
  s = subject();
  s.sigstruct->isvprodid = 8;
  s.sigstruct->isvsvn = 2;
  EXPECT_EQ(failing(policy, s), "policy-isvprodid policy-isvsvn");
  s = subject();
  s.sigstruct->modulus[0] = std::byte{1};
  EXPECT_EQ(failing(policy, s), "policy-mrsigner");
  s = subject();
  s.image = policy.revoked_images.front();
  EXPECT_EQ(failing(policy, s), "policy-revoked");
  s = subject();
  s.index = policy.revoked_images.front();
  EXPECT_EQ(failing(policy, s), "policy-revoked");
  s = subject();
  s.sigstruct->mrenclave = policy.revoked_enclaves.front();
  EXPECT_EQ(failing(policy, s), "policy-revoked");
  s = subject();
  s.bases[0].uri = "docker.io/library/redis-evil:7";
  EXPECT_EQ(failing(policy, s), "policy-base");
  s.bases[0].uri = "";
  EXPECT_EQ(failing(policy, s), "policy-base");
  s.bases.clear();
  EXPECT_EQ(failing(policy, s), "policy-base");
  s = subject();
  s.runtimes.push_back({"runtime", "", sha256("something else"), true, ""});
  EXPECT_EQ(failing(policy, s), "policy-runtime");
  s.runtimes.clear();
  EXPECT_EQ(failing(policy, s), "policy-runtime");
}

struct Rebuilders {
  ImageKey first = must(ImageKey::generate(ImageKeyKind::ed25519));
  ImageKey second = must(ImageKey::generate(ImageKeyKind::ecdsa_p256));
  std::vector<PolicyKey> keys() const {
    return {{"first", first.public_key()}, {"second", second.public_key()}};
  }
};

DsseEnvelope stated_by(const ImageKey& key, const Digest& image, std::string_view type,
                       const Digest& enclave) {
  const std::string statement =
      encode_statement("", image, type, encode_rebuild({enclave, {}, "1"}));
  return must(parse_dsse(must(sign_dsse(kInTotoPayloadType, statement, key)), Limits()));
}

TEST(Rebuilders, CountOnceEachAndOnlyForThisImageAndEnclave) {
  const Rebuilders r;
  const Digest image = sha256("image"), enclave = sha256("enclave");
  const auto names = [&](const std::vector<DsseEnvelope>& envelopes) {
    return join(rebuilt_by(image, enclave, envelopes, r.keys(), Limits()), " ");
  };
  const auto good = [&](const ImageKey& key) {
    return stated_by(key, image, kRebuildPredicate, enclave);
  };
  EXPECT_EQ(names({}), "");
  EXPECT_EQ(names({good(r.first), good(r.first)}), "first");
  EXPECT_EQ(names({good(r.second), good(r.first)}), "first second");
  EXPECT_EQ(names({stated_by(r.first, sha256("other"), kRebuildPredicate, enclave),
                   stated_by(r.first, image, kRebuildPredicate, sha256("other")),
                   stated_by(r.first, image, kMeasurementPredicate, enclave),
                   good(must(ImageKey::generate(ImageKeyKind::ed25519)))}),
            "");
}

TEST(Rebuilders, AreIndependentOfSignersAndOfEachOther) {
  const Rebuilders r;
  const auto keys = r.keys();
  EXPECT_TRUE(check_independent({keys[0]}, {keys[1]}).has_value());
  EXPECT_FALSE(check_independent({keys[0]}, {keys[0]}).has_value());
  EXPECT_FALSE(check_independent({}, {keys[1], {"copy", keys[1].key}}).has_value());
}

TEST(Threshold, NamesThoseThatCount) {
  const KeyRule keys{{"a", "b", "c"}, 2};
  const Check good = check_threshold("policy-signers", keys, {"a", "c"}, " that signed");
  EXPECT_TRUE(good.passed);
  EXPECT_EQ(good.found, "2 of 3 keys: a, c");
  const Check bad = check_threshold("policy-signers", keys, {"a"}, " that signed");
  EXPECT_FALSE(bad.passed);
  EXPECT_EQ(bad.expected, "at least 2 that signed");
}

}  // namespace
}  // namespace cloister::sign
