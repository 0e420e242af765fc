// libarchive writes the headers; the content goes straight through it to the temporary file beside
// the target, which is renamed when it is whole.
#include "oci/write/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>

#include <optional>

#include "base/text.h"

namespace cloister::oci {
struct TarWriter::State {
  struct FreeArchive {
    void operator()(archive* a) const { archive_write_free(a); }
  };
  struct FreeEntry {
    void operator()(archive_entry* e) const { archive_entry_free(e); }
  };
  TempFile& file;
  bool abandoned = false;
  std::optional<Error> error;
  std::unique_ptr<archive, FreeArchive> writer;
  Bytes buffer;

  la_ssize_t pass_on(ByteView bytes) {
    if (abandoned) return -1;
    auto status = file.write(bytes);
    if (status.has_value()) return static_cast<la_ssize_t>(bytes.size());
    error = std::move(status).error().hint("free some space, or write to another directory");
    return -1;
  }
  Status check(int status) {
    if (status == ARCHIVE_OK) return {};
    return failure();
  }
  Error failure() {
    if (error) return std::move(*std::exchange(error, std::nullopt));
    const char* text = archive_error_string(writer.get());
    return Error::io(
        cat("cannot write a tar archive: ", printable(text == nullptr ? "no reason given" : text)));
  }
  Status header(const std::string& name, unsigned type, unsigned mode, std::uint64_t size) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    if (!entry) return Error::internal("libarchive gives no entry");
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), type);
    archive_entry_set_perm(entry.get(), static_cast<mode_t>(mode));
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    archive_entry_set_mtime(entry.get(), 0, 0);
    return check(archive_write_header(writer.get(), entry.get()));
  }
};

TarWriter::TarWriter(TempFile& file)
    : state_(new State{file, false, std::nullopt,
                       std::unique_ptr<archive, State::FreeArchive>(archive_write_new()),
                       Bytes(kStreamBuffer)}) {}

// Freeing an unfinished archive closes it, and that fills the current member up with zeros: up to
// all of a large blob. Refusing to take them ends it at the first.
TarWriter::~TarWriter() {
  state_->abandoned = true;
  state_->writer.reset();
}

Status TarWriter::open() {
  archive* writer = state_->writer.get();
  if (writer == nullptr) return Error::internal("libarchive gives no writer");
  archive_write_set_format_pax_restricted(writer);
  archive_write_add_filter_none(writer);
  archive_write_set_bytes_per_block(writer, 0);  // straight through: our pieces are large
  const auto write = [](archive*, void* self, const void* data, std::size_t size) -> la_ssize_t {
    return static_cast<State*>(self)->pass_on({static_cast<const std::byte*>(data), size});
  };
  return state_->check(archive_write_open(writer, state_.get(), nullptr, write, nullptr));
}

Status TarWriter::directory(const std::string& name) {
  return state_->header(name, AE_IFDIR, 0755, 0);
}

Status TarWriter::file(const std::string& name, std::uint64_t size, Source& content) {
  CL_CHECK(state_->header(name, AE_IFREG, 0644, size));
  for (;;) {
    CL_TRY(const std::size_t n, content.read(state_->buffer));
    if (n == 0) return {};
    if (archive_write_data(state_->writer.get(), state_->buffer.data(), n) < 0)
      return state_->failure();
  }
}

Status TarWriter::text(const std::string& name, std::string_view content) {
  MemorySource source(as_bytes(content));
  return file(name, content.size(), source);
}

Status TarWriter::close() {
  return state_->check(archive_write_close(state_->writer.get()));
}

Status write_tar_file(const std::string& target, std::string hint,
                      const std::function<Status(TarWriter&)>& fill) {
  std::error_code error;
  const fs::path path = fs::absolute(target, error).lexically_normal();
  if (fs::is_directory(path, error))
    return Error::invalid(cat(quote(path.native()), " is a directory")).hint(std::move(hint));
  CL_CHECK(make_directories(path.parent_path()));
  CL_TRY(TempFile file, TempFile::create(path.parent_path()));
  TarWriter tar(file);
  CL_CHECK(tar.open());
  CL_CHECK(fill(tar));
  CL_CHECK(tar.close());
  return file.commit(path, Durability::kill);
}

}  // namespace cloister::oci
