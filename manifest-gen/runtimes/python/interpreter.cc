// getpath.py (Modules/getpath.py of CPython) finds the prefix by landmarks: a pyvenv.cfg beside the
// executable or one directory above names another home; from the executable's own directory upwards
// the first lib/pythonX.Y/os.py is the library. Debian's site.py has dist-packages where others
// have site-packages: whichever exist are taken.
#include "manifest-gen/runtimes/python/interpreter.h"

#include <algorithm>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/launch/program_search.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/runtimes/python/configuration.h"

namespace cloister::manifest::python {
namespace {

using measure::Node;

constexpr std::string_view kLibraries[] = {"lib", "lib64"};

std::string below(std::string_view directory, std::string_view rest) {
  return directory == "/" ? cat("/", rest) : cat(directory, "/", rest);
}

bool is_file(const measure::Rootfs& rootfs, std::string_view path) {
  const Node* node = rootfs.find(path);
  return node != nullptr && node->is_regular();
}

// "3.11" of "python3.11", "libpython3.13t.so.1.0", "3.11.2"; empty when it is no 3.x.
std::string version_in(std::string_view text) {
  const std::size_t at = text.find("3.");
  if (at == std::string_view::npos) return {};
  std::size_t end = at + 2;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  if (end == at + 2 || end > at + 4) return {};
  if (end < text.size() && text[end] == 't') ++end;
  return std::string(text.substr(at, end - at));
}

// The name of the program, digits, dots and a build's letter aside.
bool is_python_name(std::string_view base) {
  if (!base.starts_with("python")) return false;
  base.remove_prefix(6);
  if (base.empty()) return true;
  if (base.front() != '3') return false;
  return base.find_first_not_of("0123456789.td") == std::string_view::npos;
}

class Search {
 public:
  Search(const ProgramStart& start, const CommandLine& command, const AnalyzerScene& scene)
      : start_(start), command_(command), scene_(scene), rootfs_(scene.rootfs) {}

  Result<Interpreter> run() {
    find_executable();
    CL_CHECK(find_environment());
    find_library();
    if (out_.stdlib.empty()) return std::move(out_);
    if (!environment_) out_.prefix = out_.base_prefix;
    library_path();
    if (!command_.no_site) site_path();
    return std::move(out_);
  }

 private:
  void find_executable() {
    const std::string_view name = start_.argv.empty() ? start_.path : start_.argv.front();
    const ProgramSearch found =
        find_program(rootfs_, name, scene_.env("PATH", kDefaultPath), scene_.launch.workdir);
    const auto real = rootfs_.real_path(start_.path);
    out_.real = real.value_or(start_.path);
    // argv[0] is what the caller likes; only one that leads to this program is believed.
    const bool same = !found.found.empty() && rootfs_.real_path(found.found) == real;
    out_.executable = same ? found.found : start_.path;
  }

  Status find_environment() {
    const std::string directory(parent_directory(out_.executable));
    for (const std::string& place : {directory, std::string(parent_directory(directory))}) {
      const std::string path = below(place, "pyvenv.cfg");
      const Node* node = rootfs_.find(path);
      if (node == nullptr || !node->is_regular()) continue;
      auto text = rootfs_.read(*node, scene_.limits.packed_file_bytes);
      if (!text) return std::move(text.error()).while_(cat("reading ", printable(path)));
      environment_ = parse_pyvenv(as_text(*text));
      out_.environment_file = path;
      out_.prefix = std::string(parent_directory(directory));
      return {};
    }
    return {};
  }

  void find_library() {
    std::vector<std::string> starts;
    const std::string_view home = command_.ignores_environment ? "" : scene_.env("PYTHONHOME");
    if (!home.empty()) starts.emplace_back(home.substr(0, home.find(':')));
    if (environment_ && !environment_->home.empty()) {
      starts.push_back(environment_->home);
      if (const auto real = rootfs_.real_path(environment_->home)) starts.push_back(*real);
    }
    starts.push_back(std::string(parent_directory(out_.real)));
    starts.push_back(std::string(parent_directory(out_.executable)));
    // What a build has compiled in.
    starts.emplace_back("/usr/local");
    starts.emplace_back("/usr");
    for (const std::string& version : versions())
      for (const std::string& place : starts)
        if (library_above(place, version)) return;
    // The name does not tell the version: the highest that has a library.
    for (const std::string& place : starts)
      for (const std::string& version : installed(place))
        if (library_above(place, version)) return;
  }

  std::vector<std::string> versions() const {
    std::vector<std::string> out;
    const auto add = [&](std::string version) {
      if (!version.empty() && std::find(out.begin(), out.end(), version) == out.end())
        out.push_back(std::move(version));
    };
    add(version_in(base_name(out_.real)));
    const Node* node = rootfs_.find(out_.real);
    const auto* facts = node == nullptr ? nullptr : rootfs_.elf_facts(*node);
    if (facts != nullptr)
      for (const std::string& needed : facts->needed)
        if (needed.starts_with("libpython3.")) add(version_in(needed));
    if (environment_) add(version_in(environment_->version));
    return out;
  }

  // Versions that have a directory below a place's lib, or its parent's, highest first.
  std::vector<std::string> installed(const std::string& place) const {
    std::vector<std::string> out;
    for (const std::string& prefix : {place, std::string(parent_directory(place))}) {
      const Node* lib = rootfs_.find(below(prefix, "lib"));
      if (lib == nullptr || !lib->is_directory()) continue;
      for (auto at = lib->children.lower_bound("python3."); at != lib->children.end(); ++at) {
        if (!at->first.starts_with("python3.")) break;
        out.push_back(version_in(at->first));
      }
    }
    std::sort(out.begin(), out.end(), [](const std::string& a, const std::string& b) {
      return a.size() != b.size() ? a.size() > b.size() : a > b;
    });
    return out;
  }

  bool library_above(const std::string& place, const std::string& version) {
    if (version.empty()) return false;
    for (std::string prefix = measure::normalize_path(place);;
         prefix = std::string(parent_directory(prefix))) {
      for (const std::string_view lib : kLibraries) {
        const std::string stdlib = below(prefix, cat(lib, "/python", version));
        if (!is_file(rootfs_, cat(stdlib, "/os.py"))) continue;
        out_.version = version;
        out_.tag = "cpython-";
        for (const char c : version)
          if (c != '.') out_.tag += c;
        out_.base_prefix = prefix;
        out_.stdlib = stdlib;
        return true;
      }
      if (prefix == "/") return false;
    }
  }

  void library_path() {
    std::string digits = out_.tag.substr(out_.tag.find('-') + 1);
    for (const std::string_view lib : kLibraries)
      add(out_.library_path, below(out_.base_prefix, cat(lib, "/python", digits, ".zip")));
    add(out_.library_path, out_.stdlib);
    for (const std::string_view lib : kLibraries)
      add(out_.library_path,
          below(out_.base_prefix, cat(lib, "/python", out_.version, "/lib-dynload")));
  }

  void site_path() {
    if (environment_) site_of(out_.prefix);
    if (!environment_ || environment_->system_site) {
      if (!command_.no_user_site && !environment_) user_site();
      site_of(below(out_.base_prefix, "local"));
      site_of(out_.base_prefix);
      if (out_.base_prefix == "/usr") site_of("/usr/local");
    }
  }

  void user_site() {
    std::string base(command_.ignores_environment ? "" : scene_.env("PYTHONUSERBASE"));
    if (base.empty()) {
      const std::string_view home = scene_.env("HOME", scene_.launch.uid == 0 ? "/root" : "");
      if (home.empty() || !scene_.env("PYTHONNOUSERSITE").empty()) return;
      base = cat(home, "/.local");
    }
    add(out_.site_path, cat(base, "/lib/python", out_.version, "/site-packages"));
  }

  void site_of(const std::string& prefix) {
    for (const std::string_view lib : kLibraries) {
      const std::string directory = below(prefix, lib);
      add(out_.site_path, cat(directory, "/python", out_.version, "/site-packages"));
      add(out_.site_path, cat(directory, "/python", out_.version, "/dist-packages"));
      add(out_.site_path, cat(directory, "/python3/dist-packages"));
    }
  }

  void add(std::vector<std::string>& list, std::string path) {
    const auto real = rootfs_.real_path(path);
    if (!real || !real_.insert(*real).second) return;
    list.push_back(std::move(path));
  }

  const ProgramStart& start_;
  const CommandLine& command_;
  const AnalyzerScene& scene_;
  const measure::Rootfs& rootfs_;
  std::optional<VirtualEnvironment> environment_;
  std::set<std::string> real_;
  Interpreter out_;
};

}  // namespace

bool is_python3(const ProgramStart& start, const AnalyzerScene& scene) {
  const std::string_view base = base_name(start.path);
  if (!is_python_name(base)) return false;
  const auto real = scene.rootfs.real_path(start.path);
  return real && is_python_name(base_name(*real));
}

Result<Interpreter> find_interpreter(const ProgramStart& start, const CommandLine& command,
                                     const AnalyzerScene& scene) {
  return Search(start, command, scene).run();
}

}  // namespace cloister::manifest::python
