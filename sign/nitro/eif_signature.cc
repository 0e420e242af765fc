// [{"signing_certificate": PEM, "signature": COSE_Sign1}], whose payload is
// {"register_index": 0, "register_value": PCR0}. Trap: AWS's tools are Rust's serde, for which
// bytes are arrays of numbers: a PEM text is almost twice as long in here, and the section's limit
// of 32 KiB is half of what it seems. What they compare is the payload's bytes, so that it has to
// be encoded as they do.
#include "sign/nitro/eif_signature.h"

#include <algorithm>
#include <string>

#include "base/text.h"
#include "measure/nitro/eif_header.h"
#include "sign/quote/cbor.h"

namespace cloister::sign {
namespace {

using measure::nitro::Pcr;

constexpr std::string_view kCertificateField = "signing_certificate", kSignatureField = "signature",
                           kIndexField = "register_index", kValueField = "register_value";

// An array of numbers below 256.
Bytes read_numbers(CborReader& in, std::size_t max) {
  const std::uint64_t count = in.expect(CborKind::array).number;
  Bytes out;
  if (count > max) in.fail();
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    const std::uint64_t number = in.expect(CborKind::uint).number;
    if (number > 0xff) in.fail();
    out.push_back(static_cast<std::byte>(number));
  }
  return out;
}

// The fields of a map of two, in either order, each once.
template <class First, class Second>
void read_pair(CborReader& in, std::string_view first, First on_first, std::string_view second,
               Second on_second) {
  in.expect(CborKind::map, 2);
  bool seen_first = false, seen_second = false;
  for (int i = 0; in.ok() && i < 2; ++i) {
    const std::string_view name = as_text(in.expect(CborKind::text).bytes);
    bool& seen = name == first ? seen_first : seen_second;
    if ((name != first && name != second) || seen) return in.fail();
    seen = true;
    if (name == first)
      on_first();
    else
      on_second();
  }
}

Bytes payload_of(std::uint64_t index, const Pcr& value) {
  CborWriter out;
  out.map(2);
  out.text(kIndexField);
  out.uint(index);
  out.text(kValueField);
  out.numbers(value);
  return out.take();
}

Status parse_payload(EifSignature& out) {
  CborReader in(out.cose.payload);
  Bytes value;
  read_pair(
      in, kIndexField, [&] { out.register_index = in.expect(CborKind::uint).number; }, kValueField,
      [&] { value = read_numbers(in, out.register_value.size()); });
  if (value.size() != out.register_value.size()) in.fail();
  CL_CHECK(in.finish("what the signature of an enclave image file is over"));
  std::ranges::copy(value, out.register_value.begin());
  return {};
}

std::string pem_of(const Bytes& der) {
  constexpr std::size_t kColumns = 64;
  const std::string text = base64(der);
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < text.size(); at += kColumns)
    out += text.substr(at, kColumns) + "\n";
  return out + "-----END CERTIFICATE-----\n";
}

}  // namespace

Result<EifSignature> parse_eif_signature(ByteView section) {
  constexpr std::string_view kSectionName = "the signature of an enclave image file";
  if (section.size() > measure::nitro::kEifMaxSignature)
    return Error::limit(cat(kSectionName, " is larger than the limit of ",
                            human_bytes(measure::nitro::kEifMaxSignature)));
  CborReader in(section);
  const std::uint64_t entries = in.expect(CborKind::array).number;
  if (entries == 0) in.fail();
  Bytes pem, cose;
  read_pair(
      in, kCertificateField, [&] { pem = read_numbers(in, section.size()); }, kSignatureField,
      [&] { cose = read_numbers(in, section.size()); });
  for (std::uint64_t i = 1; in.ok() && i < entries; ++i) in.skip();
  CL_CHECK(in.finish(kSectionName));
  auto certificate = read_eif_certificate(pem, "of the image");
  if (!certificate.has_value())
    return Error::corrupt(cat(kSectionName, " has no usable certificate"))
        .detail(certificate.error().what());
  CL_TRY(CoseSign1 sign1, parse_cose_sign1(cose));
  EifSignature out{std::move(*certificate), std::move(sign1), 0, {}, entries - 1};
  CL_CHECK(parse_payload(out));
  return out;
}

Status check_eif_signature(const EifSignature& signature, const Pcr& pcr0) {
  if (signature.register_index != 0)
    return Error::policy("the image's signature is not over PCR0")
        .detail(cat("got PCR", signature.register_index));
  if (signature.register_value != pcr0)
    return Error::policy("the image's signature is over another image")
        .detail(cat("got PCR0 ", hex(signature.register_value)))
        .detail(cat("want ", hex(pcr0)));
  if (signature.cose.payload != payload_of(0, pcr0))
    return Error::policy("the image's signature is over PCR0, encoded as AWS's tools do not");
  const auto algorithm = cose_algorithm_of(signature.certificate);
  if (algorithm != signature.cose.algorithm)
    return Error::policy("the image's signature is by another algorithm than its certificate's key")
        .detail(cat("got ", cose_algorithm_name(signature.cose.algorithm)));
  if (!is_signed_by(signature.cose, signature.certificate))
    return Error::policy("the image's signature is not by the key of its certificate");
  return {};
}

Bytes eif_signing_data(CoseAlgorithm algorithm, const Pcr& pcr0) {
  return cose_signed_bytes(algorithm, payload_of(0, pcr0));
}

Result<Bytes> make_eif_signature(const EifKey& key, const Pcr& pcr0) {
  CoseSign1 sign1;
  sign1.algorithm = key.algorithm();
  sign1.payload = payload_of(0, pcr0);
  CL_TRY(sign1.signature, key.sign(eif_signing_data(key.algorithm(), pcr0)));
  CborWriter out;
  out.array(1);
  out.map(2);
  out.text(kCertificateField);
  out.numbers(as_bytes(pem_of(key.certificate().der())));
  out.text(kSignatureField);
  out.numbers(encode_cose_sign1(sign1));
  Bytes section = out.take();
  if (section.size() <= measure::nitro::kEifMaxSignature) return section;
  return Error::limit("the certificate is too large to be signed with")
      .detail(cat("the section would have ", section.size(), " bytes, and may have ",
                  measure::nitro::kEifMaxSignature))
      .hint("use a certificate with fewer extensions");
}

}  // namespace cloister::sign
