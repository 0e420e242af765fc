#include "cmd/limit_options.h"

#include <CLI/CLI.hpp>  // all of it: App.hpp alone leaves the vtables of its formatter undefined

#include "base/text.h"
#include "cmd/option_heading.h"
#include "manifest-gen/gramine/enclave_manifest.h"

namespace cloister::cmd {

void add_limit_options(CLI::App& app, LimitFlags& flags) {
  OptionHeading heading(app, kHeadingLimits);
  app.add_option("--max-layer-size", flags.layer_size,
                 "Bytes that one layer may inflate to (K, M, G)")
      ->type_name("SIZE")
      ->envname("CLOISTER_MAX_LAYER_SIZE")
      ->capture_default_str();
  app.add_option("--max-ratio", flags.ratio,
                 "How many times its size a layer above 64M may inflate to")
      ->envname("CLOISTER_MAX_RATIO")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 32))
      ->capture_default_str();
  app.add_option("--max-entries", flags.entries,
                 "Files, directories and links that one layer may have")
      ->envname("CLOISTER_MAX_ENTRIES")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 30))
      ->capture_default_str();
}

Result<Limits> make_limits(const LimitFlags& flags) {
  Limits out;
  CL_TRY(out.layer_bytes, parse_size_option("--max-layer-size", flags.layer_size));
  out.layer_ratio = flags.ratio;
  out.layer_entries = flags.entries;
  return out;
}

Result<std::uint64_t> parse_size_option(std::string_view option, const std::string& text) {
  auto size = manifest::parse_size(text, manifest::Strictness::loader);
  if (size.has_value()) return *size;
  return Error::usage(cat(option, " ", quote(text), " is not a size"))
      .hint("write a number of bytes, or of K, M or G: 20G");
}

}  // namespace cloister::cmd
