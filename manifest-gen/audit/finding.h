// Findings: what a reviewer should know, as values. Text is made in cmd/report.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

enum class Severity { info, low, medium, high, critical };
inline constexpr Severity kSeverities[] = {Severity::critical, Severity::high, Severity::medium,
                                           Severity::low, Severity::info};  // worst first
std::string_view severity_name(Severity severity);
std::optional<Severity> parse_severity(std::string_view name);

// What a finding's `where` names.
enum class Subject { key, file, program, package, runtime, option, image };
std::string_view subject_name(Subject subject);

struct Finding {
  std::string id;  // "CL101"; stable
  Severity severity = Severity::info;
  Subject subject = Subject::key;
  std::string where;         // key, file, runtime …
  std::string evidence;      // what was seen
  std::string fix;           // what to do
  bool stops_build = false;  // unless accepted by id

  std::string key;                 // the dotted manifest key that is the cause; empty: none is
  std::vector<std::string> files;  // absolute paths in the image that it is about

  // What others than the rule know of it (locate.h, audit_policy.h).
  std::string layer;    // digest of the layer that the first of `files` is in
  std::string package;  // that owns it, with its version
  struct Source {
    std::string file;      // of the user: an overlay, a manifest
    std::size_t line = 0;  // from 1
  };
  std::optional<Source> source;
  std::optional<Severity> rule_severity;  // before a policy changed it
  struct Acceptance {
    std::string reason, until, by;  // `until`: "2027-01-31", or empty; `by`: who says so
  };
  std::optional<Acceptance> accepted;
};

}  // namespace cloister::manifest
