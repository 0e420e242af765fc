// A certificate table is a list of 24-byte entries (GUID, offset, length: u32, from the start of
// the table), ended by one of zeros, with the contents anywhere behind them. What each content is,
// it says itself, so that the GUIDs only tell that this is a table. Hosts write them in either byte
// order (RFC 4122, and mixed-endian as in UEFI).
#include "sign/quote/snp_collateral.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "sign/quote/collateral_json.h"

namespace cloister::sign {
namespace {

using Guid = std::array<std::byte, 16>;

constexpr std::array<std::string_view, 5> kTableGuids = {
    "63da758de6644564adc5f4b93be8accd",  // VCEK
    "a8074bc2a25a483eaae639c045a0b8a1",  // VLEK
    "4ab7b379bbac4fe4a02f05aef327c782",  // ASK
    "c0b406a4a803495297433fb6014cd0ae",  // ARK
    "92f81bc358114d3d97ffd19f88dc67ea",  // CRL
};

bool is_known(ByteView guid) {
  Bytes swapped(guid.begin(), guid.end());
  std::reverse(swapped.begin(), swapped.begin() + 4);
  std::reverse(swapped.begin() + 4, swapped.begin() + 6);
  std::reverse(swapped.begin() + 6, swapped.begin() + 8);
  const std::string as_is = hex(guid), mixed = hex(swapped);
  return std::find(kTableGuids.begin(), kTableGuids.end(), as_is) != kTableGuids.end() ||
         std::find(kTableGuids.begin(), kTableGuids.end(), mixed) != kTableGuids.end();
}

// The base64 of every PEM block of that label, decoded.
Result<std::vector<Bytes>> pem_blocks(std::string_view pem, std::string_view label,
                                      const Limits& limits) {
  const std::string begin = cat("-----BEGIN ", label, "-----"),
                    end = cat("-----END ", label, "-----");
  std::vector<Bytes> out;
  for (std::size_t at = pem.find(begin); at != std::string_view::npos; at = pem.find(begin, at)) {
    at += begin.size();
    const std::size_t stop = pem.find(end, at);
    if (stop == std::string_view::npos)
      return Error::corrupt(cat("PEM text with a ", label, " cut short"));
    std::string text;
    for (const char c : pem.substr(at, stop - at))
      if (c != '\n' && c != '\r' && c != ' ' && c != '\t') text += c;
    auto der = unbase64(text);
    if (!der) return Error::corrupt(cat("PEM text with a ", label, " that cannot be decoded"));
    if (out.size() >= limits.certificates)
      return Error::limit(cat("more than ", limits.certificates, " of ", label, " in one file"));
    out.push_back(std::move(*der));
    at = stop;
  }
  return out;
}

bool add_der(ByteView der, SnpCollateral& out) {
  if (auto certificate = Certificate::parse_der(der); certificate.has_value()) {
    out.certificates.push_back(std::move(*certificate));
    return true;
  }
  if (auto list = RevocationList::parse_der(der); list.has_value()) {
    out.lists.push_back(std::move(*list));
    return true;
  }
  return false;
}

Result<bool> add_pem(std::string_view text, const Limits& limits, SnpCollateral& out) {
  const bool certificates = text.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos;
  if (certificates) {
    CL_TRY(auto read, Certificate::parse_pem(text, limits));
    for (Certificate& one : read) out.certificates.push_back(std::move(one));
  }
  CL_TRY(const auto lists, pem_blocks(text, "X509 CRL", limits));
  for (const Bytes& der : lists) {
    CL_TRY(auto list, RevocationList::parse_der(der));
    out.lists.push_back(std::move(list));
  }
  return certificates || !lists.empty();
}

// What the table's entries hold; empty when this is no table.
std::vector<ByteView> table_contents(ByteView table, const Limits& limits) {
  constexpr std::size_t kGuid = 16;
  std::vector<ByteView> out;
  ByteReader in(table);
  while (out.size() < limits.certificates) {
    const ByteView guid = in.bytes(kGuid);
    const std::uint32_t offset = in.u32(), length = in.u32();
    if (!in.ok()) return {};
    if (std::all_of(guid.begin(), guid.end(), [](std::byte b) { return b == std::byte{0}; })) break;
    if (out.empty() && !is_known(guid)) return {};
    const auto content = slice(table, offset, length);
    if (!content) return {};
    out.push_back(*content);
  }
  return out;
}

}  // namespace

Result<bool> SnpCollateral::add(ByteView file, const Limits& limits) {
  SnpCollateral found;
  bool any = false;
  const auto contents = table_contents(file, limits);  // first: it may have PEM text inside
  for (const ByteView content : contents) {
    const auto as_pem = add_pem(as_text(content), limits, found);
    any = (as_pem.has_value() && *as_pem) || add_der(content, found) || any;
  }
  if (contents.empty()) {
    if (begins_as_json(as_text(file))) return false;  // Intel's, with chains that are no PEM yet
    CL_TRY(any, add_pem(as_text(file), limits, found));
    any = any || add_der(file, found);
  }
  if (certificates.size() + lists.size() + found.certificates.size() + found.lists.size() >
      limits.collateral_files)
    return Error::limit(cat("more than ", limits.collateral_files, " certificates and lists"));
  for (Certificate& one : found.certificates) certificates.push_back(std::move(one));
  for (RevocationList& one : found.lists) lists.push_back(std::move(one));
  return any;
}

}  // namespace cloister::sign
