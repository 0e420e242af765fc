// The dependency closure as a tree, a list, or JSON (schema/deps.schema.json).
#pragma once

#include <string>

#include "manifest-gen/closure/closure.h"

namespace cloister::cmd {

std::string closure_tree(const manifest::Closure& closure);
std::string closure_list(const manifest::Closure& closure);
std::string closure_json(const manifest::Closure& closure);

}  // namespace cloister::cmd
