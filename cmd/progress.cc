// The terminal form redraws a block of lines in place, at most ten times a second; finished units
// scroll out above it, so that what remains on the screen is a plain log of what was done. No line
// is as wide as the terminal, which is asked each time, so that none wraps and each is erased.
#include "cmd/progress.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <vector>

#include "base/text.h"
#include "cmd/environment.h"
#include "cmd/progress_line.h"

namespace cloister::cmd {
namespace {

using Clock = std::chrono::steady_clock;

// So many bars fit every terminal.
constexpr std::size_t kMostBars = 12;
// How often a log is told of a transfer that takes long.
constexpr std::chrono::seconds kPlainInterval{10};

struct Unit {
  Transfer transfer;
  Clock::time_point began, told;
};

void put_line(std::string_view line) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

class SilentProgress final : public ProgressDisplay {
 public:
  void start(std::string_view, std::string_view, std::uint64_t) override {}
  void advance(std::string_view, std::uint64_t) override {}
  void finish(std::string_view, std::string_view) override {}
  void say(std::string_view line) override { put_line(line); }
};

class Tracker : public ProgressDisplay {
 protected:
  void begin(std::string_view id, std::string_view action, std::uint64_t total) {
    const auto now = Clock::now();
    units_.push_back({{std::string(id), std::string(action), total, 0, {}}, now, now});
  }
  Unit* find(std::string_view id) {
    for (Unit& unit : units_)
      if (unit.transfer.id == id) return &unit;
    return nullptr;
  }
  static void set_elapsed(Unit& unit, Clock::time_point now) {
    unit.transfer.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - unit.began);
  }
  // Takes it out, and answers its last line; nothing when there is no such unit.
  std::string end(std::string_view id, std::string_view outcome) {
    Unit* unit = find(id);
    if (unit == nullptr) return "";
    set_elapsed(*unit, Clock::now());
    std::string line = finished_line(unit->transfer, outcome);
    moved_ += unit->transfer.done;
    ++finished_;
    units_.erase(units_.begin() + (unit - units_.data()));
    return line;
  }
  std::mutex mutex_;
  std::vector<Unit> units_;
  std::uint64_t moved_ = 0;  // by units that ended
  std::size_t finished_ = 0;
};

class PlainProgress final : public Tracker {
 public:
  void start(std::string_view id, std::string_view action, std::uint64_t total) override {
    std::lock_guard lock(mutex_);
    begin(id, action, total);
  }
  void advance(std::string_view id, std::uint64_t bytes) override {
    std::lock_guard lock(mutex_);
    Unit* unit = find(id);
    if (unit == nullptr) return;
    unit->transfer.done += bytes;
    const auto now = Clock::now();
    if (now - unit->told < kPlainInterval) return;
    unit->told = now;
    set_elapsed(*unit, now);
    put_line(plain_progress_line(unit->transfer));
  }
  void finish(std::string_view id, std::string_view outcome) override {
    std::lock_guard lock(mutex_);
    if (const std::string line = end(id, outcome); !line.empty()) put_line(line);
  }
  void say(std::string_view line) override {
    std::lock_guard lock(mutex_);
    put_line(line);
  }
};

class TtyProgress final : public Tracker {
 public:
  TtyProgress() = default;
  ~TtyProgress() override { erase_block(); }

  void start(std::string_view id, std::string_view action, std::uint64_t total) override {
    std::lock_guard lock(mutex_);
    begin(id, action, total);
    draw(true);
  }
  void advance(std::string_view id, std::uint64_t bytes) override {
    std::lock_guard lock(mutex_);
    if (Unit* unit = find(id)) unit->transfer.done += bytes;
    draw(false);
  }
  void finish(std::string_view id, std::string_view outcome) override {
    std::lock_guard lock(mutex_);
    const std::string line = end(id, outcome);
    if (line.empty()) return;
    erase_block();
    put_line(line);
    draw(true);
  }
  void say(std::string_view line) override {
    std::lock_guard lock(mutex_);
    erase_block();
    put_line(line);
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
    const std::size_t columns = std::max(terminal_columns(), 20U) - 1;
    std::uint64_t moved = moved_;
    for (Unit& unit : units_) {
      set_elapsed(unit, time);
      moved += unit.transfer.done;
      if (drawn_ == kMostBars) continue;
      put_line(progress_line(unit.transfer, columns));
      ++drawn_;
    }
    if (units_.size() > 1) {
      const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(time - began_);
      put_line(progress_line(
          {cat(finished_, " done"), cat(units_.size(), " under way"), 0, moved, elapsed}, columns));
      ++drawn_;
    }
    std::fflush(stderr);
  }
  std::size_t drawn_ = 0;
  Clock::time_point last_{}, began_ = Clock::now();
};

}  // namespace

std::unique_ptr<ProgressDisplay> make_progress(ProgressMode mode) {
  switch (mode) {
    case ProgressMode::plain:
      return std::make_unique<PlainProgress>();
    case ProgressMode::tty:
      return std::make_unique<TtyProgress>();
    case ProgressMode::none:
      break;
  }
  return std::make_unique<SilentProgress>();
}

}  // namespace cloister::cmd
