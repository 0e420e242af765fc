// Choosing one entry of an index (image-index.md, "platform").
//
// Variants are compared after containerd's normalisation: arm64 is arm64/v8 and amd64 is amd64/v1.
#include <algorithm>

#include "base/text.h"
#include "oci/documents/image.h"

namespace cloister::oci {
namespace {

std::string_view variant_of(const Platform& p) {
  if ((p.architecture == "arm64" && p.variant == "v8") ||
      (p.architecture == "amd64" && p.variant == "v1"))
    return "";
  return p.variant;
}

bool is_attestation(const Descriptor& entry) {
  const auto it = entry.annotations.find("vnd.docker.reference.type");
  return (it != entry.annotations.end() && it->second == "attestation-manifest") ||
         (entry.platform &&
          (entry.platform->os == "unknown" || entry.platform->architecture == "unknown"));
}

// An entry of another type (an SBOM, a signature) is not a platform's image.
bool may_be_image(const Descriptor& entry) {
  const bool typed =
      entry.media_type.empty() || is_index(entry.media_type) || is_image_manifest(entry.media_type);
  return typed && !is_attestation(entry);
}

bool names_platform(const Descriptor& entry) {
  return entry.platform && !(entry.platform->os.empty() && entry.platform->architecture.empty());
}

// 0: no match; higher is better.
int rank(const Platform& have, const Platform& want) {
  if (have.os != want.os || have.architecture != want.architecture) return 0;
  if (variant_of(have) == variant_of(want)) return 3;
  if (variant_of(have).empty()) return 2;
  return variant_of(want).empty() ? 1 : 0;
}

Error no_match(const ImageIndex& index, const Platform& want) {
  constexpr std::size_t kShown = 24;
  std::vector<std::string> names;
  std::size_t unnamed = 0;
  for (const Descriptor& entry : index.manifests) {
    if (!may_be_image(entry)) continue;
    if (names_platform(entry))
      names.push_back(printable(entry.platform->str()));
    else
      ++unnamed;
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const std::size_t more = names.size() > kShown ? names.size() - kShown : 0;
  const std::string first = names.empty() ? std::string() : names.front();
  names.resize(names.size() - more);
  Error error = Error::not_found(cat("there is no image for ", printable(want.str())));
  if (!names.empty())
    error = std::move(error).detail(
        cat("there are: ", join(names, ", "), more > 0 ? cat(" and ", more, " more") : ""));
  if (unnamed > 0)
    error = std::move(error).detail(cat(unnamed, " entries do not say their platform"));
  if (!first.empty())
    return std::move(error).hint(cat("choose one that exists, for example --platform ", first));
  if (unnamed > 0) return std::move(error).hint("name one manifest by its digest");
  return std::move(error).hint("the index is empty; name another tag");
}

}  // namespace

Result<std::vector<Descriptor>> platform_candidates(const ImageIndex& index, const Platform& want) {
  const Descriptor* best = nullptr;
  const Descriptor* unnamed = nullptr;
  std::vector<Descriptor> candidates;  // nested indexes first
  std::size_t unnamed_count = 0;
  int best_rank = 0;
  for (const Descriptor& entry : index.manifests) {
    if (!may_be_image(entry)) continue;
    if (!names_platform(entry)) {
      if (is_index(entry.media_type)) {
        candidates.push_back(entry);
        continue;
      }
      unnamed = &entry;
      ++unnamed_count;
      continue;
    }
    const int r = rank(*entry.platform, want);
    if (r > best_rank) {
      best = &entry;
      best_rank = r;
    }
  }
  if (best != nullptr) candidates.insert(candidates.begin(), *best);
  if (best == nullptr && unnamed_count == 1) candidates.push_back(*unnamed);
  if (candidates.empty()) return no_match(index, want);
  return candidates;
}

Result<Descriptor> select_platform(const ImageIndex& index, const Platform& want) {
  CL_TRY(std::vector<Descriptor> candidates, platform_candidates(index, want));
  return std::move(candidates.front());
}

}  // namespace cloister::oci
