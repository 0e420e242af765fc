// What a verifier is told about virtual machines that are right, wrong, or somebody else's.
#include "sign/image/guest_checks.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "sign/image/dsse.h"
#include "sign/image/measurement.h"
#include "sign/image/statement.h"
#include "tests/base/must.h"
#include "tests/sign/image/guest_measurements.h"
#include "tests/sign/quote/amd_pki.h"

namespace cloister::sign {
namespace {

const Digest kGuestImage = sha256("image");

const SnpIdKey& block_key() {
  static const SnpIdKey key = must(SnpIdKey::generate());
  return key;
}

// A whole and valid guest; the tests break it in one place each.
GuestEvidence guest_evidence(const SnpIdKey* key = &block_key()) {
  GuestEvidence out;
  out.stated = full_measurement();
  out.stated.id_key_digest.reset();
  if (key != nullptr) {
    out.stated.id_key_digest = snp_key_digest(key->point());
    for (const LaunchMeasurementOf& one : out.stated.digests) {
      GuestIdBlock block{one.vcpus, out.stated.block, {}};
      block.block.launch_digest = one.digest;
      block.auth = must(sign_snp_id_block(block.block, *key, nullptr));
      out.blocks.push_back(std::move(block));
    }
  }
  out.measured = out.stated;
  return out;
}

// The names of the checks that failed; "" for none. With the names of all others right.
std::string failed(const std::vector<Check>& checks, const std::vector<std::string>& names) {
  EXPECT_EQ(checks.size(), names.size());
  std::string out;
  for (std::size_t i = 0; i < checks.size() && i < names.size(); ++i) {
    EXPECT_EQ(checks[i].name, names[i]);
    EXPECT_FALSE(checks[i].found.empty());
    EXPECT_EQ(checks[i].expected.empty(), checks[i].passed) << checks[i].name;
    if (!checks[i].passed) out += cat(out.empty() ? "" : " ", checks[i].name);
  }
  return out;
}

std::string failed(const GuestEvidence& evidence, const GuestPins& pins = {}) {
  return failed(check_guest_evidence(evidence, pins),
                {"guest-files", "launch-measurement", "id-block", "guest-policy"});
}

template <class Change>
std::string failed_after(Change change) {
  GuestEvidence evidence = guest_evidence();
  change(evidence);
  return failed(evidence);
}

TEST(GuestChecks, AWholeGuestPasses) {
  EXPECT_EQ(failed(guest_evidence()), "");
  EXPECT_EQ(failed(guest_evidence(nullptr)), "");
  const auto checks = check_guest_evidence(guest_evidence(), {});
  EXPECT_EQ(checks[0].found, "3 files are what the document lists");
  EXPECT_EQ(checks[1].found,
            cat(std::string(96, '1'), " (1 processor), ", std::string(96, '4'), " (4 processors)"));
  EXPECT_EQ(check_guest_evidence(guest_evidence(nullptr), {})[2].found,
            "none: the processor launches without");
}

TEST(GuestChecks, FilesAreThoseThatAreStated) {
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.measured->kernel = sha256("other"); }),
            "guest-files");
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.measured->initrd = sha256("other"); }),
            "guest-files");
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.measured->command_line += " init=/bin/sh"; }),
            "guest-files");
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.measured->disk.reset(); }), "guest-files");
  EXPECT_EQ(failed_after([](GuestEvidence& e) { ++e.measured->files; }), "guest-files");
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.measured->document = sha256("other"); }),
            "guest-files");
}

TEST(GuestChecks, LaunchDigestsAreThoseThatAreComputed) {
  EXPECT_EQ(
      failed_after([](GuestEvidence& e) { e.measured->digests[1].digest = launch_digest(0x55); }),
      "launch-measurement");
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.measured->digests.pop_back(); }),
            "launch-measurement");
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.measured->digests[0].vcpus = 2; }),
            "launch-measurement");
}

TEST(GuestChecks, WhatCannotBeMeasuredFails) {
  GuestEvidence evidence = guest_evidence();
  evidence.measured.reset();
  evidence.problem = "the initrd ends early";
  EXPECT_EQ(failed(evidence), "guest-files launch-measurement");
  EXPECT_EQ(check_guest_evidence(evidence, {})[0].found, "the initrd ends early");
}

TEST(GuestChecks, IdBlocksAreThisGuests) {
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.blocks.clear(); }), "id-block");
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.blocks.pop_back(); }), "id-block");
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.blocks.push_back(e.blocks[0]); }), "id-block");
  EXPECT_EQ(failed_after([](GuestEvidence& e) { std::swap(e.blocks[0], e.blocks[1]); }),
            "id-block");
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.blocks[0].vcpus = 4; }), "id-block");
  // Blocks that nobody speaks of, and a key that signed none.
  EXPECT_EQ(failed_after([](GuestEvidence& e) {
              e.stated.id_key_digest.reset();
              e.measured = e.stated;
            }),
            "id-block");
  EXPECT_EQ(failed_after([](GuestEvidence& e) {
              e.stated.id_key_digest = launch_digest(1);
              e.measured = e.stated;
            }),
            "id-block");
}

TEST(GuestChecks, IdBlocksSayWhatTheMeasurementSays) {
  const auto signed_otherwise = [](const auto& change) {
    return failed_after([&](GuestEvidence& e) {
      change(e.blocks[1].block);
      e.blocks[1].auth = must(sign_snp_id_block(e.blocks[1].block, block_key(), nullptr));
    });
  };
  EXPECT_EQ(signed_otherwise([](SnpIdBlock&) {}), "");
  EXPECT_EQ(signed_otherwise([](SnpIdBlock& b) { b.launch_digest = launch_digest(9); }),
            "id-block");
  EXPECT_EQ(signed_otherwise([](SnpIdBlock& b) { b.guest_svn += 1; }), "id-block");
  EXPECT_EQ(signed_otherwise([](SnpIdBlock& b) { b.policy.bits |= 1U << 19; }), "id-block");
  EXPECT_EQ(signed_otherwise([](SnpIdBlock& b) { b.family_id[0] ^= std::byte{1}; }), "id-block");
  EXPECT_EQ(signed_otherwise([](SnpIdBlock& b) { b.image_id[0] ^= std::byte{1}; }), "id-block");
}

TEST(GuestChecks, IdBlocksAreSigned) {
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.blocks[1].auth.signature[3] ^= std::byte{1}; }),
            "id-block");
  EXPECT_EQ(failed_after([](GuestEvidence& e) { e.blocks[1].auth = e.blocks[0].auth; }),
            "id-block");
  const SnpIdKey other = must(SnpIdKey::generate());
  EXPECT_EQ(failed_after([&](GuestEvidence& e) {
              e.blocks[1].auth = must(sign_snp_id_block(e.blocks[1].block, other, nullptr));
            }),
            "id-block");
}

TEST(GuestChecks, DebuggingIsRefused) {
  GuestEvidence evidence = guest_evidence(nullptr);
  evidence.stated.block.policy.bits |= 1U << 19;
  evidence.measured = evidence.stated;
  EXPECT_EQ(failed(evidence), "guest-policy");
  EXPECT_EQ(failed(evidence, {.allow_debug = true}), "");
}

TEST(GuestClaim, IsWhatTheArtifactSays) {
  const GuestEvidence evidence = guest_evidence();
  EXPECT_EQ(failed(check_guest_claim(evidence, evidence.stated), {"attested-guest"}), "");
  GuestMeasurement claim = evidence.stated;
  claim.digests[0].digest = launch_digest(9);
  EXPECT_EQ(failed(check_guest_claim(evidence, claim), {"attested-guest"}), "attested-guest");
  claim = evidence.stated;
  claim.command_line += ' ';
  EXPECT_EQ(failed(check_guest_claim(evidence, claim), {"attested-guest"}), "attested-guest");
}

struct GuestKeys {
  ImageKey ours = must(ImageKey::generate(ImageKeyKind::ed25519));
  ImageKey other = must(ImageKey::generate(ImageKeyKind::ed25519));
};

DsseEnvelope guest_attested(const ImageKey& key, const Digest& image, const std::string& predicate,
                            std::string_view type = kMeasurementPredicate) {
  const std::string statement = encode_statement("", image, type, predicate);
  return must(parse_dsse(must(sign_dsse(kInTotoPayloadType, statement, key)), Limits()));
}

TEST(GuestAttestation, OursAmongStrangersPasses) {
  const GuestKeys k;
  const std::string ours = encode_guest_measurement(full_measurement());
  GuestMeasurement evil = full_measurement();
  evil.kernel = sha256("evil");
  const std::string theirs = encode_guest_measurement(evil);
  const GuestAttestation result = check_guest_attestation(
      kGuestImage,
      {DsseEnvelope{"text/plain", "junk", {}}, guest_attested(k.other, kGuestImage, theirs),
       guest_attested(k.ours, sha256("another"), theirs),
       guest_attested(k.ours, kGuestImage, theirs, "https://slsa.dev/provenance/v1"),
       guest_attested(k.ours, kGuestImage, ours), guest_attested(k.ours, kGuestImage, ours)},
      k.ours.public_key(), Limits());
  EXPECT_EQ(failed({result.check}, {"attestation"}), "");
  ASSERT_TRUE(result.claim.has_value());
  EXPECT_EQ(*result.claim, full_measurement());
}

TEST(GuestAttestation, SaysWhyNot) {
  const GuestKeys k;
  const auto found = [&](const std::vector<DsseEnvelope>& envelopes) {
    const GuestAttestation result =
        check_guest_attestation(kGuestImage, envelopes, k.ours.public_key(), Limits());
    EXPECT_EQ(failed({result.check}, {"attestation"}), "attestation");
    EXPECT_FALSE(result.claim.has_value());
    return result.check.found;
  };
  const std::string ours = encode_guest_measurement(full_measurement());
  GuestMeasurement second = full_measurement();
  second.files = 4;
  EXPECT_EQ(found({}), "nothing is attested about the image");
  EXPECT_EQ(found({guest_attested(k.other, kGuestImage, ours)}),
            "no measurement attestation by this key");
  EXPECT_EQ(found({guest_attested(k.ours, sha256("another"), ours)}),
            "an attestation about another image");
  EXPECT_EQ(found({guest_attested(k.ours, kGuestImage, ours),
                   guest_attested(k.ours, kGuestImage, encode_guest_measurement(second))}),
            "two attestations by this key that disagree");
  const std::string enclave =
      found({guest_attested(k.ours, kGuestImage, encode_measurement(MeasurementPredicate()))});
  EXPECT_NE(enclave.find("another kind: 'sgx'"), std::string::npos) << enclave;
}

SnpReport report_of(const GuestMeasurement& guest) {
  SnpReport out = plain_report(SnpProduct::milan, {});
  out.measurement = guest.digests.back().digest;
  out.policy = guest.block.policy;
  out.guest_svn = guest.block.guest_svn;
  out.family_id = guest.block.family_id;
  out.image_id = guest.block.image_id;
  out.id_key_digest = guest.id_key_digest.value_or(Digest384{});
  return out;
}

std::string failed_quote(const SnpReport& report, const GuestMeasurement& guest) {
  std::vector<std::string> names = {"quote-image", "quote-measurement", "quote-policy"};
  if (guest.id_key_digest) names.insert(names.end(), {"quote-guest-svn", "quote-id-key"});
  return failed(check_quoted_guest(report, guest), names);
}

TEST(QuotedGuest, IsTheSignedImageWithAnyMeasuredNumberOfProcessors) {
  const GuestMeasurement guest = full_measurement();
  SnpReport report = report_of(guest);
  EXPECT_EQ(failed_quote(report, guest), "");
  EXPECT_EQ(check_quoted_guest(report, guest)[1].found,
            cat(std::string(96, '4'), " (4 processors)"));
  report.measurement = guest.digests.front().digest;
  EXPECT_EQ(failed_quote(report, guest), "");
  // As the processor gives it, and not only as fields.
  const auto parsed = must(parse_snp_report(encode_snp_report(report)));
  EXPECT_EQ(failed_quote(parsed, guest), "");
}

TEST(QuotedGuest, EveryPinCounts) {
  const GuestMeasurement guest = full_measurement();
  const auto failed_with = [&](const auto& change) {
    SnpReport report = report_of(guest);
    change(report);
    return failed_quote(report, guest);
  };
  EXPECT_EQ(failed_with([](SnpReport& r) { r.measurement[0] ^= std::byte{1}; }),
            "quote-image quote-measurement");
  EXPECT_EQ(failed_with([](SnpReport& r) { r.policy.bits |= 1U << 19; }), "quote-policy");
  EXPECT_EQ(failed_with([](SnpReport& r) { r.policy.bits &= ~(1ULL << 16); }), "quote-policy");
  EXPECT_EQ(failed_with([](SnpReport& r) { --r.guest_svn; }), "quote-guest-svn");
  EXPECT_EQ(failed_with([](SnpReport& r) { ++r.guest_svn; }), "");
  EXPECT_EQ(failed_with([](SnpReport& r) { r.id_key_digest[47] ^= std::byte{1}; }), "quote-id-key");
  EXPECT_EQ(failed_with([](SnpReport& r) { r.id_key_digest = {}; }), "quote-id-key");
  SnpReport debugged = report_of(guest);
  debugged.policy.bits = 0xb0000;
  const Check policy = check_quoted_guest(debugged, guest)[2];
  EXPECT_EQ(policy.found, "0xb0000");
  EXPECT_EQ(policy.expected, "0x30000");
}

TEST(QuotedGuest, WithoutIdBlocksTheReportNamesNoKey) {
  GuestMeasurement guest = full_measurement();
  guest.id_key_digest.reset();
  SnpReport report = report_of(guest);
  report.guest_svn = 0;
  EXPECT_EQ(failed_quote(report, guest), "");
}

TEST(QuotedGuest, OtherHardwareIsAnotherGuest) {
  EcdsaQuote quote;
  quote.body = SgxReport();
  const Check sgx = check_quoted_guest(quote, full_measurement()).at(0);
  EXPECT_FALSE(sgx.passed);
  EXPECT_EQ(sgx.name, "quote-image");
  EXPECT_EQ(sgx.found, "the quote is of an SGX enclave");
  quote.body = TdReport();
  const auto tdx = check_quoted_guest(quote, full_measurement());
  ASSERT_EQ(tdx.size(), 1U);
  EXPECT_FALSE(tdx[0].passed);
  EXPECT_EQ(tdx[0].found, "the quote is of a TDX trust domain");
}

}  // namespace
}  // namespace cloister::sign
