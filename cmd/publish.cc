#include "cmd/publish.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::cmd {

Result<oci::ImageContent> content_in_store(Session& session, const oci::Image& image) {
  CL_TRY(oci::Store * store, session.store());
  oci::ImageContent content;
  content.manifest = {image.manifest_descriptor, image.manifest_text};
  const auto add = [&](const oci::Descriptor& blob) {
    const bool seen =
        std::any_of(content.blobs.begin(), content.blobs.end(),
                    [&](const oci::Descriptor& b) { return b.digest == blob.digest; });
    if (!seen) content.blobs.push_back(blob);
  };
  for (const oci::Descriptor& layer : image.manifest.layers) add(layer);
  add(image.manifest.config);
  content.open = [store](const oci::Descriptor& blob) { return store->open_blob(blob); };
  return content;
}

Status check_destination(const oci::ImageRef& to) {
  if (to.transport == oci::Transport::docker_daemon)
    return Error::usage("an image is not written into a daemon")
        .hint("write docker-archive:FILE and load it: docker load -i FILE");
  if (to.digest || (to.transport == oci::Transport::registry && to.registry.digest))
    return Error::usage(cat(quote(to.str()), " names a digest, which the image decides"))
        .hint("leave the digest out, or write a tag");
  if (to.transport == oci::Transport::docker_archive && to.tag.starts_with('@'))
    return Error::usage(cat(quote(to.str()), " names a position, which is for reading"))
        .hint("write docker-archive:FILE:NAME[:TAG], or no name");
  return {};
}

Status publish(Session& session, const oci::ImageContent& content, const oci::ImageRef& to,
               const std::string& mount_from) {
  const oci::WriteContext context = session.write_context();
  switch (to.transport) {
    case oci::Transport::layout:
      return oci::write_layout(content, to.path, to.tag, context);
    case oci::Transport::archive:
      return oci::write_archive(content, to.path, to.tag, context);
    case oci::Transport::docker_archive:
      return oci::write_docker_archive_file(content, to.path, to.tag, context);
    case oci::Transport::docker_daemon:
      return check_destination(to);
    case oci::Transport::registry:
      break;
  }
  CL_TRY(auto client, session.registry(to.registry, oci::Access::push, mount_from));
  auto pushed = oci::push_image(content, *client, to.registry.tag, mount_from, context);
  return std::move(pushed).while_(cat("pushing ", quote(to.registry.str())));
}

std::string mountable_from(const oci::ImageRef& from, const oci::ImageRef& to) {
  const bool same = from.transport == oci::Transport::registry &&
                    to.transport == oci::Transport::registry &&
                    from.registry.registry == to.registry.registry &&
                    from.registry.repository != to.registry.repository;
  return same ? from.registry.repository : std::string();
}

}  // namespace cloister::cmd
