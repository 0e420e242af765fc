// sys.path is built as CPython builds it (docs: "The initialization of the sys.path module search
// path"; site): the script's directory, PYTHONPATH, the library, site directories, what their .pth
// files add. Then the imports are followed from what the interpreter does on its own, from the
// program, and from every module of the application: those are granted, and how frameworks find
// them (settings, plug-ins, strings) cannot be known.
#include "manifest-gen/runtimes/python/python.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/launch/program_search.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/runtimes/python/application.h"
#include "manifest-gen/runtimes/python/command_line.h"
#include "manifest-gen/runtimes/python/follow.h"
#include "manifest-gen/runtimes/python/implied.h"
#include "manifest-gen/runtimes/python/interpreter.h"

namespace cloister::manifest::python {
namespace {

using measure::Node;

// Variables that name modules, or words that do.
constexpr std::string_view kModuleVariables[] = {"FLASK_APP",
                                                 "DJANGO_SETTINGS_MODULE",
                                                 "CELERY_APP",
                                                 "APP_MODULE",
                                                 "MODULE_NAME",
                                                 "UVICORN_APP",
                                                 "GUNICORN_CMD_ARGS",
                                                 "SETTINGS_MODULE",
                                                 "WSGI_MODULE",
                                                 "WSGI_APP",
                                                 "CELERY_CONFIG_MODULE",
                                                 "PYTHONBREAKPOINT"};

// Options of servers that name the directory of the application.
constexpr std::string_view kDirectoryOptions[] = {"--chdir", "--app-dir", "--pythonpath",
                                                  "--workdir"};

constexpr std::string_view kArchive = "an archive of modules";
constexpr std::string_view kCertificates = "/etc/ssl/certs/ca-certificates.crt";

class Builder {
 public:
  Builder(const ProgramStart& start, const AnalyzerScene& scene)
      : start_(start),
        scene_(scene),
        rootfs_(scene.rootfs),
        command_(parse_command_line(start.argv)) {}

  Result<Analysis> run() {
    CL_TRY(interpreter_, find_interpreter(start_, command_, scene_));
    if (interpreter_.stdlib.empty()) {
      out_.unknown.push_back(cat("the library of ", printable(interpreter_.real),
                                 " was not found: nothing of it is granted; set PYTHONHOME or use "
                                 "--include"));
      return std::move(out_);
    }
    ModuleFinder finder(rootfs_, interpreter_.tag);
    finder_ = &finder;
    places();
    Follower follower(scene_, interpreter_, finder, out_);
    follower_ = &follower;
    environment();
    for (const std::string_view name : start_modules())
      (void)follower.import(name, nullptr, "every start of Python imports it");
    if (!command_.no_site) {
      CL_CHECK(path_files());
      for (const std::string_view name : {"sitecustomize", "usercustomize", "apport_python_hook"})
        (void)follower.import(name, nullptr, "site imports it");
    }
    CL_CHECK(follower.drain());
    program();
    CL_CHECK(follower.drain());
    archives();
    words();
    for (const std::string& directory : applications_) application(directory);
    CL_CHECK(follower.drain());
    certificates();
    return std::move(out_);
  }

 private:
  void root(std::string path, Why why, std::string reason) {
    out_.roots.push_back({std::move(path), why, std::move(reason), /*optional=*/true, ""});
  }

  std::string absolute(std::string_view path) const {
    return measure::normalize_path(path.starts_with('/') ? std::string(path)
                                                         : cat(scene_.launch.workdir, "/", path));
  }

  // ---- sys.path ----

  void add_application(const std::string& directory) {
    if (!is_application_directory(rootfs_, directory)) return;
    (void)finder_->add_place(directory, false, true);
    if (std::find(applications_.begin(), applications_.end(), directory) == applications_.end())
      applications_.push_back(directory);
  }

  void places() {
    const std::string& workdir = scene_.launch.workdir;
    if (command_.runs == CommandLine::Runs::script) {
      script_ = absolute(command_.target);
      const Node* node = rootfs_.find(script_);
      // A directory or archive with a __main__ is itself on the path; a link's own directory is
      // not, its target's is.
      if (node != nullptr && node->is_directory()) {
        add_application(script_);
      } else if (const auto real = rootfs_.real_path(script_)) {
        const std::string directory(parent_directory(*real));
        if (is_application_directory(rootfs_, directory))
          add_application(directory);
        else
          (void)finder_->add_place(directory, false, false);
      }
    }
    for (const std::string_view option : kDirectoryOptions) option_directory(option);
    // -m and -c; servers that a script of a bin directory starts put it there themselves.
    if (!command_.safe_path && applications_.empty()) add_application(workdir);
    if (!command_.ignores_environment)
      for (const std::string_view item : split(scene_.env("PYTHONPATH"), ':')) {
        if (item.empty()) continue;
        const std::string path = absolute(item);
        if (const Node* node = rootfs_.find(path); node != nullptr && node->is_regular())
          archive(path);
        else
          (void)finder_->add_place(path, false, true);
      }
    for (const std::string& path : interpreter_.library_path) {
      const Node* node = rootfs_.find(path);
      if (node != nullptr && node->is_regular())
        archive(path);
      else
        (void)finder_->add_place(path, true, false);
    }
    for (const std::string& path : interpreter_.site_path)
      (void)finder_->add_place(path, false, false);
    // Last, for what puts it on the path later.
    if (command_.safe_path) return;
    add_application(workdir);
    // One that is shared with others ("/", "/usr"): what is imported from it is found all the same.
    (void)finder_->add_place(workdir, false, true);
  }

  void option_directory(std::string_view option) {
    const std::vector<std::string>& words = command_.arguments;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string_view word = words[i];
      if (word == option && i + 1 < words.size())
        add_application(absolute(words[i + 1]));
      else if (word.starts_with(option) && word.substr(option.size()).starts_with('='))
        add_application(absolute(word.substr(option.size() + 1)));
    }
  }

  void archive(const std::string& path) { archives_.push_back(path); }

  // What their modules import from elsewhere is known from the pass over the layer.
  void archives() {
    for (const std::string& path : archives_) {
      const Node* node = rootfs_.find(path);
      if (node != nullptr && rootfs_.source_facts(*node) != nullptr) {
        follower_->file(path, *node, "", true, "", kArchive);
        continue;
      }
      root(path, Why::python_import, std::string(kArchive));
      out_.unknown.push_back(cat(printable(path),
                                 " is an archive of modules that was not looked into: --include "
                                 "what they import from elsewhere"));
    }
  }

  // ---- the interpreter's own ----

  void environment() {
    if (!interpreter_.environment_file.empty())
      root(interpreter_.environment_file, Why::config, "the virtual environment");
    const std::string_view all = scene_.env("LC_ALL");
    const std::string_view type = all.empty() ? scene_.env("LC_CTYPE") : all;
    const std::string_view locale = type.empty() ? scene_.env("LANG") : type;
    // PEP 538: the C locale becomes C.UTF-8.
    if (locale.empty() || locale == "C" || locale == "POSIX") {
      root("/usr/lib/locale/C.utf8/LC_CTYPE", Why::config,
           "Python changes the C locale to C.UTF-8");
      for (const std::string_view lib : {"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"})
        root(cat(lib, "/gconv/gconv-modules.cache"), Why::config, "character set conversions");
    }
  }

  // .pth files of the site directories: more directories, and code.
  Status path_files() {
    for (const std::string& site : interpreter_.site_path) {
      const Node* directory = rootfs_.find(site);
      if (directory == nullptr || !directory->is_directory()) continue;
      for (const auto& [name, child] : directory->children) {
        if (!name.ends_with(".pth") || name.starts_with('.')) continue;
        const std::string path = cat(site, "/", name);
        const Node* node = rootfs_.find(path);
        if (node == nullptr || !node->is_regular()) continue;
        root(path, Why::config, "site reads it");
        if (node->entry->size > scene_.limits.packed_file_bytes) continue;
        auto text = rootfs_.read(*node, scene_.limits.packed_file_bytes);
        if (!text) return std::move(text.error()).while_(cat("reading ", printable(path)));
        CL_CHECK(path_file(site, path, parse_pth(as_text(*text))));
      }
    }
    return {};
  }

  Status path_file(const std::string& site, const std::string& path, const PthFile& file) {
    for (const std::string& item : file.paths) {
      const std::string added =
          measure::normalize_path(item.starts_with('/') ? item : cat(site, "/", item));
      const Node* node = rootfs_.find(added);
      if (node != nullptr && node->is_regular())
        archive(added);
      else
        (void)finder_->add_place(added, false,
                                 is_application_directory(rootfs_, added) &&
                                     added.find("-packages") == std::string::npos);
    }
    if (file.code.empty()) return {};
    follower_->code(file.code, path);
    // "__editable___NAME_finder": setuptools' finder of a project in its own directory.
    for (std::size_t at = file.code.find("__editable__"); at != std::string::npos;
         at = file.code.find("__editable__", at + 1)) {
      std::size_t end = at;
      while (end < file.code.size() && (file.code[end] == '_' || (file.code[end] | 0x20) >= 'a' ||
                                        (file.code[end] >= '0' && file.code[end] <= '9')))
        ++end;
      CL_CHECK(
          editable_finder(cat(site, "/", std::string_view(file.code).substr(at, end - at), ".py")));
      at = end - 1;
    }
    return {};
  }

  Status editable_finder(const std::string& path) {
    const Node* node = rootfs_.find(path);
    if (node == nullptr || !node->is_regular() ||
        node->entry->size > scene_.limits.packed_file_bytes)
      return {};
    auto text = rootfs_.read(*node, scene_.limits.packed_file_bytes);
    if (!text) return std::move(text.error()).while_(cat("reading ", printable(path)));
    for (const std::string& directory : parse_editable_finder(as_text(*text)))
      (void)finder_->add_place(directory, false, true);
    return {};
  }

  // ---- the program ----

  void program() {
    switch (command_.runs) {
      case CommandLine::Runs::code:
        follower_->code(command_.target, "");
        return;
      case CommandLine::Runs::module:
        (void)follower_->import("runpy", nullptr, "-m");
        follower_->main_module(command_.target);
        return;
      case CommandLine::Runs::script:
        script();
        return;
      case CommandLine::Runs::nothing:
        if (start_.complete)
          out_.unknown.emplace_back(
              "Python is started without a program: what it reads from standard input is not "
              "known");
    }
  }

  void script() {
    const Node* node = rootfs_.find(script_);
    std::string path = script_;
    if (node != nullptr && node->is_directory()) {
      path += "/__main__.py";
      node = rootfs_.find(path);
    }
    if (node == nullptr || !node->is_regular()) {
      out_.unknown.push_back(cat("the program ", printable(path), " is not in the image"));
      return;
    }
    if (looks_zipped(*node)) return archive(path);
    follower_->file(path, *node, "", true, "", "the program");
  }

  bool looks_zipped(const Node& node) const {
    const std::string& name = node.name;
    return name.ends_with(".pyz") || name.ends_with(".zip") || name.ends_with(".egg") ||
           name.ends_with(".pex");
  }

  // "gunicorn app.wsgi:application", "celery -A proj worker", FLASK_APP: words that are modules.
  void words() {
    for (const std::string& word : command_.arguments) one_word(word, cat("argument ", word));
    for (const std::string_view name : kModuleVariables)
      for (const std::string_view word : split(scene_.env(name), ' '))
        if (!word.empty()) one_word(word, cat("environment variable ", name));
    if (command_.ignores_environment) return;
    // Servers read these from the working directory when they are there.
    for (const std::string_view name : {"app.py", "wsgi.py", "gunicorn.conf.py", "celeryconfig.py"})
      file_word(name, name);
  }

  void one_word(std::string_view word, std::string_view why) {
    if (word.starts_with('-')) {
      const std::size_t equals = word.find('=');
      if (equals == std::string_view::npos) return;
      word.remove_prefix(equals + 1);
    }
    if (word.starts_with("python:")) word.remove_prefix(7);
    if (!follower_->word(word, why)) file_word(word.substr(0, word.find(':')), why);
  }

  void file_word(std::string_view word, std::string_view why) {
    if (!word.ends_with(".py")) return;
    const std::string path = absolute(word);
    const Node* node = rootfs_.find(path);
    if (node == nullptr || !node->is_regular()) return;
    const std::string directory(parent_directory(path));
    add_application(directory);
    follower_->file(path, *node, "", true, "", why);
  }

  void application(const std::string& directory) {
    // Where Python itself is installed is no application, whatever the working directory.
    if (interpreter_.stdlib.starts_with(cat(directory, "/")) &&
        !interpreter_.prefix.starts_with(cat(directory, "/")))
      return;
    for (ApplicationFile& file : application_files(rootfs_, directory, finder_->places()))
      follower_->file(file.path, *file.node, std::move(file.module), false, "",
                      "a module of the application");
    // That of the working directory is granted with all else that is there.
    if (directory != measure::normalize_path(scene_.launch.workdir))
      follower_->directory_data(directory, "data of the application");
  }

  // OpenSSL looks certificates up in a directory of a hundred links; one file has them all.
  void certificates() {
    if (finder_->find("_ssl") == nullptr || rootfs_.find(kCertificates) == nullptr) return;
    const bool uses = std::any_of(out_.roots.begin(), out_.roots.end(), [](const ClosureRoot& r) {
      return base_name(r.path_or_glob) == "ssl.py" ||
             base_name(r.path_or_glob).starts_with("_ssl.");
    });
    if (!uses || !scene_.env("SSL_CERT_FILE").empty() || !scene_.env("SSL_CERT_DIR").empty())
      return;
    root(std::string(kCertificates), Why::config, "certificate authorities");
    out_.suggestions.push_back(
        {"loader.env.SSL_CERT_FILE", TomlValue(std::string(kCertificates)),
         "the ssl module finds the certificate authorities in one file, not in a directory"});
  }

  const ProgramStart& start_;
  const AnalyzerScene& scene_;
  const measure::Rootfs& rootfs_;
  CommandLine command_;
  Interpreter interpreter_;
  ModuleFinder* finder_ = nullptr;
  Follower* follower_ = nullptr;
  std::string script_;
  std::vector<std::string> applications_, archives_;
  Analysis out_;
};

}  // namespace

bool detect(const ProgramStart& start, const AnalyzerScene& scene) {
  return is_python3(start, scene);
}

Result<Analysis> analyze(const ProgramStart& start, const AnalyzerScene& scene) {
  return Builder(start, scene).run();
}

}  // namespace cloister::manifest::python
