// A manifest of anybody's: all that the audit asks of its text, its migration, its differences from
// others, and the decisions in its comments.
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "manifest-gen/audit/audit_policy.h"
#include "manifest-gen/audit/permissions.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/audit/surface.h"
#include "manifest-gen/gramine/migrate.h"

using namespace cloister;
using namespace cloister::manifest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)accepted_in_comments(text, "input");
  auto table = parse_toml(text, Limits{}, "input");
  if (!table.has_value()) return 0;
  if (!(*table == *table)) return 0;  // NaN
  (void)parse_audit_policy(*table, "input");
  const EnclaveManifest manifest{*table};
  std::vector<Finding> findings = manifest_findings(manifest, nullptr);
  (void)refusal_findings(manifest);
  (void)granted_findings(manifest, nullptr);
  (void)surface_of({.manifest = *table});
  // The same is the same, and what was migrated once is of today.
  if (!compare_permissions({*table, "", "", ""}, {*table, "", "", ""}).empty()) std::abort();
  (void)compare_permissions({TomlTable(), "", "", ""}, {*table, "", "", ""});
  const Migration once = migrate_manifest(*table);
  if (!(migrate_manifest(once.manifest).manifest == once.manifest)) std::abort();
  return 0;
}
