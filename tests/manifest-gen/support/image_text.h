// Small images as text, for tests that compare whole manifests (testdata/kinds).
//
//   # what it is
//   config {"Entrypoint": […]}     the image's configuration: the object under `config`, one line
//   dir PATH
//   link PATH TARGET
//   hardlink PATH TARGET
//   elf PATH [static] [WORD…]      a library; with an interpreter among the words, a program.
//   Words:
//                                  interp=PATH needs=A,B imports=A,B strings=A,B runpath=A
//   file PATH [MODE]               its text follows, each line after a `|`
//   jar PATH                       the same, the text of its manifest
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "oci/documents/image.h"
#include "tests/manifest-gen/support/jar.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::test {

struct ImageText {
  std::string summary;
  oci::ExecutionConfig config;
  Tree tree;
};

namespace image_text_detail {

inline std::vector<std::string> list(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string_view item : split(text, ',')) out.emplace_back(item);
  return out;
}

inline measure::elf::Facts facts_of(const std::vector<std::string_view>& words) {
  measure::elf::Facts facts = library();
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    const std::string_view key = words[i].substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? "" : words[i].substr(equals + 1);
    if (key == "static") {
      facts.type = measure::elf::kTypeExec;
      facts.has_dynamic = false;
    } else if (key == "interp") {
      facts.interpreter = value;
    } else if (key == "needs") {
      facts.needed = list(value);
    } else if (key == "imports") {
      facts.imports = list(value);
    } else if (key == "strings") {
      facts.strings = list(value);
    } else if (key == "runpath") {
      facts.runpath = std::string(value);
    } else {
      ADD_FAILURE() << "no such word: " << words[i];
    }
  }
  return facts;
}

inline void add_entry(Tree& tree, std::string_view line, std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split(line, ' '))
    if (!word.empty()) words.push_back(word);
  if (words.size() < 2) {
    ADD_FAILURE() << "not understood: " << line;
  } else if (words[0] == "dir") {
    tree.directory(words[1]);
  } else if (words[0] == "link" && words.size() == 3) {
    tree.link(words[1], words[2]);
  } else if (words[0] == "hardlink" && words.size() == 3) {
    tree.hard_link(words[1], words[2]);
  } else if (words[0] == "elf") {
    tree.elf(words[1], facts_of(words));
  } else if (words[0] == "file") {
    tree.file(words[1], text, words.size() > 2 && words[2] == "755" ? 0755 : 0644);
  } else if (words[0] == "jar") {
    tree.file(words[1], jar(text));
  } else {
    ADD_FAILURE() << "not understood: " << line;
  }
}

}  // namespace image_text_detail

inline ImageText read_image_text(std::string_view text) {
  static constexpr std::string_view kConfig = "config ";
  ImageText out;
  std::string_view entry;
  std::string content;
  const auto flush = [&] {
    if (!entry.empty()) image_text_detail::add_entry(out.tree, entry, content);
    entry = {};
    content.clear();
  };
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with('|')) {
      content += line.substr(1);
      content += '\n';
      continue;
    }
    flush();
    if (line.starts_with("# ") && out.summary.empty()) out.summary = line.substr(2);
    if (line.empty() || line.starts_with('#')) continue;
    if (!line.starts_with(kConfig)) {
      entry = line;
      continue;
    }
    auto parsed = oci::parse_image_config(
        cat(R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},)",
            R"("config":)", line.substr(kConfig.size()), "}"),
        Limits{});
    if (parsed)
      out.config = std::move(parsed->config);
    else
      ADD_FAILURE() << parsed.error().what();
  }
  flush();
  return out;
}

}  // namespace cloister::test
