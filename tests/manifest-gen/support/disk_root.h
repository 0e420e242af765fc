// A directory of this machine as the merged root of an image, and the real loaders run in it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::test {

// `wanted(path, is_directory)` says of an absolute path in the root whether it (and what is below)
// belongs to the image. ELF facts are read, configuration of loaders is kept; digests stand for
// files (device and inode), not for their bytes.
template <class Wanted>
measure::Rootfs disk_root(const std::filesystem::path& root, Wanted wanted) {
  namespace fs = std::filesystem;
  auto index = std::make_shared<measure::LayerIndex>();
  std::error_code error;
  fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    measure::Entry entry;
    entry.path = at->path().lexically_relative(root).string();
    struct stat status {};
    if (lstat(at->path().c_str(), &status) != 0) continue;
    if (!wanted(cat("/", entry.path), S_ISDIR(status.st_mode))) {
      at.disable_recursion_pending();
      continue;
    }
    entry.mode = status.st_mode & 07777U;
    entry.size = static_cast<std::uint64_t>(status.st_size);
    if (S_ISDIR(status.st_mode)) {
      entry.type = measure::FileType::directory;
    } else if (S_ISLNK(status.st_mode)) {
      entry.type = measure::FileType::symlink;
      entry.link_target = fs::read_symlink(at->path(), error).string();
    } else if (S_ISREG(status.st_mode)) {
      entry.sha256 = sha256(cat(status.st_dev, ":", status.st_ino));
      const int fd = open(at->path().c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) continue;
      void* map =
          entry.size == 0 ? MAP_FAILED : mmap(nullptr, entry.size, PROT_READ, MAP_PRIVATE, fd, 0);
      close(fd);
      if (map != MAP_FAILED) {
        const ByteView bytes(static_cast<const std::byte*>(map), entry.size);
        if (measure::elf::looks_like_elf(bytes)) {
          if (auto facts = measure::elf::read_facts(bytes, Limits{})) {
            entry.elf = static_cast<std::int32_t>(index->elfs.size());
            index->elfs.push_back(std::move(*facts));
          }
        } else if (entry.path.starts_with("etc/")) {
          entry.sha256 = sha256(bytes);
          index->pack[entry.sha256] = Bytes(bytes.begin(), bytes.end());
        }
        munmap(map, entry.size);
      }
    } else {
      continue;
    }
    index->entries.push_back(std::move(entry));
  }
  std::vector<measure::IndexedLayer> layers(1);
  layers.front().index = std::move(index);
  auto rootfs = measure::Rootfs::merge(std::move(layers), Limits{});
  if (!rootfs) {
    ADD_FAILURE() << rootfs.error().what();
    return std::move(*measure::Rootfs::merge({}, Limits{}));
  }
  return std::move(*rootfs);
}

// In a child: makes `root` the root directory, in a user name space of its own where that needs no
// privilege. "/" needs nothing.
inline bool enter_root(const std::string& root) {
  if (root == "/") return true;
  if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0) return false;
  return chroot(root.c_str()) == 0;
}

// Exit status of the child when it could not even start the program.
inline constexpr int kCannotRun = 126;

struct Output {
  int status = -1;  // exit status; -1: killed
  std::string text;
};

// Runs a program of `root` in that root; stdout and stderr together.
inline Output run_in(const std::string& root, const std::string& directory,
                     const std::vector<std::string>& argv, std::vector<std::string> environment) {
  Output out;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return out;
  std::vector<char*> words, settings;
  std::vector<std::string> copy = argv;
  for (std::string& word : copy) words.push_back(word.data());
  for (std::string& word : environment) settings.push_back(word.data());
  words.push_back(nullptr);
  settings.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    if (!enter_root(root) || chdir(directory.c_str()) != 0) _exit(kCannotRun);
    execve(words[0], words.data(), settings.data());
    _exit(kCannotRun);
  }
  close(ends[1]);
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    out.text.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status))
    out.status = WEXITSTATUS(status);
  return out;
}

// Name → path of what a loader lists; "" for what it did not find. Neither the loader nor the
// kernel's own object.
inline std::map<std::string, std::string> parse_trace(std::string_view text) {
  std::map<std::string, std::string> out;
  for (std::string_view line : split(text, '\n')) {
    if (!line.starts_with('\t')) continue;
    line.remove_prefix(1);
    const std::string_view without = line.substr(0, line.rfind(" (0x"));
    const std::size_t arrow = without.find(" => ");
    const std::string_view name = without.substr(0, arrow);
    const std::string_view path =
        arrow == std::string_view::npos ? name : without.substr(arrow + 4);
    if (name.find("linux-vdso") != std::string_view::npos || name == "statically linked" ||
        path.find("/ld-linux-x86-64.so.2") != std::string_view::npos ||
        path.find("/ld-musl-") != std::string_view::npos)
      continue;
    out[std::string(name)] = path == "not found" ? "" : std::string(path);
  }
  return out;
}

}  // namespace cloister::test
