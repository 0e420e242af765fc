// AWS Nitro Enclaves: what a key asks for, and texts that no name can leave.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cmd/deploy/aws.h"
#include "tests/base/must.h"
#include "tests/cmd/deploy_cloud_image.h"

namespace cloister::cmd {
namespace {

using measure::nitro::Pcr;

Pcr filled_pcr(std::uint8_t byte) {
  Pcr out;
  out.fill(std::byte{byte});
  return out;
}

std::string digits_of(char digit) {
  return std::string(96, digit);
}

NitroDeployment nitro_redis() {
  NitroDeployment out;
  out.title = "reg.example/redis:7";
  out.name = "redis";
  out.eif = "redis.eif";
  out.eif_size = 100ULL << 20;
  out.pcr0 = filled_pcr(0xaa);
  out.pcr1 = filled_pcr(0x11);
  out.pcr2 = filled_pcr(0x22);
  out.memory_mib = 1024;
  out.role = "arn:aws:iam::111122223333:role/parent";
  return out;
}

std::string file_of(const DeployFiles& files, std::string_view name) {
  for (const DeployFile& file : files.files)
    if (file.name == name) return file.text;
  return "none";
}
std::string notes_of(const NitroDeployment& d) {
  return join(must(aws_files(d)).notes, "\n");
}
Json json_of(const std::string& text) {
  return must(parse_json(text, {}, "text"));
}

TEST(DeployAws, AKeyDecryptsForThisImageAlone) {
  EXPECT_EQ(image_key_statement(nitro_redis()),
            "{\n"
            "  \"Sid\": \"DecryptForThisEnclaveImage\",\n"
            "  \"Effect\": \"Allow\",\n"
            "  \"Principal\": {\n"
            "    \"AWS\": \"arn:aws:iam::111122223333:role/parent\"\n"
            "  },\n"
            "  \"Action\": \"kms:Decrypt\",\n"
            "  \"Resource\": \"*\",\n"
            "  \"Condition\": {\n"
            "    \"StringEqualsIgnoreCase\": {\n"
            "      \"kms:RecipientAttestation:ImageSha384\": \"" +
                digits_of('a') +
                "\"\n"
                "    }\n"
                "  }\n"
                "}\n");
}

TEST(DeployAws, OfASignedImageTheSignerCountsToo) {
  NitroDeployment d = nitro_redis();
  EXPECT_EQ(file_of(must(aws_files(d)), "key-policy-signer.json"), "none");
  EXPECT_NE(notes_of(d).find("not signed"), std::string::npos);
  d.pcr8 = filled_pcr(0x88);
  const DeployFiles files = must(aws_files(d));
  const Json image = json_of(file_of(files, "key-policy-image.json")).at("Condition");
  EXPECT_EQ(image.at("StringEqualsIgnoreCase"),
            (Json{{"kms:RecipientAttestation:ImageSha384", digits_of('a')},
                  {"kms:RecipientAttestation:PCR8", digits_of('8')}}));
  const Json signer = json_of(file_of(files, "key-policy-signer.json")).at("Condition");
  EXPECT_EQ(signer.at("StringEqualsIgnoreCase"),
            (Json{{"kms:RecipientAttestation:PCR1", digits_of('1')},
                  {"kms:RecipientAttestation:PCR8", digits_of('8')}}));
  EXPECT_EQ(json_of(file_of(files, "measurements.json")).at("Measurements").at("PCR8"),
            digits_of('8'));
  EXPECT_EQ(notes_of(d).find("not signed"), std::string::npos);
}

TEST(DeployAws, StartsTheEnclave) {
  const DeployFiles files = must(aws_files(nitro_redis()));
  EXPECT_EQ(file_of(files, "run-enclave.sh"),
            "#!/bin/sh\n"
            "set -eu\n"
            "nitro-cli run-enclave \\\n"
            "  --enclave-name redis \\\n"
            "  --eif-path redis.eif \\\n"
            "  --memory 1024 \\\n"
            "  --cpu-count 2\n");
  const std::string allocator = file_of(files, "allocator.yaml");
  EXPECT_NE(allocator.find("\nmemory_mib: 1024\n"), std::string::npos) << allocator;
  EXPECT_NE(allocator.find("\ncpu_count: 2\n"), std::string::npos) << allocator;
  EXPECT_NE(file_of(files, "kms-proxy.sh")
                .find("vsock-proxy 8000 \"kms.$REGION.amazonaws.com\" "
                      "443\n"),
            std::string::npos);
  for (const DeployFile& file : files.files) EXPECT_FALSE(file.purpose.empty()) << file.name;
}

TEST(DeployAws, SaysWhatWillNotWork) {
  NitroDeployment d = nitro_redis();
  EXPECT_EQ(notes_of(d).find("at least"), std::string::npos);
  EXPECT_EQ(notes_of(d).find("vsock"), std::string::npos);
  d.memory_mib = 399;
  d.cpus = 3;
  d.role.clear();
  d.ports = {{6379, "tcp"}};
  const std::string notes = notes_of(d);
  EXPECT_NE(notes.find("nitro-cli wants 400 MiB at least"), std::string::npos) << notes;
  EXPECT_NE(notes.find("whole cores"), std::string::npos);
  EXPECT_NE(notes.find("ARN-OF-THE-ROLE"), std::string::npos);
  EXPECT_NE(notes.find("nothing forwards to 6379/tcp"), std::string::npos);
  EXPECT_EQ(least_memory_mib((1U << 20) + 1), 8U);
  EXPECT_EQ(least_memory_mib(~0ULL), UINT32_MAX);
}

TEST(DeployAws, HostileNamesStayNames) {
  NitroDeployment d = nitro_redis();
  d.title = test::kHostile;
  d.eif = "it's $(id); \"x\".eif";
  const DeployFiles files = must(aws_files(d));
  EXPECT_NE(file_of(files, "run-enclave.sh").find("--eif-path 'it'\\''s $(id); \"x\".eif' \\\n"),
            std::string::npos);
  for (const char c : files_text(files, 100))
    ASSERT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  d.eif = test::kHostile;
  ASSERT_FALSE(aws_files(d).has_value());
  EXPECT_EQ(aws_files(d).error().code(), Code::unsupported);
  // What the role says stays a JSON string, even though check_role() refuses it.
  d.role = test::kHostile;
  EXPECT_EQ(json_of(image_key_statement(d)).at("Effect"), "Allow");
}

TEST(DeployAws, ARoleIsAnArn) {
  for (const char* role : {"arn:aws:iam::111122223333:role/parent",
                           "arn:aws-cn:iam::111122223333:role/service/parent-1_x@y"})
    EXPECT_TRUE(check_role(role).has_value()) << role;
  for (const char* role :
       {"", "*", "arn:aws:iam::111122223333:user/parent", "arn:aws:iam::1:role/parent",
        "arn:aws:iam::111122223333:role/", "arn:aws:iam::111122223333:role/*",
        "arn:aws:sts::111122223333:role/x", "arn:aws:iam::111122223333:role/x:y",
        "arn:aws\n:iam::111122223333:role/x", "arn:aws:iam::11112222333x:role/x"})
    EXPECT_FALSE(check_role(role).has_value()) << role;
}

TEST(DeployAws, UsualMemoryIsEnoughForTheFile) {
  constexpr std::uint64_t kMiB = 1 << 20;
  EXPECT_EQ(usual_memory_mib(1), 512U);
  EXPECT_EQ(usual_memory_mib(128 * kMiB), 512U);
  EXPECT_EQ(usual_memory_mib(128 * kMiB + 1), 640U);
  EXPECT_EQ(usual_memory_mib(160 * kMiB), 640U);
  EXPECT_EQ(usual_memory_mib(UINT64_MAX / 8), UINT32_MAX);
}

}  // namespace
}  // namespace cloister::cmd
