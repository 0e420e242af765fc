// Offsets of a quote, all numbers little-endian, the four signatures and keys big-endian:
//
//   header   48  version, key type, TEE type, (v3: SVNs of QE and PCE), vendor, user data
//   [v5 only] 6  type and size of the body
//   body         384 (SGX), 584 (TDX 1.0) or 648 (TDX 1.5)
//   size      4  of all that follows:
//     signature 64 over everything before `size`, attestation key 64
//     [v4, v5: type 6 and size of what follows]
//     QE report 384, its signature 64, authentication data, certification data
//
// Traps: version 5 keeps the TEE type in the header beside the type of the body, and both have to
// agree. Reserved fields are signed, so that nobody but the platform can set them, and are not
// asked for zeros: quotes in use have other bytes there.
#include "sign/quote/ecdsa_quote.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr std::uint16_t kEcdsaP256 = 2;
constexpr std::uint32_t kTeeSgx = 0, kTeeTdx = 0x81;
constexpr std::uint16_t kQeReportCertification = 6;
constexpr std::size_t kHeaderSize = 48, kBodyDescriptorSize = 6;
constexpr std::uint32_t kTd10Size = 584, kTd15Size = 648;
constexpr std::uint8_t kIntelVendor[] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                         0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

template <std::size_t N>
void take_array(ByteReader& in, ByteArray<N>& out) {
  const ByteView got = in.bytes(N);
  std::copy(got.begin(), got.end(), out.begin());
}

Bytes copy_of(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

SgxReport read_sgx_report(ByteReader& in) {
  SgxReport r;
  take_array(in, r.cpusvn);
  r.misc_select = in.u32();
  r.cet_attributes = in.u8();
  in.skip(11);
  take_array(in, r.isv_ext_prod_id);
  r.flags = in.u64();
  r.xfrm = in.u64();
  take_array(in, r.mrenclave.bytes);
  in.skip(32);
  take_array(in, r.mrsigner.bytes);
  in.skip(32);
  take_array(in, r.config_id);
  r.isvprodid = in.u16();
  r.isvsvn = in.u16();
  r.config_svn = in.u16();
  in.skip(42);
  take_array(in, r.isv_family_id);
  take_array(in, r.report_data);
  return r;
}

TdReport read_td_report(ByteReader& in, bool version15) {
  TdReport r;
  take_array(in, r.tee_tcb_svn);
  take_array(in, r.mrseam);
  take_array(in, r.mrsignerseam);
  r.seam_attributes = in.u64();
  r.td_attributes = in.u64();
  r.xfam = in.u64();
  take_array(in, r.mrtd);
  take_array(in, r.mrconfigid);
  take_array(in, r.mrowner);
  take_array(in, r.mrownerconfig);
  for (auto& rtmr : r.rtmr) take_array(in, rtmr);
  take_array(in, r.report_data);
  if (!version15) return r;
  TdReport15& more = r.version15.emplace();
  take_array(in, more.tee_tcb_svn2);
  take_array(in, more.mrservicetd);
  return r;
}

enum class BodyKind : std::uint16_t { sgx = 1, td10 = 2, td15 = 3 };

std::uint32_t size_of(BodyKind kind) {
  if (kind == BodyKind::sgx) return kSgxReportSize;
  return kind == BodyKind::td10 ? kTd10Size : kTd15Size;
}

class QuoteParser {
 public:
  explicit QuoteParser(ByteView bytes) : bytes_(bytes), in_(bytes) {}

  Result<EcdsaQuote> run() {
    CL_TRY(const BodyKind kind, read_header());
    if (kind == BodyKind::sgx)
      quote_.body = read_sgx_report(in_);
    else
      quote_.body = read_td_report(in_, kind == BodyKind::td15);
    const std::uint64_t body_end = in_.offset();
    const std::uint32_t size = in_.u32();
    CL_CHECK(in_.finish("the quote"));
    if (size > in_.remaining())
      return Error::corrupt("the quote is cut short")
          .detail(cat("got ", in_.remaining(), " bytes of signature data, want ", size));
    quote_.signed_bytes = copy_of(bytes_.first(body_end));
    CL_CHECK(read_signature_data(in_.bytes(size)));
    return std::move(quote_);
  }

 private:
  Result<BodyKind> read_header() {
    quote_.version = in_.u16();
    const std::uint16_t key_type = in_.u16();
    const std::uint32_t tee = in_.u32();
    quote_.qe_svn = in_.u16();
    quote_.pce_svn = in_.u16();
    const ByteView vendor = in_.bytes(sizeof kIntelVendor);
    take_array(in_, quote_.user_data);
    if (!in_.ok())
      return Error::corrupt("too short for a quote")
          .detail(cat("got ", bytes_.size(), " bytes, want more than ", kHeaderSize));
    if (quote_.version < 3 || quote_.version > 5)
      return Error::unsupported(cat("a quote of version ", quote_.version))
          .detail("want version 3 (SGX), 4 or 5 (SGX, TDX)");
    if (key_type != kEcdsaP256)
      return Error::unsupported(cat("a quote with an attestation key of type ", key_type))
          .detail("want type 2, ECDSA P-256");
    if (!std::ranges::equal(vendor, std::as_bytes(std::span(kIntelVendor))))
      return Error::unsupported(cat("a quote of the unknown quoting enclave vendor ", hex(vendor)))
          .detail("want Intel's, 939a7233f79c4ca9940a0db3957f0607");
    return read_body_kind(tee);
  }

  Result<BodyKind> read_body_kind(std::uint32_t tee) {
    if (tee != kTeeSgx && tee != kTeeTdx)
      return Error::unsupported(cat("a quote for a TEE of type ", hex_number(tee)))
          .detail("want 0 (SGX) or 0x81 (TDX)");
    if (quote_.version == 3 && tee != kTeeSgx)
      return Error::corrupt("a quote of version 3 for a TEE other than SGX");
    if (quote_.version < 5) return tee == kTeeSgx ? BodyKind::sgx : BodyKind::td10;
    const std::uint16_t type = in_.u16();
    const std::uint32_t size = in_.u32();
    CL_CHECK(in_.finish("the quote"));
    if (type < 1 || type > 3)
      return Error::unsupported(cat("a quote with a body of type ", type))
          .detail("want 1 (SGX), 2 (TDX 1.0) or 3 (TDX 1.5)");
    const auto kind = static_cast<BodyKind>(type);
    if (size != size_of(kind))
      return Error::corrupt(cat("a quote whose body of type ", type, " has another size"))
          .detail(cat("got ", size, " bytes, want ", size_of(kind)));
    if ((kind == BodyKind::sgx) != (tee == kTeeSgx))
      return Error::corrupt("a quote whose header and body are of different TEEs")
          .detail(cat("header ", hex_number(tee), ", body of type ", type));
    return kind;
  }

  Status read_signature_data(ByteView data) {
    ByteReader in(data);
    take_array(in, quote_.signature);
    take_array(in, quote_.attestation_key);
    if (quote_.version == 3) return read_certification(in);
    const std::uint16_t type = in.u16();
    const ByteView inner = in.bytes(in.u32());
    CL_CHECK(in.finish("the quote's signature data"));
    if (type != kQeReportCertification)
      return Error::unsupported(cat("a quote with certification data of type ", type, " outside"))
          .detail("want type 6, the quoting enclave's report");
    ByteReader inside(inner);
    return read_certification(inside);
  }

  Status read_certification(ByteReader& in) {
    const ByteView report = in.bytes(kSgxReportSize);
    take_array(in, quote_.qe_report_signature);
    quote_.auth_data = copy_of(in.bytes(in.u16()));
    const std::uint16_t type = in.u16();
    quote_.certification = copy_of(in.bytes(in.u32()));
    CL_CHECK(in.finish("the quote's certification data"));
    std::copy(report.begin(), report.end(), quote_.qe_report_bytes.begin());
    ByteReader fields(report);
    quote_.qe_report = read_sgx_report(fields);
    if (type < 1 || type > 5)
      return Error::unsupported(cat("a quote with certification data of type ", type))
          .detail("want 1 to 3 (the processor's name), 4 (a certificate) or 5 (a chain)");
    quote_.certification_type = static_cast<CertificationType>(type);
    return {};
  }

  ByteView bytes_;
  ByteReader in_;
  EcdsaQuote quote_;
};

}  // namespace

ByteArray<16> SgxReport::attributes() const {
  ByteWriter out;
  out.u64(flags);
  out.u64(xfrm);
  ByteArray<16> bytes{};
  std::copy(out.view().begin(), out.view().end(), bytes.begin());
  return bytes;
}

const ReportData& EcdsaQuote::report_data() const {
  return std::visit([](const auto& report) -> const ReportData& { return report.report_data; },
                    body);
}

bool EcdsaQuote::debug() const {
  return std::visit([](const auto& report) { return report.debug(); }, body);
}

Result<EcdsaQuote> parse_ecdsa_quote(ByteView bytes) {
  return QuoteParser(bytes).run();
}

}  // namespace cloister::sign
