// glibc elf/ldconfig.c, parse_conf and add_dir: one directory per line, '#' starts a comment
// anywhere, includes are globs relative to the file that holds them. Includes may form loops (an
// image can say anything): each file is read once, and their number is bounded.
#include "manifest-gen/closure/ld_so_conf.h"

#include <algorithm>
#include <deque>
#include <set>

#include "base/text.h"
#include "manifest-gen/closure/glob.h"

namespace cloister::manifest {
namespace {

constexpr std::size_t kMaxConfFiles = 1024;
constexpr std::string_view kLoader = "/lib64/ld-linux-x86-64.so.2";

// One row per way of building glibc: where its loader really stands tells which.
struct Layout {
  std::string_view loader;  // end of the loader's directory
  std::string_view lib;
  std::string_view directories[6];
};
constexpr Layout kLayouts[] = {
    {"/lib/x86_64-linux-gnu",
     "lib/x86_64-linux-gnu",
     {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib", "/usr/lib"}},
    {"/lib64", "lib64", {"/lib64", "/usr/lib64"}},
    {"",
     "",
     {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib",
      "/usr/lib"}},
};
constexpr std::string_view kMuslDefaults[] = {"/lib", "/usr/local/lib", "/usr/lib"};

// "include" and "hwcap" are keywords only when a blank follows.
bool is_keyword(std::string_view line, std::string_view keyword) {
  return line.starts_with(keyword) && line.size() > keyword.size() &&
         (line[keyword.size()] == ' ' || line[keyword.size()] == '\t');
}

std::string_view without_type(std::string_view directory) {
  directory = trim(directory.substr(0, directory.find('=')));
  while (directory.size() > 1 && directory.ends_with('/')) directory.remove_suffix(1);
  return directory;
}

void append_words(std::vector<LdSoConfLine>& out, std::string_view words) {
  std::string text(words);
  std::replace(text.begin(), text.end(), '\t', ' ');
  for (const std::string_view word : split(text, ' '))
    if (!word.empty()) out.push_back({true, std::string(word)});
}

Result<std::string> read_small(const measure::Rootfs& rootfs, std::string_view path,
                               const Limits& limits) {
  const measure::Node* node = rootfs.find(path);
  if (node == nullptr || !node->is_regular() || node->entry->size > limits.packed_file_bytes)
    return std::string();
  auto bytes = rootfs.read(*node, limits.packed_file_bytes);
  if (!bytes) return std::move(bytes.error()).while_(cat("reading ", printable(path)));
  return std::string(as_text(*bytes));
}

class Directories {
 public:
  explicit Directories(const measure::Rootfs& rootfs) : rootfs_(rootfs) {}
  void add(std::string_view path) {
    if (!path.starts_with('/')) return;
    const measure::Node* node = rootfs_.find(path);
    if (node != nullptr && node->is_directory() && seen_.insert(node).second)
      list.push_back(measure::normalize_path(path));
  }
  std::vector<std::string> list;

 private:
  const measure::Rootfs& rootfs_;
  std::set<const measure::Node*> seen_;
};

}  // namespace

std::vector<LdSoConfLine> parse_ld_so_conf(std::string_view text) {
  std::vector<LdSoConfLine> out;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line.substr(0, line.find('#')));
    if (line.empty() || is_keyword(line, "hwcap")) continue;
    if (is_keyword(line, "include")) {
      append_words(out, line.substr(7));
    } else if (const std::string_view directory = without_type(line); !directory.empty()) {
      out.push_back({false, std::string(directory)});
    }
  }
  return out;
}

Result<std::vector<std::string>> ld_so_conf_directories(const measure::Rootfs& rootfs,
                                                        const Limits& limits) {
  Directories directories(rootfs);
  // The lines still to be handled: an include puts the lines of its files in its own place.
  struct Pending {
    LdSoConfLine line;
    std::string directory;  // of the file it stands in
  };
  std::deque<Pending> pending = {{{true, "/etc/ld.so.conf"}, "/etc"}};
  std::set<std::string> read;
  while (!pending.empty()) {
    const Pending next = std::move(pending.front());
    pending.pop_front();
    if (!next.line.include) {
      directories.add(next.line.text);
      continue;
    }
    const std::string pattern =
        next.line.text.starts_with('/') ? next.line.text : cat(next.directory, "/", next.line.text);
    std::vector<Pending> lines;
    for (const std::string& file : expand_glob(rootfs, pattern)) {
      if (read.size() >= kMaxConfFiles || !read.insert(file).second) continue;
      CL_TRY(const std::string text, read_small(rootfs, file, limits));
      for (LdSoConfLine& line : parse_ld_so_conf(text))
        lines.push_back({std::move(line), file.substr(0, file.rfind('/'))});
    }
    pending.insert(pending.begin(), std::make_move_iterator(lines.begin()),
                   std::make_move_iterator(lines.end()));
  }
  return std::move(directories.list);
}

GlibcLayout glibc_layout(const measure::Rootfs& rootfs) {
  const std::string loader = rootfs.real_path(kLoader).value_or("");
  const std::string_view directory = std::string_view(loader).substr(0, loader.rfind('/'));
  const Layout& layout =
      *std::find_if(std::begin(kLayouts), std::end(kLayouts),
                    [&](const Layout& row) { return directory.ends_with(row.loader); });
  Directories directories(rootfs);
  for (const std::string_view path : layout.directories) directories.add(path);
  return {std::move(directories.list), std::string(layout.lib)};
}

Result<std::vector<std::string>> glibc_system_directories(const measure::Rootfs& rootfs,
                                                          const Limits& limits) {
  Directories directories(rootfs);
  CL_TRY(const std::vector<std::string> configured, ld_so_conf_directories(rootfs, limits));
  for (const std::string& path : configured) directories.add(path);
  for (const std::string& path : glibc_layout(rootfs).directories) directories.add(path);
  return std::move(directories.list);
}

Result<std::vector<std::string>> musl_system_directories(const measure::Rootfs& rootfs,
                                                         const Limits& limits) {
  Directories directories(rootfs);
  const measure::Node* file = rootfs.find(kMuslPathFile);
  if (file == nullptr) {
    for (const std::string_view path : kMuslDefaults) directories.add(path);
    return std::move(directories.list);
  }
  CL_TRY(std::string text, read_small(rootfs, kMuslPathFile, limits));
  std::replace(text.begin(), text.end(), '\n', ':');
  for (const std::string_view path : split(text, ':')) directories.add(trim(path));
  return std::move(directories.list);
}

}  // namespace cloister::manifest
