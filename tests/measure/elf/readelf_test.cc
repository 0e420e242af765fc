// Files of this machine, read by us and by readelf. Skipped where there is no readelf.
#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <sstream>

#include "base/file.h"
#include "base/text.h"
#include "measure/elf/facts.h"
#include "measure/elf/noted_imports.h"

namespace cloister::measure::elf {
namespace {

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  char buffer[4096];
  for (std::size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
  return pclose(pipe) == 0 ? out : "";
}

std::string between(std::string_view line, std::string_view from, char to) {
  const std::size_t at = line.find(from);
  if (at == std::string_view::npos) return "";
  line.remove_prefix(at + from.size());
  return std::string(line.substr(0, line.find(to)));
}

struct Expected {
  std::vector<std::string> needed;
  std::string soname, runpath, interpreter;
  std::multiset<std::string> versions;  // "libc.so.6 GLIBC_2.34"
};

Expected readelf(const std::string& path) {
  Expected out;
  std::istringstream lines(output_of("LC_ALL=C readelf -dlV -W '" + path + "' 2>/dev/null"));
  std::string line, file;
  bool needs = false;
  while (std::getline(lines, line)) {
    if (line.find("(NEEDED)") != std::string::npos) out.needed.push_back(between(line, "[", ']'));
    if (line.find("(SONAME)") != std::string::npos) out.soname = between(line, "[", ']');
    if (line.find("(RUNPATH)") != std::string::npos) out.runpath = between(line, "[", ']');
    if (line.find("program interpreter: ") != std::string::npos)
      out.interpreter = between(line, "program interpreter: ", ']');
    if (line.starts_with("Version ")) needs = line.starts_with("Version needs");
    if (!needs) continue;
    if (const auto name = between(line, "File: ", ' '); !name.empty()) file = name;
    if (const auto name = between(line, "Name: ", ' '); !name.empty())
      out.versions.insert(file + " " + name);
  }
  return out;
}

TEST(ReadElf, AgreesOnFilesOfThisMachine) {
  if (output_of("readelf --version 2>/dev/null").empty()) GTEST_SKIP() << "no readelf";
  const Limits limits;
  int compared = 0;
  for (const char* path :
       {"/bin/bash", "/bin/ls", "/usr/bin/env", "/usr/bin/python3", "/usr/bin/openssl",
        "/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2",
        "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"}) {
    const auto file = read_file(path, 256 << 20);
    if (!file.has_value()) continue;
    const auto facts = read_facts(*file, limits);
    ASSERT_TRUE(facts.has_value()) << path << ": " << facts.error().what();
    const Expected want = readelf(path);
    EXPECT_EQ(facts->needed, want.needed) << path;
    EXPECT_EQ(facts->soname.value_or(""), want.soname) << path;
    EXPECT_EQ(facts->runpath.value_or(""), want.runpath) << path;
    EXPECT_EQ(facts->interpreter, want.interpreter) << path;
    std::multiset<std::string> versions;
    for (const VersionNeed& need : facts->version_needs)
      for (const auto& version : need.versions) versions.insert(need.file + " " + version.name);
    EXPECT_EQ(versions, want.versions) << path;
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

TEST(ReadElf, FindsTheVersionsThatTheLibcDefines) {
  const auto libc = read_file("/lib/x86_64-linux-gnu/libc.so.6", 64 << 20);
  if (!libc.has_value()) GTEST_SKIP() << "no libc at its usual place";
  const auto facts = read_facts(*libc, Limits());
  ASSERT_TRUE(facts.has_value());
  const auto& names = facts->version_definitions;
  EXPECT_NE(std::find(names.begin(), names.end(), "GLIBC_2.2.5"), names.end());
  EXPECT_EQ(std::find(names.begin(), names.end(), "libc.so.6"), names.end());
}

// "  12: 0000000000000000  0 FUNC  GLOBAL DEFAULT  UND dlopen@GLIBC_2.34 (5)"
std::set<std::string> undefined(const std::string& path) {
  std::set<std::string> out;
  std::istringstream lines(output_of("LC_ALL=C readelf --dyn-syms -W '" + path + "' 2>/dev/null"));
  for (std::string line; std::getline(lines, line);) {
    const std::string name = between(line, " UND ", '\n');
    out.insert(name.substr(0, name.find_first_of("@ ")));
  }
  return out;
}

TEST(ReadElf, ImportsAreItsUndefinedSymbols) {
  if (output_of("readelf --version 2>/dev/null").empty()) GTEST_SKIP() << "no readelf";
  int compared = 0;
  for (const char* path :
       {"/bin/bash", "/bin/ls", "/usr/bin/env", "/usr/bin/python3", "/usr/bin/openssl",
        "/usr/bin/git", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
        "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"}) {
    const auto file = read_file(path, 256 << 20);
    if (!file.has_value()) continue;
    const auto facts = read_facts(*file, Limits());
    ASSERT_TRUE(facts.has_value()) << path;
    std::vector<std::string> want;
    for (const std::string& name : undefined(path))
      if (is_noted_import(name)) want.push_back(name);
    EXPECT_EQ(facts->imports, want) << path;
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

}  // namespace
}  // namespace cloister::measure::elf
