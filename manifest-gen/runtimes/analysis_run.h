// One run of an analyser over one program: what it is given, and what it has found so far. The
// analysers that follow programs file by file derive from it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest {

class AnalysisRun {
 protected:
  AnalysisRun(const ProgramStart& start, const AnalyzerScene& scene)
      : start_(start), scene_(scene) {}

  const measure::Rootfs& rootfs() const { return scene_.rootfs; }
  // A path as the program spells it, from the directory that it starts in.
  std::string in_workdir(std::string_view path) const;

  // A file or glob, optional: what is named need not be there. Each once: the first reason stays.
  void grant(std::string path, Why why, std::string detail, std::string from = {});
  // Every time zone, once: not the trees that hold all of them again ("posix", "right").
  void grant_time_zones(Why why, const std::string& detail, const std::string& from);
  // What a file of an application is for its interpreter, by its name.
  enum class Part { code, data, none };
  struct Application {
    std::function<bool(std::string_view name)> enters;  // a directory
    std::function<Part(std::string_view name)> part;
    std::function<void(const std::string& path)> on_code;  // granted, and to be followed
    Why why;
  };
  // Everything below a directory, once: code by its path, data by a pattern for each directory, so
  // that secrets are left out.
  void grant_below(const std::string& directory, const Application& application,
                   const std::string& detail, const std::string& from);
  // A sentence for people, each once.
  void unknown(std::string what);
  void unknown_program();  // further arguments decide what is run
  // What an option of an interpreter takes: the word after it, the place of the program (-e TEXT).
  struct Taken {
    bool next = false, program = false;
  };
  using Option = std::function<Taken(std::string_view word, std::string_view next)>;
  // Hands the options of argv to `option`, up to "--" or the first operand, and answers where in
  // argv the script stands; nothing when an option was the program, or when there is none.
  std::optional<std::size_t> find_script(const Option& option);
  void absent_program(std::string_view spelling);  // it is not in the image

  const ProgramStart& start_;
  const AnalyzerScene& scene_;
  Analysis out_;

 private:
  std::set<std::string> granted_, below_;
};

}  // namespace cloister::manifest
