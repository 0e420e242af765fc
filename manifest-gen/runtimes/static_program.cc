// The files that the resolver, user database, time zones and TLS of a static program, or of one
// written in Go or Rust, read, when it names them. Go keeps its strings without separators, so that
// a path is looked for within what the index found; an index that found nothing, or as much as it
// keeps, proves no absence.
#include "manifest-gen/runtimes/static_program.h"

#include <algorithm>

#include "base/path.h"
#include "manifest-gen/closure/program_kind.h"

namespace cloister::manifest {
namespace {

struct StaticRow {
  std::string_view named;  // what the program's text holds
  std::string_view path;
  std::string_view reason;
};

constexpr StaticRow kStaticRows[] = {
    {"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt",
     "certificate authorities, for TLS clients"},
    {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/certs/ca-bundle.crt",
     "certificate authorities, for TLS clients"},
    {"/etc/ssl/cert.pem", "/etc/ssl/cert.pem", "certificate authorities, for TLS clients"},
    {"/etc/passwd", "/etc/passwd", "user names"},
    {"/etc/group", "/etc/group", "group names"},
    {"/etc/nsswitch.conf", "/etc/nsswitch.conf", "where names are looked up"},
    {"/etc/services", "/etc/services", "names of services"},
    {"/etc/protocols", "/etc/protocols", "names of protocols"},
    {"/etc/mime.types", "/etc/mime.types", "types of files that it serves"},
    {"/etc/os-release", "/etc/os-release", "the name of the distribution"},
    {"/etc/localtime", "/etc/localtime", "the time zone"},
    // Go puts the name together.
    {"/usr/share/zoneinfo", "/etc/localtime", "the time zone"},
};

const measure::elf::Facts* facts_of(const ProgramStart& start, const AnalyzerScene& scene) {
  const measure::Node* node = scene.rootfs.find(start.path);
  return node != nullptr ? scene.rootfs.elf_facts(*node) : nullptr;
}

bool has_no_loader(const measure::elf::Facts& facts) {
  return facts.interpreter.empty() && facts.needed.empty();
}

bool names(const measure::elf::Facts& facts, std::string_view path) {
  return std::any_of(facts.strings.begin(), facts.strings.end(),
                     [&](const std::string& text) { return text.find(path) != std::string::npos; });
}

bool looks_for_zones(const measure::elf::Facts& facts) {
  return names(facts, "/usr/share/zoneinfo") || names(facts, "/usr/share/lib/zoneinfo");
}

}  // namespace

bool detect_static(const ProgramStart& start, const AnalyzerScene& scene) {
  const measure::elf::Facts* facts = facts_of(start, scene);
  // Go does these things on its own in dynamic programs too; that it looks for time zones gives it
  // away.
  return facts != nullptr && (has_no_loader(*facts) ||
                              (looks_for_zones(*facts) && !is_interpreter(base_name(start.path))));
}

Result<Analysis> analyze_static(const ProgramStart& start, const AnalyzerScene& scene) {
  const measure::elf::Facts& facts = *facts_of(start, scene);
  const std::vector<std::string>& strings = facts.strings;
  const bool all =
      has_no_loader(facts) && (strings.empty() || strings.size() >= scene.limits.elf_evidence);
  Analysis out;
  for (const StaticRow& row : kStaticRows) {
    if (all || names(facts, row.named))
      out.roots.push_back(
          {std::string(row.path), Why::config, std::string(row.reason), true, std::string()});
  }
  if (names(facts, "/etc/resolv.conf") && !is_interpreter(base_name(start.path)))
    out.suggestions.push_back({std::string(kHostNamesKey), true,
                               "looks host names up: the host's resolv.conf, checked by Gramine"});
  // Go looks zones up by the names that it is given.
  const measure::Node* node = scene.rootfs.find("/usr/share/zoneinfo");
  if (looks_for_zones(facts) && node != nullptr && node->is_directory())
    out.unknown.emplace_back(
        "may be asked for time zones by name, and is granted none but the image's own: "
        "--include '/usr/share/zoneinfo/**' if it is");
  return out;
}

}  // namespace cloister::manifest
