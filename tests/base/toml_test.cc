#include "base/toml.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "base/text.h"
#include "tests/base/must.h"

namespace cloister {
namespace {

Result<TomlTable> parse_overlay(std::string_view text) {
  return parse_toml(text, Limits(), "overlay");
}

TEST(Toml, ReadsEveryTypeWeHave) {
  const TomlTable t =
      must(parse_overlay("s = 'x'\ni = 0x10\nb = true\nf = 1.5\na = [1, 'two']\n[t]\nk = -1\n"));
  EXPECT_EQ(*t.at("s")->string(), "x");
  EXPECT_EQ(*t.at("i")->integer(), 16);
  EXPECT_TRUE(*t.at("b")->boolean());
  EXPECT_EQ(*t.at("f")->as<double>(), 1.5);
  EXPECT_EQ(t.at("a")->array()->size(), 2U);
  EXPECT_EQ(*t.at("t.k")->integer(), -1);
  EXPECT_EQ(t.at("t.none"), nullptr);
  EXPECT_EQ(t.at("s.none"), nullptr);
  EXPECT_EQ(t.at("t")->type_name(), "a table");
}

TEST(Toml, RefusesWithLineAndColumn) {
  const auto bad = parse_overlay("a = 1\nb = = 2\n");
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code(), Code::corrupt);
  EXPECT_TRUE(bad.error().what().starts_with("overlay is not valid TOML at line 2, column "))
      << bad.error().what();
  for (const char* text : {"a", "a =", "a = 1\na = 2", "[t]\n[t]", "a = 'x", "a = \"\\q\"", "= 1",
                           "a.b = 1\na = 2", "a = \"\xff\"", "a = [1", "a = 1 b = 2", "[a]]"})
    EXPECT_FALSE(parse_overlay(text).has_value()) << text;
}

// The character classes of toml++ had undefined behaviour for some of these: U+0390, U+FEBA.
TEST(Toml, CharactersBeyondAsciiStandInQuotesAndComments) {
  EXPECT_TRUE(
      parse_overlay("\xef\xbb\xbf\"k\xc3\xa9y\" = '\xce\x90' # \xe6\x97\xa5\n").has_value());
  const auto folded = parse_overlay("a = \"\"\"x \\\n  \xef\xba\xba\"\"\"");
  ASSERT_TRUE(folded.has_value());
  EXPECT_EQ(*folded->at("a")->string(), "x \xef\xba\xba");
  for (const char* text : {"a = \xce\x90", "\xce\x90 = 1", "a = 6}\xce\x90",
                           "a = 2\"\xef\xba\xba\"", "a\"\xce\x90\" = 2"})
    EXPECT_FALSE(parse_overlay(text).has_value()) << text;
}

// Inputs that toml++ asserts never to see.
TEST(Toml, MalformedPunctuationIsAnError) {
  for (const std::string_view text :
       {std::string_view("a = [0, {b = [0,}"), std::string_view("a = [}"),
        std::string_view("[\0]\n", 4), std::string_view("[[=a]]\nb = 1\n"),
        std::string_view("[.]\n"), std::string_view("a = }\n")}) {
    const auto table = parse_toml(text, Limits(), "test");
    ASSERT_FALSE(table.has_value()) << text;
    EXPECT_EQ(table.error().code(), Code::corrupt) << text;
  }
}

TEST(Toml, DatesAreUnsupported) {
  const auto dated = parse_overlay("a = 1\nwhen = 2020-01-01\n");
  ASSERT_FALSE(dated.has_value());
  EXPECT_EQ(dated.error().code(), Code::unsupported);
  EXPECT_NE(dated.error().what().find("line 2"), std::string::npos);
}

TEST(Toml, DepthIsBounded) {
  Limits limits;
  limits.toml_depth = 4;
  EXPECT_TRUE(parse_toml("a = [[[1]]]", limits, "it").has_value());
  EXPECT_EQ(parse_toml("a = [[[[[1]]]]]", limits, "it").error().code(), Code::limit);
  EXPECT_EQ(parse_toml("[a.b.c.d.e.f]\nx = 1", limits, "it").error().code(), Code::limit);
  // Far beyond any recursion that the stack could take.
  EXPECT_FALSE(parse_overlay("a = " + std::string(1 << 20, '[')).has_value());
  std::string keys = "a";
  for (int i = 0; i < 20000; ++i) keys += ".a";
  EXPECT_FALSE(parse_overlay(keys + " = 1").has_value());
  std::string tables = "a = ";
  for (int i = 0; i < 20000; ++i) tables += "{a=";
  EXPECT_FALSE(parse_overlay(tables).has_value());
}

TEST(TomlTable, KeepsOrderAndReplacesInPlace) {
  TomlTable t;
  t.set("z", 1);
  t.set("a", 2);
  t.set("z", 3);
  EXPECT_EQ(emit_toml(t), "z = 3\na = 2\n");
  t.erase("z");
  t.erase("none");
  EXPECT_EQ(t.size(), 1U);
  EXPECT_EQ(t.find("z"), nullptr);
}

TEST(TomlTable, PutMakesTablesOnTheWay) {
  TomlTable t;
  t.put("loader.log_level", "error");
  t.put("loader.env.PATH", "/bin");
  t.put("loader.log_level", "none");
  EXPECT_EQ(emit_toml(t), "loader.log_level = \"none\"\nloader.env.PATH = \"/bin\"\n");
}

TEST(TomlTable, EqualityIgnoresOrder) {
  TomlTable a, b;
  a.set("x", 1);
  a.set("y", TomlArray{1, "2"});
  b.set("y", TomlArray{1, "2"});
  b.set("x", 1);
  EXPECT_EQ(a, b);
  b.set("z", true);
  EXPECT_FALSE(a == b);
  b.erase("z");
  b.set("x", "1");
  EXPECT_FALSE(a == b);
}

TEST(TomlEmit, WritesOneLinePerLeaf) {
  TomlTable file;
  file.set("uri", "file:/a");
  file.set("sha256", "00");
  TomlTable t;
  t.put("sgx.debug", false);
  t.put("sgx.trusted_files", TomlArray{file, file});
  t.put("loader.argv", TomlArray{"a", "b"});
  t.put("sgx.empty", TomlArray{});
  t.set("nothing", TomlTable());
  EXPECT_EQ(emit_toml(t),
            "sgx.debug = false\n"
            "sgx.trusted_files = [\n"
            "  { uri = \"file:/a\", sha256 = \"00\" },\n"
            "  { uri = \"file:/a\", sha256 = \"00\" },\n"
            "]\n"
            "sgx.empty = []\n"
            "loader.argv = [\"a\", \"b\"]\n");
}

TEST(TomlEmit, CommentsStandAtTheirLineAndCannotBreakOut) {
  TomlTable file;
  file.set("uri", "file:/a");
  TomlTable t;
  t.put("a.b", 1);
  t.set("files", TomlArray{file});
  const std::string text = emit_toml(t, [](std::string_view key, std::size_t index) {
    if (index != std::string_view::npos) return cat(key, " ", index, "\nevil = 1");
    return key == "a.b" ? std::string("why") : std::string();
  });
  EXPECT_EQ(text,
            "a.b = 1  # why\n"
            "files = [\n"
            "  { uri = \"file:/a\" },  # files 0\\x0aevil = 1\n"
            "]\n");
  EXPECT_EQ(must(parse_overlay(text)), t);
}

TEST(TomlEmit, StringsUseUpperCaseEscapesAndRawUtf8) {
  EXPECT_EQ(toml_string("a\"b\\c\n\t\r\b\f"), R"("a\"b\\c\n\t\r\b\f")");
  EXPECT_EQ(toml_string(std::string("\x01\x1f\x7f", 3)), R"("\u0001\u001F\u007F")");
  EXPECT_EQ(toml_string("gr\xc3\xbc\xc3\x9f"
                        "e-\xe6\x97\xa5"),
            "\"gr\xc3\xbc\xc3\x9f"
            "e-\xe6\x97\xa5\"");
}

TEST(TomlEmit, KeysAreBareWhereTheyCanBe) {
  EXPECT_EQ(toml_key("aZ09_-"), "aZ09_-");
  EXPECT_EQ(toml_key(""), "\"\"");
  EXPECT_EQ(toml_key("a.b"), "\"a.b\"");
  EXPECT_EQ(toml_key("a\nb"), "\"a\\nb\"");
  EXPECT_EQ(toml_key("\xc3\xa9"), "\"\xc3\xa9\"");
}

// parse_overlay(emit(x)) == x, hostile strings included.
TEST(TomlEmit, IsReadBackAsTheSame) {
  const std::string hostile[] = {"",
                                 "plain",
                                 "\"",
                                 "\\",
                                 "'''",
                                 "\"\"\"",
                                 "]\nsgx.debug = true\n[",
                                 "\x01\x7f",
                                 "\xc3\xa9\xf0\x9f\x94\x92",
                                 "# no comment",
                                 " spaces ",
                                 "{ }",
                                 "\r\n",
                                 "\\u0041"};
  TomlTable t;
  TomlArray list;
  TomlTable env;
  for (const std::string& s : hostile) {
    list.emplace_back(s);
    env.set(s, s);
  }
  t.set("list", list);
  t.set("env", env);
  t.put("n.max", std::numeric_limits<std::int64_t>::max());
  t.put("n.min", std::numeric_limits<std::int64_t>::min());
  for (double f : {0.0, -1.5, 1e22, 1e-9, 3.0, 1e300}) list.emplace_back(f);
  t.set("floats", list);
  TomlTable inner;
  inner.set("deep", TomlArray{env, TomlArray{env}});
  t.set("tables", TomlArray{inner, TomlTable(), env});
  const std::string text = emit_toml(t);
  const auto back = parse_overlay(text);
  ASSERT_TRUE(back.has_value()) << back.error().what() << "\n" << text;
  EXPECT_EQ(*back, t);
  // The parser sorts keys, so the text is stable from the second time on.
  EXPECT_EQ(emit_toml(must(parse_overlay(emit_toml(*back)))), emit_toml(*back));
}

TEST(TomlEmit, SpecialFloatsAreToml) {
  TomlTable t;
  t.set("a",
        TomlArray{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                  std::numeric_limits<double>::quiet_NaN()});
  EXPECT_EQ(emit_toml(t), "a = [inf, -inf, nan]\n");
}

}  // namespace
}  // namespace cloister
