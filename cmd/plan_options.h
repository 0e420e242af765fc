// The options that decide the manifest, as build, manifest, deps and why take them.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hint.h"
#include "cmd/pipeline.h"

namespace cloister::cmd {

// As typed; to_plan_options() checks them.
struct PlanArguments {
  std::vector<std::string> runtimes, args, env, passthrough, volumes, includes, excludes, accepted;
  std::string manifest_file, entrypoint, user, workdir, enclave_size,
      trust = "closure", ra_tls, secret_prov, secret_prov_ca, premain;
  std::optional<std::uint32_t> max_threads;
  std::optional<std::uint32_t> isvprodid, isvsvn;
  bool edmm = false, debug = false, no_attestation = false, marblerun = false;
};

void add_runtime_option(CLI::App& app, std::vector<std::string>& runtimes);
void add_plan_options(CLI::App& app, PlanArguments& arguments);
// Reads the overlay too.
Result<PlanOptions> to_plan_options(const PlanArguments& arguments, const Limits& limits);

// What to do about a text that is no manifest.
inline constexpr Advice kManifestSyntax{
    "correct the file; https://toml.io describes the syntax",
    "a manifest needs a few levels only; write shorter keys",
    "Gramine's manifests hold strings, integers, booleans, arrays and tables only"};

// `text` is an overlay, `what` names it.
Status set_overlay(PlanOptions& options, std::string text, const Limits& limits,
                   std::string_view what);

// Of --label NAME=VALUE.
Result<std::vector<std::pair<std::string, std::string>>> parse_labels(
    const std::vector<std::string>& labels);

}  // namespace cloister::cmd
