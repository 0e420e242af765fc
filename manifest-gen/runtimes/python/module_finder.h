// From the name of a module to its file, as importlib's path finders look for it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "measure/rootfs/rootfs.h"

namespace cloister::manifest::python {

// A directory, as sys.path or a package's __path__ spells it.
struct Place {
  std::string path;
  const measure::Node* node = nullptr;
  bool standard = false;     // the standard library
  bool application = false;  // neither that nor an installed package
};

struct Module {
  std::string name;  // absolute, dotted; "__main__" for a script
  std::string path;  // of its file; empty: a namespace package
  const measure::Node* file = nullptr;
  std::vector<Place> places;  // a package: where its modules are
  bool standard = false, application = false;
  bool is_package() const { return !places.empty(); }
  bool is_namespace() const { return path.empty(); }
};

class ModuleFinder {
 public:
  // `tag`: of extension modules for this interpreter, "cpython-311".
  ModuleFinder(const measure::Rootfs& rootfs, std::string tag)
      : rootfs_(rootfs), tag_(std::move(tag)) {}

  // A directory of sys.path; what was found before stays as it is. False when it is none or there.
  bool add_place(std::string path, bool standard, bool application);
  const std::vector<Place>& places() const { return places_; }

  // Null when there is none: a module that is built in, or one that is not installed. The answer
  // stays valid as long as the finder.
  const Module* find(std::string_view name);
  // The modules that lie directly in a package or directory, by name.
  std::vector<std::string> modules_in(const Place& place) const;
  // A module whose only file is byte code; its path, or empty.
  const std::string& bytecode_only() const { return bytecode_only_; }

 private:
  const measure::Node* child(const Place& place, std::string_view name) const;
  std::unique_ptr<Module> look(const std::vector<Place>& places, std::string_view leaf);
  bool module_file(const Place& place, std::string_view leaf, Module& out);

  const measure::Rootfs& rootfs_;
  std::string tag_;
  std::vector<Place> places_;
  std::unordered_map<std::string, std::unique_ptr<Module>> found_;
  std::string bytecode_only_;
};

// "a.b" of "a.b.c"; empty for a top-level name.
std::string_view parent_name(std::string_view module);

}  // namespace cloister::manifest::python
