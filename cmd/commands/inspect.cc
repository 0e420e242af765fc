#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/enclave_image.h"
#include "cmd/output.h"
#include "cmd/report/inspect.h"
#include "cmd/session.h"

namespace cloister::cmd {
namespace {

struct InspectOptions {
  CommonOptions common;
  std::string image, format = "text";
};

Result<int> run_inspect(const InspectOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const oci::Image image, session->resolve(ref));
  CL_TRY(const auto enclave, read_enclave_image(*session, ref, image));
  CL_CHECK(write_result(
      "", o.format == "json" ? inspect_json(image, enclave) : inspect_text(image, enclave)));
  return 0;
}

}  // namespace

Action add_inspect(CLI::App& app) {
  auto o = std::make_shared<InspectOptions>();
  add_image_options(app, o->common);
  app.add_option("IMAGE", o->image, "Image to show")->required();
  app.add_option("--format", o->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  return [o](const Environment& env) { return run_inspect(*o, env); };
}

}  // namespace cloister::cmd
