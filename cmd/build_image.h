// How a build ends, for `build` and `rebuild` alike: who signs, where the result goes, and the
// steps from a plan to an image that lies there.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cmd/build_record.h"
#include "cmd/key_leak.h"
#include "cmd/key_source.h"
#include "cmd/pipeline.h"

namespace cloister::cmd {

// As typed.
struct BuildTarget {
  KeyOptions key, sign_key;
  std::vector<std::string> tags;
  std::string output, iidfile, metadata_file, format = "text", sig_format = "both", sbom = "none";
  bool push = false;
};
// `signing_data` is for --emit-signing-data; null: there is no signing in two steps.
void add_signing_options(CLI::App& app, BuildTarget& target, std::string* signing_data);
void add_destination_options(CLI::App& app, BuildTarget& target);
void add_build_output_options(CLI::App& app, BuildTarget& target);
// Under the heading that is current.
void add_date_option(CLI::App& app, std::string& date);

// $CLOISTER_KEY is for builds that say nothing else; `elsewhere`: this one signs by other means.
void drop_default_key(BuildTarget& target, bool elsewhere, const Environment& env);

// Options that contradict each other: `usage`. `signs`: an image will be made, and signed.
Status check_target(const BuildTarget& target, bool signs);

// The places, checked before any work is done for them.
struct Destinations {
  std::vector<oci::ImageRef> tags;
  std::optional<oci::ImageRef> output;
};
Result<Destinations> parse_destinations(const BuildTarget& target);

struct BuildKeys {
  std::optional<LoadedKey<sign::SgxKey>> sgx;
  std::optional<LoadedKey<sign::ImageKey>> image;
};
// A wrong key should not be found out after minutes of pulling. REQUIRES: target.key.given();
// `target` outlives the keys.
Result<BuildKeys> load_build_keys(const BuildTarget& target, const KeyContext& context);
std::vector<UsedKey> used_keys(const BuildKeys& keys);

// Assembles, signs, keeps, publishes and reports what `plan` and its record say. REQUIRES:
// keys.sgx. Answers the image's digest.
Result<Digest> build_image(Session& session, const Plan& plan, const BuildRecord& record,
                           const BuildTarget& target, const Destinations& destinations,
                           const BuildKeys& keys);

}  // namespace cloister::cmd
