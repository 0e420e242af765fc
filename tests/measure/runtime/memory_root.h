// A root file system out of a list, for tests: what discovery sees, without ELF files on disk.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "measure/runtime/runtime.h"

namespace cloister::measure::test {

class MemoryRoot {
 public:
  MemoryRoot& file(const std::string& path, std::string_view text = "text") {
    Entry entry = regular(path, text);
    index_.entries.push_back(std::move(entry));
    return *this;
  }
  MemoryRoot& link(const std::string& path, const std::string& target) {
    Entry entry;
    entry.path = path;
    entry.type = FileType::symlink;
    entry.mode = 0777;
    entry.link_target = target;
    index_.entries.push_back(std::move(entry));
    return *this;
  }
  MemoryRoot& directory(const std::string& path, std::uint32_t mode = 0755) {
    Entry entry;
    entry.path = path;
    entry.type = FileType::directory;
    entry.mode = mode;
    index_.entries.push_back(std::move(entry));
    return *this;
  }
  // A file that passes for an x86-64 shared object with these facts.
  MemoryRoot& elf(const std::string& path, elf::Facts facts = {}, std::string_view text = "") {
    facts.is_64 = facts.little_endian = true;
    facts.machine = elf::kMachineX86_64;
    if (facts.type == 0) facts.type = elf::kTypeDyn;
    Entry entry = regular(path, text.empty() ? "ELF of " + path : std::string(text));
    entry.elf = static_cast<std::int32_t>(index_.elfs.size());
    index_.elfs.push_back(std::move(facts));
    index_.entries.push_back(std::move(entry));
    return *this;
  }

  std::shared_ptr<const Rootfs> merge() const {
    std::vector<IndexedLayer> layers(1);
    layers[0].index = std::make_shared<const LayerIndex>(index_);
    auto rootfs = Rootfs::merge(std::move(layers), Limits());
    EXPECT_TRUE(rootfs.has_value());
    return std::make_shared<const Rootfs>(std::move(*rootfs));
  }
  RuntimeSource source(std::string name = "memory") const {
    RuntimeSource out;
    out.name = std::move(name);
    out.rootfs = merge();
    return out;
  }

 private:
  Entry regular(const std::string& path, std::string_view text) {
    Entry entry;
    entry.path = path;
    entry.mode = 0644;
    entry.size = text.size();
    entry.sha256 = sha256(text);
    index_.pack.emplace(entry.sha256, to_bytes(text));
    return entry;
  }
  LayerIndex index_;
};

inline elf::Facts needs(std::vector<std::string> libraries) {
  elf::Facts facts;
  facts.needed = std::move(libraries);
  return facts;
}
inline elf::Facts& needs_version(elf::Facts& facts, const std::string& file,
                                 const std::string& version, bool weak = false) {
  facts.version_needs.push_back({file, {{version, weak}}});
  return facts;
}

// Gramine below `directory` ("usr/lib/x86_64-linux-gnu/gramine"), loader and C library included.
inline MemoryRoot& add_gramine(MemoryRoot& root, const std::string& directory,
                               std::string_view loader_text = "") {
  elf::Facts loader = needs({"libprotobuf-c.so.1", "libc.so.6"});
  loader.interpreter = "/lib64/ld-linux-x86-64.so.2";
  needs_version(loader, "libc.so.6", "GLIBC_2.34");
  const std::string at = directory.empty() ? "" : directory + "/";
  root.elf(at + "sgx/loader", loader, loader_text)
      .elf(at + "sgx/libpal.so")
      .elf(at + "libsysdb.so");
  root.elf(at + "direct/libpal.so").link(at + "direct/loader", "libpal.so");
  root.elf(at + "runtime/glibc/libc.so.6").elf(at + "runtime/glibc/ld-linux-x86-64.so.2");
  return root;
}
// libc6 and libprotobuf-c1 as in a merged /usr of Debian.
inline MemoryRoot& add_libraries(MemoryRoot& root, const std::string& newest = "GLIBC_2.36") {
  elf::Facts libc = needs({"ld-linux-x86-64.so.2"});
  libc.version_definitions = {"GLIBC_2.2.5", "GLIBC_2.34", newest};
  root.link("lib", "usr/lib").link("lib64", "usr/lib64");
  root.elf("usr/lib/x86_64-linux-gnu/libc.so.6", libc);
  root.elf("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
  root.link("usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
  root.elf("usr/lib/x86_64-linux-gnu/libprotobuf-c.so.1.0.0", needs({"libc.so.6"}));
  root.link("usr/lib/x86_64-linux-gnu/libprotobuf-c.so.1", "libprotobuf-c.so.1.0.0");
  return root;
}
inline MemoryRoot& add_package(MemoryRoot& root, const std::string& package,
                               const std::string& version) {
  return root.file("var/lib/dpkg/status.d/" + package,
                   "Package: " + package + "\nVersion: " + version + "\n");
}

inline constexpr char kDebianPlace[] = "usr/lib/x86_64-linux-gnu/gramine";

}  // namespace cloister::measure::test
