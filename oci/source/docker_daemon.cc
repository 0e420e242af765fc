// Docker Engine API, "Export an image": GET /images/{name}/get answers a docker-archive as a
// chunked stream; Podman's compatible API does the same. The path without a version means the
// daemon's current one.
//
// An export takes as long as the image is large, each time. So "Inspect an image" is asked first,
// GET /images/{name}/json: its Id is the digest of the configuration, which names the diffIDs, and
// what an earlier export brought is in the store under them.
//
// The socket is tried by hand first: libcurl tells "couldn't connect" alone, and whether there is
// no daemon, one that stopped, or one that this user may not talk to makes all the difference.
#include "oci/source/docker_daemon.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/http/client.h"
#include "base/text.h"
#include "oci/documents/image.h"
#include "oci/source/docker_archive.h"

namespace cloister::oci {
namespace {

constexpr std::string_view kUnixScheme = "unix://";
// A daemon may pack a large image for a while before the first byte comes.
constexpr long kDaemonSilenceSeconds = 600;

std::string daemon_variable(const std::map<std::string, std::string>& variables, const char* name) {
  const auto it = variables.find(name);
  return it == variables.end() ? std::string() : it->second;
}

Status try_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error::invalid(cat("the path of the socket ", quote(path), " is too long"))
        .detail(cat("got ", path.size(), " bytes, at most ", sizeof address.sun_path - 1));
  std::memcpy(address.sun_path, path.data(), path.size());
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Error::io_errno("cannot make a socket", errno);
  if (::connect(fd.get(), static_cast<const sockaddr*>(static_cast<const void*>(&address)),
                sizeof address) == 0)
    return {};
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      return Error::not_found(cat("there is no socket ", quote(path)))
          .hint("start the daemon, or name its socket: DOCKER_HOST=unix:///path");
    case EACCES:
    case EPERM:
      return Error::unauthorized(cat("no permission to use the socket ", quote(path)))
          .hint(
              "ask for membership in the group that owns it (docker), or save the image to a "
              "file and read docker-archive:FILE");
    case ECONNREFUSED:
    case ENOTSOCK:
      return Error::unavailable(cat("nobody listens at the socket ", quote(path)))
          .hint("start the daemon, or name its socket: DOCKER_HOST=unix:///path");
    default:
      return Error::io_errno(cat("cannot connect to the socket ", quote(path)), errno);
  }
}

// Docker: {"message":"…"}; Podman the same with "cause" and "response".
std::string daemon_message(std::string_view body, const Limits& limits) {
  const auto json = parse_json(body, limits, "the daemon's answer");
  if (json.has_value()) {
    const auto message = get_string(*json, "message");
    if (message.has_value() && *message) return printable((*message)->substr(0, 500));
  }
  return printable(body.substr(0, 500));
}

bool says_no_such_image(std::string_view message) {
  const std::string lower = lower_ascii(message);
  for (const std::string_view phrase : {"no such image", "not known", "does not exist"})
    if (lower.find(phrase) != std::string::npos) return true;
  return false;
}

Error daemon_refused(int status, const std::string& message, const std::string& name) {
  if (status == 404 || (status >= 500 && says_no_such_image(message)))
    return Error::not_found(cat("the daemon has no image ", quote(name)))
        .detail(message)
        .hint("docker images (podman images) lists what it has");
  if (status == 401 || status == 403)
    return Error::unauthorized(cat("the daemon refuses to give out ", quote(name)))
        .detail(cat("status ", status, ": ", message))
        .hint("ask the daemon's administrator");
  return Error::unavailable(cat("the daemon could not give out ", quote(name)))
      .detail(cat("status ", status, ": ", message))
      .hint("look into the daemon's log, or save the image to a file and read docker-archive:FILE");
}

Result<std::unique_ptr<http::Client>> daemon_client(const DaemonOptions& options,
                                                    const Limits& limits, CancelToken cancel) {
  http::Options http_options;
  http_options.unix_socket = options.socket;
  http_options.user_agent = options.user_agent;
  http_options.low_speed_seconds = kDaemonSilenceSeconds;
  return http::Client::create(std::move(http_options), limits, cancel);
}

std::string asking(const ImageRef& ref, const DaemonOptions& options) {
  return cat("asking the daemon at ", quote(options.socket), " for ", quote(ref.path));
}

Status spool_export(const ImageRef& ref, const DaemonOptions& options, TempFile& spool,
                    const Limits& limits, Progress& progress, CancelToken cancel) {
  CL_TRY(const auto client, daemon_client(options, limits, cancel));
  http::Request request;
  request.url = cat("http://localhost/images/", ref.path, "/get");
  CL_TRY(const auto stream, client->open(request));
  const int status = stream->response().status;
  if (status != 200) {
    LimitSource bounded(*stream, limits.error_body_bytes, "the daemon's answer");
    auto body = read_all(bounded, limits.error_body_bytes, "the daemon's answer");
    return daemon_refused(status,
                          body.has_value() ? daemon_message(as_text(*body), limits) : std::string(),
                          ref.path);
  }
  LimitSource limited(*stream, limits.archive_bytes, "the exported image");
  const std::string id = printable(ref.path);
  progress.start(id, "exporting", 0);
  Bytes buffer(kStreamBuffer);
  Status copied;
  for (;;) {
    auto n = limited.read(buffer);
    if (!n.has_value()) {
      copied = std::move(n).error();
      break;
    }
    if (*n == 0) break;
    copied = spool.write(ByteView(buffer).first(*n));
    if (!copied.has_value()) {
      copied = std::move(copied).error().hint("free some space, or use another --store");
      break;
    }
    progress.advance(id, *n);
  }
  progress.finish(id, copied.has_value() ? "done" : "failed");
  return copied;
}

class DaemonTransport final : public ImageTransport {
 public:
  DaemonTransport(TempFile spool, std::unique_ptr<ImageTransport> archive)
      : spool_(std::move(spool)), archive_(std::move(archive)) {}
  Result<RawManifest> root() override { return archive_->root(); }
  Result<RawManifest> manifest(const Descriptor& descriptor) override {
    return archive_->manifest(descriptor);
  }
  Result<std::unique_ptr<Source>> blob(const Descriptor& descriptor) override {
    return archive_->blob(descriptor);
  }

 private:
  const TempFile spool_;
  const std::unique_ptr<ImageTransport> archive_;
};

// An image id is the digest of the configuration.
Status check_image_id(ImageTransport& transport, const ImageRef& ref, const Limits& limits) {
  const auto want = Digest::parse(ref.path);
  if (!want.has_value()) return {};
  CL_TRY(const RawManifest root, transport.root());
  CL_TRY(const ImageManifest manifest, parse_image_manifest(root.text, limits));
  if (manifest.config.digest == *want) return {};
  return Error::unsupported(
             cat("the daemon names its images otherwise than by their configuration"))
      .detail(cat("got the configuration ", manifest.config.digest.str(), ", want ", want->str()))
      .hint("name the image by its tag");
}

}  // namespace

Result<std::string> find_daemon_socket(const std::map<std::string, std::string>& variables) {
  for (const char* name : {"DOCKER_HOST", "CONTAINER_HOST"}) {
    const std::string host = daemon_variable(variables, name);
    if (host.empty()) continue;
    if (host.starts_with(kUnixScheme) && host.size() > kUnixScheme.size())
      return host.substr(kUnixScheme.size());
    return Error::unsupported(cat(name, "=", printable(host.substr(0, 200)),
                                  ": only a daemon on a unix socket is read"))
        .hint("give unix:///path, or save the image there and read docker-archive:FILE");
  }
  std::vector<std::string> places = {"/var/run/docker.sock"};
  if (const std::string runtime = daemon_variable(variables, "XDG_RUNTIME_DIR"); !runtime.empty()) {
    places.push_back(runtime + "/docker.sock");
    places.push_back(runtime + "/podman/podman.sock");
  }
  places.emplace_back("/run/podman/podman.sock");
  std::error_code error;
  for (const std::string& place : places)
    if (fs::exists(place, error)) return place;
  Error none = Error::not_found("there is no socket of Docker or Podman");
  for (const std::string& place : places)
    none = std::move(none).detail(cat("looked for ", quote(place)));
  return std::move(none).hint("start the daemon, or name its socket: DOCKER_HOST=unix:///path");
}

Result<std::optional<Digest>> daemon_image_id(const ImageRef& ref, const DaemonOptions& options,
                                              const Limits& limits, CancelToken cancel) {
  const auto ask = [&]() -> Result<std::optional<Digest>> {
    CL_CHECK(try_socket(options.socket));
    CL_TRY(const auto client, daemon_client(options, limits, cancel));
    http::Request request;
    request.url = cat("http://localhost/images/", ref.path, "/json");
    CL_TRY(const http::Response response, client->send(request, limits.manifest_bytes));
    if (response.status == 404)
      return daemon_refused(404, daemon_message(response.body, limits), ref.path);
    if (response.status != 200) return std::optional<Digest>();  // the export will tell
    const auto json = parse_json(response.body, limits, "the daemon's answer");
    if (!json.has_value()) return std::optional<Digest>();
    const auto id = get_string(*json, "Id");
    if (!id.has_value() || !*id) return std::optional<Digest>();
    const auto digest = Digest::parse((*id)->starts_with("sha256:") ? **id : "sha256:" + **id);
    return digest.has_value() ? std::optional(*digest) : std::nullopt;
  };
  return ask().while_(asking(ref, options));
}

Result<std::unique_ptr<ImageTransport>> open_docker_daemon(const ImageRef& ref,
                                                           const DaemonOptions& options,
                                                           TempFile spool, const Limits& limits,
                                                           Progress& progress, CancelToken cancel) {
  const std::string doing = asking(ref, options);
  CL_CHECK(try_socket(options.socket).while_(doing));
  CL_CHECK(spool_export(ref, options, spool, limits, progress, cancel).while_(doing));
  CL_TRY(auto members, ArchiveMembers::scan(spool.path().native(), limits).while_(doing));
  CL_TRY(auto archive,
         make_docker_archive_transport(ref, std::move(members), ref.str(), limits).while_(doing));
  CL_CHECK(check_image_id(*archive, ref, limits).while_(doing));
  return std::make_unique<DaemonTransport>(std::move(spool), std::move(archive));
}

}  // namespace cloister::oci
