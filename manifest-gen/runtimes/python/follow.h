// The import graph from given modules on: each module's file, the packages on the way to it, the
// data beside it, the libraries that it opens by name.
#pragma once

#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "manifest-gen/runtimes/analyzer.h"
#include "manifest-gen/runtimes/python/distributions.h"
#include "manifest-gen/runtimes/python/interpreter.h"
#include "manifest-gen/runtimes/python/module_finder.h"
#include "measure/source/source.h"

namespace cloister::manifest::python {

class Follower {
 public:
  Follower(const AnalyzerScene& scene, const Interpreter& interpreter, ModuleFinder& finder,
           Analysis& out);

  // `name` and the packages above it, as far as they exist; how many of its components do.
  // `importer` may be null: the interpreter. `why` is shown to people.
  std::size_t import(std::string_view name, const Module* importer, std::string_view why);
  // A file that is run or that stands in the application's directory. `name`: of its module,
  // absolute; empty when it is none. `main`: it is what the interpreter runs.
  void file(const std::string& path, const measure::Node& node, std::string name, bool main,
            const std::string& from, std::string_view why);
  // Text that is run: -c, the import lines of .pth files. `from`: the file that has it, or empty.
  void code(std::string_view text, const std::string& from);
  // A word that may name a module: "pkg.mod:app", "pkg.mod". True when it does.
  bool word(std::string_view text, std::string_view why);
  // The module that runs as __main__ (-m).
  void main_module(std::string_view name);

  // The files beside the modules of a directory, where no package has them.
  void directory_data(const std::string& directory, std::string_view why);

  // Follows everything that was asked for.
  Status drain();

 private:
  struct Work {
    const Module* module;
    const measure::source::Facts* facts;
    bool main;
  };

  void root(std::string path, Why why, std::string_view detail, std::string_view from,
            bool optional = true);
  void grant(const Module& module, const Module* importer, std::string_view why);
  Status follow(const Work& work);
  Status follow_name(const Work& work, std::string_view name);
  void follow_import(const Work& work, std::string_view name);
  void follow_string(const Work& work, std::string_view text);
  void follow_path(const Module& module, std::string_view path);
  void follow_star(const Module& module, const Module& package);
  Status follow_mark(const Work& work, std::string_view mark);
  void change_path(const Module& module, std::string_view text);
  void library(const Module& module, std::string_view name, bool find);
  Status entry_points(std::string_view group, const Module& module);
  void zone(std::string_view name, const Module& module);
  Status whole_package(const Module& module);
  void whole_directory(const Module& package, std::string_view why);
  void package_data(const Module& module);
  void data_below(const std::string& directory, const measure::Node& top, std::string_view why,
                  const std::string& from);
  void package_libraries(const Module& module);
  void metadata(const Module& module);
  // What the table has for a module: `at` is the module itself, or the one that imports it when it
  // is built in and has no file.
  void implied(std::string_view name, const Module* at);
  void tell(std::string sentence);

  // The outermost package (with an __init__) around a module; null when there is none.
  const Module* unit_of(const Module& module);
  // The image's own code: not what a distribution's package, or a library, brings along.
  bool is_own(const Module& module);
  static std::string absolute_name(const Module& module, std::string_view name);

  const AnalyzerScene& scene_;
  const measure::Rootfs& rootfs_;
  const Interpreter& interpreter_;
  ModuleFinder& finder_;
  Analysis& out_;
  Distributions distributions_;
  std::deque<Work> work_;
  std::deque<Module> own_modules_;                // those that no name leads to
  std::deque<measure::source::Facts> own_facts_;  // of text that the pass did not scan
  std::unordered_set<const Module*> granted_;
  std::unordered_set<const measure::Node*> files_;  // granted
  std::unordered_set<const Module*> whole_, data_, libraries_;
  std::unordered_set<const Module*> programs_;  // packages that a script of a bin directory runs
  std::set<std::string, std::less<>> rooted_, told_, implied_;
  bool metadata_granted_ = false;
};

}  // namespace cloister::manifest::python
