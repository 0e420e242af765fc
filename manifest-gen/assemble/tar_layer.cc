// libarchive writes the tar ("restricted pax": ustar, with pax headers only where a value does not
// fit) and hands it to us in pieces, which are hashed and compressed in the same pass.
//
// Trap: given names that are not ASCII, libarchive converts them according to the process's locale,
// and its output would depend on it. Then, and only then, names are declared to be binary.
#include "manifest-gen/assemble/tar_layer.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/text.h"

namespace cloister::manifest {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

class TarWriter {
 public:
  TarWriter(Sha256& hasher, GzipWriter& gzip)
      : hasher_(hasher), gzip_(gzip), archive_(archive_write_new()), entry_(archive_entry_new()) {}
  ~TarWriter() {
    archive_entry_free(entry_);
    archive_write_free(archive_);
  }
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  Status open(bool binary_names) {
    if (archive_ == nullptr || entry_ == nullptr)
      return Error::internal("libarchive has no memory");
    archive_write_set_format_pax_restricted(archive_);
    archive_write_add_filter_none(archive_);
    archive_write_set_bytes_per_block(archive_, 10240);
    archive_write_set_bytes_in_last_block(archive_, 1);
    if (binary_names &&
        archive_write_set_format_option(archive_, "pax", "hdrcharset", "BINARY") != ARCHIVE_OK)
      return failure();
    if (archive_write_open(archive_, this, nullptr, write, nullptr) != ARCHIVE_OK) return failure();
    return {};
  }

  Status add(const std::string& path, const LayerEntry& entry, ByteView content, Seconds mtime) {
    archive_entry_clear(entry_);
    archive_entry_set_pathname(entry_, path.c_str());
    archive_entry_set_perm(entry_, entry.mode);
    archive_entry_set_uid(entry_, entry.uid);
    archive_entry_set_gid(entry_, entry.gid);
    archive_entry_set_mtime(entry_, static_cast<std::time_t>(mtime.time_since_epoch().count()), 0);
    switch (entry.type) {
      case LayerEntry::Type::directory:
        archive_entry_set_filetype(entry_, AE_IFDIR);
        break;
      case LayerEntry::Type::symlink:
        archive_entry_set_filetype(entry_, AE_IFLNK);
        archive_entry_set_symlink(entry_, entry.link_target.c_str());
        break;
      case LayerEntry::Type::file:
        archive_entry_set_filetype(entry_, AE_IFREG);
        archive_entry_set_size(entry_, static_cast<la_int64_t>(content.size()));
        break;
    }
    if (archive_write_header(archive_, entry_) != ARCHIVE_OK) return failure();
    if (content.empty()) return {};
    const la_ssize_t written = archive_write_data(archive_, content.data(), content.size());
    if (written < 0 || static_cast<std::size_t>(written) != content.size()) return failure();
    return {};
  }

  Status close() {
    if (archive_write_close(archive_) != ARCHIVE_OK) return failure();
    return {};
  }

 private:
  static la_ssize_t write(archive* handle, void* self, const void* data, std::size_t size) {
    auto& writer = *static_cast<TarWriter*>(self);
    const ByteView bytes(static_cast<const std::byte*>(data), size);
    writer.hasher_.update(bytes);
    if (auto status = writer.gzip_.write(bytes); !status.has_value()) {
      writer.error_ = std::move(status.error());
      archive_set_error(handle, EIO, "the layer cannot be compressed");
      return -1;
    }
    return static_cast<la_ssize_t>(size);
  }

  Error failure() {
    if (error_) return std::move(*error_);
    const char* text = archive_error_string(archive_);
    return Error::internal(
        cat("cannot write the added layer: ", printable(text == nullptr ? "unknown error" : text)));
  }

  Sha256& hasher_;
  GzipWriter& gzip_;
  archive* archive_;
  archive_entry* entry_;
  std::optional<Error> error_;
};

Result<Bytes> content_of(const LayerEntry& entry, const measure::Runtime& runtime,
                         const Limits& limits) {
  if (entry.type != LayerEntry::Type::file) return Bytes();
  if (const auto* bytes = std::get_if<Bytes>(&entry.content)) return *bytes;
  return runtime.read(std::get<measure::RuntimeFile>(entry.content), limits.libpal_bytes);
}

}  // namespace

Result<PackedLayer> pack_layer(const LayerTree& tree, const measure::Runtime& runtime,
                               Seconds mtime, const Limits& limits) {
  Sha256 hasher;
  GzipWriter gzip;
  TarWriter tar(hasher, gzip);
  const bool binary_names =
      !std::all_of(tree.begin(), tree.end(), [](const auto& item) { return is_ascii(item.first); });
  CL_CHECK(tar.open(binary_names));
  for (const auto& [path, entry] : tree) {
    auto content = content_of(entry, runtime, limits);
    if (!content.has_value())
      return std::move(content.error()).while_(cat("adding ", quote(path), " to the layer"));
    CL_CHECK(tar.add(path, entry, *content, mtime));
  }
  CL_CHECK(tar.close());
  PackedLayer out;
  out.diff_id = hasher.finish();
  CL_TRY(out.gzip, gzip.finish());
  out.digest = sha256(out.gzip);
  return out;
}

}  // namespace cloister::manifest
