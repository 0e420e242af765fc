#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"

namespace cloister::cmd {
namespace {

struct PullOptions {
  CommonOptions common;
  std::string image;
};

Result<int> run_pull(const PullOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const oci::Image image, session->resolve(ref));
  CL_CHECK(session->fetch(ref, image));
  CL_CHECK(write_result("", image.manifest_descriptor.digest.str() + "\n"));
  return 0;
}

}  // namespace

Action add_pull(CLI::App& app) {
  auto o = std::make_shared<PullOptions>();
  add_image_options(app, o->common);
  app.add_option("IMAGE", o->image,
                 "Image to fetch: NAME[:TAG][@DIGEST] in a registry (also docker://NAME),\n"
                 "oci:DIR[:TAG|@DIGEST], oci-archive:FILE[:TAG|@DIGEST],\n"
                 "docker-archive:FILE[:NAME|:@N] or docker-daemon:NAME")
      ->required();
  return [o](const Environment& env) { return run_pull(*o, env); };
}

}  // namespace cloister::cmd
