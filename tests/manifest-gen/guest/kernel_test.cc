// Kernels and their modules, as packages have them and as nobody should.
#include "manifest-gen/guest/kernel.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/base/gzip.h"
#include "tests/base/must.h"
#include "tests/manifest-gen/support/tree.h"
#include "tests/measure/elf/elf_builder.h"
#include "tests/measure/elf/module_builder.h"

namespace cloister::manifest {
namespace {

using measure::elf::ModuleBuilder;
using test::Tree;

constexpr std::string_view kVersion = "6.1.0-56-cloud-amd64";
constexpr std::size_t kMagicAt = 0x202, kVersionField = 0x20e, kVersionAt = 0x400;

// The header alone: nothing of it is ever booted here.
Bytes bz_image(std::string_view version_text = "6.1.0-56-cloud-amd64 (me@here) #1 SMP") {
  Bytes out(0x800);
  const ByteView text = as_bytes(version_text), magic = as_bytes(std::string_view("HdrS"));
  std::copy(magic.begin(), magic.end(), out.begin() + kMagicAt);
  measure::elf::poke(out, kVersionField, kVersionAt - 0x200, 2);
  std::copy(text.begin(), text.end(), out.begin() + kVersionAt);
  return out;
}

std::string module(const std::string& name, const std::string& depends = "",
                   std::string_view version = kVersion) {
  return std::string(as_text(ModuleBuilder::named(name, depends, std::string(version)).build()));
}

std::string xz(const std::string& text) {
  std::string out(text.size() + 4096, '\0');
  std::size_t used = 0;
  archive* writer = archive_write_new();
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  EXPECT_EQ(archive_write_add_filter_xz(writer), ARCHIVE_OK);
  EXPECT_EQ(archive_write_set_format_raw(writer), ARCHIVE_OK);
  archive_write_set_bytes_in_last_block(writer, 1);
  EXPECT_EQ(archive_write_open_memory(writer, out.data(), out.size(), &used), ARCHIVE_OK);
  EXPECT_EQ(archive_write_header(writer, entry), ARCHIVE_OK);
  EXPECT_EQ(archive_write_data(writer, text.data(), text.size()),
            static_cast<la_ssize_t>(text.size()));
  EXPECT_EQ(archive_write_close(writer), ARCHIVE_OK);
  archive_entry_free(entry);
  archive_write_free(writer);
  out.resize(used);
  return out;
}

class Package {
 public:
  explicit Package(std::string_view version = kVersion, std::string directory = "/lib/modules")
      : directory_(cat(directory, "/", version, "/kernel/")) {
    tree_.file(cat("/boot/vmlinuz-", version), as_text(bz_image(cat(version, " (x)"))));
  }
  Package& file(const std::string& name, const std::string& content) {
    tree_.file(directory_ + name, content);
    return *this;
  }
  Tree& tree() { return tree_; }

  Result<GuestKernel> find(std::vector<std::string_view> wanted, const Limits& limits = {}) {
    const measure::Rootfs rootfs = tree_.build();
    return find_kernel(rootfs, wanted, limits);
  }

 private:
  Tree tree_;
  std::string directory_;
};

std::vector<std::string> names(const GuestKernel& kernel) {
  std::vector<std::string> out;
  for (const KernelModule& one : kernel.modules) out.push_back(one.name);
  return out;
}

using Names = std::vector<std::string>;

Code code_of(const Result<GuestKernel>& kernel) {
  return kernel.has_value() ? Code::internal : kernel.error().code();
}

TEST(KernelVersion, StandsInTheHeader) {
  EXPECT_EQ(must(kernel_version(bz_image())), kVersion);
  EXPECT_EQ(must(kernel_version(bz_image("6.1"))), "6.1");  // a NUL ends it too
  const GuestKernel kernel = must(plain_kernel(bz_image()));
  EXPECT_EQ(kernel.version, kVersion);
  EXPECT_EQ(kernel.image, bz_image());
  EXPECT_TRUE(kernel.modules.empty());
}

TEST(KernelVersion, HostileHeadersAreRefused) {
  const auto refused = [](ByteView image) {
    const auto version = kernel_version(image);
    return version.has_value() ? Code::internal : version.error().code();
  };
  const Bytes whole = bz_image();
  for (std::size_t size = 0; size < kVersionField + 2; ++size)
    EXPECT_EQ(refused(ByteView(whole).first(size)), Code::invalid) << size;
  for (std::size_t size = kVersionField + 2; size <= kVersionAt + kVersion.size(); ++size)
    EXPECT_EQ(refused(ByteView(whole).first(size)), Code::corrupt) << size;
  Bytes image = whole;
  image[kMagicAt] = std::byte{'h'};
  EXPECT_EQ(refused(image), Code::invalid);
  const auto with_field = [&](std::uint64_t value) {
    Bytes out = whole;
    measure::elf::poke(out, kVersionField, value, 2);
    return out;
  };
  EXPECT_EQ(refused(with_field(0)), Code::corrupt);  // it has none
  EXPECT_EQ(refused(with_field(0xffff)), Code::corrupt);
  EXPECT_EQ(refused(with_field(0x600)), Code::corrupt);  // the first byte behind the end
  EXPECT_EQ(refused(bz_image("")), Code::corrupt);
  EXPECT_EQ(refused(bz_image(" 6.1")), Code::corrupt);
  EXPECT_EQ(refused(bz_image(std::string(300, '6'))), Code::corrupt);
  EXPECT_EQ(refused(as_bytes(std::string_view("\177ELF"))), Code::invalid);
}

TEST(FindKernel, TakesTheOneWithItsModules) {
  for (const char* directory : {"/lib/modules", "/usr/lib/modules"}) {
    Package package(kVersion, directory);
    package.file("net/virtio_net.ko", module("virtio_net", "virtio,net_failover"))
        .file("net/net_failover.ko", module("net_failover", "failover"))
        .file("net/failover.ko", module("failover"))
        .file("drivers/virtio.ko", module("virtio"))
        .file("drivers/other.ko", module("other"));
    const GuestKernel kernel = must(package.find({"virtio_net", "built_in"}));
    EXPECT_EQ(kernel.version, kVersion);
    EXPECT_EQ(kernel.image, bz_image(cat(kVersion, " (x)")));
    EXPECT_EQ(names(kernel), (Names{"virtio", "failover", "net_failover", "virtio_net"}));
    EXPECT_EQ(as_text(kernel.modules[0].content), module("virtio"));
  }
}

TEST(FindKernel, ModulesMayBeCompressed) {
  Package package;
  package.file("a.ko.xz", xz(module("a", "b,c")))
      .file("b.ko.gz", gzip_text(module("b", "c")))
      .file("c.ko", module("c"));
  const GuestKernel kernel = must(package.find({"a"}));
  EXPECT_EQ(names(kernel), (Names{"c", "b", "a"}));
  for (const KernelModule& one : kernel.modules)
    EXPECT_TRUE(as_text(one.content).starts_with("\177ELF")) << one.name;
}

// File names and texts have '-' or '_' as they like.
TEST(FindKernel, DashesAreUnderscores) {
  Package package;
  package.file("dm-verity.ko", module("dm_verity", "dm-mod,dm_bufio"))
      .file("dm-mod.ko", module("dm_mod"))
      .file("dm_bufio.ko", module("dm_bufio"));
  EXPECT_EQ(names(must(package.find({"dm_verity"}))), (Names{"dm_mod", "dm_bufio", "dm_verity"}));
}

TEST(FindKernel, CyclesEnd) {
  Package package;
  package.file("a.ko", module("a", "b")).file("b.ko", module("b", "a,b"));
  EXPECT_EQ(names(must(package.find({"a", "b", "a"}))), (Names{"b", "a"}));
}

TEST(FindKernel, DepthIsBounded) {
  Package package;
  for (int i = 0; i < 100; ++i)
    package.file(cat("m", i, ".ko"), module(cat("m", i), cat("m", i + 1)));
  EXPECT_EQ(must(package.find({"m50"})).modules.size(), 50U);
  EXPECT_EQ(code_of(package.find({"m0"})), Code::limit);
}

TEST(FindKernel, AKernelMayHaveAllBuiltIn) {
  Package package;
  EXPECT_TRUE(must(package.find({"virtio_net"})).modules.empty());
}

TEST(FindKernel, ThereMustBeOne) {
  Tree none;
  none.directory("/boot").file("/boot/config-6.1", "").file("/vmlinuz-6.1", "");
  EXPECT_EQ(code_of(find_kernel(none.build(), {}, Limits())), Code::unresolved);
  Tree file;
  file.file("/boot", "x");
  EXPECT_EQ(code_of(find_kernel(file.build(), {}, Limits())), Code::unresolved);
  Tree link;
  link.link("/boot/vmlinuz-6.1", "/else/where");
  EXPECT_EQ(code_of(find_kernel(link.build(), {}, Limits())), Code::unresolved);
}

TEST(FindKernel, ThereMustNotBeTwo) {
  Package package;
  package.tree().file("/boot/vmlinuz-6.2", as_text(bz_image("6.2 x")));
  EXPECT_EQ(code_of(package.find({})), Code::conflict);
}

TEST(FindKernel, ItIsTheOneItSays) {
  Tree other;
  other.file("/boot/vmlinuz-6.2", as_text(bz_image()));
  EXPECT_EQ(code_of(find_kernel(other.build(), {}, Limits())), Code::corrupt);
  Tree text;
  text.file("/boot/vmlinuz-6.2", "no kernel");
  EXPECT_EQ(code_of(find_kernel(text.build(), {}, Limits())), Code::invalid);
}

TEST(FindKernel, ModulesAreThisKernels) {
  for (const char* version : {"6.1.0-57-cloud-amd64", "6.1.0-56-cloud-amd640", "6.1.0", ""}) {
    Package package;
    package.file("a.ko", module("a", "", version));
    const auto kernel = package.find({"a"});
    EXPECT_EQ(code_of(kernel), Code::corrupt) << version;
  }
  // Those of another kernel beside it are not looked at.
  Package package;
  package.file("a.ko", module("a")).tree().file("/lib/modules/6.2/b.ko", module("b", "", "6.2"));
  EXPECT_EQ(names(must(package.find({"a", "b"}))), Names{"a"});
}

TEST(FindKernel, DamagedModulesAreRefused) {
  for (const std::string name : {"a.ko", "a.ko.xz", "a.ko.gz", "a.ko.zst"}) {
    Package package;
    package.file(name, "no module");
    EXPECT_EQ(code_of(package.find({"a"})), Code::corrupt) << name;
  }
  Package cut;
  const std::string packed = xz(module("a"));
  cut.file("a.ko.xz", packed.substr(0, packed.size() / 2));
  EXPECT_EQ(code_of(cut.find({"a"})), Code::corrupt);
  // What nothing needs is not looked at.
  Package idle;
  idle.file("a.ko", module("a")).file("b.ko", "no module").file("c.ko.old", "").file("README", "");
  EXPECT_EQ(names(must(idle.find({"a"}))), Names{"a"});
}

TEST(FindKernel, IsBounded) {
  Package package;
  package.file("a.ko.xz", xz(module("a") + std::string(100'000, '\0'))).file("b.ko", module("b"));
  Limits limits;
  EXPECT_TRUE(package.find({"a"}, limits).has_value());
  limits.kernel_module_bytes = 50'000;  // inflated
  EXPECT_EQ(code_of(package.find({"a"}, limits)), Code::limit);
  limits = Limits();
  limits.kernel_modules = 1;
  EXPECT_EQ(code_of(package.find({}, limits)), Code::limit);
  limits = Limits();
  limits.kernel_bytes = 0x7ff;
  EXPECT_EQ(code_of(package.find({}, limits)), Code::limit);
}

TEST(WantedModules, ADiskNeedsMore) {
  const auto plain = wanted_modules(false), disk = wanted_modules(true);
  for (const std::string_view name : plain)
    EXPECT_NE(std::find(disk.begin(), disk.end(), name), disk.end()) << name;
  for (const std::string_view name : {"virtio_blk", "dm_verity", "erofs"}) {
    EXPECT_EQ(std::find(plain.begin(), plain.end(), name), plain.end()) << name;
    EXPECT_NE(std::find(disk.begin(), disk.end(), name), disk.end()) << name;
  }
}

}  // namespace
}  // namespace cloister::manifest
