// Reads the sources as lines of text, on purpose: no build system or compiler has to agree for a
// rule to hold, and a file that no target builds is seen too. Comments are cut at "//" outside of
// string literals, which is all that the rules below need.
#include "tests/house/tree_rules.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string_view>

#include "base/text.h"

namespace cloister::house {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::set<std::string>>& arrows() {
  static const std::map<std::string, std::set<std::string>> table = {
      {"base", {"base"}},
      {"oci", {"oci", "base"}},
      {"measure", {"measure", "base", "oci"}},
      {"templates", {"templates"}},
      {"manifest-gen", {"manifest-gen", "base", "oci", "measure", "templates"}},
      {"sign", {"sign", "base", "oci", "measure"}},
      {"cmd", {"cmd", "base", "oci", "measure", "manifest-gen", "sign", "templates"}},
  };
  return table;
}

constexpr std::array kFolders = {"base", "oci",       "measure", "manifest-gen", "sign",
                                 "cmd",  "templates", "tests",   "testdata"};
constexpr std::size_t kMaxSourceLines = 700;
constexpr std::uintmax_t kMaxFileBytes = 2U << 20;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool is_source(const fs::path& path) {
  return path.extension() == ".cc" || path.extension() == ".h";
}

// Regular files below root/folder, sorted.
std::vector<fs::path> files_of(const fs::path& root, const std::string& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder, error))
    if (entry.is_regular_file()) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

std::string without_comment(std::string_view line) {
  bool in_string = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && in_string) {
      ++i;
    } else if (line[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && line.substr(i).starts_with("//")) {
      return std::string(line.substr(0, i));
    }
  }
  return std::string(line);
}

// Code with the insides of string literals taken out: words in messages are not calls.
std::string without_strings(const std::string& code) {
  static const std::regex literal(R"("(\\.|[^"\\])*")");
  return std::regex_replace(code, literal, "\"\"");
}

class Checker {
 public:
  explicit Checker(const fs::path& root) : root_(root) {}

  void add(const fs::path& path, std::size_t line, const std::string& what) {
    const std::string where = path.lexically_relative(root_).string();
    findings.push_back(line > 0 ? cat(where, ":", line, ": ", what) : cat(where, ": ", what));
  }

  // visit(path, line number, line) for every line of the given files.
  using Visit = std::function<void(const fs::path&, std::size_t, const std::string&)>;
  static void each_line(const std::vector<fs::path>& paths, const Visit& visit) {
    for (const fs::path& path : paths) {
      const std::string text = read(path);
      std::size_t number = 0;
      for (std::string_view line : split(text, '\n')) visit(path, ++number, std::string(line));
    }
  }

  Findings findings;

 private:
  fs::path root_;
};

std::vector<fs::path> sources_of(const fs::path& root, const std::string& folder) {
  auto paths = files_of(root, folder);
  std::erase_if(paths, [](const fs::path& path) { return !is_source(path); });
  return paths;
}

std::vector<std::string> program_folders() {
  std::vector<std::string> out;
  for (const auto& [folder, allowed] : arrows()) out.push_back(folder);
  return out;
}

}  // namespace

Findings check_arrows(const fs::path& root) {
  static const std::regex include(R"(^\s*#\s*include\s+"([^"]+)\")");
  Checker check(root);
  for (const auto& arrow : arrows()) {
    const auto& folder = arrow.first;  // clang 14 cannot capture structured bindings
    const auto& allowed = arrow.second;
    check.each_line(sources_of(root, folder),
                    [&](const fs::path& path, std::size_t line, const std::string& text) {
                      std::smatch match;
                      if (!std::regex_search(text, match, include)) return;
                      const std::string target = match[1];
                      const std::string to = target.substr(0, target.find('/'));
                      if (!allowed.contains(to))
                        check.add(path, line, cat(folder, " may not include ", quote(target)));
                      else if (!fs::exists(root / target))
                        check.add(path, line, cat(quote(target), " is not a file of the tree"));
                    });
  }
  return std::move(check.findings);
}

Findings check_heavy_headers(const fs::path& root) {
  static const std::regex heavy(
      R"(^\s*#\s*include\s+<(toml\+\+/|archive|curl/|nlohmann/json\.hpp|openssl/|isa-l|igzip|zstd|zlib|CLI/CLI\.hpp))");
  static const std::regex include(R"(^\s*#\s*include\s+"([^"]+)\")");
  Checker check(root);
  std::map<std::string, std::vector<std::size_t>> suspects;  // header, lines
  std::set<std::string> shared;                              // headers that other folders include
  for (const std::string& folder : program_folders()) {
    check.each_line(sources_of(root, folder),
                    [&](const fs::path& path, std::size_t line, const std::string& text) {
                      const fs::path here = path.lexically_relative(root);
                      std::smatch match;
                      if (path.extension() == ".h" && std::regex_search(text, heavy))
                        suspects[here.string()].push_back(line);
                      else if (std::regex_search(text, match, include) &&
                               fs::path(match[1].str()).parent_path() != here.parent_path())
                        shared.insert(match[1]);
                    });
  }
  // A header that only its own folder includes costs nobody else anything.
  for (const auto& [header, lines] : suspects)
    if (shared.contains(header))
      for (const std::size_t line : lines)
        check.add(root / header, line, "a large library's header, in a header that others include");
  return std::move(check.findings);
}

Findings check_libraries_are_quiet(const fs::path& root) {
  static const std::regex banned(
      R"(\bthrow\b|\bcatch\b|\bgetenv\b|\benviron\b|\bf?printf\s*\(|\bputs\s*\(|\bstd::(cout|cerr|clog)\b)"
      R"(|\b(system|steady|high_resolution)_clock::now\b|\btime\s*\(\s*(nullptr|NULL|0)\s*\)|\bgettimeofday\b)");
  Checker check(root);
  for (const std::string& folder : program_folders()) {
    if (folder == "cmd") continue;
    check.each_line(sources_of(root, folder),
                    [&](const fs::path& path, std::size_t line, const std::string& text) {
                      const std::string code = without_strings(without_comment(text));
                      std::smatch match;
                      if (std::regex_search(code, match, banned))
                        check.add(path, line, cat("a library uses ", quote(match.str())));
                    });
  }
  return std::move(check.findings);
}

Findings check_headers(const fs::path& root) {
  Checker check(root);
  for (const std::string& folder : program_folders()) {
    for (const fs::path& path : sources_of(root, folder)) {
      if (path.extension() != ".h") continue;
      const std::string text = read(path);
      if (!text.starts_with("// ")) check.add(path, 1, "does not begin with what it is for");
      if (text.find("\n#pragma once\n") == std::string::npos) check.add(path, 0, "no #pragma once");
      if (text.find("\nusing namespace ") != std::string::npos)
        check.add(path, 0, "using namespace, in a header");
    }
  }
  return std::move(check.findings);
}

Findings check_sources_are_built(const fs::path& root) {
  Checker check(root);
  auto folders = program_folders();
  folders.emplace_back("tests");
  for (const std::string& folder : folders) {
    for (const fs::path& path : sources_of(root, folder)) {
      if (path.extension() != ".cc") continue;
      // The nearest CMakeLists.txt upwards answers for it. Fuzz targets are named without suffix.
      fs::path directory = path.parent_path();
      while (directory != root && !fs::exists(directory / "CMakeLists.txt"))
        directory = directory.parent_path();
      const std::string name = path.lexically_relative(directory).string();
      const std::string list = read(directory / "CMakeLists.txt");
      const bool fuzz = path.parent_path() == root / "tests" / "fuzz";
      const std::regex word("(^|[\\s(/])" +
                            std::regex_replace(name, std::regex(R"([.+])"), "\\$&") + "($|[\\s)])");
      if (!fuzz && !std::regex_search(list, word)) check.add(path, 0, "no CMakeLists.txt names it");
    }
  }
  return std::move(check.findings);
}

// clang-format puts what a namespace declares at the beginning of a line.
Findings check_local_names(const fs::path& root) {
  static const std::regex named(R"(^namespace ([\w:]+) \{)");
  static const std::regex type(R"(^(?:class|struct|enum class|enum|union) (\w+))");
  static const std::regex alias(R"(^using (\w+) =)");
  static const std::regex other(R"(^[A-Za-z_][^=({]*?\b(\w+)\s*(\(|\{|\[|=))");
  static const std::regex no_definition(R"(^(namespace|static_assert|using namespace|template)\b)");
  Checker check(root);
  for (const std::string& folder : program_folders()) {
    std::map<std::string, fs::path> first_seen;
    for (const fs::path& path : sources_of(root, folder)) {
      if (path.extension() != ".cc") continue;
      std::string enclosing;
      bool local = false;
      check.each_line({path}, [&](const fs::path&, std::size_t line, const std::string& text) {
        std::smatch match;
        if (std::regex_search(text, match, named)) enclosing = match[1];
        if (text == "namespace {") local = true;
        if (text == "}  // namespace") local = false;
        if (!local || std::regex_search(text, no_definition)) return;
        if (!std::regex_search(text, match, type) && !std::regex_search(text, match, alias) &&
            !std::regex_search(text, match, other))
          return;
        const std::string name = match[1];
        const auto [seen, added] = first_seen.try_emplace(cat(enclosing, "::", name), path);
        if (!added && seen->second != path)
          check.add(path, line,
                    cat(quote(name), " is a local name of ",
                        seen->second.lexically_relative(root).string(), " too"));
      });
    }
  }
  return std::move(check.findings);
}

Findings check_fuzz_targets(const fs::path& root) {
  static const std::regex row(R"(^cloister_fuzz\((\w+))");
  Checker check(root);
  const fs::path list = root / "tests" / "fuzz" / "CMakeLists.txt";
  std::set<std::string> registered;
  check.each_line({list}, [&](const fs::path&, std::size_t, const std::string& line) {
    std::smatch match;
    if (std::regex_search(line, match, row)) registered.insert(match[1]);
  });
  for (const std::string& name : registered)
    if (files_of(root, "testdata/fuzz/" + name).empty())
      check.add(list, 0, cat(name, " has no seeds"));
  for (const fs::path& path : sources_of(root, "tests/fuzz")) {
    const std::string stem = path.stem().string();
    if (stem.ends_with("_fuzz") && !registered.contains(stem.substr(0, stem.size() - 5)))
      check.add(path, 0, "is not registered");
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root / "testdata" / "fuzz", error))
    if (entry.is_directory() && !registered.contains(entry.path().filename().string()))
      check.add(entry.path(), 0, "seeds without a target");
  return std::move(check.findings);
}

Findings check_readmes(const fs::path& root) {
  Checker check(root);
  for (const char* folder : kFolders)
    if (!fs::exists(root / folder / "README.md")) check.add(root / folder, 0, "no README.md");
  return std::move(check.findings);
}

Findings check_leftovers(const fs::path& root) {
  // Written in two halves, so that this file does not find itself.
  static const std::regex marks(
      "\\b(TO"
      "DO|FIX"
      "ME|XX"
      "X|HA"
      "CK)\\b");
  static const std::regex places(
      "/work"
      "/(main|shared)|/tmp"
      "/corpus|deb\\.debian"
      "\\.org|/home"
      "/[a-z]+/");
  Checker check(root);
  for (const char* folder : kFolders) {
    const auto paths = files_of(root, folder);
    std::vector<fs::path> texts;
    for (const fs::path& path : paths) {
      if (fs::file_size(path) > kMaxFileBytes)
        check.add(path, 0, "is too large for the repository");
      const auto type = path.extension();
      if (is_source(path) || type == ".md" || type == ".sh" || type == ".txt" || type == ".toml")
        if (path.string().find("/testdata/fuzz/") == std::string::npos) texts.push_back(path);
    }
    std::map<fs::path, std::size_t> lengths;
    check.each_line(texts, [&](const fs::path& path, std::size_t line, const std::string& text) {
      lengths[path] = line;
      std::smatch match;
      if (std::regex_search(text, match, marks) || std::regex_search(text, match, places))
        check.add(path, line, cat("a leftover: ", quote(match.str())));
    });
    for (const auto& [path, lines] : lengths)
      if (is_source(path) && lines > kMaxSourceLines)
        check.add(path, 0, cat(lines, " lines: it surely holds two ideas"));
  }
  return std::move(check.findings);
}

}  // namespace cloister::house
