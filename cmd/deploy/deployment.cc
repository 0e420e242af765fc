#include "cmd/deploy/deployment.h"

#include <algorithm>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/gramine/values.h"
#include "manifest-gen/launch/launch.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::cmd {
namespace {

constexpr std::size_t kMaxLabel = 40;

// Container runtimes put these there, whatever the image has.
bool made_by_runtime(std::string_view path) {
  static constexpr std::string_view kFiles[] = {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"};
  return is_within(path, "/dev") || is_within(path, "/proc") || is_within(path, "/sys") ||
         std::find(std::begin(kFiles), std::end(kFiles), path) != std::end(kFiles);
}

// "6379/tcp", "53/udp", "8080"; nothing for another text.
std::optional<ExposedPort> parse_port(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto number = parse_u64(text.substr(0, slash));
  const std::string_view protocol =
      slash == std::string_view::npos ? "tcp" : text.substr(slash + 1);
  if (!number || *number == 0 || *number > UINT16_MAX) return std::nullopt;
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp") return std::nullopt;
  return ExposedPort{static_cast<std::uint16_t>(*number), std::string(protocol)};
}

// Root and numbers mean the same everywhere.
bool is_plain_user(std::string_view user) {
  return user.empty() || user == "root" ||
         (user.find(':') == std::string_view::npos && manifest::parse_id(user).has_value());
}

Status read_user(const oci::ExecutionConfig& config, const measure::Rootfs* rootfs,
                 Deployment& out) {
  if (rootfs != nullptr) {
    CL_TRY(const manifest::Identity identity, manifest::identity_of(config.user, *rootfs));
    out.uid = identity.uid;
    out.gid = identity.gid;
    return {};
  }
  out.uid = manifest::parse_id(config.user).value_or(0);
  return {};
}

// A name with '=' is none that a process could have.
void read_host_environment(const TomlTable& table, Deployment& out) {
  for (std::string& name : manifest::passthrough_names(table))
    if (!name.empty() && name.find('=') == std::string::npos)
      out.environment.push_back(std::move(name));
}

// A host's path as the manifest has it, absolute and lexically normal; relative ones count from
// where the container starts.
std::string absolute_path(std::string_view path, const oci::ExecutionConfig& config) {
  if (path.starts_with('/')) return measure::normalize_path(path);
  return measure::normalize_path(cat(config.working_dir, "/", path));
}

std::vector<HostPlace> host_places(const TomlTable& table, const oci::ExecutionConfig& config) {
  std::vector<HostPlace> out;
  const std::vector<manifest::Mount> mounts = manifest::mounts(table);
  for (const manifest::Mount& mount : mounts)
    if (mount.type == "encrypted")
      out.push_back({absolute_path(manifest::uri_path(mount.uri), config), true, false, 0});
  for (const manifest::FileEntry& entry : manifest::file_entries(table, "sgx.allowed_files")) {
    const std::string path = absolute_path(manifest::uri_path(entry.uri), config);
    if (!made_by_runtime(path)) out.push_back({path, false, false, 0});
  }
  std::erase_if(out, [](const HostPlace& place) { return place.path == "/"; });
  std::stable_sort(out.begin(), out.end(),
                   [](const HostPlace& a, const HostPlace& b) { return a.path < b.path; });
  // What lies within another is there with it.
  std::vector<HostPlace> kept;
  for (HostPlace& place : out)
    if (kept.empty() || !is_within(place.path, kept.back().path)) kept.push_back(std::move(place));
  return kept;
}

// By the files of the image: what a link leads to /dev/stdout for needs no place, a file no volume
// can stand for, and a directory may have an owner.
void look_at_places(const measure::Rootfs& rootfs, Deployment& out) {
  std::erase_if(out.places, [&](const HostPlace& place) {
    const measure::Node* node = rootfs.find(place.path, /*follow_last=*/false);
    return node != nullptr && node->is_symlink() &&
           made_by_runtime(absolute_path(node->entry->link_target, {}));
  });
  for (HostPlace& place : out.places) {
    const measure::Node* node = rootfs.find(place.path);
    if (node == nullptr || node->entry == nullptr) continue;
    place.file = node->is_regular();
    place.owner = node->entry->uid;
  }
}

}  // namespace

void read_ports(const oci::ExecutionConfig& config, std::vector<ExposedPort>& ports,
                std::vector<std::string>& problems) {
  for (const std::string& text : config.exposed_ports) {
    if (const auto port = parse_port(text))
      ports.push_back(*port);
    else
      problems.push_back(cat("the image exposes ", quote(text), ", which is no port"));
  }
}

std::string dns_label(std::string_view name) {
  std::string out;
  for (const char c : lower_ascii(name)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain)
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
    if (out.size() == kMaxLabel) break;
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "enclave" : out;
}

bool Deployment::other_owner() const {
  return uid == 0 && std::any_of(places.begin(), places.end(),
                                 [](const HostPlace& place) { return place.owner != 0; });
}

Result<bool> wants_rootfs(const oci::Image& image, const EnclaveImage& enclave,
                          const Limits& limits) {
  CL_TRY(const TomlTable table,
         parse_toml(as_text(enclave.manifest), limits, "the enclave manifest"));
  const oci::ExecutionConfig& config = image.config.config;
  return !is_plain_user(config.user) || !host_places(table, config).empty();
}

Result<Deployment> deployment_of(const oci::ImageRef& ref, const oci::Image& image,
                                 const EnclaveImage& enclave, const measure::Rootfs* rootfs,
                                 const Limits& limits) {
  CL_TRY(const TomlTable table,
         parse_toml(as_text(enclave.manifest), limits, "the enclave manifest"));
  CL_TRY(const auto params, manifest::enclave_params({table}, nullptr));
  const oci::ExecutionConfig& config = image.config.config;
  Deployment out;
  oci::RegistryRef pinned = ref.registry;
  pinned.digest = image.manifest_descriptor.digest;
  out.image = pinned.str();
  out.repository = pinned.name();
  out.name = dns_label(base_name(pinned.repository));
  out.sigstruct = enclave.sigstruct;
  out.enclave_size = params.enclave_size;
  out.edmm = params.edmm;
  const std::string* attestation = manifest::string_at(table, "sgx.remote_attestation");
  out.attested = attestation != nullptr && *attestation == "dcap";
  out.host_arguments = manifest::true_at(table, "loader.insecure__use_cmdline_argv");
  out.sigterm = manifest::true_at(table, "sys.enable_sigterm_injection");
  out.stop_signal = config.stop_signal;
  out.healthcheck = config.has_healthcheck;
  CL_CHECK(read_user(config, rootfs, out));
  read_ports(config, out.ports, out.problems);
  read_host_environment(table, out);
  out.places = host_places(table, config);
  if (rootfs != nullptr) look_at_places(*rootfs, out);
  return out;
}

std::vector<std::string> volume_names(const Deployment& deployment) {
  std::vector<std::string> out;
  std::set<std::string> taken;
  for (const HostPlace& place : deployment.places) {
    if (place.file) {
      out.emplace_back();
      continue;
    }
    const std::string wanted = dns_label(cat(deployment.name, "-", place.path));
    std::string name = wanted;
    for (std::size_t n = 2; !taken.insert(name).second; ++n) name = cat(wanted, "-", n);
    out.push_back(name);
  }
  return out;
}

std::vector<std::string> deployment_notes(const Deployment& d) {
  std::vector<std::string> out = d.problems;
  if (d.sigstruct.debug()) out.emplace_back("a debug enclave: the host can read its memory");
  if (!d.attested) out.emplace_back("built without remote attestation: nobody can verify it");
  for (const HostPlace& place : d.places) {
    if (place.file)
      out.push_back(cat("the enclave uses the file ", quote(place.path),
                        " of the host: mount one there, or it stays as the image has it"));
    else if (!place.encrypted)
      out.push_back(cat(quote(place.path), " is not protected: the host can read and change it"));
    if (!place.file && d.uid != 0 && place.owner != d.uid)
      out.push_back(cat("a new volume for ", quote(place.path), " belongs to user ", place.owner,
                        ", and the program runs as ", d.uid,
                        ": give it to that user (in Kubernetes fsGroup does)"));
  }
  if (d.host_arguments)
    out.emplace_back("the enclave takes its arguments from the host: append them");
  if (!d.sigterm)
    out.emplace_back("the manifest has no sys.enable_sigterm_injection: a stop kills the program");
  if (d.healthcheck) out.emplace_back("the image's HEALTHCHECK runs beside the enclave, not in it");
  return out;
}

}  // namespace cloister::cmd
