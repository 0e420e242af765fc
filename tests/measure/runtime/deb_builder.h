// Debian packages out of a list, for tests: ar by hand, plain ustar inside.
#pragma once

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace cloister::measure::test {

inline std::string field(const std::string& text, std::size_t width) {
  return text + std::string(width - text.size(), ' ');
}

// ar(5), common format.
inline std::string ar_archive(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out = "!<arch>\n";
  for (const auto& [name, content] : members) {
    out += field(name, 16) + field("0", 12) + field("0", 6) + field("0", 6) + field("100644", 8);
    out += field(std::to_string(content.size()), 10) + "`\n" + content;
    if (content.size() % 2 != 0) out += '\n';
  }
  return out;
}

// ustar, regular files only.
inline std::string tar_archive(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string out;
  for (const auto& [name, content] : files) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) {
      header.replace(at, text.size(), text);
    };
    char size[13];
    std::snprintf(size, sizeof size, "%011zo", content.size());
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, size);
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, std::string("ustar\0", 6) + "00");
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    char text[8];
    std::snprintf(text, sizeof text, "%06o", sum);
    put(148, std::string(text) + '\0' + ' ');
    out += header + content + std::string((512 - content.size() % 512) % 512, '\0');
  }
  return out + std::string(1024, '\0');
}

inline std::string control_tar(const std::string& package, const std::string& version) {
  return tar_archive(
      {{"./md5sums", "0  x\n"},
       {"./control", "Package: " + package + "\nVersion: " + version + "\nArchitecture: amd64\n"}});
}

inline std::string deb(const std::string& package, const std::string& version,
                       const std::vector<std::pair<std::string, std::string>>& files) {
  return ar_archive({{"debian-binary", "2.0\n"},
                     {"control.tar", control_tar(package, version)},
                     {"data.tar", tar_archive(files)}});
}

}  // namespace cloister::measure::test
