// Audit reports to make pages of: a large one, and one that is hostile in every position.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cloister::cmd {

// Texts that mean something to a browser, a terminal or a person's eyes.
const std::vector<std::string>& hostile_texts();

// A report ("cloister-audit-v1") on an image with so many files, at least one, with names, reasons
// and edges of the length and number that a large Python or Node application has. The same bytes
// each time.
std::string large_audit(std::size_t files);

// So many files, of which each needs the next and the last needs the first.
std::string deep_audit(std::size_t files);

// A report in which every string that an image can decide is one of hostile_texts(), in turn.
std::string hostile_audit();

// A report on a manifest alone: nothing is known but what it says.
std::string bare_audit();

}  // namespace cloister::cmd
