// Where the project's sources lie, for tests that read testdata/.
#pragma once

#include <filesystem>

namespace cloister {

// Absolute. A function in one small library, not a macro in all tests: their objects then do not
// depend on where the clone lies, and ccache serves them to another clone.
std::filesystem::path source_dir();

}  // namespace cloister
