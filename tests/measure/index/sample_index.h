// An index in which every field of every type is set, for codec and cache tests.
#pragma once

#include "measure/index/layer_index.h"

namespace cloister::testing {

inline measure::LayerIndex sample_index() {
  using measure::Entry;
  using measure::FileType;
  measure::LayerIndex index;
  index.blob = sha256("blob");
  index.diff_id = sha256("tar");
  index.tar_bytes = 0x123456789a;

  measure::elf::Facts& facts = index.elfs.emplace_back();
  facts.is_64 = facts.little_endian = facts.has_dynamic = true;
  facts.os_abi = 3;
  facts.type = measure::elf::kTypeDyn;
  facts.machine = measure::elf::kMachineX86_64;
  facts.interpreter = "/lib64/ld-linux-x86-64.so.2";
  facts.needed = {"libc.so.6", ""};
  facts.runpath = "$ORIGIN/../lib";
  facts.soname = "";
  facts.version_needs = {{"libc.so.6", {{"GLIBC_2.34", false}, {"GLIBC_ABI_DT_RELR", true}}}};
  facts.version_definitions = {"V1", "V2"};
  facts.flags = 8;
  facts.flags_1 = 0x8000001;
  facts.filters = {"libfilter.so"};
  facts.auxiliaries = {"libaux.so", "liblast.so"};
  facts.audit = "libaudit.so";
  facts.depaudit = "";
  facts.imports = {"dlopen", "getpwnam"};
  facts.strings = {"/etc/app.conf", "libplugin.so.2"};
  facts.dlopen_notes = {{{"libz.so.1", "libz.so"},
                         "zip",
                         "compression",
                         measure::elf::DlopenNote::Priority::suggested}};
  facts.raw_syscalls = true;
  index.elfs.emplace_back().machine = measure::elf::kMachine386;

  index.sources.push_back({measure::source::Language::perl, {"Foo::Bar"}, true});

  Entry e;
  e.type = FileType::directory;
  e.mode = 0755;
  index.entries.push_back(e);  // the root
  e.path = "usr/bin/app";
  e.type = FileType::regular;
  e.mode = 04755;
  e.uid = 4294967295U;
  e.gid = 7;
  e.size = 1ULL << 40;
  e.mtime = -5;
  e.sha256 = sha256("content");
  e.elf = 1;
  e.xattrs = {{"security.capability", std::string("\1\0\2", 3)}, {"user.a", ""}};
  index.entries.push_back(e);
  e = {};
  e.path = "usr/bin/appendix";
  e.source = 0;
  e.key_mark = true;
  e.shebang = "/bin/sh -e";
  e.sha256 = sha256("script");
  index.entries.push_back(e);
  e = {};
  e.path = "usr/\xff\nodd";
  e.type = FileType::symlink;
  e.link_target = "../\xfe";
  index.entries.push_back(e);
  e.path = "usr/hard";
  e.type = FileType::hardlink;
  e.link_target = "usr/bin/app";
  index.entries.push_back(e);
  e = {};
  e.path = "dev/null";
  e.type = FileType::char_device;
  e.device_major = 1;
  e.device_minor = 3;
  index.entries.push_back(e);
  e.type = FileType::block_device;
  index.entries.push_back(e);
  e = {};
  e.path = "pipe";
  e.type = FileType::fifo;
  index.entries.push_back(e);

  index.pack[sha256("one")] = to_bytes("one");
  index.pack[sha256("")] = {};
  return index;
}

}  // namespace cloister::testing
