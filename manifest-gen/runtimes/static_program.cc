// The files that a static program's own resolver, user database, time zones and TLS read, when it
// names them. Go keeps its strings without separators, so that a path is looked for within what the
// index found; an index that found nothing, or as much as it keeps, proves no absence.
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
    {"/etc/localtime", "/etc/localtime", "the time zone"},
};

const measure::elf::Facts* facts_of(const ProgramStart& start, const AnalyzerScene& scene) {
  const measure::Node* node = scene.rootfs.find(start.path);
  return node != nullptr ? scene.rootfs.elf_facts(*node) : nullptr;
}

}  // namespace

bool detect_static(const ProgramStart& start, const AnalyzerScene& scene) {
  const measure::elf::Facts* facts = facts_of(start, scene);
  if (facts == nullptr) return false;
  if (facts->interpreter.empty() && facts->needed.empty()) return true;
  // Go does these things on its own in dynamic programs too; where it looks for time zones gives it
  // away.
  return std::any_of(facts->strings.begin(), facts->strings.end(), [](const std::string& text) {
    return text.find("/usr/share/lib/zoneinfo") != std::string::npos;
  });
}

Result<Analysis> analyze_static(const ProgramStart& start, const AnalyzerScene& scene) {
  const std::vector<std::string>& strings = facts_of(start, scene)->strings;
  const bool all = strings.empty() || strings.size() >= scene.limits.elf_evidence;
  Analysis out;
  const auto names = [&](std::string_view path) {
    return std::any_of(strings.begin(), strings.end(), [&](const std::string& text) {
      return text.find(path) != std::string::npos;
    });
  };
  for (const StaticRow& row : kStaticRows) {
    if (all || names(row.named))
      out.roots.push_back(
          {std::string(row.path), Why::config, std::string(row.reason), true, std::string()});
  }
  if (names("/etc/resolv.conf") && !is_interpreter(base_name(start.path)))
    out.suggestions.push_back({std::string(kHostNamesKey), true,
                               "looks host names up: the host's resolv.conf, checked by Gramine"});
  return out;
}

}  // namespace cloister::manifest
