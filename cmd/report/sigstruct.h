// A SIGSTRUCT for people and for programs (schema/sigstruct.schema.json).
#pragma once

#include <string>

#include "sign/sgx/sigstruct.h"

namespace cloister::cmd {

std::string sigstruct_text(const sign::Sigstruct& s, bool signature_valid);
std::string sigstruct_json(const sign::Sigstruct& s, bool signature_valid);

}  // namespace cloister::cmd
