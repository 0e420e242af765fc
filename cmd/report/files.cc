#include "cmd/report/files.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

using measure::Entry;
using measure::FileType;

std::string_view type_word(FileType type) {
  switch (type) {
    case FileType::regular:
      return "file";
    case FileType::directory:
      return "dir";
    case FileType::symlink:
      return "symlink";
    case FileType::hardlink:
      return "hardlink";
    case FileType::char_device:
      return "char";
    case FileType::block_device:
      return "block";
    case FileType::fifo:
      return "fifo";
  }
  return "file";
}

std::string octal_mode(std::uint32_t mode) {
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, "%04o", mode & 07777U);
  return buffer;
}

// A text field, and its base64 twin exactly when the bytes are not UTF-8.
void put_bytes(OrderedJson& json, const char* key, const char* key64, const std::string& value) {
  const bool utf8 = is_utf8(value);
  json[key] = utf8 ? value : printable(value);
  if (!utf8) json[key64] = base64(as_bytes(value));
}

OrderedJson row_json(const FileRow& row) {
  const Entry& e = *row.entry;
  OrderedJson json;
  put_bytes(json, "path", "pathBase64", row.path);
  json["type"] = type_word(e.type);
  json["mode"] = octal_mode(e.mode);
  json["uid"] = e.uid;
  json["gid"] = e.gid;
  if (e.type == FileType::regular) {
    json["size"] = e.size;
    json["sha256"] = e.sha256.hex();
  }
  if (e.type == FileType::symlink) put_bytes(json, "linkTarget", "linkTargetBase64", e.link_target);
  if (e.type == FileType::hardlink)
    put_bytes(json, "linkTarget", "linkTargetBase64", "/" + e.link_target);
  if (e.type == FileType::char_device || e.type == FileType::block_device) {
    json["major"] = e.device_major;
    json["minor"] = e.device_minor;
  }
  if (!e.xattrs.empty()) {
    OrderedJson xattrs = OrderedJson::object();
    for (const auto& [name, value] : e.xattrs) xattrs[printable(name)] = base64(as_bytes(value));
    json["xattrs"] = std::move(xattrs);
  }
  json["layer"] = row.layer;
  return json;
}

}  // namespace

std::vector<FileRow> layer_files(const measure::Rootfs& rootfs) {
  std::vector<FileRow> rows;
  for (std::uint32_t i = 0; i < rootfs.layers().size(); ++i)
    for (const Entry& entry : rootfs.layers()[i].index->entries)
      rows.push_back({"/" + entry.path, &entry, i});
  return rows;
}

std::vector<FileRow> merged_files(const measure::Rootfs& rootfs) {
  std::vector<FileRow> rows;
  rootfs.walk([&](const measure::Node& node) {
    rows.push_back({node.path(), node.entry, node.layer});
  });
  return rows;
}

std::string files_text(const std::vector<FileRow>& rows) {
  std::string out;
  for (const FileRow& row : rows) {
    const Entry& e = *row.entry;
    char head[96];
    std::snprintf(head, sizeof head, "%3u  %-8s %s  %5u:%-5u %12llu  ", row.layer,
                  std::string(type_word(e.type)).c_str(), octal_mode(e.mode).c_str(), e.uid, e.gid,
                  static_cast<unsigned long long>(e.size));
    out += head;
    out += e.type == FileType::regular ? e.sha256.hex() : std::string(64, '-');
    out += "  " + printable(row.path);
    if (e.type == FileType::symlink) out += " -> " + printable(e.link_target);
    if (e.type == FileType::hardlink) out += " = /" + printable(e.link_target);
    out += '\n';
  }
  return out;
}

std::string file_paths_text(const std::vector<FileRow>& rows) {
  std::string out;
  for (const FileRow& row : rows) out += printable(row.path) + "\n";
  return out;
}

std::string files_json(const std::vector<FileRow>& rows) {
  // One file a line: greppable, and no second copy of a large document in memory.
  std::string out = "{\"files\":[";
  bool first = true;
  for (const FileRow& row : rows) {
    out += first ? "\n" : ",\n";
    out += dump_json(row_json(row));
    first = false;
  }
  return out + "\n]}\n";
}

}  // namespace cloister::cmd
