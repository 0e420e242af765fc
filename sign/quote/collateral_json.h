// What the documents of Intel's provisioning certification service have in common: a signature over
// the exact bytes of one member, members that have to be there, and levels with a status.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/text.h"
#include "base/time.h"
#include "sign/quote/ecdsa_quote.h"
#include "sign/quote/verdict.h"

namespace cloister::sign {

// A JSON text as it was signed, byte for byte, and the signature: ECDSA P-256 with SHA-256, r and
// s.
struct SignedDocument {
  std::string body;
  ByteArray<64> signature{};
};

// Whether a file that may be anything is a JSON object rather than PEM, which JSON may hold.
bool begins_as_json(std::string_view file);

// The reply {"<member>": {…}, "signature": "<128 hex digits>"}; `corrupt` when it is not that.
Result<SignedDocument> split_signed_reply(std::string_view reply, std::string_view member,
                                          const Limits& limits);
// The two parts given apart.
Result<SignedDocument> make_signed_document(std::string_view body, std::string_view hex_signature);

// A level of one security version number: of a quoting enclave or a TDX module.
struct IsvLevel {
  std::uint16_t isvsvn = 0;
  Seconds date{};  // when Intel knew of what makes earlier levels out of date
  TcbStatus status = TcbStatus::revoked;
  std::vector<std::string> advisories;
};

// One JSON object all of whose members are asked for by name. Every getter is `corrupt` when the
// member is absent, of another type or out of range; the message names the member and `what`.
class DocumentReader {
 public:
  DocumentReader(const Json& object, std::string what, const Limits& limits)
      : object_(object), what_(std::move(what)), limits_(limits) {}

  bool has(std::string_view key) const;
  Result<std::uint32_t> number(std::string_view key, std::uint32_t max) const;
  Result<std::string> text(std::string_view key) const;
  Result<Seconds> time(std::string_view key) const;
  Result<TcbStatus> status() const;                     // "tcbStatus"
  Result<std::vector<std::string>> advisories() const;  // "advisoryIDs"; absent: none
  Result<DocumentReader> object(std::string_view key) const;
  // The objects of an array that has at least one and at most `max`.
  Result<std::vector<DocumentReader>> objects(std::string_view key, std::size_t max) const;
  // Hex of exactly N bytes.
  template <std::size_t N>
  Result<ByteArray<N>> bytes(std::string_view key) const {
    CL_TRY(const std::string hex, text(key));
    const auto raw = unhex(hex);
    if (!raw || raw->size() != N) return wrong(key, cat(2 * N, " hex digits"));
    ByteArray<N> out{};
    std::copy(raw->begin(), raw->end(), out.begin());
    return out;
  }
  // "tcbLevels" of {"tcb": {"isvsvn": …}, "tcbDate", "tcbStatus", "advisoryIDs"}, each once.
  Result<std::vector<IsvLevel>> isv_levels() const;

  Error wrong(std::string_view key, std::string_view want) const;

 private:
  const Json& object_;
  std::string what_;
  const Limits& limits_;
};

// The first level, in the document's order, that `isvsvn` reaches; null when it reaches none.
const IsvLevel* find_level(const std::vector<IsvLevel>& levels, std::uint16_t isvsvn);

}  // namespace cloister::sign
