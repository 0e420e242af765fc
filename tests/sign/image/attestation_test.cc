// The documents that are signed, and what carries the signatures.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "sign/image/bundle.h"
#include "sign/image/dsse.h"
#include "sign/image/measurement.h"
#include "sign/image/simple_signing.h"
#include "sign/image/statement.h"
#include "tests/base/must.h"

namespace cloister::sign {
namespace {

const Digest kImage = sha256("image");

TEST(Dsse, EncodesWhatIsSigned) {
  // The example of the DSSE protocol document.
  EXPECT_EQ(pre_authentication_encoding("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

TEST(Dsse, IsVerifiedByItsKeyAlone) {
  const ImageKey key = must(ImageKey::generate(ImageKeyKind::ed25519));
  const ImageKey other = must(ImageKey::generate(ImageKeyKind::ed25519));
  const std::string text = must(sign_dsse(kInTotoPayloadType, R"({"a":1})", key));
  DsseEnvelope envelope = must(parse_dsse(text, Limits()));
  EXPECT_EQ(envelope.payload_type, kInTotoPayloadType);
  EXPECT_EQ(envelope.payload, R"({"a":1})");
  EXPECT_TRUE(verify_dsse(envelope, key.public_key()));
  EXPECT_FALSE(verify_dsse(envelope, other.public_key()));

  // A stranger's signature beside it changes nothing.
  DsseEnvelope both = envelope;
  both.signatures.insert(both.signatures.begin(), to_bytes("not a signature"));
  EXPECT_TRUE(verify_dsse(both, key.public_key()));

  DsseEnvelope retyped = envelope;
  retyped.payload_type = "text/plain";
  EXPECT_FALSE(verify_dsse(retyped, key.public_key()));
  envelope.payload = R"({"a":2})";
  EXPECT_FALSE(verify_dsse(envelope, key.public_key()));
}

TEST(Dsse, ReadsBothBase64Alphabets) {
  const auto standard = must(parse_dsse(
      R"({"payloadType":"t","payload":"+/8=","signatures":[{"sig":"+/8="}]})", Limits()));
  const auto url = must(parse_dsse(
      R"({"payloadType":"t","payload":"-_8","signatures":[{"sig":"-_8","keyid":"k"}]})", Limits()));
  EXPECT_EQ(standard.payload, "\xfb\xff");
  EXPECT_EQ(url.payload, standard.payload);
  EXPECT_EQ(url.signatures, standard.signatures);
}

TEST(Dsse, RefusesWhatIsNoEnvelope) {
  for (const char* text :
       {"", "[]", "{}", R"({"payloadType":"t","payload":"","signatures":[]})",
        R"({"payloadType":"t","payload":"%","signatures":[{"sig":""}]})",
        R"({"payloadType":"t","payload":"","signatures":[{}]})",
        R"({"payloadType":"t","payload":"","signatures":["x"]})",
        R"({"payloadType":1,"payload":"","signatures":[{"sig":""}]})",
        R"({"payloadType":"t","payload":"","payload":"","signatures":[{"sig":""}]})"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_dsse(text, Limits()).has_value());
  }
  Limits small;
  small.attachment_bytes = 2;
  const auto large =
      parse_dsse(R"({"payloadType":"t","payload":"AAAA","signatures":[{"sig":""}]})", small);
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code(), Code::limit);
}

TEST(Statement, IsWrittenAndReadBack) {
  const std::string text = encode_statement("host/repo", kImage, "urn:x", R"({"a":"\"}"})");
  EXPECT_EQ(text, R"({"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"host/repo",)"
                  R"("digest":{"sha256":")" +
                      kImage.hex() + R"("}}],"predicateType":"urn:x","predicate":{"a":"\"}"}})");
  const Statement statement = must(parse_statement(text, Limits()));
  EXPECT_TRUE(statement.is_about(kImage));
  EXPECT_FALSE(statement.is_about(sha256("another image")));
  EXPECT_EQ(statement.predicate_type, "urn:x");
  EXPECT_EQ(statement.predicate, R"({"a":"\"}"})");
}

TEST(Statement, AnySubjectMayBeTheImage) {
  const Statement statement = must(parse_statement(
      R"({"_type":"https://in-toto.io/Statement/v0.1","predicateType":"p","subject":[)"
      R"({"digest":{"sha512":"00"}},{"digest":{"sha256":")" +
          kImage.hex() + R"("}}]})",
      Limits()));
  EXPECT_TRUE(statement.is_about(kImage));
  EXPECT_EQ(statement.predicate, "{}");
}

TEST(Statement, RefusesOtherDocuments) {
  const auto other = parse_statement(
      R"({"_type":"https://in-toto.io/Statement/v9","predicateType":"p","subject":[]})", Limits());
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code(), Code::unsupported);
  for (const char* text :
       {"[]", "{}", R"({"_type":"https://in-toto.io/Statement/v1","predicateType":"p"})",
        R"({"_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[1]})",
        R"({"_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[)"
        R"({"digest":{"sha256":"12"}}]})",
        R"({"_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[],)"
        R"("predicate":[]})"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_statement(text, Limits()).has_value());
  }
}

TEST(SimpleSigning, IsThePayloadOfCosign) {
  const SimpleSigning claim{"127.0.0.1:5055/demo/ec:v1", kImage};
  const std::string text = encode_simple_signing(claim);
  EXPECT_EQ(text, R"({"critical":{"identity":{"docker-reference":"127.0.0.1:5055/demo/ec:v1"},)"
                  R"("image":{"docker-manifest-digest":")" +
                      kImage.str() +
                      R"("},"type":"cosign container image signature"},"optional":null})");
  const SimpleSigning again = must(parse_simple_signing(text, Limits()));
  EXPECT_EQ(again.docker_reference, claim.docker_reference);
  EXPECT_EQ(again.manifest_digest, kImage);
}

TEST(SimpleSigning, RefusesOtherClaims) {
  for (const char* text :
       {"null", "{}", R"({"critical":{"identity":{},"image":{},"type":"x"}})",
        R"({"critical":{"identity":{},"image":{},"type":"cosign container image signature"}})",
        R"({"critical":{"identity":{},"image":{"docker-manifest-digest":"sha256:0"},)"
        R"("type":"cosign container image signature"}})"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_simple_signing(text, Limits()).has_value());
  }
}

TEST(Bundle, CarriesAnEnvelope) {
  const ImageKey key = must(ImageKey::generate(ImageKeyKind::ecdsa_p256));
  const std::string statement = encode_statement("", kImage, kCosignSignPredicate, "{}");
  const std::string text =
      encode_bundle(must(sign_dsse(kInTotoPayloadType, statement, key)), key.public_key());
  EXPECT_TRUE(text.starts_with(R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",)"
                               R"("verificationMaterial":{"publicKey":{"hint":")"));
  EXPECT_NE(text.find(base64(key.public_key().fingerprint().view())), std::string::npos);
  const DsseEnvelope envelope = must(parse_bundle(text, Limits()));
  EXPECT_EQ(envelope.payload, statement);
  EXPECT_TRUE(verify_dsse(envelope, key.public_key()));
}

TEST(Bundle, RefusesOthers) {
  for (const char* text :
       {"[]", "{}", R"({"mediaType":"text/plain","dsseEnvelope":{}})",
        R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{}})"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_bundle(text, Limits()).has_value());
  }
  const auto bare = parse_bundle(
      R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","messageSignature":{}})",
      Limits());
  ASSERT_FALSE(bare.has_value());
  EXPECT_EQ(bare.error().code(), Code::unsupported);
}

MeasurementPredicate sample() {
  MeasurementPredicate p;
  p.media_type = "application/vnd.oci.image.manifest.v1+json";
  p.platform = "linux/amd64";
  p.sigstruct.mrenclave = sha256("enclave");
  p.sigstruct.flags = 0x4;
  p.sigstruct.flags_mask = ~0ULL;
  p.sigstruct.xfrm = 0x3;
  p.sigstruct.xfrm_mask = 0xfffffffffff9ff1b;
  p.sigstruct.misc_mask = 0xffffffff;
  p.sigstruct.isvprodid = 7;
  p.sigstruct.isvsvn = 3;
  p.mrsigner = sha256("signer");
  p.sigstruct_digest = sha256("sigstruct");
  p.enclave_size = 1U << 30;
  p.runtime_name = "gramine";
  p.runtime_version = "1.9";
  p.runtime_files = {{"libpal.so", sha256("pal")}};
  p.manifest_path = "/gramine/app_files/entrypoint.manifest.sgx";
  p.manifest_digest = sha256("manifest");
  p.trusted_files = 412;
  p.trusted_digest = sha256("trusted");
  p.base_uri = "docker.io/library/redis:7";
  p.base_digest = sha256("base");
  p.generator_version = "1.2.3";
  return p;
}

TEST(Measurement, IsInMemoryOrder) {
  const std::string text = encode_measurement(sample());
  EXPECT_NE(text.find(R"("attributes":{"flags":"0400000000000000","flagsMask":"ffffffffffffffff",)"
                      R"("xfrm":"0300000000000000","xfrmMask":"1bfff9ffffffffff"})"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("miscselect":"00000000","miscselectMask":"ffffffff","debug":false)"),
            std::string::npos);
  EXPECT_TRUE(text.starts_with(R"({"schema":"1.0","tee":"sgx","image":)"));
}

TEST(Measurement, IsReadBack) {
  const MeasurementPredicate p = sample();
  const MeasurementClaim claim = must(parse_measurement(encode_measurement(p), Limits()));
  EXPECT_EQ(claim.mrenclave, p.sigstruct.mrenclave);
  EXPECT_EQ(claim.mrsigner, p.mrsigner);
  EXPECT_EQ(claim.sigstruct_digest, p.sigstruct_digest);
  EXPECT_EQ(claim.manifest_digest, p.manifest_digest);
  EXPECT_EQ(claim.trusted_digest, p.trusted_digest);
  EXPECT_EQ(claim.trusted_files, 412U);
  EXPECT_EQ(claim.isvprodid, 7);
  EXPECT_EQ(claim.isvsvn, 3);
  EXPECT_FALSE(claim.debug);
  EXPECT_EQ(claim.runtime_name, "gramine");
  EXPECT_EQ(claim.runtime_files, p.runtime_files);
  EXPECT_EQ(claim.base_uri, p.base_uri);
  EXPECT_EQ(claim.base_digest, p.base_digest);
}

TEST(Measurement, RefusesWhatItCannotCompare) {
  const std::string whole = encode_measurement(sample());
  const auto without = [&](std::string_view from, std::string_view to) {
    std::string text = whole;
    text.replace(text.find(from), from.size(), to);
    return parse_measurement(text, Limits());
  };
  const auto other = without(R"("tee":"sgx")", R"("tee":"snp")");
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code(), Code::unsupported);
  EXPECT_FALSE(without(R"("mrenclave")", R"("mrxnclave")").has_value());
  EXPECT_FALSE(without(R"("isvsvn":3)", R"("isvsvn":65536)").has_value());
  EXPECT_FALSE(without(R"("isvsvn":3)", R"("isvsvn":-1)").has_value());
  EXPECT_FALSE(without(R"("debug":false)", R"("debug":0)").has_value());
  EXPECT_FALSE(without(R"("files":)", R"("filez":)").has_value());
  EXPECT_FALSE(parse_measurement("{}", Limits()).has_value());
}

TEST(Measurement, TrustedFilesAreSortedByPath) {
  const Digest a = sha256("a"), b = sha256("b");
  EXPECT_EQ(trusted_files_digest({{"/b", b}, {"/a", a}}),
            sha256(cat(a.hex(), "  /a\n", b.hex(), "  /b\n")));
}

}  // namespace
}  // namespace cloister::sign
