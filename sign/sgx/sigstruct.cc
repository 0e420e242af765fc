// SIGSTRUCT, Intel SDM vol. 3D, 37.14, table 37-19: 1808 bytes. What is signed are the two ranges
// [0, 128) and [900, 1028), so that everything the processor looks at is covered except the key and
// the signature themselves.
//
// Traps: the date is binary coded decimal in a little-endian dword (2016-01-09 is 09 01 16 20). The
// signature is stored with its bytes reversed. EINIT refuses any reserved byte that is not zero.
#include "sign/sgx/sigstruct.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr std::size_t kKeyStart = 128, kBodyStart = 900, kBodyEnd = 1028;

// HEADER without its last dword (the type), and HEADER2.
constexpr std::uint8_t kHeader[] = {6, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 1, 0};
constexpr std::uint8_t kHeader2[] = {1, 1, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 1, 0, 0, 0};
constexpr std::size_t kReserved1 = 84, kReservedCet = 2, kReserved2 = 16, kReserved3 = 12;

std::uint32_t to_bcd(unsigned value, unsigned digits) {
  std::uint32_t out = 0;
  for (unsigned i = 0; i < digits; ++i, value /= 10) out |= (value % 10) << (4 * i);
  return out;
}

bool from_bcd(std::uint32_t bcd, unsigned digits, unsigned& out) {
  out = 0;
  for (unsigned i = digits; i-- > 0;) {
    const unsigned digit = bcd >> (4 * i) & 15;
    if (digit > 9) return false;
    out = out * 10 + digit;
  }
  return true;
}

std::uint32_t encode_date(std::chrono::year_month_day date) {
  const auto year = static_cast<unsigned>(std::clamp(static_cast<int>(date.year()), 0, 9999));
  return to_bcd(year, 4) << 16 | to_bcd(static_cast<unsigned>(date.month()), 2) << 8 |
         to_bcd(static_cast<unsigned>(date.day()), 2);
}

bool decode_date(std::uint32_t value, std::chrono::year_month_day& out) {
  unsigned year = 0, month = 0, day = 0;
  if (!from_bcd(value >> 16, 4, year) || !from_bcd(value >> 8 & 0xff, 2, month) ||
      !from_bcd(value & 0xff, 2, day))
    return false;
  out =
      std::chrono::year(static_cast<int>(year)) / std::chrono::month(month) / std::chrono::day(day);
  return true;
}

ByteView fixed(const auto& bytes) {
  return std::as_bytes(std::span(bytes));
}

class Parser {
 public:
  explicit Parser(ByteView bytes) : in_(bytes) {}

  Result<Sigstruct> run() {
    Sigstruct s;
    expect("HEADER", fixed(kHeader));
    s.type = in_.u32();
    s.vendor = in_.u32();
    if (!decode_date(in_.u32(), s.date)) bad("DATE");
    expect("HEADER2", fixed(kHeader2));
    s.swdefined = in_.u32();
    expect_zeros("reserved bytes at 44", kReserved1);
    take(s.modulus);
    s.exponent = in_.u32();
    take(s.signature);
    s.misc_select = in_.u32();
    s.misc_mask = in_.u32();
    s.cet_attributes = in_.u8();
    s.cet_attributes_mask = in_.u8();
    expect_zeros("reserved bytes at 910", kReservedCet);
    take(s.isv_family_id);
    s.flags = in_.u64();
    s.xfrm = in_.u64();
    s.flags_mask = in_.u64();
    s.xfrm_mask = in_.u64();
    take(s.mrenclave.bytes);
    expect_zeros("reserved bytes at 992", kReserved2);
    take(s.isv_ext_prod_id);
    s.isvprodid = in_.u16();
    s.isvsvn = in_.u16();
    expect_zeros("reserved bytes at 1028", kReserved3);
    take(s.q1);
    take(s.q2);
    CL_CHECK(in_.finish("SIGSTRUCT"));
    if (!wrong_.empty()) return Error::corrupt(cat("not a SIGSTRUCT: wrong ", wrong_));
    return s;
  }

 private:
  void bad(std::string_view field) {
    if (wrong_.empty()) wrong_ = field;
  }
  void expect(std::string_view field, ByteView want) {
    const ByteView got = in_.bytes(want.size());
    if (!std::equal(got.begin(), got.end(), want.begin(), want.end())) bad(field);
  }
  void expect_zeros(std::string_view field, std::size_t size) {
    const ByteView got = in_.bytes(size);
    if (std::any_of(got.begin(), got.end(), [](std::byte b) { return b != std::byte{0}; }))
      bad(field);
  }
  template <std::size_t N>
  void take(std::array<std::byte, N>& out) {
    const ByteView got = in_.bytes(N);
    std::copy(got.begin(), got.end(), out.begin());
  }

  ByteReader in_;
  std::string wrong_;
};

}  // namespace

Digest Sigstruct::mrsigner() const {
  return sha256(modulus);
}

Sigstruct make_sigstruct(const measure::sgx::EnclaveParams& params, const Digest& mrenclave,
                         std::chrono::year_month_day date) {
  Sigstruct s;
  s.date = date;
  s.misc_select = params.misc_select;
  s.misc_mask = params.misc_mask;
  s.flags = params.flags;
  s.xfrm = params.xfrm;
  s.flags_mask = params.flags_mask;
  s.xfrm_mask = params.xfrm_mask;
  s.mrenclave = mrenclave;
  s.isvprodid = params.isvprodid;
  s.isvsvn = params.isvsvn;
  return s;
}

Bytes encode_sigstruct(const Sigstruct& s) {
  ByteWriter out;
  out.bytes(fixed(kHeader));
  out.u32(s.type);
  out.u32(s.vendor);
  out.u32(encode_date(s.date));
  out.bytes(fixed(kHeader2));
  out.u32(s.swdefined);
  out.zeros(kReserved1);
  out.bytes(s.modulus);
  out.u32(s.exponent);
  out.bytes(s.signature);
  out.u32(s.misc_select);
  out.u32(s.misc_mask);
  out.u8(s.cet_attributes);
  out.u8(s.cet_attributes_mask);
  out.zeros(kReservedCet);
  out.bytes(s.isv_family_id);
  out.u64(s.flags);
  out.u64(s.xfrm);
  out.u64(s.flags_mask);
  out.u64(s.xfrm_mask);
  out.bytes(s.mrenclave.bytes);
  out.zeros(kReserved2);
  out.bytes(s.isv_ext_prod_id);
  out.u16(s.isvprodid);
  out.u16(s.isvsvn);
  out.zeros(kReserved3);
  out.bytes(s.q1);
  out.bytes(s.q2);
  return out.take();
}

Bytes signing_data(const Sigstruct& sigstruct) {
  const Bytes all = encode_sigstruct(sigstruct);
  Bytes out(all.begin(), all.begin() + kKeyStart);
  out.insert(out.end(), all.begin() + kBodyStart, all.begin() + kBodyEnd);
  return out;
}

Result<Sigstruct> parse_sigstruct(ByteView bytes) {
  if (bytes.size() != kSigstructSize)
    return Error::corrupt("not a SIGSTRUCT")
        .detail(cat("got ", bytes.size(), " bytes, want ", kSigstructSize));
  return Parser(bytes).run();
}

}  // namespace cloister::sign
