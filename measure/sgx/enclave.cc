// MRENCLAVE as Gramine's signer computes it and its loader reproduces it: every page of the
// placement (placement.cc) is added in order, and all but the heap is measured. Of the host's files
// only libpal.so and the manifest enter; everything else is bound through hashes in the manifest.
//
// Traps. Holes between the PAL's segments are not added at all; pages that a segment only partly
// covers are filled with zeros, not with the file's neighbouring bytes; two segments that share a
// page add it twice. e_entry is relative to the start of the PAL's area. The canary and the address
// fields of the thread page are absolute, those of the TCS relative to the enclave base.
#include "measure/sgx/enclave.h"

#include <algorithm>

#include "measure/elf/facts.h"
#include "measure/sgx/page_hash.h"
#include "measure/sgx/placement.h"

namespace cloister::measure::sgx {
namespace {

constexpr std::uint64_t kRegRw = kSecinfoReg | kSecinfoR | kSecinfoW;
constexpr std::uint32_t kProtR = 4, kProtW = 2, kProtX = 1;  // PF_R, PF_W, PF_X

// Thread Control Structure, Intel SDM vol. 3D, 34.8.
constexpr std::size_t kTcsOssa = 0x10, kTcsNssa = 0x1c, kTcsOentry = 0x20, kTcsOgsBase = 0x38,
                      kTcsFsLimit = 0x40, kTcsGsLimit = 0x44;
constexpr std::uint64_t kLimit = 0xfff;

using Page = std::array<std::byte, kPageSize>;

void put_field(Page& page, std::uint64_t offset, std::uint64_t value, unsigned size = 8) {
  for (unsigned i = 0; i < size; ++i)
    page[offset + i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

class Builder {
 public:
  Builder(ByteView libpal, ByteView manifest, const elf::LoadImage& image,
          const EnclaveParams& params, const LayoutConstants& layout, const Placement& placement)
      : libpal_(libpal),
        manifest_(manifest),
        image_(image),
        params_(params),
        layout_(layout),
        at_(placement),
        hasher_(params.enclave_size,
                static_cast<std::uint32_t>(layout.ssa_frame_size / kPageSize)) {}

  EnclaveMeasurement run() && {
    add_manifest();
    zero_area("ssa", at_.ssa);
    add_tcs();
    add_tls();
    for (const Range& stack : at_.stacks) zero_area("stack", stack);
    for (const Range& stack : at_.sig_stacks) zero_area("sig_stack", stack);
    for (const elf::Segment& segment : image_.segments) add_segment(segment);
    for (const Range& range : at_.free) add_free(range);
    out_.mrenclave = hasher_.finish();
    return std::move(out_);
  }

 private:
  std::uint64_t offset(std::uint64_t address) const { return address - layout_.enclave_base; }

  void note(const char* name, const Range& range, std::uint32_t protection, bool measured = true,
            bool tcs = false) {
    if (range.size == 0) return;
    out_.areas.push_back({name, offset(range.address), range.size, protection, tcs, measured});
  }

  void add_manifest() {
    note("manifest", at_.manifest, kProtR);
    for (std::uint64_t done = 0; done < at_.manifest.size; done += kPageSize) {
      const std::uint64_t size =
          done < manifest_.size() ? std::min(kPageSize, manifest_.size() - done) : 0;
      // Where the file ends, zeros follow: the first of them is the terminating NUL.
      hasher_.add_page(offset(at_.manifest.address) + done, kSecinfoReg | kSecinfoR,
                       size == 0 ? ByteView() : manifest_.subspan(done, size));
    }
  }

  void zero_area(const char* name, const Range& range) {
    note(name, range, kProtR | kProtW);
    hasher_.add_zero_pages(offset(range.address), range.size / kPageSize, kRegRw);
  }

  std::uint64_t ssa_of(std::uint64_t thread) const {
    return at_.ssa.address + thread * layout_.ssa_frame_size * layout_.ssa_frame_num;
  }

  void add_tcs() {
    note("tcs", at_.tcs, 0, true, true);
    for (std::uint64_t t = 0; t < params_.max_threads; ++t) {
      Page page{};
      put_field(page, kTcsOssa, offset(ssa_of(t)));
      put_field(page, kTcsNssa, layout_.ssa_frame_num, 4);
      put_field(page, kTcsOentry, offset(at_.pal.address + image_.entry));
      put_field(page, kTcsOgsBase, offset(at_.tls.address) + t * kPageSize);
      put_field(page, kTcsFsLimit, kLimit, 4);
      put_field(page, kTcsGsLimit, kLimit, 4);
      hasher_.add_page(offset(at_.tcs.address) + t * kPageSize, kSecinfoTcs, page);
    }
  }

  void add_tls() {
    note("tls", at_.tls, kProtR | kProtW);
    for (std::uint64_t t = 0; t < params_.max_threads; ++t) {
      const std::uint64_t self = at_.tls.address + t * kPageSize;
      Page page{};
      put_field(page, layout_.common_self, self);
      put_field(page, layout_.stack_protector_canary, layout_.canary_default);
      put_field(page, layout_.enclave_size, params_.enclave_size);
      put_field(page, layout_.tcs_offset, offset(at_.tcs.address) + t * kPageSize);
      put_field(page, layout_.initial_stack_addr, at_.stacks[t].end());
      put_field(page, layout_.sig_stack_low, at_.sig_stacks[t].address);
      put_field(page, layout_.sig_stack_high, at_.sig_stacks[t].end());
      put_field(page, layout_.ssa, ssa_of(t));
      put_field(page, layout_.gpr, ssa_of(t) + layout_.ssa_frame_size - layout_.gpr_size);
      put_field(page, layout_.manifest_size, at_.manifest_bytes);
      put_field(page, layout_.heap_min_offset, layout_.heap_min);
      put_field(page, layout_.heap_max_offset, at_.heap_max());
      hasher_.add_page(offset(self), kRegRw, page);
    }
  }

  // The file's bytes [offset, offset + file_size) at their place within the page, zeros around.
  ByteView segment_page(const elf::Segment& segment, std::uint64_t index, Page& page) const {
    const std::uint64_t window = segment.offset - segment.offset % kPageSize + index * kPageSize;
    const std::uint64_t from = std::max(window, segment.offset);
    const std::uint64_t to = std::min(window + kPageSize, segment.offset + segment.file_size);
    if (from >= to) return {};
    page.fill(std::byte{0});
    const ByteView bytes = libpal_.subspan(from, to - from);
    std::copy(bytes.begin(), bytes.end(),
              page.begin() + static_cast<std::ptrdiff_t>(from - window));
    return page;
  }

  void add_segment(const elf::Segment& segment) {
    const std::uint64_t start = segment.vaddr - segment.vaddr % kPageSize;
    const std::uint64_t end = segment.vaddr + segment.memory_size;
    const std::uint64_t pages = (end - start + kPageSize - 1) / kPageSize;
    std::uint64_t secinfo = kSecinfoReg;
    if ((segment.flags & kProtR) != 0) secinfo |= kSecinfoR;
    if ((segment.flags & kProtW) != 0) secinfo |= kSecinfoW;
    if ((segment.flags & kProtX) != 0) secinfo |= kSecinfoX;
    const Range range{start + at_.pal_bias, pages * kPageSize};
    note("pal", range, segment.flags & 7);
    Page page{};
    for (std::uint64_t i = 0; i < pages; ++i)
      hasher_.add_page(offset(range.address) + i * kPageSize, secinfo,
                       segment_page(segment, i, page));
  }

  void add_free(const Range& range) {
    note("free", range, kProtR | kProtW | kProtX, false);
    hasher_.add_unmeasured(offset(range.address), range.size / kPageSize, kRegRw | kSecinfoX);
  }

  ByteView libpal_, manifest_;
  const elf::LoadImage& image_;
  const EnclaveParams& params_;
  const LayoutConstants& layout_;
  const Placement& at_;
  PageHasher hasher_;
  EnclaveMeasurement out_;
};

struct Placed {
  elf::LoadImage libpal;
  Placement placement;
};

Result<Placed> place(ByteView libpal, ByteView manifest, const EnclaveParams& params,
                     const LayoutConstants& layout, const Limits& limits) {
  if (std::find(manifest.begin(), manifest.end(), std::byte{0}) != manifest.end())
    return Error::invalid("the manifest contains a NUL byte")
        .detail("Gramine reads it as a C string and would stop there");
  auto image = elf::read_load_segments(libpal, limits);
  if (!image.has_value()) return std::move(image).error().while_("reading libpal.so");
  CL_TRY(Placement placement, place_enclave(*image, manifest.size(), params, layout));
  return Placed{std::move(*image), std::move(placement)};
}

}  // namespace

Status check_enclave(ByteView libpal, ByteView manifest, const EnclaveParams& params,
                     const LayoutConstants& layout, const Limits& limits) {
  CL_TRY(const Placed placed, place(libpal, manifest, params, layout, limits));
  (void)placed;
  return {};
}

Result<EnclaveMeasurement> measure_enclave(ByteView libpal, ByteView manifest,
                                           const EnclaveParams& params,
                                           const LayoutConstants& layout, const Limits& limits) {
  CL_TRY(const Placed placed, place(libpal, manifest, params, layout, limits));
  return Builder(libpal, manifest, placed.libpal, params, layout, placed.placement).run();
}

}  // namespace cloister::measure::sgx
