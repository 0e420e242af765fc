// --format '{{.config.user}}': the part of Go's text/template that people use with Docker, over the
// command's own JSON output, whose schemas say what there is.
//
//   {{.}} {{.a.b}}          a value: texts without quotes, numbers and booleans as in JSON
//   {{json .a}}             any value, as JSON on one line
//   {{index .a "b.c" 0}}    by keys that are no names, and by numbers
//   {{len .a}}              how many: of a list or object; bytes of a text
//   {{join .a ","}}         a list of texts and numbers, as one text
//   {{range .a}}…{{end}}    for each of a list, which is "." in there; {{range}} nests
//   {{if .a}}…{{else}}…{{end}}   not for null, false, 0, "" and what is empty
//   \n and \t outside of {{…}}   line break and tab, as Docker has it
//
// Names are exactly those of the JSON output. A field that is not there is an error, with the
// nearest that is; but {{if .a}} takes it for null, since JSON outputs leave out what does not
// apply. Texts are printable(), so that no name of an image acts on a terminal: {{json .a}} is
// exact.
#pragma once

#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"

namespace cloister::cmd {

// `usage` for a template that cannot be read, or asks for what is not there. Ends in a newline,
// unless the template itself does. `json` is of our own making.
Result<std::string> fill_template(std::string_view text, const std::string& json,
                                  const Limits& limits);
// The same for each element of the list `rows` of the document: a line each.
Result<std::string> fill_rows(std::string_view text, const std::string& json,
                              const std::string& rows, const Limits& limits);

}  // namespace cloister::cmd
