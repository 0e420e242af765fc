// The value of a Result that a test knows to be good; otherwise its error is shown and the test
// program ends, since nothing after it would mean anything.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/result.h"

namespace cloister {

template <class T>
T must(Result<T> result) {
  if (!result.has_value()) {
    std::fprintf(stderr, "unexpected error: %s\n", result.error().what().c_str());
    std::abort();
  }
  return *std::move(result);
}

}  // namespace cloister
