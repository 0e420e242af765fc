// image-spec config.md ("config") as Docker and containerd carry it out, resolved inside the image.
//
// Traps: libos.entrypoint must have every symlink resolved while argv[0] stays as the image has it
// ($ORIGIN of a program behind a link is wrong otherwise); a WORKDIR may name a directory that
// Docker creates only at start, and Gramine refuses to start without it; container runtimes add
// PATH and HOME, which programs rely on. HOSTNAME is the host's choice and not set. Values travel
// in TOML: UTF-8 without NUL, nothing else can be said.
#include "manifest-gen/launch/launch.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "manifest-gen/launch/passwd.h"
#include "manifest-gen/launch/program_search.h"

namespace cloister::manifest {
namespace {

using Env = std::vector<std::pair<std::string, std::string>>;

Status expressible_text(std::string_view text, std::string_view what) {
  if (text.find('\0') != std::string_view::npos)
    return Error::unsupported(cat(what, " ", quote(text), " holds a NUL byte"))
        .hint("a Gramine manifest cannot express it; change it in the image or override it");
  if (!is_utf8(text))
    return Error::unsupported(cat(what, " ", quote(text), " is not UTF-8"))
        .hint("a Gramine manifest cannot express it; change it in the image or override it");
  return {};
}

void set_env(Env& env, std::string name, std::string value) {
  const auto existing =
      std::find_if(env.begin(), env.end(), [&](const auto& item) { return item.first == name; });
  if (existing != env.end())
    existing->second = std::move(value);
  else
    env.emplace_back(std::move(name), std::move(value));
}

const std::string* get_env(const Env& env, std::string_view name) {
  for (const auto& [key, value] : env)
    if (key == name) return &value;
  return nullptr;
}

// Entries without '=' or without a name reach no getenv(): they are dropped.
Result<Env> image_env(const std::vector<std::string>& entries) {
  Env env;
  for (const std::string& entry : entries) {
    CL_CHECK(expressible_text(entry, "the environment entry"));
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) continue;
    set_env(env, entry.substr(0, equals), entry.substr(equals + 1));
  }
  return env;
}

Status check_name(std::string_view name) {
  CL_CHECK(expressible_text(name, "the environment variable"));
  if (name.empty() || name.find('=') != std::string_view::npos)
    return Error::invalid(cat(quote(name), " is no name of an environment variable"))
        .hint("give NAME or NAME=VALUE");
  return {};
}

Result<Env> resolve_env(const oci::ExecutionConfig& config, const LaunchOverrides& overrides,
                        const std::string& home) {
  CL_TRY(Env env, image_env(config.env));
  if (get_env(env, "PATH") == nullptr) env.emplace(env.begin(), "PATH", std::string(kDefaultPath));
  for (const auto& [name, value] : overrides.env) {
    CL_CHECK(check_name(name));
    CL_CHECK(expressible_text(value, "the environment value"));
    set_env(env, name, value);
  }
  if (get_env(env, "HOME") == nullptr) env.emplace_back("HOME", home);
  std::erase_if(env, [&](const auto& item) {
    return std::find(overrides.passthrough.begin(), overrides.passthrough.end(), item.first) !=
           overrides.passthrough.end();
  });
  return env;
}

Result<std::vector<std::string>> resolve_argv(const oci::ExecutionConfig& config,
                                              const LaunchOverrides& overrides) {
  std::vector<std::string> argv;
  if (overrides.entrypoint) {
    argv.push_back(*overrides.entrypoint);
    argv.insert(argv.end(), overrides.args.begin(), overrides.args.end());
  } else {
    argv = config.entrypoint;
    const auto& rest = overrides.args.empty() ? config.cmd : overrides.args;
    argv.insert(argv.end(), rest.begin(), rest.end());
  }
  if (argv.empty() || argv.front().empty())
    return Error::unresolved("the image has no entrypoint: neither Entrypoint nor Cmd is set")
        .hint("say what to run with --entrypoint");
  for (const std::string& word : argv) CL_CHECK(expressible_text(word, "the argument"));
  return argv;
}

// A text file of the image, or nothing when there is none. A file that exists but cannot be read
// (too large, say) is an error: guessing a user would be worse.
Result<std::optional<std::string>> read_text(const measure::Rootfs& rootfs, std::string_view path) {
  const measure::Node* node = rootfs.find(path);
  if (node == nullptr || !node->is_regular()) return std::optional<std::string>();
  auto bytes = rootfs.read(*node, Limits{}.packed_file_bytes);
  if (!bytes) return std::move(bytes.error()).while_(cat("reading ", path, " of the image"));
  return std::optional<std::string>(std::string(as_text(*bytes)));
}

Status find_entrypoint(Launch& launch, const measure::Rootfs& rootfs) {
  const std::string& name = launch.argv.front();
  const std::string* env_path = get_env(launch.env, "PATH");
  const std::string_view path = env_path != nullptr ? std::string_view(*env_path) : kDefaultPath;
  ProgramSearch search = find_program(rootfs, name, path, launch.workdir);
  if (search.found.empty()) {
    Error error = Error::unresolved(cat("the entrypoint ", quote(name), " is not in the image"));
    for (std::string& place : search.searched)
      error = std::move(error).detail("searched " + std::move(place));
    const std::string near = nearest_program(rootfs, name, path, launch.workdir);
    if (!near.empty()) return std::move(error).hint(cat("did you mean ", quote(near), "?"));
    return std::move(error).hint("name a program of the image with --entrypoint");
  }
  launch.program = std::move(search.found);
  launch.entrypoint = rootfs.real_path(launch.program).value_or(launch.program);
  CL_CHECK(expressible_text(launch.program, "the entrypoint's path"));
  return expressible_text(launch.entrypoint, "the entrypoint's path");
}

// What a manifest cannot express can be no volume of an enclave, and "/" is none at all.
std::vector<std::string> volumes(const oci::ExecutionConfig& config) {
  std::vector<std::string> out;
  for (const std::string& volume : config.volumes) {
    std::string path = measure::normalize_path(volume);
    if (path != "/" && expressible_text(path, "the volume").has_value())
      out.push_back(std::move(path));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// WORKDIR, and the mount points that Gramine and a container runtime expect.
Result<std::vector<std::string>> missing_directories(const std::string& workdir,
                                                     const measure::Rootfs& rootfs) {
  std::vector<std::string> missing;
  for (const std::string& path : {workdir, std::string("/proc"), std::string("/sys"),
                                  std::string("/dev"), std::string("/tmp")}) {
    const measure::Node* node = rootfs.find(path);
    if (node == nullptr) {
      if (std::find(missing.begin(), missing.end(), path) == missing.end()) missing.push_back(path);
    } else if (!node->is_directory()) {
      return Error::unresolved(cat(quote(path), " must be a directory, and is none in the image"))
          .hint(path == workdir ? "choose another one with --workdir" : "repair the image");
    }
  }
  return missing;
}

}  // namespace

Result<Identity> identity_of(std::string_view user, const measure::Rootfs& rootfs) {
  CL_TRY(const auto passwd, read_text(rootfs, "/etc/passwd"));
  CL_TRY(const auto group, read_text(rootfs, "/etc/group"));
  return resolve_identity(user, passwd, group);
}

Result<Launch> resolve_launch(const oci::ExecutionConfig& config, const measure::Rootfs& rootfs,
                              const LaunchOverrides& overrides) {
  Launch launch;
  CL_TRY(launch.argv, resolve_argv(config, overrides));

  launch.user = overrides.user.value_or(config.user);
  CL_TRY(const Identity identity, identity_of(launch.user, rootfs));
  launch.uid = identity.uid;
  launch.gid = identity.gid;
  CL_CHECK(expressible_text(identity.home, "the home directory"));

  for (const std::string& name : overrides.passthrough) {
    CL_CHECK(check_name(name));
    if (std::find(launch.passthrough.begin(), launch.passthrough.end(), name) ==
        launch.passthrough.end())
      launch.passthrough.push_back(name);
  }
  CL_TRY(launch.env, resolve_env(config, overrides, identity.home));

  launch.workdir = measure::normalize_path(overrides.workdir.value_or(config.working_dir));
  CL_CHECK(expressible_text(launch.workdir, "the working directory"));
  launch.volumes = volumes(config);
  CL_TRY(launch.missing_directories, missing_directories(launch.workdir, rootfs));
  CL_CHECK(find_entrypoint(launch, rootfs));
  return launch;
}

}  // namespace cloister::manifest
