// Progress as values that flow up: libraries report, cmd/ decides what a person sees.
#pragma once

#include <cstdint>
#include <string_view>

namespace cloister {

// Receives events about named units of work (a layer, a blob), identified by `id`, usually the
// first 12 hex digits of a digest. Called from several threads: implementations lock.
class Progress {
 public:
  virtual ~Progress() = default;
  // A unit begins; `total` is its size in bytes, 0 when unknown. `action`: "pulling", "indexing"…
  virtual void start(std::string_view id, std::string_view action, std::uint64_t total) = 0;
  virtual void advance(std::string_view id, std::uint64_t bytes) = 0;
  // It ended; `outcome`: "done", "already there", "mounted", "failed"…
  virtual void finish(std::string_view id, std::string_view outcome) = 0;
};

// Where nobody looks.
class NoProgress final : public Progress {
 public:
  void start(std::string_view, std::string_view, std::uint64_t) override {}
  void advance(std::string_view, std::uint64_t) override {}
  void finish(std::string_view, std::string_view) override {}
};

}  // namespace cloister
