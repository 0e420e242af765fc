// Layout by offset (all numbers little-endian): 0 version, 4 guest SVN, 8 policy, 0x10 family id,
// 0x20 image id, 0x30 VMPL, 0x34 signature algorithm, 0x38 current TCB, 0x40 platform info, 0x48
// key flags, 0x4c zero, 0x50 report data, 0x90 measurement, 0xc0 host data, 0xe0 and 0x110 digests
// of the ID and author keys, 0x140 and 0x160 report ids, 0x180 reported TCB, 0x188 CPUID, 0x1a0
// chip id, 0x1e0 committed TCB, 0x1e8 and 0x1ec firmware versions, 0x1f0 launch TCB, 0x1f8
// mitigations, 0x2a0 signature: r and s in 72 bytes each, then zeros.
//
// Reserved fields inside the signed part are left alone, because later firmware gives them meaning
// and whoever signs them is the one who is trusted anyway. What lies outside has one encoding only:
// two different files must not be the same report.
#include "sign/quote/snp_report.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr std::size_t kSignedSize = 0x2a0;
constexpr std::size_t kNumber = 72, kNumberUsed = 48, kAfterNumbers = 368;
constexpr std::byte kZero{0};

bool all_are(ByteView bytes, std::byte value) {
  return std::all_of(bytes.begin(), bytes.end(), [=](std::byte b) { return b == value; });
}

class SnpReportReader {
 public:
  explicit SnpReportReader(ByteView bytes) : bytes_(bytes), in_(bytes) {}

  Result<SnpReport> run() {
    SnpReport r;
    r.version = in_.u32();
    if (r.version != 2 && r.version != 3 && r.version != 5)
      return Error::unsupported(
          cat("SEV-SNP report of version ", r.version, "; known are versions 2, 3 and 5"));
    read_head(r);
    read_identity(r);
    read_platform(r);
    CL_CHECK(read_signature(r));
    CL_CHECK(in_.finish("SEV-SNP report"));
    r.signed_bytes.assign(bytes_.begin(), bytes_.begin() + kSignedSize);
    return r;
  }

 private:
  template <std::size_t N>
  void take(std::array<std::byte, N>& out) {
    const ByteView from = in_.bytes(N);
    std::copy(from.begin(), from.end(), out.begin());
  }
  void take(SnpTcb& out) {
    for (std::uint8_t& level : out) level = in_.u8();
  }
  void take(SnpFirmware& out) {
    out.build = in_.u8();
    out.minor = in_.u8();
    out.major = in_.u8();
    in_.skip(1);
  }

  void read_head(SnpReport& r) {
    r.guest_svn = in_.u32();
    r.policy.bits = in_.u64();
    take(r.family_id);
    take(r.image_id);
    r.vmpl = in_.u32();
    r.signature_algorithm = in_.u32();
    take(r.current_tcb);
    r.platform_info = in_.u64();
    const std::uint32_t keys = in_.u32();
    r.author_key = (keys & 1) != 0;
    r.mask_chip_key = (keys & 2) != 0;
    r.signer_bits = keys >> 2 & 7;
    in_.skip(4);
  }

  void read_identity(SnpReport& r) {
    take(r.data);
    take(r.measurement);
    take(r.host_data);
    take(r.id_key_digest);
    take(r.author_key_digest);
    take(r.report_id);
    take(r.report_id_ma);
  }

  void read_platform(SnpReport& r) {
    take(r.reported_tcb);
    SnpCpuid cpuid;
    cpuid.family = in_.u8();
    cpuid.model = in_.u8();
    cpuid.stepping = in_.u8();
    if (r.version >= 3) r.cpuid = cpuid;
    in_.seek(0x1a0);
    take(r.chip_id);
    take(r.committed_tcb);
    take(r.current_firmware);
    take(r.committed_firmware);
    take(r.launch_tcb);
    if (r.version >= 5) {
      r.launch_mitigations = in_.u64();
      r.current_mitigations = in_.u64();
    }
  }

  Status read_signature(SnpReport& r) {
    in_.seek(kSignedSize);
    for (std::size_t i = 0; i < 2; ++i) {
      const ByteView number = in_.bytes(kNumber);
      if (number.size() != kNumber) break;  // finish() says so
      if (!all_are(number.subspan(kNumberUsed), kZero))
        return Error::corrupt("SEV-SNP report whose signature is no number of P-384");
      std::reverse_copy(number.begin(), number.begin() + kNumberUsed,
                        r.signature.begin() + static_cast<std::ptrdiff_t>(i * kNumberUsed));
    }
    if (!all_are(in_.bytes(kAfterNumbers), kZero))
      return Error::corrupt("SEV-SNP report with bytes after its signature that are not zero");
    return {};
  }

  ByteView bytes_;
  ByteReader in_;
};

}  // namespace

std::uint64_t tcb_number(const SnpTcb& tcb) {
  std::uint64_t out = 0;
  for (std::size_t i = tcb.size(); i-- > 0;) out = out << 8 | tcb.at(i);
  return out;
}

std::optional<SnpSigner> SnpReport::signer() const {
  switch (signer_bits) {
    case 0:
      return SnpSigner::vcek;
    case 1:
      return SnpSigner::vlek;
    case 7:
      return SnpSigner::none;
    default:
      return std::nullopt;
  }
}

bool SnpReport::chip_masked() const {
  return all_are(chip_id, kZero);
}

bool SnpReport::has_migration_agent() const {
  return !all_are(report_id_ma, std::byte{0xff});
}

Result<SnpReport> parse_snp_report(ByteView bytes) {
  if (bytes.size() != kSnpReportSize)
    return Error::corrupt(
        cat("a SEV-SNP report has ", kSnpReportSize, " bytes, this has ", bytes.size()));
  return SnpReportReader(bytes).run();
}

}  // namespace cloister::sign
