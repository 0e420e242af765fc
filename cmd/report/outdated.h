// What is newer than what an image was built from, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "manifest-gen/audit/advisories.h"

namespace cloister::cmd {

// What became of the name that an input had.
enum class InputState {
  current,  // still the recorded digest
  newer,    // another one by now
  unnamed,  // no public name with a tag: nobody can be asked
  unasked,  // --offline
};
std::string_view input_state_name(InputState state);

struct OutdatedReport {
  std::string subject;  // as the user named it
  struct Input {
    std::string role;               // "base", "runtime"
    std::string name;               // may be empty
    std::string recorded, current;  // digests; `current` is empty where nobody was asked
    InputState state = InputState::unnamed;
  };
  std::vector<Input> inputs;
  std::string runtime_name, runtime_version;
  std::vector<manifest::Advisory> advisories;  // that apply to this runtime
  std::vector<std::string> accepted;           // their ids, by the build
};

// Something is newer, or an advisory applies that the build did not accept.
bool is_outdated(const OutdatedReport& report);

std::string outdated_json(const OutdatedReport& report);  // schema/outdated.schema.json
std::string outdated_text(const OutdatedReport& report);

}  // namespace cloister::cmd
