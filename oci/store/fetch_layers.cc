// Layers into the store, each once, in parallel; a layer is handed on when its first bytes are
// there.
//
// Who reads a layer while it comes is a second task of the same pool, after the transfer's: where
// no thread is free the two run one after the other, so neither ever waits for a task that has not
// begun.
//
// Blobs are copied whatever the transport: a hard link to a local layout would let a later change
// of that layout change the store, and a reflink would still have to be read to be hashed, which is
// what the time goes to (the hash, not the write).
#include <algorithm>
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

// Holds one of a number of places while work is done.
Status with_place(std::counting_semaphore<>& places, const std::function<Status()>& work) {
  places.acquire();
  auto done = work();
  places.release();
  return done;
}

Status fetch_layer(const Descriptor& layer, ImageTransport& transport, Store& store,
                   const FetchContext& context, ArrivingBlob* arriving = nullptr) {
  const std::string id = layer.digest.hex().substr(0, 12);
  CL_CHECK(context.cancel.check());
  context.progress.start(id, "pulling", layer.size);
  if (store.has_blob(layer.digest, layer.size)) {
    context.progress.finish(id, "already there");
    return {};
  }
  const auto on_bytes = [&](std::size_t n) { context.progress.advance(id, n); };
  auto status = store.fetch_blob(layer, transport, on_bytes, context.cancel, arriving);
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
                    const FetchContext& context, const OnLayer& on_layer) {
  const std::vector<Descriptor>& layers = image.manifest.layers;
  const auto groups = group_by_digest(layers);
  // Enough threads for both, so that what has come is worked on while more is on its way, and each
  // kind of work within its own number.
  const std::size_t most = 2 * groups.size();
  ThreadPool threads(static_cast<unsigned>(
      std::min<std::size_t>(most, 2 * context.parallel + context.pool.jobs())));
  std::counting_semaphore<> transfers(static_cast<std::ptrdiff_t>(context.parallel));
  std::counting_semaphore<> work(static_cast<std::ptrdiff_t>(context.pool.jobs()));
  std::atomic<bool> failed{false};

  return threads.for_each(groups.size(), [&](std::size_t g) -> Status {
    const std::size_t first = groups[g].front();
    const Descriptor& layer = layers[first];
    ArrivingBlob arriving(store, layer, work);
    bool given_up = false;  // whoever failed is the answer
    const auto transfer = [&]() -> Status {
      auto status = with_place(transfers, [&]() -> Status {
        given_up = failed;
        if (given_up) return Error::cancelled();
        return fetch_layer(layer, transport, store, context, &arriving);
      });
      if (!status.has_value()) failed = true;
      arriving.finish(status);
      return advise(std::move(status), kFetchAdvice)
          .while_(
              cat("fetching layer ", first + 1, " of ", layers.size(), " of ", quote(image.name)));
    };
    const auto analyse = [&]() -> Status {
      arriving.wait_for_beginning();
      return with_place(work, [&]() -> Status {
        for (const std::size_t i : groups[g]) {
          if (failed) return {};
          CL_CHECK(on_layer(i, arriving));
        }
        return {};
      });
    };
    const std::size_t tasks = on_layer ? 2 : 1;
    auto done = threads.for_each(
        tasks, [&](std::size_t task) -> Status { return task == 0 ? transfer() : analyse(); });
    if (given_up) return {};
    return done;
  });
}

}  // namespace cloister::oci
