// Why a path is granted, or what it would take: text, or JSON (schema/why.schema.json).
#pragma once

#include <string>

#include "manifest-gen/closure/explain.h"

namespace cloister::cmd {

// `all`: every chain that was found, not only the first few.
std::string why_text(const manifest::Closure& closure, const manifest::Explanation& explanation,
                     bool all);
std::string why_json(const manifest::Closure& closure, const manifest::Explanation& explanation);

}  // namespace cloister::cmd
