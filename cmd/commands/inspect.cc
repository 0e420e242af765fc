#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/enclave_image.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/guest/guest_image.h"
#include "cmd/marble_options.h"
#include "cmd/output.h"
#include "cmd/predicates.h"
#include "cmd/report/guest.h"
#include "cmd/report/inspect.h"
#include "cmd/report/marblerun.h"
#include "cmd/session.h"
#include "cmd/template.h"

namespace cloister::cmd {
namespace {

struct InspectOptions {
  CommonOptions common;
  std::string image, format = "text", identity;
  bool measurement = false;
};

Status check_inspect_usage(const InspectOptions& o) {
  if ((o.format == "marblerun" || o.format == "predicate") && !o.measurement)
    return Error::usage(cat("--format ", o.format, " is the form of a measurement"))
        .hint("add --measurement");
  if (!o.identity.empty() && o.format != "marblerun")
    return Error::usage("--identity is a choice of MarbleRun's packages")
        .hint("add --measurement --format marblerun, or leave it out");
  return {};
}

std::string measurement_report(const InspectOptions& o, const EnclaveImage& enclave) {
  if (o.format == "json" || is_template(o.format)) return enclave_json(enclave);
  if (o.format == "text") return enclave_text(enclave);
  return marblerun_package_json(enclave.sigstruct, marble_identity(o.identity));
}

// What `sign` would attest, for those who attest it with other means: read from every layer, since
// it says that each trusted file is what the manifest says.
Result<std::string> measurement_predicate(Session& session, const oci::ImageRef& ref,
                                          const oci::Image& image) {
  CL_CHECK(read_sound_enclave(session, ref, image));
  CL_TRY(const LoadedImage loaded, session.load_layers(ref, image));
  CL_TRY(const EnclaveImage enclave, read_enclave(*loaded.rootfs, image, session.limits()));
  CL_TRY(const auto predicates,
         enclave_predicates(loaded, enclave, SbomFormat::none, session.limits()));
  return predicates.front().text + "\n";  // the measurement comes first
}

// A virtual machine: its files, and what is measured of them.
Result<int> inspect_guest(const InspectOptions& o, Session& session, const oci::ImageRef& ref,
                          const oci::Image& image) {
  if (o.format == "marblerun" || !o.identity.empty())
    return Error::unsupported("MarbleRun runs enclaves of SGX, and this is a virtual machine");
  CL_TRY(const GuestImage guest, read_guest_image(session, ref, image));
  std::string out;
  if (o.measurement) {
    // As for enclaves: only if it is what it says.
    CL_TRY(const auto predicates, guest_predicates(session, ref, image));
    out = o.format == "text" ? guest_statement_text(guest.stated) : predicates.front().text + "\n";
  } else if (o.format == "text") {
    out =
        session.quiet() ? image.manifest_descriptor.digest.str() + "\n" : guest_text(image, guest);
  } else {
    out = inspect_json(image, std::nullopt, &guest.stated);
  }
  if (is_template(o.format)) {
    CL_TRY(out, fill_template(o.format, out, session.limits()));
  }
  CL_CHECK(write_result("", out));
  return kExitDone;
}

Result<int> run_inspect(const InspectOptions& o, const Environment& env) {
  CL_CHECK(check_inspect_usage(o));
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const oci::Image image, session->resolve(ref));
  if (is_guest(image.manifest)) return inspect_guest(o, *session, ref, image);
  if (o.format == "predicate") {
    CL_TRY(const std::string predicate, measurement_predicate(*session, ref, image));
    CL_CHECK(write_result("", predicate));
    return kExitDone;
  }
  if (o.measurement) {
    CL_TRY(const auto enclave, read_sound_enclave(*session, ref, image));
    std::string out = measurement_report(o, enclave);
    if (is_template(o.format)) {
      CL_TRY(out, fill_template(o.format, out, session->limits()));
    }
    CL_CHECK(write_result("", out));
    return kExitDone;
  }
  CL_TRY(const auto enclave, read_enclave_image(*session, ref, image));
  std::string out = session->quiet() ? image.manifest_descriptor.digest.str() + "\n"
                                     : inspect_text(image, enclave);
  if (o.format != "text") out = inspect_json(image, enclave);
  if (is_template(o.format)) {
    CL_TRY(out, fill_template(o.format, out, session->limits()));
  }
  CL_CHECK(write_result("", out));
  return kExitDone;
}

}  // namespace

Action add_inspect(CLI::App& app) {
  auto o = std::make_shared<InspectOptions>();
  add_image_options(app, o->common);
  app.add_option("IMAGE", o->image, "Image to show")->required();
  app.add_flag(
      "--measurement", o->measurement,
      "Only the measurement of an enclave-ready image, and only if its SIGSTRUCT is signed\n"
      "and signs what is in the image; --format predicate: as sign attests it, for others to sign");
  add_template_option(app, o->format, {"text", "json", "marblerun", "predicate"},
                      "the image or measurement");
  add_identity_option(app, o->identity);
  return [o](const Environment& env) { return run_inspect(*o, env); };
}

}  // namespace cloister::cmd
