// When an image was used last is the time of its manifest's file: resolving an image writes its
// manifest again. The order is by that time, and among equals by index.json, whose last entry was
// named last.
//
// Nothing is removed while another process has the store open: it may rely on any blob it saw.
// Everybody holds a shared lock on cloister/in-use, so holding it exclusively is being alone.
#include "oci/store/housekeeping.h"

#include <sys/stat.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"

namespace cloister::oci {
namespace {

constexpr int kMaxStoredDepth = 4;

struct StoredFile {
  std::uint64_t bytes = 0;
  Seconds modified{};
  std::size_t users = 0;  // images that need it
};

std::optional<StoredFile> look_at(const fs::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return StoredFile{static_cast<std::uint64_t>(info.st_size),
                    Seconds(std::chrono::seconds(info.st_mtim.tv_sec)), 0};
}

std::optional<Digest> digest_of_name(const fs::path& path, std::string_view suffix) {
  std::string name = path.filename().native();
  if (!name.ends_with(suffix)) return std::nullopt;
  name.resize(name.size() - suffix.size());
  auto digest = Digest::parse("sha256:" + name);
  return digest.has_value() ? std::optional(*digest) : std::nullopt;
}

template <class Visit>
void each_file(const fs::path& directory, const Visit& visit) {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
    visit(it->path());
}

// The store as it lies on disk: files, and what the images of index.json need.
class StoreMap {
 public:
  static Result<StoreMap> read_store(const fs::path& directory, const Limits& limits);

  struct Entry {
    StoredImage image;
    std::size_t position = 0;  // in index.json
    std::vector<Descriptor> needs;
  };
  LayoutDirectory layout;
  std::vector<Entry> entries;  // the least recently used first
  std::unordered_map<Digest, StoredFile> blobs;
  std::unordered_map<Digest, std::uint64_t> indexes;      // of layers, by layer
  std::vector<std::pair<fs::path, std::uint64_t>> other;  // further derived data

  std::uint64_t bytes() const;
  fs::path index_path(const Digest& layer) const {
    return layout.directory() / "cloister" / "index" / (layer.hex() + ".index");
  }

 private:
  explicit StoreMap(LayoutDirectory opened) : layout(std::move(opened)) {}
  void list_files();
  void add_needs(const Descriptor& manifest, int depth, const Limits& limits,
                 std::unordered_set<Digest>& seen, std::vector<Descriptor>& needs) const;
  Entry make_entry(const Descriptor& manifest, std::size_t position, const Limits& limits);
};

void StoreMap::list_files() {
  each_file(layout.directory() / "blobs" / "sha256", [&](const fs::path& path) {
    const auto digest = digest_of_name(path, "");
    const auto file = look_at(path);
    if (digest && file) blobs[*digest] = *file;
  });
  each_file(layout.directory() / "cloister" / "index", [&](const fs::path& path) {
    const auto layer = digest_of_name(path, ".index");
    const auto file = look_at(path);
    if (!file) return;
    if (layer)
      indexes[*layer] = file->bytes;
    else
      other.emplace_back(path, file->bytes);
  });
  each_file(layout.directory() / "cloister" / "partial", [&](const fs::path& path) {
    if (const auto file = look_at(path)) other.emplace_back(path, file->bytes);
  });
}

// A damaged or foreign document needs nothing that we know of.
void StoreMap::add_needs(const Descriptor& manifest, int depth, const Limits& limits,
                         std::unordered_set<Digest>& seen, std::vector<Descriptor>& needs) const {
  if (!seen.insert(manifest.digest).second) return;
  needs.push_back(manifest);
  const auto text = read_text_file(layout.blob_path(manifest.digest), limits.manifest_bytes);
  if (!text.has_value() || depth == kMaxStoredDepth) return;
  if (const auto image = parse_image_manifest(*text, limits); image.has_value()) {
    for (const Descriptor& layer : image->layers)
      if (seen.insert(layer.digest).second) needs.push_back(layer);
    if (seen.insert(image->config.digest).second) needs.push_back(image->config);
  } else if (const auto index = parse_image_index(*text, limits); index.has_value()) {
    for (const Descriptor& child : index->manifests)
      add_needs(child, depth + 1, limits, seen, needs);
  }
}

StoreMap::Entry StoreMap::make_entry(const Descriptor& manifest, std::size_t position,
                                     const Limits& limits) {
  Entry entry;
  entry.position = position;
  const auto name = manifest.annotations.find(std::string(kRefName));
  if (name != manifest.annotations.end()) entry.image.name = name->second;
  entry.image.manifest = manifest.digest;
  std::unordered_set<Digest> seen;
  add_needs(manifest, 0, limits, seen, entry.needs);
  for (const Descriptor& blob : entry.needs) {
    const auto file = blobs.find(blob.digest);
    if (file != blobs.end() &&
        (file->second.bytes == blob.size || blob.digest == manifest.digest)) {
      ++entry.image.blobs;
      entry.image.bytes += file->second.bytes;
      ++file->second.users;
    } else {
      ++entry.image.missing_blobs;
      entry.image.missing_bytes += blob.size;
    }
  }
  const auto file = blobs.find(manifest.digest);
  if (file != blobs.end()) entry.image.last_used = file->second.modified;
  return entry;
}

Result<StoreMap> StoreMap::read_store(const fs::path& directory, const Limits& limits) {
  std::error_code error;
  if (!fs::exists(directory / "oci-layout", error))
    return Error::not_found(cat("there is no store ", quote(directory.native())))
        .hint("the first pull makes it; another one is named with --store");
  CL_TRY(LayoutDirectory layout, LayoutDirectory::open(directory));
  layout.set_temporary(directory / "cloister" / "tmp");
  StoreMap map(std::move(layout));
  CL_TRY(const ImageIndex index, map.layout.read_index(limits));
  map.list_files();
  for (std::size_t i = 0; i < index.manifests.size(); ++i)
    map.entries.push_back(map.make_entry(index.manifests[i], i, limits));
  std::stable_sort(map.entries.begin(), map.entries.end(), [](const Entry& a, const Entry& b) {
    return a.image.last_used < b.image.last_used;
  });
  return map;
}

std::uint64_t StoreMap::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [digest, file] : blobs) sum += file.bytes;
  for (const auto& [digest, size] : indexes) sum += size;
  for (const auto& [path, size] : other) sum += size;
  return sum;
}

// Decides first, then removes: names, then files.
class Pruner {
 public:
  Pruner(StoreMap& map, std::uint64_t keep, const Limits& limits)
      : map_(map), keep_(keep), limits_(limits) {
    result_.left = map.bytes();
  }
  Result<PruneResult> prune(bool loose);

 private:
  void drop_loose();
  void drop_image(const StoreMap::Entry& entry);
  void drop_blob(const Digest& digest);
  void drop_file(const fs::path& path, std::uint64_t bytes) {
    files_.push_back(path);
    result_.left -= bytes;
    result_.freed += bytes;
  }

  StoreMap& map_;
  const std::uint64_t keep_;
  const Limits& limits_;
  PruneResult result_;
  std::vector<std::size_t> names_;
  std::vector<fs::path> files_;
};

void Pruner::drop_blob(const Digest& digest) {
  const auto file = map_.blobs.find(digest);
  if (file == map_.blobs.end()) return;
  ++result_.blobs;
  drop_file(map_.layout.blob_path(digest), file->second.bytes);
  map_.blobs.erase(file);
  if (const auto index = map_.indexes.find(digest); index != map_.indexes.end()) {
    drop_file(map_.index_path(digest), index->second);
    map_.indexes.erase(index);
  }
}

void Pruner::drop_loose() {
  for (const auto& [path, bytes] : map_.other) drop_file(path, bytes);
  map_.other.clear();
  std::vector<Digest> loose;
  for (const auto& [digest, file] : map_.blobs)
    if (file.users == 0) loose.push_back(digest);
  for (const Digest& digest : loose) drop_blob(digest);
  for (auto it = map_.indexes.begin(); it != map_.indexes.end();) {
    if (map_.blobs.contains(it->first)) {
      ++it;
      continue;
    }
    drop_file(map_.index_path(it->first), it->second);
    it = map_.indexes.erase(it);
  }
}

void Pruner::drop_image(const StoreMap::Entry& entry) {
  ++result_.images;
  names_.push_back(entry.position);
  for (const Descriptor& blob : entry.needs) {
    const auto file = map_.blobs.find(blob.digest);
    if (file == map_.blobs.end() || file->second.users == 0) continue;
    if (--file->second.users == 0) drop_blob(blob.digest);
  }
}

Result<PruneResult> Pruner::prune(bool loose) {
  if (loose || result_.left > keep_) drop_loose();
  for (const StoreMap::Entry& entry : map_.entries) {
    if (result_.left <= keep_) break;
    drop_image(entry);
  }
  if (!names_.empty()) {
    std::sort(names_.begin(), names_.end());
    CL_CHECK(map_.layout.change_index(
        [&](std::string_view text) { return without_entries(text, names_, limits_); }, limits_));
  }
  for (const fs::path& path : files_) {
    std::error_code error;
    fs::remove(path, error);
    if (error)
      return Error::io_errno(cat("cannot remove ", quote(path.native())), error.value())
          .hint("the store belongs to somebody else, or its disk is read-only");
  }
  return result_;
}

}  // namespace

Result<StoreContents> list_store(const fs::path& directory, const Limits& limits) {
  CL_TRY(const StoreMap map, StoreMap::read_store(directory, limits));
  StoreContents out;
  for (const auto& entry : map.entries) out.images.push_back(entry.image);
  out.blobs = map.blobs.size();
  for (const auto& [digest, file] : map.blobs) {
    out.blob_bytes += file.bytes;
    if (file.users == 0) out.loose_bytes += file.bytes;
  }
  out.derived_bytes = map.bytes() - out.blob_bytes;
  return out;
}

Result<PruneResult> prune_store(const fs::path& directory, std::uint64_t keep, bool loose,
                                const Limits& limits) {
  std::error_code error;
  PruneResult nothing;
  const fs::path lock = directory / "cloister" / "in-use";
  if (!fs::exists(lock, error)) return nothing;  // never used
  CL_TRY(const auto alone, FileLock::try_acquire(lock, FileLock::Kind::exclusive));
  if (!alone) {
    nothing.busy = true;
    return nothing;
  }
  CL_TRY(StoreMap map, StoreMap::read_store(directory, limits));
  return Pruner(map, keep, limits).prune(loose).while_(cat("pruning ", quote(directory.native())));
}

Result<VerifyResult> verify_store(const fs::path& directory, bool repair, ThreadPool& pool,
                                  Progress& progress, CancelToken cancel, const Limits& limits) {
  CL_TRY(const StoreMap map, StoreMap::read_store(directory, limits));
  std::vector<fs::path> files;
  each_file(directory / "blobs" / "sha256", [&](const fs::path& path) { files.push_back(path); });
  std::sort(files.begin(), files.end());
  VerifyResult result;
  result.blobs = files.size();
  std::mutex mutex;
  const auto check = [&](std::size_t i) -> Status {
    const fs::path& path = files[i];
    const auto want = digest_of_name(path, "");
    const auto file = look_at(path);
    std::string why;
    if (!want || !file) {
      why = "no blob of ours";
    } else {
      const std::string id = want->hex().substr(0, 12);
      progress.start(id, "verifying", file->bytes);
      CL_TRY(auto source, FileSource::open(path));
      MeterSource metered(
          *source, [&](std::size_t n) { progress.advance(id, n); }, cancel);
      Sha256 hasher;
      HashSource hashed(metered, hasher);
      CL_CHECK(drain(hashed));
      const Digest got = hasher.finish();
      if (got != *want) why = cat("its content is ", got.str());
      progress.finish(id, why.empty() ? "intact" : "damaged");
    }
    const std::lock_guard lock(mutex);
    if (file) result.bytes += file->bytes;
    if (why.empty()) return {};
    result.damaged.push_back({path.filename().native(), why});
    if (!repair) return {};
    std::error_code error;
    fs::remove(path, error);
    if (!error) return {};
    return Error::io_errno(cat("cannot remove ", quote(path.native())), error.value());
  };
  CL_CHECK(pool.for_each(files.size(), check).while_(cat("verifying ", quote(directory.native()))));
  std::sort(result.damaged.begin(), result.damaged.end(),
            [](const DamagedBlob& a, const DamagedBlob& b) { return a.file < b.file; });
  return result;
}

}  // namespace cloister::oci
