// One search rule, three ways: what the model chooses, what the real loader chooses in a root with
// the same files, and whether it chooses the same again where only what is granted exists and
// LD_LIBRARY_PATH is the generated one.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "manifest-gen/closure/closure.h"
#include "tests/manifest-gen/support/disk_root.h"
#include "tests/manifest-gen/support/loadable_elf.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {

using Choices = std::map<std::string, std::string>;  // name → real path; "" when not found

inline constexpr const char* kGlibcLoader = "/lib64/ld-linux-x86-64.so.2";
inline constexpr const char* kMuslLoader = "/lib/ld-musl-x86_64.so.1";

// What edges with one of the loader's reasons say, from the program on: what a library opens later
// (dlopen), and what that needs, is not the loader's choice.
inline Choices chosen(const Closure& closure) {
  Choices out;
  std::set<std::size_t> loaded{0};
  for (std::size_t before = 0; before != loaded.size();) {
    before = loaded.size();
    for (const Edge& edge : closure.edges) {
      if (!loaded.contains(edge.from)) continue;
      if (edge.why == Why::preload || edge.why == Why::interpreter) loaded.insert(edge.to);
      const std::size_t blank = edge.detail.find(' ');
      const std::string tag = edge.detail.substr(0, blank);
      if (edge.why != Why::needed || (tag != "NEEDED" && tag != "FILTER" && tag != "AUXILIARY"))
        continue;
      loaded.insert(edge.to);
      const std::string name = edge.detail.substr(blank + 1);
      if (name.find(", for newer") != std::string::npos) continue;
      out[name] = closure.members[edge.to].real_path;
    }
  }
  for (const Unresolved& item : closure.unresolved)
    if (item.name.find("ld-linux") == std::string::npos &&
        item.name.find("ld-musl") == std::string::npos)
      out[item.name] = "";
  return out;
}

inline std::vector<std::string> paths_of(const Closure& closure, std::string_view real_path) {
  for (const Member& member : closure.members)
    if (member.real_path == real_path) return member.paths;
  return {};
}

class LoaderCase {
 public:
  explicit LoaderCase(std::string interpreter) : interpreter_(std::move(interpreter)) {
    std::string name = (std::filesystem::temp_directory_path() / "loader-case-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary directory";
    base_ = name;
    std::filesystem::create_directories(image());
    for (const char* directory : {"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/etc", "/app"})
      std::filesystem::create_directories(image() + directory);
    link("/lib", "usr/lib");
    link("/lib64", "usr/lib64");
    if (interpreter_ != kGlibcLoader) {
      copy_loader(image());
      return;
    }
    link("/usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
    if (real_loader()) {
      std::filesystem::copy_file(std::filesystem::canonical(interpreter_),
                                 image() + "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
    } else {
      elf("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", {});
    }
  }
  ~LoaderCase() {
    std::error_code error;
    std::filesystem::remove_all(base_, error);
  }
  LoaderCase(const LoaderCase&) = delete;
  LoaderCase& operator=(const LoaderCase&) = delete;

  LoaderCase& elf(const std::string& path, const test::LoadableElf& object) {
    const Bytes bytes = object.build();
    return file(path, as_text(bytes), 0755);
  }
  LoaderCase& program(const std::string& path, test::LoadableElf object) {
    object.interpreter = interpreter_;
    program_ = path;
    return elf(path, object);
  }
  LoaderCase& file(const std::string& path, std::string_view text, unsigned mode = 0644) {
    const std::filesystem::path to = image() + path;
    std::filesystem::create_directories(to.parent_path());
    std::ofstream(to, std::ios::binary) << text;
    std::filesystem::permissions(to, static_cast<std::filesystem::perms>(mode));
    return *this;
  }
  LoaderCase& link(const std::string& path, const std::string& target) {
    const std::filesystem::path to = image() + path;
    std::filesystem::create_directories(to.parent_path());
    std::filesystem::create_symlink(target, to);
    return *this;
  }
  LoaderCase& env(const std::string& name, const std::string& value) {
    env_.emplace_back(name, value);
    return *this;
  }
  LoaderCase& workdir(const std::string& path) {
    workdir_ = path;
    std::filesystem::create_directories(image() + path);
    return *this;
  }
  LoaderCase& run_as(const std::string& path) {
    program_ = path;
    return *this;
  }
  LoaderCase& remove(const std::string& path) {
    std::filesystem::remove(image() + path);
    return *this;
  }
  // Runs ldconfig in the root; false where that cannot be done.
  bool ldconfig() {
    const test::Output out = test::run_in("/", "/", {"/sbin/ldconfig", "-X", "-r", image()},
                                          {"PATH=/sbin:/usr/sbin:/bin:/usr/bin"});
    return out.status == 0 && std::filesystem::exists(image() + "/etc/ld.so.cache");
  }

  // Without the runtime's libc: what the image's own loader would choose.
  Closure model() const { return compute(image(), measure::Runtime{}); }

  // The three claims. `expected` maps names to real paths; "" for what is not found.
  void expect(const Choices& expected) const {
    const Closure closure = model();
    EXPECT_EQ(chosen(closure), expected);
    if (!real_loader()) {
      std::printf("SKIPPED the real loader: this machine has no %s of its kind\n",
                  interpreter_.c_str());
      return;
    }
    const test::Output native = trace(image(), env_);
    if (native.status == test::kCannotRun) {
      std::printf("SKIPPED the real loader: no chroot here\n");
      return;
    }
    EXPECT_EQ(real_paths(native.text), expected) << native.text;
    expect_again(closure, native.text);
  }

 private:
  std::string image() const { return base_ + "/image"; }

  // Debian's, with the built-in directories that the cases assume; musl's anywhere.
  bool real_loader() const {
    std::error_code error;
    const std::string real = std::filesystem::canonical(interpreter_, error).string();
    if (error) return false;
    return interpreter_ == kMuslLoader || real.find("/lib/x86_64-linux-gnu/") != std::string::npos;
  }
  void copy_loader(const std::string& root) const {
    if (!real_loader()) return;
    const std::filesystem::path to = root + interpreter_;
    std::filesystem::create_directories(to.parent_path());
    std::filesystem::copy_file(std::filesystem::canonical(interpreter_), to,
                               std::filesystem::copy_options::overwrite_existing);
  }

  Closure compute(const std::string& root, const measure::Runtime& runtime) const {
    const measure::Rootfs rootfs =
        test::disk_root(root, [](std::string_view, bool) { return true; });
    Launch launch;
    launch.argv = {program_};
    launch.program = program_;
    launch.entrypoint = rootfs.real_path(program_).value_or(program_);
    launch.env = env_;
    launch.workdir = workdir_;
    auto closure = compute_closure(launch, rootfs, runtime, {}, Limits{});
    if (closure) return std::move(*closure);
    ADD_FAILURE() << closure.error().what();
    return {};
  }

  test::Output trace(const std::string& root,
                     const std::vector<std::pair<std::string, std::string>>& env) const {
    std::vector<std::string> environment;
    for (const auto& [name, value] : env) environment.push_back(cat(name, "=", value));
    if (interpreter_ == kMuslLoader)
      return test::run_in(root, workdir_, {interpreter_, "--list", program_}, environment);
    environment.emplace_back("LD_TRACE_LOADED_OBJECTS=1");
    // What /proc/self/exe would say: there is no /proc in the root.
    const measure::Rootfs rootfs =
        test::disk_root(root, [](std::string_view, bool) { return true; });
    const std::string real = rootfs.real_path(program_).value_or(program_);
    environment.push_back(cat("LD_ORIGIN_PATH=", real.substr(0, real.rfind('/'))));
    return test::run_in(root, workdir_, {program_}, environment);
  }

  Choices real_paths(std::string_view text) const {
    Choices out;
    const measure::Rootfs rootfs =
        test::disk_root(image(), [](std::string_view, bool) { return true; });
    for (const auto& [name, path] : test::parse_trace(text)) {
      const std::string absolute = path.starts_with('/') ? path : cat(workdir_, "/", path);
      out[name] = path.empty() ? "" : rootfs.real_path(absolute).value_or(path);
    }
    // musl says it on stderr.
    for (std::string_view line : split(text, '\n')) {
      static constexpr std::string_view kMissing = "Error loading shared library ";
      if (!line.starts_with(kMissing)) continue;
      line.remove_prefix(kMissing.size());
      out[std::string(line.substr(0, line.find(": ")))] = "";
    }
    return out;
  }

  // Gramine's view: each granted path is a file of its own, and there is nothing else.
  void expect_again(const Closure& closure, std::string_view native) const {
    const std::string view = base_ + "/view";
    std::map<std::string, std::string> origin;  // granted path → real path
    for (const Member& member : closure.members)
      for (const std::string& path : member.paths) {
        const std::filesystem::path to = view + path;
        std::filesystem::create_directories(to.parent_path());
        std::filesystem::copy_file(image() + member.real_path, to,
                                   std::filesystem::copy_options::overwrite_existing);
        origin[path] = member.real_path;
      }
    std::filesystem::create_directories(view + workdir_);
    copy_loader(view);
    std::vector<std::pair<std::string, std::string>> env;
    for (const auto& setting : env_)
      if (setting.first != "LD_LIBRARY_PATH") env.push_back(setting);
    env.emplace_back("LD_LIBRARY_PATH", closure.library_path);
    LoaderCase* self = const_cast<LoaderCase*>(this);
    const std::string program = std::exchange(self->program_, closure.members.front().real_path);
    const test::Output again = trace(view, env);
    self->program_ = program;
    const Choices expected = real_paths(native);
    std::set<std::string> known;
    for (const auto& [name, path] : expected) known.insert(path);
    Choices files;
    for (const auto& [name, path] : test::parse_trace(again.text)) {
      const std::string absolute = path.starts_with('/') ? path : cat(workdir_, "/", path);
      const std::string file = path.empty() ? "" : origin[measure::normalize_path(absolute)];
      // Links are files of their own there: a second name of one file is another object.
      if (expected.contains(name) || !known.contains(file)) files[name] = file;
    }
    Choices before;
    for (const auto& [name, path] : expected)
      if (!path.empty() || files.contains(name)) before[name] = path;
    EXPECT_EQ(files, before) << "with LD_LIBRARY_PATH=" << closure.library_path << "\n"
                             << again.text;
  }

  std::string base_, interpreter_, program_;
  std::string workdir_ = "/";
  std::vector<std::pair<std::string, std::string>> env_;
};

}  // namespace cloister::manifest
