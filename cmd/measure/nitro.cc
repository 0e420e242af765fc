// An enclave image file is read once from its beginning to its end. To be signed it is copied: what
// is signed is the copy's PCR0, and the copy appears when it was read again as it should be.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/hint.h"
#include "base/stream.h"
#include "base/text.h"
#include "cmd/measure/target.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/report/eif.h"
#include "manifest-gen/guest/eif_writer.h"

namespace cloister::cmd {
namespace {

using measure::nitro::Eif;

struct NitroMeasureOptions {
  std::string certificate, signed_file;
};

constexpr Advice kEifAdvice{
    "name an enclave image file, as nitro-cli build-enclave writes it; this one is none, or "
    "damaged",
    "no enclave image file is that large",
    "make the enclave image file anew, with a current nitro-cli"};
constexpr Advice kEifSignatureAdvice{
    "sign the file anew: --key KEY --certificate PEM --signed FILE",
    "sign the file anew, with a smaller certificate",
    "sign the file anew: --key KEY --certificate PEM --signed FILE"};

Status check_nitro_usage(const NitroMeasureOptions& o, const MeasureOptions& shared) {
  if (o.signed_file.empty() == shared.key.given())
    return Error::usage("--key and --signed belong together")
        .detail("and so do --signer-cmd or --signature, and --signed")
        .hint("--key KEY --certificate PEM --signed FILE writes a signed copy");
  if (o.certificate.empty() == shared.signs())
    return Error::usage("--certificate is for signing, which needs it")
        .hint("name the certificate of the key, in PEM form");
  return {};
}

Result<Eif> read_eif_at(const fs::path& path, const std::string& name, Session& session) {
  CL_TRY(const auto file, FileSource::open(path));
  MeterSource metered(
      *file, [](std::size_t) {}, session.cancel());
  return advise(measure::nitro::read_eif(metered, session.limits(), quote(name)), kEifAdvice);
}

Status copy_eif(const std::string& from, Session& session, TempFile& to) {
  CL_TRY(const auto file, FileSource::open(from));
  LimitSource limited(*file, session.limits().eif_bytes, quote(from));
  MeterSource metered(
      limited, [](std::size_t) {}, session.cancel());
  Bytes buffer(kStreamBuffer);
  for (;;) {
    CL_TRY(const std::size_t got, metered.read(buffer));
    if (got == 0) return {};
    CL_CHECK(to.write(ByteView(buffer).first(got)));
  }
}

Result<sign::Certificate> load_eif_certificate(const NitroMeasureOptions& o,
                                               const Session& session) {
  CL_TRY(const Bytes pem, read_file(o.certificate, session.limits().key_bytes));
  return sign::read_eif_certificate(pem, quote(o.certificate));
}

Result<Bytes> eif_signature_section(const NitroMeasureOptions& o, const MeasureOptions& shared,
                                    const measure::nitro::Pcr& pcr0, const Session& session) {
  CL_TRY(const sign::Certificate certificate, load_eif_certificate(o, session));
  CL_TRY(const auto loaded, load_eif_key(shared.key, certificate, session.key_context()));
  return sign::make_eif_signature(loaded.key, pcr0);
}

// The signed copy, as it was read again.
Result<Eif> write_signed_eif(const NitroMeasureOptions& o, const MeasureOptions& shared,
                             Session& session) {
  fs::path directory = fs::path(o.signed_file).parent_path();
  if (directory.empty()) directory = ".";
  CL_TRY(TempFile copy, TempFile::create(directory));
  CL_CHECK(copy_eif(shared.file, session, copy));
  CL_TRY(const Eif unsigned_eif, read_eif_at(copy.path(), shared.file, session));
  CL_TRY(const Bytes section, eif_signature_section(o, shared, unsigned_eif.pcr0, session));
  CL_CHECK(manifest::put_eif_signature(unsigned_eif, section, copy));
  CL_TRY(Eif eif, read_eif_at(copy.path(), o.signed_file, session));
  CL_CHECK(copy.commit(o.signed_file));
  return eif;
}

Status write_eif_signing_data(const NitroMeasureOptions& o, const MeasureOptions& shared,
                              const Eif& eif, const Session& session) {
  CL_TRY(const sign::Certificate certificate, load_eif_certificate(o, session));
  const Bytes data = sign::eif_signing_data(sign::eif_algorithm_of(certificate), eif.pcr0);
  return write_result(shared.signing_data, as_text(data));
}

// The result is printed whatever is wrong with the signature, and then that is the error.
Status report_eif(const Eif& eif, const MeasureOptions& shared, const Session& session) {
  std::optional<sign::EifSignature> signature;
  if (eif.signature) {
    auto parsed = sign::parse_eif_signature(*eif.signature);
    if (!parsed.has_value())
      return advise(std::move(parsed).error(), kEifSignatureAdvice)
          .while_(cat("reading the signature of ", quote(shared.file)));
    signature = std::move(*parsed);
  }
  Status checked;
  if (signature) checked = sign::check_eif_signature(*signature, eif.pcr0);
  const EifReport report{eif, signature ? &*signature : nullptr,
                         checked.has_value() ? nullptr : &checked.error(), session.limits(),
                         shared.explain};
  CL_CHECK(write_result("", session.quiet()           ? hex(eif.pcr0) + "\n"
                            : shared.format == "json" ? eif_json(report)
                                                      : eif_text(report)));
  if (!checked.has_value())
    return advise(std::move(checked).error(), kEifSignatureAdvice)
        .while_(cat("checking ", quote(shared.file)));
  return {};
}

Result<int> run_measure_nitro(const NitroMeasureOptions& o, const MeasureOptions& shared,
                              const Environment& env) {
  CL_CHECK(check_nitro_usage(o, shared));
  CL_TRY(auto session, Session::create(shared.common, env));
  CL_TRY(const Eif eif, shared.key.given() ? write_signed_eif(o, shared, *session)
                                           : read_eif_at(shared.file, shared.file, *session));
  if (!shared.signing_data.empty()) CL_CHECK(write_eif_signing_data(o, shared, eif, *session));
  CL_CHECK(report_eif(eif, shared, *session));
  return 0;
}

}  // namespace

MeasureAction add_measure_nitro(CLI::App& app) {
  auto o = std::make_shared<NitroMeasureOptions>();
  OptionHeading heading(app, kHeadingNitro);
  app.add_option("--certificate", o->certificate,
                 "Certificate of the key that signs, in PEM form; its digest is PCR8")
      ->type_name("FILE");
  app.add_option("--signed", o->signed_file, "File for the signed copy of the enclave image file")
      ->type_name("FILE");
  return [o](const MeasureOptions& shared, const Environment& env) {
    return run_measure_nitro(*o, shared, env);
  };
}

}  // namespace cloister::cmd
