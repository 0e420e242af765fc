#include "cmd/session.h"

#include <CLI/CLI.hpp>  // all of it: App.hpp alone leaves the vtables of its formatter undefined

#include <algorithm>
#include <cstdio>
#include <thread>

#include "base/hint.h"
#include "base/text.h"
#include "cmd/option_heading.h"
#include "cmd/progress.h"
#include "measure/index/layer_index.h"
#include "measure/index/layer_limits.h"
#include "measure/rootfs/layer_content.h"
#include "oci/source/docker_daemon.h"
#include "oci/source/open.h"
#include "oci/store/housekeeping.h"
#include "oci/store/stored_export.h"

namespace cloister::cmd {
namespace {

constexpr Advice kLayerAdvice{
    "the layer itself is damaged: build or copy the image anew, and compare with umoci unpack",
    "such a layer is outside of what cloister accepts (base/limits.h); make a smaller one",
    "no container runtime can be relied on with such a layer; build the image anew"};

}  // namespace

namespace {

void add_offline_option(CLI::App& app, CommonOptions& options) {
  OptionHeading heading(app, kHeadingRegistry);
  app.add_flag("--offline", options.offline,
               "Make no network connection: registry images come from the store")
      ->envname("CLOISTER_OFFLINE");
}

}  // namespace

void add_output_options(CLI::App& app, CommonOptions& options) {
  OptionHeading heading(app, kHeadingOutput);
  app.add_flag("-q,--quiet", options.quiet, "Print the result alone")->envname("CLOISTER_QUIET");
  app.add_flag("--no-color", options.no_color, "No colours (also: NO_COLOR in the environment)");
}

void add_store_options(CLI::App& app, CommonOptions& options) {
  add_output_options(app, options);
  OptionHeading heading(app, kHeadingStore);
  app.add_option("--store", options.store,
                 "Local store, an OCI layout (default: $XDG_CACHE_HOME/cloister)")
      ->type_name("DIR")
      ->envname("CLOISTER_STORE");
  app.add_option("--keep", options.keep,
                 "Bytes the store may hold (K, M, G): what was used least recently goes first")
      ->type_name("SIZE")
      ->envname("CLOISTER_KEEP")
      ->capture_default_str();
  app.add_option("-j,--jobs", options.jobs, "Threads (default: the number of processors)")
      ->envname("CLOISTER_JOBS")
      ->check(CLI::Range(1U, 1024U));
  OptionHeading output(app, kHeadingOutput);
  app.add_option("--progress", options.progress,
                 "How progress is shown; auto: tty on a terminal, else plain")
      ->envname("CLOISTER_PROGRESS")
      ->check(CLI::IsMember({"auto", "plain", "tty", "none"}))
      ->capture_default_str();
}

void add_network_options(CLI::App& app, CommonOptions& options) {
  add_output_options(app, options);
  add_offline_option(app, options);
  add_tls_option(app, options.registries);
}

void add_image_options(CLI::App& app, CommonOptions& options) {
  add_store_options(app, options);
  OptionHeading heading(app, kHeadingRegistry);
  app.add_option("--parallel", options.parallel, "Blobs to transfer at one time")
      ->envname("CLOISTER_PARALLEL")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
  app.add_option("--platform", options.platform,
                 "Platform to take from a multi-platform image (default: linux/amd64)")
      ->type_name("OS/ARCH")
      ->envname("CLOISTER_PLATFORM");
  add_offline_option(app, options);
  add_limit_options(app, options.limits);
  add_registry_options(app, options.registries);
}

Session::Session(CommonOptions options, const Environment& env)
    : options_(std::move(options)), env_(env), cancel_(env.interrupted) {}

Result<std::unique_ptr<Session>> Session::create(const CommonOptions& options,
                                                 const Environment& env) {
  std::unique_ptr<Session> session(new Session(options, env));
  CL_TRY(session->platform_,
         oci::parse_platform(options.platform.empty() ? "linux/amd64" : options.platform));
  CL_TRY(session->keep_, parse_size_option("--keep", options.keep));
  CL_TRY(session->limits_, make_limits(options.limits));
  const unsigned jobs =
      options.jobs > 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency());
  session->pool_ = std::make_unique<ThreadPool>(jobs);
  const bool terminal = env.stderr_tty && env.get("TERM") != "dumb";
  ProgressMode mode = terminal ? ProgressMode::tty : ProgressMode::plain;
  if (options.progress == "plain") mode = ProgressMode::plain;
  if (options.progress == "tty") mode = ProgressMode::tty;
  if (options.progress == "none" || options.quiet) mode = ProgressMode::none;
  session->progress_ = make_progress(mode);
  return session;
}

Session::~Session() {
  const bool grown = store_ && store_->has_grown();
  const fs::path directory = store_ ? store_->directory() : fs::path();
  if (store_ && cancel_.cancelled()) say_what_is_kept();
  transports_.clear();
  cache_.reset();
  store_.reset();
  if (!grown) return;
  const auto pruned = oci::prune_store(directory, keep_, /*loose=*/false, limits_);
  if (pruned.has_value() && pruned->freed > 0)
    note(cat("the store kept to ", human_bytes(keep_), " (--keep): ", human_bytes(pruned->freed),
             " of what was used least recently are gone"));
}

// After Ctrl-C: whether what has been waited for is lost.
void Session::say_what_is_kept() const {
  std::uint64_t unfinished = 0;
  std::error_code error;
  for (fs::directory_iterator file(store_->directory() / "cloister" / "partial", error), end;
       !error && file != end; file.increment(error)) {
    std::error_code unknown;
    const std::uint64_t size = file->file_size(unknown);
    if (!unknown) unfinished += size;
  }
  const std::string where = quote(store_->directory().native());
  if (unfinished > 0)
    note(cat("kept in ", where, ": ", human_bytes(unfinished), " of unfinished transfers",
             store_->has_grown() ? " and what was complete" : "",
             "; the same command goes on where it was"));
  else if (store_->has_grown())
    note(cat("kept in ", where, ": what was complete; the same command needs only the rest"));
}

fs::path Session::store_directory() const {
  return options_.store.empty() ? fs::path(env_.cache_directory()) : fs::path(options_.store);
}

bool Session::color() const {
  return env_.stderr_tty && !options_.no_color && !env_.get("NO_COLOR");
}

void Session::note(std::string_view text) const {
  if (!options_.quiet) progress_->say(text);
}

Result<oci::Store*> Session::store() {
  if (!store_) {
    CL_TRY(oci::Store opened, oci::Store::open(store_directory()));
    store_.emplace(std::move(opened));
  }
  return &*store_;
}

Result<measure::IndexCache*> Session::cache() {
  if (!cache_) {
    CL_TRY(oci::Store * store, this->store());
    CL_TRY(const fs::path directory, store->derived_directory("index"));
    CL_TRY(measure::IndexCache opened,
           measure::IndexCache::open(directory, env_.state_directory(), store->directory()));
    cache_.emplace(std::move(opened));
  }
  return &*cache_;
}

oci::FetchContext Session::fetch_context() {
  return {limits_, *pool_, *progress_, cancel_, platform_, options_.parallel};
}

oci::WriteContext Session::write_context() {
  return {limits_, *pool_, *progress_, cancel_, options_.parallel};
}

Result<const RegistryAccess*> Session::registries() {
  if (!registries_) {
    CL_TRY(registries_, RegistryAccess::load(options_.registries, env_, limits_, cancel_));
  }
  return registries_.get();
}

Result<std::shared_ptr<oci::RegistryClient>> Session::registry(const oci::RegistryRef& ref,
                                                               oci::Access access,
                                                               const std::string& mount_from) {
  if (options_.offline)
    return Error::conflict(cat("--offline allows no connection to ", quote(ref.registry)))
        .hint("leave out --offline, or name a layout or an archive");
  CL_TRY(const RegistryAccess* access_to, registries());
  return access_to->client(ref, access, mount_from);
}

Result<std::unique_ptr<http::Client>> Session::http_client(std::string_view whom) {
  if (options_.offline)
    return Error::conflict(cat("--offline allows no connection to ", quote(whom)))
        .hint("leave out --offline, or name files");
  CL_TRY(const RegistryAccess* access_to, registries());
  return http::Client::create(access_to->http_options(), limits_, cancel_);
}

Result<oci::ImageTransport*> Session::transport(const oci::ImageRef& ref) {
  auto& kept = transports_[ref.str()];
  if (!kept) {
    CL_TRY(kept, open_transport(ref));
  }
  return kept.get();
}

Result<std::unique_ptr<oci::ImageTransport>> Session::open_transport(const oci::ImageRef& ref) {
  switch (ref.transport) {
    case oci::Transport::layout:
      return oci::open_layout(ref, limits_);
    case oci::Transport::archive:
      return oci::open_archive(ref, limits_);
    case oci::Transport::docker_archive:
      return oci::open_docker_archive(ref, limits_);
    case oci::Transport::docker_daemon:
      return open_daemon(ref);
    case oci::Transport::registry:
      break;
  }
  if (options_.offline) return open_from_store(ref);
  CL_TRY(const RegistryAccess* access_to, registries());
  return access_to->transport(ref.registry);
}

Result<std::unique_ptr<oci::ImageTransport>> Session::open_daemon(const oci::ImageRef& ref) {
  oci::DaemonOptions options;
  CL_TRY(options.socket, oci::find_daemon_socket(env_.variables));
  options.user_agent = user_agent();
  CL_TRY(oci::Store * store, this->store());
  CL_TRY(const auto id, oci::daemon_image_id(ref, options, limits_, cancel_));
  if (id) {
    if (auto kept = oci::open_stored_export(*store, *id, limits_)) return kept;
  }
  CL_TRY(TempFile spool, store->make_temporary());
  return oci::open_docker_daemon(ref, options, std::move(spool), limits_, *progress_, cancel_);
}

// What an earlier run fetched under this name or digest.
Result<std::unique_ptr<oci::ImageTransport>> Session::open_from_store(const oci::ImageRef& ref) {
  CL_TRY(oci::Store * store, this->store());
  oci::ImageRef kept;
  kept.transport = oci::Transport::layout;
  kept.path = store->directory().native();
  kept.tag = ref.registry.str();
  kept.digest = ref.registry.digest;
  return oci::open_layout(kept, limits_);
}

// An image that was used has a name in the store: `cache ls` shows it, --offline finds it, and
// pruning knows what belongs to it.
Result<oci::Image> Session::resolve_with(oci::ImageTransport& transport, const oci::ImageRef& ref) {
  const auto known = resolved_.find(ref.str());
  if (known != resolved_.end()) return known->second;
  CL_TRY(oci::Store * store, this->store());
  CL_TRY(oci::Image image, oci::resolve_image(ref, transport, *store, fetch_context()));
  CL_CHECK(store->tag(ref.str(), image.manifest_descriptor));
  return resolved_.emplace(ref.str(), std::move(image)).first->second;
}

Result<oci::CollectedImage> Session::collect(const oci::ImageRef& ref, bool attached) {
  CL_TRY(oci::Store * store, this->store());
  CL_TRY(oci::ImageTransport * transport, this->transport(ref));
  if (platform_given()) {
    CL_TRY(const oci::Image image, resolve_with(*transport, ref));
    return oci::collect_manifest(ref, image.manifest_descriptor, *transport, *store,
                                 fetch_context(), attached);
  }
  CL_TRY(oci::CollectedImage all,
         oci::collect_image(ref, *transport, *store, fetch_context(), attached));
  CL_CHECK(store->tag(ref.str(), all.root.descriptor));
  return all;
}

Result<oci::Image> Session::resolve(const oci::ImageRef& ref) {
  CL_TRY(oci::ImageTransport * transport, this->transport(ref));
  return resolve_with(*transport, ref);
}

Status Session::fetch(const oci::ImageRef& ref, const oci::Image& image) {
  CL_TRY(oci::Store * store, this->store());
  CL_TRY(oci::ImageTransport * transport, this->transport(ref));
  return oci::fetch_layers(image, *transport, *store, fetch_context());
}

std::shared_ptr<const measure::LayerContent> Session::content_of(const oci::Descriptor& layer) {
  const auto compression = oci::layer_compression(layer.media_type).value_or(Compression::none);
  return measure::make_tar_content([store = &*store_, layer] { return store->open_blob(layer); },
                                   compression, limits_);
}

// A parse that ran ahead of the layer's digest counts only when that turned out to be right; when
// the transfer began anew meanwhile, so does the parse.
Result<measure::LayerIndex> Session::index_layer(const oci::Descriptor& layer,
                                                 const Digest& diff_id,
                                                 oci::ArrivingBlob& arriving) {
  const auto compression = oci::layer_compression(layer.media_type).value_or(Compression::none);
  const std::string id = layer.digest.hex().substr(0, 12);
  if (!arriving.ended()) {  // shown as being pulled
    CL_TRY(const auto blob, arriving.open());
    auto made = measure::index_layer(*blob, compression, diff_id, limits_, cancel_);
    CL_TRY(const bool same, arriving.settled());
    if (same) {
      progress_->start(id, "indexing", layer.size);
      progress_->finish(id, made.has_value() ? "done" : "failed");
      return made;
    }
  }
  progress_->start(id, "indexing", layer.size);
  CL_TRY(const auto blob, store_->open_blob(layer));
  MeterSource metered(
      *blob, [&](std::size_t n) { progress_->advance(id, n); }, cancel_);
  auto made = measure::index_layer(metered, compression, diff_id, limits_, cancel_);
  progress_->finish(id, made.has_value() ? "done" : "failed");
  return made;
}

Result<measure::IndexedLayer> Session::indexed_layer(const oci::Image& image, std::size_t i,
                                                     oci::ArrivingBlob& arriving) {
  const oci::Descriptor& layer = image.manifest.layers[i];
  const Digest& diff_id = image.config.diff_ids[i];
  const std::string doing = cat("indexing layer ", i + 1, " of ", image.manifest.layers.size(),
                                " of ", quote(image.name));
  CL_TRY(measure::IndexCache * cache, this->cache());
  auto index = cache->load(layer.digest, limits_);
  // The cache knows layers; which diffID the image claims for one is the image's word.
  if (index && index->diff_id != diff_id)
    return Error::corrupt(
               cat("layer ", layer.digest.str(), " is not what the image configuration says"))
        .detail(cat("got diffID ", index->diff_id.str(), ", want ", diff_id.str()))
        .hint("the image's configuration belongs to other layers; build the image anew")
        .while_(doing);
  if (index) CL_CHECK(measure::check_limits(*index, layer.size, limits_).while_(doing));
  if (!index) {
    auto made = index_layer(layer, diff_id, arriving);
    if (!made.has_value()) return advise(std::move(made).error(), kLayerAdvice).while_(doing);
    made->blob = layer.digest;
    CL_CHECK(cache->save(*made));
    index = std::move(*made);
  }
  measure::IndexedLayer out;
  out.index = std::make_shared<const measure::LayerIndex>(std::move(*index));
  out.content = content_of(layer);
  return out;
}

Result<LoadedImage> Session::load(const oci::ImageRef& ref) {
  CL_TRY(oci::ImageTransport * transport, this->transport(ref));
  CL_TRY(oci::Image image, resolve_with(*transport, ref));
  return load_from(*transport, ref, std::move(image));
}

Result<LoadedImage> Session::load_layers(const oci::ImageRef& ref, oci::Image image) {
  CL_TRY(oci::ImageTransport * transport, this->transport(ref));
  return load_from(*transport, ref, std::move(image));
}

Result<LoadedImage> Session::load_from(oci::ImageTransport& transport, const oci::ImageRef& ref,
                                       oci::Image image) {
  if (image.manifest.config.media_type == oci::media_type::kGuestConfig)
    return Error::unsupported(
               cat(quote(image.name), " is a virtual machine's files, and no container image"))
        .hint("cloister inspect shows them, cloister pull -o DIR fetches them");
  CL_TRY(oci::Store * store, this->store());
  CL_CHECK(this->cache());  // opened before the workers ask for it
  LoadedImage out{ref, std::move(image), nullptr};
  std::vector<measure::IndexedLayer> layers(out.image.manifest.layers.size());
  CL_CHECK(oci::fetch_layers(out.image, transport, *store, fetch_context(),
                             [&](std::size_t i, oci::ArrivingBlob& arriving) -> Status {
                               CL_TRY(layers[i], indexed_layer(out.image, i, arriving));
                               return {};
                             }));
  auto merged = measure::Rootfs::merge(std::move(layers), limits_);
  if (!merged.has_value())
    return advise(std::move(merged).error(), kLayerAdvice)
        .while_(cat("merging the layers of ", quote(out.image.name)));
  out.rootfs = std::make_shared<const measure::Rootfs>(std::move(*merged));
  return out;
}

}  // namespace cloister::cmd
