// What a guest says of itself, whatever hardware it is for.
#pragma once

#include <string>
#include <variant>

#include "base/limits.h"
#include "base/result.h"
#include "cmd/targets.h"
#include "manifest-gen/guest/guest_tree.h"
#include "sign/image/guest_measurement.h"
#include "sign/image/nitro_measurement.h"

namespace cloister::cmd {

using GuestStatement = std::variant<sign::GuestMeasurement, sign::NitroMeasurement>;

Tee tee_of(const GuestStatement& statement);
const sign::GuestOrigin& origin_of(const GuestStatement& statement);
// The members that are about the guest document, from its text and the tree that it lists.
void state_document(std::string_view text, const manifest::GuestTree& tree,
                    sign::GuestOrigin& origin);
// As it is attested: JSON.
std::string encode_statement(const GuestStatement& statement);
// Of this hardware; `unsupported` for another one, `corrupt` for what is none.
Result<GuestStatement> parse_statement(std::string_view text, Tee tee, const Limits& limits);

}  // namespace cloister::cmd
