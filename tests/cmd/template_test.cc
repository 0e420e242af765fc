#include "cmd/template.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/base/must.h"

namespace cloister::cmd {
namespace {

constexpr const char* kDocument =
    R"({"name":"redis","size":7,"ready":false,"none":null,"cmd":["a","b c"],)"
    R"("labels":{"x.y":"z"},"layers":[{"digest":"sha256:1","bytes":1},{"digest":"sha256:2","bytes":2}],)"
    R"("nested":[[1,2],[],[3]],"evil":"\u001b[31m"})";

std::string filled(std::string_view text) {
  return must(fill_template(text, kDocument, Limits()));
}
std::string refused_because(std::string_view text) {
  const auto result = fill_template(text, kDocument, Limits());
  if (result.has_value()) return cat("it was filled: ", *result);
  EXPECT_EQ(result.error().code(), Code::usage);
  EXPECT_FALSE(result.error().hint().empty());
  return cat(result.error().what(), "; ", result.error().hint());
}

TEST(Template, WritesValuesAsTheyAre) {
  EXPECT_EQ(filled("{{.name}}"), "redis\n");
  EXPECT_EQ(filled("{{.size}} {{.ready}} {{.none}}"), "7 false null\n");
  EXPECT_EQ(filled("{{ .name }}\\t{{.size}}\\n"), "redis\t7\n");
  EXPECT_EQ(filled("{{json .cmd}}"), "[\"a\",\"b c\"]\n");
  EXPECT_EQ(filled("{{json .none}}"), "null\n");
}

TEST(Template, TakesListsAndObjectsApart) {
  EXPECT_EQ(filled("{{range .layers}}{{.digest}}={{.bytes}};{{end}}"), "sha256:1=1;sha256:2=2;\n");
  EXPECT_EQ(filled("{{range .nested}}[{{range .}}{{.}},{{else}}-{{end}}]{{end}}"),
            "[1,2,][-][3,]\n");
  EXPECT_EQ(filled("{{join .cmd \", \"}}"), "a, b c\n");
  EXPECT_EQ(filled("{{len .cmd}} {{len .labels}} {{len .name}}"), "2 1 5\n");
  EXPECT_EQ(filled("{{index .labels \"x.y\"}} {{index .layers 1 \"digest\"}}"), "z sha256:2\n");
}

TEST(Template, ChoosesByWhatIsThere) {
  EXPECT_EQ(filled("{{if .ready}}yes{{else}}no{{end}}"), "no\n");
  EXPECT_EQ(filled("{{if .cmd}}yes{{end}}"), "yes\n");
  EXPECT_EQ(filled("{{if .absent.deeper}}yes{{else}}no{{end}}"), "no\n");
  EXPECT_EQ(filled("{{range .layers}}{{if .bytes}}{{.bytes}}{{end}} {{end}}"), "1 2 \n");
}

TEST(Template, ShowsNoControlCharacters) {
  EXPECT_EQ(filled("{{.evil}}"), "\\x1b[31m\n");
  EXPECT_EQ(filled("{{json .evil}}"), "\"\\u001b[31m\"\n");
}

TEST(Template, NamesWhatIsWrong) {
  EXPECT_EQ(refused_because("{{.nme}}"),
            "--format: '{{.nme}}': there is no 'nme'; did you mean 'name'?");
  EXPECT_EQ(refused_because("{{.Name}}"),
            "--format: '{{.Name}}': there is no 'Name'; did you mean 'name'?");
  EXPECT_NE(refused_because("{{.cmd}}").find("is a list"), std::string::npos);
  EXPECT_NE(refused_because("{{index .cmd 2}}").find("a list of 2"), std::string::npos);
  for (const char* text : {"{{",
                           "{{}}",
                           "{{.name",
                           "{{name}}",
                           "{{- .name}}",
                           "{{.name | json}}",
                           "{{printf \"%s\" .name}}",
                           "{{range .layers}}",
                           "{{end}}",
                           "{{else}}",
                           "{{if .name}}{{else}}{{else}}{{end}}",
                           "{{range .name}}{{end}}",
                           "{{.name.more}}",
                           "{{join .cmd}}",
                           "{{join .name \",\"}}",
                           "{{len .size}}",
                           "{{index .cmd}}",
                           "{{index .cmd x}}",
                           "{{.a-b}}",
                           "{{\"open}}"})
    EXPECT_EQ(refused_because(text).substr(0, 10), "--format: ") << text;
}

TEST(Template, FillsALinePerRow) {
  EXPECT_EQ(must(fill_rows("{{.digest}}", kDocument, "layers", Limits())), "sha256:1\nsha256:2\n");
}

}  // namespace
}  // namespace cloister::cmd
