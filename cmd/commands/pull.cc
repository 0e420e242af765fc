#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/guest/guest_image.h"
#include "cmd/output.h"
#include "cmd/session.h"

namespace cloister::cmd {
namespace {

struct PullOptions {
  CommonOptions common;
  std::string image, output;
};

Result<int> run_pull(const PullOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const oci::Image image, session->resolve(ref));
  if (!o.output.empty() && !is_guest(image.manifest))
    return Error::usage(cat("-o is for the files of a virtual machine, and ", quote(o.image),
                            " is a container image"))
        .hint("cloister push copies an image to a layout or an archive");
  if (o.output.empty())
    CL_CHECK(session->fetch(ref, image));
  else
    CL_CHECK(write_guest_files(*session, ref, image, o.output));
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
  app.add_option(
         "-o,--output", o->output,
         "Directory for the files of a virtual machine, which launch.sh there starts, or of an\n"
         "enclave of AWS Nitro (app.eif)")
      ->type_name("DIR");
  return [o](const Environment& env) { return run_pull(*o, env); };
}

}  // namespace cloister::cmd
