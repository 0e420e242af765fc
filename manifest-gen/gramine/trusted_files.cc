// Gramine compares URIs as text and follows no links: each lexical path is an entry of its own. The
// list is searched linearly at run time, so that repeats would cost at every look-up.
#include "manifest-gen/gramine/trusted_files.h"

#include "base/text.h"
#include "manifest-gen/closure/glob.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kFileScheme = "file:";

std::string uri_of(std::string_view path) {
  return cat(kFileScheme, path);
}

Status expressible_path(std::string_view path) {
  if (is_utf8(path) && path.find('\0') == std::string_view::npos) return {};
  return Error::unsupported(cat("the name of ", quote(path),
                                " is not UTF-8, and a Gramine manifest cannot express it"))
      .hint("rename the file in the image");
}

struct OverlayEntry {
  std::string uri;
  const std::string* sha256 = nullptr;
};

Error bad_entry(std::string what) {
  return Error::invalid(std::move(what))
      .hint("give \"file:/absolute/path\", \"file:/directory/\" or { uri = …, sha256 = … }");
}

Result<OverlayEntry> parse_entry(const TomlValue& value) {
  if (const std::string* uri = value.string()) return OverlayEntry{*uri, nullptr};
  const TomlTable* table = value.table();
  if (table == nullptr)
    return bad_entry(cat("an entry of sgx.trusted_files is ", value.type_name()));
  OverlayEntry entry;
  for (const auto& [key, field] : *table) {
    if ((key != "uri" && key != "sha256") || field.string() == nullptr)
      return bad_entry(cat("an entry of sgx.trusted_files has the key ", quote(key), " with ",
                           field.type_name()));
    if (key == "uri")
      entry.uri = *field.string();
    else
      entry.sha256 = field.string();
  }
  return entry;
}

Status add_file(TrustedFiles& files, const std::string& path, const measure::Node& node,
                const std::string* want) {
  CL_CHECK(expressible_path(path));
  const Digest& have = node.entry->sha256;
  if (want != nullptr && lower_ascii(*want) != have.hex()) {
    return Error::invalid(
               cat("the overlay's sha256 of ", quote(path), " is not that of the image's file"))
        .detail(cat("got ", printable(*want)))
        .detail(cat("want ", have.hex()))
        .hint("leave sha256 out: it is taken from the image");
  }
  files.try_emplace(uri_of(path), TrustedFile{have, node.entry->size, "the overlay"});
  return {};
}

Status add_directory(TrustedFiles& files, const OverlayEntry& entry, const std::string& path,
                     const measure::Rootfs& rootfs) {
  if (entry.sha256 != nullptr)
    return bad_entry(cat("the directory ", quote(entry.uri), " cannot have a sha256"));
  if (!entry.uri.ends_with('/'))
    return bad_entry(cat(quote(entry.uri), " is a directory: its URI must end in '/'"));
  for (const std::string& file : expand_glob(rootfs, cat(path == "/" ? "" : path, "/**")))
    CL_CHECK(add_file(files, file, *rootfs.find(file), nullptr));
  return {};
}

}  // namespace

std::vector<std::string> member_reasons(const Closure& closure) {
  std::vector<std::string> out(closure.members.size());
  for (const Edge& edge : closure.edges) {
    std::string& reason = out[edge.to];
    if (!reason.empty()) continue;
    reason = cat(why_name(edge.why), ": ", edge.detail);
    // Many details say by themselves who asks.
    if (edge.from == kLaunch || edge.from == edge.to) continue;
    const std::string& asker = closure.members[edge.from].real_path;
    if (!edge.detail.ends_with(asker)) reason += cat(" (", asker, ")");
  }
  return out;
}

Result<TrustedFiles> trusted_files(const Closure& closure) {
  TrustedFiles out;
  const std::vector<std::string> reasons = member_reasons(closure);
  for (std::size_t i = 0; i < closure.members.size(); ++i) {
    const Member& member = closure.members[i];
    for (const std::string& path : member.paths) {
      CL_CHECK(expressible_path(path));
      std::string reason = reasons[i];
      if (path != member.real_path) reason += cat("; leads to ", member.real_path);
      out.try_emplace(uri_of(path), TrustedFile{member.sha256, member.size, std::move(reason)});
    }
  }
  return out;
}

Status add_overlay_files(TrustedFiles& files, const TomlValue& entries,
                         const measure::Rootfs& rootfs) {
  if (entries.array() == nullptr)
    return bad_entry(cat("sgx.trusted_files must be an array, and is ", entries.type_name()));
  for (const TomlValue& value : *entries.array()) {
    CL_TRY(const OverlayEntry entry, parse_entry(value));
    if (!entry.uri.starts_with("file:/"))
      return bad_entry(cat("the trusted file ", quote(entry.uri), " is not an absolute file: URI"));
    const std::string path = measure::normalize_path(entry.uri.substr(kFileScheme.size()));
    const measure::Node* node = rootfs.find(path);
    if (node != nullptr && node->is_directory()) {
      CL_CHECK(add_directory(files, entry, path, rootfs));
    } else if (node != nullptr && node->is_regular() && !entry.uri.ends_with('/')) {
      CL_CHECK(add_file(files, path, *node, entry.sha256));
    } else if (!files.contains(uri_of(path))) {
      return Error::invalid(
                 cat("the overlay trusts ", quote(path), ", which is no file of the image"))
          .hint("remove the entry, or add the file to the image");
    }
  }
  return {};
}

TomlArray to_toml(const TrustedFiles& files) {
  TomlArray out;
  for (const auto& [uri, file] : files) {
    TomlTable entry;
    entry.set("uri", uri);
    entry.set("sha256", file.sha256.hex());
    out.emplace_back(std::move(entry));
  }
  return out;
}

}  // namespace cloister::manifest
