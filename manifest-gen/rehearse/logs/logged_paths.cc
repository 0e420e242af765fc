// Calls of the same effect stand together in the manual; here they are sorted by name, so that one
// is found without a map being built. Changing times or extended attributes counts as looking:
// Gramine implements neither, so no grant would help.
#include "manifest-gen/rehearse/logs/logged_paths.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace cloister::manifest {
namespace {

constexpr LoggedPath kLook{LoggedEffect::look, 0, -1}, kLookAt{LoggedEffect::look, 1, 0},
    kWrite{LoggedEffect::write, 0, -1}, kWriteAt{LoggedEffect::write, 1, 0},
    kCreate{LoggedEffect::create, 0, -1}, kCreateAt{LoggedEffect::create, 1, 0},
    kRemove{LoggedEffect::remove, 0, -1}, kRemoveAt{LoggedEffect::remove, 1, 0},
    kNoOperand{LoggedEffect::look, -1, -1};

constexpr LoggedPathCall kLoggedPathCalls[] = {
    {"access", kLook},
    {"chdir", {LoggedEffect::enter, 0, -1}},
    {"chmod", kWrite},
    {"chown", kWrite},
    {"chroot", {LoggedEffect::root, 0, -1}},
    {"creat", {LoggedEffect::open, 0, -1}},
    {"execve", {LoggedEffect::execute, 0, -1}},
    {"execveat", {LoggedEffect::execute, 1, 0}},
    {"faccessat", kLookAt},
    {"faccessat2", kLookAt},
    {"fchmodat", kWriteAt},
    {"fchmodat2", kWriteAt},
    {"fchownat", kWriteAt},
    {"fstatat64", kLookAt},
    {"futimesat", kLookAt},
    {"getxattr", kLook},
    {"inotify_add_watch", {LoggedEffect::look, 1, -1}},
    {"lchown", kWrite},
    {"lgetxattr", kLook},
    {"link", kLook, {LoggedEffect::create, 1, -1}},
    {"linkat", kLookAt, {LoggedEffect::create, 3, 2}},
    {"listxattr", kLook},
    {"llistxattr", kLook},
    {"lstat", kLook},
    {"lstat64", kLook},
    {"mkdir", kCreate},
    {"mkdirat", kCreateAt},
    {"mknod", kCreate},
    {"mknodat", kCreateAt},
    {"name_to_handle_at", kLookAt},
    {"newfstatat", kLookAt},
    {"open", {LoggedEffect::open, 0, -1}, kNoOperand, 1},
    {"openat", {LoggedEffect::open, 1, 0}, kNoOperand, 2},
    {"openat2", {LoggedEffect::open, 1, 0}, kNoOperand, 2},
    {"readlink", kLook},
    {"readlinkat", kLookAt},
    {"rename", kRemove, {LoggedEffect::create, 1, -1}},
    {"renameat", kRemoveAt, {LoggedEffect::create, 3, 2}},
    {"renameat2", kRemoveAt, {LoggedEffect::create, 3, 2}},
    {"rmdir", kRemove},
    {"stat", kLook},
    {"stat64", kLook},
    {"statfs", kLook},
    {"statx", kLookAt},
    {"symlink", {LoggedEffect::create, 1, -1}},
    {"symlinkat", {LoggedEffect::create, 2, 1}},
    {"truncate", kWrite},
    {"unlink", kRemove},
    {"unlinkat", kRemoveAt},
    {"utime", kLook},
    {"utimensat", kLookAt},
    {"utimes", kLook},
};

// Those without a path of which something is kept: descriptors, processes, sockets, the heap.
constexpr std::array<std::string_view, 27> kCallsWithoutPath = {
    "accept",       "accept4",       "bind",    "brk",      "clone",      "clone3",
    "close",        "close_range",   "connect", "dup",      "dup2",       "dup3",
    "epoll_create", "epoll_create1", "eventfd", "eventfd2", "exit_group", "fchdir",
    "fcntl",        "fork",          "fstat",   "getcwd",   "getdents",   "getdents64",
    "memfd_create", "socket",        "vfork"};

constexpr std::uint64_t kOpenCreate = 0100, kOpenExclusive = 0200, kOpenTruncate = 01000,
                        kOpenDirectory = 0200000, kOpenPath = 010000000, kOpenTemporary = 020000000;

std::uint64_t open_flag_bits(std::string_view word) {
  static constexpr std::pair<std::string_view, std::uint64_t> kNames[] = {
      {"O_WRONLY", 1},
      {"O_RDWR", 2},
      {"O_CREAT", kOpenCreate},
      {"O_EXCL", kOpenExclusive},
      {"O_TRUNC", kOpenTruncate},
      {"O_DIRECTORY", kOpenDirectory},
      {"O_PATH", kOpenPath},
      {"O_TMPFILE", kOpenTemporary}};
  for (const auto& [name, bits] : kNames)
    if (word == name) return bits;
  if (!word.starts_with("0x")) return 0;
  std::uint64_t number = 0;
  std::from_chars(word.data() + 2, word.data() + word.size(), number, 16);
  return number;
}

}  // namespace

std::span<const LoggedPathCall> logged_path_calls() {
  return kLoggedPathCalls;
}

const LoggedPathCall* logged_path_call(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kLoggedPathCalls, name, {}, &LoggedPathCall::name);
  return found != std::end(kLoggedPathCalls) && found->name == name ? found : nullptr;
}

bool call_matters(std::string_view name) {
  return logged_path_call(name) != nullptr || std::ranges::binary_search(kCallsWithoutPath, name);
}

OpenFlags parse_open_flags(std::string_view text) {
  if (const std::size_t at = text.find("flags="); at != std::string_view::npos)
    text.remove_prefix(at + 6);
  text = text.substr(0, text.find_first_of(",} "));
  std::uint64_t bits = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('|'), text.size());
    bits |= open_flag_bits(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  OpenFlags flags;
  flags.write = (bits & 3) != 0;
  flags.create = (bits & kOpenCreate) != 0;
  flags.exclusive = (bits & kOpenExclusive) != 0;
  flags.truncate = (bits & kOpenTruncate) != 0;
  flags.directory = (bits & kOpenDirectory) != 0;
  flags.path_only = (bits & kOpenPath) != 0;
  flags.temporary = (bits & kOpenTemporary) != 0;
  return flags;
}

}  // namespace cloister::manifest
