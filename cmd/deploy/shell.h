// Words for a POSIX shell.
#pragma once

#include <string>
#include <string_view>

namespace cloister::cmd {

// `text` as one word, whatever is in it.
std::string shell_word(std::string_view text);

}  // namespace cloister::cmd
