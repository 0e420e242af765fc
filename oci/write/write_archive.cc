// oci-archive:FILE[:tag]: a layout as one tar file, the same bytes for the same image.
//
// Members: oci-layout, the blobs by digest, index.json last. Everything belongs to 0:0, has mode
// 0644 (directories 0755) and the time 0. ustar, with PAX records only where a blob passes 8 GiB.
// The tar is written to a temporary file beside its target and renamed when it is whole.
#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "oci/documents/layout_index.h"
#include "oci/write/destinations.h"

namespace cloister::oci {
namespace {

struct FreeWriter {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};

class TarWriter {
 public:
  explicit TarWriter(TempFile& file)
      : file_(file), archive_(archive_write_new()), buffer_(kStreamBuffer) {}
  TarWriter(const TarWriter&) = delete;
  // Freeing an unfinished archive closes it, and that fills the current member up with zeros: up to
  // all of a large blob. Refusing to take them ends it at the first.
  ~TarWriter() {
    abandoned_ = true;
    archive_.reset();
  }

  Status open() {
    if (!archive_) return Error::internal("libarchive gives no writer");
    archive_write_set_format_pax_restricted(archive_.get());
    archive_write_add_filter_none(archive_.get());
    archive_write_set_bytes_per_block(archive_.get(), 0);  // straight through: our pieces are large
    const auto write = [](archive*, void* self, const void* data, std::size_t size) -> la_ssize_t {
      return static_cast<TarWriter*>(self)->pass_on({static_cast<const std::byte*>(data), size});
    };
    return check(archive_write_open(archive_.get(), this, nullptr, write, nullptr));
  }

  Status directory(const std::string& name) { return header(name, AE_IFDIR, 0755, 0); }

  // REQUIRES: `content` fails or has exactly `size` bytes.
  Status file(const std::string& name, std::uint64_t size, Source& content) {
    CL_CHECK(header(name, AE_IFREG, 0644, size));
    for (;;) {
      CL_TRY(const std::size_t n, content.read(buffer_));
      if (n == 0) return {};
      if (archive_write_data(archive_.get(), buffer_.data(), n) < 0) return failure();
    }
  }

  Status close() { return check(archive_write_close(archive_.get())); }

 private:
  Status header(const std::string& name, unsigned type, unsigned mode, std::uint64_t size) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    if (!entry) return Error::internal("libarchive gives no entry");
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), type);
    archive_entry_set_perm(entry.get(), static_cast<mode_t>(mode));
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    archive_entry_set_mtime(entry.get(), 0, 0);
    return check(archive_write_header(archive_.get(), entry.get()));
  }
  la_ssize_t pass_on(ByteView bytes) {
    if (abandoned_) return -1;
    auto status = file_.write(bytes);
    if (status.has_value()) return static_cast<la_ssize_t>(bytes.size());
    error_ = std::move(status).error().hint("free some space, or write to another directory");
    return -1;
  }
  Status check(int status) {
    if (status == ARCHIVE_OK) return {};
    return failure();
  }
  Error failure() {
    if (error_) return std::move(*std::exchange(error_, std::nullopt));
    const char* text = archive_error_string(archive_.get());
    return Error::io(
        cat("cannot write a tar archive: ", printable(text == nullptr ? "no reason given" : text)));
  }

  TempFile& file_;
  bool abandoned_ = false;
  std::optional<Error> error_;
  std::unique_ptr<archive, FreeWriter> archive_;
  Bytes buffer_;
};

Status add_blob(TarWriter& tar, const ImageContent& image, const Descriptor& blob,
                const WriteContext& context) {
  const std::string id = blob.digest.hex().substr(0, 12);
  context.progress.start(id, "writing", blob.size);
  const auto copy = [&]() -> Status {
    CL_TRY(auto source, image.open(blob));
    MeterSource metered(
        *source, [&](std::size_t n) { context.progress.advance(id, n); }, context.cancel);
    VerifySource verified(metered, blob.digest, blob.size, cat("blob ", blob.digest.str()));
    return tar.file("blobs/sha256/" + blob.digest.hex(), blob.size, verified);
  };
  auto status = copy();
  context.progress.finish(id, status.has_value() ? "done" : "failed");
  return status;
}

Status add_text(TarWriter& tar, const std::string& name, std::string_view text) {
  MemorySource source(as_bytes(text));
  return tar.file(name, text.size(), source);
}

// The manifest among the blobs, all in the order of their names.
std::vector<Descriptor> sorted_blobs(const ImageContent& image) {
  std::vector<Descriptor> blobs = image.blobs;
  blobs.push_back(image.manifest.descriptor);
  const auto less = [](const Descriptor& a, const Descriptor& b) { return a.digest < b.digest; };
  const auto same = [](const Descriptor& a, const Descriptor& b) { return a.digest == b.digest; };
  std::sort(blobs.begin(), blobs.end(), less);
  blobs.erase(std::unique(blobs.begin(), blobs.end(), same), blobs.end());
  return blobs;
}

Status fill_archive(TarWriter& tar, const ImageContent& image, const std::string& tag,
                    const WriteContext& context) {
  CL_CHECK(add_text(tar, "oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  CL_CHECK(tar.directory("blobs/"));
  CL_CHECK(tar.directory("blobs/sha256/"));
  for (const Descriptor& blob : sorted_blobs(image)) {
    if (blob.digest == image.manifest.descriptor.digest) {
      CL_CHECK(add_text(tar, "blobs/sha256/" + blob.digest.hex(), image.manifest.text));
    } else {
      CL_CHECK(add_blob(tar, image, blob, context));
    }
  }
  CL_TRY(const std::string index,
         with_ref_name("", tag, image.manifest.descriptor, context.limits));
  CL_CHECK(add_text(tar, "index.json", index));
  return tar.close();
}

Status write(const ImageContent& image, const fs::path& target, const std::string& tag,
             const WriteContext& context) {
  std::error_code error;
  if (fs::is_directory(target, error))
    return Error::invalid(cat(quote(target.native()), " is a directory"))
        .hint(cat("for a layout in a directory write oci:", printable(target.native())));
  CL_CHECK(make_directories(target.parent_path()));
  CL_TRY(TempFile file, TempFile::create(target.parent_path()));
  TarWriter tar(file);
  CL_CHECK(tar.open());
  CL_CHECK(fill_archive(tar, image, tag, context));
  CL_CHECK(context.cancel.check());
  return file.commit(target, Durability::kill);
}

}  // namespace

Status write_archive(const ImageContent& image, const std::string& file, const std::string& tag,
                     const WriteContext& context) {
  std::error_code error;
  const fs::path target = fs::absolute(file, error).lexically_normal();
  return write(image, target, tag, context).while_(cat("writing oci-archive:", printable(file)));
}

}  // namespace cloister::oci
