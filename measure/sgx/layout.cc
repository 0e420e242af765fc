// Gramine installs its layout constants as a Python module of "NAME = 0x…" lines, generated from
// the C structures (pal/src/host/linux-sgx/generated_offsets.c). A runtime that carries the module
// is believed; otherwise the built-in table serves. The fields of struct pal_enclave_tcb up to
// heap_max have not moved between 1.6 and 1.9, nor have the stack, SSA and heap constants
// (pal_linux_defs.h), so one row serves the four versions; a later version is refused until
// someone has looked.
//
// Trap: the module may come from an image, so its numbers are bounded before anything adds them.
#include "measure/sgx/layout.h"

#include <optional>
#include <vector>

#include "base/text.h"

namespace cloister::measure::sgx {
namespace {

constexpr std::uint64_t kPage = 4096;  // SGX knows no other (Intel SDM vol. 3D, 33.5)
constexpr std::uint64_t kMaxArea = 1ULL << 30;

struct Constant {
  std::string_view name;
  std::uint64_t LayoutConstants::*field;
  enum class Kind { address, pages, count, tls_offset, bytes, value } kind;
};

using Kind = Constant::Kind;
constexpr Constant kConstants[] = {
    {"PAGESIZE", &LayoutConstants::page_size, Kind::bytes},
    {"DEFAULT_ENCLAVE_BASE", &LayoutConstants::enclave_base, Kind::address},
    {"MMAP_MIN_ADDR", &LayoutConstants::heap_min, Kind::address},
    {"SSA_FRAME_SIZE", &LayoutConstants::ssa_frame_size, Kind::pages},
    {"SSA_FRAME_NUM", &LayoutConstants::ssa_frame_num, Kind::count},
    {"ENCLAVE_STACK_SIZE", &LayoutConstants::stack_size, Kind::pages},
    {"ENCLAVE_SIG_STACK_SIZE", &LayoutConstants::sig_stack_size, Kind::pages},
    {"SGX_GPR_SIZE", &LayoutConstants::gpr_size, Kind::bytes},
    {"SGX_COMMON_SELF", &LayoutConstants::common_self, Kind::tls_offset},
    {"SGX_COMMON_STACK_PROTECTOR_CANARY", &LayoutConstants::stack_protector_canary,
     Kind::tls_offset},
    {"SGX_ENCLAVE_SIZE", &LayoutConstants::enclave_size, Kind::tls_offset},
    {"SGX_TCS_OFFSET", &LayoutConstants::tcs_offset, Kind::tls_offset},
    {"SGX_INITIAL_STACK_ADDR", &LayoutConstants::initial_stack_addr, Kind::tls_offset},
    {"SGX_SIG_STACK_LOW", &LayoutConstants::sig_stack_low, Kind::tls_offset},
    {"SGX_SIG_STACK_HIGH", &LayoutConstants::sig_stack_high, Kind::tls_offset},
    {"SGX_SSA", &LayoutConstants::ssa, Kind::tls_offset},
    {"SGX_GPR", &LayoutConstants::gpr, Kind::tls_offset},
    {"SGX_MANIFEST_SIZE", &LayoutConstants::manifest_size, Kind::tls_offset},
    {"SGX_HEAP_MIN", &LayoutConstants::heap_min_offset, Kind::tls_offset},
    {"SGX_HEAP_MAX", &LayoutConstants::heap_max_offset, Kind::tls_offset},
    {"STACK_PROTECTOR_CANARY_DEFAULT", &LayoutConstants::canary_default, Kind::value},
    {"SGX_XFRM_MASK_CONST", &LayoutConstants::xfrm_mask_const, Kind::value},
};

bool plausible(Kind kind, std::uint64_t value) {
  switch (kind) {
    case Kind::address:
      return value % kPage == 0 && value <= kMaxArea;
    case Kind::pages:
      return value % kPage == 0 && value != 0 && value <= kMaxArea;
    case Kind::count:
      return value >= 1 && value <= 16;
    case Kind::tls_offset:
      return value % 8 == 0 && value <= kPage - 8;
    case Kind::bytes:
      return value >= 1 && value <= kPage;
    case Kind::value:
      return true;
  }
  return false;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return parse_u64(text);
  text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The text right of "NAME =", without a trailing comment; the last assignment wins, as in Python.
std::optional<std::string_view> assigned(std::string_view text, std::string_view name) {
  std::optional<std::string_view> found;
  for (std::string_view line : split(text, '\n')) {
    line = line.substr(0, line.find('#'));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || trim(line.substr(0, equals)) != name) continue;
    found = trim(line.substr(equals + 1));
  }
  return found;
}

}  // namespace

Status check_layout(const LayoutConstants& layout) {
  if (layout.page_size != kPage)
    return Error::unsupported(cat("an enclave page of ", layout.page_size, " bytes"))
        .detail("SGX knows pages of 4096 bytes only");
  for (const Constant& constant : kConstants)
    if (!plausible(constant.kind, layout.*constant.field))
      return Error::unsupported(cat("layout constant ", constant.name, " = ",
                                    hex_number(layout.*constant.field), " makes no sense"));
  if (layout.gpr_size > layout.ssa_frame_size)
    return Error::unsupported("layout constant SGX_GPR_SIZE does not fit into an SSA frame");
  return {};
}

Result<LayoutConstants> parse_offsets(std::string_view text) {
  LayoutConstants layout;
  for (const Constant& constant : kConstants) {
    const auto value = assigned(text, constant.name);
    if (!value)
      return Error::unsupported(cat("the runtime's layout constants lack ", constant.name))
          .hint("this runtime is older or newer than Gramine 1.6 to 1.9");
    const auto number = parse_number(*value);
    if (!number)
      return Error::unsupported(cat("layout constant ", constant.name,
                                    " is not a number: ", quote(value->substr(0, 100))));
    layout.*constant.field = *number;
  }
  CL_CHECK(check_layout(layout));
  return layout;
}

Result<LayoutConstants> builtin_layout(std::string_view version) {
  // "1.9", "1.9.1", "1.9-1~bookworm", "1.8post~…": the two numbers decide.
  for (std::string_view known : {"1.6", "1.7", "1.8", "1.9"}) {
    if (!version.starts_with(known)) continue;
    const std::string_view rest = version.substr(known.size());
    if (rest.empty() || rest.front() < '0' || rest.front() > '9') return LayoutConstants{};
  }
  return Error::unsupported(cat("the enclave layout of Gramine ",
                                version.empty() ? std::string("of unknown version")
                                                : quote(version.substr(0, 100)),
                                " is not known"))
      .detail("known: 1.6, 1.7, 1.8, 1.9")
      .hint("give a runtime that carries _graminelibos_offsets.py");
}

}  // namespace cloister::measure::sgx
