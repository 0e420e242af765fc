#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/base/must.h"

namespace cloister {
namespace {

Result<Json> parse(std::string_view text) {
  return parse_json(text, Limits(), "document");
}

TEST(Json, ParsesWhatTheStandardAllows) {
  EXPECT_EQ(must(parse(R"({"a": [1, -2, 3.5, true, null, "\u00e9"]})"))["a"].size(), 6U);
  EXPECT_EQ(must(parse(" 7 ")), 7);
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text : {"",         " ",       "{",      "{]",    "{\"a\":}", "{\"a\":1,}",
                           "[1 2]",    "nul",     "'a'",    "{a:1}", "01",       "1.",
                           "\"\x01\"", "\"\\x\"", "[1] []", "{} x",  "\"\xff\"", "\"\xed\xa0\x80\"",
                           "//c\n1",   "NaN"}) {
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code(), Code::corrupt) << text;
    EXPECT_TRUE(parsed.error().what().starts_with("document ")) << parsed.error().what();
  }
}

TEST(Json, RepeatedKeyIsAmbiguousHenceCorrupt) {
  const auto parsed = parse(R"({"layers": 1, "x": {"layers": 2}, "layers": 3})");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().what(), "document repeats the key 'layers'");
  // The same key, differently escaped, is the same key.
  EXPECT_FALSE(parse(R"({"a": 1, "\u0061": 2})").has_value());
  EXPECT_TRUE(parse(R"([{"a": 1}, {"a": 2}])").has_value());
  EXPECT_FALSE(parse_ordered_json(R"({"a": 1, "a": 2})", Limits(), "it").has_value());
}

TEST(Json, DepthIsBounded) {
  Limits limits;
  limits.json_depth = 3;
  EXPECT_TRUE(parse_json("[[[1]]]", limits, "it").has_value());
  const auto deep = parse_json("[[[[1]]]]", limits, "it");
  ASSERT_FALSE(deep.has_value());
  EXPECT_EQ(deep.error().code(), Code::limit);
  EXPECT_EQ(parse_json(R"({"a":{"a":{"a":{}}}})", limits, "it").error().code(), Code::limit);
  const std::string bomb(1 << 20, '[');
  EXPECT_EQ(parse(bomb).error().code(), Code::limit);
}

TEST(Json, GettersTakeTheirTypeOrNothing) {
  const Json object =
      must(parse(R"({"s": "text", "i": -5, "b": true, "n": null, "l": ["x", "y"], "m": {"k": "v"},
                                "e": [], "o": {}})"));
  EXPECT_EQ(must(get_string(object, "s")), "text");
  EXPECT_EQ(must(get_string(object, "n")), std::nullopt);
  EXPECT_EQ(must(get_string(object, "none")), std::nullopt);
  EXPECT_EQ(must(get_int(object, "i")), -5);
  EXPECT_EQ(must(get_bool(object, "b")), true);
  EXPECT_EQ(must(get_strings(object, "l")), (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(must(get_strings(object, "none")).empty());
  EXPECT_EQ(must(get_string_map(object, "m")).at("k"), "v");
  EXPECT_TRUE(must(get_string_map(object, "o")).empty());
  EXPECT_EQ(must(get_array(object, "none")), nullptr);
  EXPECT_EQ(must(get_array(object, "l"))->size(), 2U);
  EXPECT_EQ(must(get_object(object, "m"))->size(), 1U);
}

TEST(Json, GettersNameTheKeyOfAWrongType) {
  const Json object =
      must(parse(R"({"s": "text", "i": 1, "f": 1.5, "l": ["x", 1], "m": {"k": 1}})"));
  const auto wrong = get_string(object, "i");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().code(), Code::corrupt);
  EXPECT_NE(wrong.error().what().find("'i'"), std::string::npos);
  EXPECT_FALSE(get_int(object, "s").has_value());
  EXPECT_FALSE(get_int(object, "f").has_value());
  EXPECT_FALSE(get_bool(object, "i").has_value());
  EXPECT_FALSE(get_strings(object, "l").has_value());
  EXPECT_FALSE(get_strings(object, "s").has_value());
  EXPECT_FALSE(get_string_map(object, "m").has_value());
  EXPECT_FALSE(get_array(object, "m").has_value());
  EXPECT_FALSE(get_object(object, "l").has_value());
}

TEST(Json, IntegersKeepTheirRange) {
  const Json object = must(parse(
      R"({"max": 9223372036854775807, "over": 9223372036854775808, "huge": 1e300, "min": -9223372036854775808})"));
  EXPECT_EQ(must(get_int(object, "max")), INT64_MAX);
  EXPECT_EQ(must(get_int(object, "min")), INT64_MIN);
  EXPECT_FALSE(get_int(object, "over").has_value());
  EXPECT_FALSE(get_int(object, "huge").has_value());
}

TEST(Json, GettersOnSomethingElseFindNothing) {
  EXPECT_EQ(must(get_string(must(parse("[1]")), "a")), std::nullopt);
  EXPECT_EQ(must(get_string(must(parse("\"a\"")), "a")), std::nullopt);
}

TEST(Json, WritesSortedOrInOrder) {
  EXPECT_EQ(dump_json(must(parse(R"({"b": 1, "a": "\u00e9"})"))), "{\"a\":\"\xc3\xa9\",\"b\":1}");
  const std::string text = R"({"b":1,"a":2})";
  EXPECT_EQ(dump_json(must(parse_ordered_json(text, Limits(), "it"))), text);
  EXPECT_EQ(dump_json_pretty(Json{{"a", 1}}), "{\n  \"a\": 1\n}");
}

TEST(Json, StringsThatAreNotUtf8AreReplacedNotThrown) {
  EXPECT_EQ(dump_json(Json("a\xff")), "\"a\xef\xbf\xbd\"");
}

TEST(Json, AMemberIsAddedAsTheTextItIs) {
  EXPECT_EQ(with_member(R"({"a":1})", "b\"", R"({"c": [2]})"), R"({"a":1,"b\"":{"c": [2]}})");
}

}  // namespace
}  // namespace cloister
