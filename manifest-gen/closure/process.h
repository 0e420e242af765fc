// One process: a main program and the libraries that a dynamic loader gives it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "manifest-gen/closure/closure.h"
#include "manifest-gen/closure/library_path.h"
#include "manifest-gen/closure/library_search.h"
#include "manifest-gen/closure/members.h"

namespace cloister::manifest {

// What all processes of one closure share.
struct Scene {
  const Launch& launch;
  const measure::Rootfs& rootfs;
  const measure::Runtime& runtime;
  const Limits& limits;
  Closure& closure;
  MemberTable& members;
  SearchPlaces glibc, musl;
  LibrarySearcher searcher;
  std::vector<LibraryChoice> choices;
  // What is in Closure::unresolved and unresolved_optional already: by member and name.
  std::set<std::pair<std::size_t, std::string>> reported, reported_optional;
  std::set<const measure::elf::Facts*> code_seen;  // libraries whose strings were looked at
  bool glibc_used = false, runtime_musl_used = false;
  bool image_libc = false;  // the image's own glibc stands in for the runtime's
};

class Process {
 public:
  // `optional`: what is missing is recorded in unresolved_optional.
  Process(Scene& scene, LoaderKind kind, bool optional)
      : scene_(scene), kind_(kind), optional_(optional) {}

  // The main program. `path` as it is executed: when that is not its real path, $ORIGIN is another
  // one under Gramine.
  void load_program(std::size_t member, std::string_view path, const measure::elf::Facts& facts);
  // A shared object that a process like `host` opens later (dlopen); `host` may be null, and must
  // outlive this. REQUIRES: `host` was made by load_program.
  void load_library(std::size_t member, std::string_view path, const measure::elf::Facts& facts,
                    const Process* host);
  // A library by name, as dlopen would find it from the main program; false when there is none.
  bool load_by_name(const std::string& name, std::string_view detail);

  // A library that the object `index` opens with dlopen, with all it needs. False when there is
  // none: `searched` (may be null) then has the places.
  bool open(std::size_t index, const std::string& name, Why why, std::string_view detail,
            std::vector<std::string>* searched);

  // Would open() find the library and load it, as one more?
  bool would_load(std::size_t index, const std::string& name) const;

  LoaderKind kind() const { return kind_; }

  // The objects loaded so far, in order; the first is the main program or the host's.
  struct Loaded {
    const measure::elf::Facts* facts;  // may be null
    std::string path;
    bool from_runtime;
  };
  std::size_t loaded_count() const { return count(); }
  Loaded loaded_object(std::size_t index) const;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Object {
    std::size_t member;
    const measure::elf::Facts* facts;  // null: nothing is known, nothing more is loaded
    std::string path, origin;
    std::size_t loader = kNone;  // the object that caused it to be loaded
    bool origin_differs = false;
    std::size_t next_run_path = kNone;  // the nearest loader above that has a list of directories
  };
  // What an object says about a library: which tag, and whether it starts without.
  struct Need {
    std::string_view tag;  // "NEEDED"
    bool must = true;
  };

  const SearchPlaces& places() const {
    return kind_ == LoaderKind::glibc ? scene_.glibc : scene_.musl;
  }
  std::size_t count() const { return host_count_ + objects_.size(); }
  const Object& object(std::size_t index) const {
    return index < host_count_ ? host_->objects_[index] : objects_[index - host_count_];
  }
  std::optional<std::size_t> loaded(std::string_view name) const;
  std::optional<std::size_t> loaded(const measure::Node* node) const;
  bool passes_on_run_path(const measure::elf::Facts& facts) const;

  void add_interpreter(std::size_t main);
  void add_image_interpreter(std::size_t main, std::vector<std::string> searched);
  void add_glibc_interpreter(std::size_t main);
  void audit();
  void preload();
  void load_needed();
  void need(std::size_t index, const std::string& spelled, Need need);
  bool from_runtime(std::size_t index, const std::string& name, Why why, std::string_view detail);
  bool find(std::size_t index, const std::string& name, Why why, std::string_view detail,
            std::vector<std::string>* searched);
  void take(std::size_t index, const std::string& name, const FoundLibrary& found, Why why,
            std::string_view detail);
  void check_versions(std::size_t from);
  std::size_t add_object(Object object, const std::string& name,
                         const measure::Node* node = nullptr);
  std::vector<Requester> chain(std::size_t index) const;
  void unresolved(std::size_t index, std::string name, std::vector<std::string> searched,
                  bool optional);

  Scene& scene_;
  LoaderKind kind_;
  bool optional_;
  const Process* host_ = nullptr;  // its objects come before this process's own
  std::size_t host_count_ = 0;
  std::vector<Object> objects_;
  std::map<std::string, std::size_t, std::less<>> by_name_;  // requested name and soname → object
  std::unordered_map<const measure::Node*, std::size_t> by_node_;
  std::size_t next_ = 0;  // objects before it have what they need
};

}  // namespace cloister::manifest
