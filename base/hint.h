// Hints for errors that bring none. The place that fails knows what is wrong; what to do about it
// often depends on what the bytes were (a layer, a document, an overlay), which its caller knows.
#pragma once

#include <string_view>
#include <utility>

#include "base/result.h"

namespace cloister {

// One action for each sort of failure; an empty one gives no hint.
struct Advice {
  std::string_view damaged;    // Code::corrupt
  std::string_view too_large;  // Code::limit
  std::string_view otherwise;  // every other code that the user can do something about
};

// The error with the fitting hint, unless it has one of its own: the inner place knows more.
Error advise(Error error, const Advice& advice);

template <class T>
Result<T> advise(Result<T> result, const Advice& advice) {
  if (!result.has_value()) {
    Error error = std::move(result.error());
    result.error() = advise(std::move(error), advice);
  }
  return result;
}

}  // namespace cloister
