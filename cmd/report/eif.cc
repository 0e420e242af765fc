// Metadata and command line are a stranger's: escaped for the terminal. Neither is in a register
// but for the command line.
#include "cmd/report/eif.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

namespace cloister::cmd {
namespace {

using measure::nitro::Eif;
using measure::nitro::EifSection;

std::string_view architecture_of(const Eif& eif) {
  return eif.arm64() ? "arm64" : "x86-64";
}

// Nothing for what is no JSON: nobody but people reads it.
std::optional<OrderedJson> metadata_of(const EifReport& r) {
  auto parsed = parse_ordered_json(r.eif.metadata, r.limits, "the metadata");
  if (!parsed.has_value()) return std::nullopt;
  return *std::move(parsed);
}

// printable(), but for backslashes, which are JSON's own.
std::string shown_json(std::string_view line) {
  std::vector<std::string> pieces;
  for (const std::string_view piece : split(line, '\\')) pieces.push_back(printable(piece));
  return join(pieces, "\\");
}

std::string metadata_text(const EifReport& r) {
  constexpr std::size_t kMostShown = 4096;  // bytes of what is no JSON
  const auto json = metadata_of(r);
  if (!json)
    return cat("metadata, which is no JSON\n",
               printable(std::string_view(r.eif.metadata).substr(0, kMostShown)), "\n");
  std::string out = "metadata (not measured)\n";
  const std::string text = dump_json_pretty(*json);
  for (const std::string_view line : split(text, '\n')) out += shown_json(line) + "\n";
  return out;
}

std::string signature_lines(const EifReport& r) {
  if (r.signature == nullptr) return "signature        none\n";
  const sign::Certificate& certificate = r.signature->certificate;
  std::string out =
      cat("signature        ", sign::cose_algorithm_name(r.signature->cose.algorithm), ", ",
          r.problem == nullptr ? "valid" : "NOT VALID", "\n",                     //
          "certificate      ", quote(certificate.common_name()), ", sha256 ",     //
          sha256(certificate.der()).hex(), "\n",                                  //
          "valid            ", format_rfc3339(certificate.not_before()), " to ",  //
          format_rfc3339(certificate.not_after()), ": nitro-cli starts it only then\n");
  return out;
}

std::string sections_text(const Eif& eif) {
  std::string out = "offset        size          section    sha256\n";
  for (const EifSection& section : eif.sections) {
    char line[96];
    std::snprintf(line, sizeof line, "%-12llu  %-12llu  %-9s  ",
                  static_cast<unsigned long long>(section.extent.offset),
                  static_cast<unsigned long long>(section.extent.size),
                  std::string(measure::nitro::eif_section_name(section.type)).c_str());
    out += cat(std::string_view(line), section.sha256.hex(), "\n");
  }
  return out;
}

std::string header_text(const Eif& eif) {
  return cat("version          ", eif.header.version,                        //
             "\nflags            ", hex_number(eif.header.flags),            //
             "\ndefault memory   ", human_bytes(eif.header.default_memory),  //
             "\ndefault cpus     ", eif.header.default_cpus,                 //
             "\ncrc32            ", hex_number(eif.header.crc32),            //
             "\nsize             ", eif.size, " (", human_bytes(eif.size), ")\n");
}

OrderedJson signature_json(const EifReport& r) {
  if (r.signature == nullptr) return nullptr;
  const sign::Certificate& certificate = r.signature->certificate;
  OrderedJson out = {
      {"algorithm", sign::cose_algorithm_name(r.signature->cose.algorithm)},
      {"valid", r.problem == nullptr},
      {"problem", nullptr},
      {"certificate",
       {{"commonName", certificate.common_name()},
        {"sha256", sha256(certificate.der()).hex()},
        {"notBefore", format_rfc3339(certificate.not_before())},
        {"notAfter", format_rfc3339(certificate.not_after())}}},
  };
  if (r.problem != nullptr) out["problem"] = r.problem->what();
  return out;
}

void add_explanation(OrderedJson& json, const EifReport& r) {
  const Eif& eif = r.eif;
  json["header"] = {{"version", eif.header.version},
                    {"flags", eif.header.flags},
                    {"defaultMemory", eif.header.default_memory},
                    {"defaultCpus", eif.header.default_cpus},
                    {"crc32", eif.header.crc32}};
  OrderedJson sections = OrderedJson::array();
  for (const EifSection& section : eif.sections)
    sections.push_back({{"type", measure::nitro::eif_section_name(section.type)},
                        {"offset", section.extent.offset},
                        {"size", section.extent.size},
                        {"sha256", section.sha256.hex()}});
  json["sections"] = std::move(sections);
  const auto metadata = metadata_of(r);
  json["metadata"] = metadata ? *metadata : OrderedJson(nullptr);
}

}  // namespace

std::string eif_text(const EifReport& r) {
  std::string out = cat("pcr0             ", hex(r.eif.pcr0), "\npcr1             ",
                        hex(r.eif.pcr1), "\npcr2             ", hex(r.eif.pcr2), "\n");
  if (r.signature != nullptr) out += cat("pcr8             ", hex(r.signature->pcr8()), "\n");
  out += signature_lines(r);
  out += cat("architecture     ", architecture_of(r.eif), "\ncommand line     ",
             printable(r.eif.command_line), "\n");
  if (!r.explain) return out;
  return cat(out, header_text(r.eif), "\n", sections_text(r.eif), "\n", metadata_text(r));
}

std::string eif_json(const EifReport& r) {
  OrderedJson json = {
      {"tee", "nitro"},
      {"pcr0", hex(r.eif.pcr0)},
      {"pcr1", hex(r.eif.pcr1)},
      {"pcr2", hex(r.eif.pcr2)},
      {"pcr8", nullptr},
      {"architecture", architecture_of(r.eif)},
      {"commandLine", r.eif.command_line},
      {"size", r.eif.size},
      {"signature", signature_json(r)},
  };
  if (r.signature != nullptr) json["pcr8"] = hex(r.signature->pcr8());
  if (r.explain) add_explanation(json, r);
  return dump_json_pretty(json) + "\n";
}

}  // namespace cloister::cmd
