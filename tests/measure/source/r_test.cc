#include "measure/source/r.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::measure::source {
namespace {

using Names = std::vector<std::string>;

Facts r_scan(std::string_view text) {
  return scan_r(as_bytes(text), Limits{});
}
Names r_names(std::string_view text) {
  return r_scan(text).names;
}

TEST(R, WhatLoadsPackages) {
  EXPECT_EQ(
      r_names("library(jsonlite)\nsuppressWarnings(require('data.table'))\n"
              "if (requireNamespace(\"xml2\", quietly = TRUE)) stringr::str_c(x)\n"
              "a <- utils:::head; library(package = \"cli\")\npacman::p_load(dplyr, 'tidyr')"),
      (Names{"package:cli", "package:data.table", "package:dplyr", "package:jsonlite",
             "package:pacman", "package:stringr", "package:tidyr", "package:utils",
             "package:xml2"}));
  EXPECT_EQ(r_names("x$library(a); function(require) 1; library <- 2 # library(b)\n'library(c)'"),
            Names{});
}

TEST(R, ComputedNames) {
  EXPECT_TRUE(r_scan("library(x, character.only = TRUE)").dynamic);
  EXPECT_TRUE(r_scan("lapply(wanted, library, character.only = TRUE)").dynamic);
  EXPECT_TRUE(r_scan("loadNamespace(name)").dynamic);
  EXPECT_TRUE(r_scan("do.call('require', list(x))").dynamic);
  EXPECT_TRUE(r_scan("source(paste0(dir, '/x.R'))").dynamic);
  EXPECT_TRUE(r_scan("source(file.path(dir, 'x.R'))").dynamic);
  EXPECT_FALSE(r_scan("library(x); source('x.R'); source(file.path('lib', 'x.R'))").dynamic);
  // Strings are names only where names are computed.
  EXPECT_EQ(r_names("p <- c('dplyr', 'not a name'); for (x in p) library(x, character.only = T)"),
            Names{"string:dplyr"});
  EXPECT_EQ(r_names("p <- c('dplyr')"), Names{});
}

TEST(R, FilesAndDirectories) {
  EXPECT_EQ(r_names("source('lib/x.R')\nread.csv(file.path('data', 'a', 'prices.csv'))\n"
                    "list.files('modules')\nx <- 'plain'\ny <- 'a sentence. it ends'\n"
                    "here::here('conf', 'app.yml')\nz <- '/srv/words'"),
            (Names{"package:here", "path:/srv/words", "path:conf/app.yml", "path:data/a/prices.csv",
                   "path:lib/x.R", "path:modules"}));
  EXPECT_EQ(r_names(".libPaths(c('/opt/r', .libPaths()))\ns <- 'word'"), Names{"libraries:/opt/r"});
}

TEST(R, CommandsAndModules) {
  EXPECT_EQ(r_names("system('gzip -9 x')\nsystem2(\"convert\", args)\nsystem(paste('a', b))\n"
                    "png('/tmp/p.png')\nfromJSON('https://example.org/x')\nmakeCluster(2)"),
            (Names{"command:*", "command:convert", "command:gzip", "module:bitmaps",
                   "module:internet", "module:workers", "path:/tmp/p.png"}));
}

TEST(R, DescriptionOfAPackage) {
  EXPECT_EQ(r_names("Package: stringr\nTitle: Uses: words, and more\nDepends: R (>= 3.3)\n"
                    "Imports: cli, glue (>= 1.6.1),\n        data.table\nSuggests: knitr\n"
                    "License: MIT + file LICENSE\n"),
            (Names{"package:cli", "package:data.table", "package:glue", "suggests:knitr"}));
}

TEST(R, NamespaceOfAPackage) {
  EXPECT_EQ(r_names("# Generated\nexport(\"%>%\")\nS3method(print, x)\nimport(rlang, 'vctrs')\n"
                    "importFrom(grDevices,png)\nimportFrom(\"utils\", head, tail)\n"
                    "import(methods, except = c(show))\nuseDynLib(x, .registration = TRUE)\n"),
            (Names{"module:bitmaps", "package:grDevices", "package:methods", "package:rlang",
                   "package:utils", "package:vctrs"}));
}

TEST(R, ChunksOfDocuments) {
  EXPECT_EQ(r_names("---\ntitle: x\n---\nDon't load library(a).\n```{r setup}\nlibrary(b2)\n```\n"
                    "```python\nlibrary(c2)\n```\n```{r}\nd::e\ndd::e"),
            (Names{"package:b2", "package:dd"}));
}

TEST(R, StringsOfAllKinds) {
  EXPECT_EQ(r_names("x <- r\"---(library(a1) \" )---\"; y <- 'it\\'s library(b1)'\n`library(c1)`\n"
                    "library(d1) # \"\nlibrary(e1)"),
            (Names{"package:d1", "package:e1"}));
  EXPECT_EQ(r_names("library(d1)\nx <- \"never closed\nlibrary(e1)"), Names{"package:d1"});
}

TEST(R, WhichFiles) {
  for (const char* path : {"app.R", "x/report.Rmd", "srv/.Rprofile", "lib/cli/DESCRIPTION",
                           "lib/cli/NAMESPACE", "etc/R/Rprofile.site"})
    EXPECT_TRUE(is_r(path, "")) << path;
  EXPECT_TRUE(is_r("usr/bin/answer", "/usr/bin/env Rscript"));
  EXPECT_TRUE(is_r("usr/bin/answer", "/usr/bin/Rscript --vanilla"));
  EXPECT_FALSE(is_r("a.rb", "/usr/bin/ruby"));
}

}  // namespace
}  // namespace cloister::measure::source
