// Layers into the store, each once, in parallel; a layer is handed on the moment it is there.
//
// Blobs are copied whatever the transport: a hard link to a local layout would let a later change
// of that layout change the store, and a reflink would still have to be read to be hashed, which is
// what the time goes to (the hash, not the write).
#include <atomic>
#include <functional>
#include <semaphore>
#include <unordered_map>

#include "base/hint.h"
#include "base/text.h"
#include "oci/store/store.h"

namespace cloister::oci {
namespace {

// The positions of each distinct layer: the same blob may stand at several.
std::vector<std::vector<std::size_t>> group_by_digest(const std::vector<Descriptor>& layers) {
  std::vector<std::vector<std::size_t>> groups;
  std::unordered_map<Digest, std::size_t> seen;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto [it, added] = seen.emplace(layers[i].digest, groups.size());
    if (added) groups.emplace_back();
    groups[it->second].push_back(i);
  }
  return groups;
}

// A number of places, waited for.
class Slots {
 public:
  explicit Slots(unsigned count) : free_(static_cast<std::ptrdiff_t>(count)) {}
  Status run(const std::function<Status()>& work) {
    free_.acquire();
    auto done = work();
    free_.release();
    return done;
  }

 private:
  std::counting_semaphore<> free_;
};

Status fetch_layer(const Descriptor& layer, ImageTransport& transport, Store& store,
                   const FetchContext& context) {
  const std::string id = layer.digest.hex().substr(0, 12);
  CL_CHECK(context.cancel.check());
  context.progress.start(id, "pulling", layer.size);
  if (store.has_blob(layer.digest, layer.size)) {
    context.progress.finish(id, "already there");
    return {};
  }
  const auto on_bytes = [&](std::size_t n) { context.progress.advance(id, n); };
  const auto transfer = [&]() -> Status {
    if (transport.resumable())
      return store.continue_blob(layer, transport, on_bytes, context.cancel);
    CL_TRY(auto source, transport.blob(layer));
    return store.put_blob(layer, *source, on_bytes, context.cancel);
  };
  auto status = transfer();
  context.progress.finish(id, status.has_value() ? "done" : "failed");
  return status;
}

constexpr Advice kFetchAdvice{
    "the copy of the layer is damaged: copy or push the image anew",
    "such a layer is outside of what cloister accepts (base/limits.h); make a smaller one",
    "try again; if it stays, copy the image anew"};

}  // namespace

Status fetch_blobs(const std::vector<Descriptor>& blobs, ImageTransport& transport, Store& store,
                   const FetchContext& context) {
  ThreadPool threads(context.parallel);
  return threads.for_each(blobs.size(), [&](std::size_t i) -> Status {
    if (blobs[i].size > context.limits.blob_bytes)
      return Error::limit(cat("blob ", blobs[i].digest.str(), " is larger than the limit of ",
                              human_bytes(context.limits.blob_bytes)));
    return advise(fetch_layer(blobs[i], transport, store, context), kFetchAdvice)
        .while_(cat("fetching blob ", i + 1, " of ", blobs.size()));
  });
}

Status fetch_layers(const Image& image, ImageTransport& transport, Store& store,
                    const FetchContext& context,
                    const std::function<Status(std::size_t)>& on_layer) {
  const std::vector<Descriptor>& layers = image.manifest.layers;
  const auto groups = group_by_digest(layers);
  // Enough threads for both, so that what has come is worked on while more is on its way, and each
  // kind of work within its own number.
  ThreadPool threads(context.parallel + context.pool.jobs());
  Slots transfers(context.parallel), work(context.pool.jobs());
  std::atomic<bool> failed = false;
  return threads.for_each(groups.size(), [&](std::size_t g) -> Status {
    const std::size_t first = groups[g].front();
    auto status = transfers.run([&]() -> Status {
      if (failed) return {};  // whoever failed is the answer
      auto fetched = fetch_layer(layers[first], transport, store, context);
      if (!fetched.has_value()) failed = true;
      return fetched;
    });
    if (!status.has_value())
      return advise(std::move(status).error(), kFetchAdvice)
          .while_(
              cat("fetching layer ", first + 1, " of ", layers.size(), " of ", quote(image.name)));
    if (!on_layer || failed) return {};
    return work.run([&]() -> Status {
      for (const std::size_t i : groups[g]) CL_CHECK(on_layer(i));
      return {};
    });
  });
}

}  // namespace cloister::oci
