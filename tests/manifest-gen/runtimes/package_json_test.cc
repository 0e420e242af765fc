#include "manifest-gen/runtimes/node/package_json.h"

#include <gtest/gtest.h>

namespace cloister::manifest::node {
namespace {

using Strings = std::vector<std::string>;

PackageJson parse(std::string_view text) {
  auto json = PackageJson::parse(text, Limits{});
  if (json) return std::move(*json);
  ADD_FAILURE() << json.error().what();
  return {};
}

TEST(PackageJson, FirstConditionInForceWins) {
  const PackageJson json = parse(
      R"({"exports": {".": {"import": "./m.mjs", "node": {"browser": "./x", "require": "./c.cjs"},
          "default": "./d.js"}, "./f/*.js": "./src/*.js", "./f/deep/*": "./deep/*", "./old/": "./o/"}})");
  EXPECT_EQ(json.exports(".", {"node", "require"}), (Strings{"./c.cjs", "./d.js"}));
  EXPECT_EQ(json.exports(".", {"node", "import"}), (Strings{"./m.mjs", "./d.js"}));
  EXPECT_EQ(json.exports("./f/a.js", {}), (Strings{"./src/a.js"}));
  EXPECT_EQ(json.exports("./f/deep/a.js", {}), (Strings{"./deep/a.js"}));
  EXPECT_EQ(json.exports("./old/a/b", {}), (Strings{"./o/a/b"}));
  EXPECT_EQ(json.exports("./private", {}), Strings{});
}

TEST(PackageJson, ExportsWithoutSubpathsAreTheMainModule) {
  EXPECT_EQ(parse(R"({"exports": "./a.js"})").exports(".", {}), (Strings{"./a.js"}));
  EXPECT_EQ(parse(R"({"exports": ["./a.js", "./b.js"]})").exports(".", {}),
            (Strings{"./a.js", "./b.js"}));
  EXPECT_EQ(parse(R"({"exports": {"require": "./r.js"}})").exports(".", {"require"}),
            (Strings{"./r.js"}));
  EXPECT_FALSE(parse(R"({"exports": null})").has_exports);
}

TEST(PackageJson, FieldsOfWrongTypesArePassedOver) {
  const PackageJson json = parse(R"({"name": 1, "main": ["x"], "scripts": {"a": 1, "start": "b"},
      "dependencies": {"x": "1"}, "imports": {"#x": "y"}})");
  EXPECT_EQ(json.name, "");
  EXPECT_EQ(json.main, "");
  EXPECT_EQ(json.scripts, (decltype(json.scripts){{"start", "b"}}));
  EXPECT_EQ(json.dependencies, (Strings{"x"}));
  EXPECT_EQ(json.imports("#x", {}), (Strings{"y"}));
}

TEST(PackageJson, WhatIsNoObjectIsRefused) {
  for (const char* text : {"", "[]", "1", "{", "{\"a\":1,\"a\":2}"})
    EXPECT_FALSE(PackageJson::parse(text, Limits{}).has_value()) << text;
}

TEST(PackageJson, TargetsDoNotGrowWithoutBound) {
  const std::string stars(200000, '*');
  const PackageJson json = parse("{\"exports\": {\"./*\": \"./" + stars + "\"}}");
  EXPECT_EQ(json.exports("./" + std::string(4000, 'a'), {}), Strings{});
}

}  // namespace
}  // namespace cloister::manifest::node
