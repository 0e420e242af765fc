// Gramine lays an enclave out downwards from its end: manifest, SSA frames, TCS pages, thread
// pages, stacks, signal stacks, and the in-enclave PAL; between the PAL and heap_min lies the heap,
// which is added as "free" pages unless EDMM adds them at run time. The loader repeats the same
// arithmetic, so nothing here is a matter of taste.
//
// Trap: a PAL whose lowest segment is not at address zero is not placed but stays where it says,
// and what lies between it and the stacks is free as well.
#include "measure/sgx/placement.h"

#include <algorithm>
#include <bit>

#include "base/text.h"
#include "measure/sgx/page_hash.h"

namespace cloister::measure::sgx {
namespace {

// The signer sets no bounds; these keep hostile input from hashing for hours. 32 GiB of hashing
// is a 1 TiB enclave twice over (no machine has more enclave memory), or sixteen times the 4096
// threads that Gramine's loader takes.
constexpr std::uint64_t kMaxHashedBytes = 32ULL << 30;
constexpr std::uint32_t kMaxThreads = 65536;
// CPUID.12H.0:EDX gives the largest enclave as a power of two; addresses end at 57 bits.
constexpr std::uint64_t kMaxEnclave = 1ULL << 57;

std::uint64_t round_down(std::uint64_t value) {
  return value - value % kPageSize;
}
// REQUIRES: value is below 2^64 - 4096.
std::uint64_t round_up(std::uint64_t value) {
  return round_down(value + kPageSize - 1);
}

struct PalSpan {
  std::uint64_t low = 0, high = 0;
};

Result<PalSpan> pal_span(const elf::LoadImage& libpal) {
  PalSpan span{~0ULL, 0};
  for (const elf::Segment& segment : libpal.segments) {
    std::uint64_t end = 0;
    if (!checked_add(segment.vaddr, segment.memory_size, end) || end > kMaxEnclave)
      return Error::invalid("a segment of libpal.so ends beyond any enclave");
    span.low = std::min(span.low, round_down(segment.vaddr));
    span.high = std::max(span.high, round_up(end));
  }
  if (libpal.segments.empty()) return Error::corrupt("libpal.so has no PT_LOAD segment");
  return span;
}

Error too_small(std::uint64_t size, std::uint64_t need) {
  const std::uint64_t enough = std::bit_ceil(std::max<std::uint64_t>(need, 1 << 20));
  return Error::invalid("enclave size is not large enough")
      .detail(cat("got ", human_bytes(size), " (", size,
                  " bytes), but the manifest, the threads' "
                  "stacks and the PAL need ",
                  need, " bytes before the heap begins"))
      .hint(cat("set sgx.enclave_size to at least \"", enough >> 20, "M\", and more for the heap"));
}

// Takes ranges from the top of the enclave; every one must stay at or above heap_min.
class TopDown {
 public:
  TopDown(std::uint64_t top, std::uint64_t floor) : top_(top), floor_(floor) {}
  Range take(std::uint64_t size) {
    if (size > top_ || top_ - size < floor_) {
      failed_ = true;
      return {};
    }
    top_ -= size;
    return {top_, size};
  }
  bool failed() const { return failed_; }
  std::uint64_t top() const { return top_; }

 private:
  std::uint64_t top_, floor_;
  bool failed_ = false;
};

Status check_params(const EnclaveParams& params) {
  if (params.enclave_size == 0 || params.enclave_size % kPageSize != 0 ||
      params.enclave_size > kMaxEnclave)
    return Error::invalid(cat("an enclave cannot have ", params.enclave_size, " bytes"))
        .detail("want whole pages of 4096 bytes, and at most 2^57 bytes")
        .hint("set sgx.enclave_size to a power of two, for example \"512M\"");
  if (params.max_threads > kMaxThreads)
    return Error::invalid(cat("sgx.max_threads = ", params.max_threads, " is absurd"))
        .detail(cat("cloister measures up to ", kMaxThreads, "; Gramine's loader takes up to 4096"))
        .hint("set sgx.max_threads between 1 and 4096");
  return {};
}

void find_free(Placement& p, std::uint64_t last, std::uint64_t heap_min, bool pal_fixed) {
  if (pal_fixed) {
    if (p.pal.end() < last) p.free.push_back({p.pal.end(), last - p.pal.end()});
    last = p.pal.address;
  }
  if (last > heap_min) p.free.push_back({heap_min, last - heap_min});
}

Status check_work(const Placement& p, const elf::LoadImage& libpal, const EnclaveParams& params) {
  // Pages, not bytes: a thousand segments below 2^57 bytes cannot wrap the sum.
  const auto pages = [](const Range& range) { return range.size / kPageSize; };
  std::uint64_t measured = pages(p.manifest) + pages(p.ssa) + pages(p.tcs) + pages(p.tls);
  for (const Range& range : p.stacks) measured += pages(range);
  for (const Range& range : p.sig_stacks) measured += pages(range);
  // Segments may share pages, and each adds its own: the span of the PAL may be less than their
  // sum.
  for (const elf::Segment& s : libpal.segments)
    measured += (round_up(s.vaddr + s.memory_size) - round_down(s.vaddr)) / kPageSize;
  std::uint64_t unmeasured = 0, hashed = 0;
  for (const Range& range : p.free) unmeasured += pages(range);
  if (!checked_mul(measured, kMeasuredPageCost, hashed) ||
      !checked_add(hashed, unmeasured * kRecordSize, hashed) || hashed > kMaxHashedBytes)
    return Error::invalid(cat("measuring an enclave of ", human_bytes(params.enclave_size),
                              " would hash more than ", human_bytes(kMaxHashedBytes)))
        .detail("no machine has the enclave memory for it")
        .hint(params.edmm ? "reduce sgx.enclave_size"
                          : "reduce sgx.enclave_size, or enable sgx.edmm_enable");
  return {};
}

}  // namespace

Result<Placement> place_enclave(const elf::LoadImage& libpal, std::uint64_t manifest_file_size,
                                const EnclaveParams& params, const LayoutConstants& layout) {
  CL_CHECK(check_layout(layout));
  CL_CHECK(check_params(params));
  CL_TRY(const PalSpan span, pal_span(libpal));
  const std::uint64_t threads = params.max_threads;

  Placement p;
  p.manifest_bytes = manifest_file_size + 1;  // the loader reads it as a C string
  TopDown space(layout.enclave_base + params.enclave_size, layout.heap_min);
  p.manifest = space.take(round_up(p.manifest_bytes));
  p.ssa = space.take(threads * layout.ssa_frame_size * layout.ssa_frame_num);
  p.tcs = space.take(threads * kPageSize);
  p.tls = space.take(threads * kPageSize);
  for (std::uint64_t i = 0; i < threads; ++i) p.stacks.push_back(space.take(layout.stack_size));
  for (std::uint64_t i = 0; i < threads; ++i)
    p.sig_stacks.push_back(space.take(layout.sig_stack_size));

  const bool pal_fixed = span.low > 0;
  const std::uint64_t pal_size = span.high - span.low;
  p.pal = pal_fixed ? Range{span.low, pal_size} : space.take(pal_size);
  p.pal_bias = p.pal.address - span.low;
  if (space.failed() || (pal_fixed && p.pal.end() > space.top())) {
    const std::uint64_t per_thread = layout.ssa_frame_size * layout.ssa_frame_num + 2 * kPageSize +
                                     layout.stack_size + layout.sig_stack_size;
    return too_small(params.enclave_size, std::max(layout.heap_min, span.low) + pal_size +
                                              round_up(p.manifest_bytes) + threads * per_thread);
  }
  if (!params.edmm) find_free(p, space.top(), layout.heap_min, pal_fixed);
  CL_CHECK(check_work(p, libpal, params));
  return p;
}

}  // namespace cloister::measure::sgx
