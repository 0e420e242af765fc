// SPDX: https://spdx.github.io/spdx-spec/v2.3/ (its JSON schema). CycloneDX:
// https://cyclonedx.org/docs/1.5/json/. SPDX would like a SHA-1 of each file beside the SHA-256 and
// a verification code made of them; nobody computes SHA-1 here, so that filesAnalyzed is false and
// files hang on their package by relationships, as other tools that look at images do it.
#include "cmd/report/sbom.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

using manifest::Package;

constexpr std::string_view kNoAssertion = "NOASSERTION";

// What the files belong to, in their order.
struct Part {
  std::string name, version, url, license, source;
  bool runtime = false;
  std::vector<std::size_t> files;
};

struct Bill {
  std::vector<Part> parts;           // by name
  std::vector<std::size_t> unowned;  // files of no package
};

Bill bill_of(const SbomSubject& subject) {
  Bill out;
  std::map<std::string, Part> parts;
  for (std::size_t i = 0; i < subject.files.size(); ++i) {
    const SbomFile& file = subject.files[i];
    if (file.from_runtime) {
      Part& part = parts[" runtime"];
      part.runtime = true;
      part.name = subject.runtime_name;
      part.version = subject.runtime_version;
      part.url = cat("pkg:generic/", part.name, part.version.empty() ? "" : "@", part.version);
      part.files.push_back(i);
      continue;
    }
    const Package* owner = subject.packages.owner(file.path);
    if (owner == nullptr) {
      out.unowned.push_back(i);
      continue;
    }
    std::string url = manifest::package_url(*owner, subject.packages.distribution());
    Part& part = parts[url];
    part = {owner->name,   owner->version, std::move(url),       owner->license,
            owner->source, false,          std::move(part.files)};
    part.files.push_back(i);
  }
  for (auto& [key, part] : parts) out.parts.push_back(std::move(part));
  return out;
}

// A UUID (RFC 9562, version 8) of the document without it.
std::string uuid_of(std::string_view text) {
  std::string digits = sha256(text).hex().substr(0, 32);
  digits[12] = '8';
  static constexpr char kVariant[] = {'8', '9', 'a', 'b'};
  const char c = digits[16];
  digits[16] = kVariant[static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10) & 3U];
  return cat(digits.substr(0, 8), "-", digits.substr(8, 4), "-", digits.substr(12, 4), "-",
             digits.substr(16, 4), "-", digits.substr(20));
}

// ---- SPDX ----

std::string spdx_id(std::string_view kind, std::size_t number, std::string_view name) {
  std::string out = cat("SPDXRef-", kind, "-", number, name.empty() ? "" : "-");
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-';
    out += plain ? c : '-';
  }
  return out;
}

OrderedJson relationship(std::string_view from, std::string_view type, std::string_view to) {
  return {{"spdxElementId", from}, {"relationshipType", type}, {"relatedSpdxElement", to}};
}

OrderedJson spdx_package(const std::string& id, const Part& part) {
  OrderedJson json = {{"SPDXID", id}, {"name", part.name}};
  if (!part.version.empty()) json["versionInfo"] = part.version;
  json["downloadLocation"] = kNoAssertion;
  json["filesAnalyzed"] = false;
  json["licenseConcluded"] = kNoAssertion;
  json["licenseDeclared"] = kNoAssertion;
  if (!part.license.empty())
    json["licenseComments"] = cat("the package database says: ", part.license);
  json["copyrightText"] = kNoAssertion;
  if (!part.source.empty()) json["sourceInfo"] = cat("built from the source package ", part.source);
  if (part.runtime)
    json["comment"] = "the enclave runtime: its libc takes the place of the image's";
  json["externalRefs"] = OrderedJson::array({{{"referenceCategory", "PACKAGE-MANAGER"},
                                              {"referenceType", "purl"},
                                              {"referenceLocator", part.url}}});
  return json;
}

OrderedJson spdx_file(const std::string& id, const SbomFile& file) {
  std::string comment = file.reason;
  for (const std::string& path : file.aliases) comment += cat("; also opened as ", path);
  return {{"SPDXID", id},
          {"fileName", cat(".", file.path)},
          {"fileTypes", OrderedJson::array({file.is_elf ? "BINARY" : "OTHER"})},
          {"checksums",
           OrderedJson::array({{{"algorithm", "SHA256"}, {"checksumValue", file.sha256.hex()}}})},
          {"licenseConcluded", kNoAssertion},
          {"copyrightText", kNoAssertion},
          {"comment", std::move(comment)}};
}

// ---- CycloneDX ----

OrderedJson cyclonedx_file(const SbomFile& file) {
  return {
      {"type", "file"},
      {"bom-ref", cat("file:", file.path)},
      {"name", file.path},
      {"hashes", OrderedJson::array({{{"alg", "SHA-256"}, {"content", file.sha256.hex()}}})},
      {"properties", OrderedJson::array({{{"name", "cloister:reason"}, {"value", file.reason}}})}};
}

}  // namespace

SbomSubject sbom_subject(const ClosurePlan& plan) {
  SbomSubject out{printable(plan.base.image.name),
                  plan.base.image.manifest_descriptor.digest,
                  plan.runtime.name,
                  plan.runtime.version,
                  plan.packages,
                  {}};
  for (const manifest::Member& member : plan.closure.members) {
    SbomFile file{member.real_path, {}, member.sha256, member.is_elf, member.from_runtime, ""};
    for (const std::string& path : member.paths)
      if (path != member.real_path) file.aliases.push_back(path);
    out.files.push_back(std::move(file));
  }
  for (const manifest::Edge& edge : plan.closure.edges) {
    std::string& reason = out.files[edge.to].reason;
    if (!reason.empty()) continue;
    reason = cat(manifest::why_name(edge.why), edge.detail.empty() ? "" : ": ", edge.detail);
  }
  return out;
}

OrderedJson spdx_document(const SbomSubject& subject, Seconds created) {
  const Bill bill = bill_of(subject);
  const std::string image_id = "SPDXRef-Image";
  OrderedJson packages = OrderedJson::array(), files = OrderedJson::array(),
              relationships = OrderedJson::array();
  packages.push_back(
      {{"SPDXID", image_id},
       {"name", subject.name},
       {"versionInfo", subject.digest.str()},
       {"downloadLocation", kNoAssertion},
       {"filesAnalyzed", false},
       {"licenseConcluded", kNoAssertion},
       {"licenseDeclared", kNoAssertion},
       {"copyrightText", kNoAssertion},
       {"primaryPackagePurpose", "CONTAINER"},
       {"checksums",
        OrderedJson::array({{{"algorithm", "SHA256"}, {"checksumValue", subject.digest.hex()}}})}});
  relationships.push_back(relationship("SPDXRef-DOCUMENT", "DESCRIBES", image_id));
  const auto add_file = [&](std::size_t file, const std::string& owner) {
    const std::string id = spdx_id("File", file, "");
    files.push_back(spdx_file(id, subject.files[file]));
    relationships.push_back(relationship(owner, "CONTAINS", id));
  };
  for (std::size_t i = 0; i < bill.parts.size(); ++i) {
    const std::string id = spdx_id("Package", i, bill.parts[i].name);
    packages.push_back(spdx_package(id, bill.parts[i]));
    relationships.push_back(
        relationship(image_id, bill.parts[i].runtime ? "DEPENDS_ON" : "CONTAINS", id));
    for (const std::size_t file : bill.parts[i].files) add_file(file, id);
  }
  for (const std::size_t file : bill.unowned) add_file(file, image_id);
  OrderedJson json = {{"spdxVersion", "SPDX-2.3"},
                      {"dataLicense", "CC0-1.0"},
                      {"SPDXID", "SPDXRef-DOCUMENT"},
                      {"name", subject.name},
                      {"documentNamespace", ""},
                      {"creationInfo",
                       {{"created", format_rfc3339(created)},
                        {"creators", OrderedJson::array({cat("Tool: cloister-", kVersion)})}}},
                      {"packages", std::move(packages)},
                      {"files", std::move(files)},
                      {"relationships", std::move(relationships)}};
  json["documentNamespace"] = cat("urn:uuid:", uuid_of(dump_json(json)));
  return json;
}

OrderedJson cyclonedx_document(const SbomSubject& subject, Seconds created) {
  const Bill bill = bill_of(subject);
  const std::string digest = subject.digest.str();
  OrderedJson components = OrderedJson::array(), contained = OrderedJson::array();
  for (const Part& part : bill.parts) {
    OrderedJson component = {{"type", part.runtime ? "framework" : "library"},
                             {"bom-ref", part.url},
                             {"name", part.name}};
    if (!part.version.empty()) component["version"] = part.version;
    if (!part.license.empty())
      component["licenses"] = OrderedJson::array({{{"license", {{"name", part.license}}}}});
    component["purl"] = part.url;
    OrderedJson files = OrderedJson::array();
    for (const std::size_t file : part.files) files.push_back(cyclonedx_file(subject.files[file]));
    component["components"] = std::move(files);
    components.push_back(std::move(component));
    contained.push_back(part.url);
  }
  for (const std::size_t file : bill.unowned) {
    components.push_back(cyclonedx_file(subject.files[file]));
    contained.push_back(cat("file:", subject.files[file].path));
  }
  OrderedJson json = {
      {"bomFormat", "CycloneDX"},
      {"specVersion", "1.5"},
      {"serialNumber", ""},
      {"version", 1},
      {"metadata",
       {{"timestamp", format_rfc3339(created)},
        {"tools",
         {{"components", OrderedJson::array({{{"type", "application"},
                                              {"name", "cloister"},
                                              {"version", std::string(kVersion)}}})}}},
        {"component",
         {{"type", "container"},
          {"bom-ref", digest},
          {"name", subject.name},
          {"version", digest}}}}},
      {"components", std::move(components)},
      {"dependencies",
       OrderedJson::array({{{"ref", digest}, {"dependsOn", std::move(contained)}}})}};
  json["serialNumber"] = cat("urn:uuid:", uuid_of(dump_json(json)));
  return json;
}

}  // namespace cloister::cmd
