// The passes, in order. Each is a function of the values before it; nothing is decided here that
// a library could decide.
#include "cmd/pipeline.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "base/hint.h"
#include "base/path.h"
#include "base/suggest.h"
#include "base/text.h"
#include "manifest-gen/audit/locate.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/closure/ld_so_cache.h"

namespace cloister::cmd {
std::string public_name(const oci::ImageRef& ref) {
  if (ref.transport != oci::Transport::registry) return "";
  const oci::RegistryRef& name = ref.registry;
  return name.tag.empty() ? name.name() : cat(name.name(), ":", name.tag);
}

namespace {

// MarbleRun's premain is released as a bare program; it is a source like others, by its name.
bool is_premain(const std::string& argument) {
  return base_name(argument) == measure::kPremainProgram;
}

// A path that leads nowhere should be called that, and not a malformed reference to an image.
Status check_path(const std::string& argument) {
  std::error_code error;
  const bool exists = std::filesystem::exists(argument, error);
  const bool path =
      argument.starts_with('/') || argument.starts_with("./") || argument.starts_with("../");
  if (path && !exists)
    return Error::invalid(cat("there is no ", quote(argument)))
        .hint(did_you_mean(nearest_path(argument),
                           "check the path; --runtime takes a directory, a .deb, or an image"));
  if (exists && std::filesystem::is_regular_file(argument, error) && !argument.ends_with(".deb") &&
      !is_premain(argument))
    return Error::invalid(cat(quote(argument), " is a file, but no .deb"))
        .hint("for an image in a tar file write oci-archive:FILE");
  return {};
}

Result<measure::RuntimeSource> runtime_from_image(Session& session, const std::string& argument) {
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(argument));
  CL_TRY(LoadedImage loaded, session.load(ref));
  measure::RuntimeSource source;
  source.name = ref.str();
  source.rootfs = std::move(loaded.rootfs);
  source.digest = loaded.image.manifest_descriptor.digest;
  source.uri = public_name(ref);
  source.mutable_tag = ref.transport == oci::Transport::registry && !ref.registry.digest;
  return source;
}

Result<measure::RuntimeSource> runtime_from_layer(Session& session, const std::string& argument,
                                                  measure::IndexedLayer layer) {
  std::vector<measure::IndexedLayer> layers;
  layers.push_back(std::move(layer));
  CL_TRY(measure::Rootfs merged, measure::Rootfs::merge(std::move(layers), session.limits()));
  measure::RuntimeSource source;
  source.name = argument;
  source.rootfs = std::make_shared<const measure::Rootfs>(std::move(merged));
  return source;
}

// A runtime that lacks something an image needs cannot be built with, whatever the manifest says.
Status require_complete(const measure::Runtime& runtime) {
  if (runtime.missing.empty()) return {};
  Error error = Error::unresolved(
      cat("the runtime is incomplete: ", runtime.missing.size(),
          runtime.missing.size() == 1 ? " part is missing" : " parts are missing"));
  for (const std::string& line : runtime.missing) error = std::move(error).detail(line);
  return std::move(error).hint(
      "give further --runtime sources; later ones supply what earlier ones lack");
}

// Whoever verifies the image measures it by the constants of the version that it names.
Status require_known_layout(const measure::Runtime& runtime) {
  auto known = measure::sgx::builtin_layout(runtime.version);
  if (known.has_value() && *known == runtime.layout) return {};
  return Error::unsupported("nobody could verify an enclave with this runtime")
      .detail(known.has_value()
                  ? cat("its enclave layout is not that of Gramine ", printable(runtime.version))
                  : known.error().what())
      .hint("use a released Gramine, 1.8 or 1.9, with its package database or Python metadata");
}

Status require_accepted(const std::vector<manifest::Finding>& findings,
                        const std::vector<std::string>& accepted) {
  for (const manifest::Finding& finding : findings) {
    if (!finding.stops_build) continue;
    if (std::find(accepted.begin(), accepted.end(), finding.id) != accepted.end()) continue;
    return Error::policy(cat(finding.where, ": ", finding.evidence))
        .detail(finding.fix)
        .hint(cat("use another runtime, or take the risk on record with --accept ", finding.id));
  }
  return {};
}

std::vector<manifest::ClosureRoot> closure_roots(const manifest::Kind& kind,
                                                 const std::vector<std::string>& includes) {
  std::vector<manifest::ClosureRoot> roots = kind.grants;
  for (const std::string& include : includes)
    roots.push_back(
        {include, manifest::Why::include, "--include " + include, /*optional=*/false, ""});
  return roots;
}

}  // namespace

Result<measure::RuntimeSource> load_runtime_source(Session& session, const std::string& argument) {
  std::error_code error;
  CL_CHECK(check_path(argument));
  if (std::filesystem::is_directory(argument, error)) {
    CL_TRY(measure::IndexedLayer layer,
           measure::index_runtime_directory(argument, session.limits()));
    return runtime_from_layer(session, argument, std::move(layer));
  }
  if (argument.ends_with(".deb")) {
    CL_TRY(measure::IndexedLayer layer, measure::index_deb(argument, session.limits()));
    const std::optional<Digest> digest = layer.index->blob;
    CL_TRY(measure::RuntimeSource source, runtime_from_layer(session, argument, std::move(layer)));
    source.digest = digest;
    return source;
  }
  if (is_premain(argument) && std::filesystem::is_regular_file(argument, error)) {
    CL_TRY(measure::IndexedLayer layer,
           measure::index_program(argument, measure::kPremainProgram, session.limits()));
    return runtime_from_layer(session, argument, std::move(layer));
  }
  return runtime_from_image(session, argument);
}

Result<measure::Runtime> load_runtime(Session& session, const std::vector<std::string>& arguments) {
  std::vector<std::string> names = arguments;
  if (names.empty()) names.emplace_back(kDefaultRuntime);
  std::vector<measure::RuntimeSource> sources;
  for (const std::string& name : names) {
    auto source = load_runtime_source(session, name);
    if (!source.has_value()) {
      static constexpr Advice kAdvice{
          "the runtime is damaged: fetch or unpack it anew",
          "this is no Gramine installation; name the package, image or directory of one",
          "name Gramine's image, its .deb packages, or the directory it is installed in"};
      Error error = advise(std::move(source).error(), kAdvice)
                        .while_(cat("loading the runtime ", quote(name)));
      if (arguments.empty())
        return std::move(error).hint(
            "this is the default runtime; name another with --runtime (a directory, a .deb or an "
            "image)");
      return error;
    }
    sources.push_back(std::move(*source));
  }
  return measure::discover_runtime(std::move(sources), session.limits());
}

namespace {

// Of files alone, which are read with nothing of the session but its limits.
bool is_local(const std::vector<std::string>& runtimes) {
  std::error_code error;
  return !runtimes.empty() && std::all_of(runtimes.begin(), runtimes.end(), [&](const auto& name) {
    return name.ends_with(".deb") || std::filesystem::is_directory(name, error);
  });
}

struct LoadedInputs {
  LoadedImage image;
  Result<measure::Runtime> runtime;
};

// The image, and beside it, where nothing stands in the way, the runtime. What is wrong with the
// image is said first in either case.
Result<LoadedInputs> load_inputs(Session& session, const oci::ImageRef& image,
                                 const std::vector<std::string>& runtimes) {
  std::optional<Result<LoadedImage>> loaded;
  std::optional<Result<measure::Runtime>> runtime;
  const bool beside = is_local(runtimes);
  CL_CHECK(session.pool().for_each(beside ? 2 : 1, [&](std::size_t i) -> Status {
    if (i == 0)
      loaded.emplace(session.load(image));
    else
      runtime.emplace(load_runtime(session, runtimes));
    return {};
  }));
  if (!loaded->has_value()) return std::move(*loaded).error();
  if (!runtime) runtime.emplace(load_runtime(session, runtimes));
  return LoadedInputs{std::move(**loaded), std::move(*runtime)};
}

// Answers whether there is none, and the image's libc has to do.
Result<bool> runtime_or_none(Session& session, const PlanOptions& options,
                             Result<measure::Runtime> loaded, measure::Runtime& runtime) {
  if (loaded.has_value()) {
    runtime = std::move(*loaded);
    return false;
  }
  if (!options.runtime_optional || !options.runtimes.empty() ||
      loaded.error().code() == Code::cancelled)
    return std::move(loaded).error();
  session.note(cat("note: no runtime (", loaded.error().what(),
                   "): the image's own libc is shown in its place; name one with --runtime"));
  return true;
}

// Gramine's SGX runtime, the loader models and the measurements are for this platform alone.
Status require_enclave_platform(const oci::Platform& platform) {
  if (platform.os == "linux" && platform.architecture == "amd64") return {};
  return Error::unsupported(
             cat("an enclave is for linux/amd64, not for ", printable(platform.str())))
      .hint("leave out --platform; pull, inspect, files and push take any platform");
}

}  // namespace

namespace {

// --ra-tls, --marblerun and --secret-prov.
Status add_attestation(const PlanOptions& options, ClosurePlan& plan) {
  if (options.ra_tls) {
    CL_TRY(plan.front, manifest::ra_tls_front(plan.launch, plan.runtime, *options.ra_tls));
  }
  if (options.marblerun) {
    CL_TRY(plan.front, manifest::premain_front(plan.launch, plan.runtime));
    plan.kind.manifest.put(manifest::kHostNamesKey, true);
  }
  if (options.secret_servers.empty()) return {};
  CL_CHECK(manifest::add_secret_provisioning(plan.launch, plan.runtime, options.secret_servers,
                                             options.secret_ca));
  plan.kind.grants.push_back({options.secret_ca, manifest::Why::config,
                              "--secret-prov: by which the servers are known",
                              /*optional=*/false, ""});
  // The library looks the servers' names up.
  for (const char* file : {"/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf"})
    plan.kind.grants.push_back({file, manifest::Why::config, "--secret-prov: server names",
                                /*optional=*/true, ""});
  plan.kind.manifest.put(manifest::kHostNamesKey, true);
  return {};
}

// A secret that never arrives would be found out in production.
Status require_preload(const PlanOptions& options, const manifest::Closure& closure) {
  if (options.secret_servers.empty() || closure.uses_glibc_runtime) return {};
  return Error::unsupported("--secret-prov preloads a library of glibc, and the program has none")
      .detail(closure.is_static ? "it is linked statically" : "it is linked with musl")
      .hint("let the program fetch its secrets itself, or use --ra-tls");
}

}  // namespace

Result<ClosurePlan> plan_closure(Session& session, const oci::ImageRef& image,
                                 const PlanOptions& options) {
  CL_CHECK(require_enclave_platform(session.platform()));
  ClosurePlan plan;
  const bool machine = target_of(options.tee).machine;
  if (machine) {
    CL_TRY(plan.base, session.load(image));
    plan.image_libc = true;
  } else {
    CL_TRY(LoadedInputs inputs, load_inputs(session, image, options.runtimes));
    plan.base = std::move(inputs.image);
    CL_TRY(plan.image_libc,
           runtime_or_none(session, options, std::move(inputs.runtime), plan.runtime));
  }
  const measure::Rootfs& rootfs = *plan.base.rootfs;
  plan.packages = manifest::PackageIndex::read(rootfs, session.limits());
  for (const std::string& line : plan.packages.notes())
    session.note(cat("note: ", printable(line)));
  CL_TRY(plan.launch,
         manifest::resolve_launch(plan.base.image.config.config, rootfs, options.launch));
  CL_TRY(plan.kind, manifest::choose_kind(plan.launch, rootfs));
  CL_CHECK(add_attestation(options, plan));
  if (machine)
    plan.kind.grants.push_back({std::string(manifest::kLdSoCache), manifest::Why::config,
                                "the dynamic loader finds libraries by it", /*optional=*/true, ""});
  CL_TRY(plan.closure,
         manifest::compute_closure(plan.launch, rootfs, plan.runtime,
                                   closure_roots(plan.kind, options.includes), session.limits(),
                                   {.trust = options.trust,
                                    .packages = &plan.packages,
                                    .excludes = options.excludes,
                                    .image_libc = plan.image_libc,
                                    .front = plan.front ? &*plan.front : nullptr}));
  CL_CHECK(require_preload(options, plan.closure));
  return plan;
}

Status require_resolved(const manifest::Closure& closure) {
  if (closure.unresolved.empty()) return {};
  const manifest::Unresolved& first = closure.unresolved.front();
  Error error = Error::unresolved(
      cat(quote(first.name), ", needed by ", quote(first.needed_by), ", was not found"));
  for (const std::string& place : first.searched) error = std::move(error).detail(place);
  if (closure.unresolved.size() > 1) {
    std::string others;
    for (std::size_t i = 1; i < closure.unresolved.size() && i < 10; ++i)
      others += cat(i > 1 ? ", " : "", quote(closure.unresolved[i].name));
    error = std::move(error).detail(cat("and ", closure.unresolved.size() - 1, " more: ", others));
  }
  return std::move(error).hint(
      "the image (or the runtime) lacks a file the program cannot start without; "
      "cloister deps shows the whole tree");
}

namespace {

enum class Purpose { manifest, build, audit };

Result<Plan> make_plan(Session& session, const oci::ImageRef& image, const PlanOptions& options,
                       Purpose purpose) {
  CL_TRY(ClosurePlan found, plan_closure(session, image, options));
  Plan plan;
  plan.base = std::move(found.base);
  plan.runtime = std::move(found.runtime);
  plan.packages = std::move(found.packages);
  plan.launch = std::move(found.launch);
  plan.kind = std::move(found.kind);
  plan.closure = std::move(found.closure);

  // The runtime may be known to be unsafe, or not all there.
  CL_CHECK(require_complete(plan.runtime));
  CL_CHECK(require_known_layout(plan.runtime));
  CL_TRY(plan.findings, manifest::runtime_findings(plan.runtime));
  if (purpose != Purpose::audit) {
    CL_CHECK(require_accepted(plan.findings, options.accepted));
    CL_CHECK(require_resolved(plan.closure));
  }

  // The manifest, and whether there can be an enclave for it.
  manifest::ManifestOptions manifest_options = options.manifest;
  manifest_options.front = std::move(found.front);
  CL_TRY(plan.manifest,
         manifest::generate_manifest(plan.launch, plan.closure, plan.kind, manifest_options,
                                     *plan.base.rootfs, *plan.runtime.libsysdb));
  CL_TRY(plan.params, manifest::enclave_params(plan.manifest.manifest, nullptr));
  CL_TRY(const Bytes libpal,
         plan.runtime.read(*plan.runtime.libpal, session.limits().libpal_bytes));
  const ByteView manifest = as_bytes(plan.manifest.text);
  if (purpose == Purpose::manifest) {
    CL_CHECK(measure::sgx::check_enclave(libpal, manifest, plan.params, plan.runtime.layout,
                                         session.limits()));
    return plan;
  }
  CL_TRY(plan.measurement, measure::sgx::measure_enclave(libpal, manifest, plan.params,
                                                         plan.runtime.layout, session.limits()));
  std::vector<manifest::Finding> more =
      manifest::build_findings({.config = plan.base.image.config.config,
                                .launch = plan.launch,
                                .closure = plan.closure,
                                .manifest = plan.manifest.manifest,
                                .rootfs = *plan.base.rootfs,
                                .packages = plan.packages});
  std::move(more.begin(), more.end(), std::back_inserter(plan.findings));
  manifest::sort_findings(plan.findings);
  return plan;
}

}  // namespace

Result<Plan> plan_manifest(Session& session, const oci::ImageRef& image,
                           const PlanOptions& options) {
  return make_plan(session, image, options, Purpose::manifest);
}

Result<Plan> plan_build(Session& session, const oci::ImageRef& image, const PlanOptions& options) {
  return make_plan(session, image, options, Purpose::build);
}

Result<Plan> plan_audit(Session& session, const oci::ImageRef& image, const PlanOptions& options) {
  return make_plan(session, image, options, Purpose::audit);
}

manifest::JudgeInput judge_input(const Plan& plan) {
  return {.manifest = plan.manifest.manifest.table,
          .reasons = &plan.manifest.reasons,
          .closure = &plan.closure,
          .rootfs = plan.base.rootfs.get(),
          .packages = &plan.packages,
          .volumes = {plan.launch.volumes.begin(), plan.launch.volumes.end()}};
}

sign::Sigstruct unsigned_sigstruct(const Plan& plan, Seconds created) {
  const auto date = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(created));
  return sign::make_sigstruct(plan.params, plan.measurement.mrenclave, date);
}

Result<Built> assemble(const Plan& plan, const sign::Sigstruct& sigstruct,
                       const AssembleOptions& options, const Limits& limits) {
  Built built;
  built.sigstruct = sigstruct;
  manifest::AssembleInput input{.base = plan.base.image,
                                .rootfs = *plan.base.rootfs,
                                .runtime = plan.runtime,
                                .launch = plan.launch,
                                .closure = plan.closure,
                                .manifest = plan.manifest,
                                .sigstruct = sign::encode_sigstruct(sigstruct),
                                .mrenclave = plan.measurement.mrenclave,
                                .mrsigner = sigstruct.mrsigner(),
                                .with_direct = options.with_direct,
                                .created = options.created,
                                .labels = options.labels,
                                .generator = cat("cloister ", options.version),
                                .base_name = options.base_name,
                                .provenance = options.provenance};
  CL_TRY(built.image, manifest::assemble(input, limits));
  return built;
}

Status keep_built(Session& session, const Built& built) {
  // The layer, the config, the manifest, in this order: each is there before it is named.
  const manifest::AssembledImage& image = built.image;
  CL_TRY(oci::Store * store, session.store());
  CL_CHECK(store->put_bytes(image.layer_descriptor.media_type, image.layer));
  CL_CHECK(store->put_bytes(image.config_descriptor.media_type, as_bytes(image.config)));
  CL_CHECK(store->put_bytes(image.manifest_descriptor.media_type, as_bytes(image.manifest_text)));
  return {};
}

}  // namespace cloister::cmd
