// One fixed order of keys, so that people can compare manifests: what runs, what it sees, where it
// may write, what the enclave is. Values come from, later ones winning: the defaults here, the
// template of the kind, the options, the overlay. The text is measured: it carries no comments and
// depends on nothing but these inputs.
//
// Facts behind the values (Gramine 1.9): the interpreter is looked up in LD_LIBRARY_PATH only; a
// tmpfs hides what lies below it; the host follows links to /dev/stdout but Gramine compares the
// link's own path; without EDMM every thread is allocated at start.
#include "manifest-gen/gramine/generate.h"

#include <algorithm>
#include <set>

#include "base/hint.h"
#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/assemble/paths.h"
#include "manifest-gen/gramine/merge.h"
#include "manifest-gen/gramine/trusted_files.h"
#include "manifest-gen/gramine/writable_places.h"

namespace cloister::manifest {
namespace {

// A root server that gives up its privileges must find that it has none.
constexpr std::uint32_t kUnprivilegedId = 1000;
constexpr std::uint64_t kArenaBytes = 64ULL << 20;  // glibc reserves one per thread
constexpr std::int64_t kMinThreads = 4;             // one and Gramine's three helpers

constexpr std::string_view kScheme = "file:";

TomlTable table(std::initializer_list<std::pair<std::string_view, TomlValue>> items) {
  TomlTable out;
  for (const auto& [key, value] : items) out.set(std::string(key), value);
  return out;
}

class Generator {
 public:
  Generator(const Launch& launch, const Closure& closure, const Kind& kind,
            const ManifestOptions& options, const measure::Rootfs& rootfs,
            const measure::RuntimeFile& libsysdb)
      : launch_(launch),
        closure_(closure),
        kind_(kind),
        options_(options),
        rootfs_(rootfs),
        libsysdb_(libsysdb) {}

  Result<GeneratedManifest> run() {
    CL_TRY(files_, trusted_files(closure_));
    if (const TomlValue* entries = overlay_value("sgx.trusted_files"))
      CL_CHECK(add_overlay_files(files_, *entries, rootfs_).while_("merging the manifest overlay"));
    loader();
    entrypoint();
    CL_CHECK(file_systems());
    system();
    enclave();
    merge_manifest(root_, kind_.manifest);
    for (const Suggestion& suggestion : closure_.suggestions) {
      root_.put(suggestion.key, suggestion.value);
      note(suggestion.key, suggestion.reason);
    }
    front_needs();
    domain_names();
    apply_options();
    CL_CHECK(environment());
    // Long lists go last: the rest stays on one screen.
    if (!allowed_.empty()) root_.put("sgx.allowed_files", allowed_);
    root_.put("sgx.trusted_files", to_toml(files_));
    if (options_.overlay) merge_manifest(root_, *options_.overlay);
    CL_CHECK(check());
    return finish();
  }

 private:
  void note(std::string key, std::string reason) {
    out_.reasons.insert_or_assign(std::move(key), std::move(reason));
  }

  const TomlValue* overlay_value(std::string_view dotted) const {
    return options_.overlay ? options_.overlay->at(dotted) : nullptr;
  }

  void entrypoint() {
    if (options_.front) {
      root_.put("libos.entrypoint", cat(kRuntimeBinDir, "/", options_.front->name));
      note("libos.entrypoint", options_.front->reason);
      return;
    }
    root_.put("libos.entrypoint", launch_.entrypoint);
    note("libos.entrypoint", "the program, with every symbolic link resolved");
  }

  void loader() {
    root_.put("loader.entrypoint.uri", cat(kScheme, kLibsysdbPath));
    root_.put("loader.entrypoint.sha256", libsysdb_.sha256.hex());
    note("loader.entrypoint.sha256", "Gramine's library OS: this is how it is measured");
    root_.put("loader.log_level", "error");
    TomlArray argv;
    for (const std::string& word : options_.front ? options_.front->argv : launch_.argv)
      argv.emplace_back(word);
    root_.put("loader.argv", std::move(argv));
    note("loader.argv", "the image's command line; the host cannot change it");
    const bool dummy = kind_.nonzero_user && launch_.uid == 0;
    root_.put("loader.uid", static_cast<std::int64_t>(dummy ? kUnprivilegedId : launch_.uid));
    root_.put("loader.gid",
              static_cast<std::int64_t>(dummy && launch_.gid == 0 ? kUnprivilegedId : launch_.gid));
    if (dummy)
      note("loader.uid", "the program would give up root, which an enclave does not have");
    else if (!launch_.user.empty())
      note("loader.uid", cat("the image's user ", launch_.user));
    root_.put("loader.env", TomlTable());
  }

  Status file_systems() {
    allow_standard_streams();
    root_.put("fs.root", table({{"type", "chroot"}, {"uri", "file:/"}}));
    root_.put("fs.start_dir", launch_.workdir);
    TomlArray mounts;
    std::set<std::string> mounted;
    for (const Volume& volume : options_.volumes) {
      CL_CHECK(check_volume(volume));
      const std::string path = measure::normalize_path(volume.path);
      if (!mounted.insert(path).second)
        return Error::invalid(cat("the volume ", quote(path), " is given twice"));
      add_volume(volume, path, mounts);
    }
    std::set<std::string> passing;
    for (const std::string& path : kind_.tmpfs)
      if (add_tmpfs(path, mounted, mounts)) passing.insert(path);
    for (const WritablePlace& place : writable_places(launch_, closure_, rootfs_)) {
      add_tmpfs(place.path, mounted, mounts);
      add_inner_tmpfs(place.path, passing, mounts);
    }
    CL_CHECK(front_places(mounts));
    if (!mounts.empty() && !out_.reasons.contains("fs.mounts"))
      note("fs.mounts", "writable places in enclave memory; what is written there is lost at exit");
    root_.put("fs.mounts", std::move(mounts));
    return {};
  }

  // A key that is made in the enclave must not leave it: where the front writes is no place of the
  // host's. Mounted last, so that it lies over what a default or a volume mounts above it.
  Status front_places(TomlArray& mounts) const {
    if (!options_.front) return {};
    for (const std::string& path : options_.front->directories) {
      const auto given =
          std::find_if(options_.volumes.begin(), options_.volumes.end(),
                       [&](const Volume& v) { return measure::normalize_path(v.path) == path; });
      if (given != options_.volumes.end() && given->kind != Volume::Kind::allowed) continue;
      const std::string hidden = first_below(path);
      if (given != options_.volumes.end() || !hidden.empty())
        return Error::conflict(cat("--ra-tls cannot keep its key in ", quote(path)))
            .detail(hidden.empty() ? "that volume is the host's to read"
                                   : cat("a tmpfs there would hide ", quote(hidden)))
            .hint("give --ra-tls=CERT:KEY a directory of its own, as /ra-tls is");
      const auto mounted = std::any_of(mounts.begin(), mounts.end(), [&](const TomlValue& mount) {
        return *mount.table()->find("path")->string() == path;
      });
      if (!mounted) mounts.emplace_back(table({{"type", "tmpfs"}, {"path", path}}));
    }
    return {};
  }

  // Unless it is mounted already, or would hide something. One of a default's names may be a link
  // to another (/var/run): both are what the program may say.
  bool add_tmpfs(const std::string& path, std::set<std::string>& mounted, TomlArray& mounts) {
    if (std::any_of(mounted.begin(), mounted.end(),
                    [&](const std::string& mount) { return is_within(path, mount); }))
      return false;
    std::string hidden = first_below(path);
    if (hidden.empty()) hidden = log_below(path);
    if (!hidden.empty()) {
      note("fs.mounts", cat("no tmpfs on ", path, ": it would hide ", hidden));
      return false;
    }
    mounted.insert(path);
    mounts.emplace_back(table({{"type", "tmpfs"}, {"path", path}}));
    return true;
  }

  // A new tmpfs is empty, and programs do not make /run/NAME, which they find in the image: inside
  // of a default it is mounted again, under each of the default's names.
  static void add_inner_tmpfs(const std::string& path, const std::set<std::string>& passing,
                              TomlArray& mounts) {
    std::vector<std::string> names{path};
    if (path.starts_with("/run/")) names.push_back(cat("/var", path));
    for (const std::string& name : names)
      if (std::any_of(passing.begin(), passing.end(), [&](const std::string& mount) {
            return name != mount && is_within(name, mount);
          }))
        mounts.emplace_back(table({{"type", "tmpfs"}, {"path", name}}));
  }

  // What must stay visible below `directory`: a granted path, or where the program starts.
  std::string first_below(std::string_view directory) const {
    if (launch_.workdir != directory && is_within(launch_.workdir, directory))
      return launch_.workdir;
    for (const auto& [uri, file] : files_) {
      std::string path = uri.substr(kScheme.size());
      if (is_within(path, directory)) return path;
    }
    return {};
  }

  // A link to the container's log: a default must not hide it, a volume may.
  std::string log_below(std::string_view directory) const {
    for (const std::string& path : log_links_)
      if (is_within(path, directory)) return path;
    return {};
  }

  Status check_volume(const Volume& volume) const {
    const std::string path = measure::normalize_path(volume.path);
    if (!volume.path.starts_with('/') || path == "/" || !is_utf8(path))
      return Error::invalid(cat("the volume ", quote(volume.path), " is not a directory below /"))
          .hint("give an absolute path, for example --volume /data=tmpfs");
    if (const std::string hidden = first_below(path); !hidden.empty()) {
      return Error::conflict(cat("the volume ", quote(path), " would hide ", quote(hidden),
                                 ", which the program needs"))
          .hint("mount a directory that holds no file of the image's program");
    }
    return {};
  }

  void add_volume(const Volume& volume, const std::string& path, TomlArray& mounts) {
    if (volume.kind == Volume::Kind::allowed) {
      allowed_.emplace_back(cat(kScheme, path));
      note(cat(kScheme, path), "--volume: readable and writable by the host, not protected");
      note("sgx.allowed_files", "links to the container's log, and --volume PATH=allowed");
    } else if (volume.kind == Volume::Kind::tmpfs) {
      mounts.emplace_back(table({{"type", "tmpfs"}, {"path", path}}));
    } else {
      const std::string key = volume.key_name.empty() ? "_sgx_mrenclave" : volume.key_name;
      mounts.emplace_back(table(
          {{"type", "encrypted"}, {"path", path}, {"uri", cat(kScheme, path)}, {"key_name", key}}));
    }
  }

  // Images log to files that are links to /dev/stdout and the like: what goes there goes to the
  // host anyway.
  void allow_standard_streams() {
    static constexpr std::string_view kStreams[] = {"/dev/stdout", "/dev/stderr", "/proc/self/fd/1",
                                                    "/proc/self/fd/2"};
    rootfs_.walk([&](const measure::Node& node) {
      if (!node.is_symlink()) return;
      const std::string& target = node.entry->link_target;
      if (std::find(std::begin(kStreams), std::end(kStreams), target) == std::end(kStreams)) return;
      const std::string path = node.path();
      if (is_within(path, "/dev") || is_within(path, "/proc") || !is_utf8(path)) return;
      const std::string uri = cat(kScheme, path);
      allowed_.emplace_back(uri);
      log_links_.push_back(path);
      note(uri, cat("a link to ", target, ": the container's log"));
      note("sgx.allowed_files", "links to the container's log, and --volume PATH=allowed");
    });
  }

  void system() {
    root_.put("sys.enable_sigterm_injection", true);
    note("sys.enable_sigterm_injection", "docker stop ends the program in order");
  }

  // Unless a suggestion did.
  void domain_names() {
    if (root_.at(kHostNamesKey) != nullptr)
      out_.reasons.emplace(kHostNamesKey,
                           "name lookups: the host's resolv.conf, checked by Gramine");
  }

  void enclave() {
    root_.put("sgx.debug", false);
    root_.put("sgx.edmm_enable", false);
    root_.put("sgx.enclave_size", "512M");
    root_.put("sgx.max_threads", 16);
    root_.put("sgx.remote_attestation", "dcap");
    root_.put("sgx.isvprodid", 0);
    root_.put("sgx.isvsvn", 0);
    note("sgx.enclave_size", cat("the default for ", kind_.summary));
    note("sgx.max_threads", cat("the default for ", kind_.summary));
    note("sgx.remote_attestation", "without it nobody can verify the enclave");
  }

  // More than the program's template says, less than the user does.
  void front_needs() {
    if (!options_.front) return;
    const Front& front = *options_.front;
    const TomlValue* size = root_.at("sgx.enclave_size");
    if (size->string() != nullptr &&
        parse_size(*size->string(), Strictness::loader).value_or(0) < front.min_enclave_size) {
      root_.put("sgx.enclave_size", cat(front.min_enclave_size >> 20, "M"));
      note("sgx.enclave_size", front.reason);
    }
    const TomlValue* threads = root_.at("sgx.max_threads");
    if (threads->integer() != nullptr && *threads->integer() < front.min_threads) {
      root_.put("sgx.max_threads", front.min_threads);
      note("sgx.max_threads", front.reason);
    }
    for (const std::string& path : front.host_files) {
      allowed_.emplace_back(cat(kScheme, path));
      note(cat(kScheme, path), front.reason);
    }
  }

  void apply_options() {
    if (options_.debug) root_.put("sgx.debug", true);
    if (options_.edmm) {
      // Threads are added on demand, and page faults on reserved memory must be seen.
      root_.put("sgx.edmm_enable", true);
      root_.put("sgx.max_threads", 1);
      root_.put("sgx.use_exinfo", true);
      note("sgx.max_threads", "with EDMM threads are added on demand");
    }
    if (!options_.attestation) root_.put("sgx.remote_attestation", "none");
    if (options_.enclave_size) {
      root_.put("sgx.enclave_size", *options_.enclave_size);
      note("sgx.enclave_size", "--enclave-size");
    }
    if (options_.max_threads) {
      root_.put("sgx.max_threads", static_cast<std::int64_t>(*options_.max_threads));
      note("sgx.max_threads", "--max-threads");
    }
    if (options_.isvprodid) root_.put("sgx.isvprodid", static_cast<int>(*options_.isvprodid));
    if (options_.isvsvn) root_.put("sgx.isvsvn", static_cast<int>(*options_.isvsvn));
  }

  Status environment() {
    // A template may set loader.env too: the image's values win over it.
    TomlTable& env = *root_.find("loader")->table()->find("env")->table();
    for (const auto& [name, value] : launch_.env) env.set(name, value);
    for (const auto& [name, value] : kind_.env)
      if (env.find(name) == nullptr && !is_passthrough(name)) {
        env.set(name, value);
        note(cat("loader.env.", name), cat("the default for ", kind_.summary));
      }
    library_path(env);
    malloc_arenas(env);
    gconv_path(env);
    for (const std::string& name : launch_.passthrough) {
      if (name == "LD_LIBRARY_PATH" && !closure_.library_path.empty())
        return Error::conflict(
                   "LD_LIBRARY_PATH cannot come from the host: the enclave's libraries depend on "
                   "it")
            .hint("leave it out of --passthrough");
      env.set(name, table({{"passthrough", true}}));
      note(cat("loader.env.", name), "--passthrough: the host chooses the value");
    }
    return {};
  }

  bool is_passthrough(std::string_view name) const {
    return std::find(launch_.passthrough.begin(), launch_.passthrough.end(), name) !=
           launch_.passthrough.end();
  }

  void library_path(TomlTable& env) {
    if (closure_.library_path.empty()) return;
    env.set("LD_LIBRARY_PATH", closure_.library_path);
    note("loader.env.LD_LIBRARY_PATH", "the runtime's libc first, then where the libraries are");
  }

  void malloc_arenas(TomlTable& env) {
    if (!closure_.uses_glibc_runtime || env.find("MALLOC_ARENA_MAX") != nullptr ||
        is_passthrough("MALLOC_ARENA_MAX"))
      return;
    const TomlValue* threads = root_.at("sgx.max_threads");
    const TomlValue* size = root_.at("sgx.enclave_size");
    if (threads->integer() == nullptr || size->string() == nullptr) return;
    const auto bytes = parse_size(*size->string(), Strictness::loader);
    const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(*threads->integer(), 0));
    if (!bytes || count > (1ULL << 20) || kArenaBytes * count <= *bytes / 2) return;
    env.set("MALLOC_ARENA_MAX", "1");
    note("loader.env.MALLOC_ARENA_MAX", "an arena per thread would not fit into the enclave");
  }

  // The runtime ships no character set converters; the image's are found only when told where.
  void gconv_path(TomlTable& env) {
    if (env.find("GCONV_PATH") != nullptr || is_passthrough("GCONV_PATH")) return;
    for (const Member& member : closure_.members) {
      const std::size_t at = member.real_path.rfind("/gconv/");
      if (at == std::string::npos || !member.real_path.ends_with(".so")) continue;
      env.set("GCONV_PATH", member.real_path.substr(0, at + 6));
      note("loader.env.GCONV_PATH", "where the character set converters are");
      return;
    }
  }

  Status check() const {
    Status status = validate({root_}, Strictness::loader);
    static constexpr Advice kAdvice{
        "", "", "correct the file that --manifest names; the syntax is that of Gramine 1.9"};
    if (!status.has_value())
      return options_.overlay ? advise(std::move(status), kAdvice)
                                    .while_("checking the manifest with its overlay")
                              : std::move(status).while_("checking the generated manifest");
    const TomlValue* threads = root_.at("sgx.max_threads");
    const TomlValue* edmm = root_.at("sgx.edmm_enable");
    const bool dynamic = edmm != nullptr && edmm->boolean() != nullptr && *edmm->boolean();
    if (!dynamic && threads != nullptr && threads->integer() != nullptr &&
        *threads->integer() < kMinThreads) {
      return Error::invalid(cat("sgx.max_threads is ", *threads->integer(),
                                ", and must be at least ", kMinThreads))
          .detail("without EDMM Gramine's own three threads need room beside the program's")
          .hint("raise --max-threads, or use --edmm");
    }
    return {};
  }

  GeneratedManifest finish() {
    for (auto& [uri, file] : files_) {
      out_.reasons.insert_or_assign(uri, std::move(file.reason));
      out_.trusted_bytes += file.size;
    }
    out_.trusted_files = files_.size();
    out_.kind = kind_.name;
    out_.manifest.table = std::move(root_);
    out_.text = emit_toml(out_.manifest.table);
    return std::move(out_);
  }

  const Launch& launch_;
  const Closure& closure_;
  const Kind& kind_;
  const ManifestOptions& options_;
  const measure::Rootfs& rootfs_;
  const measure::RuntimeFile& libsysdb_;
  TomlTable root_;
  TomlArray allowed_;
  std::vector<std::string> log_links_;
  TrustedFiles files_;
  GeneratedManifest out_;
};

// The URI, or for a mount the key itself: what `reasons` is asked for.
std::string element_key(const TomlTable& manifest, std::string_view key, std::size_t index) {
  const TomlValue* list = manifest.at(key);
  if (list == nullptr || list->array() == nullptr || index >= list->array()->size()) return {};
  const TomlTable* entry = (*list->array())[index].table();
  const TomlValue* uri = entry != nullptr ? entry->find("uri") : nullptr;
  return uri != nullptr && uri->string() != nullptr ? *uri->string() : std::string();
}

}  // namespace

Result<GeneratedManifest> generate_manifest(const Launch& launch, const Closure& closure,
                                            const Kind& kind, const ManifestOptions& options,
                                            const measure::Rootfs& rootfs,
                                            const measure::RuntimeFile& libsysdb) {
  return Generator(launch, closure, kind, options, rootfs, libsysdb).run();
}

namespace {

std::string reason_of(const GeneratedManifest& generated, std::string_view key, std::size_t index) {
  std::string name(key);
  if (index != std::string_view::npos) name = element_key(generated.manifest.table, key, index);
  const auto reason = generated.reasons.find(name);
  return reason != generated.reasons.end() ? reason->second : std::string();
}

}  // namespace

std::string annotate(const GeneratedManifest& generated) {
  return emit_toml(generated.manifest.table, [&](std::string_view key, std::size_t index) {
    return reason_of(generated, key, index);
  });
}

std::vector<std::pair<std::string, std::string>> reasoned_lines(
    const GeneratedManifest& generated) {
  // The emitter asks once for every line but those that end an array.
  std::vector<std::string> reasons;
  const std::string text =
      emit_toml(generated.manifest.table, [&](std::string_view key, std::size_t index) {
        reasons.push_back(reason_of(generated, key, index));
        return std::string();
      });
  std::vector<std::pair<std::string, std::string>> out;
  std::size_t next = 0;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    out.emplace_back(line, line == "]" ? std::string() : std::move(reasons.at(next++)));
  }
  return out;
}

}  // namespace cloister::manifest
