// One run of the program: options that mean the same everywhere, and what they open.
#pragma once

#include <CLI/App.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/limits.h"
#include "base/progress.h"
#include "base/result.h"
#include "base/thread_pool.h"
#include "cmd/environment.h"
#include "cmd/key_source.h"
#include "cmd/limit_options.h"
#include "cmd/progress.h"
#include "cmd/registry_access.h"
#include "measure/index/cache.h"
#include "measure/rootfs/rootfs.h"
#include "oci/registry/client.h"
#include "oci/store/collect.h"
#include "oci/store/store.h"
#include "oci/write/destinations.h"

namespace cloister::cmd {

// Of version.cc, which alone is compiled anew when it changes: "0.1.0", or what git says of a build
// between releases. A constant from the start, and no word of it needs quoting in any format.
extern const std::string_view kVersion;
// What servers are told that we are.
inline std::string user_agent() {
  return "cloister/" + std::string(kVersion);
}

struct CommonOptions {
  std::string store, progress = "auto";
  std::string platform;      // empty: linux/amd64, and `push` copies an index whole
  std::string keep = "20G";  // what the store may hold when the program ends
  bool offline = false;
  unsigned jobs = 0;  // 0: as many as the machine has processors
  unsigned parallel = 4;
  bool quiet = false, no_color = false;
  RegistryFlags registries;
  LimitFlags limits;
};

// Adds --quiet and --no-color; and, for commands that touch images, the rest of CommonOptions.
void add_output_options(CLI::App& app, CommonOptions& options);
void add_store_options(CLI::App& app, CommonOptions& options);    // what concerns the store alone
void add_network_options(CLI::App& app, CommonOptions& options);  // for servers, without images
void add_image_options(CLI::App& app, CommonOptions& options);

// An image whose layers are in the store, indexed and merged.
struct LoadedImage {
  oci::ImageRef ref;
  oci::Image image;
  std::shared_ptr<const measure::Rootfs> rootfs;
};

class Session {
 public:
  static Result<std::unique_ptr<Session>> create(const CommonOptions& options,
                                                 const Environment& env);
  // When this run added to the store, and nobody else has it open, the store is brought back under
  // --keep.
  ~Session();

  const Environment& env() const { return env_; }
  const Limits& limits() const { return limits_; }
  CancelToken cancel() const { return cancel_; }
  bool quiet() const { return options_.quiet; }
  bool color() const;  // for stderr
  Progress& progress() { return *progress_; }
  ThreadPool& pool() { return *pool_; }

  Result<oci::Store*> store();           // opened on first use
  Result<measure::IndexCache*> cache();  // likewise
  oci::FetchContext fetch_context();
  oci::WriteContext write_context();
  Result<const RegistryAccess*> registries();  // likewise

  Result<std::shared_ptr<oci::RegistryClient>> registry(const oci::RegistryRef& ref,
                                                        oci::Access access,
                                                        const std::string& mount_from = {});
  // For a server that is no registry; `whom` is for messages. `conflict` under --offline.
  Result<std::unique_ptr<http::Client>> http_client(std::string_view whom);
  // One per image and run: a daemon is asked for an image once. Lives as long as the session.
  Result<oci::ImageTransport*> transport(const oci::ImageRef& ref);

  // Whether --platform was given.
  bool platform_given() const { return !options_.platform.empty(); }
  const oci::Platform& platform() const { return platform_; }
  bool offline() const { return options_.offline; }
  fs::path store_directory() const;
  std::uint64_t keep() const { return keep_; }

  // Manifest and config only. Asked once: for one run a name stands for one image.
  Result<oci::Image> resolve(const oci::ImageRef& ref);
  // Everything: layers fetched and indexed in parallel, merged.
  Result<LoadedImage> load(const oci::ImageRef& ref);
  // The layers that `image` (resolved before, perhaps cut down) names, fetched, indexed, merged.
  Result<LoadedImage> load_layers(const oci::ImageRef& ref, oci::Image image);
  // Fetches (and verifies) the layers of an image into the store.
  Status fetch(const oci::ImageRef& ref, const oci::Image& image);
  // The image with all that belongs to it, in the store: an index with its children, unless
  // --platform chooses one; with `attached` signatures and the like.
  Result<oci::CollectedImage> collect(const oci::ImageRef& ref, bool attached);
  // Content of a layer in the store, for files that the index's pack does not hold.
  std::shared_ptr<const measure::LayerContent> content_of(const oci::Descriptor& layer);

  KeyContext key_context() const { return {env_, limits_, cancel_}; }

  // Text for the person in front of the terminal, on stderr, unless --quiet.
  void note(std::string_view text) const;

 private:
  void say_what_is_kept() const;
  Session(CommonOptions options, const Environment& env);
  Result<std::unique_ptr<oci::ImageTransport>> open_transport(const oci::ImageRef& ref);
  Result<std::unique_ptr<oci::ImageTransport>> open_from_store(const oci::ImageRef& ref);
  Result<oci::Image> resolve_with(oci::ImageTransport& transport, const oci::ImageRef& ref);
  Result<std::unique_ptr<oci::ImageTransport>> open_daemon(const oci::ImageRef& ref);
  Result<LoadedImage> load_from(oci::ImageTransport& transport, const oci::ImageRef& ref,
                                oci::Image image);
  Result<measure::IndexedLayer> indexed_layer(const oci::Image& image, std::size_t i,
                                              oci::ArrivingBlob& arriving);
  Result<measure::LayerIndex> index_layer(const oci::Descriptor& layer, const Digest& diff_id,
                                          oci::ArrivingBlob& arriving);

  CommonOptions options_;
  const Environment& env_;
  Limits limits_;
  CancelToken cancel_;
  oci::Platform platform_;
  std::uint64_t keep_ = 0;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<ProgressDisplay> progress_;
  std::unique_ptr<RegistryAccess> registries_;
  std::optional<oci::Store> store_;
  std::map<std::string, std::unique_ptr<oci::ImageTransport>> transports_;  // by ImageRef::str()
  std::map<std::string, oci::Image> resolved_;                              // by ImageRef::str()
  std::optional<measure::IndexCache> cache_;
};

}  // namespace cloister::cmd
