// What of a directory is looked at, and what is not.
#include "measure/runtime/runtime_paths.h"

#include <gtest/gtest.h>

namespace cloister::measure {
namespace {

TEST(RuntimePaths, TakeTheFilesOfEveryPrefix) {
  for (const char* path :
       {"usr/lib/x86_64-linux-gnu/gramine/sgx/loader",
        "usr/local/lib/x86_64-linux-gnu/gramine/libsysdb.so", "usr/lib64/gramine/sgx/libpal.so",
        "lib/x86_64-linux-gnu/gramine/direct/loader",
        "gramine/meson_build_output/lib/x86_64-linux-gnu/gramine/runtime/glibc/libc.so.6",
        "gramine/runtime/musl/libc.so", "sgx/libpal.so", "libsysdb.so",
        "usr/lib/x86_64-linux-gnu/libc.so.6", "libprotobuf-c.so.1.0.0",
        "lib64/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu/ld-2.31.so", "lib", "usr/lib64",
        "lib/python3.11/site-packages/graminelibos.dist-info/METADATA",
        "usr/lib/python3/dist-packages/_graminelibos_offsets.py", "var/lib/dpkg/status",
        "usr/share/doc/gramine/copyright"})
    EXPECT_TRUE(is_runtime_file(path)) << path;
}

TEST(RuntimePaths, LeaveEverythingElse) {
  for (const char* path :
       {"", "usr", "etc/passwd", "usr/bin/gramine-sgx", "usr/lib/x86_64-linux-gnu/libssl.so.3",
        "home/user/gramine/sgx/loader", "usr/lib/x86_64-linux-gnu/gramine",
        "usr/lib/x86_64-linux-gnu/gramine/sgx/sub/file", "usr/libexec", "libsysdb.so.bak",
        "usr/lib/python3/dist-packages/graminelibos/manifest.py", "usr/share/doc/bash/copyright"})
    EXPECT_FALSE(is_runtime_file(path)) << path;
}

TEST(RuntimePaths, WalkOnlyWhereSuchFilesCanBe) {
  for (const char* path : {"usr", "usr/lib", "usr/lib/x86_64-linux-gnu", "lib", "gramine", "sgx",
                           "usr/lib/x86_64-linux-gnu/gramine/runtime/glibc", "lib/python3.11",
                           "gramine/meson_build_output", "opt", "var/lib/dpkg", "usr/bin"})
    EXPECT_TRUE(may_hold_runtime_files(path)) << path;
  for (const char* path : {"etc", "home", "proc", "usr/games", "usr/include", "usr/lib/gcc",
                           "usr/share/man", "var/cache", "gramine/.git", "usr/lib/python2.7"})
    EXPECT_FALSE(may_hold_runtime_files(path)) << path;
}

}  // namespace
}  // namespace cloister::measure
