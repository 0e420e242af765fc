// Facts (Gramine 1.9): without EDMM every mapping of the program, reserved ones among them, takes
// room in an enclave whose size is a power of two; each thread slot has 64 pages of stack, 16 of
// signal stack, two SSA frames of four pages, a TCS and a TLS page (pal_linux_defs.h); three helper
// threads of Gramine's own come and go (manifest-syntax.rst). Its code, its tables and the memory
// that it manages itself were a fixed 64 MiB when they were limited, and have stayed near it.
#include "manifest-gen/rehearse/verdict/sizes.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/text.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::manifest {
namespace {

constexpr std::uint64_t kKiB = 1ULL << 10, kMiB = 1ULL << 20, kGiB = 1ULL << 30;
constexpr std::uint64_t kGramineBytes = 64 * kMiB;
constexpr std::uint64_t kThreadBytes = 4 * kKiB * (64 + 16 + 8 + 1 + 1);
constexpr std::uint64_t kGramineThreads = 3, kEndingThreads = 1, kFewestThreads = 4,
                        kMostThreads = 4096;
// More than any processor keeps for enclaves: what asks for so much only reserves it.
constexpr std::uint64_t kLargestEnclave = 512 * kGiB;
constexpr std::uint64_t kSaneBytes = 1ULL << 46;  // address space: no sum below overflows

constexpr std::array<std::string_view, 4> kOutcomes = {"enough", "too-small", "ample", "unknown"};

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
  return (value + step - 1) / step * step;
}

// "512M", in the largest unit that fits.
std::string size_text(std::uint64_t bytes) {
  if (bytes >= kGiB && bytes % kGiB == 0) return cat(bytes / kGiB, "G");
  if (bytes >= kMiB && bytes % kMiB == 0) return cat(bytes / kMiB, "M");
  return cat(round_up(bytes, kKiB) / kKiB, "K");
}

std::string quoted_size(std::uint64_t bytes) {
  return cat("\"", size_text(bytes), "\"");
}

// The most of any process, and the program whose it was.
struct Peak {
  std::uint64_t value = 0;
  std::string program;
};

Peak peak_of(const ObservedRun& run, std::uint64_t ProcessPeaks::*field) {
  Peak out;
  for (const auto& [program, peaks] : run.programs)
    if (peaks.*field > out.value) out = {peaks.*field, program};
  out.value = std::min(out.value, kSaneBytes);
  return out;
}

std::string of_program(const Peak& peak) {
  return peak.program.empty() ? std::string() : cat(" of ", peak.program);
}

class SizeAdviser {
 public:
  SizeAdviser(const ObservedRun& run, const TomlTable& manifest)
      : run_(run), manifest_(manifest), edmm_(true_at(manifest, "sgx.edmm_enable")) {}

  std::vector<SizeAdvice> run() {
    const std::uint64_t threads = threads_advice();
    stack_advice();
    const std::uint64_t more_heap = heap_advice();
    enclave_advice(threads, more_heap);
    descriptors_advice();
    subprocess_advice();
    // The one that matters most first.
    std::rotate(out_.begin(), out_.begin() + 3, out_.begin() + 4);
    return std::move(out_);
  }

 private:
  // A size of the manifest, or Gramine's default; with its text.
  std::uint64_t size_now(SizeAdvice& advice, std::uint64_t fallback) const {
    advice.in_bytes = true;
    const std::string* text = string_at(manifest_, advice.key);
    const auto bytes =
        text != nullptr ? parse_size(*text, Strictness::loader) : Error::invalid("absent");
    advice.is_default = !bytes.has_value();
    const std::uint64_t now = bytes.has_value() ? *bytes : fallback;
    advice.current = bytes.has_value() ? cat("\"", *text, "\"") : quoted_size(now);
    return now;
  }

  std::uint64_t number_now(SizeAdvice& advice, std::uint64_t fallback) const {
    const std::int64_t* number = integer_at(manifest_, advice.key);
    advice.is_default = number == nullptr;
    const std::uint64_t now =
        number != nullptr && *number >= 0 ? static_cast<std::uint64_t>(*number) : fallback;
    advice.current = cat(now);
    return now;
  }

  void propose(SizeAdvice& advice, SizeAdvice::Outcome outcome, std::string value) {
    advice.outcome = outcome;
    advice.proposal = value_proposal(advice.key, std::move(value), advice.arithmetic);
  }

  // How many slots the enclave will have, whatever is decided.
  std::uint64_t threads_advice() {
    SizeAdvice advice;
    advice.key = "sgx.max_threads";
    const std::uint64_t now = number_now(advice, kFewestThreads);
    const Peak peak = peak_of(run_, &ProcessPeaks::threads);
    advice.seen = peak.value;
    std::uint64_t slots = now;
    if (edmm_) {
      advice.outcome = SizeAdvice::Outcome::enough;
      advice.arithmetic = "with EDMM threads are added on demand";
    } else if (peak.value == 0) {
      advice.arithmetic = "threads were not counted";
    } else {
      advice.need = peak.value + kGramineThreads;
      const std::uint64_t wanted = std::min(
          std::max(round_up(advice.need + kEndingThreads, 4), kFewestThreads), kMostThreads);
      advice.arithmetic = cat(peak.value, " at a time", of_program(peak), ", ", kGramineThreads,
                              " of Gramine's own (IPC, timers, TLS handshakes); ", kEndingThreads,
                              " that is just ending where more are asked for");
      advice.outcome = SizeAdvice::Outcome::enough;
      // One that is just ending may be waited for; without the others nothing works.
      const bool too_few = now < advice.need;
      if (too_few) propose(advice, SizeAdvice::Outcome::too_small, cat(wanted));
      if (now >= 2 * wanted) propose(advice, SizeAdvice::Outcome::ample, cat(wanted));
      if (too_few) slots = wanted;
    }
    out_.push_back(std::move(advice));
    return std::min(slots, kMostThreads);
  }

  void stack_advice() {
    SizeAdvice advice;
    advice.key = "sys.stack.size";
    const std::uint64_t now = size_now(advice, 256 * kKiB);
    const Peak peak = peak_of(run_, &ProcessPeaks::stack_bytes);
    advice.seen = peak.value;
    if (peak.value == 0) {
      advice.arithmetic = "the stack was not measured";
    } else {
      advice.need = peak.value + peak.value / 2;
      advice.arithmetic = cat("the main thread's stack", of_program(peak), " grew to ",
                              human_bytes(peak.value), ", half as much again to spare; what ",
                              "further threads use of theirs cannot be seen");
      advice.outcome = SizeAdvice::Outcome::enough;
      if (now < advice.need)
        propose(advice, SizeAdvice::Outcome::too_small, quoted_size(std::bit_ceil(advice.need)));
    }
    out_.push_back(std::move(advice));
  }

  // How much more than was seen the heap may take in the end.
  std::uint64_t heap_advice() {
    SizeAdvice advice;
    advice.key = "sys.brk.max_size";
    const std::uint64_t now = size_now(advice, 256 * kKiB);
    const Peak peak = peak_of(run_, &ProcessPeaks::heap_bytes);
    advice.seen = peak.value;
    std::uint64_t reserved = now;
    if (peak.value == 0) {
      advice.arithmetic = "nothing was seen of a heap by brk";
    } else {
      advice.need = peak.value + peak.value / 4;
      advice.arithmetic = cat("brk", of_program(peak), " took ", human_bytes(peak.value),
                              ", a quarter to spare; malloc goes on with mmap where brk ends");
      advice.outcome = SizeAdvice::Outcome::enough;
      const std::uint64_t wanted = std::max(std::bit_ceil(advice.need), 256 * kKiB);
      if (now < peak.value) {
        propose(advice, SizeAdvice::Outcome::too_small, quoted_size(wanted));
        reserved = wanted;
      } else if (now >= 2 * wanted && now > kMiB) {
        propose(advice, SizeAdvice::Outcome::ample, quoted_size(wanted));
      }
    }
    out_.push_back(std::move(advice));
    reserved = std::min(reserved, kSaneBytes);
    return reserved > peak.value ? reserved - peak.value : 0;
  }

  void enclave_advice(std::uint64_t threads, std::uint64_t more_heap) {
    SizeAdvice advice;
    advice.key = "sgx.enclave_size";
    const std::uint64_t now = size_now(advice, edmm_ ? 1024 * kGiB : 256 * kMiB);
    const Peak peak = peak_of(run_, &ProcessPeaks::virtual_bytes);
    advice.seen = peak.value;
    if (peak.value == 0) {
      advice.arithmetic = "memory was not measured";
      out_.push_back(std::move(advice));
      return;
    }
    const std::uint64_t spare = peak.value / 8, slots = threads * kThreadBytes;
    advice.need = peak.value + spare + more_heap + kGramineBytes + slots;
    const std::uint64_t wanted = std::bit_ceil(advice.need);
    advice.arithmetic =
        cat(human_bytes(peak.value), " of address space", of_program(peak), ", an eighth to spare",
            more_heap > 0 ? cat(", ", human_bytes(more_heap), " of heap kept free") : "", ", ",
            human_bytes(kGramineBytes), " for Gramine, ", threads, " thread slots of ",
            human_bytes(kThreadBytes), ": ", human_bytes(advice.need));
    const auto at = run_.programs.find(peak.program);
    const std::uint64_t used = at != run_.programs.end() ? at->second.data_bytes : 0;
    if (used > 0 && used < peak.value / 4 && peak.value >= kGiB)
      advice.arithmetic += cat("; much of it is only reserved (it has ", human_bytes(used),
                               " of data): less reserving (-Xmx, MALLOC_ARENA_MAX=1) makes it "
                               "smaller");
    advice.outcome = SizeAdvice::Outcome::enough;
    if (now < advice.need && wanted > kLargestEnclave) {
      advice.outcome = SizeAdvice::Outcome::too_small;
      advice.arithmetic += "; no enclave can be that large: make the program reserve less";
    } else if (now < advice.need) {
      propose(advice, SizeAdvice::Outcome::too_small, quoted_size(wanted));
    } else if (!edmm_ && now >= 2 * wanted) {
      propose(advice, SizeAdvice::Outcome::ample, quoted_size(wanted));
    }
    out_.push_back(std::move(advice));
  }

  void descriptors_advice() {
    SizeAdvice advice;
    advice.key = "sys.fds.limit";
    const std::uint64_t now = number_now(advice, 900);
    const Peak peak = peak_of(run_, &ProcessPeaks::descriptors);
    advice.seen = peak.value;
    if (peak.value == 0) {
      advice.arithmetic = "descriptors were not counted";
    } else {
      advice.need = peak.value + peak.value / 2;
      advice.arithmetic = cat("up to ", peak.value, " at a time", of_program(peak),
                              ", half as many again to spare");
      advice.outcome = SizeAdvice::Outcome::enough;
      if (now < advice.need)
        propose(advice, SizeAdvice::Outcome::too_small, cat(round_up(advice.need, 100)));
    }
    out_.push_back(std::move(advice));
  }

  void subprocess_advice() {
    SizeAdvice advice;
    advice.key = "sys.disallow_subprocesses";
    const TomlValue* value = manifest_.at(advice.key);
    advice.is_default = value == nullptr || value->boolean() == nullptr;
    const bool now = true_at(manifest_, advice.key);
    advice.current = now ? "true" : "false";
    advice.seen = run_.forks;
    if (run_.source == "gramine" && run_.forks == 0) {
      advice.arithmetic = "forks were not counted";
    } else if (run_.forks > 0) {
      advice.outcome = SizeAdvice::Outcome::enough;
      advice.arithmetic = cat(run_.forks, run_.forks == 1 ? " process was" : " processes were",
                              " started: each is an enclave of its own");
      if (now) propose(advice, SizeAdvice::Outcome::too_small, "false");
    } else {
      advice.outcome = SizeAdvice::Outcome::enough;
      advice.arithmetic = "no process was started";
      if (!now) propose(advice, SizeAdvice::Outcome::ample, "true");
    }
    out_.push_back(std::move(advice));
  }

  const ObservedRun& run_;
  const TomlTable& manifest_;
  const bool edmm_;
  std::vector<SizeAdvice> out_;
};

}  // namespace

std::string_view size_outcome_name(SizeAdvice::Outcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

std::vector<SizeAdvice> advise_sizes(const ObservedRun& run, const TomlTable& manifest) {
  return SizeAdviser(run, manifest).run();
}

}  // namespace cloister::manifest
