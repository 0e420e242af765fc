// The headings under which --help, the manual and the reference list options, in this order.
#pragma once

#include <CLI/App.hpp>
#include <array>
#include <string>
#include <string_view>

namespace cloister::cmd {

inline constexpr std::string_view kHeadingOptions = "Options";  // what one command alone has
inline constexpr std::string_view kHeadingWork = "Work";
inline constexpr std::string_view kHeadingSandbox = "Sandbox";
inline constexpr std::string_view kHeadingLaunch = "Launch";
inline constexpr std::string_view kHeadingGrants = "Least privilege";
inline constexpr std::string_view kHeadingEnclave = "Enclave";
inline constexpr std::string_view kHeadingGuest = "Virtual machine";
inline constexpr std::string_view kHeadingSnp = "SEV-SNP guest";
inline constexpr std::string_view kHeadingIdBlock = "SEV-SNP ID block";
inline constexpr std::string_view kHeadingNitro = "Nitro enclave image";
inline constexpr std::string_view kHeadingAttestation = "Attestation";
inline constexpr std::string_view kHeadingSigning = "Signing";
inline constexpr std::string_view kHeadingTrust = "Trust";
inline constexpr std::string_view kHeadingQuote = "Quote";
inline constexpr std::string_view kHeadingOutput = "Output";
inline constexpr std::string_view kHeadingRegistry = "Image and registry";
inline constexpr std::string_view kHeadingStore = "Store";
inline constexpr std::string_view kHeadingLimits = "Limits";
inline constexpr std::string_view kHeadingGeneral = "General";

inline constexpr std::array kHeadings = {
    kHeadingOptions,     kHeadingWork,    kHeadingSandbox, kHeadingLaunch,  kHeadingGrants,
    kHeadingEnclave,     kHeadingGuest,   kHeadingSnp,     kHeadingIdBlock, kHeadingNitro,
    kHeadingAttestation, kHeadingSigning, kHeadingTrust,   kHeadingQuote,   kHeadingOutput,
    kHeadingRegistry,    kHeadingStore,   kHeadingLimits,  kHeadingGeneral};

// Options that are added while it lives stand under this heading.
class OptionHeading {
 public:
  OptionHeading(CLI::App& app, std::string_view heading)
      : app_(app), before_(app.option_defaults()->get_group()) {
    app.option_defaults()->group(std::string(heading));
  }
  ~OptionHeading() { app_.option_defaults()->group(before_); }
  OptionHeading(const OptionHeading&) = delete;
  OptionHeading& operator=(const OptionHeading&) = delete;

 private:
  CLI::App& app_;
  std::string before_;
};

}  // namespace cloister::cmd
