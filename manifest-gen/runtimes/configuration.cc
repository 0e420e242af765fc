// Every file that configuration names by an absolute path is granted for any program: whoever wrote
// the path there meant the program to open it. Of directories only those whose contents are served,
// as a directive of a known server says; and of any program's, files that no package owns: somebody
// put them there and told the program where they are. Places that are written to are neither.
//
// Relative names of a server with a row are looked for in every directory that it may mean (its
// prefix depends on how it was built). Of any other program they are names that look like a file's
// ("cert.pem", "rules/*.yml") and stand beside the configuration or in a directory that it names.
#include "manifest-gen/runtimes/configuration.h"

#include <algorithm>
#include <deque>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/closure/program_kind.h"
#include "manifest-gen/closure/walk_below.h"
#include "manifest-gen/closure/withheld.h"
#include "manifest-gen/packages/package_index.h"
#include "manifest-gen/runtimes/config_scan.h"
#include "manifest-gen/runtimes/config_words.h"
#include "manifest-gen/runtimes/embedded_perl.h"
#include "manifest-gen/runtimes/paths.h"

namespace cloister::manifest {
namespace {

constexpr std::uint64_t kConfigBytes = 512ULL << 10;
constexpr std::size_t kConfigFiles = 1024, kNamedFiles = 16384;
constexpr std::size_t kRelativeNames = 4096, kBases = 32;  // of a program without a row
constexpr std::size_t kDirectoryFiles = 4096;              // below a directory that is named

// Below these a program writes; what an image has there is a beginning, or left from its making.
constexpr std::string_view kWritten[] = {"/var/backups",
                                         "/var/cache",
                                         "/var/lib",
                                         "/var/lock",
                                         "/var/log",
                                         "/var/mail",
                                         "/var/run",
                                         "/var/spool",
                                         "/var/tmp",
                                         "/run",
                                         "/tmp",
                                         "/home",
                                         "/root",
                                         "/proc",
                                         "/sys",
                                         "/dev",
                                         "/lib",
                                         "/lib64",
                                         "/usr/lib",
                                         "/bin",
                                         "/sbin",
                                         "/usr/bin",
                                         "/usr/sbin",
                                         "/usr/lib64",
                                         "/usr/libexec",
                                         "/boot",
                                         "/gramine",
                                         "/usr/share/doc",
                                         "/etc/alternatives",
                                         "/usr/share/zoneinfo"};

bool listed(std::string_view list, std::string_view word) {
  for (const std::string_view item : split(list, ' '))
    if (!item.empty() && iequals_ascii(item, word)) return true;
  return false;
}

class ConfigReader {
 public:
  ConfigReader(const ProgramStart& start, const AnalyzerScene& scene, const Server* server)
      : start_(start), scene_(scene), server_(server), perl_(scene.rootfs) {}

  Result<Analysis> run(const std::vector<std::string>& files) {
    if (server_ != nullptr) own_files();
    out_.follows_data = server_ != nullptr;
    command_line();
    // Other arguments may name files too; where an option names the configuration, none was.
    if (server_ != nullptr && !named_ && (pending_.empty() || !server_->option.empty()))
      for (const std::string_view pattern : split(server_->files, ' ')) {
        if (pattern.empty()) continue;
        for (const std::string& file : expand_glob(scene_.rootfs, pattern)) configuration(file, {});
      }
    for (const std::string& pattern : files)
      for (const std::string& file : expand_glob(scene_.rootfs, pattern))
        if (!has_wildcard(pattern) || !looks_secret(file)) configuration(file, kCommandLine);
    CL_CHECK(read_pending());
    // What is relative to a directory may stand in front of the directory's name.
    while (!relatives_.empty() && bases_.size() != bases_tried_) {
      bases_tried_ = bases_.size();
      const std::vector<Relative> names = relatives_;
      for (const Relative& name : names) relative_name(name);
      CL_CHECK(read_pending());
    }
    for (ClosureRoot& start : perl_.starts(out_.roots)) out_.roots.push_back(std::move(start));
    return std::move(out_);
  }

 private:
  static constexpr std::string_view kCommandLine = "";

  struct Relative {
    std::string word, from;
    bool include;
  };

  Status read_pending() {
    while (!pending_.empty()) {
      const std::string path = std::move(pending_.front());
      pending_.pop_front();
      CL_CHECK(read(path));
    }
    return {};
  }

  void grant(std::string path, std::string_view from, std::string detail, Why why = Why::config) {
    if (out_.roots.size() >= kNamedFiles) return;
    if (!granted_.insert({path, std::string(from)}).second) return;
    out_.roots.push_back({std::move(path), why, std::move(detail), true, std::string(from)});
  }

  void own_files() {
    const std::string detail = cat("opened by ", server_->name, " on its own");
    for (const std::string_view pattern : split(server_->extra, ' ')) {
      if (pattern.empty()) continue;
      if (server_->left_out.empty() || pattern.find("**") != std::string_view::npos) {
        grant(std::string(pattern), {}, detail, Why::package_data);
        continue;
      }
      for (const std::string& path : expand_glob(scene_.rootfs, pattern)) {
        if (!listed(server_->left_out, base_name(path)))
          grant(path, {}, detail, Why::package_data);
        else
          leave_out(path);
      }
    }
    for (const std::string_view program : split(server_->programs_run, ' ')) {
      if (program.empty()) continue;
      for (const std::string& path : expand_glob(scene_.rootfs, program)) {
        if (listed(server_->left_out, base_name(path)))
          leave_out(path);
        else if (path != start_.path)
          grant(path, {}, cat("started by ", server_->name), Why::script_command);
      }
    }
  }

  void leave_out(const std::string& path) {
    out_.unknown.push_back(cat("uses ", path,
                               " for few things only, so that it is left out: switch those off, or "
                               "--include the file"));
  }

  // Files that arguments name: "-c FILE", "--defaults-file=FILE", FILE.
  void command_line() {
    for (std::size_t i = 1; i < start_.argv.size(); ++i) {
      std::string_view word = start_.argv[i], key = start_.argv[i - 1];
      // "--config=FILE", and "-c config_file=FILE"
      if (const std::size_t equals = word.find('=');
          equals != word.npos && equals < word.find('/')) {
        key = word.substr(0, equals);
        word.remove_prefix(equals + 1);
      }
      const bool option = server_ != nullptr && !server_->option.empty() && key == server_->option;
      named_ = named_ || option;
      if (word.empty() || word.starts_with('-')) continue;
      const std::string path = path_in(scene_.launch.workdir, word);
      if (option || server_ != nullptr || is_config_path(path)) configuration(path, kCommandLine);
      if (server_ == nullptr) directory(path, kCommandLine);
    }
  }

  // Text that is read as configuration; a directory means the files in it.
  void configuration(std::string_view path, std::string_view from) {
    const measure::Node* node = scene_.rootfs.find(path);
    if (node == nullptr) return;
    if (node->is_directory()) {
      for (const std::string& file : expand_glob(scene_.rootfs, cat(path, "/*")))
        configuration_file(file, from);
    } else {
      configuration_file(std::string(path), from);
    }
  }

  void configuration_file(const std::string& path, std::string_view from) {
    const measure::Node* node = scene_.rootfs.find(path);
    if (node == nullptr || !node->is_regular() || scene_.rootfs.elf_facts(*node) != nullptr) return;
    if (!node->entry->shebang.empty()) return;
    grant(path, from, from.empty() ? "configuration" : cat("included by ", from));
    if (node->entry->size > kConfigBytes || read_.size() >= kConfigFiles ||
        !read_.insert(node).second)
      return;
    pending_.push_back(path);
  }

  Status read(const std::string& path) {
    const measure::Node* node = scene_.rootfs.find(path);
    auto bytes = scene_.rootfs.read(*node, kConfigBytes);
    if (!bytes) return std::move(bytes.error()).while_(cat("reading ", printable(path)));
    const std::string_view text = as_text(*bytes);
    if (text.find('\0') != std::string_view::npos) return {};
    base(std::string(parent_directory(path)));
    // "conf.d/a.conf" names files as the configuration above it does.
    if (server_ == nullptr) base(std::string(parent_directory(parent_directory(path))));
    for (const ConfigDirective& directive : scan_config(text)) directive_of(directive, path);
    return {};
  }

  // What relative names may be relative to.
  void base(std::string path) {
    if (server_ != nullptr || (!is_shared_directory(path) && bases_.size() < kBases))
      bases_.insert(std::move(path));
  }

  void directive_of(const ConfigDirective& directive, const std::string& from) {
    if (iequals_ascii(directive.name, "ServerRoot") && !directive.words.empty())
      base(directive.words.front());
    if (server_ != nullptr && listed(server_->runs, directive.name)) {
      command(directive, from);
      return;
    }
    if (server_ != nullptr && listed(server_->scripts, directive.name)) {
      for (const std::string& word : directive.words) script(word, from);
      return;
    }
    if (server_ != nullptr && listed(server_->plugins, directive.name))
      for (const std::string& word : directive.words) plugin(word, from);
    if (server_ != nullptr) perl_.directive(directive);
    word_of(directive.name, directive.name, from);
    for (const std::string& word : directive.words) word_of(word, directive.name, from);
    if (server_ == nullptr) commands_of(directive, from);
    if (server_ != nullptr && server_->name == "haproxy") pairs_of(directive, from);
  }

  // <delegate command="&quot;rsvg-convert&quot; …"/>: a program that is looked for in PATH.
  void commands_of(const ConfigDirective& directive, const std::string& from) {
    for (std::size_t i = 0; i + 1 < directive.words.size(); ++i) {
      if (directive.words[i] != "command") continue;
      std::string_view line = directive.words[i + 1];
      constexpr std::string_view kQuote = "&quot;";
      if (line.starts_with(kQuote)) line.remove_prefix(kQuote.size());
      const std::string_view name = line.substr(0, line.find_first_of(" &"));
      if (name.empty() || name.find('/') != name.npos) continue;
      for (const std::string_view directory : {"/usr/local/bin", "/usr/bin", "/bin"}) {
        const std::string path = cat(directory, "/", name);
        if (!is_file(scene_.rootfs, path)) continue;
        grant(path, from, cat("run by ", from), Why::script_command);
        break;
      }
    }
  }

  // "bind :443 ssl crt FILE": the keyword is any word, and its value the next.
  void pairs_of(const ConfigDirective& directive, const std::string& from) {
    for (std::size_t i = 0; i + 1 < directive.words.size(); ++i)
      word_of(directive.words[i + 1], directive.words[i], from);
  }

  // mod_wsgi and its like: what the script imports is found as its interpreter would find it.
  void script(const std::string& path, const std::string& from) {
    if (!path.starts_with('/') || !is_file(scene_.rootfs, path)) return;
    file_of(path, from);
    const std::string directory(parent_directory(path));
    if (!is_shared_directory(directory))
      grant(cat(directory, "/**"), from, cat("beside the program ", path), Why::workdir);
    for (const std::string_view interpreter : split(server_->interpreter, ' ')) {
      if (!is_file(scene_.rootfs, interpreter)) continue;
      out_.roots.push_back({std::string(interpreter),
                            Why::script_command,
                            cat("runs ", path, ", says ", from),
                            true,
                            from,
                            {std::string(interpreter), path}});
      return;
    }
  }

  void plugin(std::string_view word, const std::string& from) {
    if (word.find_first_of("/*?{$") != word.npos) return;
    for (const std::string_view pattern : split(server_->plugin_files, ' ')) {
      const std::size_t at = pattern.find("{}");
      if (at == pattern.npos) continue;
      for (const std::string& path :
           expand_glob(scene_.rootfs, cat(pattern.substr(0, at), word, pattern.substr(at + 2))))
        file_of(path, from);
    }
  }

  void command(const ConfigDirective& directive, const std::string& from) {
    if (directive.words.empty()) return;
    const std::string_view line = directive.words.front();
    const std::string program(line.substr(0, line.find(' ')));
    if (!program.starts_with('/')) return;
    grant(program, from, cat("run by ", from), Why::script_command);
    grant("/bin/sh", from, cat("runs commands of ", from), Why::script_command);
  }

  void word_of(std::string_view word, const std::string& directive, const std::string& from) {
    if (server_ == nullptr) {
      // "file:///etc/x", "hash:/etc/x"
      if (word.starts_with("file://"))
        word.remove_prefix(7);
      else if (const std::size_t scheme = word.find(":/");
               scheme != word.npos && !word.substr(scheme + 1).starts_with("//"))
        word.remove_prefix(scheme + 1);
    }
    if (word.find("/?") != word.npos) module_path(word, from);
    if (word.empty() || word.size() > 4096 || word.find_first_of("$%") != word.npos ||
        word.find("://") != word.npos)
      return;
    if (server_ != nullptr)
      known_word(word, directive, from);
    else if (word.starts_with('/'))
      path_of(measure::normalize_path(word), is_include(directive), false, from);
    else if (relatives_.size() < kRelativeNames &&
             (is_include(directive) || (directive != word && looks_like_file(word))))
      relatives_.push_back({std::string(word), from, is_include(directive)});
  }

  // "/srv/lua/?.lua;/srv/lua/?/init.lua;;": where Lua finds modules.
  void module_path(std::string_view word, const std::string& from) {
    for (const std::string_view item : split(word, ';')) {
      const std::size_t mark = item.find("/?");
      if (mark == item.npos || mark == 0 || !item.starts_with('/')) continue;
      const std::string path = measure::normalize_path(item.substr(0, mark));
      if (is_directory(scene_.rootfs, path) && !is_shared_directory(path))
        grant(cat(path, "/**"), from, cat("where modules are found, says ", from));
    }
  }

  void relative_name(const Relative& name) {
    std::set<std::string> bases = bases_;
    if (name.include) bases.emplace(parent_directory(name.from));
    for (const std::string& base : bases) {
      const std::string path = path_in(base, name.word);
      if (has_wildcard(path) ? !expand_glob(scene_.rootfs, path).empty()
                             : is_file(scene_.rootfs, path))
        path_of(path, name.include, false, name.from);
    }
  }

  void known_word(std::string_view word, const std::string& directive, const std::string& from) {
    const bool include = listed(server_->includes, directive);
    const bool module = listed(server_->modules, directive);
    const bool tree = listed(server_->trees, directive);
    if (word.starts_with('/')) {
      path_of(measure::normalize_path(word), include, tree, from);
      return;
    }
    if (word.starts_with("mod_") && word.find('/') == std::string_view::npos)
      for (const std::string_view directory : split(server_->module_of, ' '))
        if (!directory.empty()) file_of(cat(directory, "/", word, ".so"), from);
    if (!include && !module && !tree) return;
    std::set<std::string> bases = bases_;
    for (const std::string_view base : split(server_->bases, ' '))
      if (!base.empty()) bases.emplace(base);
    for (const std::string& base : bases) path_of(path_in(base, word), include, tree, from);
  }

  void path_of(const std::string& path, bool include, bool tree, const std::string& from) {
    if (include) {
      if (has_wildcard(path)) {
        for (const std::string& file : expand_glob(scene_.rootfs, path))
          configuration_file(file, from);
      } else {
        configuration(path, from);
      }
      return;
    }
    if (server_ == nullptr && has_wildcard(path)) {
      named_pattern(path, from);
      return;
    }
    const measure::Node* node = scene_.rootfs.find(path);
    if (node == nullptr && looks_like_credential(path)) {
      out_.absent.push_back({path, cat("in ", from)});
    } else if (node == nullptr) {
      return;
    } else if (node->is_regular()) {
      file_of(path, from);
      // "config: other.yml": configuration too, by its name or where it stands.
      if (server_ == nullptr && is_own_config(path)) configuration_file(path, from);
    } else if (tree && node->is_directory()) {
      if (is_shared_directory(path) || is_shared_directory(node->path()))
        out_.unknown.push_back(cat("serves files below ", path, " (", from,
                                   "), which holds more than that: name them with --include"));
      else
        grant(cat(path, "/**"), from, cat("served, says ", from));
    } else if (server_ == nullptr && node->is_directory()) {
      base(path);
      directory(path, from);
    }
  }

  void named_pattern(const std::string& pattern, const std::string& from) {
    if (pattern.find("**") != std::string::npos || has_wildcard(parent_directory(pattern)) ||
        is_shared_directory(parent_directory(pattern)))
      return;
    grant(pattern, from, cat("named in ", from));
  }

  bool is_written(std::string_view path) const {
    const auto within = [&](std::string_view top) { return is_within(path, top); };
    return std::any_of(std::begin(kWritten), std::end(kWritten), within) ||
           std::any_of(scene_.launch.volumes.begin(), scene_.launch.volumes.end(), within);
  }

  // What somebody put below a directory that is named, and no package has.
  void directory(const std::string& path, std::string_view from) {
    const measure::Node* top = scene_.rootfs.find(path);
    if (top == nullptr || !top->is_directory() || scene_.packages == nullptr) return;
    const std::string real = top->path();
    // An application may be all of /opt; a configuration that names it means what is below.
    const bool of_many = real == "/opt" || real == "/srv";
    if (of_many || is_shared_directory(path) || is_shared_directory(real) || is_written(path) ||
        is_written(real) || !directories_.insert(top).second)
      return;
    std::vector<std::string> found;
    std::size_t files = 0;
    walk_below(*top, path, [&](const measure::Node& child, std::string child_path) {
      const measure::Node* file = scene_.rootfs.find(child_path);
      if (file == nullptr || !file->is_regular() || scene_.packages->owner(child) != nullptr)
        return true;
      if (++files > kDirectoryFiles) return false;
      if (!looks_secret(child_path)) found.push_back(std::move(child_path));
      return true;
    });
    if (files > kDirectoryFiles) {
      out_.unknown.push_back(cat("is told of the directory ", path, from.empty() ? "" : " in ",
                                 from, ", which holds many files: if it reads them, --include '",
                                 path, "/**'"));
      return;
    }
    const std::string detail =
        from.empty() ? cat("below ", path, ", an argument") : cat("below ", path, ", says ", from);
    for (std::string& file : found) grant(std::move(file), from, detail);
  }

  void file_of(const std::string& path, const std::string& from) {
    const measure::Node* node = scene_.rootfs.find(path);
    if (node == nullptr || !node->is_regular()) return;
    grant(path, from, cat("named in ", from));
  }

  const ProgramStart& start_;
  const AnalyzerScene& scene_;
  const Server* server_;
  Analysis out_;
  bool named_ = false;  // the command line names the configuration
  std::deque<std::string> pending_;
  std::set<const measure::Node*> read_;
  std::set<std::pair<std::string, std::string>> granted_;
  std::set<std::string> bases_;
  std::size_t bases_tried_ = 0;
  EmbeddedPerl perl_;
  std::vector<Relative> relatives_;
  std::set<const measure::Node*> directories_;
};

}  // namespace

bool names_configuration(const ProgramStart& start, const AnalyzerScene& scene) {
  if (reads_no_argument(start.path)) return false;
  for (std::size_t i = 1; i < start.argv.size(); ++i)
    if (is_config_path(path_in(scene.launch.workdir, option_value(start.argv[i])))) return true;
  return false;
}

Result<Analysis> read_configuration(const ProgramStart& start, const AnalyzerScene& scene,
                                    const Server* server, const std::vector<std::string>& files) {
  return ConfigReader(start, scene, server).run(files);
}

}  // namespace cloister::manifest
