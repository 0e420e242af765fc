#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/publish.h"
#include "cmd/session.h"

namespace cloister::cmd {
namespace {

struct PushOptions {
  CommonOptions common;
  std::string source, destination;
};

Result<int> run_push(const PushOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef from, oci::parse_image_ref(o.source));
  CL_TRY(const oci::ImageRef to, oci::parse_image_ref(o.destination));
  CL_TRY(const oci::Image image, session->resolve(from));
  CL_CHECK(session->fetch(from, image));
  CL_TRY(const oci::ImageContent content, content_in_store(*session, image));
  CL_CHECK(publish(*session, content, to, mountable_from(from, to)));
  CL_CHECK(write_result("", image.manifest_descriptor.digest.str() + "\n"));
  return 0;
}

}  // namespace

Action add_push(CLI::App& app) {
  auto o = std::make_shared<PushOptions>();
  add_image_options(app, o->common);
  app.add_option("SRC", o->source, "Image to copy: a reference, oci:DIR[:tag] or oci-archive:FILE")
      ->required();
  app.add_option("DEST", o->destination, "Where to: a reference, oci:DIR[:tag] or oci-archive:FILE")
      ->required();
  return [o](const Environment& env) { return run_push(*o, env); };
}

}  // namespace cloister::cmd
