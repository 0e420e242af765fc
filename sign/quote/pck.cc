// SGX Extensions ::= SEQUENCE OF SEQUENCE { id OBJECT IDENTIFIER, value ANY }, where every id is
// the extension's own with one more number, and the TCB's value is such a sequence again. The
// nesting is of two levels, so that two loops walk all of it.
#include "sign/quote/pck.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "sign/quote/der.h"

namespace cloister::sign {
namespace {

constexpr std::uint8_t kSgxExtensions[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

// One SEQUENCE { id, value }, its id without the prefix.
struct NamedItem {
  Bytes name;  // what the id has after the prefix's octets
  DerItem value;
};

std::optional<NamedItem> next_named(DerReader& in) {
  const auto pair = in.next();
  if (!pair || pair->tag != kDerSequence) return std::nullopt;
  DerReader inside(pair->value);
  const auto id = inside.next();
  if (!id || id->tag != kDerOid) return std::nullopt;
  const auto value = inside.next();
  if (!value || inside.more()) return std::nullopt;
  const ByteView prefix = std::as_bytes(std::span(kSgxExtensions));
  if (id->value.size() <= prefix.size() ||
      !std::ranges::equal(id->value.first(prefix.size()), prefix))
    return std::nullopt;
  const ByteView rest = id->value.subspan(prefix.size());
  return NamedItem{{rest.begin(), rest.end()}, *value};
}

Error bad_extension(std::string_view what) {
  return Error::corrupt(cat("the SGX extension of a PCK certificate has ", what));
}

template <std::size_t N>
bool take_octets(const DerItem& item, ByteArray<N>& out) {
  if (item.tag != kDerOctets || item.value.size() != N) return false;
  std::copy(item.value.begin(), item.value.end(), out.begin());
  return true;
}

// Which of the parts 1 to 31 were there.
class SeenParts {
 public:
  // False when it was there before.
  bool add(unsigned part) {
    const std::uint32_t bit = 1U << part;
    const bool first = (bits_ & bit) == 0;
    bits_ |= bit;
    return first;
  }
  bool all(unsigned from, unsigned to) const {
    for (unsigned part = from; part <= to; ++part)
      if ((bits_ & 1U << part) == 0) return false;
    return true;
  }

 private:
  std::uint32_t bits_ = 0;
};

constexpr unsigned kComponents = 16, kPcesvnPart = 17, kCpusvnPart = 18;

Status read_tcb(const DerItem& item, PckExtension& out) {
  if (item.tag != kDerSequence) return bad_extension("a TCB that is no sequence");
  DerReader in(item.value);
  SeenParts seen;
  while (in.more()) {
    const auto part = next_named(in);
    // Ids of the TCB have one number more: 2, then 1 to 18.
    if (!part || part->name.size() != 2 || part->name[0] != std::byte{2})
      return bad_extension("a malformed TCB");
    const auto number = static_cast<unsigned>(part->name[1]);
    if (number == 0 || number > kCpusvnPart || !seen.add(number))
      return bad_extension("a TCB with an unknown or repeated part");
    bool good = false;
    if (number <= kComponents) {
      const auto svn = der_integer(part->value, 0xff);
      good = svn.has_value();
      out.components.at(number - 1) = static_cast<std::uint8_t>(svn.value_or(0));
    } else if (number == kPcesvnPart) {
      const auto svn = der_integer(part->value, 0xffff);
      good = svn.has_value();
      out.pcesvn = static_cast<std::uint16_t>(svn.value_or(0));
    } else {
      good = take_octets(part->value, out.cpusvn);
    }
    if (!good) return bad_extension(cat("a TCB whose part ", number, " is out of range"));
  }
  if (!seen.all(1, kCpusvnPart)) return bad_extension("a TCB with parts missing");
  return {};
}

}  // namespace

Result<PckExtension> parse_pck_extension(ByteView der) {
  DerReader outer(der);
  const auto all = outer.next();
  if (!all || all->tag != kDerSequence || outer.more()) return bad_extension("no sequence in it");
  PckExtension out;
  DerReader in(all->value);
  SeenParts seen;
  while (in.more()) {
    const auto part = next_named(in);
    if (!part) return bad_extension("a malformed part");
    if (part->name.size() != 1) continue;
    const auto number = static_cast<unsigned>(part->name[0]);
    if (number == 0 || number > 31) continue;
    if (!seen.add(number)) return bad_extension(cat("part ", number, " twice"));
    bool good = true;
    if (number == 1) good = take_octets(part->value, out.ppid);
    if (number == 2) CL_CHECK(read_tcb(part->value, out));
    if (number == 3) good = take_octets(part->value, out.pceid);
    if (number == 4) good = take_octets(part->value, out.fmspc);
    if (!good) return bad_extension(cat("a part ", number, " of the wrong type or size"));
  }
  if (!seen.all(1, 4)) return bad_extension("parts missing");
  return out;
}

Result<PckExtension> pck_extension(const Certificate& certificate) {
  const auto value = certificate.extension(std::as_bytes(std::span(kSgxExtensions)));
  if (!value) return Error::corrupt("a PCK certificate without its SGX extension");
  return parse_pck_extension(*value);
}

}  // namespace cloister::sign
