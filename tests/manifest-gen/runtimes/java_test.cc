#include <gtest/gtest.h>

#include "base/text.h"
#include "manifest-gen/runtimes/java/command_line.h"
#include "tests/manifest-gen/runtimes/scene.h"
#include "tests/manifest-gen/support/jar.h"

namespace cloister::manifest {
namespace {

using test::grants;
using test::jar;
using test::Scene;
using test::Tree;
using Strings = std::vector<std::string>;

constexpr std::string_view kHome = "/usr/lib/jvm/java-17";
constexpr std::string_view kJava = "/usr/lib/jvm/java-17/bin/java";

Tree java_image() {
  Tree tree;
  tree.elf(kJava, test::program())
      .file(cat(kHome, "/lib/modules"), "m")
      .elf(cat(kHome, "/lib/libjava.so"), test::library())
      .elf(cat(kHome, "/lib/libjdwp.so"), test::library());
  return tree;
}

const Suggestion* suggestion(const Analysis& analysis, std::string_view key) {
  for (const Suggestion& s : analysis.suggestions)
    if (s.key == key) return &s;
  return nullptr;
}

TEST(Java, FilesOfTheVirtualMachine) {
  const Scene scene(java_image().link("/usr/bin/java", kJava));
  const Analysis found = scene.analyze("java", {"java", "-version"}, "/usr/bin/java");
  EXPECT_TRUE(grants(found, cat(kHome, "/lib/modules")));
  EXPECT_TRUE(grants(found, cat(kHome, "/lib/libjava.so")));
  EXPECT_TRUE(grants(found, cat(kHome, "/conf/**")));
  EXPECT_FALSE(grants(found, cat(kHome, "/lib/libjdwp.so")));
}

TEST(Java, ClassPathOfManifestsIsFollowed) {
  const Scene scene(java_image()
                        .file("/app/a.jar", jar("Class-Path: lib/b.jar lib/gone.jar\n\n"))
                        .file("/app/lib/b.jar", jar("Class-Path: c%20d.jar classes/\n\n"))
                        .file("/app/lib/c d.jar", jar("Class-Path: ../a.jar\n\n"))
                        .file("/app/lib/classes/X.class")
                        .file("/app/lib/unused.jar", jar("\n")));
  const Analysis found = scene.analyze("java", {std::string(kJava), "-jar", "a.jar", "-cp"});
  for (const char* path :
       {"/app/a.jar", "/app/lib/b.jar", "/app/lib/c d.jar", "/app/lib/classes/**"})
    EXPECT_TRUE(grants(found, path)) << path;
  EXPECT_FALSE(grants(found, "/app/lib/unused.jar"));
}

TEST(Java, ClassPathWithWildcardsAndDirectories) {
  const Scene scene(java_image()
                        .file("/app/lib/a.jar", jar("\n"))
                        .file("/app/lib/a.txt")
                        .file("/app/classes/Main.class"));
  const Analysis found =
      scene.analyze("java", {std::string(kJava), "--class-path=classes:lib/*", "Main"});
  EXPECT_TRUE(grants(found, "/app/lib/a.jar"));
  EXPECT_TRUE(grants(found, "/app/classes/**"));
  EXPECT_FALSE(grants(found, "/app/lib/a.txt"));
}

TEST(Java, DirectoriesSharedWithOthersAreNotGranted) {
  const Scene scene(java_image(), "/");
  const Analysis found = scene.analyze("java", {std::string(kJava), "Main"});
  EXPECT_FALSE(grants(found, "/**"));
  EXPECT_FALSE(found.unknown.empty());
}

TEST(Java, OptionsNameFiles) {
  const Scene scene(java_image()
                        .file("/app/jvm.args", "-Dlog.config=file:conf/log.xml # comment\n-Xmx1g")
                        .file("/app/conf/log.xml")
                        .file("/app/agent.jar", jar("\n"))
                        .elf("/app/native/libx.so", test::library()));
  const Analysis found = scene.analyze(
      "java", {std::string(kJava), "@jvm.args", "-javaagent:agent.jar=x", "-agentlib:jdwp=y",
               "-Djava.library.path=native", "-cp", "/none", "Main"});
  for (const std::string& path :
       {std::string("/app/jvm.args"), std::string("/app/conf/log.xml"),
        std::string("/app/agent.jar"), std::string("/app/native/*.so*"),
        cat(kHome, "/lib/libjdwp.so"), cat(kHome, "/lib/libinstrument.so")})
    EXPECT_TRUE(grants(found, path)) << path;
}

TEST(Java, TheEnclaveIsTwiceTheHeap) {
  const Scene scene(java_image());
  const auto size = [&](std::string_view option) {
    const Analysis found =
        scene.analyze("java", {std::string(kJava), std::string(option), "-cp", "/x", "Main"});
    const Suggestion* s = suggestion(found, "sgx.enclave_size");
    return s != nullptr ? *s->value.string() : std::string();
  };
  EXPECT_EQ(size("-Xmx512m"), "4G");
  EXPECT_EQ(size("-Xmx2g"), "4G");
  EXPECT_EQ(size("-Xmx3G"), "8G");
  EXPECT_EQ(size("-XX:MaxHeapSize=8589934592"), "16G");
  EXPECT_EQ(size("-Xmx99999999999t"), "4G");
  EXPECT_NE(suggestion(scene.analyze("java", {std::string(kJava)}), "sgx.use_exinfo"), nullptr);
}

TEST(Java, OlderLayoutIsGrantedWhole) {
  Tree tree;
  tree.elf("/opt/jdk8/bin/java", test::program()).file("/opt/jdk8/jre/lib/rt.jar", jar("\n"));
  const Scene scene(std::move(tree));
  EXPECT_TRUE(grants(scene.analyze("java", {"/opt/jdk8/bin/java"}), "/opt/jdk8/jre/lib/**"));
}

TEST(JavaCommandLine, VariablesAddOptions) {
  const auto command =
      java::parse_command_line({"-Xmx1g", "-p", "mods", "-m", "a/b", "-cp", "not-ours"},
                               {"-cp 'x y' --enable-preview", "-Dp=1", "-Xmx2g"},
                               [](const std::string&) { return std::nullopt; });
  EXPECT_EQ(command.class_path, "x y");
  EXPECT_EQ(command.module_path, (Strings{"mods"}));
  EXPECT_EQ(command.main, "a/b");
  EXPECT_EQ(command.max_heap, 2ULL << 30);
  EXPECT_EQ(command.properties, (decltype(command.properties){{"p", "1"}}));
}

TEST(Java, HomesOfServersHoldTheirJarsAndConfiguration) {
  const Scene scene(java_image()
                        .file("/usr/share/tc/bin/boot.jar", jar("Main-Class: M\n"))
                        .file("/usr/share/tc/lib/a.jar", jar("Class-Path: ../../java/b.jar\n"))
                        .file("/usr/share/java/b.jar", jar(""))
                        .file("/var/lib/tc/webapps/x/page.jsp")
                        .file("/var/lib/tc/logs/old.log")
                        .file("/etc/tc/server.xml")
                        .link("/var/lib/tc/conf", "/etc/tc"));
  const Analysis found =
      scene.analyze("java", {std::string(kJava), "-Dtc.home=/usr/share/tc", "-Dtc.base=/var/lib/tc",
                             "-cp", "/usr/share/tc/bin/boot.jar", "M"});
  for (const char* path : {"/usr/share/tc/lib/a.jar", "/usr/share/java/b.jar",
                           "/var/lib/tc/webapps/**", "/var/lib/tc/conf/**"})
    EXPECT_TRUE(grants(found, path)) << path;
  EXPECT_FALSE(grants(found, "/var/lib/tc/logs/**"));
}

}  // namespace
}  // namespace cloister::manifest
