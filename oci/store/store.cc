// The store: a layout directory with a place for unfinished and for derived data.
//
// Which temporary files are stale cannot be told by their age without asking the clock, and not by
// process ids across containers. Instead everybody who has the store open holds a shared lock, and
// whoever gets it exclusively for a moment knows that every file in tmp is nobody's.
#include "oci/store/store.h"

#include <algorithm>
#include <numeric>

#include "base/text.h"
#include "oci/documents/layout_index.h"
#include "oci/store/partial_blob.h"

namespace cloister::oci {
namespace {

void remove_files(const fs::path& directory) {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;  // what cannot be removed today is removed another day
    fs::remove(it->path(), ignored);
  }
}

Result<FileLock> enter(const fs::path& lock, const fs::path& temporary) {
  {
    CL_TRY(const auto alone, FileLock::try_acquire(lock, FileLock::Kind::exclusive));
    if (alone) remove_files(temporary);
  }
  return FileLock::acquire(lock, FileLock::Kind::shared);
}

Error absent(const Digest& digest) {
  return Error::not_found(cat("blob ", digest.str(), " is not in the store"))
      .hint("pull the image again");
}

}  // namespace

Result<Store> Store::open(const fs::path& directory) {
  const auto attempt = [&]() -> Result<Store> {
    const fs::path ours = directory / "cloister";
    CL_TRY(LayoutDirectory layout, LayoutDirectory::open(directory));
    CL_CHECK(make_directories(ours / "tmp"));
    layout.set_temporary(ours / "tmp");
    CL_TRY(FileLock in_use, enter(ours / "in-use", ours / "tmp"));
    return Store(std::move(layout), std::shared_ptr<Shared>(new Shared{std::move(in_use)}));
  };
  auto store = attempt();
  if (store.has_value()) return store;
  Error error =
      std::move(store).error().while_(cat("opening the store ", quote(directory.native())));
  if (error.code() == Code::io)
    return std::move(error).hint("choose a directory you can write to with --store");
  return error;
}

Status Store::put_blob(const Descriptor& descriptor, Source& source,
                       const std::function<void(std::size_t)>& on_bytes, CancelToken cancel) {
  shared_->grown = true;
  return layout_.put_blob(descriptor, source, on_bytes, cancel);
}

Status Store::fetch_blob(const Descriptor& descriptor, ImageTransport& transport,
                         const std::function<void(std::size_t)>& on_bytes, CancelToken cancel,
                         ArrivingBlob* arriving) {
  std::uint64_t told = 0;
  std::vector<std::string> others;
  for (;;) {
    std::uint64_t seen = 0;  // of this attempt; each byte is told once
    auto status = fetch_once(
        descriptor, transport,
        [&](std::size_t n) {
          seen += n;
          if (on_bytes && seen > told) on_bytes(static_cast<std::size_t>(seen - told));
          told = std::max(told, seen);
        },
        cancel, arriving);
    if (status.has_value()) return status;
    const Code code = status.error().code();
    const bool of_the_place = code == Code::corrupt || code == Code::unavailable ||
                              code == Code::not_found || code == Code::unauthorized;
    if (!of_the_place || !transport.pass_over(descriptor)) {
      Error error = std::move(status).error();
      for (const std::string& other : others)
        error = std::move(error).detail(cat("another place: ", other));
      return error;
    }
    others.push_back(status.error().what());
  }
}

Status Store::fetch_once(const Descriptor& descriptor, ImageTransport& transport,
                         const std::function<void(std::size_t)>& on_bytes, CancelToken cancel,
                         ArrivingBlob* arriving) {
  shared_->grown = true;
  if (transport.resumable() && descriptor.size >= PartialBlob::kLeast) {
    CL_TRY(const fs::path directory, derived_directory("partial"));
    CL_TRY(auto partial, PartialBlob::open(directory, descriptor.digest));
    if (partial)
      return partial->complete(
          descriptor, [&](std::uint64_t offset) { return transport.blob_from(descriptor, offset); },
          blob_path(descriptor.digest), on_bytes, cancel, arriving);
  }
  CL_TRY(const auto source, transport.blob(descriptor));
  return layout_.put_blob(descriptor, *source, on_bytes, cancel, arriving);
}

Result<Descriptor> Store::put_bytes(std::string_view media_type, ByteView bytes) {
  Descriptor descriptor = describe(media_type, as_text(bytes));
  MemorySource source(bytes);
  CL_CHECK(layout_.put_blob(descriptor, source, {}, {}));
  return descriptor;
}

Result<std::unique_ptr<Source>> Store::open_blob(const Descriptor& descriptor) const {
  if (!has_blob(descriptor.digest, descriptor.size)) return absent(descriptor.digest);
  CL_TRY(auto file, FileSource::open(blob_path(descriptor.digest)));
  return std::unique_ptr<Source>(std::move(file));
}

Result<Bytes> Store::read_blob(const Descriptor& descriptor, std::uint64_t max) const {
  const std::string what = cat("blob ", descriptor.digest.str());
  CL_TRY(auto source, open_blob(descriptor));
  VerifySource verified(*source, descriptor.digest, descriptor.size, what);
  return read_all(verified, max, what);
}

Status Store::tag(std::string_view name, const Descriptor& manifest) {
  const Limits limits;
  return layout_.change_index(
      [&](std::string_view text) -> Result<std::string> {
        CL_TRY(const ImageIndex index, parse_image_index(text, limits));
        const auto& entries = index.manifests;
        const Descriptor* named = find_ref_name(index, name);
        const bool last = !entries.empty() && named == &entries.back();
        if (last && named->digest == manifest.digest) return std::string(text);
        if (entries.size() < limits.index_manifests || named != nullptr)
          return with_ref_name(text, name, manifest, limits);
        std::vector<std::size_t> oldest(entries.size() - limits.index_manifests + 1);
        std::iota(oldest.begin(), oldest.end(), std::size_t{0});
        CL_TRY(const std::string room, without_entries(text, oldest, limits));
        return with_ref_name(room, name, manifest, limits);
      },
      limits);
}

Result<std::optional<Descriptor>> Store::find(std::string_view name) const {
  CL_TRY(const ImageIndex index, layout_.read_index(Limits()));
  const Descriptor* found = find_ref_name(index, name);
  return found == nullptr ? std::optional<Descriptor>() : std::optional<Descriptor>(*found);
}

Result<fs::path> Store::derived_directory(std::string_view name) const {
  fs::path path = directory() / "cloister" / name;
  CL_CHECK(make_directories(path));
  return path;
}

}  // namespace cloister::oci
