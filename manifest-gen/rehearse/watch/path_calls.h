// The system calls that name files, and which of their arguments do.
#pragma once

#include <cstdint>
#include <span>

#include "manifest-gen/rehearse/observed_run.h"

namespace cloister::manifest {

struct PathArgument {
  std::int8_t path = -1;       // which argument points to the path; -1: none
  std::int8_t directory = -1;  // which is the descriptor that it starts from; -1: the working one
};

struct PathCall {
  // What needs a look at further arguments is told apart by kind.
  enum class Kind : std::uint8_t { plain, open, openat, execute, change_directory, change_owner };
  int number;
  Kind kind;
  FileUse use;  // plain: of the first path
  PathArgument first, second = {};
  FileUse second_use = FileUse::look;
  bool follow = true;         // the last component, when it is a symbolic link
  std::int8_t at_flags = -1;  // which argument holds AT_SYMLINK_NOFOLLOW
  bool of_directory = false;  // makes or removes one
};

std::span<const PathCall> path_calls();
const PathCall* path_call(int number);  // null: it names none

}  // namespace cloister::manifest
