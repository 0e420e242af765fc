#include "measure/source/jar.h"

#include "base/text.h"
#include "measure/source/name_list.h"
#include "measure/source/zip.h"

namespace cloister::measure::source {
namespace {

constexpr std::uint64_t kMaxManifest = 1ULL << 20;
constexpr std::size_t kMaxNatives = 64;
constexpr std::string_view kManifest = "META-INF/MANIFEST.MF";

// "Name: value" lines of the main section; a line that begins with a blank continues the last.
void read_manifest(std::string_view text, NameList& names) {
  std::string header;
  const auto end_header = [&] {
    const std::size_t colon = header.find(": ");
    if (colon == std::string::npos) return;
    const std::string name = lower_ascii(header.substr(0, colon));
    const std::string_view value = trim(std::string_view(header).substr(colon + 2));
    if (name == "class-path") {
      for (const std::string_view entry : split(value, ' '))
        if (!entry.empty()) names.add("class-path:", entry);
    } else if (name == "main-class") {
      names.add("main-class:", value);
    } else if (name == "launcher-agent-class") {
      names.add("agent-class:", value);
    }
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    if (text.starts_with("\r\n"))
      text.remove_prefix(2);
    else if (!text.empty())
      text.remove_prefix(1);
    if (line.starts_with(' ')) {
      header += line.substr(1);
      continue;
    }
    end_header();
    header = line;
    if (line.empty()) return;
  }
  end_header();
}

bool is_native(std::string_view name) {
  return name.ends_with(".so") || name.find(".so.") != std::string_view::npos;
}

}  // namespace

bool is_jar(std::string_view path, std::string_view /*shebang*/) {
  return path.ends_with(".jar") || path.ends_with(".war") || path.ends_with(".JAR");
}

Facts scan_jar(ByteView bytes, const Limits& limits) {
  NameList names(limits);
  std::size_t natives = 0;
  for_each_zip_member(bytes, [&](const ZipMember& member) {
    if (member.name == kManifest)
      read_manifest(zip_content(bytes, member, kMaxManifest), names);
    else if (is_native(member.name) && ++natives <= kMaxNatives)
      names.add("native:", member.name);
  });
  return names.take(Language::jar, /*dynamic=*/false);
}

}  // namespace cloister::measure::source
