#include "sign/nitro/eif_signature.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/sha384.h"
#include "base/text.h"
#include "measure/nitro/eif.h"
#include "sign/quote/cbor.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"
#include "tests/measure/nitro/test_eif.h"

namespace cloister::sign {
namespace {

using measure::nitro::Eif;
using measure::nitro::eif_vector;
using measure::nitro::Pcr;

const Limits kBounds;

Bytes fixture(const std::string& name) {
  return must(read_file(source_dir() / "testdata/nitro-eif" / name, 1 << 20));
}
Certificate certificate_of(const std::string& name) {
  return must(read_eif_certificate(fixture(name + ".crt"), quote(name)));
}
EifKey key_of(const std::string& name) {
  return must(EifKey::from_pem(fixture(name + ".key"), {}, quote(name), certificate_of(name)));
}
Eif signed_vector() {
  const Bytes bytes = eif_vector("signed.eif");
  MemorySource source(bytes);
  return must(measure::nitro::read_eif(source, kBounds, "signed.eif"));
}
Json expected_values() {
  return must(parse_json(as_text(eif_vector("vectors.json")), kBounds, "vectors.json"));
}
Pcr some_pcr() {
  return sha384(as_bytes("an image"));
}
// A section of one entry.
Bytes section_of(std::string_view pem, ByteView cose) {
  CborWriter out;
  out.array(1);
  out.map(2);
  out.text("signing_certificate");
  out.numbers(as_bytes(pem));
  out.text("signature");
  out.numbers(cose);
  return out.take();
}
std::string pem_text(const std::string& name) {
  return std::string(as_text(fixture(name + ".crt")));
}
// One that is sound, taken apart and changed.
CoseSign1 sound_cose(const EifKey& key) {
  return must(parse_eif_signature(must(make_eif_signature(key, some_pcr())))).cose;
}
Bytes payload(std::uint64_t index, ByteView value) {
  CborWriter out;
  out.map(2);
  out.text("register_index");
  out.uint(index);
  out.text("register_value");
  out.numbers(value);
  return out.take();
}
// What a key signs, whatever it is.
Bytes signed_by(const EifKey& key, const Bytes& payload) {
  CoseSign1 cose{key.algorithm(), payload, {}};
  cose.signature = must(key.sign(cose_signed_bytes(cose.algorithm, payload)));
  return encode_cose_sign1(cose);
}

// r and s of 48 bytes each, as two INTEGERs in a SEQUENCE.
Bytes in_der(ByteView signature) {
  Bytes numbers;
  for (const std::size_t at : {0U, 48U}) {
    ByteView number = signature.subspan(at, 48);
    while (number.front() == std::byte{0}) number = number.subspan(1);
    const bool pad = (number.front() & std::byte{0x80}) != std::byte{0};
    numbers.push_back(std::byte{2});
    numbers.push_back(static_cast<std::byte>(number.size() + (pad ? 1 : 0)));
    if (pad) numbers.push_back(std::byte{0});
    numbers.insert(numbers.end(), number.begin(), number.end());
  }
  Bytes out = {std::byte{0x30}, static_cast<std::byte>(numbers.size())};
  out.insert(out.end(), numbers.begin(), numbers.end());
  return out;
}

TEST(EifSignature, OfAnotherImplementationIsReadAndVerified) {
  const Eif eif = signed_vector();
  const EifSignature signature = must(parse_eif_signature(*eif.signature));
  EXPECT_TRUE(check_eif_signature(signature, eif.pcr0).has_value());
  EXPECT_EQ(signature.cose.algorithm, CoseAlgorithm::es384);
  EXPECT_EQ(signature.register_index, 0U);
  EXPECT_EQ(signature.register_value, eif.pcr0);
  EXPECT_EQ(signature.certificate.common_name(), "cloister test");
  EXPECT_EQ(signature.others, 0U);
  const Json expected = expected_values();
  EXPECT_EQ(hex(signature.pcr8()), expected.at("two_ramdisks").at("PCR8"));
  EXPECT_EQ(hex(signature.cose.payload), expected.at("signed_eif").at("cose_payload_hex"));
}

TEST(EifSignature, WhatIsSignedIsWhatAnotherImplementationSigns) {
  const Bytes data = eif_signing_data(CoseAlgorithm::es384, signed_vector().pcr0);
  EXPECT_EQ(hex(sha384(data)), expected_values().at("signed_eif").at("tbs_sha384"));
}

TEST(EifSignature, IsEncodedAsAnotherImplementationDoes) {
  const Eif eif = signed_vector();
  const EifSignature signature = must(parse_eif_signature(*eif.signature));
  // A key outside that answers what was signed there.
  ExternalKey outside;
  outside.name = "outside";
  outside.public_pem = as_text(fixture("signer.crt"));
  outside.sign = [&signature](ByteView) -> Result<Bytes> {
    return in_der(signature.cose.signature);
  };
  const EifKey key = must(EifKey::external(std::move(outside), signature.certificate));
  EXPECT_EQ(must(make_eif_signature(key, eif.pcr0)), *eif.signature);
}

TEST(EifSignature, EveryCurveSigns) {
  const std::pair<const char*, CoseAlgorithm> curves[] = {{"p256", CoseAlgorithm::es256},
                                                          {"p384", CoseAlgorithm::es384},
                                                          {"p521", CoseAlgorithm::es512}};
  for (const auto& [name, algorithm] : curves) {
    const EifKey key = key_of(name);
    EXPECT_EQ(key.algorithm(), algorithm) << name;
    const Bytes section = must(make_eif_signature(key, some_pcr()));
    const EifSignature signature = must(parse_eif_signature(section));
    EXPECT_EQ(signature.cose.algorithm, algorithm);
    EXPECT_EQ(signature.certificate.der(), certificate_of(name).der());
    EXPECT_TRUE(check_eif_signature(signature, some_pcr()).has_value()) << name;
  }
}

TEST(EifSignature, OfAnotherImageIsRefused) {
  const EifSignature signature =
      must(parse_eif_signature(must(make_eif_signature(key_of("p384"), some_pcr()))));
  const Status checked = check_eif_signature(signature, sha384(as_bytes("another image")));
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().code(), Code::policy);
  EXPECT_EQ(checked.error().what(), "the image's signature is over another image");
}

TEST(EifSignature, OfAnotherRegisterIsRefused) {
  const EifKey key = key_of("p256");
  const EifSignature signature = must(
      parse_eif_signature(section_of(pem_text("p256"), signed_by(key, payload(1, some_pcr())))));
  EXPECT_EQ(check_eif_signature(signature, some_pcr()).error().what(),
            "the image's signature is not over PCR0");
}

TEST(EifSignature, EncodedOtherwiseIsRefused) {
  const EifKey key = key_of("p256");
  CborWriter swapped;
  swapped.map(2);
  swapped.text("register_value");
  swapped.numbers(some_pcr());
  swapped.text("register_index");
  swapped.uint(0);
  const EifSignature signature =
      must(parse_eif_signature(section_of(pem_text("p256"), signed_by(key, swapped.take()))));
  EXPECT_EQ(signature.register_value, some_pcr());
  EXPECT_EQ(check_eif_signature(signature, some_pcr()).error().what(),
            "the image's signature is over PCR0, encoded as AWS's tools do not");
}

TEST(EifSignature, ByAnotherKeyIsRefused) {
  CoseSign1 cose = sound_cose(key_of("p384"));
  cose.signature[10] ^= std::byte{1};
  EifSignature signature =
      must(parse_eif_signature(section_of(pem_text("p384"), encode_cose_sign1(cose))));
  EXPECT_EQ(check_eif_signature(signature, some_pcr()).error().what(),
            "the image's signature is not by the key of its certificate");

  cose = sound_cose(key_of("p384"));
  signature = must(parse_eif_signature(section_of(pem_text("p521"), encode_cose_sign1(cose))));
  EXPECT_EQ(check_eif_signature(signature, some_pcr()).error().what(),
            "the image's signature is by another algorithm than its certificate's key");
}

TEST(EifSignature, ATagAndFurtherEntriesArePassedOver) {
  const EifKey key = key_of("p256");
  Bytes cose = encode_cose_sign1(sound_cose(key));
  cose.insert(cose.begin(), std::byte{0xd2});  // tag 18
  Bytes section = section_of(pem_text("p256"), cose);
  section[0] = std::byte{0x82};
  section.push_back(std::byte{0xa0});
  const EifSignature signature = must(parse_eif_signature(section));
  EXPECT_EQ(signature.others, 1U);
  EXPECT_TRUE(check_eif_signature(signature, some_pcr()).has_value());
}

TEST(EifSignature, TheFirstCertificateCounts) {
  const EifKey key = key_of("p256");
  const Bytes cose = encode_cose_sign1(sound_cose(key));
  const std::string chain = "a note\n" + pem_text("p256") + pem_text("p384");
  EXPECT_EQ(must(parse_eif_signature(section_of(chain, cose))).certificate.der(),
            certificate_of("p256").der());
  // OpenSSL, and AWS with it, takes the older label too.
  std::string old = pem_text("p256");
  for (const char* word : {"BEGIN ", "END "}) old.insert(old.find(word) + strlen(word), "X509 ");
  EXPECT_EQ(must(parse_eif_signature(section_of(old + pem_text("p384"), cose))).certificate.der(),
            certificate_of("p256").der());
}

TEST(EifSignature, EveryPrefixIsRefused) {
  const Bytes section = must(make_eif_signature(key_of("p256"), some_pcr()));
  for (std::size_t size = 0; size < section.size(); ++size)
    ASSERT_FALSE(parse_eif_signature(ByteView(section).first(size)).has_value()) << size;
  Bytes more = section;
  more.push_back(std::byte{0});
  EXPECT_FALSE(parse_eif_signature(more).has_value());
}

TEST(EifSignature, OtherBytesAreNone) {
  const EifKey key = key_of("p256");
  const Bytes cose = encode_cose_sign1(sound_cose(key));
  const auto code = [](const Bytes& section) {
    const auto parsed = parse_eif_signature(section);
    return parsed.has_value() ? std::optional<Code>() : parsed.error().code();
  };
  EXPECT_EQ(code(section_of(pem_text("p256"), cose)), std::nullopt);
  EXPECT_EQ(code(section_of("", cose)), Code::corrupt);
  EXPECT_EQ(code(section_of("no PEM", cose)), Code::corrupt);
  EXPECT_EQ(code(section_of(pem_text("k256"), cose)), Code::corrupt);
  EXPECT_EQ(code(section_of(pem_text("p256"), {})), Code::corrupt);
  EXPECT_EQ(code({std::byte{0x80}}), Code::corrupt);  // no entry
  for (const Bytes& inner :
       {payload(0, ByteView(some_pcr()).first(47)), payload(0, Bytes(49)), Bytes{}})
    EXPECT_EQ(code(section_of(pem_text("p256"), signed_by(key, inner))), Code::corrupt);

  CborWriter twice;  // the same field twice
  twice.array(1);
  twice.map(2);
  for (int i = 0; i < 2; ++i) {
    twice.text("signature");
    twice.numbers(cose);
  }
  EXPECT_EQ(code(twice.take()), Code::corrupt);

  CborWriter bytes;  // a byte string, which serde does not take for a vector
  bytes.array(1);
  bytes.map(2);
  bytes.text("signing_certificate");
  bytes.bytes(fixture("p256.crt"));
  bytes.text("signature");
  bytes.numbers(cose);
  EXPECT_EQ(code(bytes.take()), Code::corrupt);
}

TEST(EifSignature, ReachesItsLimits) {
  const Bytes section = must(make_eif_signature(key_of("p256"), some_pcr()));
  Bytes large(measure::nitro::kEifMaxSignature + 1);
  std::copy(section.begin(), section.end(), large.begin());
  EXPECT_EQ(parse_eif_signature(large).error().code(), Code::limit);
  // Heads that declare more than there is cost nothing.
  CborWriter declares;
  declares.array(~0ULL);
  EXPECT_EQ(parse_eif_signature(declares.take()).error().code(), Code::corrupt);
}

TEST(CoseSign1, ReadsNoHeaderThatItDoesNotUnderstand) {
  const CoseSign1 cose = sound_cose(key_of("p256"));
  const auto with_header = [&](const Bytes& header) {
    CborWriter out;
    out.array(4);
    out.bytes(header);
    out.map(0);
    out.bytes(cose.payload);
    out.bytes(cose.signature);
    return parse_cose_sign1(out.take());
  };
  const auto header = [](std::uint64_t pairs, std::uint64_t label, std::uint64_t negative) {
    CborWriter out;
    out.map(pairs);
    out.uint(label);
    out.negative(negative);
    return out.take();
  };
  EXPECT_TRUE(with_header(header(1, 1, 6)).has_value());
  EXPECT_EQ(with_header(header(1, 1, 7)).error().code(), Code::unsupported);  // EdDSA
  EXPECT_EQ(with_header(header(1, 2, 6)).error().code(), Code::unsupported);
  EXPECT_EQ(with_header({}).error().code(), Code::unsupported);
  // ES384 says that a signature is longer than this one.
  EXPECT_EQ(with_header(header(1, 1, 34)).error().code(), Code::corrupt);
}

TEST(EifKey, AndCertificateBelongTogether) {
  const auto mixed = EifKey::from_pem(fixture("p384.key"), {}, "'k'", certificate_of("p256"));
  ASSERT_FALSE(mixed.has_value());
  EXPECT_EQ(mixed.error().code(), Code::invalid);
  EXPECT_EQ(mixed.error().what(), "key 'k' is not the one of the certificate");
  EXPECT_FALSE(read_eif_certificate(fixture("k256.crt"), "'c'").has_value());
  EXPECT_FALSE(read_eif_certificate(fixture("p256.key"), "'c'").has_value());
  EXPECT_FALSE(read_eif_certificate({}, "'c'").has_value());
}

TEST(EifKey, OutsideIsNotBelieved) {
  const auto outside = [](const char* name, std::function<Result<Bytes>(ByteView)> sign) {
    ExternalKey key;
    key.name = "'agent'";
    key.public_pem = as_text(fixture(std::string(name) + ".crt"));
    key.sign = std::move(sign);
    return EifKey::external(std::move(key), certificate_of("p384"));
  };
  EXPECT_FALSE(outside("p256", [](ByteView) { return Bytes(); }).has_value());
  for (const Bytes& answer : {Bytes(), Bytes(96), to_bytes("not a signature")}) {
    const EifKey key = must(outside("p384", [answer](ByteView) { return answer; }));
    const auto section = make_eif_signature(key, some_pcr());
    ASSERT_FALSE(section.has_value());
    EXPECT_EQ(section.error().what(), "the signature by 'agent' does not verify");
  }
  const EifKey key =
      must(outside("p384", [](ByteView) -> Result<Bytes> { return Error::unavailable("asleep"); }));
  EXPECT_EQ(make_eif_signature(key, some_pcr()).error().code(), Code::unavailable);
}

TEST(EifKey, APrivateKeyBesideTheCertificateIsNotPublished) {
  const Bytes both = to_bytes(std::string(as_text(fixture("p256.key"))) + pem_text("p256"));
  const EifKey key =
      must(EifKey::from_pem(both, {}, "'both'", must(read_eif_certificate(both, "'both'"))));
  const Bytes section = must(make_eif_signature(key, some_pcr()));
  CborReader in(section);
  in.expect(CborKind::array, 1);
  in.expect(CborKind::map, 2);
  EXPECT_EQ(as_text(in.expect(CborKind::text).bytes), "signing_certificate");
  std::string published;
  for (std::uint64_t left = in.expect(CborKind::array).number; left > 0; --left)
    published += static_cast<char>(in.expect(CborKind::uint).number);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(published, pem_text("p256"));
}

TEST(EifKey, ADamagedCertificateIsRefused) {
  // A length in more bytes than needed: read by OpenSSL, and written otherwise.
  Bytes der = certificate_of("p256").der();
  ASSERT_EQ(der[1], std::byte{0x82});
  der[1] = std::byte{0x83};
  der.insert(der.begin() + 2, std::byte{0});
  const std::string pem =
      "-----BEGIN CERTIFICATE-----\n" + base64(der) + "\n-----END CERTIFICATE-----\n";
  EXPECT_FALSE(read_eif_certificate(as_bytes(pem), "'c'").has_value());
}

}  // namespace
}  // namespace cloister::sign
