// For a terminal: the verdict first, then what to do about it, then what it costs and what could be
// spared. A line to add is printed as it is, to be copied.
#include <algorithm>

#include "base/text.h"
#include "cmd/report/painter.h"
#include "cmd/report/rehearse.h"
#include "cmd/wrap.h"
#include "manifest-gen/rehearse/verdict/overlay.h"

namespace cloister::cmd {
namespace {

using manifest::Denied;
using manifest::SizeAdvice;

constexpr std::size_t kShownDenied = 50, kShownHarmless = 10, kShownFiles = 5, kShownCalls = 10,
                      kShownPlaces = 30;

class RehearseText {
 public:
  RehearseText(const RehearseReport& report, unsigned width, bool color)
      : report_(report), verdict_(report.verdict), width_(width), paint_(color) {}

  std::string run() {
    head();
    denied(/*harmless=*/false);
    sizes();
    tax();
    written();
    unused();
    unimplemented();
    denied(/*harmless=*/true);
    notes();
    return std::move(out_);
  }

 private:
  void line(std::string_view label, std::string_view text) {
    std::string head = cat("    ", label);
    head.resize(std::max<std::size_t>(head.size() + 1, 12), ' ');
    out_ += wrapped(text, head, width_);
  }
  // Not broken: it is to be copied.
  void line_to_add(const manifest::Proposal& proposal) {
    out_ += cat("    add     ", manifest::overlay_line(proposal), "\n");
  }
  void title(std::string_view text, std::string_view about) {
    out_ += cat("\n", paint_.bold(text), "\n");
    if (!about.empty()) out_ += wrapped(about, "  ", width_);
  }
  void and_more(std::size_t all, std::size_t shown) {
    if (all > shown) out_ += cat("  and ", all - shown, " more, which --format json has\n");
  }

  void head() {
    if (!report_.image.empty()) out_ += cat(paint_.bold(printable(report_.image)), "\n");
    const bool good = passes(report_);
    const std::string_view word = good ? "CLEAN" : verdict_.clean ? "FAILED" : "REFUSED";
    const std::string phrase = verdict_phrase(report_);
    const std::string lines = wrapped(phrase.substr(phrase.find(':') + 2), cat(word, "  "), width_);
    out_ += (good ? paint_.good(word) : paint_.bad(word)) + lines.substr(word.size());
    for (const RunFact& fact : run_facts(report_)) {
      std::string label = cat("  ", fact.name);
      label.resize(11, ' ');
      out_ += wrapped(fact.value, label, width_);
    }
  }

  void denied(bool harmless) {
    const auto all = static_cast<std::size_t>(
        std::count_if(verdict_.denied.begin(), verdict_.denied.end(),
                      [&](const Denied& one) { return one.harmless == harmless; }));
    if (all == 0) return;
    if (harmless)
      title("Refused, and done without", "");
    else
      title("Refused", report_.run.learning ? "nothing was: an enclave would refuse these" : "");
    std::size_t shown = 0;
    for (const Denied& one : verdict_.denied) {
      if (one.harmless != harmless) continue;
      if (shown++ == (harmless ? kShownHarmless : kShownDenied)) {
        and_more(all, shown - 1);
        return;
      }
      out_ += wrapped(printable(one.path), "  ", width_);
      line("used", uses_phrase(one));
      if (const std::string is = image_phrase(one); !is.empty()) line("is", is);
      line("why", printable(one.why));
      if (!one.warning.empty()) line("but", printable(one.warning));
      if (!one.finding.empty()) line("so", printable(one.finding));
      if (one.proposal) line_to_add(*one.proposal);
    }
  }

  void sizes() {
    title("Sizes", "");
    for (const SizeAdvice& size : verdict_.sizes) {
      std::string what = cat(printable(size.key), " = ", printable(size.current),
                             size.is_default ? " (the default)" : "");
      switch (size.outcome) {
        case SizeAdvice::Outcome::enough:
          what += ": enough";
          break;
        case SizeAdvice::Outcome::too_small:
          what += size.key == "sys.disallow_subprocesses" ? ": too strict" : ": too small";
          break;
        case SizeAdvice::Outcome::ample:
          what += size.key == "sys.disallow_subprocesses" ? ": may be stricter"
                                                          : ": more than twice what it takes";
          break;
        case SizeAdvice::Outcome::unknown:
          what += ": not known";
          break;
      }
      out_ += wrapped(what, "  ", width_);
      line("by", printable(size.arithmetic));
      if (!size.proposal) continue;
      if (size.outcome == SizeAdvice::Outcome::too_small || verdict_.tighten)
        line_to_add(*size.proposal);
      else
        line("would do", cat(manifest::overlay_line(*size.proposal), " (--tighten takes it)"));
    }
  }

  void tax() {
    const manifest::Tax& tax = report_.tax;
    title("Exits out of the enclave", tax_phrase(tax));
    std::size_t shown = 0;
    for (const auto& entry : tax.lines) {
      if (entry.exits == 0 || shown == kShownCalls) break;
      if (shown++ == 0) out_ += "       exits      calls\n";
      std::string head =
          cat(padded(entry.exits, 12), " ", padded(entry.times, 10), "  ", call_phrase(entry.call));
      if (entry.cost.how.empty()) {
        out_ += head + "\n";
        continue;
      }
      head.resize(std::max<std::size_t>(head.size() + 2, 46), ' ');
      out_ += wrapped(entry.cost.how, head, width_);
    }
    if (tax.look_ups > 0)
      out_ += wrapped(cat("and the first look-up of ", tax.look_ups, " paths, ",
                          manifest::kLookUpExits, " exits each"),
                      "  ", width_);
    for (const auto& advice : tax.advice) {
      out_ += wrapped(printable(advice.what), "  ", width_);
      line("since", printable(advice.because));
    }
    for (const std::string& assumption : tax.assumptions)
      out_ += wrapped(assumption, "  assumed: ", width_);
  }

  static std::string padded(std::uint64_t number, std::size_t width) {
    const std::string text = cat(number);
    return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
  }

  void written() {
    if (verdict_.written.empty()) return;
    title("Written", "");
    for (std::size_t i = 0; i < verdict_.written.size() && i < kShownPlaces; ++i) {
      const manifest::Written& one = verdict_.written[i];
      std::string what = cat(printable(one.path), ": ");
      if (one.proposal)
        what += cat("should be ", manifest::proposal_kind_name(one.proposal->kind));
      else
        what += manifest::place_name(one.place);
      if (one.example != one.path)
        what += cat(", ", one.paths, one.paths == 1 ? " path, " : " paths, like ",
                    printable(one.example));
      out_ += wrapped(what, "  ", width_);
      if (!one.remark.empty()) line("but", printable(one.remark));
    }
    and_more(verdict_.written.size(), kShownPlaces);
  }

  void unused() {
    if (verdict_.unused_files == 0) return;
    title("Granted and never touched",
          cat(verdict_.unused_files, " of ", verdict_.granted, " files, ",
              human_bytes(verdict_.unused_bytes),
              "; another run may need them: nothing is removed without --tighten"));
    for (const manifest::Unused& group : verdict_.unused) {
      out_ += wrapped(
          cat(group.reason.empty() ? "listed" : printable(group.reason), ": ", group.files.size(),
              group.files.size() == 1 ? " file, " : " files, ", human_bytes(group.bytes)),
          "  ", width_);
      std::string files;
      for (std::size_t i = 0; i < group.files.size() && i < kShownFiles; ++i)
        files += cat(i > 0 ? ", " : "", printable(group.files[i].path));
      if (group.files.size() > kShownFiles)
        files += cat(" and ", group.files.size() - kShownFiles, " more");
      out_ += wrapped(files, "    ", width_);
    }
    if (verdict_.exclude.empty()) return;
    out_ += wrapped("An overlay cannot take a grant away. To build without them:", "  ", width_);
    for (const std::string& path : verdict_.exclude)
      out_ += cat("    --exclude ", quote(path), "\n");
  }

  void unimplemented() {
    if (verdict_.unimplemented.empty()) return;
    title("System calls that Gramine does not implement", "");
    for (const auto& one : verdict_.unimplemented) {
      out_ +=
          wrapped(cat(printable(one.call), ", ", one.times, one.times == 1 ? " time" : " times"),
                  "  ", width_);
      if (!one.effect.empty()) line("so", one.effect);
      if (!one.fix.empty()) line("fix", one.fix);
    }
  }

  void notes() {
    std::vector<std::string> all = verdict_.remarks;
    all.insert(all.end(), report_.run.notes.begin(), report_.run.notes.end());
    if (all.empty()) return;
    title("Notes", "");
    for (const std::string& text : all) out_ += wrapped(printable(text), "  - ", width_);
  }

  const RehearseReport& report_;
  const manifest::Verdict& verdict_;
  unsigned width_;
  Painter paint_;
  std::string out_;
};

}  // namespace

std::string rehearse_text(const RehearseReport& report, unsigned width, bool color) {
  return RehearseText(report, width, color).run();
}

}  // namespace cloister::cmd
