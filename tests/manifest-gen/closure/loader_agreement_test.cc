// The model against the real loader, for hundreds of programs of a full Debian system: by default
// this machine's own; CLOISTER_AGREEMENT_ROOT names the root of another (an unpacked image), which
// takes a chroot. The image's own libc stands in for the runtime's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "manifest-gen/closure/closure.h"
#include "tests/manifest-gen/closure/loader_cases/loader_case.h"
#include "tests/manifest-gen/support/disk_root.h"

namespace cloister::manifest {
namespace {

constexpr std::size_t kEnough = 300, kAtMost = 600;  // a named root may have fewer

// Programs and libraries, and the loader's configuration.
bool wanted(std::string_view path, bool is_directory) {
  static constexpr std::string_view kTrees[] = {
      "/bin",      "/sbin",    "/lib",       "/lib64",     "/usr/bin",
      "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/local", "/usr/libexec"};
  if (path == "/usr" || path == "/etc" || path == "/var" || path == "/var/lib" ||
      path == "/var/lib/dpkg")
    return is_directory;
  if (path.starts_with("/etc/ld")) return true;
  const bool inside = std::any_of(std::begin(kTrees), std::end(kTrees), [&](auto tree) {
    return path == tree || (path.starts_with(tree) && path[tree.size()] == '/');
  });
  if (!inside) return false;
  return is_directory || path.find(".so") != std::string_view::npos ||
         path.find("bin/") != std::string_view::npos ||
         path.find("libexec/") != std::string_view::npos ||
         std::count(path.begin(), path.end(), '/') == 1;  // usr-merge links
}

// Absolute paths as they are executed, each file once.
std::vector<std::string> programs(const measure::Rootfs& rootfs) {
  std::vector<std::string> out;
  std::set<const measure::Node*> seen;
  rootfs.walk([&](const measure::Node& node) {
    if (node.is_directory() || out.size() >= kAtMost) return;
    const std::string path = node.path();
    if (path.find("bin/") == std::string::npos && path.find("libexec/") == std::string::npos)
      return;
    const measure::Node* file = rootfs.find(path);
    if (file == nullptr || (file->entry->mode & 06000U) != 0 || (file->entry->mode & 0111U) == 0)
      return;
    const measure::elf::Facts* facts = rootfs.elf_facts(*file);
    if (facts != nullptr && facts->is_x86_64() && facts->interpreter == kGlibcLoader &&
        seen.insert(file).second)
      out.push_back(path);
  });
  return out;
}

TEST(LoaderAgreement, EveryProgramOfADebianSystem) {
  const char* named = std::getenv("CLOISTER_AGREEMENT_ROOT");
  const std::string root = named != nullptr ? named : "/";
  const measure::Rootfs rootfs = test::disk_root(root, wanted);
  const std::vector<std::string> list = programs(rootfs);
  const std::size_t enough = named != nullptr ? 1 : kEnough;
  if (list.size() < enough)
    GTEST_SKIP() << root << " has " << list.size() << " programs for glibc on x86-64, too few";
  if (!rootfs.real_path(kGlibcLoader).value_or("").starts_with("/usr/lib/x86_64-linux-gnu/"))
    GTEST_SKIP() << root << " is no Debian system";

  std::size_t compared = 0, libraries = 0;
  for (const std::string& program : list) {
    // Where the root has no /proc, the loader believes the variable.
    const std::string real = *rootfs.real_path(program);
    const test::Output native = test::run_in(
        root, "/", {program},
        {"LD_TRACE_LOADED_OBJECTS=1", cat("LD_ORIGIN_PATH=", real.substr(0, real.rfind('/')))});
    if (native.status == test::kCannotRun) GTEST_SKIP() << "no chroot into " << root << " here";
    Launch launch;
    launch.argv = {program};
    launch.program = program;
    launch.entrypoint = real;
    launch.workdir = "/";
    const auto closure = compute_closure(launch, rootfs, measure::Runtime{}, {}, Limits{});
    ASSERT_TRUE(closure) << program;
    const Choices model = chosen(*closure);
    std::set<std::string> members, files;
    for (const Member& member : closure->members) members.insert(member.real_path);
    const auto traced = test::parse_trace(native.text);
    for (const auto& [name, path] : traced) {
      const std::string file = path.empty() ? "" : rootfs.real_path(path).value_or(path);
      files.insert(file);
      ++libraries;
      if (file.find("/glibc-hwcaps/") != std::string::npos) {
        EXPECT_TRUE(members.contains(file)) << program << ": " << path;
        continue;
      }
      const auto at = model.find(name);
      ASSERT_NE(at, model.end()) << program << ": " << name << " => " << path;
      EXPECT_EQ(at->second, file) << program << ": " << name;
    }
    // Nothing more, but other names of the same files.
    for (const auto& [name, path] : model) {
      EXPECT_TRUE(name == "ld-linux-x86-64.so.2" || traced.contains(name) || files.contains(path))
          << program << ": " << name;
    }
    ++compared;
  }
  std::printf("%zu programs, %zu libraries chosen as the loader chooses them\n", compared,
              libraries);
  EXPECT_GE(compared, enough);
}

}  // namespace
}  // namespace cloister::manifest
