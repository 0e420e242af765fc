// Writes tar archives byte by byte, so that tests can make what no tar program would.
#pragma once

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace cloister::testing {

// One header and its content, padded. Fields are the raw header fields.
struct TarMember {
  std::string name;
  char type = '0';
  std::string content = {};
  std::string link = {};
  unsigned mode = 0644;
  unsigned long uid = 0, gid = 0;
  long mtime = 0;
  unsigned dev_major = 0, dev_minor = 0;
  std::string prefix = {};
  long size = -1;  // the size field; -1: of the content
};

class TarBuilder {
 public:
  TarBuilder& add(const TarMember& m) {
    char h[512] = {};
    put(h, 0, 100, m.name);
    octal(h, 100, 8, m.mode);
    octal(h, 108, 8, m.uid);
    octal(h, 116, 8, m.gid);
    octal(h, 124, 12, m.size >= 0 ? static_cast<unsigned long>(m.size) : m.content.size());
    octal(h, 136, 12, static_cast<unsigned long>(m.mtime));
    h[156] = m.type;
    put(h, 157, 100, m.link);
    std::memcpy(h + 257,
                "ustar\0"
                "00",
                8);
    octal(h, 329, 8, m.dev_major);
    octal(h, 337, 8, m.dev_minor);
    put(h, 345, 155, m.prefix);
    std::memset(h + 148, ' ', 8);
    unsigned sum = 0;
    for (char c : h) sum += static_cast<unsigned char>(c);
    std::snprintf(h + 148, 8, "%06o", sum);
    out_.append(h, sizeof h);
    return raw(m.content);
  }
  TarBuilder& file(std::string_view name, std::string_view content = {}, unsigned mode = 0644) {
    return add({.name = std::string(name), .content = std::string(content), .mode = mode});
  }
  TarBuilder& dir(std::string_view name, unsigned mode = 0755) {
    return add({.name = std::string(name), .type = '5', .mode = mode});
  }
  TarBuilder& symlink(std::string_view name, std::string_view target) {
    return add({.name = std::string(name), .type = '2', .link = std::string(target), .mode = 0777});
  }
  TarBuilder& hardlink(std::string_view name, std::string_view target) {
    return add({.name = std::string(name), .type = '1', .link = std::string(target)});
  }
  // A PAX extended header for the member that follows.
  TarBuilder& pax(std::string_view key, std::string_view value) {
    return add({.name = "PaxHeaders/x", .type = 'x', .content = record(key, value)});
  }
  static std::string record(std::string_view key, std::string_view value) {
    const std::string body = " " + std::string(key) + "=" + std::string(value) + "\n";
    std::size_t length = body.size() + 1;
    while (std::to_string(length).size() + body.size() != length) ++length;
    return std::to_string(length) + body;
  }
  // A GNU long name ('L') or long link target ('K') for the member that follows.
  TarBuilder& gnu_long(char type, std::string_view text) {
    return add({.name = "././@LongLink", .type = type, .content = std::string(text) + '\0'});
  }
  TarBuilder& raw(std::string_view bytes) {
    out_ += bytes;
    out_.resize((out_.size() + 511) / 512 * 512);
    return *this;
  }
  std::string unfinished() const { return out_; }
  std::string str() const { return out_ + std::string(1024, '\0'); }

 private:
  static void put(char* h, std::size_t at, std::size_t max, std::string_view text) {
    std::memcpy(h + at, text.data(), std::min(max, text.size()));
  }
  static void octal(char* h, std::size_t at, int width, unsigned long value) {
    std::snprintf(h + at, static_cast<std::size_t>(width), "%0*lo", width - 1, value);
  }
  std::string out_;
};

}  // namespace cloister::testing
