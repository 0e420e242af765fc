// What a verifier is told about images that are right, wrong, or somebody else's.
#include "sign/image/checks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "sign/image/dsse.h"
#include "sign/image/simple_signing.h"
#include "sign/image/statement.h"
#include "tests/base/must.h"

namespace cloister::sign {
namespace {

const Digest kSubject = sha256("image");

struct Keys {
  ImageKey ours = must(ImageKey::generate(ImageKeyKind::ed25519));
  ImageKey other = must(ImageKey::generate(ImageKeyKind::ecdsa_p256));
};

SignatureArtefact signature_by(const ImageKey& key, const Digest& image) {
  const std::string payload = encode_simple_signing({"host/repo:tag", image});
  return {payload, must(key.sign(as_bytes(payload)))};
}

TEST(SignatureCheck, OursAmongStrangersPasses) {
  const Keys k;
  const Check check = check_signature(
      kSubject,
      {signature_by(k.other, kSubject), {"not even JSON", {}}, signature_by(k.ours, kSubject)}, {},
      k.ours.public_key(), Limits());
  EXPECT_TRUE(check.passed) << check.found;
  EXPECT_EQ(check.name, "signature");
  EXPECT_TRUE(check.found.starts_with("by the ed25519 key ")) << check.found;
}

TEST(SignatureCheck, SaysWhyNot) {
  const Keys k;
  const auto check = [&](const std::vector<SignatureArtefact>& artefacts) {
    return check_signature(kSubject, artefacts, {}, k.ours.public_key(), Limits());
  };
  EXPECT_EQ(check({}).found, "the image is not signed");
  EXPECT_EQ(check({signature_by(k.other, kSubject)}).found, "only signatures by other keys: 1");
  const Check moved = check({signature_by(k.ours, sha256("another"))});
  EXPECT_FALSE(moved.passed);
  EXPECT_EQ(moved.found, "a signature of " + sha256("another").str());
  SignatureArtefact edited = signature_by(k.ours, kSubject);
  edited.payload += ' ';
  EXPECT_FALSE(check({edited}).passed);
  // What we signed is no claim about an image: our key must not make it one.
  const SignatureArtefact nonsense{"{}", must(k.ours.sign(as_bytes("{}")))};
  EXPECT_FALSE(check({nonsense}).passed);
}

// Anyone can copy what our key signed about one image to another one, before what it signed there.
TEST(SignatureCheck, OursOfAnotherImageHarmsNothing) {
  const Keys k;
  EXPECT_TRUE(
      check_signature(kSubject,
                      {signature_by(k.ours, sha256("another")), signature_by(k.ours, kSubject)}, {},
                      k.ours.public_key(), Limits())
          .passed);
}

MeasurementPredicate predicate_with(std::string_view enclave) {
  MeasurementPredicate p;
  p.sigstruct.mrenclave = sha256(enclave);
  p.runtime_name = "gramine";
  p.runtime_version = "1.9";
  return p;
}

DsseEnvelope stated(const ImageKey& key, const Digest& image, std::string_view type,
                    std::string_view predicate) {
  const std::string statement = encode_statement("", image, type, predicate);
  return must(parse_dsse(must(sign_dsse(kInTotoPayloadType, statement, key)), Limits()));
}

DsseEnvelope attested(const ImageKey& key, const Digest& image, std::string_view type,
                      std::string_view enclave) {
  return stated(key, image, type, encode_measurement(predicate_with(enclave)));
}

TEST(SignatureCheck, AStatementOfCosignIsOne) {
  const Keys k;
  const auto check = [&](const std::vector<DsseEnvelope>& envelopes) {
    return check_signature(kSubject, {}, envelopes, k.ours.public_key(), Limits());
  };
  EXPECT_TRUE(check({stated(k.other, kSubject, kCosignSignPredicate, "{}"),
                     stated(k.ours, kSubject, kCosignSignPredicate, "{}")})
                  .passed);
  EXPECT_FALSE(check({stated(k.other, kSubject, kCosignSignPredicate, "{}")}).passed);
  EXPECT_EQ(check({stated(k.ours, sha256("another"), kCosignSignPredicate, "{}")}).found,
            "a signature of another image");
  // An attestation is no signature: it may say anything.
  EXPECT_FALSE(check({attested(k.ours, kSubject, kMeasurementPredicate, "enclave")}).passed);
}

TEST(AttestationCheck, OursAmongStrangersPasses) {
  const Keys k;
  const AttestationResult result =
      check_attestation(kSubject,
                        {DsseEnvelope{"text/plain", "junk", {}},
                         attested(k.other, kSubject, kMeasurementPredicate, "evil"),
                         attested(k.ours, kSubject, "https://slsa.dev/provenance/v1", "unrelated"),
                         attested(k.ours, kSubject, kMeasurementPredicate, "enclave")},
                        k.ours.public_key(), Limits());
  EXPECT_TRUE(result.check.passed) << result.check.found;
  ASSERT_TRUE(result.claim.has_value());
  EXPECT_EQ(result.claim->mrenclave, sha256("enclave"));
}

TEST(AttestationCheck, SaysWhyNot) {
  const Keys k;
  const auto found = [&](const std::vector<DsseEnvelope>& envelopes) {
    const AttestationResult result =
        check_attestation(kSubject, envelopes, k.ours.public_key(), Limits());
    EXPECT_FALSE(result.check.passed);
    EXPECT_FALSE(result.claim.has_value());
    return result.check.found;
  };
  EXPECT_EQ(found({}), "nothing is attested about the image");
  EXPECT_EQ(found({attested(k.other, kSubject, kMeasurementPredicate, "enclave")}),
            "no measurement attestation by this key");
  EXPECT_EQ(found({attested(k.ours, sha256("another"), kMeasurementPredicate, "enclave")}),
            "an attestation about another image");
  EXPECT_EQ(found({attested(k.ours, kSubject, kMeasurementPredicate, "one"),
                   attested(k.ours, kSubject, kMeasurementPredicate, "two")}),
            "two attestations by this key that disagree");
}

TEST(AttestationCheck, OursOfAnotherImageHarmsNothing) {
  const Keys k;
  const AttestationResult result = check_attestation(
      kSubject,
      {attested(k.ours, sha256("another"), kMeasurementPredicate, "other enclave"),
       attested(k.ours, kSubject, kMeasurementPredicate, "enclave")},
      k.ours.public_key(), Limits());
  EXPECT_TRUE(result.check.passed) << result.check.found;
  ASSERT_TRUE(result.claim.has_value());
  EXPECT_EQ(result.claim->mrenclave, sha256("enclave"));
}

TEST(AttestationCheck, TheSameSaidTwiceIsOneAnswer) {
  const Keys k;
  const DsseEnvelope text = attested(k.ours, kSubject, kMeasurementPredicate, "enclave");
  EXPECT_TRUE(
      check_attestation(kSubject, {text, text}, k.ours.public_key(), Limits()).check.passed);
}

// A whole and valid enclave; the tests break it in one place each.
EnclaveEvidence evidence() {
  EnclaveEvidence e;
  measure::sgx::EnclaveParams params;
  params.isvprodid = 7;
  params.isvsvn = 3;
  e.sigstruct =
      make_sigstruct(params, sha256("enclave"), std::chrono::year(2024) / std::chrono::January / 2);
  static const SgxKey key = must(SgxKey::generate());
  EXPECT_TRUE(sign_sigstruct(e.sigstruct, key).has_value());
  e.mrenclave = sha256("enclave");
  e.sigstruct_digest = sha256("sigstruct");
  e.manifest_digest = sha256("manifest");
  e.runtime_files = {{"libpal.so", sha256("pal")}};
  e.trusted = {{"/bin/a", sha256("a")}, {"/bin/b", sha256("b")}};
  e.runtime_name = "gramine";
  e.runtime_version = "1.9";
  e.base_uri = "docker.io/library/redis:7";
  e.base_digest = sha256("base");
  e.starts_loader = true;
  return e;
}

std::string failures(const std::vector<Check>& checks) {
  std::string out;
  for (const Check& check : checks)
    if (!check.passed) out += cat(out.empty() ? "" : " ", check.name);
  return out;
}

TEST(EnclaveCheck, PassesWhatIsWhole) {
  const std::vector<Check> checks = check_enclave_evidence(evidence(), {});
  EXPECT_EQ(failures(checks), "");
  EXPECT_EQ(checks.size(), 5U);
}

TEST(EnclaveCheck, NamesWhatIsBroken) {
  EnclaveEvidence e = evidence();
  e.differing = {"/bin/a"};
  EXPECT_EQ(failures(check_enclave_evidence(e, {})), "trusted-files");
  e = evidence();
  e.mrenclave = sha256("another manifest");
  EXPECT_EQ(failures(check_enclave_evidence(e, {})), "mrenclave");
  e = evidence();
  e.mrenclave.reset();
  e.mrenclave_problem = "unknown runtime";
  EXPECT_EQ(failures(check_enclave_evidence(e, {})), "mrenclave");
  e = evidence();
  e.sigstruct.isvsvn = 9;  // changed after it was signed
  EXPECT_EQ(failures(check_enclave_evidence(e, {})), "sigstruct");
  e = evidence();
  e.starts_loader = false;
  EXPECT_EQ(failures(check_enclave_evidence(e, {})), "entrypoint");
}

TEST(EnclaveCheck, NamesFewOfManyFiles) {
  EnclaveEvidence e = evidence();
  for (int i = 0; i < 8; ++i) e.differing.push_back(cat("/f", i));
  const auto checks = check_enclave_evidence(e, {});
  const auto at = std::find_if(checks.begin(), checks.end(),
                               [](const Check& c) { return c.name == "trusted-files"; });
  ASSERT_NE(at, checks.end());
  EXPECT_EQ(at->found, "not the measured file: '/f0', '/f1', '/f2', '/f3', '/f4' and 3 more");
}

TEST(EnclaveCheck, ComparesWithThePins) {
  const EnclaveEvidence e = evidence();
  EnclavePins pins;
  pins.mrsigners = {e.sigstruct.mrsigner()};
  pins.isvprodid = 7;
  pins.min_isvsvn = 3;
  EXPECT_EQ(failures(check_enclave_evidence(e, pins)), "");
  pins.mrsigners = {sha256("somebody")};
  pins.isvprodid = 8;
  pins.min_isvsvn = 4;
  EXPECT_EQ(failures(check_enclave_evidence(e, pins)), "mrsigner isvprodid isvsvn");
}

TEST(EnclaveCheck, RefusesADebugEnclaveUnlessAllowed) {
  measure::sgx::EnclaveParams params;
  params.debug = true;
  params.flags |= 2;
  EnclaveEvidence e = evidence();
  e.sigstruct =
      make_sigstruct(params, sha256("enclave"), std::chrono::year(2024) / std::chrono::January / 2);
  ASSERT_TRUE(sign_sigstruct(e.sigstruct, must(SgxKey::generate())).has_value());
  EXPECT_EQ(failures(check_enclave_evidence(e, {})), "debug");
  EnclavePins pins;
  pins.allow_debug = true;
  EXPECT_EQ(failures(check_enclave_evidence(e, pins)), "");
}

MeasurementClaim claim_of(const EnclaveEvidence& e) {
  MeasurementClaim claim;
  claim.mrenclave = e.sigstruct.mrenclave;
  claim.mrsigner = e.sigstruct.mrsigner();
  claim.sigstruct_digest = e.sigstruct_digest;
  claim.manifest_digest = e.manifest_digest;
  claim.trusted_digest = trusted_files_digest(e.trusted);
  claim.trusted_files = e.trusted.size();
  claim.runtime_name = e.runtime_name;
  claim.runtime_version = e.runtime_version;
  claim.runtime_files = e.runtime_files;
  claim.base_uri = e.base_uri;
  claim.base_digest = e.base_digest;
  claim.isvprodid = e.sigstruct.isvprodid;
  claim.isvsvn = e.sigstruct.isvsvn;
  return claim;
}

TEST(ClaimCheck, EveryFieldCounts) {
  const EnclaveEvidence e = evidence();
  EXPECT_EQ(failures(check_claim(e, claim_of(e))), "");
  const auto broken = [&](auto change) {
    MeasurementClaim claim = claim_of(e);
    change(claim);
    return failures(check_claim(e, claim));
  };
  EXPECT_EQ(broken([](auto& c) { c.mrenclave = sha256("x"); }), "attested-mrenclave");
  EXPECT_EQ(broken([](auto& c) { c.mrsigner = sha256("x"); }), "attested-mrsigner");
  EXPECT_EQ(broken([](auto& c) { c.sigstruct_digest = sha256("x"); }), "attested-sigstruct");
  EXPECT_EQ(broken([](auto& c) { c.manifest_digest = sha256("x"); }), "attested-manifest");
  EXPECT_EQ(broken([](auto& c) { c.trusted_digest = sha256("x"); }), "attested-trusted-files");
  EXPECT_EQ(broken([](auto& c) { c.trusted_files = 1; }), "attested-trusted-files");
  EXPECT_EQ(broken([](auto& c) { c.runtime_files.clear(); }), "attested-runtime");
  EXPECT_EQ(broken([](auto& c) { c.runtime_version = "1.8"; }), "attested-runtime");
  EXPECT_EQ(broken([](auto& c) { c.base_digest = sha256("x"); }), "attested-base");
  EXPECT_EQ(broken([](auto& c) { c.base_uri.clear(); }), "attested-base");
  EXPECT_EQ(broken([](auto& c) { c.isvsvn = 9; }), "attested-version");
  EXPECT_EQ(broken([](auto& c) { c.debug = true; }), "attested-version");
}

}  // namespace
}  // namespace cloister::sign
