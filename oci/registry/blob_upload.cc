// POST opens an upload and answers with its Location; PATCH sends content there; PUT with the
// digest closes it. Each answer may move the Location, which can be relative and carry a query that
// must be kept.
//
// The content goes in one PATCH: that is what registries see from Docker and are tested with. After
// a break the registry is asked how much it has (GET of the Location, 204 with Range), and the rest
// follows with a Content-Range. Not every registry can continue an upload that it lost in the
// middle of a PATCH (Docker's own cannot): then all of it begins anew, unless the blob turns out to
// be there. Pieces are sent only to a registry, or a proxy before it, that finds the whole too
// large (413), and they are no smaller than its OCI-Chunk-Min-Length.
#include "oci/registry/blob_upload.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/text.h"
#include "oci/registry/retry.h"

namespace cloister::oci {
namespace {

std::string name_of(const Descriptor& descriptor) {
  return cat("blob ", descriptor.digest.str());
}

// The body of an answer that matters only by its status and headers.
constexpr std::uint64_t kNoBody = 64 << 10;

constexpr std::uint64_t kPiece = 8 << 20;
constexpr std::uint64_t kLargestPiece = 1 << 30;  // what a registry may ask for at least
// Seconds. A registry may still be writing what it got, and hash or move the whole blob at the end.
constexpr long kPatchPatience = 120;
constexpr long kFinishPatience = 600;

// "0-41", also "bytes=0-41": how many bytes the registry has. "0-0" is what many answer for none.
std::uint64_t received_bytes(const http::Response& response) {
  const std::string value = response.header("range").value_or("");
  std::string_view range = value;
  if (range.starts_with("bytes=")) range.remove_prefix(6);
  if (!range.starts_with("0-")) return 0;
  const auto last = parse_u64(range.substr(2));
  return last && *last > 0 && *last < UINT64_MAX ? *last + 1 : 0;
}

class Upload {
 public:
  Upload(Connection& connection, const Descriptor& descriptor, const OpenContent& open,
         const std::function<void(std::size_t)>& on_bytes)
      : connection_(connection),
        descriptor_(descriptor),
        open_(open),
        on_bytes_(on_bytes),
        what_(cat("the upload of ", name_of(descriptor))) {}

  Status run() {
    Retry retry(connection_.retry(), connection_.cancel());
    for (unsigned breaks = 0;; ++breaks) {
      const std::uint64_t before = sent_;
      last_answer_.reset();
      auto done = attempt();
      if (done.has_value() || done.error().code() != Code::unavailable) return done;
      if (sent_ > before) retry.reset();
      CL_TRY(const bool again,
             last_answer_ ? retry.after_answer(*last_answer_) : retry.after_fault());
      if (!again || breaks == connection_.retry().most_breaks) return done;
      // The answer may have been lost after the registry had everything.
      const auto there = blob_exists(connection_, descriptor_);
      if (there.has_value() && *there) return {};
    }
  }

 private:
  Status attempt() {
    if (is_open_) CL_CHECK(recover());
    if (!is_open_) CL_CHECK(begin());
    while (sent_ < descriptor_.size || !patched_) CL_CHECK(send());
    return finish();
  }

  Status begin() {
    http::Request request;
    request.method = "POST";
    location_ = connection_.url("blobs/uploads/");
    request.url = location_.str();
    CL_TRY(const Answer answer, connection_.send(request, kNoBody));
    if (answer.response.status != 202) return connection_.refused(answer.response, what_);
    CL_TRY(location_, location_of(answer.response, location_));
    const auto least = parse_u64(answer.response.header("oci-chunk-min-length").value_or(""));
    least_piece_ = std::min(least.value_or(0), kLargestPiece);
    sent_ = 0;
    is_open_ = may_recover_;
    patched_ = recovered_ = false;
    return {};
  }

  // After a break: how far the registry is. An upload that it does not know is begun anew.
  Status recover() {
    http::Request request;
    request.url = location_.str();
    CL_TRY(const Answer answer, connection_.send(request, kNoBody));
    const int status = answer.response.status;
    const std::uint64_t have = received_bytes(answer.response);
    if ((status != 204 && status != 202 && status != 200) || have > descriptor_.size) {
      is_open_ = false;
      return {};
    }
    if (answer.response.header("location")) {
      CL_TRY(location_, location_of(answer.response, location_));
    }
    sent_ = have;
    patched_ = have > 0;
    recovered_ = true;
    return {};
  }

  Status send() {
    CL_CHECK(seek());
    const std::uint64_t rest = descriptor_.size - sent_;
    const std::uint64_t length = piece_ == 0 ? rest : std::min(rest, piece_);
    http::Request request;
    request.method = "PATCH";
    request.url = location_.str();
    request.headers = {{"Content-Type", "application/octet-stream"}};
    if (piece_ > 0 || sent_ > 0)
      request.headers.emplace_back("Content-Range",
                                   cat(sent_, "-", sent_ + std::max<std::uint64_t>(length, 1) - 1));
    request.body_stream = content_.get();
    request.body_size = length;
    request.patience_seconds = kPatchPatience;
    CL_TRY(const Answer answer, connection_.send(request, kNoBody));
    // 202 by the specification; 201 and 204 are seen in the wild.
    const int status = answer.response.status;
    if (status == 413 && piece_ == 0 && length > std::max(kPiece, least_piece_)) return divide();
    if (status != 202 && status != 201 && status != 204) return stopped(answer.response);
    if (answer.response.header("location")) {
      CL_TRY(location_, location_of(answer.response, location_));
    }
    sent_ += length;
    position_ = sent_;
    patched_ = true;
    return {};
  }

  // The whole was too large for one request: from the beginning, in pieces.
  Status divide() {
    piece_ = std::max(kPiece, least_piece_);
    content_.reset();
    return begin();
  }

  // Makes content_ stand at sent_.
  Status seek() {
    if (content_ && position_ == sent_) return {};
    CL_TRY(inner_, open_());
    position_ = 0;
    content_ = std::make_unique<MeterSource>(
        *inner_, [this](std::size_t n) { count(n); }, connection_.cancel());
    Bytes buffer(kStreamBuffer);
    while (position_ < sent_) {
      const auto want =
          static_cast<std::size_t>(std::min<std::uint64_t>(sent_ - position_, buffer.size()));
      CL_TRY(const std::size_t n, content_->read(std::span(buffer).first(want)));
      if (n == 0)
        return Error::corrupt(cat("the content of ", name_of(descriptor_), " ended too early"))
            .detail(cat("got ", position_, " bytes, want ", descriptor_.size));
    }
    return {};
  }

  // Each byte is reported once, however often it has to be sent.
  void count(std::size_t n) {
    position_ += n;
    if (position_ <= reported_) return;
    const auto news = static_cast<std::size_t>(position_ - reported_);
    reported_ = position_;
    if (on_bytes_) on_bytes_(news);
  }

  Status finish() {
    http::Url url = location_;
    url.query +=
        cat(url.query.empty() ? "" : "&", "digest=", http::url_encode(descriptor_.digest.str()));
    http::Request request;
    request.method = "PUT";
    request.url = url.str();
    request.headers = {{"Content-Type", "application/octet-stream"}};
    request.patience_seconds = kFinishPatience;
    CL_TRY(const Answer answer, connection_.send(request, kNoBody));
    const int status = answer.response.status;
    if (status != 201 && status != 202 && status != 204) return stopped(answer.response);
    return check_content_digest(answer.response, descriptor_.digest, name_of(descriptor_));
  }

  // An upload that is unknown was closed by a PUT whose answer got lost, or was forgotten. One that
  // was continued may have been continued wrongly, which is no reason to give up either.
  Error stopped(const http::Response& response) {
    const int status = response.status;
    const bool mixed_up = recovered_ && status >= 400 && status < 500 && status != 401 &&
                          status != 403 && status != 408 && status != 413 && status != 429;
    if (status == 404 || status == 416 || mixed_up) {
      is_open_ = false;
      may_recover_ = may_recover_ && !mixed_up;
      return Error::unavailable(cat("the registry lost ", what_))
          .hint("try again; the registry's log names the cause");
    }
    if (is_temporary(status)) last_answer_ = response;
    return connection_.refused(response, what_);
  }

  Connection& connection_;
  const Descriptor& descriptor_;
  const OpenContent& open_;
  const std::function<void(std::size_t)>& on_bytes_;
  const std::string what_;
  http::Url location_;
  bool is_open_ = false;     // the registry knows an upload at location_
  bool patched_ = false;     // by at least one PATCH: an empty blob has one too
  bool recovered_ = false;   // this upload was continued after a break
  bool may_recover_ = true;  // continuing has not failed yet
  std::uint64_t sent_ = 0;   // what the registry has
  std::uint64_t piece_ = 0;  // 0: all at once
  std::uint64_t least_piece_ = 0;
  std::uint64_t position_ = 0;  // of content_
  std::uint64_t reported_ = 0;
  std::unique_ptr<Source> inner_;
  std::unique_ptr<MeterSource> content_;       // over inner_
  std::optional<http::Response> last_answer_;  // a temporary refusal: it may say when to come back
};

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
  return Upload(connection, descriptor, open, on_bytes).run();
}

}  // namespace cloister::oci
