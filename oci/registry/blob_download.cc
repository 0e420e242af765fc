// Each opening begins at the registry again and not at the storage it redirected to: a signed URL
// may be valid once, or for a minute. Whoever reads hashes from the first byte of the blob, so a
// server that continues with other bytes is found out by the digest, whatever its headers said.
#include "oci/registry/blob_download.h"

#include <algorithm>

#include "base/text.h"
#include "oci/registry/retry.h"

namespace cloister::oci {
namespace {

// A stretch that counts as progress: a server that hands out a few bytes per connection does not.
constexpr std::uint64_t kProgress = 64 << 10;

// "bytes 5-9/10": the first number; nothing when the form or the total is another one.
std::optional<std::uint64_t> range_start(std::string_view value, std::uint64_t total) {
  if (!value.starts_with("bytes ")) return std::nullopt;
  value.remove_prefix(6);
  const std::size_t dash = value.find('-'), slash = value.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash)
    return std::nullopt;
  const std::string_view size = value.substr(slash + 1);
  if (size != "*" && parse_u64(size) != total) return std::nullopt;
  return parse_u64(value.substr(0, dash));
}

class BlobDownload final : public Source {
 public:
  BlobDownload(std::shared_ptr<Connection> connection, const Descriptor& descriptor,
               std::uint64_t offset)
      : connection_(std::move(connection)),
        descriptor_(descriptor),
        what_(cat("blob ", descriptor.digest.str(), " of ", quote(connection_->ref().name()))),
        retry_(connection_->retry(), connection_->cancel()),
        offset_(offset) {}

  Status open() {
    http::Request request;
    request.url = connection_->url(cat("blobs/", descriptor_.digest.str())).str();
    if (offset_ > 0) request.headers = {{"Range", cat("bytes=", offset_, "-")}};
    CL_TRY(Answer answer, connection_->send(request, std::nullopt));
    const http::Response& response = answer.response;
    if (response.status == 206 && offset_ > 0) {
      CL_CHECK(check_range(response));
      skip_ = 0;
    } else if (response.status == 200) {
      skip_ = offset_;
    } else if (response.status == 416) {
      return other_size(cat("less than ", offset_));
    } else {
      return connection_->refused(response, what_);
    }
    if (is_html(response, {})) return html_error(response, what_);
    const auto length = response.header("content-length");
    const std::uint64_t before = response.status == 206 ? offset_ : 0;
    if (length && parse_u64(*length) != descriptor_.size - before)
      return other_size(cat(printable(length->substr(0, 40)), before > 0 ? " further" : ""),
                        before);
    stream_ = std::move(answer.stream);
    return {};
  }

  Result<std::size_t> read(std::span<std::byte> out) override {
    for (;;) {
      auto n = read_once(out);
      if (n.has_value()) return n;
      if (n.error().code() != Code::unavailable) return n;
      stream_.reset();
      if (stretch_ >= kProgress) retry_.reset();
      stretch_ = 0;
      CL_TRY(const bool again, retry_.after_fault());
      if (!again || ++breaks_ > connection_->retry().most_breaks)
        return std::move(n).error().detail(
            cat("after ", offset_, " of ", descriptor_.size, " bytes of ", what_));
    }
  }

 private:
  Result<std::size_t> read_once(std::span<std::byte> out) {
    if (!stream_) CL_CHECK(open());
    for (;;) {
      const std::size_t want =
          skip_ == 0 ? out.size()
                     : static_cast<std::size_t>(std::min<std::uint64_t>(skip_, out.size()));
      CL_TRY(const std::size_t n, stream_->read(out.first(want)));
      if (n == 0) return ended();
      if (skip_ == 0) {
        offset_ += n;
        stretch_ += n;
        return n;
      }
      skip_ -= n;
    }
  }

  Result<std::size_t> ended() const {
    if (skip_ == 0 && offset_ >= descriptor_.size) return 0;
    return Error::unavailable(cat(what_, " ended too early"))
        .hint("try again; if it stays, the registry's copy is damaged: push the image anew");
  }

  Status check_range(const http::Response& response) const {
    const std::string range = response.header("content-range").value_or("");
    if (range_start(range, descriptor_.size) == offset_) return {};
    return Error::corrupt(cat("the registry continues ", what_, " at another place"))
        .detail(cat("got Content-Range ", quote(range.substr(0, 100)), ", want bytes ", offset_,
                    "-", descriptor_.size - 1, "/", descriptor_.size));
  }

  Error other_size(std::string_view got, std::uint64_t before = 0) const {
    return Error::corrupt(cat(what_, " does not have the size its descriptor says"))
        .detail(cat("got ", got, " bytes, want ", descriptor_.size - before))
        .hint("the registry holds other bytes than the manifest names; ask its owner");
  }

  const std::shared_ptr<Connection> connection_;
  const Descriptor descriptor_;
  const std::string what_;
  Retry retry_;
  std::unique_ptr<http::BodyStream> stream_;
  std::uint64_t offset_;
  std::uint64_t skip_ = 0;     // bytes of this answer that are known already
  std::uint64_t stretch_ = 0;  // new bytes since the last break
  unsigned breaks_ = 0;
};

}  // namespace

Result<std::unique_ptr<Source>> download_blob(std::shared_ptr<Connection> connection,
                                              const Descriptor& descriptor, std::uint64_t offset) {
  auto download = std::make_unique<BlobDownload>(std::move(connection), descriptor, offset);
  CL_CHECK(download->open());
  return std::unique_ptr<Source>(std::move(download));
}

}  // namespace cloister::oci
