// `audit` and `diff` of virtual machines: of what a build would be, and of one that was built.
#pragma once

#include <string>

#include "cmd/pipeline.h"
#include "cmd/report/audit.h"
#include "cmd/session.h"

namespace cloister::cmd {

// What a build of the image for a virtual machine would be. REQUIRES:
// options.tee is a machine.
Result<AuditReport> audit_guest_draft(Session& session, const std::string& argument,
                                      const oci::ImageRef& ref, const PlanOptions& options);
// REQUIRES: is_guest(image.manifest).
Result<AuditReport> audit_guest_image(Session& session, const std::string& argument,
                                      const oci::ImageRef& ref, const oci::Image& image);

}  // namespace cloister::cmd
