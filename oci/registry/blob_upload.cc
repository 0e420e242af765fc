// POST opens an upload and answers with its Location; PATCH streams the content there; PUT with the
// digest closes it. Each answer may move the Location, which can be relative and carry a query that
// must be kept. The PATCH is never repeated on the same upload: after a break nobody knows how much
// of it arrived, so the whole upload begins again, unless the blob turns out to be there.
#include "oci/registry/blob_upload.h"

#include "base/text.h"
#include "oci/registry/retry.h"

namespace cloister::oci {
namespace {

std::string name_of(const Descriptor& descriptor) {
  return cat("blob ", descriptor.digest.str());
}

// The body of an answer that matters only by its status and headers.
constexpr std::uint64_t kNoBody = 64 << 10;

class Upload {
 public:
  Upload(Connection& connection, const Descriptor& descriptor)
      : connection_(connection),
        descriptor_(descriptor),
        what_(cat("the upload of ", name_of(descriptor))) {}

  Status run(Source& content) {
    CL_CHECK(begin());
    CL_CHECK(send(content));
    return finish();
  }

 private:
  Status begin() {
    http::Request request;
    request.method = "POST";
    location_ = connection_.url("blobs/uploads/");
    request.url = location_.str();
    CL_TRY(const Answer answer, connection_.send(request, kNoBody));
    if (answer.response.status != 202) return connection_.refused(answer.response, what_);
    CL_TRY(location_, location_of(answer.response, location_));
    return {};
  }

  Status send(Source& content) {
    http::Request request;
    request.method = "PATCH";
    request.url = location_.str();
    request.headers = {{"Content-Type", "application/octet-stream"}};
    request.body_stream = &content;
    request.body_size = descriptor_.size;
    CL_TRY(const Answer answer, connection_.send(request, kNoBody));
    // 202 by the specification; 201 and 204 are seen in the wild.
    const int status = answer.response.status;
    if (status != 202 && status != 201 && status != 204) return stopped(answer.response);
    if (answer.response.header("location")) {
      CL_TRY(location_, location_of(answer.response, location_));
    }
    return {};
  }

  Status finish() {
    location_.query += cat(location_.query.empty() ? "" : "&",
                           "digest=", http::url_encode(descriptor_.digest.str()));
    http::Request request;
    request.method = "PUT";
    request.url = location_.str();
    request.headers = {{"Content-Type", "application/octet-stream"}};
    CL_TRY(const Answer answer, connection_.send(request, kNoBody));
    const int status = answer.response.status;
    if (status != 201 && status != 202 && status != 204) return stopped(answer.response);
    return check_content_digest(answer.response, descriptor_.digest, name_of(descriptor_));
  }

  // An upload that is unknown was closed by a PUT whose answer got lost, or was forgotten.
  Error stopped(const http::Response& response) const {
    if (response.status != 404) return connection_.refused(response, what_);
    return Error::unavailable(cat("the registry lost ", what_));
  }

  Connection& connection_;
  const Descriptor& descriptor_;
  const std::string what_;
  http::Url location_;
};

Status upload_once(Connection& connection, const Descriptor& descriptor, const OpenContent& open,
                   const std::function<void(std::size_t)>& on_bytes) {
  CL_TRY(auto content, open());
  MeterSource metered(
      *content,
      [&](std::size_t n) {
        if (on_bytes) on_bytes(n);
      },
      connection.cancel());
  return Upload(connection, descriptor).run(metered);
}

// Tells the registry that an upload it opened is not wanted. It expires anyway: failures are fine.
void abandon(Connection& connection, const http::Response& response, const http::Url& base) {
  const auto location = location_of(response, base);
  if (!location.has_value()) return;
  http::Request request;
  request.method = "DELETE";
  request.url = location->str();
  (void)connection.send(request, kNoBody);
}

}  // namespace

Result<bool> blob_exists(Connection& connection, const Descriptor& descriptor) {
  http::Request request;
  request.method = "HEAD";
  request.url = connection.url(cat("blobs/", descriptor.digest.str())).str();
  CL_TRY(const Answer answer, connection.send(request, kNoBody));
  const int status = answer.response.status;
  if (status == 200) {
    const auto size = parse_u64(answer.response.header("content-length").value_or(""));
    return !size || *size == descriptor.size;
  }
  // 405: a registry without HEAD. Another host's refusal: the storage behind it has none.
  const bool redirected = answer.response.effective_url != request.url;
  if (status == 404 || status == 405 || redirected) return false;
  return connection.refused(answer.response, name_of(descriptor));
}

Result<bool> mount_blob(Connection& connection, const Descriptor& descriptor,
                        const std::string& from_repository) {
  http::Url url = connection.url("blobs/uploads/");
  url.query = cat("mount=", http::url_encode(descriptor.digest.str()),
                  "&from=", http::url_encode(from_repository));
  http::Request request;
  request.method = "POST";
  request.url = url.str();
  CL_TRY(const Answer answer, connection.send(request, kNoBody));
  if (answer.response.status == 201) {
    CL_CHECK(check_content_digest(answer.response, descriptor.digest, name_of(descriptor)));
    return true;
  }
  if (answer.response.status == 202) abandon(connection, answer.response, url);
  // Refused mounts (no right to read there, not supported) are followed by an ordinary upload.
  return false;
}

Status upload_blob(Connection& connection, const Descriptor& descriptor, const OpenContent& open,
                   const std::function<void(std::size_t)>& on_bytes) {
  Retry retry(connection.retry(), connection.cancel());
  for (;;) {
    auto done = upload_once(connection, descriptor, open, on_bytes);
    if (done.has_value() || done.error().code() != Code::unavailable) return done;
    CL_TRY(const bool again, retry.after_fault());
    if (!again) return done;
    // The answer may have been lost after the registry had everything.
    const auto there = blob_exists(connection, descriptor);
    if (there.has_value() && *there) return {};
  }
}

}  // namespace cloister::oci
