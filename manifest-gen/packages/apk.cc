// Format (apk-tools, "Installed database"): one-letter fields "X:value", a paragraph per package.
// "F:" names a directory, each "R:" after it a file there; "D:" are dependencies, which may be
// shared objects and commands ("so:libc.musl-x86_64.so.1") that "p:" of others provides.
#include "manifest-gen/packages/apk.h"

#include <map>

#include "base/text.h"

namespace cloister::manifest {
namespace {

// "so:libz.so.1=1.2.13", "zlib>=1.2", "!conflict" → the name; empty for a conflict.
std::string_view bare_name(std::string_view word) {
  if (word.starts_with('!')) return {};
  return word.substr(0, word.find_first_of("=<>~"));
}

class Parser {
 public:
  explicit Parser(const Limits& limits) : limits_(limits) {}

  Result<std::vector<Package>> run(std::string_view text) {
    for (const std::string_view line : split(text, '\n')) {
      if (line.empty())
        CL_CHECK(end_of_paragraph());
      else if (line.size() >= 2 && line[1] == ':')
        CL_CHECK(field(line[0], line.substr(2)));
    }
    CL_CHECK(end_of_paragraph());
    resolve_provides();
    return std::move(packages_);
  }

 private:
  Status field(char letter, std::string_view value) {
    switch (letter) {
      case 'P':
        package_.name = value;
        break;
      case 'V':
        package_.version = value;
        break;
      case 'A':
        package_.architecture = value;
        break;
      case 'o':
        package_.source = value;
        break;
      case 'L':
        package_.license = value;
        break;
      case 'D':
        for (const std::string_view word : split(value, ' '))
          if (const std::string_view name = bare_name(word); !name.empty())
            package_.depends.emplace_back(name);
        break;
      case 'p':
        for (const std::string_view word : split(value, ' '))
          if (const std::string_view name = bare_name(word); !name.empty())
            provides_.try_emplace(std::string(name), packages_.size());
        break;
      case 'F':
        directory_ = value.empty() ? std::string() : cat("/", value);
        break;
      case 'R':
        return add_file(value);
      default:
        break;
    }
    return {};
  }

  Status add_file(std::string_view name) {
    std::string path = cat(directory_, "/", name);
    if (path.size() > limits_.path_bytes) return {};
    // A long directory that many files name would be repeated without end.
    text_ += path.size();
    if (++files_ > limits_.package_files || text_ > limits_.package_database_bytes)
      return Error::limit("the packages have too many files");
    // What administrators change is what lies there: apk has no list of its own.
    if (path.starts_with("/etc/")) package_.conffiles.push_back(path);
    package_.files.push_back(std::move(path));
    return {};
  }

  Status end_of_paragraph() {
    if (!package_.name.empty()) {
      if (packages_.size() >= limits_.packages)
        return Error::limit(cat("more than ", limits_.packages, " packages"));
      if (package_.source.empty()) package_.source = package_.name;
      package_.manager = PackageManager::apk;
      packages_.push_back(std::move(package_));
    }
    package_ = Package();
    directory_.clear();
    return {};
  }

  void resolve_provides() {
    for (Package& package : packages_)
      for (std::string& name : package.depends)
        if (const auto at = provides_.find(name);
            at != provides_.end() && at->second < packages_.size())
          name = packages_[at->second].name;
  }

  const Limits& limits_;
  std::vector<Package> packages_;
  Package package_;
  std::map<std::string, std::size_t> provides_;
  std::string directory_;
  std::size_t files_ = 0;
  std::uint64_t text_ = 0;
};

}  // namespace

Result<std::vector<Package>> parse_apk_installed(std::string_view text, const Limits& limits) {
  return Parser(limits).run(text);
}

}  // namespace cloister::manifest
