// No syntax is followed in full: a word that is no path of the image is of no interest, so that
// taking too much for a word costs nothing.
#include "manifest-gen/runtimes/config_scan.h"

#include <utility>

namespace cloister::manifest {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<ConfigDirective> run() {
    while (at_ < text_.size()) step();
    end_directive();
    return std::move(out_);
  }

 private:
  void step() {
    const char c = text_[at_++];
    if (c == '\n') {
      end_directive();
      line_begins_ = true;
      return;
    }
    if (c == ' ' || c == '\t' || c == '\r') {
      end_word();
      return;
    }
    const bool first = std::exchange(line_begins_, false);
    if ((c == '#' && !begun_) || (c == ';' && first)) {
      const std::size_t end = text_.find('\n', at_);
      at_ = end == std::string_view::npos ? text_.size() : end;
    } else if (c == '\\' && at_ < text_.size()) {
      escaped();
    } else if (c == '"' || c == '\'') {
      quoted(c);
    } else if (c == ';' || c == '{' || c == '}') {
      end_directive();
    } else if (std::string_view("=,()<>[]").find(c) != std::string_view::npos) {
      end_word();
    } else {
      word_ += c;
      begun_ = true;
    }
  }

  void escaped() {
    const char c = text_[at_++];
    if (c == '\n') {
      end_word();
    } else {
      word_ += c;
      begun_ = true;
    }
  }

  // Up to the quote, or the end of the line when there is none.
  void quoted(char quote) {
    begun_ = true;
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == quote) ++at_;
      word_ += text_[at_++];
    }
    if (at_ < text_.size() && text_[at_] == quote) ++at_;
  }

  void end_word() {
    if (!begun_) return;
    begun_ = false;
    if (!open_) {
      out_.push_back({std::move(word_), {}});
      open_ = true;
    } else {
      out_.back().words.push_back(std::move(word_));
    }
    word_.clear();
  }

  void end_directive() {
    end_word();
    open_ = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string word_;
  bool begun_ = false, open_ = false, line_begins_ = true;
  std::vector<ConfigDirective> out_;
};

}  // namespace

std::vector<ConfigDirective> scan_config(std::string_view text) {
  return Scanner(text).run();
}

}  // namespace cloister::manifest
