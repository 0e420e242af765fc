#include <gtest/gtest.h>

#include "base/text.h"
#include "manifest-gen/runtimes/node/command_line.h"
#include "tests/manifest-gen/runtimes/scene.h"

namespace cloister::manifest {
namespace {

using test::grants;
using test::paths;
using test::Scene;
using test::Tree;
using Paths = std::vector<std::string>;

Tree node_image() {
  Tree tree;
  tree.elf("/usr/bin/node", test::program());
  return tree;
}

TEST(Node, CommonJsTriesExtensionsAndDirectories) {
  const Scene scene(node_image()
                        .file("/app/main.js",
                              "require('./a'); require('./b.json'); require('./c'); require('./d')")
                        .file("/app/a.js")
                        .file("/app/b.json", "{}")
                        .file("/app/c/index.js")
                        .file("/app/d/package.json", R"({"main": "lib"})")
                        .file("/app/d/lib.js")
                        .file("/app/unused.js"));
  const Analysis found = scene.analyze("node", {"/usr/bin/node", "main.js"});
  // Without a package.json the program's directory is the application's.
  EXPECT_EQ(paths(found),
            (Paths{"/app/*", "/app/a.js", "/app/b.json", "/app/c/*", "/app/c/index.js", "/app/d/*",
                   "/app/d/lib.js", "/app/d/package.json", "/app/main.js"}));
}

TEST(Node, ModulesAreLookedForUpwardsFromTheirRealPath) {
  const Scene scene(node_image()
                        .file("/app/main.js", "require('@s/linked')")
                        .link("/app/node_modules/@s/linked", "../../../store/linked")
                        .file("/store/linked/package.json", R"({"name": "@s/linked"})")
                        .file("/store/linked/index.js", "require('dep')")
                        .file("/store/node_modules/dep/index.js")
                        .file("/app/node_modules/dep/index.js"));
  const Analysis found = scene.analyze("node", {"/usr/bin/node", "main.js"});
  EXPECT_TRUE(grants(found, "/store/linked/index.js"));
  EXPECT_TRUE(grants(found, "/app/node_modules/@s/linked/package.json"));
  EXPECT_TRUE(grants(found, "/store/node_modules/dep/index.js"));
  EXPECT_FALSE(grants(found, "/app/node_modules/dep/index.js"));
}

TEST(Node, ConditionsOfExportsDependOnWhoAsks) {
  const Scene scene(
      node_image()
          .file("/app/package.json", R"({"name": "app", "imports": {"#x": "./x.cjs"}})")
          .file("/app/main.js", "require('dual'); require('#x')")
          .file("/app/other.mjs", "import 'dual'; import './main.js'")
          .file("/app/x.cjs")
          .file("/app/node_modules/dual/package.json",
                R"({"name": "dual", "exports": {"import": "./m.mjs", "require": "./c.js"}})")
          .file("/app/node_modules/dual/m.mjs")
          .file("/app/node_modules/dual/c.js"));
  const Analysis one = scene.analyze("node", {"/usr/bin/node", "main.js"});
  EXPECT_TRUE(grants(one, "/app/node_modules/dual/c.js"));
  EXPECT_FALSE(grants(one, "/app/node_modules/dual/m.mjs"));
  EXPECT_TRUE(grants(one, "/app/x.cjs"));
  const Analysis both = scene.analyze("node", {"/usr/bin/node", "--no-warnings", "other.mjs"});
  EXPECT_TRUE(grants(both, "/app/node_modules/dual/c.js"));
  EXPECT_TRUE(grants(both, "/app/node_modules/dual/m.mjs"));
}

TEST(Node, TheApplicationIsGrantedWithoutWhatIsInstalledInIt) {
  const Scene scene(node_image()
                        .file("/app/package.json", R"({"name": "app", "main": "src/main"})")
                        .file("/app/src/main.js", "require('x')")
                        .file("/app/views/a.html")
                        .file("/app/node_modules/x/index.js")
                        .file("/app/node_modules/x/test/t.js")
                        .file("/app/node_modules/y/index.js"));
  const Analysis found = scene.analyze("node", {"/usr/bin/node", "."});
  EXPECT_TRUE(grants(found, "/app/src/main.js"));
  EXPECT_TRUE(grants(found, "/app/views/*"));
  EXPECT_TRUE(grants(found, "/app/node_modules/x/index.js"));
  for (const std::string& path : paths(found)) EXPECT_EQ(path.find("modules/y"), std::string::npos);
}

TEST(Node, ComputedNamesBringTheWholePackage) {
  const Scene scene(node_image()
                        .file("/app/main.js", "require('p')")
                        .file("/app/node_modules/p/package.json",
                              R"({"name": "p", "optionalDependencies": {"q": "1"}})")
                        .file("/app/node_modules/p/index.js", "require(x)")
                        .file("/app/node_modules/p/plugins/a.js", "require('r')")
                        .file("/app/node_modules/p/README.md")
                        .file("/app/node_modules/p/test/t.js")
                        .file("/app/node_modules/q/index.js")
                        .file("/app/node_modules/r/index.js"));
  const Analysis found = scene.analyze("node", {"/usr/bin/node", "main.js"});
  EXPECT_TRUE(grants(found, "/app/node_modules/p/plugins/a.js"));
  EXPECT_TRUE(grants(found, "/app/node_modules/q/index.js"));
  EXPECT_TRUE(grants(found, "/app/node_modules/r/index.js"));
  EXPECT_FALSE(grants(found, "/app/node_modules/p/README.md"));
  EXPECT_FALSE(grants(found, "/app/node_modules/p/test/t.js"));
}

TEST(Node, PatternsStandForWhatBeginsSo) {
  const Scene scene(node_image()
                        .file("/app/main.js", "require('./lang/' + l); require(`@i/s-${p}/s.node`)")
                        .file("/app/lang/de.js")
                        .file("/app/node_modules/@i/s-linux/index.js")
                        .elf("/app/node_modules/@i/s-linux/s.node", test::library())
                        .file("/app/node_modules/@i/other/index.js"));
  const Analysis found = scene.analyze("node", {"/usr/bin/node", "main.js"});
  EXPECT_TRUE(grants(found, "/app/lang/de.js"));
  EXPECT_TRUE(grants(found, "/app/node_modules/@i/s-linux/s.node"));
  EXPECT_FALSE(grants(found, "/app/node_modules/@i/other/index.js"));
}

TEST(Node, DebianKeepsModulesInGlobalDirectories) {
  const Scene scene(node_image()
                        .link("/usr/share/node_modules", "nodejs")
                        .file("/usr/share/nodejs/acorn/dist/acorn.js")
                        .file("/usr/share/nodejs/a/package.json", R"({"name": "a"})")
                        .file("/usr/share/nodejs/a/index.js", "require('b')")
                        .file("/usr/share/nodejs/b/package.json", R"({"name": "b"})")
                        .file("/usr/share/nodejs/b/index.js")
                        .file("/app/main.js", "require('a')"));
  const Analysis found = scene.analyze("node", {"/usr/bin/node", "main.js"});
  EXPECT_TRUE(grants(found, "/usr/share/nodejs/acorn/dist/acorn.js"));
  EXPECT_TRUE(grants(found, "/usr/share/nodejs/b/index.js"));
  EXPECT_TRUE(grants(found, "/usr/share/node_modules/b/package.json"));
}

TEST(Node, ScriptsOfPackageJsonAreLookedThrough) {
  const Scene scene(
      node_image()
          .script("/usr/bin/npm", "#!/usr/bin/env node\n")
          .script("/bin/sh", "#!/x")
          .file("/app/package.json",
                R"({"name": "app", "scripts": {"start": "X=1 node src/s.js && tool"}})")
          .file("/app/src/s.js", "require('./t')")
          .file("/app/src/t.js")
          .link("/app/node_modules/.bin/tool", "../tool/cli.js")
          .file("/app/node_modules/tool/cli.js", "require('./impl')")
          .file("/app/node_modules/tool/impl.js"));
  const Analysis found = scene.analyze("node", {"node", "/usr/bin/npm", "start"}, "/usr/bin/node");
  EXPECT_TRUE(grants(found, "/app/src/t.js"));
  EXPECT_TRUE(grants(found, "/app/node_modules/.bin/tool"));
  EXPECT_TRUE(grants(found, "/app/node_modules/tool/impl.js"));
  EXPECT_TRUE(grants(found, "/bin/sh"));
  EXPECT_FALSE(found.unknown.empty());
}

TEST(Node, ScriptThatRunsItselfEnds) {
  const Scene scene(
      node_image()
          .script("/usr/bin/npm", "#!/usr/bin/env node\n")
          .file("/app/package.json",
                R"({"name": "app", "scripts": {"start": "npm run start; npm run start"}})"));
  EXPECT_FALSE(
      scene.analyze("node", {"node", "/usr/bin/npm", "start"}, "/usr/bin/node").unknown.empty());
}

TEST(Node, MissingProgramIsSaid) {
  const Scene scene(node_image());
  EXPECT_EQ(scene.analyze("node", {"/usr/bin/node", "gone.js"}).unknown,
            (Paths{"the program gone.js is not in the image"}));
}

TEST(NodeCommandLine, OptionsWithValuesAreNotTheProgram) {
  const auto command = node::parse_command_line(
      {"-r", "./a.js", "--import=b", "--max-old-space-size=256", "-C", "dev", "main.js", "-e"},
      "--require c \"--title=x y\"");
  EXPECT_EQ(command.script, "main.js");
  EXPECT_EQ(command.require, (Paths{"c", "./a.js"}));
  EXPECT_EQ(command.import, (Paths{"b"}));
  EXPECT_EQ(command.conditions, (Paths{"dev"}));
  EXPECT_EQ(command.arguments, (Paths{"-e"}));
  EXPECT_EQ(node::parse_command_line({"-e", "1", "x"}, "").script, "");
  EXPECT_EQ(node::parse_command_line({"--", "-x.js"}, "").script, "-x.js");
  EXPECT_EQ(node::parse_command_line({"-r"}, "").require, Paths{});
}

}  // namespace
}  // namespace cloister::manifest
