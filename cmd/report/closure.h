// The dependency closure as a tree, a list, a Graphviz graph, or JSON (schema/deps.schema.json).
#pragma once

#include <string>

#include "cmd/pipeline.h"
#include "manifest-gen/closure/closure.h"

namespace cloister::cmd {

// As ldd's successors draw it: "libssl.so.3 => /usr/lib/…/libssl.so.3", each file once with what it
// needs, "(above)" where it comes again; then what was not found, with every place that was
// searched, in order; then the sums.
std::string closure_tree(const manifest::Closure& closure, bool color);
std::string closure_list(const manifest::Closure& closure);  // one path per line
std::string closure_dot(const manifest::Closure& closure);
std::string closure_json(const ClosurePlan& plan);

}  // namespace cloister::cmd
