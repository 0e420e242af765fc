// SARIF 2.1.0 (OASIS), as code scanning takes it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cloister::cmd {

struct SarifResult {
  std::string rule, title, meaning;  // the same for every result of a rule
  std::string level;                 // "error", "warning", "note"
  std::string score;                 // "0.0" to "10.0", by which code scanning sorts
  std::string message;
  // A result must have a place in a file. What is in an image points at the first line of a file
  // that is called as the image, which stands in no repository and is shown as it is.
  std::string file;
  std::size_t line = 1;           // from 1
  std::string place, place_kind;  // key, path …
  std::string fingerprint;  // what tells it from others of the rule, whatever the line; hashed
  std::vector<std::pair<std::string, std::string>> properties;
  struct Suppression {
    bool in_source = false;
    std::string reason;
  };
  std::optional<Suppression> suppression;
};

// REQUIRES: texts are UTF-8, or what is not may be replaced.
std::string sarif_document(const std::vector<SarifResult>& results);

}  // namespace cloister::cmd
