#include "cmd/build_date.h"

#include "base/text.h"

namespace cloister::cmd {

// A SIGSTRUCT holds the year as four BCD digits.
constexpr std::uint64_t kEndOfYear9999 = 253402300799;

Result<Seconds> build_date(const std::string& option, const Environment& env,
                           std::optional<Seconds> base_created) {
  if (option.find('T') != std::string::npos) return parse_rfc3339(option);
  if (!option.empty()) {
    CL_TRY(const std::chrono::year_month_day date, parse_date(option));
    return Seconds(std::chrono::sys_days(date));
  }
  if (const auto epoch = env.get("SOURCE_DATE_EPOCH")) {
    const auto seconds = parse_u64(*epoch);
    if (!seconds || *seconds > kEndOfYear9999)
      return Error::usage(cat("SOURCE_DATE_EPOCH is ", quote(*epoch),
                              ", not a number of seconds since 1970"))
          .hint("for example SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)");
    return Seconds(std::chrono::seconds(*seconds));
  }
  return base_created.value_or(Seconds{});
}

}  // namespace cloister::cmd
