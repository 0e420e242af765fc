// A template is data that people edit: every key is known here, a misspelt one is an error of the
// program's own build (a test loads them all).
#include "manifest-gen/gramine/kinds.h"

#include <algorithm>
#include <set>

#include "base/limits.h"
#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/closure/shell_scan.h"
#include "manifest-gen/launch/program_search.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/launch/wrapper.h"
#include "templates/embedded.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kFolder = "kinds/", kSuffix = ".toml";
constexpr std::string_view kDefaultKind = "native", kStaticKind = "static";

Error bad(std::string_view key, std::string_view want) {
  return Error::invalid(cat("the key ", quote(key), " must be ", want));
}

Result<std::vector<std::string>> strings(const TomlValue& value, std::string_view key) {
  const TomlArray* array = value.array();
  if (array == nullptr) return bad(key, "an array of strings");
  std::vector<std::string> out;
  for (const TomlValue& item : *array) {
    if (item.string() == nullptr) return bad(key, "an array of strings");
    out.push_back(*item.string());
  }
  return out;
}

Result<std::vector<ClosureRoot>> parse_grants(const TomlValue& value) {
  const TomlArray* array = value.array();
  if (array == nullptr) return bad("grant", "an array of tables");
  std::vector<ClosureRoot> out;
  for (const TomlValue& item : *array) {
    const TomlTable* table = item.table();
    if (table == nullptr) return bad("grant", "an array of tables");
    ClosureRoot root{"", Why::package_data, "", /*optional=*/true};
    for (const auto& [key, field] : *table) {
      if (field.string() == nullptr) return bad(cat("grant.", key), "a string");
      if (key == "path")
        root.path_or_glob = *field.string();
      else if (key == "reason")
        root.detail = *field.string();
      else
        return Error::invalid(cat("the key ", quote(cat("grant.", key)), " is unknown"));
    }
    if (root.path_or_glob.empty() || root.detail.empty())
      return bad("grant", "a path and a reason");
    out.push_back(std::move(root));
  }
  return out;
}

Status parse_env(const TomlValue& value, Kind& kind) {
  const TomlTable* table = value.table();
  if (table == nullptr) return bad("env", "a table of strings");
  for (const auto& [name, text] : *table) {
    if (text.string() == nullptr) return bad("env", "a table of strings");
    kind.env.emplace_back(name, *text.string());
  }
  return {};
}

Status parse_key(const std::string& key, const TomlValue& value, Kind& kind) {
  if (key == "summary") {
    if (value.string() == nullptr) return bad(key, "a string");
    kind.summary = *value.string();
  } else if (key == "programs") {
    CL_TRY(kind.programs, strings(value, key));
  } else if (key == "tmpfs") {
    CL_TRY(kind.tmpfs, strings(value, key));
  } else if (key == "nonzero_user") {
    if (value.boolean() == nullptr) return bad(key, "a boolean");
    kind.nonzero_user = *value.boolean();
  } else if (key == "env") {
    return parse_env(value, kind);
  } else if (key == "grant") {
    CL_TRY(kind.grants, parse_grants(value));
  } else if (key == "manifest") {
    if (value.table() == nullptr) return bad(key, "a table");
    kind.manifest = *value.table();
  } else {
    return Error::invalid(cat("the key ", quote(key), " is unknown"));
  }
  return {};
}

Result<Kind> parse_kind(const templates::File& file) {
  Kind kind;
  std::string_view name = file.name;
  name.remove_prefix(kFolder.size());
  name.remove_suffix(kSuffix.size());
  kind.name = name;
  CL_TRY(const TomlTable table, parse_toml(file.text, Limits{}, file.name));
  for (const auto& [key, value] : table) CL_CHECK(parse_key(key, value, kind));
  if (kind.summary.empty()) return bad("summary", "a line for people");
  return kind;
}

// Names by which the application may be known, the most telling first.
class Candidates {
 public:
  Candidates(const Launch& launch, const measure::Rootfs& rootfs)
      : launch_(launch), rootfs_(rootfs) {}

  std::vector<std::string> list() {
    add_program(launch_.program, 0);
    if (looks_through_) {
      for (std::size_t i = 1; i < launch_.argv.size(); ++i) add_word(launch_.argv[i], 0);
      for (const std::string& text : texts_) {
        ShellScene scene;
        scene.env = launch_.env;
        scene.workdir = launch_.workdir;
        for (const Invocation& invocation : scan_shell(text, scene).invocations) {
          add_word(invocation.words.front(), 1);
          const std::size_t inner = wrapped_program(invocation.words);
          if (inner < invocation.words.size()) add_word(invocation.words[inner], 1);
        }
      }
    }
    // A shell or a wrapper is what is left when nothing inside is known.
    names_.insert(names_.end(), later_.begin(), later_.end());
    return std::move(names_);
  }

 private:
  void add_program(const std::string& path, int depth) {
    if (depth >= kShebangDepth || !seen_.insert(path).second) return;
    const std::string real = rootfs_.real_path(path).value_or(path);
    const bool through = is_shell(base_name(path)) || is_wrapper(base_name(path)) ||
                         is_shell(base_name(real)) || is_wrapper(base_name(real));
    std::vector<std::string>& names = through ? later_ : names_;
    names.emplace_back(base_name(path));
    names.emplace_back(base_name(real));
    looks_through_ = looks_through_ || through;
    const measure::Node* node = rootfs_.find(path);
    if (node == nullptr || node->entry->shebang.empty()) return;
    add_script(*node, depth);
  }

  void add_script(const measure::Node& node, int depth) {
    const auto shebang = parse_shebang(node.entry->shebang);
    if (!shebang) return;
    std::string interpreter = shebang->interpreter;
    if (base_name(interpreter) == "env") {
      const auto program = env_program({shebang->argument});
      if (!program) return;
      interpreter = find(*program);
      if (interpreter.empty()) return;
    }
    if (is_shell(base_name(interpreter)) && node.entry->size <= Limits{}.packed_file_bytes) {
      if (auto bytes = rootfs_.read(node, Limits{}.packed_file_bytes))
        texts_.emplace_back(as_text(*bytes));
    }
    add_program(interpreter, depth + 1);
  }

  void add_word(const std::string& word, int depth) {
    if (word.empty() || word.front() == '-') return;
    if (word.find(' ') != std::string::npos) {
      if (depth == 0) texts_.push_back(word);  // sh -c "…"
      return;
    }
    if (const std::string path = find(word); !path.empty()) add_program(path, depth);
  }

  std::string find(const std::string& name) const {
    std::string_view path = kDefaultPath;
    for (const auto& [key, value] : launch_.env)
      if (key == "PATH") path = value;
    return find_program(rootfs_, name, path, launch_.workdir).found;
  }

  const Launch& launch_;
  const measure::Rootfs& rootfs_;
  std::vector<std::string> names_, later_, texts_;
  std::set<std::string> seen_;
  bool looks_through_ = false;
};

const Kind* matching(const std::vector<Kind>& kinds, const std::string& name) {
  for (const Kind& kind : kinds)
    for (const std::string& pattern : kind.programs)
      if (match_component(pattern, name)) return &kind;
  return nullptr;
}

bool is_static(const Launch& launch, const measure::Rootfs& rootfs) {
  const measure::Node* node = rootfs.find(launch.entrypoint);
  const measure::elf::Facts* facts = node != nullptr ? rootfs.elf_facts(*node) : nullptr;
  return facts != nullptr && facts->interpreter.empty() && facts->needed.empty();
}

}  // namespace

Result<std::vector<Kind>> load_kinds() {
  std::vector<Kind> kinds;
  for (const templates::File& file : templates::files()) {
    if (!file.name.starts_with(kFolder) || !file.name.ends_with(kSuffix)) continue;
    auto kind = parse_kind(file);
    if (!kind) return std::move(kind.error()).while_(cat("reading the template ", file.name));
    kinds.push_back(std::move(*kind));
  }
  return kinds;
}

Result<Kind> choose_kind(const Launch& launch, const measure::Rootfs& rootfs) {
  CL_TRY(const std::vector<Kind> kinds, load_kinds());
  const Kind* chosen = nullptr;
  for (const std::string& name : Candidates(launch, rootfs).list())
    if (chosen == nullptr) chosen = matching(kinds, name);
  const std::string_view fallback = is_static(launch, rootfs) ? kStaticKind : kDefaultKind;
  for (const Kind& kind : kinds)
    if (chosen == nullptr && kind.name == fallback) chosen = &kind;
  if (chosen == nullptr) return Error::internal(cat("no template is named ", fallback));
  return *chosen;
}

}  // namespace cloister::manifest
