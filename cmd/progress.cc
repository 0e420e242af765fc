// The terminal form redraws a block of lines in place, at most ten times a second; finished units
// scroll out above it, so that what remains on the screen is a plain log of what was done.
#include "cmd/progress.h"

#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <vector>

#include "base/text.h"

namespace cloister::cmd {
namespace {

using Clock = std::chrono::steady_clock;

struct Unit {
  std::string id, action;
  std::uint64_t total = 0, done = 0;
};

std::string finished_line(const Unit& unit, std::string_view outcome) {
  std::string line = cat(unit.id, "  ", unit.action, ": ", outcome);
  if (unit.total > 0) line += cat("  ", human_bytes(unit.total));
  return line;
}

class Tracker : public Progress {
 protected:
  Unit* find(std::string_view id) {
    for (Unit& unit : units_)
      if (unit.id == id) return &unit;
    return nullptr;
  }
  std::mutex mutex_;
  std::vector<Unit> units_;
};

class PlainProgress final : public Tracker {
 public:
  void start(std::string_view id, std::string_view action, std::uint64_t total) override {
    std::lock_guard lock(mutex_);
    units_.push_back({std::string(id), std::string(action), total, 0});
  }
  void advance(std::string_view, std::uint64_t) override {}
  void finish(std::string_view id, std::string_view outcome) override {
    std::lock_guard lock(mutex_);
    const Unit* unit = find(id);
    if (unit == nullptr) return;
    std::fprintf(stderr, "%s\n", finished_line(*unit, outcome).c_str());
    units_.erase(units_.begin() + (unit - units_.data()));
  }
};

class TtyProgress final : public Tracker {
 public:
  explicit TtyProgress(unsigned columns) : columns_(columns < 40 ? 40 : columns) {}
  ~TtyProgress() override { erase_block(); }

  void start(std::string_view id, std::string_view action, std::uint64_t total) override {
    std::lock_guard lock(mutex_);
    units_.push_back({std::string(id), std::string(action), total, 0});
    draw(true);
  }
  void advance(std::string_view id, std::uint64_t bytes) override {
    std::lock_guard lock(mutex_);
    if (Unit* unit = find(id)) unit->done += bytes;
    draw(false);
  }
  void finish(std::string_view id, std::string_view outcome) override {
    std::lock_guard lock(mutex_);
    const Unit* unit = find(id);
    if (unit == nullptr) return;
    erase_block();
    std::fprintf(stderr, "%s\n", finished_line(*unit, outcome).c_str());
    units_.erase(units_.begin() + (unit - units_.data()));
    draw(true);
  }

 private:
  void erase_block() {
    if (drawn_ > 0) std::fprintf(stderr, "\033[%zuA\033[J", drawn_);
    drawn_ = 0;
  }
  void draw(bool now) {
    const auto time = Clock::now();
    if (!now && time - last_ < std::chrono::milliseconds(100)) return;
    last_ = time;
    erase_block();
    for (const Unit& unit : units_) std::fprintf(stderr, "%s\n", bar(unit).c_str());
    drawn_ = units_.size();
    std::fflush(stderr);
  }
  std::string bar(const Unit& unit) const {
    std::string line = cat(unit.id, "  ", unit.action, " ");
    std::string amount = human_bytes(unit.done);
    if (unit.total == 0) return line + amount;
    amount += " / " + human_bytes(unit.total);
    const std::size_t used = line.size() + amount.size() + 4;
    if (columns_ <= used + 5) return line + amount;
    const std::size_t width = std::min<std::size_t>(columns_ - used, 40);
    const std::size_t full = std::min<std::size_t>(width, unit.done * width / unit.total);
    return cat(line, "[", std::string(full, '#'), std::string(width - full, '-'), "] ", amount);
  }
  std::size_t columns_;
  std::size_t drawn_ = 0;
  Clock::time_point last_{};
};

}  // namespace

std::unique_ptr<Progress> make_progress(ProgressMode mode, unsigned columns) {
  switch (mode) {
    case ProgressMode::plain:
      return std::make_unique<PlainProgress>();
    case ProgressMode::tty:
      return std::make_unique<TtyProgress>(columns);
    case ProgressMode::none:
      break;
  }
  return std::make_unique<NoProgress>();
}

}  // namespace cloister::cmd
