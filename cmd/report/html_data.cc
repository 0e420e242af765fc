// Time is linear in the document: every look-up is by hash, and a text is searched for one path and
// one digest only.
#include "cmd/report/html_data.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "base/text.h"
#include "cmd/report/html_markup.h"
#include "manifest-gen/audit/surface.h"

namespace cloister::cmd {
namespace {

struct NamedFile {
  std::size_t file;
  std::size_t alias;  // 0: the path itself
};
using FilesByName = std::unordered_map<std::string_view, NamedFile>;

// Paths, which are unique, before aliases, which need not be.
FilesByName files_by_name(const Json& files) {
  FilesByName out;
  for (std::size_t i = 0; i < files.size(); ++i)
    out.try_emplace(text_of(files[i], "path"), NamedFile{i, 0});
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Json& aliases = list_of(files[i], "aliases");
    for (std::size_t k = 0; k < aliases.size(); ++k)
      if (aliases[k].is_string())
        out.try_emplace(aliases[k].get_ref<const std::string&>(), NamedFile{i, k + 1});
  }
  return out;
}

class SharedStrings {
 public:
  explicit SharedStrings(const FilesByName& files) : files_(files) {}

  std::int64_t add(std::string_view text) {
    const auto found = numbers_.find(std::string(text));
    if (found != numbers_.end()) return found->second;
    Json row = text;
    const std::size_t begin = text.find('/');
    if (begin != std::string_view::npos) {
      const std::size_t end = std::min(text.find_first_of(" ),;'\"", begin), text.size());
      const auto file = files_.find(text.substr(begin, end - begin));
      if (file != files_.end() && file->second.alias == 0)
        row = {add_plain(text.substr(0, begin)), file->second.file, add_plain(text.substr(end))};
    }
    return put(text, std::move(row));
  }
  std::int64_t add_if(std::string_view text) { return text.empty() ? -1 : add(text); }
  Json take() { return std::move(rows_); }

 private:
  std::int64_t add_plain(std::string_view text) {
    const auto found = numbers_.find(std::string(text));
    return found != numbers_.end() ? found->second : put(text, text);
  }
  std::int64_t put(std::string_view text, Json row) {
    const auto number = static_cast<std::int64_t>(rows_.size());
    numbers_.emplace(text, number);
    rows_.push_back(std::move(row));
    return number;
  }
  const FilesByName& files_;
  std::unordered_map<std::string, std::int64_t> numbers_;
  Json rows_ = Json::array();
};

std::string short_digest(std::string_view hex_digits) {
  const auto bytes = unhex(hex_digits);
  if (!bytes) return {};
  std::string out = base64(*bytes);
  while (out.ends_with('=')) out.pop_back();
  return out;
}

Json file_columns(const Json& files, SharedStrings& strings, Json& dirs) {
  std::unordered_map<std::string_view, std::size_t> dir_numbers;
  Json out = Json::object();
  for (const char* column :
       {"dir", "name", "size", "sha", "kind", "package", "layer", "reasons", "aliases"})
    out[column] = Json::array();
  for (const Json& file : files) {
    const std::string_view path = text_of(file, "path");
    const std::size_t name = path.rfind('/') + 1;  // npos + 1 is 0
    const auto [dir, added] = dir_numbers.try_emplace(path.substr(0, name), dirs.size());
    if (added) dirs.push_back(path.substr(0, name));
    out["dir"].push_back(dir->second);
    out["name"].push_back(path.substr(name));
    out["size"].push_back(has(file, "size") ? Json(number_of(file, "size")) : Json(-1));
    out["sha"].push_back(short_digest(text_of(file, "sha256")));
    for (const char* column : {"kind", "layer"})
      out[column].push_back(strings.add_if(text_of(file, column)));
    std::string_view package = text_of(file, "package");
    if (package.empty() && text_of(file, "kind") == "runtime") package = manifest::kRuntimeShare;
    out["package"].push_back(strings.add_if(package));
    Json reasons = Json::array();
    for (const Json& reason : list_of(file, "reasons"))
      if (reason.is_string()) reasons.push_back(strings.add(reason.get_ref<const std::string&>()));
    out["reasons"].push_back(std::move(reasons));
    out["aliases"].push_back(list_of(file, "aliases"));
  }
  return out;
}

Json edge_numbers(const Json& audit, std::size_t files, SharedStrings& strings) {
  Json out = Json::array();
  for (const Json& edge : list_of(audit, "edges")) {
    const std::int64_t from = edge_end(edge, "from", files);
    const std::int64_t to = edge_end(edge, "to", files);
    if (to < 0 || from < kStarted) continue;
    out.push_back(from);
    out.push_back(to);
    out.push_back(strings.add(text_of(edge, "why")));
    out.push_back(strings.add_if(text_of(edge, "detail")));
  }
  return out;
}

using LineShape = std::tuple<std::string, std::string, std::string>;

struct FileLine {
  NamedFile name;
  LineShape shape;
};

// A line that names a file and its digest, as each trusted file has one.
std::optional<FileLine> file_line(std::string_view text, const FilesByName& names,
                                  const Json& files) {
  static constexpr std::string_view kFile = "\"file:";
  const std::size_t begin = text.find(kFile);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t path = begin + kFile.size();
  const std::size_t end = text.find('"', path);
  if (end == std::string_view::npos) return std::nullopt;
  const auto found = names.find(text.substr(path, end - path));
  if (found == names.end()) return std::nullopt;
  const std::string_view digest = text_of(files[found->second.file], "sha256");
  const std::size_t at = digest.size() == 64 ? text.find(digest, end) : std::string_view::npos;
  if (at == std::string_view::npos) return std::nullopt;
  return FileLine{found->second,
                  {std::string(text.substr(0, path)), std::string(text.substr(end, at - end)),
                   std::string(text.substr(at + digest.size()))}};
}

}  // namespace

std::int64_t edge_end(const Json& edge, std::string_view key, std::size_t files) {
  if (!edge.is_object()) return -2;
  const auto value = edge.find(std::string(key));
  if (value == edge.end() || !value->is_number_integer()) return -2;
  if (*value < 0) return *value == kStarted ? kStarted : -2;
  const std::uint64_t number = number_of(edge, key);
  return number < files ? static_cast<std::int64_t>(number) : -2;
}

std::string html_data(const Json& audit) {
  const Json& files = list_of(audit, "files");
  const FilesByName names = files_by_name(files);
  SharedStrings strings(names);
  Json out = Json::object();
  Json dirs = Json::array();
  out["files"] = file_columns(files, strings, dirs);
  out["dirs"] = std::move(dirs);
  out["edges"] = edge_numbers(audit, files.size(), strings);
  Json packages = Json::array();
  for (const Json& package : list_of(object_of(audit, "surface"), "packages"))
    packages.push_back(
        {strings.add(text_of(package, "name")), strings.add_if(text_of(package, "version"))});
  out["packages"] = std::move(packages);

  std::map<LineShape, std::size_t> shapes;
  Json shape_rows = Json::array();
  Json lines = Json::array();
  for (const Json& line : list_of(object_of(audit, "manifest"), "lines")) {
    const std::string_view text = text_of(line, "text");
    const std::int64_t reason = strings.add_if(text_of(line, "reason"));
    const auto file = file_line(text, names, files);
    if (!file) {
      lines.push_back({strings.add(text), reason});
      continue;
    }
    const auto [shape, added] = shapes.try_emplace(file->shape, shapes.size());
    if (added) {
      const auto& [before, between, after] = file->shape;
      shape_rows.push_back({before, between, after});
    }
    lines.push_back({file->name.file, file->name.alias, shape->second, reason});
  }
  out["lines"] = std::move(lines);
  out["shapes"] = std::move(shape_rows);
  out["strings"] = strings.take();
  return script_json(dump_json(out));
}

}  // namespace cloister::cmd
