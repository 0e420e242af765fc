#include "cmd/guest/guest_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

namespace cloister::cmd {
namespace {

constexpr std::string_view kTitle = "org.opencontainers.image.title";

constexpr std::string_view kTeeLabel = "io.cloister.tee";

enum class Use { none, may, must };

struct FileKind {
  GuestFile file;
  std::string_view title, media_type;
  Use snp, nitro;

  Use use(Tee tee) const { return tee == Tee::nitro ? nitro : snp; }
};

constexpr FileKind kFileKinds[] = {
    {GuestFile::kernel, "vmlinuz", "application/vnd.cloister.guest.kernel.v1", Use::must,
     Use::none},
    {GuestFile::initrd, "initrd.img", "application/vnd.cloister.guest.initrd.v1+zstd", Use::must,
     Use::none},
    {GuestFile::firmware, "OVMF.fd", "application/vnd.cloister.guest.firmware.v1", Use::must,
     Use::none},
    {GuestFile::disk, "root.img", "application/vnd.cloister.guest.disk.v1", Use::may, Use::none},
    {GuestFile::command_line, "cmdline", "application/vnd.cloister.guest.cmdline.v1", Use::must,
     Use::none},
    {GuestFile::document, "guest.conf", "application/vnd.cloister.guest.document.v1", Use::must,
     Use::must},
    {GuestFile::measurement, "measurement.json",
     "application/vnd.cloister.guest.measurement.v1+json", Use::must, Use::must},
    {GuestFile::id_block, "id-block", "application/vnd.cloister.guest.id-block.v1", Use::may,
     Use::none},
    {GuestFile::id_auth, "id-auth", "application/vnd.cloister.guest.id-auth.v1", Use::may,
     Use::none},
    {GuestFile::launch, "launch.sh", "application/vnd.cloister.guest.launch.v1", Use::must,
     Use::none},
    {GuestFile::libvirt, "libvirt.xml", "application/vnd.cloister.guest.libvirt.v1+xml", Use::must,
     Use::none},
    {GuestFile::eif, "app.eif", "application/vnd.cloister.guest.eif.v1", Use::none, Use::must},
};

const FileKind& kind_of(GuestFile file) {
  return *std::find_if(std::begin(kFileKinds), std::end(kFileKinds),
                       [&](const FileKind& kind) { return kind.file == file; });
}

bool is_numbered(GuestFile file) {
  return file == GuestFile::id_block || file == GuestFile::id_auth;
}

// Titles become names of files where somebody pulls them.
bool is_title_of(std::string_view title, const FileKind& kind) {
  if (!is_numbered(kind.file)) return title == kind.title;
  if (!title.starts_with(kind.title) || !title.ends_with(".bin")) return false;
  title = title.substr(kind.title.size(), title.size() - kind.title.size() - 4);
  return title.size() >= 2 && title.size() <= 5 && title.front() == '-' && title[1] != '0' &&
         std::all_of(title.begin() + 1, title.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string guest_file_title(GuestFile file, std::uint32_t vcpus) {
  const FileKind& kind = kind_of(file);
  return is_numbered(file) ? cat(kind.title, "-", vcpus, ".bin") : std::string(kind.title);
}

oci::Descriptor guest_descriptor(const GuestBlob& blob) {
  oci::Descriptor out;
  out.media_type = kind_of(blob.file).media_type;
  out.digest = blob.digest;
  out.size = blob.size;
  out.annotations.emplace(kTitle, blob.title);
  return out;
}

GuestArtifact make_guest_artifact(const std::vector<GuestBlob>& blobs,
                                  const GuestConfigFacts& facts) {
  GuestArtifact out;
  OrderedJson diff_ids = OrderedJson::array();
  for (const GuestBlob& blob : blobs) {
    out.manifest.layers.push_back(guest_descriptor(blob));
    diff_ids.push_back(blob.digest.str());
  }
  OrderedJson config;
  if (facts.created) config["created"] = format_rfc3339(*facts.created);
  config["architecture"] = "amd64";
  config["os"] = "linux";
  OrderedJson labels = OrderedJson::object();
  std::map<std::string, std::string> named = facts.labels;
  named[std::string(kTeeLabel)] = target_of(facts.tee).name;
  for (const auto& [name, value] : named) labels[name] = value;
  config["config"] = {{"Labels", std::move(labels)}};
  config["rootfs"] = {{"type", "layers"}, {"diff_ids", std::move(diff_ids)}};
  out.config_text = config.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  out.config_descriptor = oci::describe(oci::media_type::kGuestConfig, out.config_text);
  out.manifest.media_type = oci::media_type::kOciManifest;
  out.manifest.config = out.config_descriptor;
  out.manifest_text = oci::write_image_manifest(out.manifest);
  out.manifest_descriptor = oci::describe(oci::media_type::kOciManifest, out.manifest_text);
  return out;
}

bool is_guest(const oci::ImageManifest& manifest) {
  return manifest.config.media_type == oci::media_type::kGuestConfig;
}

Result<Tee> guest_tee(const oci::Image& image) {
  const auto& labels = image.config.config.labels;
  const auto label = labels.find(std::string(kTeeLabel));
  const std::string_view name = label == labels.end() ? "" : std::string_view(label->second);
  for (const Target& target : targets())
    if (target.machine && target.name == name) return target.tee;
  return Error::unsupported(cat("these files are for hardware that is not known: ", quote(name)))
      .detail(cat("the label ", kTeeLabel, " says so"))
      .hint("they were made by a newer version of cloister, or by nobody");
}

Result<std::vector<GuestBlob>> guest_blobs(const oci::Image& image) {
  CL_TRY(const Tee tee, guest_tee(image));
  std::vector<GuestBlob> out;
  for (const oci::Descriptor& layer : image.manifest.layers) {
    const auto* kind =
        std::find_if(std::begin(kFileKinds), std::end(kFileKinds),
                     [&](const FileKind& k) { return k.media_type == layer.media_type; });
    const auto title = layer.annotations.find(std::string(kTitle));
    if (kind == std::end(kFileKinds))
      return Error::unsupported(
                 cat("a file of the guest has the unknown type ", quote(layer.media_type)))
          .hint("it was made by a newer version of cloister");
    if (kind->use(tee) == Use::none)
      return Error::corrupt(cat("a guest for ", target_of(tee).name, " has a file ",
                                quote(kind->title), ", which is none of its own"));
    if (title == layer.annotations.end() || !is_title_of(title->second, *kind))
      return Error::corrupt(cat("a file of the guest has the wrong title ",
                                quote(title == layer.annotations.end() ? "" : title->second)));
    if (std::any_of(out.begin(), out.end(),
                    [&](const GuestBlob& blob) { return blob.title == title->second; }))
      return Error::corrupt(cat("the guest has two files ", quote(title->second)));
    out.push_back({kind->file, title->second, layer.digest, layer.size});
  }
  for (const FileKind& kind : kFileKinds)
    if (kind.use(tee) == Use::must && find_blob(out, kind.file) == nullptr)
      return Error::corrupt(cat("the guest has no file ", quote(kind.title)));
  return out;
}

const GuestBlob* find_blob(const std::vector<GuestBlob>& blobs, GuestFile file,
                           std::uint32_t vcpus) {
  const auto found = std::find_if(blobs.begin(), blobs.end(), [&](const GuestBlob& blob) {
    return blob.file == file && (vcpus == 0 || blob.title == guest_file_title(file, vcpus));
  });
  return found == blobs.end() ? nullptr : &*found;
}

}  // namespace cloister::cmd
