// Whatever is measured, one command: the target decides which options count, and one of another
// target is a mistake, never ignored.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/format_option.h"
#include "cmd/measure/target.h"
#include "cmd/option_heading.h"

namespace cloister::cmd {
namespace {

// A row of the table with what it declared.
struct OfferedTarget {
  const MeasureTarget* target;
  std::vector<const CLI::Option*> options;
  MeasureAction run;
};

struct MeasureCommand {
  MeasureOptions shared;
  std::vector<const CLI::Option*> signing;
  std::vector<OfferedTarget> targets;
};

// What `declare` adds to the options of `app`.
template <class Declare>
std::vector<const CLI::Option*> declared(CLI::App& app, const Declare& declare) {
  const std::size_t before = app.get_options().size();
  declare();
  const auto all = app.get_options();
  return {all.begin() + static_cast<std::ptrdiff_t>(before), all.end()};
}

const CLI::Option* given_one(const std::vector<const CLI::Option*>& options) {
  const auto at =
      std::ranges::find_if(options, [](const CLI::Option* option) { return option->count() > 0; });
  return at == options.end() ? nullptr : *at;
}

Error of_another_target(const CLI::Option& option, std::string_view tee, std::string_view fitting) {
  return Error::usage(cat(option.get_name(), " is not for --tee ", tee))
      .detail(cat("it is for --tee ", fitting))
      .hint("leave the option out, or name the target that it is for");
}

std::string signing_targets() {
  std::vector<std::string_view> names;
  for (const MeasureTarget& target : measure_targets())
    if (target.signs()) names.push_back(target.tee);
  return join(names, " or --tee ");
}

Status check_measure_usage(const MeasureCommand& o, const MeasureTarget& target) {
  for (const OfferedTarget& other : o.targets)
    if (const auto* option = given_one(other.options); option != nullptr && other.target != &target)
      return of_another_target(*option, target.tee, other.target->tee);
  if (const auto* option = given_one(o.signing); option != nullptr && !target.signs())
    return of_another_target(*option, target.tee, signing_targets());
  if (o.shared.file.empty() && !target.file.empty())
    return Error::usage(cat("--tee ", target.tee, " measures a file, and none was given"))
        .detail(cat("it is ", target.file))
        .hint("cloister measure --help shows what each target takes");
  if (!o.shared.file.empty() && target.file.empty())
    return Error::usage(cat("--tee ", target.tee, " takes no file as an argument"))
        .detail(cat("got ", quote(o.shared.file)))
        .hint("cloister measure --help shows what each target takes");
  CL_CHECK(check_key_options(o.shared.key));
  if (!o.shared.signing_data.empty() && o.shared.key.given())
    return Error::usage("--emit-signing-data is for a key that is elsewhere")
        .hint("leave out --key, or --emit-signing-data");
  return {};
}

// "sgx: 256 bytes of a SIGSTRUCT; snp: …", of the targets where there is something to say.
std::string of_each_target(std::string_view MeasureTarget::*text) {
  std::vector<std::string> out;
  for (const MeasureTarget& target : measure_targets())
    if (!(target.*text).empty()) out.push_back(cat(target.tee, ": ", target.*text));
  return join(out, "; ");
}

void add_measure_signing(CLI::App& app, MeasureOptions& o) {
  OptionHeading heading(app, kHeadingSigning);
  app.add_option("--key", o.key.key,
                 cat("Key that signs what is measured (", kKeyForms,
                     "): an SGX signing key, for snp one that signs ID blocks, for nitro that of\n"
                     "--certificate"))
      ->type_name("KEY");
  add_signer_options(app, o.key, "", "--key");
  add_two_step_options(app, o.key, o.signing_data, of_each_target(&MeasureTarget::data),
                       of_each_target(&MeasureTarget::algorithm));
}

Result<int> run_measure(const MeasureCommand& o, const Environment& env) {
  for (const OfferedTarget& offered : o.targets) {
    if (offered.target->tee != o.shared.tee) continue;
    CL_CHECK(check_measure_usage(o, *offered.target));
    return offered.run(o.shared, env);
  }
  return Error::internal(cat("no target ", quote(o.shared.tee)));
}

}  // namespace

Action add_measure(CLI::App& app) {
  auto o = std::make_shared<MeasureCommand>();
  std::vector<std::string> names;
  for (const MeasureTarget& target : measure_targets()) names.emplace_back(target.tee);
  app.add_option("FILE", o->shared.file,
                 cat("What is measured; ", of_each_target(&MeasureTarget::file)))
      ->type_name("FILE");
  app.add_option("--tee", o->shared.tee, "Hardware that will measure it")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  app.add_flag("--explain", o->shared.explain,
               "List every range or section in the order in which it is measured");
  for (const MeasureTarget& target : measure_targets()) {
    OfferedTarget& offered = o->targets.emplace_back();
    offered.target = &target;
    offered.options = declared(app, [&] { offered.run = target.add(app); });
  }
  o->signing = declared(app, [&] { add_measure_signing(app, o->shared); });
  add_passphrase_options(app, o->shared.key.passphrase);  // may come from the environment
  add_format_option(app, o->shared.format, {"text", "json"});
  add_image_options(app, o->shared.common);
  return [o](const Environment& env) { return run_measure(*o, env); };
}

}  // namespace cloister::cmd
