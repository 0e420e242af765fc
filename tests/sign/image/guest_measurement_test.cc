// The predicate about a virtual machine: written, read back, and refused where it is malformed.
#include "sign/image/guest_measurement.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "sign/image/measurement.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"
#include "tests/sign/image/guest_measurements.h"

#include <nlohmann/json.hpp>

namespace cloister::sign {
namespace {

using nlohmann::json;

// Which the published schema describes (tests/e2e/reports.sh).
TEST(GuestMeasurement, HasThisForm) {
  const auto file = source_dir() / "testdata/sign/guest-measurement.json";
  EXPECT_EQ(encode_guest_measurement(full_measurement()) + "\n",
            must(read_text_file(file.native(), 1 << 20)));
}

TEST(GuestMeasurement, ComesBack) {
  GuestMeasurement plain = full_measurement();
  plain.disk.reset();
  plain.id_key_digest.reset();
  plain.base_uri.clear();
  plain.block = SnpIdBlock();
  plain.guest_features = ~0ULL;
  plain.block.policy.bits = 0;
  plain.vcpu_signature = 0xffffffff;
  plain.digests.resize(1);
  plain.files = 1ULL << 32;
  for (const GuestMeasurement& one : {full_measurement(), plain}) {
    const std::string text = encode_guest_measurement(one);
    const GuestMeasurement back = must(parse_guest_measurement(text, Limits()));
    EXPECT_EQ(back, one);
    EXPECT_EQ(encode_guest_measurement(back), text);
    EXPECT_EQ(back.digests, one.digests);
    EXPECT_EQ(back.disk, one.disk);
    EXPECT_EQ(back.id_key_digest, one.id_key_digest);
    EXPECT_EQ(back.block.policy.bits, one.block.policy.bits);
    EXPECT_EQ(back.command_line, one.command_line);
  }
}

TEST(GuestMeasurement, EveryFieldCounts) {
  const GuestMeasurement whole = full_measurement();
  const auto differs = [&](const auto& change) {
    GuestMeasurement other = whole;
    change(other);
    return !(other == whole);
  };
  EXPECT_FALSE(differs([](GuestMeasurement&) {}));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.platform += 'x'; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.vmm += 'x'; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.vcpu_type += 'x'; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.vcpu_signature ^= 1; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.guest_features ^= 1; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.block.policy.bits ^= 1; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.block.guest_svn ^= 1; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.block.family_id[15] ^= std::byte{1}; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.block.image_id[15] ^= std::byte{1}; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.digests[1].digest[47] ^= std::byte{1}; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.digests[1].vcpus ^= 1; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.digests.pop_back(); }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { std::swap(m.digests[0], m.digests[1]); }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.kernel_version += 'x'; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.firmware_name += 'x'; }));
  for (Digest GuestMeasurement::*digest : std::initializer_list<Digest GuestMeasurement::*>{
           &GuestMeasurement::kernel, &GuestMeasurement::initrd, &GuestMeasurement::firmware,
           &GuestMeasurement::document, &GuestMeasurement::files_digest,
           &GuestMeasurement::base_digest})
    EXPECT_TRUE(differs([&](GuestMeasurement& m) { m.*digest = sha256("other"); }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.command_line += ' '; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.disk.reset(); }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.disk = sha256("other"); }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.id_key_digest.reset(); }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.files ^= 1; }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.base_uri.clear(); }));
  EXPECT_TRUE(differs([](GuestMeasurement& m) { m.generator_version += 'x'; }));
}

TEST(GuestMeasurement, BytesThatAreNoTextAreToldApart) {
  GuestMeasurement one = full_measurement(), other = one;
  one.command_line = "\xff";
  other.command_line = "\xfe";
  EXPECT_FALSE(one == other);
  other.command_line = "\xef\xbf\xbd";  // as JSON would have both
  EXPECT_FALSE(one == other);
}

json document() {
  return json::parse(encode_guest_measurement(full_measurement()));
}
Code measurement_refusal(const json& changed) {
  const auto read = parse_guest_measurement(changed.dump(), Limits());
  return read.has_value() ? Code::internal : read.error().code();
}

TEST(GuestMeasurement, EveryMemberIsNeeded) {
  ASSERT_EQ(measurement_refusal(document()), Code::internal);
  const char* const needed[] = {"/tee",
                                "/image",
                                "/image/platform",
                                "/snp",
                                "/snp/measurements",
                                "/snp/measurements/0/vcpus",
                                "/snp/measurements/1/digest",
                                "/snp/vmm",
                                "/snp/vcpuType",
                                "/snp/vcpuSignature",
                                "/snp/guestFeatures",
                                "/snp/policy",
                                "/snp/guestSvn",
                                "/snp/familyId",
                                "/snp/imageId",
                                "/snp/firmware",
                                "/snp/firmware/name",
                                "/snp/firmware/digest",
                                "/snp/firmware/digest/sha256",
                                "/snp/kernel",
                                "/snp/kernel/version",
                                "/snp/kernel/digest",
                                "/snp/initrd",
                                "/snp/initrd/digest",
                                "/snp/commandLine",
                                "/manifest",
                                "/manifest/digest",
                                "/trustedFiles",
                                "/trustedFiles/count",
                                "/trustedFiles/digest",
                                "/base",
                                "/base/digest",
                                "/generator",
                                "/generator/version",
                                "/snp/disk/digest"};
  for (const char* path : needed) {
    SCOPED_TRACE(path);
    const json::json_pointer at(path);
    json without = document(), mistyped = document();
    without.at(at.parent_pointer()).erase(at.back());
    EXPECT_EQ(measurement_refusal(without), Code::corrupt);
    mistyped.at(at) = true;
    EXPECT_EQ(measurement_refusal(mistyped), Code::corrupt);
  }
  for (const char* path : {"/snp/idKeyDigest", "/snp/disk", "/base/uri"}) {
    SCOPED_TRACE(path);
    const json::json_pointer at(path);
    json without = document();
    without.at(at.parent_pointer()).erase(at.back());
    EXPECT_EQ(measurement_refusal(without), Code::internal);
  }
  json more = document();
  more["unknown"] = json::array();  // readers ignore what they do not know
  EXPECT_EQ(measurement_refusal(more), Code::internal);
}

TEST(GuestMeasurement, MalformedValuesAreRefused) {
  const auto refused = [](const char* path, const json& value) {
    json changed = document();
    changed[json::json_pointer(path)] = value;
    return measurement_refusal(changed);
  };
  const std::string digest(96, 'a');
  for (const json& value : {json(""), json(digest + "a"), json(digest + "aa"),
                            json(std::string(95, 'a')), json(std::string(96, 'A')),
                            json(std::string(96, 'g')), json("0x" + std::string(94, 'a'))}) {
    EXPECT_EQ(refused("/snp/measurements/0/digest", value), Code::corrupt) << value;
    EXPECT_EQ(refused("/snp/idKeyDigest", value), Code::corrupt) << value;
    EXPECT_EQ(refused("/snp/familyId", value), Code::corrupt) << value;
    EXPECT_EQ(refused("/snp/kernel/digest/sha256", value), Code::corrupt) << value;
  }
  for (const char* path : {"/snp/policy", "/snp/guestFeatures", "/snp/vcpuSignature"})
    for (const char* value : {"", "0x", "30000", "0x3000g", " 0x3", "0x3 ", "-0x3", "0x-3",
                              "0x10000000000000000", "0X30000"})
      EXPECT_EQ(refused(path, value), Code::corrupt) << path << value;
  EXPECT_EQ(refused("/snp/vcpuSignature", "0x100000000"), Code::corrupt);
  EXPECT_EQ(refused("/snp/policy", "0xffffffffffffffff"), Code::internal);
  for (const json& value : {json(-1), json(0), json(65537), json(1.5), json("1")})
    EXPECT_EQ(refused("/snp/measurements/0/vcpus", value), Code::corrupt) << value;
  for (const json& value : {json(-1), json(4294967296), json("1")})
    EXPECT_EQ(refused("/snp/guestSvn", value), Code::corrupt) << value;
  for (const json& value : {json(-1), json((1LL << 32) + 1)})
    EXPECT_EQ(refused("/trustedFiles/count", value), Code::corrupt) << value;
  EXPECT_EQ(refused("/snp/measurements", json::array()), Code::corrupt);
  EXPECT_EQ(refused("/snp/measurements", json::array({1})), Code::corrupt);
  EXPECT_EQ(refused("/snp/measurements", json::object()), Code::corrupt);
  const json one = document()["snp"]["measurements"][0];
  EXPECT_EQ(refused("/snp/measurements", json(1024, one)), Code::internal);
  EXPECT_EQ(refused("/snp/measurements", json(1025, one)), Code::limit);
}

TEST(GuestMeasurement, OtherDocumentsAreRefused) {
  for (const char* text : {"", "[]", "null", "1", "{}", "{\"tee\":\"snp\"}", "{\"tee\":\"snp\"} x"})
    EXPECT_EQ(parse_guest_measurement(text, Limits()).error().code(), Code::corrupt) << text;
  const std::string text = encode_guest_measurement(full_measurement());
  for (std::size_t size = 0; size < text.size(); size += 7)
    EXPECT_FALSE(parse_guest_measurement(text.substr(0, size), Limits()).has_value()) << size;
}

// Each kind of hardware has its reader, and neither takes the other's for its own.
TEST(GuestMeasurement, AnEnclavesIsAnother) {
  MeasurementPredicate enclave;
  enclave.runtime_name = "gramine";
  const std::string text = encode_measurement(enclave);
  EXPECT_EQ(parse_guest_measurement(text, Limits()).error().code(), Code::unsupported);
  EXPECT_EQ(
      parse_measurement(encode_guest_measurement(full_measurement()), Limits()).error().code(),
      Code::unsupported);
}

}  // namespace
}  // namespace cloister::sign
