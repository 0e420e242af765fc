// A template becomes a flat list of steps, in which {{range}} and {{if}} know where their {{else}}
// and {{end}} are; they are run with a stack of lists, so that no nesting costs recursion.
#include "cmd/template.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/json.h"
#include "base/suggest.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

constexpr std::string_view kForms =
    "{{.}}, {{.a.b}}, {{json X}}, {{index X KEY…}}, {{len X}}, {{join X \", \"}}, {{range X}}, "
    "{{if X}}, {{else}} and {{end}} are what there is";

struct TemplateStep {
  enum class Kind { text, put, json, index, len, join, range, branch, otherwise, end };
  Kind kind = Kind::text;
  std::string text;                    // of `text`; the separator of `join`
  std::vector<std::string> path;       // field names, from "."
  std::vector<std::string> keys;       // of `index`: quoted ones with a leading '"'
  std::size_t otherwise = 0, end = 0;  // of range and branch: steps; otherwise == end: none
  std::size_t open = 0;                // of otherwise and end: what they belong to
  std::string source;                  // "{{len .a}}", for errors
};
using Kind = TemplateStep::Kind;

Error template_error(std::string_view source, std::string_view what) {
  return Error::usage(cat("--format: ", quote(source), " ", what)).hint(std::string(kForms));
}

// "\n" and "\t" as they are typed between single quotes.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pair = text[i] == '\\' && i + 1 < text.size();
    if (pair && text[i + 1] == 'n')
      out += '\n', ++i;
    else if (pair && text[i + 1] == 't')
      out += '\t', ++i;
    else
      out += text[i];
  }
  return out;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](const char& c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return letter || (c >= '0' && c <= '9' && &c != text.data());
  });
}

class TemplateParser {
 public:
  explicit TemplateParser(std::string_view text) : text_(text) {}

  Result<std::vector<TemplateStep>> parse() && {
    while (at_ < text_.size()) {
      const std::size_t open = std::min(text_.find("{{", at_), text_.size());
      if (open > at_) {
        TemplateStep step;
        step.text = unescaped(text_.substr(at_, open - at_));
        steps_.push_back(std::move(step));
      }
      at_ = open;
      if (at_ < text_.size()) CL_CHECK(action());
    }
    if (!open_.empty()) return template_error(steps_[open_.back()].source, "has no {{end}}");
    return std::move(steps_);
  }

 private:
  // The words between "{{" and "}}"; quoted ones keep their leading quote.
  Result<std::vector<std::string>> words() {
    const std::size_t begin = at_;
    std::vector<std::string> out;
    for (at_ += 2; at_ < text_.size();) {
      if (text_.substr(at_).starts_with("}}")) {
        at_ += 2;
        source_ = std::string(text_.substr(begin, at_ - begin));
        return out;
      }
      if (text_[at_] == ' ' || text_[at_] == '\t')
        ++at_;
      else if (text_[at_] == '"')
        CL_CHECK(quoted_word(out));
      else
        out.push_back(bare_word());
    }
    return template_error(text_.substr(begin), "does not end in }}");
  }
  std::string bare_word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != '\t' && text_[at_] != '"' &&
           !text_.substr(at_).starts_with("}}"))
      ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  Status quoted_word(std::vector<std::string>& out) {
    const std::size_t begin = at_;
    std::string word = "\"";
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        out.push_back(std::move(word));
        return {};
      }
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        const char c = text_[++at_];
        word += c == 'n' ? '\n' : c == 't' ? '\t' : c;
      } else {
        word += text_[at_];
      }
    }
    return template_error(text_.substr(begin), "is a text without its closing quote");
  }

  Status set_path(TemplateStep& step, const std::string& word) const {
    if (word == ".") return {};
    if (!word.starts_with('.'))
      return template_error(source_, "names no field: they begin with '.'");
    for (const std::string_view name : split(std::string_view(word).substr(1), '.')) {
      if (!is_name(name))
        return template_error(source_, cat("has ", quote(name), ", which is no field's name"));
      step.path.emplace_back(name);
    }
    return {};
  }

  Status action() {
    CL_TRY(const auto words, this->words());
    TemplateStep step;
    step.source = source_;
    if (words.empty()) return template_error(source_, "is empty");
    const std::string& first = words.front();
    if (first == "end" || first == "else") return close(std::move(step), first == "else", words);
    std::size_t wanted = 2;
    if (first.starts_with('.')) {
      step.kind = Kind::put;
      wanted = 1;
    } else if (first == "json") {
      step.kind = Kind::json;
    } else if (first == "len") {
      step.kind = Kind::len;
    } else if (first == "range") {
      step.kind = Kind::range;
    } else if (first == "if") {
      step.kind = Kind::branch;
    } else if (first == "join") {
      step.kind = Kind::join;
      wanted = 3;
    } else if (first == "index") {
      step.kind = Kind::index;
      wanted = std::max<std::size_t>(words.size(), 3);
    } else {
      return template_error(source_, "is not supported");
    }
    if (words.size() != wanted) return template_error(source_, "has too few or too many words");
    CL_CHECK(set_path(step, words[wanted == 1 ? 0 : 1]));
    if (step.kind == Kind::join) {
      if (!words[2].starts_with('"'))
        return template_error(source_, "wants its separator in quotes");
      step.text = words[2].substr(1);
    }
    if (step.kind == Kind::index) step.keys.assign(words.begin() + 2, words.end());
    if (step.kind == Kind::range || step.kind == Kind::branch) open_.push_back(steps_.size());
    steps_.push_back(std::move(step));
    return {};
  }

  Status close(TemplateStep step, bool otherwise, const std::vector<std::string>& words) {
    if (words.size() > 1) return template_error(source_, "is not supported");
    if (open_.empty()) return template_error(source_, "closes nothing");
    TemplateStep& opened = steps_[open_.back()];
    step.open = open_.back();
    if (otherwise) {
      if (opened.otherwise != 0) return template_error(source_, "is a second one");
      opened.otherwise = steps_.size();
      step.kind = Kind::otherwise;
    } else {
      opened.end = steps_.size();
      if (opened.otherwise == 0) opened.otherwise = opened.end;
      step.kind = Kind::end;
      open_.pop_back();
    }
    steps_.push_back(std::move(step));
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string source_;
  std::vector<TemplateStep> steps_;
  std::vector<std::size_t> open_;
};

class TemplateRun {
 public:
  TemplateRun(const std::vector<TemplateStep>& steps, const OrderedJson& root)
      : steps_(steps), dot_(&root) {}

  Result<std::string> run() && {
    for (std::size_t at = 0; at < steps_.size();) {
      CL_TRY(at, step(at));
    }
    return std::move(out_);
  }

 private:
  struct Loop {
    const OrderedJson* list;
    std::size_t next;
    const OrderedJson* outside;  // what "." was
  };

  Result<std::size_t> step(std::size_t at) {
    const TemplateStep& s = steps_[at];
    switch (s.kind) {
      case Kind::text:
        out_ += s.text;
        return at + 1;
      case Kind::put:
      case Kind::json:
      case Kind::index:
      case Kind::len:
      case Kind::join:
        CL_CHECK(put(s));
        return at + 1;
      case Kind::range:
        return begin_range(s, at);
      case Kind::branch: {
        const OrderedJson* value = find(s.path);
        return value != nullptr && holds(*value) ? at + 1 : s.otherwise + 1;
      }
      case Kind::otherwise:
      case Kind::end:
        break;
    }
    const TemplateStep& opened = steps_[s.open];
    if (opened.kind == Kind::branch || loops_.empty() || !in_loop(s.open)) return opened.end + 1;
    return next_round(s.open);
  }

  // The {{else}} of a range that had nothing is run outside of a loop.
  bool in_loop(std::size_t open) const { return !rounds_.empty() && rounds_.back() == open; }

  Result<std::size_t> begin_range(const TemplateStep& s, std::size_t at) {
    CL_TRY(const OrderedJson* list, get(s));
    if (!list->is_array() && !list->is_null())
      return template_error(s.source, cat("wants a list, and that is ", list->type_name()));
    if (list->empty()) return s.otherwise + 1;
    loops_.push_back({list, 0, dot_});
    rounds_.push_back(at);
    return next_round(at);
  }
  std::size_t next_round(std::size_t open) {
    Loop& loop = loops_.back();
    if (loop.next == loop.list->size()) {
      dot_ = loop.outside;
      loops_.pop_back();
      rounds_.pop_back();
      return steps_[open].end + 1;
    }
    dot_ = &(*loop.list)[loop.next++];
    return open + 1;
  }

  const OrderedJson* find(const std::vector<std::string>& path) const {
    const OrderedJson* at = dot_;
    for (const std::string& name : path) {
      if (!at->is_object()) return nullptr;
      const auto field = at->find(name);
      if (field == at->end()) return nullptr;
      at = &*field;
    }
    return at;
  }
  Result<const OrderedJson*> get(const TemplateStep& s) const {
    const OrderedJson* at = dot_;
    for (const std::string& name : s.path) {
      if (!at->is_object())
        return template_error(s.source,
                              cat("looks for ", quote(name), " in what is ", at->type_name()));
      const auto field = at->find(name);
      if (field == at->end()) return no_field(s, *at, name);
      at = &*field;
    }
    return at;
  }
  static Error no_field(const TemplateStep& s, const OrderedJson& object, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& item : object.items()) names.push_back(item.key());
    Error error = Error::usage(cat("--format: ", quote(s.source), ": there is no ", quote(name)));
    for (const std::string& one : names)
      if (iequals_ascii(one, name))
        return std::move(error).hint(cat("did you mean ", quote(one), "?"));
    const auto near = nearest(name, names);
    if (names.size() > 30) names.resize(30);
    for (std::string& one : names) one = printable(one);
    return std::move(error).hint(did_you_mean(
        near, names.empty() ? "that is an empty object" : cat("there are ", join(names, ", "))));
  }
  static bool holds(const OrderedJson& value) {
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_number()) return value != 0;
    if (value.is_string()) return !value.get_ref<const std::string&>().empty();
    return !value.empty();  // null is
  }

  static std::optional<std::string> plain(const OrderedJson& value) {
    if (value.is_string()) return printable(value.get_ref<const std::string&>());
    if (value.is_structured()) return std::nullopt;
    return dump_json(value);
  }
  Status put_plain(const TemplateStep& s, const OrderedJson& value) {
    const auto text = plain(value);
    if (!text)
      return template_error(s.source, cat("is ", value.is_array() ? "a list" : "an object",
                                          ": {{json …}} writes it, {{range …}} takes it apart"));
    out_ += *text;
    return {};
  }

  Status put(const TemplateStep& s) {
    CL_TRY(const OrderedJson* value, get(s));
    if (s.kind == Kind::put) return put_plain(s, *value);
    if (s.kind == Kind::json) {
      out_ += dump_json(*value);
    } else if (s.kind == Kind::len) {
      if (!value->is_structured() && !value->is_string())
        return template_error(s.source, cat("wants a list, and that is ", value->type_name()));
      out_ += cat(value->is_string() ? value->get_ref<const std::string&>().size() : value->size());
    } else if (s.kind == Kind::join) {
      return put_joined(s, *value);
    } else {
      for (const std::string& key : s.keys) {
        CL_TRY(value, element(s, *value, key));
      }
      return put_plain(s, *value);
    }
    return {};
  }
  Status put_joined(const TemplateStep& s, const OrderedJson& list) {
    if (!list.is_array())
      return template_error(s.source, cat("wants a list, and that is ", list.type_name()));
    bool first = true;
    for (const OrderedJson& item : list) {
      if (!first) out_ += s.text;
      first = false;
      CL_CHECK(put_plain(s, item));
    }
    return {};
  }
  static Result<const OrderedJson*> element(const TemplateStep& s, const OrderedJson& of,
                                            const std::string& key) {
    if (key.starts_with('"')) {
      const std::string name = key.substr(1);
      if (!of.is_object())
        return template_error(s.source,
                              cat("looks for ", quote(name), " in what is ", of.type_name()));
      const auto field = of.find(name);
      if (field == of.end()) return no_field(s, of, name);
      return &*field;
    }
    const auto number = parse_u64(key);
    if (!number) return template_error(s.source, "wants keys in quotes, or numbers");
    if (!of.is_array() || *number >= of.size())
      return template_error(s.source,
                            cat("wants number ", *number, " of what is ",
                                of.is_array() ? cat("a list of ", of.size()) : of.type_name()));
    return &of[*number];
  }

  const std::vector<TemplateStep>& steps_;
  const OrderedJson* dot_;
  std::vector<Loop> loops_;
  std::vector<std::size_t> rounds_;  // the range step of each loop
  std::string out_;
};

Result<std::string> fill(const std::vector<TemplateStep>& steps, const OrderedJson& value) {
  CL_TRY(std::string out, TemplateRun(steps, value).run());
  if (!out.ends_with('\n')) out += '\n';
  return out;
}

}  // namespace

Result<std::string> fill_template(std::string_view text, const std::string& json,
                                  const Limits& limits) {
  CL_TRY(const auto steps, TemplateParser(text).parse());
  CL_TRY(const OrderedJson document, parse_ordered_json(json, limits, "the result"));
  return fill(steps, document);
}

Result<std::string> fill_rows(std::string_view text, const std::string& json,
                              const std::string& rows, const Limits& limits) {
  CL_TRY(const auto steps, TemplateParser(text).parse());
  CL_TRY(const OrderedJson document, parse_ordered_json(json, limits, "the result"));
  std::string out;
  for (const OrderedJson& row : document.at(rows)) {
    CL_TRY(const std::string line, fill(steps, row));
    out += line;
  }
  return out;
}

}  // namespace cloister::cmd
