// What is said of a build comes back as it was said; what nobody of ours wrote is refused.
#include "sign/image/provenance.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "sign/image/rebuild.h"
#include "tests/base/must.h"

namespace cloister::sign {
namespace {

Provenance example() {
  Provenance p;
  p.parameters = R"({"date":"2024-01-02T00:00:00Z","trust":"package"})";
  p.platform = "linux/amd64";
  p.inputs = {{"base", "docker.io/library/redis:7", sha256("base"), false, ""},
              {"runtime", "", sha256("runtime"), true, ""},
              {"overlay", "", sha256("sgx.debug = true\n"), false, "sgx.debug = true\n"}};
  p.generator_version = "1.2.3";
  return p;
}

TEST(Provenance, ComesBackAsItWasWritten) {
  const Provenance p = example();
  const std::string text = encode_provenance(p);
  const Provenance back = must(parse_provenance(text, Limits()));
  EXPECT_EQ(back.parameters, p.parameters);
  EXPECT_EQ(back.platform, p.platform);
  EXPECT_EQ(back.inputs, p.inputs);
  EXPECT_EQ(back.generator_version, p.generator_version);
  EXPECT_EQ(encode_provenance(back), text);
}

TEST(Provenance, OfAnotherBuildTypeIsNotOurs) {
  std::string text = encode_provenance(example());
  text.replace(text.find(kBuildType), kBuildType.size(), "https://example.com/other");
  const auto parsed = parse_provenance(text, Limits());
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code(), Code::unsupported);
}

TEST(Provenance, ContentIsWhatItsDigestSays) {
  Provenance p = example();
  p.inputs.back().content = "sgx.debug = false\n";
  const auto parsed = parse_provenance(encode_provenance(p), Limits());
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code(), Code::corrupt);
}

TEST(Provenance, RefusesWhatIsMalformed) {
  const std::string good = encode_provenance(example());
  const auto refused = [&](std::string_view what, std::string_view with) {
    std::string text = good;
    const auto at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), with);
    EXPECT_FALSE(parse_provenance(text, Limits()).has_value()) << text;
  };
  refused("\"name\":\"base\"", "\"name\":1");
  refused("\"dirHash\"", "\"sha1\"");
  refused(sha256("base").hex(), "abc");
  refused("\"externalParameters\":{", "\"externalParameters\":[{");
  refused("resolvedDependencies", "dependencies");
  refused("\"builder\"", "\"maker\"");
  EXPECT_FALSE(parse_provenance("", Limits()).has_value());
  EXPECT_FALSE(parse_provenance("[]", Limits()).has_value());
}

TEST(RebuildPredicate, NamesTheEnclaveAndTheInputsByDigest) {
  const std::string text = encode_rebuild({sha256("enclave"), example().inputs, "1.2.3"});
  EXPECT_EQ(must(parse_rebuild(text, Limits())), sha256("enclave"));
  EXPECT_NE(text.find(sha256("base").hex()), std::string::npos);
  EXPECT_EQ(text.find("content"), std::string::npos);
  for (const char* bad : {"", "[]", "{}", R"({"sgx":{}})", R"({"sgx":{"mrenclave":"12"}})"})
    EXPECT_FALSE(parse_rebuild(bad, Limits()).has_value()) << bad;
}

}  // namespace
}  // namespace cloister::sign
