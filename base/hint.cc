#include "base/hint.h"

#include <string>

namespace cloister {

Error advise(Error error, const Advice& advice) {
  if (!error.hint().empty()) return error;
  std::string_view text = advice.otherwise;
  switch (error.code()) {
    case Code::internal:   // nothing the user can do
    case Code::cancelled:  // nothing to be done
      return error;
    case Code::corrupt:
      text = advice.damaged;
      break;
    case Code::limit:
      text = advice.too_large;
      break;
    default:
      break;
  }
  if (text.empty()) return error;
  return std::move(error).hint(std::string(text));
}

}  // namespace cloister
