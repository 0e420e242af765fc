// What `rehearse` and `learn` found, as a value, and in every form that people and programs read it
// in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "manifest-gen/rehearse/observed_run.h"
#include "manifest-gen/rehearse/verdict/tax.h"
#include "manifest-gen/rehearse/verdict/verdict.h"

namespace cloister::cmd {

struct RehearseReport {
  manifest::ObservedRun run;
  manifest::Verdict verdict;
  manifest::Tax tax;
  std::string image;             // as the user named it; empty: there was none
  std::string digest, platform;  // of it
  std::string manifest_digest;   // of the text that the run is held against
  // What went wrong with the work that it was given; nothing: it was done, or there was none.
  std::optional<std::string> work_problem;
};

// Nothing was refused that matters, the program did its work, and it did not fail.
bool passes(const RehearseReport& report);

// Fits `width` columns, where words do; a line to copy is not broken.
std::string rehearse_text(const RehearseReport& report, unsigned width, bool color);
std::string rehearse_markdown(const RehearseReport& report);
std::string rehearse_json(const RehearseReport& report);  // schema/rehearse.schema.json

// The parts of the JSON.
OrderedJson verdict_json(const manifest::Verdict& verdict);
OrderedJson tax_json(const manifest::Tax& tax);

// What the forms for people share: facts about the run, and phrases.
struct RunFact {
  std::string name, value;
};
std::vector<RunFact> run_facts(const RehearseReport& report);
// "clean: 45 files opened, all granted", "refused: 2 paths; 45 files opened", "failed: …".
std::string verdict_phrase(const RehearseReport& report);
std::string uses_phrase(const manifest::Denied& denied);   // "read 3 times by /usr/sbin/nginx"
std::string image_phrase(const manifest::Denied& denied);  // "a file of the image, 4.0 KiB"
std::string size_value(const manifest::SizeAdvice& size, std::uint64_t value);
std::string tax_phrase(const manifest::Tax& tax);        // a sentence
std::string call_phrase(const manifest::CallKey& call);  // "read (socket)"

}  // namespace cloister::cmd
