// From a manifest and a PAL to the bytes of the SIGSTRUCT, against values computed elsewhere: the
// project's own fixtures (testdata/sgx/README.md), and Gramine's where they lie beside the project.
#include <gtest/gtest.h>

#include <sstream>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "base/toml.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "sign/sgx/sigstruct.h"
#include "tests/base/source_dir.h"

#include <nlohmann/json.hpp>

namespace cloister::sign {
namespace {

const Limits kLimits;

struct Made {
  Digest mrenclave;
  Bytes sigstruct;
};

Result<Made> make(const fs::path& manifest, const fs::path& libpal, const fs::path& key_file,
                  std::string_view date) {
  CL_TRY(const Bytes text, read_file(manifest, kLimits.enclave_manifest_bytes));
  CL_TRY(const Bytes pal, read_file(libpal, kLimits.libpal_bytes));
  CL_TRY(const Bytes pem, read_file(key_file, kLimits.key_bytes));
  CL_TRY(TomlTable table, parse_toml(as_text(text), kLimits, "manifest"));
  CL_TRY(const auto params, manifest::enclave_params({std::move(table)}, nullptr));
  CL_TRY(const auto layout, measure::sgx::builtin_layout("1.9"));
  CL_TRY(const auto measured, measure::sgx::measure_enclave(pal, text, params, layout, kLimits));
  CL_TRY(const auto day, parse_date(date));
  CL_TRY(const SgxKey key, SgxKey::from_pem(pem, {}, "'key'"));
  Sigstruct s = make_sigstruct(params, measured.mrenclave, day);
  CL_CHECK(sign_sigstruct(s, key));
  return Made{measured.mrenclave, encode_sigstruct(s)};
}

TEST(SgxFixtures, MeasureAndSignAsComputedElsewhere) {
  const fs::path data = source_dir() / "testdata";
  const auto table = read_text_file(data / "sgx/expected.tsv", 1 << 20);
  ASSERT_TRUE(table.has_value());
  int cases = 0;
  for (std::string_view line : split(*table, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto columns = split(line, '\t');
    ASSERT_EQ(columns.size(), 4U);
    const std::string name(columns[0]);
    const auto made =
        make(data / "sgx" / (name + ".manifest.sgx"), data / "sgx" / std::string(columns[1]),
             data / "sign/sgx-pkcs1.pem", "2024-01-02");
    ASSERT_TRUE(made.has_value()) << name << ": " << made.error().what();
    EXPECT_EQ(made->mrenclave.hex(), columns[2]) << name;
    EXPECT_EQ(sha256(made->sigstruct).hex(), columns[3]) << name;
    ++cases;
  }
  EXPECT_EQ(cases, 13);
}

TEST(SgxVectors, AreGraminesByteForByte) {
  const fs::path data = source_dir() / "../shared/vectors/sgx-mrenclave";
  if (!fs::exists(data)) GTEST_SKIP() << "no shared vectors";
  const auto text = read_text_file(data / "vectors.json", 1 << 20);
  ASSERT_TRUE(text.has_value());
  const auto vectors = nlohmann::json::parse(*text, nullptr, false);
  int cases = 0;
  for (const auto& [name, vector] : vectors.items()) {
    const auto made =
        make(data / (name + ".manifest.sgx"), data / vector["libpal"].get<std::string>(),
             data / "key.pem", vector["date"].get<std::string>());
    ++cases;
    if (vector.contains("error")) {
      ASSERT_FALSE(made.has_value()) << name;
      EXPECT_EQ(made.error().code(), Code::invalid);
      EXPECT_NE(made.error().what().find("not large enough"), std::string::npos);
      continue;
    }
    ASSERT_TRUE(made.has_value()) << name << ": " << made.error().what();
    EXPECT_EQ(made->mrenclave.hex(), vector["mrenclave"].get<std::string>()) << name;
    EXPECT_EQ(made->sigstruct, *read_file(data / (name + ".sig"), 1 << 20)) << name;
  }
  EXPECT_GE(cases, 12);
}

}  // namespace
}  // namespace cloister::sign
