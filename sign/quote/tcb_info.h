// TCB info (Intel's PCS API, versions 3 and 4): how good which firmware of one family of platforms
// is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sign/quote/collateral_json.h"

namespace cloister::sign {

using TcbComponents = std::array<std::uint8_t, 16>;

struct TcbLevel {
  TcbComponents sgx{};
  std::uint16_t pcesvn = 0;
  TcbComponents tdx{};  // of TDX alone
  Seconds date{};       // when Intel knew of what makes earlier levels out of date
  TcbStatus status = TcbStatus::revoked;
  std::vector<std::string> advisories;
};

// What Intel's TDX module has to be; `levels` of the modules with a version of their own.
struct TdxModule {
  std::uint8_t version = 0;  // 1 of "TDX_01"
  ByteArray<48> mrsigner{};
  ByteArray<8> attributes{}, attributes_mask{};
  std::vector<IsvLevel> levels;
};

struct TcbInfo {
  TeeKind tee = TeeKind::sgx;
  std::uint32_t version = 3;
  Seconds issue_date{}, next_update{};
  ByteArray<6> fmspc{};
  ByteArray<2> pceid{};
  std::uint32_t evaluation = 0;     // tcbEvaluationDataNumber
  std::vector<TcbLevel> levels;     // the best first
  std::optional<TdxModule> module;  // TDX: of version 0
  std::vector<TdxModule> modules;   // TDX: of the versions from 1 on

  const TdxModule* find_module(std::uint8_t module_version) const;
};

// The signed text. Versions 2 (SGX) and 3 (SGX, TDX); others are `unsupported`, as is another
// tcbType than 0. `corrupt` for members that are missing, of another type or out of range, and for
// a level or module that stands twice.
Result<TcbInfo> parse_tcb_info(std::string_view body, const Limits& limits);

}  // namespace cloister::sign
