// A small image built by hand: what the pass over a layer would have left behind.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "measure/rootfs/rootfs.h"
#include "measure/runtime/runtime.h"

namespace cloister::test {

// Facts of a 64-bit x86 shared object.
inline measure::elf::Facts library(std::vector<std::string> needed = {}) {
  measure::elf::Facts facts;
  facts.is_64 = facts.little_endian = true;
  facts.type = measure::elf::kTypeDyn;
  facts.machine = measure::elf::kMachineX86_64;
  facts.has_dynamic = true;
  facts.needed = std::move(needed);
  return facts;
}

inline measure::elf::Facts program(std::vector<std::string> needed = {"libc.so.6"}) {
  measure::elf::Facts facts = library(std::move(needed));
  facts.interpreter = "/lib64/ld-linux-x86-64.so.2";
  return facts;
}

class Tree {
 public:
  Tree& directory(std::string_view path) {
    measure::Entry entry = at(path);
    entry.type = measure::FileType::directory;
    entry.mode = 0755;
    return add(std::move(entry));
  }
  Tree& file(std::string_view path, std::string_view text = "", std::uint32_t mode = 0644) {
    measure::Entry entry = at(path);
    entry.mode = mode;
    entry.size = text.size();
    entry.sha256 = sha256(text);
    if (text.starts_with("#!")) {
      const std::string_view line = text.substr(2, text.find('\n') - 2);
      entry.shebang = line;
    }
    index_->pack[entry.sha256] = to_bytes(text);
    const auto* scanner = measure::source::scanner_for(entry.path, entry.shebang);
    if (scanner != nullptr) {
      entry.source = static_cast<std::int32_t>(index_->sources.size());
      index_->sources.push_back(scanner->scan(as_bytes(text), Limits{}));
    }
    return add(std::move(entry));
  }
  Tree& script(std::string_view path, std::string_view text) { return file(path, text, 0755); }
  Tree& link(std::string_view path, std::string_view target) {
    measure::Entry entry = at(path);
    entry.type = measure::FileType::symlink;
    entry.mode = 0777;
    entry.link_target = target;
    return add(std::move(entry));
  }
  // `content` only tells two files of one name apart.
  Tree& elf(std::string_view path, measure::elf::Facts facts, std::string_view content = "") {
    measure::Entry entry = at(path);
    entry.mode = 0755;
    entry.size = 4096;
    entry.sha256 = sha256(content.empty() ? path : content);
    entry.elf = static_cast<std::int32_t>(index_->elfs.size());
    index_->elfs.push_back(std::move(facts));
    return add(std::move(entry));
  }

  // Another name of the same file.
  Tree& hard_link(std::string_view path, std::string_view target) {
    measure::Entry entry = at(path);
    entry.type = measure::FileType::hardlink;
    entry.link_target = target.substr(1);
    return add(std::move(entry));
  }
  // What was added last.
  measure::Entry& last() { return index_->entries.back(); }

  measure::Rootfs build() {
    std::vector<measure::IndexedLayer> layers(1);
    layers.front().index = index_;
    auto rootfs = measure::Rootfs::merge(std::move(layers), Limits{});
    if (!rootfs) {
      ADD_FAILURE() << rootfs.error().what();
      return std::move(*measure::Rootfs::merge({}, Limits{}));
    }
    return std::move(*rootfs);
  }

 private:
  static measure::Entry at(std::string_view path) {
    measure::Entry entry;
    entry.path = path.substr(1);
    return entry;
  }
  Tree& add(measure::Entry entry) {
    index_->entries.push_back(std::move(entry));
    return *this;
  }
  std::shared_ptr<measure::LayerIndex> index_ = std::make_shared<measure::LayerIndex>();
};

// A runtime whose glibc has these shared objects, and libc.so.6 defines these versions.
inline measure::Runtime glibc_runtime(std::vector<std::string> versions = {"GLIBC_2.2.5",
                                                                           "GLIBC_2.40"}) {
  static const std::string kDir = "/usr/lib/x86_64-linux-gnu/gramine/runtime/glibc/";
  Tree tree;
  measure::elf::Facts libc = library({"ld-linux-x86-64.so.2"});
  libc.soname = "libc.so.6";
  libc.version_definitions = std::move(versions);
  tree.elf(kDir + "libc.so.6", libc).elf(kDir + "ld-linux-x86-64.so.2", library());
  for (const char* name : {"libm.so.6", "libpthread.so.0", "libdl.so.2"})
    tree.elf(kDir + name, library({"libc.so.6"}));
  measure::Runtime runtime;
  runtime.version = "1.9";
  runtime.sources.push_back(
      {"test", std::make_shared<const measure::Rootfs>(tree.build()), std::nullopt, "", false});
  for (const char* name :
       {"libc.so.6", "ld-linux-x86-64.so.2", "libm.so.6", "libpthread.so.0", "libdl.so.2"})
    runtime.glibc[name] = {0, kDir + name, sha256(kDir + name), 4096};
  runtime.libsysdb = measure::RuntimeFile{0, "/libsysdb.so", sha256("libsysdb"), 1};
  return runtime;
}

}  // namespace cloister::test
