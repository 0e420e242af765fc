// The small files around Python, and its command line.
#include <gtest/gtest.h>

#include "manifest-gen/runtimes/python/command_line.h"
#include "manifest-gen/runtimes/python/configuration.h"

namespace cloister::manifest::python {
namespace {

using Strings = std::vector<std::string>;

TEST(PythonFiles, ReadsPyvenv) {
  const auto venv = parse_pyvenv(
      "home = /usr/bin\r\nInclude-System-Site-Packages = TRUE\nversion=3.11.2\nnonsense\n");
  EXPECT_EQ(venv.home, "/usr/bin");
  EXPECT_TRUE(venv.system_site);
  EXPECT_EQ(venv.version, "3.11.2");
  EXPECT_FALSE(parse_pyvenv("").system_site);
}

TEST(PythonFiles, ReadsPth) {
  const PthFile file = parse_pth("# no\n\n/opt/lib \nimport x; x.y()\n../rel\nimportant/dir\n");
  EXPECT_EQ(file.paths, (Strings{"/opt/lib", "../rel", "important/dir"}));
  EXPECT_EQ(file.code, "import x; x.y()\n");
}

TEST(PythonFiles, ReadsRecord) {
  EXPECT_EQ(parse_record("a/b.py,sha256=x,1\n\"c,\"\"d\"\".py\",,\r\n\n\"open"),
            (Strings{"a/b.py", "c,\"d\".py", "open"}));
}

TEST(PythonFiles, ReadsEntryPoints) {
  const auto points =
      parse_entry_points("x = ignored.group:f\n[g]\n; note\na = m.n:f.g [extra]\nb=k\n[h\nc = l\n");
  ASSERT_EQ(points.size(), 4U);
  EXPECT_EQ(points[1].group, "g");
  EXPECT_EQ(points[1].name, "a");
  EXPECT_EQ(points[1].module, "m.n");
  EXPECT_EQ(points[2].module, "k");
}

TEST(PythonFiles, ReadsEditableFinders) {
  EXPECT_EQ(parse_editable_finder("MAPPING = {'pkg': '/src/p/pkg', 'q': \"/src/p/q\"}\nx = '/y\n"),
            (Strings{"/src/p"}));
}

TEST(PythonCommandLine, FindsWhatRuns) {
  using Runs = CommandLine::Runs;
  CommandLine line =
      parse_command_line({"python3", "-u", "-X", "dev", "-Wignore", "a.py", "-m", "x"});
  EXPECT_EQ(line.runs, Runs::script);
  EXPECT_EQ(line.target, "a.py");
  EXPECT_EQ(line.arguments, (Strings{"-m", "x"}));
  line = parse_command_line({"python3", "-Im", "http.server", "80"});
  EXPECT_EQ(line.runs, Runs::module);
  EXPECT_EQ(line.target, "http.server");
  EXPECT_TRUE(line.safe_path && line.ignores_environment && line.no_user_site);
  EXPECT_EQ(line.arguments, Strings{"80"});
  line = parse_command_line({"python3", "-mpkg"});
  EXPECT_EQ(line.target, "pkg");
  line = parse_command_line({"python3", "-Sc", "import a"});
  EXPECT_EQ(line.runs, Runs::code);
  EXPECT_TRUE(line.no_site);
  line = parse_command_line({"python3", "--check-hash-based-pycs", "never", "--", "x"});
  EXPECT_EQ(line.target, "x");
  for (const Strings& argv : {Strings{}, Strings{"python3"}, Strings{"python3", "-"},
                              Strings{"python3", "-m"}, Strings{"python3", "-W"}})
    EXPECT_EQ(parse_command_line(argv).runs, Runs::nothing);
}

}  // namespace
}  // namespace cloister::manifest::python
