// Trap: the map of the payload is of indefinite length in documents of newer hosts, and of nine
// pairs in those of older ones.
#include "sign/nitro/attestation_document.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "sign/quote/cbor.h"

namespace cloister::sign {
namespace {

constexpr std::string_view kDocument = "an attestation document";
constexpr std::uint64_t kRegisters = 32;
constexpr std::uint64_t kEndOfTime = 253'402'300'800'000;  // 10000-01-01 in milliseconds

class DocumentReader {
 public:
  DocumentReader(ByteView payload, const Limits& limits) : in_(payload), limits_(limits) {}

  Result<NitroDocument> run() {
    CborItems fields = in_.begin(CborKind::map);
    while (in_.more(fields)) {
      const std::string key(as_text(in_.expect(CborKind::text).bytes));
      if (!seen_.insert(key).second) return Error::corrupt(cat(kDocument, " has two ", quote(key)));
      CL_CHECK(field(key));
    }
    CL_CHECK(in_.finish(kDocument));
    for (const char* wanted :
         {"module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"})
      if (!seen_.contains(wanted)) return Error::corrupt(cat(kDocument, " without ", wanted));
    return std::move(out_);
  }

 private:
  Status field(const std::string& key) {
    if (key == "module_id") {
      out_.module_id = as_text(in_.expect(CborKind::text).bytes);
      if (!is_utf8(out_.module_id)) in_.fail();
    } else if (key == "digest") {
      const std::string digest(as_text(in_.expect(CborKind::text).bytes));
      if (in_.ok() && digest != "SHA384")
        return Error::unsupported(cat(kDocument, " has registers of ", quote(digest)))
            .detail("want SHA384");
    } else if (key == "timestamp") {
      const std::uint64_t milliseconds = in_.expect(CborKind::uint).number;
      if (milliseconds >= kEndOfTime) in_.fail();
      out_.time = Seconds(std::chrono::seconds(milliseconds / 1000));
    } else if (key == "pcrs") {
      registers();
    } else if (key == "certificate") {
      return certificate(out_.certificate);
    } else if (key == "cabundle") {
      return bundle();
    } else if (key == "public_key") {
      optional_bytes(out_.public_key);
    } else if (key == "user_data") {
      optional_bytes(out_.user_data);
    } else if (key == "nonce") {
      optional_bytes(out_.nonce);
    } else {
      in_.skip();
    }
    return {};
  }

  void registers() {
    CborItems items = in_.begin(CborKind::map);
    while (in_.more(items)) {
      const std::uint64_t number = in_.expect(CborKind::uint).number;
      const ByteView value = in_.expect(CborKind::bytes).bytes;
      Digest384 digest{};
      if (number >= kRegisters || value.size() != digest.size()) return in_.fail();
      std::copy(value.begin(), value.end(), digest.begin());
      if (!out_.pcrs.emplace(static_cast<std::uint8_t>(number), digest).second) return in_.fail();
    }
  }

  Status certificate(Certificate& to) {
    const ByteView der = in_.expect(CborKind::bytes).bytes;
    if (!in_.ok()) return {};
    CL_TRY(to, Certificate::parse_der(der));
    return {};
  }

  Status bundle() {
    CborItems items = in_.begin(CborKind::array);
    while (in_.more(items)) {
      if (out_.bundle.size() == limits_.certificates)
        return Error::limit(
            cat(kDocument, " has more than ", limits_.certificates, " certificates"));
      CL_CHECK(certificate(out_.bundle.emplace_back()));
    }
    return {};
  }

  void optional_bytes(std::optional<Bytes>& to) {
    const CborHead head = in_.next();
    if (head.kind == CborKind::bytes)
      to.emplace(head.bytes.begin(), head.bytes.end());
    else if (head.kind != CborKind::other)  // null
      in_.fail();
  }

  CborReader in_;
  const Limits& limits_;
  NitroDocument out_;
  std::set<std::string> seen_;
};

}  // namespace

bool NitroDocument::debug() const {
  return std::all_of(pcrs.begin(), pcrs.end(),
                     [](const auto& pcr) { return pcr.first > 2 || pcr.second == Digest384{}; });
}

std::vector<ReportData> NitroDocument::session_data() const {
  std::vector<ReportData> out;
  for (const std::optional<Bytes>* one : {&nonce, &user_data}) {
    if (!*one || (*one)->empty() || (*one)->size() > std::tuple_size_v<ReportData>) continue;
    std::copy((*one)->begin(), (*one)->end(), out.emplace_back().begin());
  }
  return out;
}

bool looks_like_nitro_document(ByteView bytes) {
  constexpr std::byte kArrayOfFour{0x84}, kSign1Tag{0xd2};
  if (!bytes.empty() && bytes.front() == kSign1Tag) bytes = bytes.subspan(1);
  return !bytes.empty() && bytes.front() == kArrayOfFour;
}

Result<NitroDocument> parse_nitro_document(ByteView bytes, const Limits& limits) {
  CL_TRY(CoseSign1 sign1, parse_cose_sign1(bytes));
  CL_TRY(NitroDocument out, DocumentReader(sign1.payload, limits).run());
  out.sign1 = std::move(sign1);
  return out;
}

}  // namespace cloister::sign
