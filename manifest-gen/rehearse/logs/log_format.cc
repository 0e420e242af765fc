// A log of Gramine may begin with pages of the program's own output, and so may strace's on a
// terminal; a trace of Gramine by strace holds Gramine's messages as strings. So the lines of the
// beginning are counted, and each reader passes over what it does not know.
#include "manifest-gen/rehearse/logs/log_format.h"

#include <algorithm>
#include <span>

#include "base/bytes.h"
#include "base/hint.h"
#include "base/text.h"
#include "manifest-gen/rehearse/logs/gramine_log.h"
#include "manifest-gen/rehearse/logs/strace_log.h"
#include "manifest-gen/rehearse/run_json.h"

namespace cloister::manifest {
namespace {

constexpr std::size_t kBeginning = 1U << 20;
constexpr Advice kLogAdvice{"make it again, with `cloister rehearse --format json`",
                            "record one run of the program alone", ""};

// Gives a stream line by line. What is longer than the limit is dropped up to its end.
template <class OnLine>
class LineCutter {
 public:
  LineCutter(std::size_t limit, OnLine on_line) : limit_(limit), on_line_(std::move(on_line)) {}

  Status feed(std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      const std::string_view part = piece.substr(0, end);
      if (!too_long_ && held_.size() + part.size() > limit_) {
        too_long_ = true;
        ++dropped_;
        held_.clear();
      }
      if (end == std::string_view::npos) {
        if (!too_long_) held_ += part;
        return {};
      }
      if (!too_long_) CL_CHECK(held_.empty() ? on_line_(part) : on_line_(held_ += part));
      held_.clear();
      too_long_ = false;
      piece.remove_prefix(end + 1);
    }
    return {};
  }
  Status finish() {
    if (held_.empty()) return {};
    return on_line_(held_);
  }
  std::uint64_t dropped() const { return dropped_; }

 private:
  std::size_t limit_;
  OnLine on_line_;
  std::string held_;
  bool too_long_ = false;
  std::uint64_t dropped_ = 0;
};

template <class Reader>
Result<std::uint64_t> read_lines(Source& source, std::string_view beginning, Reader& reader,
                                 const Limits& limits) {
  std::uint64_t number = 0;
  const auto on_line = [&](std::string_view line) -> Status {
    ++number;
    Status read = reader.line(line);
    return std::move(read).while_(cat("reading line ", number));
  };
  LineCutter cutter(limits.log_line_bytes, on_line);
  CL_CHECK(cutter.feed(beginning));
  Bytes buffer(kStreamBuffer);
  while (true) {
    CL_TRY(const std::size_t n, source.read(buffer));
    if (n == 0) break;
    CL_CHECK(cutter.feed(as_text(std::span(buffer).first(n))));
  }
  CL_CHECK(cutter.finish());
  return cutter.dropped();
}

void note_dropped(ObservedRun& run, std::uint64_t dropped, const Limits& limits) {
  if (dropped > 0)
    run.notes.push_back(cat(dropped, dropped == 1 ? " line is" : " lines are",
                            " left out: longer than ", human_bytes(limits.log_line_bytes)));
}

Error nothing_in(std::string_view what) {
  return Error::corrupt(cat(what, " holds nothing that strace, Gramine or a rehearsal writes"))
      .hint(
          "record one with `strace -f -y -s 4096 -o FILE PROGRAM`, with loader.log_level = "
          "\"trace\" in Gramine's manifest, or with `cloister rehearse --format json`");
}

}  // namespace

LogFormat log_format(std::string_view beginning) {
  if (trim(beginning.substr(0, 4096)).starts_with('{')) return LogFormat::run;
  std::uint64_t strace = 0, gramine = 0;
  while (!beginning.empty()) {
    const std::size_t end = std::min(beginning.find('\n'), beginning.size());
    const std::string_view line = beginning.substr(0, end);
    beginning.remove_prefix(std::min(end + 1, beginning.size()));
    if (StraceReader::recognises(line))
      ++strace;
    else if (GramineReader::recognises(line))
      ++gramine;
  }
  if (strace == 0 && gramine == 0) return LogFormat::unknown;
  return gramine > strace ? LogFormat::gramine : LogFormat::strace;
}

namespace {

Result<ObservedRun> read_any(Source& inner, const LogContext& context, const Limits& limits,
                             std::string_view what) {
  LimitSource source(inner, limits.log_bytes, std::string(what));
  Bytes head(kBeginning);
  CL_TRY(const std::size_t size, read_full(source, head));
  const std::string_view beginning = as_text(std::span(head).first(size));
  switch (log_format(beginning)) {
    case LogFormat::run: {
      CL_TRY(const Bytes rest, read_all(source, limits.run_bytes, what));
      return parse_run_json(cat(beginning, as_text(rest)), limits, what);
    }
    case LogFormat::strace: {
      StraceReader reader(context, limits);
      CL_TRY(const std::uint64_t dropped,
             read_lines(source, beginning, reader, limits).while_(cat("reading ", what)));
      if (reader.calls() == 0) return nothing_in(what);
      ObservedRun run = reader.finish();
      note_dropped(run, dropped, limits);
      return run;
    }
    case LogFormat::gramine: {
      GramineReader reader(context, limits);
      CL_TRY(const std::uint64_t dropped,
             read_lines(source, beginning, reader, limits).while_(cat("reading ", what)));
      if (reader.messages() == 0) return nothing_in(what);
      CL_TRY(ObservedRun run, reader.finish());
      note_dropped(run, dropped, limits);
      return run;
    }
    case LogFormat::unknown:
      break;
  }
  return nothing_in(what);
}

}  // namespace

Result<ObservedRun> read_observed_run(Source& source, const LogContext& context,
                                      const Limits& limits, std::string_view what) {
  return advise(read_any(source, context, limits, what), kLogAdvice);
}

Result<ObservedRun> read_observed_run(std::string_view text, const LogContext& context,
                                      const Limits& limits, std::string_view what) {
  MemorySource source(as_bytes(text));
  return read_observed_run(source, context, limits, what);
}

}  // namespace cloister::manifest
