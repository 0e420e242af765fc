// A virtual machine, or an enclave of Nitro, for people and for programs: what it is made of, and
// what is measured.
#pragma once

#include <string>

#include "base/json.h"
#include "cmd/guest/guest_build.h"
#include "cmd/guest/guest_image.h"

namespace cloister::cmd {

std::string guest_text(const oci::Image& image, const GuestImage& guest);
// The measurement alone: for people, and the member of the predicate that is named after the TEE.
std::string guest_statement_text(const GuestStatement& statement);
OrderedJson guest_statement_object(const GuestStatement& statement);

// Of a build; `built` is null when nothing was built. JSON: schema/build-guest.schema.json.
std::string guest_build_summary(const GuestDraft& draft, const GuestBuild* built);
std::string guest_build_json(const GuestDraft& draft, const GuestBuild* built,
                             const std::string& name);

}  // namespace cloister::cmd
