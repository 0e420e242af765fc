// Follows Gramine's signer, its leniency included, and warns where its loader would refuse. What is
// hashed are the file's bytes, never a manifest that was written again.
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/hint.h"
#include "base/text.h"
#include "base/toml.h"
#include "cmd/build_date.h"
#include "cmd/measure/target.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/pipeline.h"
#include "cmd/plan_options.h"
#include "cmd/report/measurement.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::cmd {
namespace {

struct SgxMeasureOptions {
  std::string libpal, gramine_version = "1.9", date, sig;
  std::vector<std::string> runtimes;
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

Result<Enclave> load_enclave(const SgxMeasureOptions& o, Session& session) {
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
Result<std::chrono::year_month_day> sigstruct_date(const SgxMeasureOptions& o,
                                                   const Environment& env) {
  if (o.date.empty() && !env.get("SOURCE_DATE_EPOCH"))
    return Error::usage("a SIGSTRUCT carries a date, and none was given")
        .hint("add --date YYYY-MM-DD or set SOURCE_DATE_EPOCH");
  CL_TRY(const Seconds time, build_date(o.date, env, std::nullopt));
  return std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time));
}

Status check_sgx_usage(const SgxMeasureOptions& o, const MeasureOptions& shared) {
  if (!o.libpal.empty() && !o.runtimes.empty())
    return Error::usage("--libpal and --runtime exclude each other")
        .hint("both say which libpal.so is measured");
  if (o.sig.empty() == shared.key.given())
    return Error::usage("--key and --sig belong together")
        .detail("and so do --signer-cmd or --signature, and --sig")
        .hint("--key PEM --date YYYY-MM-DD --sig FILE writes the SIGSTRUCT");
  return {};
}

// Signed, or only written to be signed; nothing in the second case, and without a key.
Result<std::optional<sign::Sigstruct>> sign_enclave(const SgxMeasureOptions& o,
                                                    const MeasureOptions& shared, Session& session,
                                                    const measure::sgx::EnclaveParams& params,
                                                    const Digest& mrenclave) {
  if (!shared.signs()) return std::optional<sign::Sigstruct>();
  CL_TRY(const auto date, sigstruct_date(o, session.env()));
  sign::Sigstruct made = sign::make_sigstruct(params, mrenclave, date);
  if (!shared.signing_data.empty()) {
    CL_CHECK(write_result(shared.signing_data, as_text(sign::signing_data(made))));
    return std::optional<sign::Sigstruct>();
  }
  CL_TRY(const auto loaded, load_sgx_key(shared.key, session.key_context()));
  CL_CHECK(sign::sign_sigstruct(made, loaded.key));
  CL_CHECK(write_file_atomic(o.sig, sign::encode_sigstruct(made)));
  return std::optional(std::move(made));
}

Result<int> run_measure_sgx(const SgxMeasureOptions& o, const MeasureOptions& shared,
                            const Environment& env) {
  CL_CHECK(check_sgx_usage(o, shared));
  CL_TRY(auto session, Session::create(shared.common, env));
  CL_TRY(const Bytes text, read_file(shared.file, session->limits().enclave_manifest_bytes));
  CL_TRY(TomlTable table,
         advise(parse_toml(as_text(text), session->limits(), quote(shared.file)), kManifestAdvice));
  const manifest::EnclaveManifest parsed{std::move(table)};
  std::vector<std::string> warnings;
  auto params = manifest::enclave_params(parsed, &warnings);
  if (!params.has_value())
    return advise(std::move(params).error(), kManifestAdvice)
        .while_(cat("reading ", quote(shared.file)));
  CL_TRY(const Enclave enclave, load_enclave(o, *session));
  auto measured = measure::sgx::measure_enclave(enclave.libpal, text, *params, enclave.layout,
                                                session->limits());
  if (!measured.has_value())
    return advise(std::move(measured).error(), kEnclaveAdvice)
        .while_(cat("measuring ", quote(shared.file)));
  for (const std::string& warning : warnings) session->note("warning: " + warning);
  CL_TRY(const auto sigstruct, sign_enclave(o, shared, *session, *params, measured->mrenclave));
  const MeasurementReport report{*params, *measured, sigstruct ? &*sigstruct : nullptr,
                                 shared.explain};
  std::string out = shared.format == "json" ? measurement_json(report) : measurement_text(report);
  if (session->quiet()) out = measured->mrenclave.hex() + "\n";
  CL_CHECK(write_result("", out));
  return 0;
}

}  // namespace

MeasureAction add_measure_sgx(CLI::App& app) {
  auto o = std::make_shared<SgxMeasureOptions>();
  OptionHeading heading(app, kHeadingEnclave);
  app.add_option("--libpal", o->libpal, "The libpal.so that will be loaded")->type_name("FILE");
  app.add_option("--gramine-version", o->gramine_version,
                 "With --libpal: version whose enclave layout applies")
      ->type_name("VERSION")
      ->capture_default_str();
  add_runtime_option(app, o->runtimes);
  app.add_option("--date", o->date,
                 "Date in the SIGSTRUCT, YYYY-MM-DD (default: SOURCE_DATE_EPOCH)")
      ->type_name("DATE");
  app.add_option("--sig", o->sig, "File for the SIGSTRUCT")->type_name("FILE");
  return [o](const MeasureOptions& shared, const Environment& env) {
    return run_measure_sgx(*o, shared, env);
  };
}

}  // namespace cloister::cmd
