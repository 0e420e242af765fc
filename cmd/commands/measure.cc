// `measure` follows Gramine's signer, its leniency included, and warns where its loader would
// refuse. What is hashed are the file's bytes, never a manifest that was written again.
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/hint.h"
#include "base/text.h"
#include "base/toml.h"
#include "cmd/build_date.h"
#include "cmd/command.h"
#include "cmd/format_option.h"
#include "cmd/key_source.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/pipeline.h"
#include "cmd/plan_options.h"
#include "cmd/report/measurement.h"
#include "cmd/session.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::cmd {
namespace {

struct MeasureOptions {
  CommonOptions common;
  std::string manifest, libpal, gramine_version = "1.9", date, sig, signing_data, format = "text";
  std::vector<std::string> runtimes;
  bool explain = false;
  KeyOptions key;
};

constexpr Advice kManifestAdvice{
    "correct the manifest; https://toml.io describes the syntax",
    "a manifest needs a few levels only; write shorter keys",
    "correct the manifest; measure takes what Gramine's own signer takes"};
constexpr Advice kEnclaveAdvice{
    "libpal.so is damaged: install Gramine anew, and name its libpal.so",
    "this is no libpal.so of Gramine",
    "check that manifest, libpal.so and Gramine version belong together"};

struct Enclave {
  Bytes libpal;
  measure::sgx::LayoutConstants layout;
};

Result<Enclave> load_enclave(const MeasureOptions& o, Session& session) {
  Enclave enclave;
  if (!o.libpal.empty()) {
    CL_TRY(enclave.libpal, read_file(o.libpal, session.limits().libpal_bytes));
    CL_TRY(enclave.layout, measure::sgx::builtin_layout(o.gramine_version));
    return enclave;
  }
  CL_TRY(const measure::Runtime runtime, load_runtime(session, o.runtimes));
  CL_TRY(enclave.libpal, runtime.read(*runtime.libpal, session.limits().libpal_bytes));
  enclave.layout = runtime.layout;
  return enclave;
}

// Without a base image there is nothing to fall back to.
Result<std::chrono::year_month_day> sigstruct_date(const MeasureOptions& o,
                                                   const Environment& env) {
  if (o.date.empty() && !env.get("SOURCE_DATE_EPOCH"))
    return Error::usage("a SIGSTRUCT carries a date, and none was given")
        .hint("add --date YYYY-MM-DD or set SOURCE_DATE_EPOCH");
  CL_TRY(const Seconds time, build_date(o.date, env, std::nullopt));
  return std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time));
}

Result<int> run_measure(const MeasureOptions& o, const Environment& env) {
  if (!o.libpal.empty() && !o.runtimes.empty())
    return Error::usage("--libpal and --runtime exclude each other")
        .hint("both say which libpal.so is measured");
  CL_CHECK(check_key_options(o.key));
  if (o.sig.empty() == o.key.given())
    return Error::usage("--key and --sig belong together")
        .detail("and so do --signer-cmd or --signature, and --sig")
        .hint("--key PEM --date YYYY-MM-DD --sig FILE writes the SIGSTRUCT");
  if (!o.signing_data.empty() && o.key.given())
    return Error::usage("--emit-signing-data is for a key that is elsewhere")
        .hint("leave out --key, or --emit-signing-data");
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const Bytes text, read_file(o.manifest, session->limits().enclave_manifest_bytes));
  CL_TRY(TomlTable table,
         advise(parse_toml(as_text(text), session->limits(), quote(o.manifest)), kManifestAdvice));
  const manifest::EnclaveManifest parsed{std::move(table)};
  std::vector<std::string> warnings;
  auto params = manifest::enclave_params(parsed, &warnings);
  if (!params.has_value())
    return advise(std::move(params).error(), kManifestAdvice)
        .while_(cat("reading ", quote(o.manifest)));
  CL_TRY(const Enclave enclave, load_enclave(o, *session));
  auto measured = measure::sgx::measure_enclave(enclave.libpal, text, *params, enclave.layout,
                                                session->limits());
  if (!measured.has_value())
    return advise(std::move(measured).error(), kEnclaveAdvice)
        .while_(cat("measuring ", quote(o.manifest)));
  for (const std::string& warning : warnings) session->note("warning: " + warning);

  std::optional<sign::Sigstruct> sigstruct;
  if (o.key.given() || !o.signing_data.empty()) {
    CL_TRY(const auto date, sigstruct_date(o, env));
    sign::Sigstruct made = sign::make_sigstruct(*params, measured->mrenclave, date);
    if (!o.signing_data.empty()) {
      CL_CHECK(write_result(o.signing_data, as_text(sign::signing_data(made))));
    } else {
      CL_TRY(const auto loaded, load_sgx_key(o.key, session->key_context()));
      CL_CHECK(sign::sign_sigstruct(made, loaded.key));
      CL_CHECK(write_file_atomic(o.sig, sign::encode_sigstruct(made)));
      sigstruct = std::move(made);
    }
  }
  const MeasurementReport report{*params, *measured, sigstruct ? &*sigstruct : nullptr, o.explain};
  std::string out = o.format == "json" ? measurement_json(report) : measurement_text(report);
  if (session->quiet()) out = measured->mrenclave.hex() + "\n";
  CL_CHECK(write_result("", out));
  return 0;
}

}  // namespace

Action add_measure(CLI::App& app) {
  auto o = std::make_shared<MeasureOptions>();
  app.add_option("MANIFEST", o->manifest, "Final Gramine manifest (.manifest.sgx)")
      ->type_name("FILE")
      ->required();
  app.add_option("--libpal", o->libpal, "The libpal.so that will be loaded")->type_name("FILE");
  app.add_option("--gramine-version", o->gramine_version,
                 "With --libpal: version whose enclave layout applies")
      ->type_name("VERSION")
      ->capture_default_str();
  add_runtime_option(app, o->runtimes);
  app.add_flag("--explain", o->explain,
               "List every range with its protection, type and whether it is measured");
  OptionHeading heading(app, kHeadingSigning);
  app.add_option("--key", o->key.key,
                 cat("SGX signing key (", kKeyForms, "): also make a SIGSTRUCT"))
      ->type_name("KEY");
  add_signer_options(app, o->key, "", "--key");
  add_sgx_two_step_options(app, o->key, o->signing_data);
  app.add_option("--date", o->date,
                 "Date in the SIGSTRUCT, YYYY-MM-DD (default: SOURCE_DATE_EPOCH)")
      ->type_name("DATE");
  app.add_option("--sig", o->sig, "File for the SIGSTRUCT")->type_name("FILE");
  add_format_option(app, o->format, {"text", "json"});
  add_passphrase_options(app, o->key.passphrase);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_measure(*o, env); };
}

}  // namespace cloister::cmd
