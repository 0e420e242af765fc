// One file per layer: 32 bytes of HMAC, then what it covers: u32 schema, 32 bytes of layer digest,
// the encoded index. The digest inside is what ties the file to its name: renaming one index over
// another does not help an attacker any more than changing it does.
#include "measure/index/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace cloister::measure {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::uint64_t kMaxFile = 4ULL << 30;

fs::path index_path(const fs::path& directory, const Digest& layer) {
  return directory / (layer.hex() + ".index");
}

// A secret that others can read, or that another user put there, authenticates nothing.
bool is_private(const fs::path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == ::geteuid() &&
         (info.st_mode & 077U) == 0;
}

std::optional<Bytes> read_secret(const fs::path& path) {
  if (!is_private(path)) return std::nullopt;
  auto bytes = read_file(path, kSecretBytes);
  if (!bytes.has_value() || bytes->size() != kSecretBytes) return std::nullopt;
  return std::move(*bytes);
}

Status make_state_directory(const fs::path& directory) {
  if (directory.has_parent_path()) CL_CHECK(make_directories(directory.parent_path()));
  return make_directories(directory, 0700);
}

// What the HMAC covers, without the index.
void put_head(ByteWriter& out, const Digest& layer) {
  out.u32(kLayerIndexSchema);
  out.bytes(layer.view());
}

}  // namespace

Result<IndexCache> IndexCache::open(const fs::path& directory, const fs::path& state_directory,
                                    const fs::path& store) {
  CL_CHECK(make_state_directory(state_directory));
  std::error_code error;
  fs::path real = fs::weakly_canonical(store, error);
  if (error) real = store;
  const std::string name = sha256(real.native()).hex().substr(0, 32);
  const fs::path path = state_directory / ("index-secret-" + name);

  // Two processes that start at once must end up with one secret.
  CL_TRY(const auto lock, FileLock::acquire(state_directory / "lock", FileLock::Kind::exclusive));
  if (auto secret = read_secret(path)) return IndexCache(directory, std::move(*secret));
  CL_TRY(Bytes secret, random_bytes(kSecretBytes));
  CL_CHECK(write_file_atomic(path, secret, 0600));
  return IndexCache(directory, std::move(secret));
}

std::optional<LayerIndex> IndexCache::load(const Digest& layer, const Limits& limits) const {
  const auto file = read_large_file(index_path(directory_, layer), kMaxFile);
  if (!file.has_value()) return std::nullopt;
  const ByteView bytes = file->view();
  const auto mac = slice(bytes, 0, sizeof(Digest::bytes));
  if (!mac) return std::nullopt;
  const ByteView covered = bytes.subspan(mac->size());
  if (!equal_constant_time(hmac_sha256(secret_, covered).view(), *mac)) return std::nullopt;

  ByteReader in(covered);
  const bool schema = in.u32() == kLayerIndexSchema;
  const ByteView digest = in.bytes(layer.bytes.size());
  if (!schema || !equal_constant_time(digest, layer.view())) return std::nullopt;
  auto index = decode_layer_index(file->of(in.bytes(in.remaining())), limits);
  if (!index.has_value() || index->blob != layer) return std::nullopt;
  return std::move(*index);
}

Status IndexCache::save(const LayerIndex& index) const {
  CL_CHECK(make_directories(directory_));
  ByteWriter covered;
  put_head(covered, index.blob);
  covered.bytes(encode_layer_index(index));
  // A damaged file is only computed again, so no flush.
  CL_TRY(TempFile out, TempFile::create(directory_));
  CL_CHECK(out.write(hmac_sha256(secret_, covered.view()).view()));
  CL_CHECK(out.write(covered.view()));
  return out.commit(index_path(directory_, index.blob), Durability::kill);
}

Result<IndexCache::Counts> IndexCache::check(bool remove_stale, const Limits& limits) const {
  Counts counts;
  std::vector<fs::path> stale;
  std::error_code error;
  for (fs::directory_iterator it(directory_, error), end; !error && it != end;
       it.increment(error)) {
    const auto layer = Digest::parse("sha256:" + it->path().stem().native());
    if (layer.has_value() && it->path() == index_path(directory_, *layer) && load(*layer, limits))
      ++counts.usable;
    else
      stale.push_back(it->path());
  }
  if (error) return Error::io_errno(cat("cannot list ", quote(directory_.native())), error.value());
  counts.stale = stale.size();
  if (!remove_stale) return counts;
  for (const fs::path& path : stale)
    if (!fs::remove(path, error) && error)
      return Error::io_errno(cat("cannot remove ", quote(path.native())), error.value());
  return counts;
}

}  // namespace cloister::measure
