// One run of an analyser over one program: what it is given, and what it has found so far. The
// analysers that follow programs file by file derive from it.
#pragma once

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
  // A sentence for people, each once.
  void unknown(std::string what);
  void unknown_program();                          // further arguments decide what is run
  void absent_program(std::string_view spelling);  // it is not in the image

  const ProgramStart& start_;
  const AnalyzerScene& scene_;
  Analysis out_;

 private:
  std::set<std::string> granted_;
};

}  // namespace cloister::manifest
