#include "tests/base/source_dir.h"

namespace cloister {

std::filesystem::path source_dir() {
  return CLOISTER_SOURCE_DIR;
}

}  // namespace cloister
