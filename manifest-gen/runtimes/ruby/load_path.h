// Where `require` finds a feature: the directories of $LOAD_PATH, then the gems that RubyGems knows
// by their specifications.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "measure/rootfs/rootfs.h"

namespace cloister::manifest::ruby {

enum class Origin { application, site, core, gem };

struct LoadDirectory {
  std::string path;
  Origin origin = Origin::site;
};

struct Gem {
  std::string name;               // "rack"
  std::string directory;          // ".../gems/rack-2.2.22"
  std::vector<std::string> load;  // its directories in the load path, native parts included
};

class LoadPath {
 public:
  explicit LoadPath(const measure::Rootfs& rootfs) : rootfs_(rootfs) {}

  void add(std::string directory, Origin origin);
  void add_in_front(std::string directory);
  // What distributions and Ruby's own build compile in, as far as the image has it.
  void add_defaults();
  // A directory with specifications/ and gems/. Such a pattern: '*' stands for one component.
  void add_gem_home(std::string_view pattern);
  void add_default_gem_homes();

  struct Found {
    std::string path;
    Origin origin;
    const Gem* gem;
  };
  // "json", "json.rb", "json/ext/parser.so": the file of the load path, and those of every gem that
  // has it: a newer gem takes the place of a part of the standard library.
  std::vector<Found> find(std::string_view feature) const;
  // Directories that begin so, in the load path and in gems: "json/" → ".../json".
  std::vector<Found> directories(std::string_view name) const;

  // All versions of it.
  std::vector<const Gem*> gems(std::string_view name) const;
  const Gem* gem_of(std::string_view path) const;
  // The directory of the load path that holds the file; null when none does.
  const LoadDirectory* directory_of(std::string_view path) const;

  const std::vector<LoadDirectory>& list() const { return directories_; }
  const std::vector<std::string>& gem_homes() const { return homes_; }

 private:
  void read_gems(const std::string& home, std::string_view specifications);

  const measure::Rootfs& rootfs_;
  std::vector<LoadDirectory> directories_;
  std::vector<std::string> homes_;
  std::map<std::string, Gem, std::less<>> gems_;  // by directory
  // The first component of a feature, without its suffix, and where it is.
  std::multimap<std::string, std::pair<const Gem*, std::string>, std::less<>> tops_;
};

// "rack-2.2.22", "nokogiri-1.13.10-x86_64-linux": what stands before the version.
std::string_view gem_name(std::string_view full_name);

}  // namespace cloister::manifest::ruby
