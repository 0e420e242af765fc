#include "cmd/findings_policy.h"

#include <algorithm>
#include <iterator>

#include "base/file.h"
#include "base/text.h"
#include "base/toml.h"
#include "sign/policy/policy.h"

namespace cloister::cmd {

Result<manifest::AuditPolicy> load_findings_policy(const std::string& file, const Limits& limits) {
  CL_TRY(const std::string text, read_text_file(file, sign::kMaxPolicyBytes));
  return parse_findings_policy(text, file, limits);
}

Result<manifest::AuditPolicy> parse_findings_policy(std::string_view text, const std::string& file,
                                                    const Limits& limits) {
  CL_TRY(const TomlTable table, parse_toml(text, limits, quote(file)));
  for (const auto& [name, value] : table)
    if (std::find(std::begin(sign::kPolicyTables), std::end(sign::kPolicyTables), name) ==
        std::end(sign::kPolicyTables))
      return Error::invalid(cat(quote(file), " has an unknown key ", quote(name)))
          .hint("a policy has the tables signers, sgx, findings and others: sign/policy/policy.h");
  const TomlValue* version = table.find("schemaVersion");
  if (version == nullptr || version->integer() == nullptr || *version->integer() != 1)
    return Error::invalid(cat(quote(file), " has no schemaVersion = 1"))
        .hint("its first line says which rules it is written for: schemaVersion = 1");
  const TomlValue* findings = table.find("findings");
  if (findings == nullptr) return manifest::AuditPolicy();
  if (findings->table() == nullptr)
    return Error::invalid(cat("'findings' of ", quote(file), " is no table"))
        .hint("write [findings]");
  return manifest::parse_audit_policy(*findings->table(), file);
}

}  // namespace cloister::cmd
