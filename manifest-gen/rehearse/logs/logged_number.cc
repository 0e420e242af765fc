#include "manifest-gen/rehearse/logs/logged_number.h"

#include <charconv>

namespace cloister::manifest {

std::optional<LoggedNumber> take_logged_number(std::string_view& text) {
  std::string_view rest = text;
  LoggedNumber out;
  out.negative = rest.starts_with('-');
  if (out.negative) rest.remove_prefix(1);
  const bool hexadecimal = rest.starts_with("0x");
  if (hexadecimal) rest.remove_prefix(2);
  const auto [end, error] =
      std::from_chars(rest.data(), rest.data() + rest.size(), out.value, hexadecimal ? 16 : 10);
  if (error != std::errc{}) return std::nullopt;
  text = rest.substr(static_cast<std::size_t>(end - rest.data()));
  return out;
}

}  // namespace cloister::manifest
