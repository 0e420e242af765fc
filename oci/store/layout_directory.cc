// Order is what keeps a layout whole: oci-layout first, so that a directory with anything in it is
// recognised as ours; blobs under temporary names until verified; index.json by rename, last.
//
// Blobs are not flushed to the disk (Durability::kill): a crash of the machine may lose them, but
// file systems do not show a file's full size before its data is written, so such a blob fails
// has_blob() and is fetched again; and whoever reads a document or inflates a layer compares it
// with its digest or diffID anyway. Flushing would cost a cold pull about the time of its download.
#include "oci/store/layout_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "oci/documents/layout_index.h"
#include "oci/store/arriving_blob.h"

namespace cloister::oci {
namespace {

constexpr std::string_view kVersionFile = R"({"imageLayoutVersion":"1.0.0"})";

// In place and under the lock, not by rename: the lock is on this very file.
Status write_version_file(const fs::path& path) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return Error::io_errno(cat("cannot write ", quote(path.native())), errno);
  const ssize_t n = ::write(fd.get(), kVersionFile.data(), kVersionFile.size());
  if (n != static_cast<ssize_t>(kVersionFile.size()))
    return Error::io_errno(cat("cannot write ", quote(path.native())), n < 0 ? errno : ENOSPC);
  return {};
}

// A directory of somebody's files must not become a layout by a slip of the hand.
Status refuse_foreign_directory(const fs::path& directory) {
  std::error_code error;
  const fs::directory_iterator entries(directory, error);
  if (error) return Error::io_errno(cat("cannot list ", quote(directory.native())), error.value());
  if (entries == fs::directory_iterator() || fs::exists(directory / "oci-layout", error)) return {};
  return Error::invalid(cat(quote(directory.native()), " is not empty and not an OCI image layout"))
      .hint("name an empty or a new directory, or one that holds an oci-layout file");
}

Status write_all(Source& source, TempFile& file, ArrivingBlob* arriving) {
  Bytes buffer(kStreamBuffer);
  if (arriving != nullptr) arriving->begin(file.fd());
  for (;;) {
    CL_TRY(const std::size_t n, source.read(buffer));
    if (n == 0) return {};
    auto written = file.write(ByteView(buffer).first(n));
    if (!written.has_value())
      return std::move(written).error().hint("free some space, or use another directory");
    if (arriving != nullptr) arriving->advance(n);
  }
}

// Of a process that was killed before it could name its file.
void remove_unfinished(const fs::path& directory) {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->path().filename().native().starts_with(".tmp-")) fs::remove(it->path(), ignored);
  }
}

bool is_empty_or_missing(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error || size == 0;
}

}  // namespace

Result<LayoutDirectory> LayoutDirectory::open(const fs::path& directory) {
  const fs::path version = directory / "oci-layout", index = directory / "index.json";
  CL_CHECK(make_directories(directory));
  LayoutDirectory layout(directory);
  if (is_empty_or_missing(version) || is_empty_or_missing(index)) {
    std::error_code error;
    if (!fs::exists(version, error)) CL_CHECK(refuse_foreign_directory(directory));
    CL_CHECK(layout.initialise());
  }
  CL_CHECK(make_directories(directory / "blobs" / "sha256"));
  return layout;
}

Status LayoutDirectory::initialise() const {
  const fs::path version = directory_ / "oci-layout", index = directory_ / "index.json";
  CL_TRY(const FileLock lock, FileLock::acquire(version, FileLock::Kind::exclusive));
  if (is_empty_or_missing(version)) CL_CHECK(write_version_file(version));
  if (!is_empty_or_missing(index)) return {};
  // Without an index nobody has opened this layout yet, and the lock is ours: what is there was
  // left.
  remove_unfinished(directory_);
  const std::string empty = cat(R"({"schemaVersion":2,"mediaType":")", media_type::kOciIndex,
                                R"(","manifests":[]})", "\n");
  return write_file_atomic(index, as_bytes(empty));
}

fs::path LayoutDirectory::blob_path(const Digest& digest) const {
  return directory_ / "blobs" / "sha256" / digest.hex();
}

bool LayoutDirectory::has_blob(const Digest& digest, std::uint64_t size) const {
  std::error_code error;
  const fs::path path = blob_path(digest);
  return fs::is_regular_file(path, error) && fs::file_size(path, error) == size && !error;
}

Status LayoutDirectory::put_blob(const Descriptor& descriptor, Source& source,
                                 const std::function<void(std::size_t)>& on_bytes,
                                 CancelToken cancel, ArrivingBlob* arriving) const {
  CL_TRY(TempFile file, TempFile::create(temporary_));
  const auto count = [&](std::size_t n) {
    if (on_bytes) on_bytes(n);
  };
  MeterSource metered(source, count, cancel);
  VerifySource verified(metered, descriptor.digest, descriptor.size,
                        cat("blob ", descriptor.digest.str()));
  CL_CHECK(write_all(verified, file, arriving));
  return file.commit(blob_path(descriptor.digest), Durability::kill);
}

Result<ImageIndex> LayoutDirectory::read_index(const Limits& limits) const {
  const fs::path path = directory_ / "index.json";
  CL_TRY(const std::string text, read_text_file(path, limits.manifest_bytes));
  return parse_image_index(text, limits).while_(cat("reading ", quote(path.native())));
}

Status LayoutDirectory::change_index(
    const std::function<Result<std::string>(std::string_view)>& change,
    const Limits& limits) const {
  const fs::path path = directory_ / "index.json";
  CL_TRY(const FileLock lock,
         FileLock::acquire(directory_ / "oci-layout", FileLock::Kind::exclusive));
  CL_TRY(const std::string text, read_text_file(path, limits.manifest_bytes));
  CL_TRY(const std::string changed, change(text).while_(cat("changing ", quote(path.native()))));
  if (changed == text) return {};
  CL_TRY(TempFile file, TempFile::create(temporary_));
  CL_CHECK(file.write(as_bytes(changed)));
  return file.commit(path);
}

Status LayoutDirectory::tag(const std::vector<NamedManifest>& names, const Limits& limits) const {
  return change_index([&](std::string_view text) { return with_ref_names(text, names, limits); },
                      limits);
}

}  // namespace cloister::oci
