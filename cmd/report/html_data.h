// What the HTML report's script explores: files, edges and manifest lines, written small.
#pragma once

#include <string>

#include "base/json.h"

namespace cloister::cmd {

// The large lists of an audit report as compact JSON text, for templates/report/report.js alone:
//   strings   each text once. [a, file, b] is strings[a] + that file's path + strings[b]
//   dirs      directories of files
//   files     columns: dir, name, size, sha (base64 without padding), kind, package, layer,
//             reasons [[string…]…], aliases [[text…]…]; -1 where a file has none
//   edges     from, to, why, detail, four numbers each; from -1 is what the image starts
//   packages  [name, version] pairs of strings
//   shapes    [before, between, after]
//   lines     of the manifest: [text, reason], or [file, alias, shape, reason] where the line is
//             before + path + between + SHA-256 in hex + after; alias 0 is the path itself
// A closure of 5,000 files stays far below what it takes as it was: a path is written once, not in
// each reason, edge and line that names it.
std::string html_data(const Json& audit);

}  // namespace cloister::cmd
