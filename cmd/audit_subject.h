// What `audit` can be asked about, and how each becomes a report.
#pragma once

#include <string>
#include <string_view>

#include "cmd/pipeline.h"
#include "cmd/rehearsal_file.h"
#include "cmd/report/audit.h"
#include "cmd/session.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "manifest-gen/packages/package_index.h"

namespace cloister::cmd {

// An existing file, by a name that is meant as one ("x.manifest", "./x"): not an image.
bool names_manifest_file(const std::string& argument);

// A manifest, or what lacks a program and is an overlay for one. `rehearsals` may be null; nothing
// can be held against an overlay.
Result<AuditReport> audit_manifest_text(std::string_view text, const std::string& name,
                                        const Limits& limits,
                                        const RehearsalFiles* rehearsals = nullptr);
// What a build of the image would be; of one that is ready for an enclave, what it is.
Result<AuditReport> audit_image(Session& session, const std::string& argument,
                                const PlanOptions& options,
                                const RehearsalFiles* rehearsals = nullptr);

// Of an image that is ready for an enclave, with all its layers: what its manifest and its files
// give rise to, located and sorted.
Result<std::vector<manifest::Finding>> enclave_findings(const manifest::EnclaveManifest& manifest,
                                                        const LoadedImage& loaded,
                                                        const manifest::PackageIndex& packages,
                                                        const Limits& limits);

// Gives each finding the line of the user's file where its cause stands.
void point_into(std::vector<manifest::Finding>& findings, std::string_view text,
                const std::string& file, const Limits& limits);

}  // namespace cloister::cmd
