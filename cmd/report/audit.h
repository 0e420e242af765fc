// What `audit` found, as a value, and in every form that people and programs read it in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/toml.h"
#include "manifest-gen/audit/finding.h"
#include "manifest-gen/audit/surface.h"
#include "manifest-gen/audit/target_fit.h"
#include "manifest-gen/launch/launch.h"
#include "manifest-gen/rehearse/verdict/verdict.h"

namespace cloister::cmd {

struct AuditReport {
  enum class Subject { image, enclave_image, manifest, overlay };
  Subject subject = Subject::image;
  std::string tee = "sgx";
  std::string name;              // as the user named it
  std::string digest, platform;  // of an image
  std::string base_name, base_digest;
  std::string runtime_name, runtime_version, runtime_digest;
  std::optional<manifest::Launch> launch;  // of an image that a manifest is made for
  std::string kind;                        // its template
  std::string mrenclave;                   // hex; empty: not known
  TomlTable manifest;
  // The manifest's lines, with what each is for where that is known.
  std::vector<std::pair<std::string, std::string>> lines;
  std::string manifest_digest;
  manifest::Surface surface;
  std::vector<manifest::TargetFit> targets;  // of an image that a manifest is made for
  // What runs of it, read from files, say of this manifest.
  struct Rehearsal {
    std::vector<std::string> files;
    manifest::Verdict verdict;
  };
  std::optional<Rehearsal> rehearsal;
  std::vector<manifest::Finding> findings;    // sorted
  std::optional<manifest::Severity> fail_on;  // nothing: the gate is open
};

// Whether something that is not accepted is as bad as `fail_on`.
bool passes(const AuditReport& report);

OrderedJson audit_object(const AuditReport& report);
std::string audit_json(const AuditReport& report);  // schema/audit.schema.json
// Fits `width` columns, where words do.
std::string audit_text(const AuditReport& report, unsigned width, bool color);
std::string audit_markdown(const AuditReport& report);
// SARIF 2.1.0. What stands in a file of the user points there, all else at the name of the subject.
std::string audit_sarif(const AuditReport& report);

// Counts by severity, accepted ones apart: {"critical":0,…,"accepted":1}.
OrderedJson finding_counts(const std::vector<manifest::Finding>& findings);
// "2 medium, 3 low", or "none"; accepted ones apart.
std::string count_phrase(const std::vector<manifest::Finding>& findings);
OrderedJson finding_json(const manifest::Finding& finding);
std::string quoted_words(const std::vector<std::string>& words);  // 'redis-server' '--save'

// What every form but the JSON calls the subject, what it starts, what it may do; of those, what is
// known.
struct Fact {
  std::string name, value;
};
std::vector<Fact> audit_facts(const AuditReport& report);

}  // namespace cloister::cmd
