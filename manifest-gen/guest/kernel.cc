// Packages do not hold modules.dep, which depmod makes when they are installed: what a module needs
// stands in the module itself.
#include "manifest-gen/guest/kernel.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/inflate.h"
#include "base/text.h"
#include "measure/elf/module_info.h"
#include "measure/runtime/archive_members.h"

namespace cloister::manifest {
namespace {

using measure::Node;

constexpr std::string_view kMachineModules[] = {"virtio_pci", "virtio_net", "configfs",
                                                "tsm",        "sev_guest",  "button"};
constexpr std::string_view kDiskModules[] = {"virtio_pci", "virtio_net", "configfs",
                                             "tsm",        "sev_guest",  "button",
                                             "virtio_blk", "dm_verity",  "erofs"};
// Only how often a package is read depends on this table.
constexpr std::string_view kOftenNeeded[] = {"virtio",
                                             "virtio_ring",
                                             "virtio_pci_modern_dev",
                                             "virtio_pci_legacy_dev",
                                             "failover",
                                             "net_failover",
                                             "dm_mod",
                                             "dm_bufio",
                                             "libcrc32c",
                                             "crc32c_generic",
                                             "lz4_decompress",
                                             "reed_solomon"};
constexpr std::size_t kDeepest = 64;

constexpr std::string_view kImagePrefix = "vmlinuz-";
constexpr std::string_view kModuleDirectories[] = {"/lib/modules/", "/usr/lib/modules/"};

// Documentation/arch/x86/boot.rst: "HdrS" and, relative to 0x200, where the version text is.
constexpr std::size_t kMagicOffset = 0x202, kVersionOffset = 0x20e, kVersionBase = 0x200;
constexpr std::size_t kLongestVersion = 256;

// File names have '-' where names of modules have '_', or not: both stand for the same.
std::string module_name(std::string_view text) {
  std::string out(text);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

// "virtio_net" of "virtio_net.ko.xz"; empty when it is no module.
std::string module_of_file(std::string_view file) {
  for (const std::string_view suffix : {".ko", ".ko.xz", ".ko.zst", ".ko.gz"})
    if (file.ends_with(suffix)) return module_name(file.substr(0, file.size() - suffix.size()));
  return {};
}

Result<Bytes> inflate_module(Bytes file, std::string_view name, const Limits& limits) {
  const std::string what = cat("kernel module ", printable(name));
  MemorySource raw(file);
  if (name.ends_with(".xz")) {
    CL_TRY(auto source, measure::make_xz_source(raw, what));
    return read_all(*source, limits.kernel_module_bytes, what);
  }
  const Compression compression = detect_compression(file);
  if (compression == Compression::none) return file;
  const auto source = make_inflater(compression, raw);
  return read_all(*source, limits.kernel_module_bytes, what);
}

class ModuleFinder {
 public:
  ModuleFinder(const measure::Rootfs& rootfs, std::string version, const Limits& limits)
      : rootfs_(rootfs), version_(std::move(version)), limits_(limits) {}

  Status index() {
    for (const std::string_view directory : kModuleDirectories) {
      const Node* top = rootfs_.find(cat(directory, version_));
      if (top == nullptr || !top->is_directory()) continue;
      std::vector<const Node*> pending{top};
      while (!pending.empty()) {
        const Node* node = pending.back();
        pending.pop_back();
        for (const auto& [name, child] : node->children) pending.push_back(child.get());
        if (!node->is_regular()) continue;
        if (const std::string name = module_of_file(node->name); !name.empty())
          files_.emplace(name, node);
        if (files_.size() > limits_.kernel_modules)
          return Error::limit(cat("kernel ", printable(version_), " has more than ",
                                  limits_.kernel_modules, " modules"));
      }
      return {};
    }
    return {};  // all that it has is built in
  }

  // All that `wanted` need. Packages are read from their start every time, so in as few passes as
  // can be: together with what is known to be needed, and then what turns out to be.
  Status fetch(std::span<const std::string_view> wanted) {
    std::set<std::string> asked(wanted.begin(), wanted.end());
    for (const std::string_view name : kOftenNeeded) asked.emplace(name);
    while (!asked.empty()) {
      CL_CHECK(read(asked));
      std::set<std::string> next;
      for (const std::string& name : asked)
        if (const auto found = found_.find(name); found != found_.end())
          for (const std::string& needed : found->second.depends)
            if (!found_.contains(needed)) next.insert(needed);
      std::erase_if(next, [&](const std::string& name) { return !files_.contains(name); });
      asked = std::move(next);
    }
    return {};
  }

  // Depth first, so that what is needed comes before. What needs itself, by whatever way, is loaded
  // once.
  Status add(const std::string& name, std::size_t depth = 0) {
    const auto found = found_.find(name);
    if (found == found_.end() || !added_.insert(name).second) return {};
    if (depth > kDeepest)
      return Error::limit(cat("kernel modules need each other more than ", kDeepest, " deep"));
    for (const std::string& needed : found->second.depends) CL_CHECK(add(needed, depth + 1));
    out_.push_back({name, std::move(found->second.content)});
    return {};
  }

  std::vector<KernelModule> take() { return std::move(out_); }

 private:
  struct Found {
    Bytes content;  // inflated
    std::vector<std::string> depends;
  };

  Status read(const std::set<std::string>& names) {
    std::vector<const Node*> nodes;
    std::vector<std::string> order;
    for (const std::string& name : names)
      if (const auto file = files_.find(name); file != files_.end() && !found_.contains(name)) {
        nodes.push_back(file->second);
        order.push_back(name);
      }
    if (nodes.empty()) return {};
    std::vector<Bytes> packed(nodes.size());
    CL_CHECK(rootfs_.read_many(
        nodes, [&](std::size_t index, std::uint64_t offset, ByteView piece) -> Status {
          Bytes& out = packed[index];
          if (offset == 0) out.clear();
          if (out.size() + piece.size() > limits_.kernel_module_bytes)
            return Error::limit(cat(quote(nodes[index]->path()), " is larger than ",
                                    limits_.kernel_module_bytes, " bytes"));
          out.insert(out.end(), piece.begin(), piece.end());
          return {};
        }));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      Found& found = found_[order[i]];
      CL_TRY(found.content, inflate_module(std::move(packed[i]), nodes[i]->name, limits_));
      CL_TRY(const measure::elf::ModuleInfo info, read_info(found.content, nodes[i]->path()));
      for (const std::string& needed : info.depends) found.depends.push_back(module_name(needed));
    }
    return {};
  }

  Result<measure::elf::ModuleInfo> read_info(const Bytes& content, const std::string& path) const {
    auto info = measure::elf::read_module_info(content, limits_);
    if (!info.has_value()) return std::move(info).error().while_(cat("reading ", quote(path)));
    if (!info->vermagic.starts_with(version_ + " "))
      return Error::corrupt(cat(quote(path), " is no module of this kernel"))
          .detail(cat("got ", quote(info->vermagic), ", want ", quote(version_)));
    return info;
  }

  const measure::Rootfs& rootfs_;
  std::string version_;
  const Limits& limits_;
  std::map<std::string, const Node*> files_;
  std::map<std::string, Found> found_;
  std::set<std::string> added_;
  std::vector<KernelModule> out_;
};

std::vector<const Node*> kernel_images(const measure::Rootfs& rootfs) {
  std::vector<const Node*> out;
  const Node* boot = rootfs.find("/boot");
  if (boot == nullptr || !boot->is_directory()) return out;
  for (const auto& [name, child] : boot->children)
    if (child->is_regular() && name.starts_with(kImagePrefix)) out.push_back(child.get());
  return out;
}

}  // namespace

std::span<const std::string_view> wanted_modules(bool disk) {
  if (disk) return kDiskModules;
  return kMachineModules;
}

Result<std::string> kernel_version(ByteView image) {
  const auto magic = slice(image, kMagicOffset, 4);
  const auto field = slice(image, kVersionOffset, 2);
  if (!magic || !field || as_text(*magic) != "HdrS")
    return Error::invalid("this is no bzImage of Linux for x86")
        .hint("name a kernel package (.deb), an image that has one, or a bzImage");
  const std::uint16_t offset = ByteReader(*field).u16();
  if (offset == 0) return Error::corrupt("the kernel does not say its version");
  const std::size_t start = kVersionBase + offset;
  if (start >= image.size()) return Error::corrupt("the kernel's version lies behind its end");
  const ByteView rest = image.subspan(start, std::min(image.size() - start, kLongestVersion));
  const std::string_view text = as_text(rest);
  const std::size_t end = text.find_first_of(std::string_view(" \0", 2));
  if (end == std::string_view::npos || end == 0)
    return Error::corrupt("the kernel's version is no text");
  return std::string(text.substr(0, end));
}

Result<GuestKernel> plain_kernel(Bytes image) {
  GuestKernel out;
  CL_TRY(out.version, kernel_version(image));
  out.image = std::move(image);
  return out;
}

Result<GuestKernel> find_kernel(const measure::Rootfs& rootfs,
                                std::span<const std::string_view> wanted, const Limits& limits) {
  const std::vector<const Node*> images = kernel_images(rootfs);
  if (images.empty())
    return Error::unresolved("there is no kernel: no file /boot/vmlinuz-VERSION")
        .hint("name a kernel package that holds one, as linux-image-VERSION-cloud-amd64 of Debian");
  if (images.size() > 1)
    return Error::conflict(cat("there are ", images.size(), " kernels in /boot"))
        .detail(quote(images[0]->name))
        .detail(quote(images[1]->name))
        .hint("name one of them by its package");
  CL_TRY(Bytes image, rootfs.read(*images.front(), limits.kernel_bytes));
  CL_TRY(GuestKernel out, plain_kernel(std::move(image)));
  const std::string named = images.front()->name.substr(kImagePrefix.size());
  if (named != out.version)
    return Error::corrupt(cat(quote(images.front()->path()), " is another kernel than it says"))
        .detail(cat("got ", quote(out.version), ", want ", quote(named)));
  ModuleFinder finder(rootfs, out.version, limits);
  CL_CHECK(finder.index());
  CL_CHECK(finder.fetch(wanted));
  for (const std::string_view name : wanted) CL_CHECK(finder.add(std::string(name)));
  out.modules = finder.take();
  return out;
}

}  // namespace cloister::manifest
