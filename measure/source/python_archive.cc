// Archives of modules that Python runs or imports from (zipapp, zipimport; .pyz, .pex, .egg, .zip):
// what their modules import from elsewhere, all together.
#include "measure/source/python_archive.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "measure/source/name_list.h"
#include "measure/source/zip.h"

namespace cloister::measure::source {
namespace {

constexpr std::uint64_t kMaxArchiveText = 64ULL << 20;  // of one archive, bytes
constexpr std::string_view kEndings[] = {".pyz", ".pyzw", ".pex", ".egg", ".zip"};

// "a" of "a.b", "a:c"; quoted names too.
std::string_view first_part(std::string_view name) {
  if (name.starts_with('\'')) name.remove_prefix(1);
  return name.substr(0, name.find_first_of(".:"));
}

}  // namespace

bool is_python_archive_name(std::string_view path) {
  for (const std::string_view ending : kEndings)
    if (path.ends_with(ending)) return true;
  return false;
}

bool is_python_archive(ByteView bytes) {
  std::string_view text = as_text(bytes);
  if (text.starts_with("#!"))
    text.remove_prefix(std::min(text.size(), text.substr(0, 1024).find('\n') + 1));
  return text.starts_with("PK\x03\x04");
}

Facts scan_python_archive(ByteView bytes, const Limits& limits) {
  std::set<std::string_view> own;
  for_each_zip_member(bytes, [&](const ZipMember& member) {
    const std::size_t slash = member.name.find('/');
    const std::string_view first = member.name.substr(0, slash);
    if (slash != std::string_view::npos)
      own.insert(first);
    else if (first.ends_with(".py"))
      own.insert(first.substr(0, first.size() - 3));
  });
  NameList names(limits);
  std::uint64_t left = kMaxArchiveText;
  bool dynamic = false;
  for_each_zip_member(bytes, [&](const ZipMember& member) {
    if (!member.name.ends_with(".py")) return;
    const std::string text = zip_content(bytes, member, std::min(left, limits.source_bytes));
    left -= std::min<std::uint64_t>(left, text.size());
    const Facts facts = scan_python_text(as_bytes(text), limits);
    const bool runs = member.name == "__main__.py";
    dynamic = dynamic || facts.dynamic;
    for (std::string_view name : facts.names) {
      if (name.starts_with('!')) {
        if (!runs) continue;
        name.remove_prefix(1);
      }
      // What is beside a module, or relative to it, is in the archive.
      if (name.empty() || name.starts_with('.') || name == "@data" || name.starts_with("@path:"))
        continue;
      if (name.front() != '/' && name.front() != '@' && own.contains(first_part(name))) continue;
      names.add("", name);
    }
  });
  return names.take(Language::python, dynamic || left == 0);
}

}  // namespace cloister::measure::source
