// oci:DIR[:tag].
//
// A new layout is made beside its final name and renamed when it is whole, so that a failing or
// killed build leaves no half-made directory under the name a script looks for. An existing layout
// is added to: blobs first, then index.json by rename, so that it is valid at any moment; blobs
// that a failed build has already added stay, complete but unnamed, because another process may
// have come to rely on them.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/text.h"
#include "oci/store/layout_directory.h"
#include "oci/write/destinations.h"
#include "oci/write/layout_entries.h"

namespace cloister::oci {
namespace {

// A directory beside its target that is removed unless it gets there.
class NewDirectory {
 public:
  static Result<NewDirectory> beside(const fs::path& target) {
    CL_CHECK(make_directories(target.parent_path()));
    CL_TRY(const Bytes random, random_bytes(8));
    fs::path path = target.parent_path() / cat(".tmp-", hex(std::span<const std::byte>(random)));
    if (::mkdir(path.c_str(), 0755) != 0)
      return Error::io_errno(cat("cannot create directory ", quote(path.native())), errno);
    return NewDirectory(std::move(path));
  }
  NewDirectory(NewDirectory&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  NewDirectory& operator=(NewDirectory&&) = delete;
  ~NewDirectory() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

  // False when the target has come into being meanwhile.
  Result<bool> move_to(const fs::path& target) {
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0) {
      if (errno == EEXIST || errno == ENOTEMPTY) return false;
      // A file system without RENAME_NOREPLACE: rename() replaces at worst an empty directory.
      if (errno != EINVAL || ::rename(path_.c_str(), target.c_str()) != 0)
        return Error::io_errno(cat("cannot create ", quote(target.native())), errno);
    }
    path_.clear();
    return true;
  }

 private:
  explicit NewDirectory(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

Status write_blob(const ImageContent& image, const Descriptor& blob, const LayoutDirectory& layout,
                  const WriteContext& context) {
  const std::string id = blob.digest.hex().substr(0, 12);
  context.progress.start(id, "writing", blob.size);
  if (layout.has_blob(blob.digest, blob.size)) {
    context.progress.finish(id, "already there");
    return {};
  }
  const auto copy = [&]() -> Status {
    CL_TRY(auto source, image.open(blob));
    return layout.put_blob(
        blob, *source, [&](std::size_t n) { context.progress.advance(id, n); }, context.cancel);
  };
  auto status = copy();
  context.progress.finish(id, status.has_value() ? "done" : "failed");
  return status;
}

Status fill_layout(const ImageContent& image, const fs::path& directory, const std::string& tag,
                   const WriteContext& context) {
  CL_TRY(const LayoutDirectory layout, LayoutDirectory::open(directory));
  CL_CHECK(context.pool.for_each(image.blobs.size(), [&](std::size_t i) {
    return write_blob(image, image.blobs[i], layout, context)
        .while_(cat("writing blob ", i + 1, " of ", image.blobs.size()));
  }));
  MemorySource manifest(as_bytes(image.manifest.text));
  for (const RawManifest* other : other_manifests(image)) {
    MemorySource text(as_bytes(other->text));
    CL_CHECK(layout.put_blob(other->descriptor, text, {}, context.cancel));
  }
  CL_CHECK(layout.put_blob(image.manifest.descriptor, manifest, {}, context.cancel));
  CL_CHECK(context.cancel.check());
  CL_TRY(const auto entries, layout_entries(image, tag, context.limits));
  return layout.tag(entries, context.limits);
}

Status write_directory(const ImageContent& image, const fs::path& target, const std::string& tag,
                       const WriteContext& context) {
  std::error_code error;
  if (fs::exists(target, error)) return fill_layout(image, target, tag, context);
  CL_TRY(NewDirectory made, NewDirectory::beside(target));
  CL_CHECK(fill_layout(image, made.path(), tag, context));
  CL_TRY(const bool moved, made.move_to(target));
  if (moved) return {};
  return fill_layout(image, target, tag, context);  // somebody else made it first: add to theirs
}

}  // namespace

Status write_layout(const ImageContent& image, const std::string& directory, const std::string& tag,
                    const WriteContext& context) {
  // Absolute and without a slash at the end, so that it has a parent and a name.
  std::error_code error;
  fs::path target = fs::absolute(directory, error).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  return write_directory(image, target, tag, context)
      .while_(cat("writing oci:", printable(directory)));
}

}  // namespace cloister::oci
