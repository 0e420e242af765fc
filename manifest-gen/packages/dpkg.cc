// Format: deb-control(5), dpkg's lib/dpkg/parse.c. A paragraph ends at an empty line; a line that
// begins with a blank continues the field above it.
#include "manifest-gen/packages/dpkg.h"

#include "base/text.h"

namespace cloister::manifest {
namespace {

// The next line of `text` without its end; `text` loses it.
std::string_view pop_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// "libc6 (>= 2.34), default-mta | mail-transport-agent:any" → the three names.
void add_names(std::string_view value, std::vector<std::string>& out) {
  for (const std::string_view group : split(value, ',')) {
    for (const std::string_view choice : split(group, '|')) {
      const std::string_view word = trim(choice);
      const std::string_view name = word.substr(0, word.find_first_of(" (:[<"));
      if (!name.empty()) out.emplace_back(name);
    }
  }
}

class StatusParser {
 public:
  explicit StatusParser(const Limits& limits) : limits_(limits) {}

  Result<std::vector<Package>> run(std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = pop_line(text);
      if (trim(line).empty())
        CL_CHECK(end_of_paragraph());
      else
        add_line(line);
    }
    CL_CHECK(end_of_paragraph());
    return std::move(packages_);
  }

 private:
  void add_line(std::string_view line) {
    if (line.front() == ' ' || line.front() == '\t') {
      if (field_ == "conffiles") conffile(trim(line));
      return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    field_ = lower_ascii(line.substr(0, colon));
    field(trim(line.substr(colon + 1)));
  }

  void field(std::string_view value) {
    if (field_ == "package")
      package_.name = value;
    else if (field_ == "version")
      package_.version = value;
    else if (field_ == "architecture")
      package_.architecture = value;
    else if (field_ == "source")
      package_.source = value.substr(0, value.find_first_of(" ("));
    else if (field_ == "essential")
      package_.essential = iequals_ascii(value, "yes");
    else if (field_ == "depends" || field_ == "pre-depends")
      add_names(value, package_.depends);
    else if (field_ == "status")
      installed_ = has_files(value);
  }

  // "install ok installed": the third word is the state. Half-installed packages have files too.
  static bool has_files(std::string_view value) {
    const std::size_t last = value.rfind(' ');
    const std::string_view state = last == std::string_view::npos ? value : value.substr(last + 1);
    return state != "not-installed" && state != "config-files";
  }

  // "/etc/x 0123…" and perhaps "obsolete": no longer part of the package.
  void conffile(std::string_view line) {
    const std::size_t end = line.find(' ');
    if (!line.starts_with('/') || line.ends_with(" obsolete")) return;
    package_.conffiles.emplace_back(line.substr(0, end));
  }

  Status end_of_paragraph() {
    if (!package_.name.empty() && installed_) {
      if (packages_.size() >= limits_.packages)
        return Error::limit(cat("more than ", limits_.packages, " packages"));
      if (package_.source.empty()) package_.source = package_.name;
      packages_.push_back(std::move(package_));
    }
    package_ = Package();
    installed_ = true;  // status.d has no state: it is there
    field_.clear();
    return {};
  }

  const Limits& limits_;
  std::vector<Package> packages_;
  Package package_;
  std::string field_;
  bool installed_ = true;
};

}  // namespace

Result<std::vector<Package>> parse_dpkg_status(std::string_view text, const Limits& limits) {
  return StatusParser(limits).run(text);
}

std::vector<std::string> parse_dpkg_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::string_view line = pop_line(text);
    if (line.starts_with('/') && line != "/.") out.emplace_back(line);
  }
  return out;
}

std::vector<std::string> parse_md5sums(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::string_view line = pop_line(text);
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) continue;
    std::string_view path = trim(line.substr(blank));
    if (path.starts_with("./")) path.remove_prefix(2);
    if (path.empty()) continue;
    out.push_back(path.starts_with('/') ? std::string(path) : cat("/", path));
  }
  return out;
}

}  // namespace cloister::manifest
