#include "measure/source/javascript.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::measure::source {
namespace {

using Names = std::vector<std::string>;

Facts scan(std::string_view text) {
  return scan_javascript(as_bytes(text), Limits{});
}
Names names(std::string_view text) {
  return scan(text).names;
}

TEST(Javascript, RequireInEverySpelling) {
  EXPECT_EQ(names("const a = require('a'), b=require( \"./b\" );__importStar(require(`c`))"),
            (Names{"require:./b", "require:a", "require:c"}));
  EXPECT_EQ(names("const require2 = createRequire(import.meta.url);\nx = nodeRequire\n (\n 'd')"),
            (Names{"require:d"}));
  EXPECT_FALSE(scan("const require = createRequire(import.meta.url);").dynamic);
  EXPECT_EQ(names("require.resolve('e/package.json')"), (Names{"resolve:e/package.json"}));
}

TEST(Javascript, ImportsAndExports) {
  EXPECT_EQ(names("import a from 'a'; import{b}from\"b\";import'c';export * from './d.js';"),
            (Names{"import:./d.js", "import:a", "import:b", "import:c"}));
  EXPECT_EQ(names("import a,\n  { b }\n  from\n  'e';\nawait import('./f.mjs')"),
            (Names{"import:./f.mjs", "import:e"}));
  EXPECT_EQ(names("import(/* webpackChunkName: \"x\" */ 'g')"), (Names{"import:g"}));
}

TEST(Javascript, WhatOnlyLooksLikeALoad) {
  const Facts facts = scan("requireNot('a'); x.import(name); function require(x) {} require(12);");
  EXPECT_EQ(facts.names, Names{});
  EXPECT_FALSE(facts.dynamic);
}

TEST(Javascript, CommentsOnTheirOwnLinesAreNotCode) {
  EXPECT_EQ(names("// require('a')\n  /* require('b')\n * require('c') */ require('d')\n"),
            (Names{"require:d"}));
  EXPECT_EQ(names("/* never closed\nrequire('e')"), (Names{"require:e"}));
}

TEST(Javascript, ComputedNamesKeepTheirBeginning) {
  const Facts facts = scan("require('./lang/' + x); require(`@img/sharp-${p}/sharp.node`)");
  EXPECT_EQ(facts.names, (Names{"require:./lang/*", "require:@img/sharp-*"}));
  EXPECT_FALSE(facts.dynamic);
  EXPECT_TRUE(scan("require(name)").dynamic);
  EXPECT_TRUE(scan("import(url)").dynamic);
  EXPECT_TRUE(scan("require('./' + name)").dynamic);
}

TEST(Javascript, FilesBesideTheModule) {
  EXPECT_EQ(names("path.join(__dirname, '..', 'views')"), (Names{"below:../views"}));
  EXPECT_EQ(names("__dirname + '/x.txt'"), (Names{"below:/x.txt"}));
  EXPECT_EQ(names("readdirSync(__dirname)"), (Names{"below:"}));
  EXPECT_EQ(names("join(__dirname, 'a', b)"), (Names{"below:"}));
  EXPECT_EQ(names("new URL('./w.wasm', import.meta.url)"),
            (Names{"below:./w.wasm", "file:./w.wasm"}));
  EXPECT_EQ(names("const __dirname = dirname(fileURLToPath(import.meta.url));"), (Names{"below:"}));
  EXPECT_EQ(names("const __dirname = dirname(fileURLToPath(import.meta.url));\n"
                  "join(__dirname, 'data')"),
            (Names{"below:data"}));
  EXPECT_EQ(names("new Worker('./worker.js')"), (Names{"file:./worker.js"}));
}

TEST(Javascript, QuotesInRegularExpressionsDoNotHideWhatFollows) {
  EXPECT_EQ(names("a = /[\"'`]/; b = require('b')"), (Names{"require:b"}));
}

TEST(Javascript, BoundedInNamesAndTime) {
  std::string text;
  for (int i = 0; i < 10000; ++i) text += cat("require('m", i, "');\n");
  const Facts facts = scan(text);
  EXPECT_EQ(facts.names.size(), Limits{}.source_names);
  EXPECT_TRUE(facts.dynamic);
  // Linear: a quadratic scanner would not end in the test's time.
  std::string hostile;
  for (int i = 0; i < 200000; ++i) hostile += "/*\nrequire(";
  EXPECT_TRUE(scan(hostile).dynamic);
}

TEST(Javascript, KnownByNameOrShebang) {
  EXPECT_TRUE(is_javascript("app/x.mjs", ""));
  EXPECT_TRUE(is_javascript("usr/bin/tool", "/usr/bin/env node"));
  EXPECT_FALSE(is_javascript("app/x.json", ""));
  EXPECT_FALSE(is_javascript("usr/bin/tool", "/bin/sh"));
}

TEST(Javascript, CommandsAndViewEngines) {
  EXPECT_EQ(names("execSync('git log'); spawn(\"convert\", ['x']); /x/.exec(text);\n"
                  "app.set('view engine', 'ejs');\n"),
            (Names{"require:ejs", "run:convert", "run:git log"}));
}

}  // namespace
}  // namespace cloister::measure::source
