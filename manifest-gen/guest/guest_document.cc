#include "manifest-gen/guest/guest_document.h"

#include <charconv>
#include <limits>

#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kFirstLine = "cloister-guest 1";

// What the first process takes (init/guest.c): the last number is nobody to chown(2), and sizes are
// signed there.
constexpr std::uint32_t kMostId = std::numeric_limits<std::uint32_t>::max() - 1;
constexpr std::uint64_t kMostBytes = std::numeric_limits<std::int64_t>::max();
constexpr int kMostSignal = 64;

bool must_escape(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7f || byte == '\\';
}

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (!must_escape(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '\\';
    for (int shift = 6; shift >= 0; shift -= 3)
      out += static_cast<char>('0' + ((byte >> shift) & 7));
  }
  return out;
}

std::string octal(std::uint32_t mode) {
  char text[16];
  const auto [end, error] = std::to_chars(std::begin(text), std::end(text), mode, 8);
  return {text, error == std::errc() ? end : text};
}

class Writer {
 public:
  template <typename... Fields>
  void line(std::string_view key, const Fields&... fields) {
    out_ += key;
    ((out_ += ' ', out_ += field(fields)), ...);
    out_ += '\n';
  }
  std::string take() { return std::move(out_); }

 private:
  static std::string field(const std::string& text) { return escape(text); }
  template <typename Integer>
  static std::string field(Integer number) {
    return std::to_string(number);
  }
  std::string out_;
};

void write_plan(const GuestPlan& plan, Writer& out) {
  out.line("program", plan.program);
  for (const std::string& word : plan.argv) out.line("argv", word);
  for (const auto& [name, value] : plan.env) out.line("env", cat(name, "=", value));
  out.line("user", plan.uid, plan.gid);
  for (const std::uint32_t group : plan.groups) out.line("group", group);
  out.line("workdir", plan.workdir);
  out.line("hostname", plan.hostname);
  out.line("stop", plan.stop_signal);
  out.line("earliest", plan.earliest.time_since_epoch().count());
  out.line("network", std::string(plan.network ? "dhcp" : "none"));
  for (const std::string& port : plan.ports) out.line("port", port);
}

void write_entry(const std::string& path, const GuestEntry& entry, Writer& out) {
  switch (entry.type) {
    case GuestEntry::Type::directory:
      return out.line("directory", path, octal(entry.mode), entry.uid, entry.gid);
    case GuestEntry::Type::symlink:
      return out.line("link", path, entry.link_target);
    case GuestEntry::Type::file:
      return out.line("file", path, octal(entry.mode), entry.uid, entry.gid, entry.size,
                      entry.sha256.hex());
  }
}

// --- Reading
// --------------------------------------------------------------------------------------

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      if (must_escape(text[i])) return std::nullopt;
      out += text[i];
      continue;
    }
    if (text.size() - i < 4) return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(&text[i + 1], &text[i] + 4, value, 8);
    if (error != std::errc() || end != &text[i] + 4 || value == 0 || value > 255)
      return std::nullopt;
    out += static_cast<char>(value);
    if (!must_escape(out.back())) return std::nullopt;  // one spelling for a text
    i += 3;
  }
  return out;
}

Error damaged(std::string_view key) {
  return Error::corrupt(cat("a guest document has a malformed line ", quote(key)));
}

// No name leads out of the root, or is written in two ways.
bool is_plain_name(std::string_view path) {
  if (path.empty()) return true;  // the root
  for (const std::string_view part : split(path, '/'))
    if (part.empty() || part == "." || part == "..") return false;
  return true;
}

class LineReader {
 public:
  LineReader(std::string_view key, std::vector<std::string_view> fields)
      : key_(key), fields_(std::move(fields)) {}

  std::string_view key() const { return key_; }
  std::size_t size() const { return fields_.size(); }
  std::string text(std::size_t i) {
    auto out = i < fields_.size() ? unescape(fields_[i]) : std::nullopt;
    if (!out) ok_ = false;
    return out.value_or("");
  }
  template <typename Integer = std::uint32_t>
  Integer number(std::size_t i, int base = 10, Integer most = std::numeric_limits<Integer>::max()) {
    Integer out = 0;
    if (i >= fields_.size()) return fail(out);
    const std::string_view text = fields_[i];
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, out, base);
    const bool canonical =
        text == "0" || (!text.empty() && text.front() >= '1' && text.front() <= '9');
    if (error != std::errc() || end != last || !canonical || out > most) return fail(Integer{0});
    return out;
  }
  std::uint32_t id(std::size_t i) { return number(i, 10, kMostId); }
  Digest digest(std::size_t i) {
    auto out = Digest::parse_hex(i < fields_.size() ? fields_[i] : std::string_view());
    if (!out.has_value() || out->hex() != fields_[i]) {
      ok_ = false;
      return {};
    }
    return *out;
  }
  // All fields were read, and well.
  Status want(std::size_t count) const {
    if (!ok_ || fields_.size() != count) return damaged(key_);
    return {};
  }

 private:
  template <typename Integer>
  Integer fail(Integer value) {
    ok_ = false;
    return value;
  }
  std::string_view key_;
  std::vector<std::string_view> fields_;
  bool ok_ = true;
};

class DocumentParser {
 public:
  explicit DocumentParser(const Limits& limits) : limits_(limits) {}

  Result<GuestDocument> run(std::string_view text) {
    if (text.size() > limits_.guest_document_bytes)
      return Error::limit(
          cat("a guest document has more than ", limits_.guest_document_bytes, " bytes"));
    if (!text.starts_with(cat(kFirstLine, "\n")))
      return Error::corrupt("this is no guest document of version 1");
    const std::string_view whole = text;
    text.remove_prefix(kFirstLine.size() + 1);
    while (!text.empty() && !ended_) {
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos) return damaged(text.substr(0, 32));
      std::vector<std::string_view> words = split(text.substr(0, end), ' ');
      const std::string_view key = words.front();
      words.erase(words.begin());
      LineReader line(key, std::move(words));
      CL_CHECK(take(line));
      text.remove_prefix(end + 1);
    }
    if (!ended_ || !text.empty()) return Error::corrupt("a guest document does not end as it must");
    if (out_.plan.program.empty() || out_.plan.argv.empty())
      return Error::corrupt("a guest document names no program");
    // One text for one document: what is compared is what was read.
    if (encode_guest_document(out_) != whole)
      return Error::corrupt("a guest document is not written as it must be");
    return std::move(out_);
  }

 private:
  Status take(LineReader& line) {
    const std::string_view key = line.key();
    GuestPlan& plan = out_.plan;
    if (key == "directory" || key == "link" || key == "file") return take_entry(line);
    if (key == "end") {
      if (line.number<std::size_t>(0) != out_.tree.size()) return damaged(key);
      ended_ = true;
      return line.want(1);
    }
    if (key == "user") {
      plan.uid = line.id(0);
      plan.gid = line.id(1);
      return line.want(2);
    }
    if (key == "writable") {
      plan.writable.push_back(
          {line.text(0), line.number(1, 8, 07777U), line.id(2), line.id(3), ""});
      return line.want(4);
    }
    if (key == "disk") {
      out_.disk =
          DiskLine{line.text(0), line.number(1, 10, kMostBytes), line.number(2, 10, kMostBytes)};
      return line.want(3);
    }
    CL_CHECK(take_single(line));
    return line.want(1);
  }

  Status take_single(LineReader& line) {
    const std::string_view key = line.key();
    GuestPlan& plan = out_.plan;
    if (key == "kernel") {
      out_.kernel = line.text(0);
    } else if (key == "program") {
      plan.program = line.text(0);
    } else if (key == "argv") {
      plan.argv.push_back(line.text(0));
    } else if (key == "env") {
      const std::string text = line.text(0);
      const std::size_t equals = text.find('=');
      if (equals == std::string::npos) return damaged(key);
      plan.env.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    } else if (key == "group") {
      plan.groups.push_back(line.id(0));
    } else if (key == "workdir") {
      plan.workdir = line.text(0);
    } else if (key == "hostname") {
      plan.hostname = line.text(0);
    } else if (key == "stop") {
      plan.stop_signal = line.number(0, 10, kMostSignal);
    } else if (key == "earliest") {
      plan.earliest = Seconds(std::chrono::seconds(line.number<std::int64_t>(0)));
    } else if (key == "network") {
      plan.network = line.text(0) == "dhcp";
    } else if (key == "port") {
      plan.ports.push_back(line.text(0));
    } else if (key == "module") {
      out_.modules.push_back(line.text(0));
    } else {
      return damaged(key);
    }
    return {};
  }

  Status take_entry(LineReader& line) {
    GuestEntry entry;
    std::string path = line.text(0);
    if (!path.starts_with('/')) return damaged(line.key());
    path.erase(0, 1);
    if (line.key() == "link") {
      entry.type = GuestEntry::Type::symlink;
      entry.mode = 0777;
      entry.link_target = line.text(1);
      CL_CHECK(line.want(2));
    } else {
      const bool file = line.key() == "file";
      entry.mode = line.number(1, 8, 07777U);
      entry.uid = line.id(2);
      entry.gid = line.id(3);
      if (file) {
        entry.type = GuestEntry::Type::file;
        entry.size = line.number(4, 10, kMostBytes);
        entry.sha256 = line.digest(5);
      }
      CL_CHECK(line.want(file ? 6 : 4));
    }
    if (!has_place(path, entry)) return damaged(line.key());
    if (!out_.tree.emplace(std::move(path), std::move(entry)).second) return damaged(line.key());
    if (out_.tree.size() > limits_.layer_entries)
      return Error::limit(
          cat("a guest document lists more than ", limits_.layer_entries, " names"));
    return {};
  }

  // What is unpacked below a link goes where that leads, over the first process if it will. So what
  // is above an entry is a directory, and stands before it.
  bool has_place(std::string_view path, const GuestEntry& entry) const {
    if (!is_plain_name(path)) return false;
    if (path.empty()) return entry.type == GuestEntry::Type::directory;
    const std::size_t slash = path.rfind('/');
    const auto above =
        out_.tree.find(std::string(slash == std::string_view::npos ? "" : path.substr(0, slash)));
    return above != out_.tree.end() && above->second.type == GuestEntry::Type::directory;
  }

  const Limits& limits_;
  GuestDocument out_;
  bool ended_ = false;
};

}  // namespace

std::string encode_guest_document(const GuestDocument& document) {
  Writer out;
  out.line(kFirstLine);
  if (!document.kernel.empty()) out.line("kernel", document.kernel);
  write_plan(document.plan, out);
  for (const std::string& module : document.modules) out.line("module", module);
  if (const auto& disk = document.disk)
    out.line("disk", disk->device, disk->data_blocks, disk->hash_start);
  for (const GuestPlace& place : document.plan.writable)
    out.line("writable", place.path, octal(place.mode), place.uid, place.gid);
  for (const auto& [path, entry] : document.tree) write_entry("/" + path, entry, out);
  out.line("end", document.tree.size());
  return out.take();
}

Result<GuestDocument> parse_guest_document(std::string_view text, const Limits& limits) {
  return DocumentParser(limits).run(text);
}

}  // namespace cloister::manifest
