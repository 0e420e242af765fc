// Which mirror has an image is only known by asking. A tag is believed from whoever answers first,
// which is what naming a mirror means; everything after it is compared with a digest. Manifests are
// compared here; a blob by whoever stores it, who then has us pass over the place it came from.
#include "oci/registry/mirrors.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/text.h"

namespace cloister::oci {
namespace {

class MirroredTransport final : public ImageTransport {
 public:
  MirroredTransport(std::vector<PullSource> sources, OpenPullSource open)
      : sources_(std::move(sources)), open_(std::move(open)), opened_(sources_.size()) {}

  Result<RawManifest> root() override {
    return first<RawManifest>([](ImageTransport& place) { return place.root(); });
  }
  Result<RawManifest> manifest(const Descriptor& descriptor) override {
    return first<RawManifest>([&](ImageTransport& place) { return place.manifest(descriptor); });
  }
  Result<std::unique_ptr<Source>> blob(const Descriptor& descriptor) override {
    return blob_from(descriptor, 0);
  }
  bool resumable() const override { return true; }
  Result<std::unique_ptr<Source>> blob_from(const Descriptor& descriptor,
                                            std::uint64_t offset) override {
    BlobPlaces places;
    {
      const std::lock_guard lock(mutex_);
      places = blobs_[descriptor.digest];
    }
    std::size_t served = 0;
    auto source = first<std::unique_ptr<Source>>(
        [&](ImageTransport& place) { return place.blob_from(descriptor, offset); }, places.passed,
        &served);
    const std::lock_guard lock(mutex_);
    blobs_[descriptor.digest].served = served;
    return source;
  }
  bool pass_over(const Descriptor& descriptor) override {
    std::size_t served = 0;
    bool others = false;
    {
      const std::lock_guard lock(mutex_);
      BlobPlaces& places = blobs_[descriptor.digest];
      served = places.served;
      places.passed.insert(served);
      others = places.passed.size() < sources_.size();
    }
    move_on_from(served);
    return others;
  }
  // Mirrors hold images, and seldom what belongs to them: the place itself is asked, and a mirror
  // only when it cannot be.
  Result<std::vector<Attached>> attached(const Digest& subject) override {
    CL_TRY(const auto origin, place(sources_.size() - 1));
    auto answer = origin->attached(subject);
    if (answer.has_value() || answer.error().code() != Code::unavailable) return answer;
    return first<std::vector<Attached>>(
        [&](ImageTransport& place) { return place.attached(subject); });
  }

 private:
  using Places = std::set<std::size_t>;  // indices into sources_
  struct BlobPlaces {
    std::size_t served = 0;  // who was asked last
    Places passed;           // who gave something else
  };

  // Asks all places but `passed`, which are not all there are; `served` is told who answered.
  template <class T>
  Result<T> first(const std::function<Result<T>(ImageTransport&)>& ask, const Places& passed = {},
                  std::size_t* served = nullptr) {
    std::vector<std::pair<std::size_t, Error>> failed;
    const std::size_t begin = current();
    for (std::size_t n = 0; n < sources_.size(); ++n) {
      const std::size_t i = (begin + n) % sources_.size();
      if (passed.count(i) > 0) continue;
      if (served != nullptr) *served = i;
      auto answer = [&]() -> Result<T> {
        CL_TRY(const auto place, this->place(i));
        return ask(*place);
      }();
      if (answer.has_value() || answer.error().code() == Code::cancelled) return answer;
      move_on_from(i);
      failed.emplace_back(i, std::move(answer).error());
    }
    return together(std::move(failed));
  }

  // The word of the place itself, which comes last in sources_, and a line for each mirror.
  Error together(std::vector<std::pair<std::size_t, Error>> failed) const {
    std::sort(failed.begin(), failed.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    Error out = std::move(failed.back().second);
    failed.pop_back();
    for (const auto& [i, error] : failed)
      out =
          std::move(out).detail(cat("mirror ", quote(sources_[i].ref.name()), ": ", error.what()));
    return out;
  }

  std::size_t current() {
    std::lock_guard lock(mutex_);
    return current_;
  }
  void move_on_from(std::size_t i) {
    std::lock_guard lock(mutex_);
    if (current_ == i) current_ = (i + 1) % sources_.size();
  }
  Result<std::shared_ptr<ImageTransport>> place(std::size_t i) {
    std::lock_guard lock(mutex_);
    if (!opened_[i]) {
      CL_TRY(auto client, open_(sources_[i]));
      opened_[i] = make_registry_transport(std::move(client), sources_[i].ref);
    }
    return opened_[i];
  }

  const std::vector<PullSource> sources_;
  const OpenPullSource open_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<ImageTransport>> opened_;
  std::size_t current_ = 0;
  std::unordered_map<Digest, BlobPlaces> blobs_;
};

}  // namespace

std::unique_ptr<ImageTransport> make_mirrored_transport(std::vector<PullSource> sources,
                                                        OpenPullSource open) {
  return std::make_unique<MirroredTransport>(std::move(sources), std::move(open));
}

}  // namespace cloister::oci
