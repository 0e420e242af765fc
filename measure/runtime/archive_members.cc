// libarchive pulls its input by a callback and knows only its own error texts: the error of our
// Source is kept aside, and returned instead of "read failed" when there is one.
//
// Each reader enables one format and one filter. libarchive would otherwise guess, and a package
// member that calls itself xz could be anything.
#include "measure/runtime/archive_members.h"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <optional>

#include "base/text.h"

namespace cloister::measure {
namespace {

class ArchiveInput {
 public:
  ArchiveInput(Source& inner, std::string what)
      : inner_(inner), what_(std::move(what)), archive_(archive_read_new()) {}
  ~ArchiveInput() { archive_read_free(archive_); }
  ArchiveInput(const ArchiveInput&) = delete;
  ArchiveInput& operator=(const ArchiveInput&) = delete;

  archive* get() const { return archive_; }
  const std::string& what() const { return what_; }

  Status open() {
    if (archive_ == nullptr) return Error::internal("libarchive has no memory");
    if (archive_read_open(archive_, this, nullptr, feed, nullptr) != ARCHIVE_OK) return failure();
    return {};
  }

  Error failure() {
    if (error_) return std::move(*error_);
    const char* text = archive_error_string(archive_);
    return Error::corrupt(cat(what_, " is damaged"))
        .detail(printable(text == nullptr ? "truncated or malformed" : text));
  }

 private:
  static la_ssize_t feed(archive* handle, void* self, const void** data) {
    auto& input = *static_cast<ArchiveInput*>(self);
    auto size = input.inner_.read(input.buffer_);
    if (!size.has_value()) {
      input.error_ = std::move(size.error());
      archive_set_error(handle, EIO, "the input cannot be read");
      return -1;
    }
    *data = input.buffer_.data();
    return static_cast<la_ssize_t>(*size);
  }

  Source& inner_;
  std::string what_;
  Bytes buffer_ = Bytes(kStreamBuffer);
  std::optional<Error> error_;
  archive* archive_;
};

// The data of the current member.
class MemberSource final : public Source {
 public:
  explicit MemberSource(ArchiveInput& input) : input_(input) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    const la_ssize_t size = archive_read_data(input_.get(), out.data(), out.size());
    if (size < 0) return input_.failure();
    return static_cast<std::size_t>(size);
  }

 private:
  ArchiveInput& input_;
};

class LibarchiveAr final : public ArReader {
 public:
  LibarchiveAr(Source& inner, std::string what)
      : input_(inner, std::move(what)), content_(input_) {}

  Status open() {
    archive_read_support_format_ar(input_.get());
    return input_.open();
  }

  Result<std::string> next() override {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(input_.get(), &entry);
    if (status == ARCHIVE_EOF) return std::string();
    if (status != ARCHIVE_OK) return input_.failure();
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr || *name == '\0')
      return Error::corrupt(cat(input_.what(), " has a member without a name"));
    std::string out = name;
    if (out.size() > 1 && out.back() == '/') out.pop_back();
    return out;
  }

  Source& content() override { return content_; }

 private:
  ArchiveInput input_;
  MemberSource content_;
};

class XzSource final : public Source {
 public:
  XzSource(Source& inner, std::string what) : input_(inner, std::move(what)), content_(input_) {}

  Status open() {
    archive_read_support_filter_xz(input_.get());
    archive_read_support_format_raw(input_.get());
    CL_CHECK(input_.open());
    archive_entry* entry = nullptr;
    if (archive_read_next_header(input_.get(), &entry) != ARCHIVE_OK) return input_.failure();
    // Without the filter's bid the raw format would hand the bytes through as they are.
    if (archive_filter_code(input_.get(), 0) != ARCHIVE_FILTER_XZ)
      return Error::corrupt(cat(input_.what(), " is no xz stream"));
    return {};
  }

  Result<std::size_t> read(std::span<std::byte> out) override { return content_.read(out); }

 private:
  ArchiveInput input_;
  MemberSource content_;
};

}  // namespace

Result<std::unique_ptr<ArReader>> open_ar(Source& inner, std::string what) {
  auto reader = std::make_unique<LibarchiveAr>(inner, std::move(what));
  CL_CHECK(reader->open());
  return std::unique_ptr<ArReader>(std::move(reader));
}

Result<std::unique_ptr<Source>> make_xz_source(Source& inner, std::string what) {
  auto source = std::make_unique<XzSource>(inner, std::move(what));
  CL_CHECK(source->open());
  return std::unique_ptr<Source>(std::move(source));
}

}  // namespace cloister::measure
