// The command line of the java launcher, and the environment variables that add to it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cloister::manifest::java {

struct CommandLine {
  std::optional<std::string> class_path;                        // -cp; nothing: CLASSPATH, else "."
  std::vector<std::string> boot_path;                           // -Xbootclasspath/a:
  std::vector<std::string> module_path;                         // -p, --upgrade-module-path
  std::string jar;                                              // -jar
  std::string main;                                             // class or module; empty with -jar
  std::vector<std::string> agents;                              // jars of -javaagent:
  std::vector<std::string> native_agents;                       // paths of -agentpath:
  std::vector<std::string> agent_names;                         // -agentlib:
  std::vector<std::string> argument_files;                      // @FILE, those that were read
  std::vector<std::pair<std::string, std::string>> properties;  // -Dname=value
  std::vector<std::string> flags;                               // -XX: options, without "-XX:"
  std::optional<std::uint64_t> max_heap;                        // bytes
};

// Reads an @argument file; nothing when it is not there.
using ReadFile = std::function<std::optional<std::string>(const std::string& name)>;

// `words` are argv without argv[0]. JDK_JAVA_OPTIONS goes in front of them; JAVA_TOOL_OPTIONS and
// _JAVA_OPTIONS are options of the virtual machine, the latter winning over the command line.
struct Environment {
  std::string_view jdk_java_options, java_tool_options, java_options;
};
CommandLine parse_command_line(const std::vector<std::string>& words,
                               const Environment& environment, const ReadFile& read);

// "512m" → bytes: digits and an optional k, m, g or t of either case.
std::optional<std::uint64_t> parse_memory(std::string_view text);

// Words of an argument file or a variable: blanks separate, either quote holds together, '#' begins
// a comment, a backslash before a line end continues within quotes.
std::vector<std::string> option_words(std::string_view text);

}  // namespace cloister::manifest::java
