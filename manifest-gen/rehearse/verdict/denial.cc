// The cheap answers first: what somebody decided, another name of the same file. What is left is
// looked for in the configuration files that the program read and in the strings of granted ELF
// files: each of these is gone through once, whatever the number of paths.
#include "manifest-gen/rehearse/verdict/denial.h"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/ld_so_cache.h"
#include "manifest-gen/closure/withheld.h"

namespace cloister::manifest {
namespace {

using measure::Node;
using measure::elf::Facts;

constexpr std::array<std::string_view, 12> kCauses = {
    "excluded", "trust-none", "secret",  "useless", "alias",  "configured",
    "named",    "listed",     "package", "unowned", "absent", "writing"};
constexpr std::array<std::string_view, 5> kInImage = {"unknown", "absent", "file", "directory",
                                                      "other"};

constexpr std::size_t kMostConfigurations = 2'000;
constexpr std::uint64_t kConfigurationBytes = 256 << 10;

bool is_path_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("/._+-@~%,").find(c) != std::string_view::npos ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Where each of the paths, or the end of one, is met in a text.
class PathsInText {
 public:
  explicit PathsInText(const std::vector<Denied*>& wanted) : wanted_(wanted) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      by_name_[std::string(base_name(wanted[i]->path))].push_back(i);
      if (!wanted[i]->real.empty() && base_name(wanted[i]->real) != base_name(wanted[i]->path))
        by_name_[std::string(base_name(wanted[i]->real))].push_back(i);
    }
  }

  // Calls `found(index)` for each path that `word` names.
  template <class Found>
  void match(std::string_view word, Found found) const {
    while (word.starts_with("./")) word.remove_prefix(2);
    if (word.size() < 3) return;
    const auto at = by_name_.find(std::string(base_name(word)));
    if (at == by_name_.end()) return;
    for (const std::size_t index : at->second)
      if (names(word, wanted_[index]->path) || names(word, wanted_[index]->real)) found(index);
  }

  template <class Found>
  void scan(std::string_view text, Found found) const {
    for (std::size_t begin = 0; begin < text.size();) {
      if (!is_path_character(text[begin])) {
        ++begin;
        continue;
      }
      std::size_t end = begin;
      while (end < text.size() && is_path_character(text[end])) ++end;
      std::string_view word = text.substr(begin, end - begin);
      while (word.ends_with(',') || word.ends_with('.')) word.remove_suffix(1);
      match(word, found);
      begin = end;
    }
  }

 private:
  // The whole path, or its last components; one word alone only when it looks like a file's name.
  static bool names(std::string_view word, std::string_view path) {
    if (word == path) return true;
    if (word.starts_with('/') || word.find_first_of("./") == std::string_view::npos) return false;
    return path.size() > word.size() && path.ends_with(word) &&
           path[path.size() - word.size() - 1] == '/';
  }

  const std::vector<Denied*>& wanted_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_name_;
};

class DenialExplainer {
 public:
  DenialExplainer(const ObservedRun& run, const FileRules& rules, const JudgeInput& input)
      : run_(run), rules_(rules), input_(input) {
    if (input.closure == nullptr) return;
    for (const auto& excluded : input.closure->excluded)
      if (!excluded.path.empty()) excluded_.emplace(excluded.path, &excluded);
  }

  void explain(std::vector<Denied>& denied) {
    std::vector<Denied*> open;
    for (Denied& one : denied) {
      locate(one);
      if (one.cause == Cause::writing) continue;
      if (!comes_from_outside(one) && !decided(one) && !known_otherwise(one)) open.push_back(&one);
    }
    search(open);
    for (Denied& one : denied)
      if (one.cause != Cause::writing) propose(one);
  }

 private:
  void locate(Denied& one) const {
    const auto use = run_.paths.find(one.path);
    if (use != run_.paths.end()) one.real = use->second.real;
    if (input_.rootfs == nullptr) return;
    const Node* node = input_.rootfs->find(one.path);
    one.in_image = node == nullptr        ? Denied::In::absent
                   : node->is_regular()   ? Denied::In::file
                   : node->is_directory() ? Denied::In::directory
                                          : Denied::In::other;
    if (node == nullptr) return;
    one.real = node->path();
    one.bytes = node->is_regular() ? node->entry->size : 0;
    if (const Package* owner = owner_of(one); owner != nullptr)
      one.package = cat(owner->name, " ", owner->version);
  }

  const Package* owner_of(const Denied& one) const {
    return input_.packages != nullptr && !one.real.empty() ? input_.packages->owner(one.real)
                                                           : nullptr;
  }

  static void set(Denied& one, Cause cause, std::string why) {
    one.cause = cause;
    one.why = std::move(why);
  }

  bool comes_from_outside(Denied& one) const {
    const bool byte_code = !python_source_of(one.path).empty();
    if (is_mounted_over(one.path) || (is_never_valid(one.path) && !byte_code)) {
      set(one, Cause::useless,
          "container runtimes put a file of their own there, whose bytes are not the image's");
      return true;
    }
    if (one.in_image != Denied::In::absent) return false;
    set(one, Cause::absent, "it is not of the image");
    return true;
  }

  // What somebody or some rule left out on purpose.
  bool decided(Denied& one) const {
    const std::string& file = one.real.empty() ? one.path : one.real;
    if (const auto at = excluded_.find(file); at != excluded_.end()) {
      set(one, Cause::excluded,
          cat("--exclude ", at->second->pattern, " left it out; it was wanted as ",
              at->second->wanted));
      return true;
    }
    const bool withheld = input_.closure != nullptr && is_withheld(one);
    if (withheld || looks_secret(file)) {
      set(one, Cause::secret, "it looks like a secret, and those are granted only by name");
      one.warning =
          "granted files are checked, not hidden: the host and whoever has the image can read it";
      return true;
    }
    if (input_.closure != nullptr &&
        std::binary_search(input_.closure->denied.begin(), input_.closure->denied.end(), file)) {
      set(one, Cause::trust_none,
          "--trust none: the program is known to need it, and nothing that "
          "is needed was granted");
      return true;
    }
    return false;
  }

  bool is_withheld(const Denied& one) const {
    const auto& withheld = input_.closure->withheld;
    return std::binary_search(withheld.begin(), withheld.end(), one.path) ||
           std::binary_search(withheld.begin(), withheld.end(), one.real);
  }

  // What the image and the manifest say without looking into files.
  bool known_otherwise(Denied& one) const {
    if (one.path == kLdSoCache) {
      set(one, Cause::useless,
          "the runtime's loader looks there for a library that is nowhere else, and does without");
      return true;
    }
    if (const std::string source = python_source_of(one.path); !source.empty()) {
      if (source_is_there(source)) {
        set(one, Cause::useless,
            cat("Gramine reports no time stamps: byte code is never valid, and ", source,
                " is read in its place"));
        return true;
      }
    }
    if (!one.real.empty() && one.real != one.path) {
      if (rules_.place(one.real) == Place::trusted) {
        set(one, Cause::alias,
            cat("granted as ", one.real,
                ", but not under this name of it: names are compared "
                "before links are followed"));
        return true;
      }
    }
    return false;
  }

  bool source_is_there(const std::string& source) const {
    if (input_.rootfs != nullptr) return input_.rootfs->find(source) != nullptr;
    return run_.paths.contains(source);
  }

  void search(const std::vector<Denied*>& open) {
    if (open.empty()) return;
    const PathsInText texts(open);
    std::vector<std::string> configured(open.size()), named(open.size());
    for (const std::string& word : run_.command)
      texts.match(word, [&](std::size_t i) { configured[i] = "the command line"; });
    in_configurations(texts, configured);
    in_programs(texts, named);
    for (std::size_t i = 0; i < open.size(); ++i) {
      Denied& one = *open[i];
      if (!configured[i].empty())
        set(one, Cause::configured, cat(configured[i], " names it"));
      else if (!named[i].empty())
        set(one, Cause::named, cat(named[i], " names it"));
      else
        by_place(one);
    }
  }

  // What the program read that is text, and small enough that its index kept it.
  void in_configurations(const PathsInText& texts, std::vector<std::string>& found) const {
    if (input_.rootfs == nullptr) return;
    std::size_t read = 0;
    for (const auto& [path, use] : run_.paths) {
      if (use.of(FileUse::read).done == 0 || use.type != ObservedType::regular) continue;
      const Node* node = input_.rootfs->find(path);
      if (node == nullptr || !node->is_regular() || node->entry->elf >= 0 ||
          node->entry->size > kConfigurationBytes || !is_packed(*node))
        continue;
      if (++read > kMostConfigurations) return;
      const auto bytes = input_.rootfs->read(*node, kConfigurationBytes);
      if (!bytes.has_value()) continue;
      const std::string& configuration = path;
      texts.scan(as_text(*bytes), [&found, &configuration](std::size_t i) {
        if (found[i].empty()) found[i] = configuration;
      });
    }
  }

  // Others would take a pass over their whole layer.
  bool is_packed(const Node& node) const {
    const auto& layers = input_.rootfs->layers();
    return node.content_layer < layers.size() &&
           layers[node.content_layer].index->pack.contains(node.entry->sha256);
  }

  void in_programs(const PathsInText& texts, std::vector<std::string>& found) const {
    if (input_.rootfs == nullptr) return;
    std::set<const Node*> seen;
    const auto look = [&](const std::string& path) {
      const Node* node = input_.rootfs->find(path);
      const Facts* facts = node != nullptr ? input_.rootfs->elf_facts(*node) : nullptr;
      if (facts == nullptr || !seen.insert(node).second) return;
      const auto hit = [&](std::size_t i) {
        if (found[i].empty()) found[i] = path;
      };
      for (const std::string& text : facts->strings) texts.match(text, hit);
      for (const std::string& text : facts->needed) texts.match(text, hit);
    };
    for (const auto& [program, peaks] : run_.programs) look(program);
    for (const auto& [path, use] : run_.paths)
      if (use.of(FileUse::read).done + use.of(FileUse::execute).done > 0) look(path);
  }

  void by_place(Denied& one) {
    const std::string directory(parent_directory(one.path));
    const auto parent = run_.paths.find(directory);
    if (parent != run_.paths.end() && parent->second.of(FileUse::list).done > 0) {
      set(one, Cause::listed,
          cat("found by listing ", directory, ", which Gramine does not refuse"));
      return;
    }
    if (const Package* owner = owner_of(one); owner != nullptr) {
      const std::size_t granted = granted_of(owner);
      set(one, Cause::package,
          granted > 0 ? cat("of the package ", owner->name, ", like ", granted,
                            " granted files; nothing that was looked at names it")
                      : cat("of the package ", owner->name, ", of which nothing is granted"));
      return;
    }
    set(one, Cause::unowned, "no package owns it, and nothing that was looked at names it");
  }

  std::size_t granted_of(const Package* owner) {
    if (!counted_) {
      counted_ = true;
      if (input_.closure != nullptr)
        for (const Member& member : input_.closure->members)
          if (!member.from_runtime)
            if (const Package* of = input_.packages->owner(member.real_path)) ++granted_of_[of];
    }
    const auto at = granted_of_.find(owner);
    return at != granted_of_.end() ? at->second : 0;
  }

  void propose(Denied& one) const {
    if (one.cause == Cause::useless) {
      useless(one);
      return;
    }
    if (one.cause == Cause::absent || one.in_image == Denied::In::other ||
        one.in_image == Denied::In::directory) {
      one.finding =
          "a file that comes from outside the image cannot be checked: sgx.allowed_files would let "
          "the host choose what is in it; build it into the image instead";
      return;
    }
    one.proposal = path_proposal(Proposal::Kind::trusted_file, one.path, reason(one));
  }

  void useless(Denied& one) const {
    if (one.path == kLdSoCache) {
      one.harmless = true;
      one.finding = "nothing to do: libraries are found by LD_LIBRARY_PATH";
      return;
    }
    const std::string source = python_source_of(one.path);
    if (source.empty()) {
      const std::string key = "sys.enable_extra_runtime_domain_names_conf";
      one.harmless = true_at(input_.manifest, key);
      one.finding = "Gramine makes its own where the manifest has it do so";
      if (!one.harmless)
        one.proposal = value_proposal(
            key, "true", cat(one.path, " and its like: the host's, checked by Gramine"));
      return;
    }
    one.harmless = rules_.permits(source, FileUse::read, ObservedType::regular);
    if (one.harmless)
      one.finding = "nothing to do: the source is granted";
    else
      one.proposal = path_proposal(Proposal::Kind::trusted_file, source,
                                   cat("the source of ", one.path, ", which is never valid"));
  }

  static std::string reason(const Denied& one) {
    std::string out = "opened";
    for (const Denied::Use& use : one.uses)
      if (use.use == FileUse::execute) out = "executed";
    if (!one.programs.empty()) out += cat(" by ", one.programs.front());
    if (one.programs.size() > 1) out += cat(" and ", one.programs.size() - 1, " more");
    out += cat(": ", one.why);
    return one.warning.empty() ? out : cat(out, "; ", one.warning);
  }

  const ObservedRun& run_;
  const FileRules& rules_;
  const JudgeInput& input_;
  std::map<std::string, const Closure::Excluded*, std::less<>> excluded_;
  bool counted_ = false;
  std::unordered_map<const Package*, std::size_t> granted_of_;
};

}  // namespace

std::string_view cause_name(Cause cause) {
  return kCauses[static_cast<std::size_t>(cause)];
}

std::string_view in_image_name(Denied::In in) {
  return kInImage[static_cast<std::size_t>(in)];
}

void explain_denied(std::vector<Denied>& denied, const ObservedRun& run, const FileRules& rules,
                    const JudgeInput& input) {
  DenialExplainer(run, rules, input).explain(denied);
}

}  // namespace cloister::manifest
