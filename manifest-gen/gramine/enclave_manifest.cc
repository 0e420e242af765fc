// What the manifest says about the enclave itself, read as Gramine's signer reads it: its defaults
// (graminelibos/manifest.py), its attribute bits (sgx_sign.py), its number syntax (Python's
// int(text, 0)). Masks are those of SIGSTRUCT: a set bit means that the attribute must be as given.
//
// Trap: the features are applied in the order of the table. "avx512 disabled" clears the bits of
// AVX too, even where AVX was "required" just before; the bits of AVX-512 include it.
#include "manifest-gen/gramine/enclave_manifest.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"
#include "manifest-gen/gramine/check_values.h"
#include "manifest-gen/gramine/validate.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kDefaultSize = "256M", kDefaultEdmmSize = "1024G";
constexpr std::uint64_t kFlagDebug = 0x2, kFlagMode64 = 0x4;
constexpr std::uint32_t kMiscExinfo = 0x1;
constexpr std::size_t kMaxWarnings = 20;

struct Feature {
  std::string_view key;
  std::uint64_t bits;  // of XCR0
  bool may_be_unspecified;
};
constexpr Feature kFeatures[] = {
    {"sgx.cpu_features.avx", 0x4, true},     {"sgx.cpu_features.avx512", 0xe4, true},
    {"sgx.cpu_features.amx", 0x60000, true}, {"sgx.cpu_features.mpx", 0x18, false},
    {"sgx.cpu_features.pkru", 0x200, false},
};

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

bool is_python_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

// Python's int(text, 0) without a minus sign: "0x", "0o", "0b", single underscores between digits,
// no leading zeros in decimal numbers, white space around.
std::optional<std::uint64_t> python_integer(std::string_view text) {
  while (!text.empty() && is_python_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_python_space(text.back())) text.remove_suffix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  bool underscore_ok = false;  // right after a base prefix one may stand
  if (text.size() > 2 && text[0] == '0') {
    const char letter = text[1];
    base = letter == 'x' || letter == 'X'   ? 16
           : letter == 'o' || letter == 'O' ? 8
           : letter == 'b' || letter == 'B' ? 2
                                            : 10;
    if (base != 10) text.remove_prefix(2), underscore_ok = true;
  }
  std::uint64_t value = 0;
  bool any = false;
  const bool leading_zero = base == 10 && text.size() > 1 && text[0] == '0';
  for (const char c : text) {
    if (c == '_') {
      if (!underscore_ok) return std::nullopt;
      underscore_ok = false;
      any = false;  // a digit must follow
      continue;
    }
    const int d = digit(c);
    if (d >= base || !checked_mul<std::uint64_t>(value, static_cast<std::uint64_t>(base), value) ||
        !checked_add<std::uint64_t>(value, static_cast<std::uint64_t>(d), value))
      return std::nullopt;
    any = underscore_ok = true;
  }
  if (!any || (leading_zero && value != 0)) return std::nullopt;
  return value;
}

std::uint64_t scale_of(char suffix) {
  switch (suffix) {
    case 'K':
      return 1ULL << 10;
    case 'M':
      return 1ULL << 20;
    case 'G':
      return 1ULL << 30;
    default:
      return 1;
  }
}

// A value of the wrong type is an error even where the signer would only stumble over it later.
Result<bool> boolean_at(const TomlTable& table, std::string_view key) {
  const TomlValue* value = table.at(key);
  if (value == nullptr) return false;
  if (value->boolean() == nullptr) return wrong_type(key, "true or false", *value);
  return *value->boolean();
}

Result<std::uint64_t> integer_at(const TomlTable& table, std::string_view key,
                                 std::uint64_t otherwise, std::uint64_t max) {
  const TomlValue* value = table.at(key);
  if (value == nullptr) return otherwise;
  if (value->integer() == nullptr) return wrong_type(key, "an integer", *value);
  const std::int64_t number = *value->integer();
  if (number < 0 || static_cast<std::uint64_t>(number) > max)
    return Error::invalid(cat("'", key, "' = ", number, " is out of range"))
        .hint(cat("write a number from 0 to ", max));
  return static_cast<std::uint64_t>(number);
}

Result<std::uint64_t> enclave_size(const TomlTable& table, bool edmm) {
  const TomlValue* value = table.at("sgx.enclave_size");
  if (value == nullptr)
    return parse_size(edmm ? kDefaultEdmmSize : kDefaultSize, Strictness::signer);
  if (value->string() == nullptr)
    return wrong_type("sgx.enclave_size", "a string", *value)
        .hint("sizes are strings, for example \"256M\"");
  auto size = parse_size(*value->string(), Strictness::signer);
  if (!size.has_value()) return std::move(size).error().while_("reading 'sgx.enclave_size'");
  return size;
}

Status apply_features(const TomlTable& table, measure::sgx::EnclaveParams& params) {
  for (const Feature& feature : kFeatures) {
    const TomlValue* value = table.at(feature.key);
    if (value == nullptr) continue;
    const std::string* text = value->string();
    const bool required = text != nullptr && *text == "required";
    const bool disabled = text != nullptr && *text == "disabled";
    if (!required && !disabled) {
      if (feature.may_be_unspecified && text != nullptr && *text == "unspecified") continue;
      return Error::invalid(cat("'", feature.key, "' has a value that Gramine does not take"))
          .hint(feature.may_be_unspecified ? "write \"unspecified\", \"disabled\" or \"required\""
                                           : "write \"disabled\" or \"required\"");
    }
    params.xfrm = required ? params.xfrm | feature.bits : params.xfrm & ~feature.bits;
    params.xfrm_mask |= feature.bits;
  }
  return {};
}

// Only tables on the way to the keys that are read; what else is wrong becomes a warning.
Status check_tables(const TomlTable& table) {
  for (const char* key : {"sgx", "sgx.cpu_features"})
    if (const TomlValue* value = table.at(key); value != nullptr && value->table() == nullptr)
      return wrong_type(key, "a table", *value);
  return {};
}

std::string one_line(const Error& error) {
  std::string out = error.what();
  for (const std::string& detail : error.details()) out += "; " + detail;
  if (!error.hint().empty()) out += "; " + error.hint();
  return out;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text, Strictness strictness) {
  const bool signer = strictness == Strictness::signer;
  std::string_view number = text;
  // The loader alone takes lower-case suffixes.
  char suffix = number.empty() ? '\0' : number.back();
  if (!signer && (suffix == 'k' || suffix == 'm' || suffix == 'g'))
    suffix = static_cast<char>(suffix - 'a' + 'A');
  const std::uint64_t scale = scale_of(suffix);
  if (scale != 1) number.remove_suffix(1);
  const auto value = signer ? python_integer(number) : parse_u64(number);
  std::uint64_t size = 0;
  if (!value)
    return Error::invalid(cat("not a size: ", quote(text.substr(0, 100))))
        .hint("write digits and K, M or G, for example \"512M\"");
  if (!checked_mul(*value, scale, size))
    return Error::invalid(cat("a size beyond all memory: ", quote(text.substr(0, 100))));
  return size;
}

Result<measure::sgx::EnclaveParams> enclave_params(const EnclaveManifest& manifest,
                                                   std::vector<std::string>* warnings) {
  const TomlTable& table = manifest.table;
  measure::sgx::EnclaveParams params;
  CL_CHECK(check_tables(table));
  CL_TRY(params.edmm, boolean_at(table, "sgx.edmm_enable"));
  CL_TRY(params.debug, boolean_at(table, "sgx.debug"));
  CL_TRY(const bool exinfo, boolean_at(table, "sgx.use_exinfo"));
  CL_TRY(params.enclave_size, enclave_size(table, params.edmm));
  CL_TRY(const std::uint64_t threads, integer_at(table, "sgx.max_threads", 4, 0xffffffff));
  CL_TRY(const std::uint64_t prodid, integer_at(table, "sgx.isvprodid", 0, 0xffff));
  CL_TRY(const std::uint64_t svn, integer_at(table, "sgx.isvsvn", 0, 0xffff));
  params.max_threads = static_cast<std::uint32_t>(threads);
  params.isvprodid = static_cast<std::uint16_t>(prodid);
  params.isvsvn = static_cast<std::uint16_t>(svn);
  params.flags = kFlagMode64 | (params.debug ? kFlagDebug : 0);
  params.misc_select = exinfo ? kMiscExinfo : 0;
  CL_CHECK(apply_features(table, params));
  if (warnings != nullptr)
    for (const Violation& violation : find_violations(manifest, Strictness::loader, kMaxWarnings))
      warnings->push_back(one_line(violation.error));
  return params;
}

}  // namespace cloister::manifest
