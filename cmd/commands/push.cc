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
  bool no_attached = false;
};

oci::ImageContent content_of(oci::Store& store, oci::CollectedImage all) {
  oci::ImageContent content;
  content.manifest = std::move(all.root);
  content.blobs = std::move(all.blobs);
  content.children = std::move(all.children);
  content.attached = std::move(all.attached);
  content.open = [&store](const oci::Descriptor& blob) { return store.open_blob(blob); };
  return content;
}

// A docker-archive holds one image of one platform and nothing that belongs to it.
Result<Digest> push_to_docker_archive(Session& session, const oci::ImageRef& from,
                                      const oci::ImageRef& to) {
  CL_TRY(const oci::Image image, session.resolve(from));
  CL_CHECK(session.fetch(from, image));
  CL_TRY(const oci::ImageContent content, content_in_store(session, image));
  CL_CHECK(publish(session, content, to, ""));
  session.note(
      "note: a docker-archive holds the image alone, without its manifest and signatures; "
      "oci-archive:FILE holds all");
  return image.manifest_descriptor.digest;
}

Result<Digest> push_all(Session& session, const oci::ImageRef& from, const oci::ImageRef& to,
                        bool attached) {
  CL_TRY(oci::CollectedImage all, session.collect(from, attached));
  if (!all.attached.empty())
    session.note(cat("with ", all.attached.size(),
                     all.attached.size() == 1 ? " attached manifest" : " attached manifests",
                     " (signatures, attestations and the like)"));
  CL_TRY(oci::Store * store, session.store());
  const oci::ImageContent content = content_of(*store, std::move(all));
  CL_CHECK(publish(session, content, to, mountable_from(from, to)));
  return content.manifest.descriptor.digest;
}

Result<int> run_push(const PushOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef from, oci::parse_image_ref(o.source));
  CL_TRY(const oci::ImageRef to, oci::parse_image_ref(o.destination));
  CL_CHECK(check_destination(to));
  CL_TRY(const Digest digest, to.transport == oci::Transport::docker_archive
                                  ? push_to_docker_archive(*session, from, to)
                                  : push_all(*session, from, to, !o.no_attached));
  CL_CHECK(write_result("", digest.str() + "\n"));
  return 0;
}

}  // namespace

Action add_push(CLI::App& app) {
  auto o = std::make_shared<PushOptions>();
  add_image_options(app, o->common);
  app.add_option("SRC", o->source, "Image to copy; cloister pull --help lists the forms")
      ->type_name("IMAGE")
      ->required();
  app.add_option("DEST", o->destination,
                 "Where to: NAME[:TAG], oci:DIR[:TAG], oci-archive:FILE[:TAG] or "
                 "docker-archive:FILE[:NAME]")
      ->type_name("IMAGE")
      ->required();
  app.add_flag("--no-attached", o->no_attached,
               "Leave behind what belongs to the image: signatures, attestations, SBOMs");
  return [o](const Environment& env) { return run_push(*o, env); };
}

}  // namespace cloister::cmd
