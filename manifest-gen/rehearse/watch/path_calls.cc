// Calls that Gramine does not implement are not here: they fail before a path matters.
#include "manifest-gen/rehearse/watch/path_calls.h"

#include <sys/syscall.h>

#include <algorithm>
#include <iterator>

namespace cloister::manifest {
namespace {

using Kind = PathCall::Kind;

constexpr PathArgument kPath0{0, -1}, kPath1{1, -1}, kAt{1, 0}, kSecondAt{3, 2};

// By number.
constexpr PathCall kPathCalls[] = {
    {SYS_open, Kind::open, FileUse::read, kPath0},
    {SYS_stat, Kind::plain, FileUse::look, kPath0},
    {.number = SYS_lstat,
     .kind = Kind::plain,
     .use = FileUse::look,
     .first = kPath0,
     .follow = false},
    {SYS_access, Kind::plain, FileUse::look, kPath0},
    {SYS_execve, Kind::execute, FileUse::execute, kPath0},
    {SYS_truncate, Kind::plain, FileUse::write, kPath0},
    {SYS_chdir, Kind::change_directory, FileUse::look, kPath0},
    {.number = SYS_rename,
     .kind = Kind::plain,
     .use = FileUse::remove,
     .first = kPath0,
     .second = kPath1,
     .second_use = FileUse::create,
     .follow = false},
    {.number = SYS_mkdir,
     .kind = Kind::plain,
     .use = FileUse::create,
     .first = kPath0,
     .of_directory = true},
    {.number = SYS_rmdir,
     .kind = Kind::plain,
     .use = FileUse::remove,
     .first = kPath0,
     .follow = false,
     .of_directory = true},
    {SYS_creat, Kind::open, FileUse::write, kPath0},
    {.number = SYS_unlink,
     .kind = Kind::plain,
     .use = FileUse::remove,
     .first = kPath0,
     .follow = false},
    {.number = SYS_readlink,
     .kind = Kind::plain,
     .use = FileUse::look,
     .first = kPath0,
     .follow = false},
    {SYS_chmod, Kind::plain, FileUse::write, kPath0},
    {SYS_chown, Kind::change_owner, FileUse::write, kPath0},
    {SYS_mknod, Kind::plain, FileUse::create, kPath0},
    {SYS_statfs, Kind::plain, FileUse::look, kPath0},
    {SYS_getxattr, Kind::plain, FileUse::look, kPath0},
    {.number = SYS_lgetxattr,
     .kind = Kind::plain,
     .use = FileUse::look,
     .first = kPath0,
     .follow = false},
    {SYS_listxattr, Kind::plain, FileUse::look, kPath0},
    {.number = SYS_llistxattr,
     .kind = Kind::plain,
     .use = FileUse::look,
     .first = kPath0,
     .follow = false},
    {SYS_openat, Kind::openat, FileUse::read, kAt},
    {.number = SYS_mkdirat,
     .kind = Kind::plain,
     .use = FileUse::create,
     .first = kAt,
     .of_directory = true},
    {SYS_mknodat, Kind::plain, FileUse::create, kAt},
    {.number = SYS_fchownat,
     .kind = Kind::change_owner,
     .use = FileUse::write,
     .first = kAt,
     .at_flags = 4},
    {.number = SYS_newfstatat,
     .kind = Kind::plain,
     .use = FileUse::look,
     .first = kAt,
     .at_flags = 3},
    {.number = SYS_unlinkat,
     .kind = Kind::plain,
     .use = FileUse::remove,
     .first = kAt,
     .follow = false},
    {.number = SYS_renameat,
     .kind = Kind::plain,
     .use = FileUse::remove,
     .first = kAt,
     .second = kSecondAt,
     .second_use = FileUse::create,
     .follow = false},
    {.number = SYS_readlinkat,
     .kind = Kind::plain,
     .use = FileUse::look,
     .first = kAt,
     .follow = false},
    {SYS_fchmodat, Kind::plain, FileUse::write, kAt},
    {SYS_faccessat, Kind::plain, FileUse::look, kAt},
};

}  // namespace

std::span<const PathCall> path_calls() {
  return kPathCalls;
}

const PathCall* path_call(int number) {
  const auto* const at =
      std::lower_bound(std::begin(kPathCalls), std::end(kPathCalls), number,
                       [](const PathCall& call, int wanted) { return call.number < wanted; });
  return at != std::end(kPathCalls) && at->number == number ? at : nullptr;
}

}  // namespace cloister::manifest
