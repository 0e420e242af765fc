#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/manifest-gen/runtimes/scene.h"

namespace cloister::manifest {
namespace {

using test::grants;
using test::Scene;
using test::Tree;

constexpr std::string_view kLibrary = "/usr/lib/R/library", kSite = "/usr/lib/R/site-library";

void package_of_r(Tree& tree, std::string_view tree_path, std::string_view name,
                  std::string_view description, std::string_view names_space = {}) {
  const std::string at = cat(tree_path, "/", name);
  tree.file(cat(at, "/DESCRIPTION"), cat("Package: ", name, "\n", description))
      .file(cat(at, "/NAMESPACE"), names_space)
      .file(cat(at, "/INDEX"))
      .file(cat(at, "/Meta/package.rds"))
      .file(cat(at, "/Meta/hsearch.rds"))
      .file(cat(at, "/R/", name, ".rdb"))
      .file(cat(at, "/help/AnIndex"))
      .elf(cat(at, "/libs/", name, ".so"), test::library());
}

Tree r_image() {
  Tree tree;
  measure::elf::Facts r = test::program();
  r.needed.emplace_back("libR.so");
  tree.script("/usr/lib/R/bin/R", "#!/bin/bash\nexec R")
      .script("/usr/bin/R", "#!/bin/bash\nexec R")
      .elf("/usr/lib/R/bin/exec/R", r)
      .elf("/usr/lib/R/bin/Rscript", test::program())
      .elf("/usr/bin/Rscript", test::program())
      .elf("/usr/lib/R/lib/libR.so", test::library())
      .elf("/usr/lib/R/modules/internet.so", test::library())
      .elf("/usr/lib/R/modules/lapack.so", test::library())
      .file("/usr/lib/R/etc/ldpaths")
      .file("/usr/lib/R/etc/Renviron", "R_LIBS_SITE=${R_LIBS_SITE-'/opt/r-packages:%S'}\n")
      .script("/usr/bin/which", "#!/bin/sh\n")
      .elf("/usr/bin/wc", test::program())
      .file("/etc/os-release");
  for (const std::string_view name :
       {"base", "compiler", "datasets", "methods", "stats", "tools", "graphics", "parallel"})
    package_of_r(tree, kLibrary, name, "");
  package_of_r(tree, kLibrary, "utils", "Imports: tools\n");
  package_of_r(tree, kLibrary, "grDevices", "");
  tree.elf(cat(kLibrary, "/grDevices/libs/cairo.so"), test::library());
  package_of_r(tree, kSite, "cli", "");
  package_of_r(tree, kSite, "stringr", "Imports: cli, glue (>= 1)\nSuggests: knitr\n");
  package_of_r(tree, "/opt/r-packages", "glue", "");
  package_of_r(tree, kSite, "knitr", "");
  return tree;
}

Analysis run_r(Tree tree, std::vector<std::string> argv) {
  return Scene(std::move(tree)).analyze("r", std::move(argv));
}

TEST(R, RscriptStartsRWithTheFile) {
  const Analysis found =
      run_r(r_image().file("/app/a.R"), {"/usr/bin/Rscript", "--vanilla", "a.R", "--file=other"});
  ASSERT_EQ(found.roots.size(), 1U);
  EXPECT_EQ(found.roots[0].path_or_glob, "/usr/lib/R/bin/R");
  EXPECT_EQ(found.roots[0].argv,
            (std::vector<std::string>{"R", "--no-echo", "--no-restore", "--file=a.R", "--args"}));
  EXPECT_TRUE(found.follows_data);
}

TEST(R, WhatEveryRLoads) {
  const Analysis found = run_r(r_image(), {"/usr/bin/R", "-e", "1"});
  for (const std::string& path :
       {cat(kLibrary, "/base/R/**"), cat(kLibrary, "/stats/libs/stats.so"),
        cat(kLibrary, "/compiler/R/**"), cat(kLibrary, "/tools/Meta/package.rds"),
        std::string("/usr/lib/R/etc/Renviron"), std::string("/usr/lib/R/lib/*.so"),
        std::string("/usr/bin/which")})
    EXPECT_TRUE(grants(found, path)) << path;
  for (const std::string& path :
       {cat(kLibrary, "/stats/help/**"), cat(kLibrary, "/stats/INDEX"),
        cat(kLibrary, "/stats/Meta/hsearch.rds"), cat(kLibrary, "/parallel/R/**"),
        cat(kLibrary, "/grDevices/libs/cairo.so"), std::string("/usr/lib/R/modules/internet.so")})
    EXPECT_FALSE(grants(found, path)) << path;
  EXPECT_TRUE(found.unknown.empty());
}

TEST(R, PackagesBringWhatTheyImport) {
  const Analysis found = run_r(r_image().file("/app/a.R", "library(stringr)"),
                               {"/usr/bin/R", "--no-echo", "--file=a.R"});
  EXPECT_TRUE(grants(found, "/app/a.R"));
  EXPECT_TRUE(grants(found, cat(kSite, "/stringr/R/**")));
  EXPECT_TRUE(grants(found, cat(kSite, "/cli/libs/cli.so")));
  // In a tree that only Renviron names.
  EXPECT_TRUE(grants(found, "/opt/r-packages/glue/R/**"));
  EXPECT_FALSE(grants(found, cat(kSite, "/knitr/R/**")));
  ASSERT_EQ(found.unknown.size(), 1U);
  EXPECT_NE(found.unknown[0].find("only suggest are left out: knitr"), std::string::npos);
}

TEST(R, SourcedFilesAreFollowed) {
  const Analysis found = run_r(r_image()
                                   .file("/app/a.R", "source('lib/x.R'); read.csv('data/p.csv')")
                                   .file("/app/lib/x.R", "cli::rule()")
                                   .file("/app/data/p.csv")
                                   .file("/app/lib/unused.R"),
                               {"/usr/bin/R", "-f", "a.R"});
  EXPECT_TRUE(grants(found, "/app/lib/x.R"));
  EXPECT_TRUE(grants(found, "/app/data/p.csv"));
  EXPECT_TRUE(grants(found, cat(kSite, "/cli/R/**")));
  EXPECT_FALSE(grants(found, "/app/lib/unused.R"));
}

TEST(R, DirectoriesOfCode) {
  const Analysis found = run_r(
      r_image().file("/shop/app.R", "library(cli)").file("/shop/www/style.css").file("/shop/.env"),
      {"/usr/bin/R", "-e", "shiny::runApp('/shop')"});
  EXPECT_TRUE(grants(found, "/shop/app.R"));
  EXPECT_TRUE(grants(found, "/shop/www/*"));
  EXPECT_TRUE(grants(found, cat(kSite, "/cli/R/**")));
}

TEST(R, ComputedNamesAreSaid) {
  const Analysis found =
      run_r(r_image()
                .file("/app/a.R", "for (p in c('cli')) library(p, character.only = TRUE)")
                .file("/app/lib/x.R", "library(parallel)"),
            {"/usr/bin/R", "--file=a.R"});
  EXPECT_TRUE(grants(found, cat(kSite, "/cli/R/**")));
  EXPECT_TRUE(grants(found, "/app/lib/x.R"));
  EXPECT_TRUE(grants(found, cat(kLibrary, "/parallel/R/**")));
  ASSERT_EQ(found.unknown.size(), 1U);
  EXPECT_NE(found.unknown[0].find("/app/a.R loads packages or files whose names it computes"),
            std::string::npos);
}

TEST(R, ModulesWhenSomethingUsesThem) {
  const Analysis found =
      run_r(r_image(), {"/usr/bin/R", "-e", "png('x.png'); url('https://example.org')"});
  EXPECT_TRUE(grants(found, cat(kLibrary, "/grDevices/libs/cairo.so")));
  EXPECT_TRUE(grants(found, "/usr/lib/R/modules/internet.so"));
  const Analysis cluster = run_r(r_image(), {"/usr/bin/R", "-e", "parallel::makeCluster(2)"});
  const auto worker = std::find_if(
      cluster.roots.begin(), cluster.roots.end(),
      [](const ClosureRoot& root) { return root.path_or_glob == "/usr/lib/R/bin/Rscript"; });
  ASSERT_NE(worker, cluster.roots.end());
  EXPECT_TRUE(grants(cluster, "/usr/bin/wc"));
  EXPECT_EQ(worker->argv, (std::vector<std::string>{"Rscript", "-e", "parallel:::.workRSOCK()"}));
}

TEST(R, ProgramsThatHoldR) {
  measure::elf::Facts server = test::program();
  server.needed.emplace_back("libR.so");
  const Analysis found =
      run_r(r_image().elf("/usr/bin/Rserve", server), {"/usr/bin/Rserve", "--slave"});
  EXPECT_TRUE(grants(found, cat(kLibrary, "/base/R/**")));
  const Analysis little =
      run_r(r_image().elf("/usr/bin/r", server).file("/app/a.r", "library(cli)"),
            {"/usr/bin/r", "-l", "parallel", "a.r"});
  EXPECT_TRUE(grants(little, cat(kSite, "/cli/R/**")));
  EXPECT_TRUE(grants(little, cat(kLibrary, "/parallel/R/**")));
}

TEST(R, WhatIsNotThereIsSaid) {
  EXPECT_EQ(run_r(r_image(), {"/usr/bin/R", "--file=gone.R"}).unknown,
            (std::vector<std::string>{"the program gone.R is not in the image"}));
  Scene scene(r_image());
  scene.launch.entrypoint = "/usr/bin/R";
  const Analysis input = scene.analyze("r", {"/usr/bin/R", "--no-save"});
  ASSERT_EQ(input.unknown.size(), 1U);
  EXPECT_NE(input.unknown[0].find("standard input"), std::string::npos);
}

}  // namespace
}  // namespace cloister::manifest
