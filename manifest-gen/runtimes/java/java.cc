// The virtual machine's own files, found from the real path of the launcher as it finds them
// itself, and the class path. Classes name each other inside of archives that are granted whole
// (the JVM's lib/modules, jars), so nothing has to be followed but Class-Path of manifests.
#include "manifest-gen/runtimes/java/java.h"

#include <algorithm>
#include <deque>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/runtimes/analysis_run.h"
#include "manifest-gen/runtimes/java/command_line.h"
#include "manifest-gen/runtimes/paths.h"

namespace cloister::manifest::java {
namespace {

using measure::Node;

// Below the JVM's home (JDK 9 and later). Libraries are opened by name when classes of
// java.base and other modules first need them.
struct HomeRow {
  std::string_view pattern, reason;
};
constexpr HomeRow kHome[] = {
    {"release", "which Java this is"},
    {"lib/modules", "the classes of the Java library"},
    {"lib/jvm.cfg", "which virtual machines there are"},
    {"lib/jvm.cfg-default", "which virtual machines there are"},
    {"lib/server/libjvm.so", "the virtual machine"},
    {"lib/server/libjsig.so", "signal chaining"},
    {"lib/server/classes.jsa", "classes of the library, prepared for a quick start"},
    {"lib/tzdb.dat", "time zones of java.time"},
    {"lib/currency.properties", "currencies"},
    {"lib/fontconfig*", "fonts of java.desktop"},
    {"lib/psfont*", "fonts of java.desktop"},
    {"lib/jspawnhelper", "starts other programs for java.lang.ProcessBuilder"},
    {"lib/security/**", "certificate authorities and default policies"},
    {"conf/**", "configuration of the Java runtime"},
};

// For debuggers and other tools that look into a running JVM.
constexpr std::string_view kToolLibraries[] = {"libattach.so", "libdt_socket.so", "libjdwp.so",
                                               "libsaproc.so"};

constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::uint64_t kLeastEnclave = 4 * kGiB;  // heap aside: code, classes, threads
constexpr std::uint64_t kCompressedOops = 32 * kGiB;
constexpr int kThreads = 128;

class JavaAnalysis final : AnalysisRun {
 public:
  JavaAnalysis(const ProgramStart& start, const AnalyzerScene& scene) : AnalysisRun(start, scene) {}

  Analysis run() {
    std::vector<std::string> words;
    if (!start_.argv.empty()) words.assign(start_.argv.begin() + 1, start_.argv.end());
    const Environment environment{scene_.env("JDK_JAVA_OPTIONS"), scene_.env("JAVA_TOOL_OPTIONS"),
                                  scene_.env("_JAVA_OPTIONS")};
    command_ = parse_command_line(words, environment,
                                  [&](const std::string& name) { return read_text(name); });
    find_home();
    home_files();
    native_libraries();
    options();
    program();
    sizes();
    follow();
    return std::move(out_);
  }

 private:
  std::optional<std::string> read_text(const std::string& name) const {
    const Node* node = rootfs().find(in_workdir(name));
    if (node == nullptr || !node->is_regular()) return std::nullopt;
    auto bytes = rootfs().read(*node, scene_.limits.packed_file_bytes);
    if (!bytes) return std::nullopt;
    return std::string(as_text(*bytes));
  }

  // ---- the virtual machine ----

  // The launcher reads /proc/self/exe: HOME/bin/java.
  void find_home() {
    const std::string real = rootfs().real_path(start_.path).value_or(start_.path);
    home_ = parent_directory(parent_directory(real));
  }

  void home_files() {
    if (!is_file(rootfs(), cat(home_, "/lib/modules"))) {
      old_home();
      return;
    }
    for (const HomeRow& row : kHome)
      grant(cat(home_, "/", row.pattern), Why::java_module, std::string(row.reason));
    const bool large = (command_.max_heap && *command_.max_heap >= kCompressedOops) ||
                       has_flag("-UseCompressedOops") || has_flag("+UseZGC");
    if (large)
      grant(cat(home_, "/lib/server/classes_nocoops.jsa"), Why::java_module,
            "classes of the library, prepared for a large heap");
    const Node* lib = rootfs().find(cat(home_, "/lib"));
    for (const auto& [name, child] : lib->children) {
      if (!name.ends_with(".so")) continue;
      if (std::find(std::begin(kToolLibraries), std::end(kToolLibraries), name) !=
          std::end(kToolLibraries))
        continue;
      grant(cat(home_, "/lib/", name), Why::java_module, "native code of the Java library");
    }
  }

  // Before JDK 9 classes are in jars; none is left out.
  void old_home() {
    if (is_shared_directory(home_)) {
      unknown(cat("the Java runtime of ", start_.path, " is not where it should be"));
      return;
    }
    for (const char* pattern : {"/lib/**", "/jre/lib/**", "/conf/**"})
      grant(cat(home_, pattern), Why::java_module, "the Java runtime");
  }

  bool has_flag(std::string_view flag) const {
    return std::find(command_.flags.begin(), command_.flags.end(), flag) != command_.flags.end();
  }

  // ---- options ----

  void options() {
    for (const std::string& file : command_.argument_files)
      grant(in_workdir(file), Why::argument, cat("the argument file @", file));
    for (const std::string& jar : command_.agents) {
      archive(in_workdir(jar), cat("-javaagent:", jar));
      grant(cat(home_, "/lib/libinstrument.so"), Why::java_module, "a Java agent");
    }
    for (const std::string& library : command_.native_agents)
      grant(in_workdir(library), Why::argument, cat("-agentpath:", library));
    for (const std::string& name : command_.agent_names) {
      grant(cat(home_, "/lib/lib", name, ".so"), Why::argument, cat("-agentlib:", name));
      if (name == "jdwp")
        grant(cat(home_, "/lib/libdt_socket.so"), Why::argument, "the debugger's connection");
    }
    for (const std::string& flag : command_.flags) {
      if (flag.starts_with("StartFlightRecording") || flag == "+FlightRecorder")
        grant(cat(home_, "/lib/jfr/**"), Why::java_module, "settings of Flight Recorder");
      const std::size_t equals = flag.find('=');
      if (equals != std::string::npos) value_file(flag.substr(equals + 1), cat("-XX:", flag));
    }
    for (const auto& [name, value] : command_.properties) property(name, value);
  }

  void property(const std::string& name, const std::string& value) {
    const std::string detail = cat("-D", name, "=", value);
    if (name == "java.library.path" || name == "jna.library.path") {
      for (const std::string_view item : split(value, ':')) {
        const std::string directory = in_workdir(item);
        if (!item.empty() && !is_shared_directory(directory))
          grant(cat(directory, "/*.so*"), Why::java_module, detail);
      }
    } else if (name == "java.ext.dirs" || name == "java.endorsed.dirs" || name == "loader.path") {
      class_path(value, detail, /*separator=*/name == "loader.path" ? ',' : ':', /*jars=*/true);
    } else {
      value_file(value, detail);
      if (is_home_property(name)) application(in_workdir(value), detail);
    }
  }

  // -Dcatalina.base=DIR, -Djetty.home=DIR: where a server finds its jars, its configuration and its
  // applications.
  static bool is_home_property(std::string_view name) {
    static constexpr std::string_view kLast[] = {".home", ".base", ".conf", ".config"};
    static constexpr std::string_view kNot[] = {"java.home", "user.home"};
    return std::find(std::begin(kNot), std::end(kNot), name) == std::end(kNot) &&
           std::any_of(std::begin(kLast), std::end(kLast),
                       [&](std::string_view last) { return name.ends_with(last); });
  }

  void application(const std::string& directory, const std::string& detail) {
    static constexpr std::string_view kWritten[] = {"cache", "data", "log", "logs",
                                                    "temp",  "tmp",  "work"};
    static constexpr std::string_view kForPeople[] = {"doc", "docs", "examples", "javadoc"};
    if (!is_directory(rootfs(), directory) || is_shared_directory(directory)) return;
    if (!applications_.insert(directory).second) return;
    grant(cat(directory, "/*"), Why::java_module, detail);
    for (const auto& [name, child] : rootfs().find(directory)->children) {
      const std::string path = cat(directory, "/", name);
      const Node* inner = rootfs().find(path);
      const auto is_one_of = [&, file = std::string_view(name)](const auto& list) {
        return std::find(std::begin(list), std::end(list), file) != std::end(list);
      };
      if (inner == nullptr || !inner->is_directory() || is_one_of(kWritten) ||
          is_one_of(kForPeople) || is_shared_directory(inner->path()))
        continue;
      // Links to directories are followed here, where they are near the top.
      grant(cat(path, "/**"), Why::java_module, detail);
      for (const std::string& file : expand_glob(rootfs(), cat(path, "/**/*.jar")))
        archive(file, detail);
    }
  }

  // The directories of java.library.path in Debian. What is there was installed for some class.
  void native_libraries() {
    for (const std::string_view directory : {"/usr/lib/x86_64-linux-gnu/jni", "/usr/lib/jni"})
      grant(cat(directory, "/*.so"), Why::java_module, "native code of Java libraries");
  }

  // The value may name a file: a trust store, a logging configuration.
  void value_file(std::string_view value, const std::string& detail) {
    // "=FILE" replaces where "FILE" adds: java.security.properties.
    while (value.starts_with('=')) value.remove_prefix(1);
    if (value.starts_with("file:")) {
      value.remove_prefix(5);
      while (value.starts_with("//")) value.remove_prefix(1);
    }
    if (value.empty()) return;
    const std::string path = in_workdir(value);
    if (is_file(rootfs(), path)) grant(path, Why::argument, detail);
  }

  // ---- the program ----

  void program() {
    for (const std::string& path : command_.boot_path)
      class_path(path, "-Xbootclasspath/a", ':', false);
    for (const std::string& path : command_.module_path)
      class_path(path, "the module path", ':', /*jars=*/true);
    if (!command_.jar.empty()) {
      const std::string path = in_workdir(command_.jar);
      if (!is_file(rootfs(), path)) absent_program(command_.jar);
      archive(path, cat("-jar ", command_.jar));
      return;
    }
    if (command_.class_path) {
      class_path(*command_.class_path, "the class path", ':', false);
    } else if (const std::string_view variable = scene_.env("CLASSPATH"); !variable.empty()) {
      class_path(variable, "CLASSPATH", ':', false);
    } else if (!command_.main.empty() && command_.module_path.empty()) {
      class_path(".", "the class path (the working directory)", ':', false);
    }
    if (command_.main.empty() && !start_.complete) unknown_program();
    if (command_.main.ends_with(".java"))
      unknown("it compiles its program when it starts; compile it when the image is built");
  }

  // Entries: a jar, a directory of classes, or "DIR/*": every jar in it. `jars`: a directory is one
  // of jars too (module path).
  void class_path(std::string_view text, const std::string& detail, char separator, bool jars) {
    for (const std::string_view item : split(text, separator)) {
      if (item == "*" || item.ends_with("/*")) {
        jars_in(in_workdir(item.substr(0, item.size() - 1)), detail);
        continue;
      }
      const std::string path = in_workdir(item.empty() ? "." : item);
      if (is_file(rootfs(), path)) {
        archive(path, detail);
      } else if (is_directory(rootfs(), path)) {
        if (jars) jars_in(path, detail);
        classes(path, detail);
      }
    }
  }

  void jars_in(const std::string& directory, const std::string& detail) {
    const Node* node = rootfs().find(directory);
    if (node == nullptr || !node->is_directory()) return;
    for (const auto& [name, child] : node->children)
      if (name.ends_with(".jar") || name.ends_with(".JAR"))
        archive(cat(directory == "/" ? "" : directory, "/", name), detail);
  }

  void classes(const std::string& directory, const std::string& detail) {
    if (is_shared_directory(directory) || is_shared_directory(rootfs().find(directory)->path())) {
      unknown(cat("classes are looked for in ", directory,
                  ", which is shared with others; name them with --include"));
      return;
    }
    grant(cat(directory, "/**"), Why::java_module, cat("classes of ", detail));
  }

  void archive(const std::string& path, const std::string& detail, const std::string& from = {}) {
    if (!is_file(rootfs(), path)) return;
    grant(path, Why::java_module, detail, from);
    if (archives_.insert(path).second) queue_.push_back(path);
    // Class-Path is relative to the name that the program uses, which may be the real one.
    const auto real = rootfs().real_path(path);
    if (real && archives_.insert(*real).second) queue_.push_back(*real);
  }

  // Class-Path of manifests, from jar to jar.
  void follow() {
    while (!queue_.empty()) {
      const std::string path = std::move(queue_.front());
      queue_.pop_front();
      const measure::source::Facts* facts = rootfs().source_facts(*rootfs().find(path));
      if (facts == nullptr || facts->language != measure::source::Language::jar) continue;
      bool native = false;
      for (const std::string& entry : facts->names) {
        const std::size_t colon = std::min(entry.find(':'), entry.size() - 1);
        const std::string_view kind = std::string_view(entry).substr(0, colon);
        const std::string_view value = std::string_view(entry).substr(colon + 1);
        if (kind == "class-path")
          manifest_entry(value, path);
        else if (kind == "native")
          native = true;
      }
      if (native)
        unknown(cat(printable(path),
                    " holds native libraries, which are unpacked into a temporary directory before "
                    "they are loaded; what they need themselves is not known, and Gramine must be "
                    "able to map them from there"));
    }
  }

  void manifest_entry(std::string_view url, const std::string& jar) {
    if (url.starts_with("file:")) {
      url.remove_prefix(5);
      while (url.starts_with("//")) url.remove_prefix(1);
    }
    const std::string decoded = percent_decoded(url);
    const std::string path = path_in(parent_directory(jar), decoded);
    if (is_file(rootfs(), path)) {
      archive(path, cat("Class-Path of the manifest: ", decoded), jar);
    } else if (is_directory(rootfs(), path) && decoded.ends_with('/')) {
      classes(path, cat("Class-Path of ", jar));
    }
  }

  static std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = text[i] == '%' ? unhex(text.substr(i + 1, 2)) : std::nullopt;
      if (byte && byte->size() == 1) {
        out += static_cast<char>(byte->front());
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }

  // ---- sizes ----

  void sizes() {
    out_.suggestions.push_back({"sgx.use_exinfo", true, "the JVM handles page faults itself"});
    std::uint64_t size = kLeastEnclave;
    if (command_.max_heap) {
      while (size < *command_.max_heap && size < (1ULL << 62)) size *= 2;
      if (size / 2 < *command_.max_heap) size *= 2;
      out_.suggestions.push_back({"sgx.enclave_size", cat(size / kGiB, "G"),
                                  cat("twice the heap of ", human_bytes(*command_.max_heap),
                                      ", and room for the JVM itself")});
    } else {
      out_.suggestions.push_back(
          {"sgx.enclave_size", cat(size / kGiB, "G"), "the default for the JVM"});
      unknown(
          "without -Xmx the JVM takes a quarter of the memory it sees for its heap; set -Xmx, and "
          "the enclave's size follows");
    }
    out_.suggestions.push_back({"sgx.max_threads", kThreads, "the JVM starts many threads"});
  }

  CommandLine command_;
  std::string home_;
  std::deque<std::string> queue_;
  std::set<std::string> archives_, applications_;
};

}  // namespace

bool detect(const ProgramStart& start, const AnalyzerScene& scene) {
  return base_name(scene.rootfs.real_path(start.path).value_or(start.path)) == "java";
}

Result<Analysis> analyze(const ProgramStart& start, const AnalyzerScene& scene) {
  return JavaAnalysis(start, scene).run();
}

}  // namespace cloister::manifest::java
