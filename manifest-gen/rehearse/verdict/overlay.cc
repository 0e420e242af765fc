#include "manifest-gen/rehearse/verdict/overlay.h"

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "base/text.h"
#include "base/toml.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kOverlayHead =
    "# A manifest overlay, from what the program was seen to do: for `cloister build "
    "--manifest`.\n";

bool expressible(std::string_view text) {
  return is_utf8(text) && text.find('\0') == std::string_view::npos;
}

// The value behind TOML text; nothing when it is not one value.
std::optional<TomlValue> value_of(std::string_view text) {
  const auto parsed = parse_toml(cat("value = ", text, "\n"), Limits{}, "a proposal");
  if (!parsed.has_value() || parsed->size() != 1) return std::nullopt;
  return parsed->begin()->second;
}

TomlTable mount_table(const Proposal& proposal) {
  TomlTable out;
  const bool encrypted = proposal.kind == Proposal::Kind::encrypted;
  out.set("type", encrypted ? "encrypted" : "tmpfs");
  out.set("path", proposal.path);
  if (encrypted) {
    out.set("uri", cat("file:", proposal.path));
    out.set("key_name", "_sgx_mrenclave");
  }
  return out;
}

TomlValue element_of(const Proposal& proposal) {
  if (proposal.kind == Proposal::Kind::allowed_file) return cat("file:", proposal.path);
  if (proposal.kind != Proposal::Kind::trusted_file) return mount_table(proposal);
  TomlTable out;
  out.set("uri", cat("file:", proposal.path));
  return out;
}

// Characters that are drawn as nothing, or turn the order of others, are written as what they are:
// the same name for a parser, and no riddle for who reads the line. Upper case: tomlc99.
std::string visible_string(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  const std::string plain = toml_string(text);
  std::string out;
  for (std::size_t at = 0; at < plain.size();) {
    const CodePoint point = code_point_at(plain, at);
    if (is_unseen(point.value)) {
      out += point.value > 0xffff ? "\\U" : "\\u";
      for (int shift = point.value > 0xffff ? 28 : 12; shift >= 0; shift -= 4)
        out += kDigits[(point.value >> shift) & 15];
    } else {
      out += plain.substr(at, point.length);
    }
    at += point.length;
  }
  return out;
}

// Lists are tables or strings in one array each: the comment of an element is its reason.
struct List {
  std::string_view key;
  TomlArray elements;
  std::vector<std::string> reasons;
};

// One line, whatever is in it.
std::string remark(std::string_view text) {
  return printable(text);
}

class OverlayWriter {
 public:
  void add(const Proposal& proposal) {
    if (proposal.kind == Proposal::Kind::value)
      add_value(proposal);
    else if (!expressible(proposal.path))
      left_out_.push_back(cat("the name of ", quote(proposal.path),
                              " is not UTF-8, and a manifest cannot state it: ", proposal.reason));
    else
      add_element(proposal);
  }

  std::string text() {
    std::string out(kOverlayHead);
    for (const std::string& line : left_out_) out += cat("# ", remark(line), "\n");
    out += emit_toml(values_, [&](std::string_view key, std::size_t) {
      const auto at = reasons_.find(key);
      return at == reasons_.end() ? std::string() : remark(at->second);
    });
    for (const List& list : lists_) {
      if (list.elements.empty()) continue;
      // By hand, since a comment belongs to an element and an array of strings is one line.
      out += cat(list.key, " = [\n");
      for (std::size_t i = 0; i < list.elements.size(); ++i)
        out += cat("  ", inline_toml(list.elements[i]), ",  # ", remark(list.reasons[i]), "\n");
      out += "]\n";
    }
    return out;
  }

  // A string, or a table of strings.
  static std::string inline_toml(const TomlValue& value) {
    if (value.string() != nullptr) return visible_string(*value.string());
    std::string out;
    for (const auto& [key, field] : *value.table())
      out += cat(out.empty() ? "{ " : ", ", toml_key(key), " = ", visible_string(*field.string()));
    return out + " }";
  }

 private:
  void add_value(const Proposal& proposal) {
    auto value = value_of(proposal.value);
    if (!value || values_.at(proposal.key) != nullptr || !can_put(proposal.key)) {
      left_out_.push_back(cat(proposal.key, " = ", proposal.value, ": ", proposal.reason));
      return;
    }
    values_.put(proposal.key, *std::move(value));
    reasons_[proposal.key] = proposal.reason;
  }

  // Whether all on the way to it are tables.
  bool can_put(std::string_view dotted) const {
    for (std::size_t dot = dotted.find('.'); dot != std::string_view::npos;
         dot = dotted.find('.', dot + 1)) {
      const TomlValue* on_way = values_.at(dotted.substr(0, dot));
      if (on_way != nullptr && on_way->table() == nullptr) return false;
    }
    return true;
  }

  void add_element(const Proposal& proposal) {
    for (List& list : lists_)
      if (list.key == proposal.key) {
        list.elements.push_back(element_of(proposal));
        list.reasons.push_back(proposal.reason);
      }
  }

  TomlTable values_;
  std::map<std::string, std::string, std::less<>> reasons_;
  List lists_[3] = {
      {"fs.mounts", {}, {}}, {"sgx.trusted_files", {}, {}}, {"sgx.allowed_files", {}, {}}};
  std::vector<std::string> left_out_;
};

}  // namespace

std::string overlay_toml(const std::vector<Proposal>& proposals) {
  OverlayWriter writer;
  for (const Proposal& proposal : proposals) writer.add(proposal);
  return writer.text();
}

std::string overlay_line(const Proposal& proposal) {
  if (proposal.kind == Proposal::Kind::value) return cat(proposal.key, " = ", proposal.value);
  return cat(proposal.key, " = [", OverlayWriter::inline_toml(element_of(proposal)), "]");
}

}  // namespace cloister::manifest
