// The stand-in runtime of testdata/runtime, built once per test program.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/base/source_dir.h"

namespace cloister::measure::test {

// A directory that is removed with the object.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = testing::TempDir() + "cloister-runtime-XXXXXX";
    path_ = mkdtemp(pattern.data()) == nullptr ? "" : pattern;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Whether a program is in PATH.
inline bool has_program(const std::string& name) {
  return std::system(("command -v " + name + " >/dev/null 2>&1").c_str()) == 0;
}

// The root of the stand-in runtime, or empty when it cannot be built here.
inline const std::string& standin_runtime() {
  static const ScratchDirectory scratch;
  static const std::string root = []() -> std::string {
    if (!has_program("gcc")) return "";
    const std::string out = scratch.path() + "/runtime";
    const std::string script = source_dir().string() + "/testdata/runtime/make-runtime.sh";
    return std::system(("sh '" + script + "' '" + out + "'").c_str()) == 0 ? out : "";
  }();
  return root;
}

}  // namespace cloister::measure::test
