#include "sign/nitro/attestation_document.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "sign/nitro/verify_document.h"
#include "sign/quote/quote.h"
#include "tests/base/must.h"
#include "tests/sign/nitro/nitro_pki.h"

namespace cloister::sign {
namespace {

const Limits kDefaults;
constexpr Seconds kNow{std::chrono::seconds(1'750'000'100)};

NitroDocumentParts production() {
  NitroDocumentParts out;
  out.pcrs = {{0, sha384(as_bytes("image"))},
              {1, sha384(as_bytes("kernel"))},
              {2, sha384(as_bytes("application"))},
              {4, sha384(as_bytes("instance"))}};
  out.nonce = to_bytes("a nonce");
  return out;
}
QuoteVerdict verdict_of(const NitroDocumentParts& parts, Seconds at = kNow,
                        const QuoteRules& rules = {}) {
  const auto document = must(parse_nitro_document(encode_nitro_document(parts), kDefaults));
  return verify_nitro_document(document, nitro_test_roots(), rules, at, kDefaults);
}
// Names of the checks that failed.
std::string failures(const QuoteVerdict& verdict) {
  std::string out;
  for (const Check& check : verdict.checks)
    if (!check.passed) out += cat(out.empty() ? "" : " ", check.name);
  return out;
}
Code error_of(ByteView payload) {
  const auto parsed = parse_nitro_document(sign_nitro_payload(payload), kDefaults);
  EXPECT_FALSE(parsed.has_value());
  return parsed.has_value() ? Code::internal : parsed.error().code();
}

TEST(NitroDocument, IsReadAsItWasWritten) {
  for (const bool indefinite : {true, false}) {
    NitroDocumentParts parts = production();
    parts.indefinite = indefinite;
    parts.public_key = to_bytes("a key");
    const Bytes bytes = encode_nitro_document(parts);
    ASSERT_TRUE(looks_like_nitro_document(bytes));
    const auto document = must(parse_nitro_document(bytes, kDefaults));
    EXPECT_EQ(document.module_id, parts.module_id);
    EXPECT_EQ(document.time, parts.time);
    EXPECT_EQ(document.pcrs, parts.pcrs);
    EXPECT_EQ(document.nonce, parts.nonce);
    EXPECT_EQ(document.public_key, parts.public_key);
    EXPECT_FALSE(document.user_data);
    EXPECT_EQ(document.bundle.size(), 2U);
    EXPECT_FALSE(document.debug());
  }
}

TEST(NitroDocument, IsToldApartFromQuotes) {
  const Bytes bytes = encode_nitro_document(production());
  const Quote quote = must(parse_quote(as_bytes(hex(ByteView(bytes))), kDefaults));
  EXPECT_EQ(tee_of(quote), TeeKind::nitro);
  EXPECT_EQ(report_data_of(quote), nullptr);
  Bytes tagged = {std::byte{0xd2}};
  tagged.insert(tagged.end(), bytes.begin(), bytes.end());
  EXPECT_EQ(tee_of(must(parse_quote(tagged, kDefaults))), TeeKind::nitro);
}

TEST(NitroDocument, SessionDataAreNonceAndUserData) {
  NitroDocumentParts parts = production();
  parts.user_data = to_bytes(std::string(64, 'u'));
  const auto both = must(parse_nitro_document(encode_nitro_document(parts), kDefaults));
  ASSERT_EQ(both.session_data().size(), 2U);
  EXPECT_EQ(as_text(both.session_data()[0]).substr(0, 8), std::string_view("a nonce\0", 8));
  parts.user_data = to_bytes(std::string(65, 'u'));
  parts.nonce = Bytes();
  const auto none = must(parse_nitro_document(encode_nitro_document(parts), kDefaults));
  EXPECT_TRUE(none.session_data().empty()) << "one is too long, the other empty";
}

TEST(VerifyNitroDocument, GenuineWhenEverythingHolds) {
  const QuoteVerdict verdict = verdict_of(production());
  EXPECT_EQ(failures(verdict), "");
  EXPECT_TRUE(verdict.genuine());
  EXPECT_EQ(verdict.checks.size(), 5U);
  EXPECT_EQ(verdict.valid_until, production().to);
  NitroDocumentParts without_root = production();
  without_root.with_root = false;
  EXPECT_EQ(failures(verdict_of(without_root)), "quote-chain") << "the bundle has it, or nobody";
}

TEST(VerifyNitroDocument, OnlyUnderTheRootThatIsPinned) {
  const auto document = must(parse_nitro_document(encode_nitro_document(production()), kDefaults));
  const auto verdict = verify_nitro_document(document, NitroRoots::aws(), {}, kNow, kDefaults);
  EXPECT_EQ(failures(verdict), "quote-chain");
  EXPECT_FALSE(verdict.genuine());
}

TEST(VerifyNitroDocument, OnlyWhileItsCertificatesAreValid) {
  using std::chrono::seconds;
  EXPECT_EQ(failures(verdict_of(production(), production().to + seconds(1))), "quote-dates");
  EXPECT_EQ(failures(verdict_of(production(), production().from - seconds(1))), "quote-dates");
}

TEST(VerifyNitroDocument, EveryChangeIsSeen) {
  const Bytes payload = encode_nitro_payload(production());
  const auto sound = must(parse_nitro_document(sign_nitro_payload(payload), kDefaults));
  NitroDocumentParts changed = production();
  changed.pcrs[0] = sha384(as_bytes("another image"));
  auto document = must(parse_nitro_document(encode_nitro_document(changed), kDefaults));
  document.sign1.signature = sound.sign1.signature;
  const auto verdict = verify_nitro_document(document, nitro_test_roots(), {}, kNow, kDefaults);
  EXPECT_EQ(failures(verdict), "quote-signature");
  document = sound;
  document.sign1.algorithm = CoseAlgorithm::es256;
  EXPECT_EQ(failures(verify_nitro_document(document, nitro_test_roots(), {}, kNow, kDefaults)),
            "quote-format");
}

TEST(VerifyNitroDocument, DebugEnclavesHaveZeros) {
  NitroDocumentParts debug = production();
  debug.pcrs[0] = debug.pcrs[1] = debug.pcrs[2] = Digest384{};
  EXPECT_EQ(failures(verdict_of(debug)), "quote-debug");
  QuoteRules rules;
  rules.allow_debug = true;
  EXPECT_EQ(failures(verdict_of(debug, kNow, rules)), "");
  NitroDocumentParts none = production();
  none.pcrs.clear();
  EXPECT_EQ(failures(verdict_of(none)), "quote-debug") << "nothing measures it";
}

TEST(NitroDocument, MalformedOnesAreRefused) {
  const Bytes sound = encode_nitro_payload(production());
  for (std::size_t size = 0; size < sound.size(); size += 7)
    EXPECT_EQ(error_of(ByteView(sound).first(size)), Code::corrupt) << size;
  Bytes after = sound;
  after.push_back(std::byte{0});
  EXPECT_EQ(error_of(after), Code::corrupt);
  NitroDocumentParts other = production();
  other.digest = "SHA256";
  EXPECT_EQ(error_of(encode_nitro_payload(other)), Code::unsupported);
  other = production();
  other.pcrs[32] = Digest384{};
  EXPECT_EQ(error_of(encode_nitro_payload(other)), Code::corrupt);

  // The definite form with a tenth pair: a second nonce, and a key that nobody knows.
  NitroDocumentParts definite = production();
  definite.indefinite = false;
  Bytes ten = encode_nitro_payload(definite);
  ten.front() = std::byte{0xaa};
  const auto with = [&](std::string_view pair) {
    Bytes out = ten;
    const ByteView view = as_bytes(pair);
    out.insert(out.end(), view.begin(), view.end());
    return out;
  };
  EXPECT_EQ(error_of(with("\x65nonce\xf6")), Code::corrupt);
  EXPECT_TRUE(parse_nitro_document(sign_nitro_payload(with("\x63new\x82\x01\x61x")), kDefaults)
                  .has_value());
}

TEST(NitroDocument, CertificatesAreBounded) {
  Limits few;
  few.certificates = 1;
  const auto parsed = parse_nitro_document(encode_nitro_document(production()), few);
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code(), Code::limit);
}

}  // namespace
}  // namespace cloister::sign
