// java(1), "Synopsis", "Using the JDK_JAVA_OPTIONS Launcher Environment Variable", "java Command-
// Line Argument Files". Argument files do not nest.
#include "manifest-gen/runtimes/java/command_line.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/text.h"

namespace cloister::manifest::java {
namespace {

// Launcher options that take their value from the next word.
constexpr std::array<std::string_view, 14> kWithValue{"-cp",
                                                      "-classpath",
                                                      "--class-path",
                                                      "-p",
                                                      "--module-path",
                                                      "--add-modules",
                                                      "--add-exports",
                                                      "--add-opens",
                                                      "--add-reads",
                                                      "--limit-modules",
                                                      "--source",
                                                      "--upgrade-module-path",
                                                      "--patch-module",
                                                      "--enable-native-access"};

bool starts(std::string_view word, std::string_view with, std::string_view& rest) {
  if (!word.starts_with(with)) return false;
  rest = word.substr(with.size());
  return true;
}

void apply_value(std::string_view name, const std::string& value, CommandLine& out) {
  if (name == "-cp" || name == "-classpath" || name == "--class-path")
    out.class_path = value;
  else if (name == "-p" || name == "--module-path" || name == "--upgrade-module-path")
    out.module_path.push_back(value);
}

// An option of the virtual machine.
void vm_option(std::string_view word, CommandLine& out) {
  std::string_view rest;
  if (starts(word, "-D", rest)) {
    const std::size_t equals = std::min(rest.find('='), rest.size());
    out.properties.emplace_back(rest.substr(0, equals),
                                rest.substr(std::min(equals + 1, rest.size())));
  } else if (starts(word, "-Xmx", rest) || starts(word, "-XX:MaxHeapSize=", rest)) {
    if (const auto bytes = parse_memory(rest)) out.max_heap = bytes;
  } else if (starts(word, "-XX:", rest)) {
    out.flags.emplace_back(rest);
  } else if (starts(word, "-javaagent:", rest)) {
    out.agents.emplace_back(rest.substr(0, rest.find('=')));
  } else if (starts(word, "-agentpath:", rest)) {
    out.native_agents.emplace_back(rest.substr(0, rest.find('=')));
  } else if (starts(word, "-agentlib:", rest)) {
    out.agent_names.emplace_back(rest.substr(0, rest.find('=')));
  } else if (starts(word, "-Xrun", rest)) {
    out.agent_names.emplace_back(rest.substr(0, rest.find(':')));
  } else if (starts(word, "-Xbootclasspath/a:", rest)) {
    out.boot_path.emplace_back(rest);
  } else if (word.starts_with("--")) {
    const std::size_t equals = word.find('=');
    if (equals != std::string_view::npos)
      apply_value(word.substr(0, equals), std::string(word.substr(equals + 1)), out);
  }
}

// The launcher's words: options, then -jar FILE, -m MODULE or a class.
void launcher(const std::vector<std::string>& words, CommandLine& out) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with('-')) {
      if (out.main.empty()) out.main = word;
      return;
    }
    const bool more = i + 1 < words.size();
    if (std::find(kWithValue.begin(), kWithValue.end(), word) != kWithValue.end()) {
      if (more) apply_value(word, words[++i], out);
    } else if (word == "-jar") {
      if (more) out.jar = words[i + 1];
      return;
    } else if (word == "-m" || word == "--module") {
      if (more) out.main = words[i + 1];
      return;
    } else if (word.starts_with("--module=")) {
      out.main = word.substr(9);
      return;
    } else {
      vm_option(word, out);
    }
  }
}

}  // namespace

std::vector<std::string> option_words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  const auto end_word = [&] {
    if (in_word) out.push_back(std::move(word));
    word.clear();
    in_word = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else if (c == '\\' && i + 1 < text.size()) {
        const char next = text[++i];
        if (next == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
        if (next != '\n' && next != '\r') word += next;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (c == '#' && !in_word) {
      i = std::min(text.find('\n', i), text.size());
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
      end_word();
    } else {
      word += c;
      in_word = true;
    }
  }
  end_word();
  return out;
}

CommandLine parse_command_line(const std::vector<std::string>& words,
                               const Environment& environment, const ReadFile& read) {
  CommandLine out;
  for (const std::string& word : option_words(environment.java_tool_options)) vm_option(word, out);
  std::vector<std::string> all = option_words(environment.jdk_java_options);
  // Argument files end with the main class: what follows belongs to the program.
  bool expand = true;
  for (const std::string& word : words) {
    if (expand && word.size() > 1 && word.front() == '@' && word[1] != '@') {
      if (const auto text = read(word.substr(1))) {
        const std::vector<std::string> more = option_words(*text);
        all.insert(all.end(), more.begin(), more.end());
        out.argument_files.push_back(word.substr(1));
        continue;
      }
    }
    if (word == "--disable-@files") {
      expand = false;
      continue;
    }
    all.push_back(word);
  }
  launcher(all, out);
  for (const std::string& word : option_words(environment.java_options)) vm_option(word, out);
  return out;
}

std::optional<std::uint64_t> parse_memory(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t unit = 1;
  switch (text.back() | 0x20) {
    case 'k':
      unit = 1ULL << 10;
      break;
    case 'm':
      unit = 1ULL << 20;
      break;
    case 'g':
      unit = 1ULL << 30;
      break;
    case 't':
      unit = 1ULL << 40;
      break;
    default:
      break;
  }
  if (unit > 1) text.remove_suffix(1);
  const auto count = parse_u64(text);
  std::uint64_t bytes = 0;
  if (!count || !checked_mul(*count, unit, bytes)) return std::nullopt;
  return bytes;
}

}  // namespace cloister::manifest::java
