#include "cmd/report/cache.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

// "3 hours", the largest unit that fits.
std::string age(std::chrono::seconds passed) {
  struct Unit {
    std::int64_t seconds;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}};
  for (const Unit& unit : kUnits)
    if (const std::int64_t n = passed.count() / unit.seconds; n > 0)
      return cat(n, " ", unit.name, n == 1 ? "" : "s");
  return "now";
}

std::string needs(const oci::StoredImage& image) {
  if (image.missing_blobs == 0) return "complete";
  return cat("needs ", image.missing_blobs, image.missing_blobs == 1 ? " blob, " : " blobs, ",
             human_bytes(image.missing_bytes));
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

}  // namespace

std::string cache_list_text(const oci::StoreContents& contents, std::uint64_t keep, Seconds now) {
  std::vector<std::string> names;
  std::size_t width = 4;
  for (const oci::StoredImage& image : contents.images) {
    names.push_back(image.name.empty() ? "(no name)" : printable(image.name));
    width = std::max(width, std::min<std::size_t>(names.back().size(), 60));
  }
  std::string out;
  for (std::size_t i = contents.images.size(); i-- > 0;) {  // the latest first
    const oci::StoredImage& image = contents.images[i];
    out += cat(padded(names[i], width), "  ", image.manifest.hex().substr(0, 12), "  ",
               padded(image.last_used ? age(now - *image.last_used) : "unknown", 10), "  ",
               padded(human_bytes(image.bytes), 10), "  ", needs(image), "\n");
  }
  const std::uint64_t all = contents.blob_bytes + contents.derived_bytes;
  out += cat(contents.images.size(), contents.images.size() == 1 ? " image, " : " images, ",
             contents.blobs, " blobs: ", human_bytes(all), " of ", human_bytes(keep), " (",
             human_bytes(contents.derived_bytes), " indexes, ", human_bytes(contents.loose_bytes),
             " of no image)\n");
  return out;
}

std::string cache_names_text(const oci::StoreContents& contents) {
  std::string out;
  for (std::size_t i = contents.images.size(); i-- > 0;)
    if (!contents.images[i].name.empty()) out += printable(contents.images[i].name) + "\n";
  return out;
}

std::string cache_list_json(const oci::StoreContents& contents, std::uint64_t keep) {
  OrderedJson images = OrderedJson::array();
  for (const oci::StoredImage& image : contents.images)
    images.push_back({{"name", printable(image.name)},
                      {"digest", image.manifest.str()},
                      {"lastUsed", image.last_used ? OrderedJson(format_rfc3339(*image.last_used))
                                                   : OrderedJson(nullptr)},
                      {"blobs", image.blobs},
                      {"bytes", image.bytes},
                      {"missingBlobs", image.missing_blobs},
                      {"missingBytes", image.missing_bytes}});
  const OrderedJson json = {{"images", std::move(images)},
                            {"blobs", contents.blobs},
                            {"blobBytes", contents.blob_bytes},
                            {"looseBytes", contents.loose_bytes},
                            {"derivedBytes", contents.derived_bytes},
                            {"keepBytes", keep}};
  return dump_json_pretty(json) + "\n";
}

std::string cache_prune_text(const oci::PruneResult& pruned) {
  return cat("removed ", pruned.images, pruned.images == 1 ? " image and " : " images and ",
             pruned.blobs, pruned.blobs == 1 ? " blob: " : " blobs: ", human_bytes(pruned.freed),
             "; ", human_bytes(pruned.left), " left\n");
}

std::string cache_prune_json(const oci::PruneResult& pruned) {
  const OrderedJson json = {{"removedImages", pruned.images},
                            {"removedBlobs", pruned.blobs},
                            {"freedBytes", pruned.freed},
                            {"leftBytes", pruned.left}};
  return dump_json_pretty(json) + "\n";
}

std::string cache_verify_text(const oci::VerifyResult& verified, const IndexCheck& indexes,
                              bool repaired) {
  std::string out;
  for (const oci::DamagedBlob& blob : verified.damaged)
    out += cat(repaired ? "removed " : "damaged ", printable(blob.file), ": ", blob.why, "\n");
  out += cat(
      verified.blobs, " blobs, ", human_bytes(verified.bytes), ": ",
      verified.damaged.empty() ? std::string("intact") : cat(verified.damaged.size(), " damaged"),
      "; ", indexes.usable, " layer indexes");
  if (indexes.stale > 0) out += cat(", ", indexes.stale, " to be made again");
  return out + "\n";
}

std::string cache_verify_json(const oci::VerifyResult& verified, const IndexCheck& indexes,
                              bool repaired) {
  OrderedJson damaged = OrderedJson::array();
  for (const oci::DamagedBlob& blob : verified.damaged)
    damaged.push_back({{"file", printable(blob.file)}, {"reason", blob.why}});
  const OrderedJson json = {{"blobs", verified.blobs},       {"bytes", verified.bytes},
                            {"damaged", std::move(damaged)}, {"repaired", repaired},
                            {"indexes", indexes.usable},     {"staleIndexes", indexes.stale}};
  return dump_json_pretty(json) + "\n";
}

}  // namespace cloister::cmd
