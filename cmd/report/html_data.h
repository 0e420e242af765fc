// What the HTML report's script explores: files, edges and manifest lines, written small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace cloister::cmd {

// The large lists of an audit report as compact JSON text, for templates/report/data.js alone:
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

// `from` or `to` of an edge between so many files: the number of one, kStarted, or -2 for anything
// else.
inline constexpr std::int64_t kStarted = -1;
std::int64_t edge_end(const Json& edge, std::string_view key, std::size_t files);

}  // namespace cloister::cmd
