// Most files are small and arrive in one piece, which is then looked at where it lies. Only a file
// that is wanted whole (ELF, program text, or packed) and that crosses a block is copied together.
#include "measure/index/content_scan.h"

#include <algorithm>

#include "base/text.h"
#include "measure/source/elf_scanners.h"

namespace cloister::measure {
namespace {

constexpr std::size_t kMaxShebang = 255;

std::string read_shebang(ByteView head) {
  std::string_view text = as_text(head);
  if (!text.starts_with("#!")) return {};
  text.remove_prefix(2);
  text = text.substr(0, text.find('\n'));
  text = text.substr(0, text.find('\0'));
  return std::string(trim(text.substr(0, kMaxShebang)));
}

}  // namespace

void ContentScan::begin(Entry& entry) {
  entry_ = &entry;
  head_size_ = 0;
  seen_ = 0;
  decided_ = elf_ = capturing_ = kept_ = false;
  scanner_ = nullptr;
  key_mark_.begin(entry.size);
}

Status ContentScan::piece(ByteView bytes) {
  hasher_.update(bytes);
  key_mark_.piece(bytes);
  const bool whole = seen_ == 0 && bytes.size() == entry_->size;
  seen_ += bytes.size();
  if (!decided_) {
    const std::size_t n = std::min(bytes.size(), head_.size() - head_size_);
    std::copy_n(bytes.begin(), n, head_.begin() + static_cast<std::ptrdiff_t>(head_size_));
    head_size_ += n;
    if (head_size_ < head_.size() && seen_ < entry_->size) return {};
    decide();
    if (whole && (capturing_ || key_mark_.marked())) return keep(bytes);
    if (!capturing_) return {};
    CL_CHECK(capture_.begin(entry_->size));
    CL_CHECK(capture_.append(ByteView(head_).first(head_size_)));
    bytes = bytes.subspan(n);
  }
  if (capturing_) return capture_.append(bytes);
  return {};
}

// The first bytes are there: is this file wanted whole?
void ContentScan::decide() {
  decided_ = true;
  const ByteView head = ByteView(head_).first(head_size_);
  entry_->shebang = read_shebang(head);
  elf_ = elf::looks_like_elf(head);
  if (elf_)
    scanner_ = source::elf_scanner_for(entry_->path);
  else if (entry_->size <= source::scanned_bytes(entry_->path, entry_->shebang, limits_))
    scanner_ = source::scanner_for(entry_->path, entry_->shebang);
  capturing_ = elf_ || scanner_ != nullptr || wants_packed(*entry_, limits_);
}

Status ContentScan::keep(ByteView content) {
  kept_ = true;
  entry_->sha256 = hasher_.finish();
  // Programs and libraries name what they read; none is looked at for keys.
  entry_->key_mark = key_mark_.marked() && !elf_;
  if (elf_) {
    // A damaged ELF file is a file like any other; whoever needs it to be one will miss its facts.
    auto facts =
        elf::read_facts(content, limits_, [this](ByteView part) { capture_.release(part); });
    if (facts.has_value()) {
      entry_->elf = static_cast<std::int32_t>(index_.elfs.size());
      index_.elfs.push_back(std::move(*facts));
    }
  }
  if (scanner_ != nullptr) {
    entry_->source = static_cast<std::int32_t>(index_.sources.size());
    index_.sources.push_back(scanner_->scan(content, limits_));
  }
  const bool key = entry_->key_mark && content.size() <= limits_.packed_file_bytes;
  if (key || wants_packed(*entry_, limits_)) pack(content);
  return {};
}

void ContentScan::pack(ByteView content) {
  if (content.size() > limits_.packed_layer_bytes - packed_) return;
  if (index_.pack.try_emplace(entry_->sha256, Bytes(content.begin(), content.end())).second)
    packed_ += content.size();
}

Status ContentScan::end() {
  if (kept_) return {};
  if (capturing_) {
    CL_TRY(const ByteView content, capture_.view());
    return keep(content);
  }
  entry_->sha256 = hasher_.finish();
  entry_->key_mark = key_mark_.marked();
  if (entry_->size == 0 && wants_packed(*entry_, limits_)) pack({});
  return {};
}

}  // namespace cloister::measure
