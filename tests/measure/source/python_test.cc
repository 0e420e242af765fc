// What the scanner of Python finds, and that it survives what is no Python.
#include "measure/source/python.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::measure::source {
namespace {

using Names = std::vector<std::string>;

Facts scan(std::string_view text) {
  return scan_python(as_bytes(text), Limits{});
}
Names names(std::string_view text) {
  return scan(text).names;
}
bool has(std::string_view text, std::string_view name) {
  const Names all = names(text);
  return std::find(all.begin(), all.end(), name) != all.end();
}

TEST(PythonScan, ReadsImports) {
  EXPECT_EQ(names("import os\n"), Names{"os"});
  EXPECT_EQ(names("import a.b as c, d\n"), (Names{"a.b", "d"}));
  EXPECT_EQ(names("import a . b\n"), Names{"a.b"});
  EXPECT_EQ(names("import a, \\\n  b\r\nimport c\r\n"), (Names{"a", "b", "c"}));
  EXPECT_EQ(names("\xef\xbb\xbfimport a"), Names{"a"});
  EXPECT_EQ(names("x = 1; import a; y = 2\n"), Names{"a"});
  EXPECT_EQ(names("try: import a\nexcept ImportError: import b\n"), (Names{"a", "b"}));
  EXPECT_EQ(names("def f():\n    import a\n    return a.b\n"), Names{"a"});
}

TEST(PythonScan, ReadsFromImports) {
  EXPECT_EQ(names("from a.b import c as d, e\n"), (Names{"a.b:c", "a.b:e"}));
  EXPECT_EQ(names("from a import (  # why\n    b as x,\n    c,\n)\nimport d\n"),
            (Names{"a:b", "a:c", "d"}));
  EXPECT_EQ(names("from a import b, \\\n    c\n"), (Names{"a:b", "a:c"}));
  EXPECT_EQ(names("from a import *\n"), Names{"a:*"});
  EXPECT_EQ(names("from . import x\nfrom .. import y\nfrom .a.b import z\nfrom ... c import w\n"),
            (Names{"...c:w", "..:y", ".:x", ".a.b:z"}));
  EXPECT_EQ(names("from .import(x)\n"), Names{".:x"});
}

TEST(PythonScan, LeavesStringsAndCommentsAlone) {
  EXPECT_EQ(names("# import a\n'''\nimport b\n'''\nx = \"import c\"\n\"\"\"import d\"\"\"\n"),
            Names{});
  EXPECT_EQ(names("x = r'\\'\nimport a\n"), Names{"a"});
  EXPECT_EQ(names("x = 'it\\'s'; import a\n"), Names{"a"});
  EXPECT_EQ(names("s = 'never closed\nimport a\n"), Names{"a"});
  EXPECT_EQ(names("yield_ = x\ndef f():\n  yield from g\n  raise E from e\n"), Names{});
  EXPECT_EQ(names("d = {\n  'k': 1,\n}\nx.import_ = 2\nimport a\n"), Names{"a"});
}

TEST(PythonScan, ReadsNestedQuotesOfFormatStrings) {
  EXPECT_EQ(names("x = f\"{d[\"#\"]}\"\nimport a\n"), Names{"a"});
  EXPECT_EQ(names("x = f'{{literal'\nimport a\n"), Names{"a"});
  EXPECT_EQ(names("x = f'''{\n 'import b'}'''\nimport a\n"), Names{"a"});
  EXPECT_EQ(names("x = f'{y!r:>{width}}' ; import a\n"), Names{"a"});
}

TEST(PythonScan, TellsLiteralFromComputedNames) {
  EXPECT_EQ(names("__import__('a.b')\nimportlib.import_module(\"c\")\nimport_module('.d', p)\n"),
            (Names{".d", "a.b", "c"}));
  EXPECT_FALSE(scan("__import__('a.b')").dynamic);
  EXPECT_TRUE(scan("__import__(name)").dynamic);
  EXPECT_TRUE(scan("import_module(f'a.{x}')").dynamic);
  EXPECT_TRUE(scan("import_module('a.' + x)").dynamic);
  EXPECT_TRUE(scan("map(import_module, names)").dynamic);
  EXPECT_TRUE(scan("for m in pkgutil.iter_modules(p): pass").dynamic);
  EXPECT_FALSE(scan("from importlib import import_module\n").dynamic);
  EXPECT_FALSE(scan("def import_module(name):\n  pass\n").dynamic);
}

TEST(PythonScan, KnowsBlocksThatDoNotRun) {
  EXPECT_EQ(names("if TYPE_CHECKING:\n    import a\n    from b import c\nimport d\n"), Names{"d"});
  EXPECT_EQ(names("if typing.TYPE_CHECKING:\n  import a\nelse:\n  import b\n"), Names{"b"});
  EXPECT_EQ(names("if sys.platform == 'win32':\n\timport winreg\n\n# note\n\timport b\nimport c\n"),
            Names{"c"});
  EXPECT_EQ(names("if TYPE_CHECKING: import a\nimport b\n"), Names{"b"});
  EXPECT_EQ(names("if TYPE_CHECKING or x:\n  import a\n"), Names{"a"});
  EXPECT_EQ(names("if __name__ == '__main__':\n    import a\nimport b\n"), (Names{"!a", "b"}));
}

TEST(PythonScan, KeepsStringsThatLookLikeModules) {
  EXPECT_EQ(names("run('main:app', x='logging.handlers.QueueHandler', y='a b', z='x.txt')\n"),
            (Names{"'logging.handlers.QueueHandler", "'main:app"}));
  EXPECT_EQ(names("x = 'plain'\n"), Names{});
  EXPECT_TRUE(has("x = 'plain'\n__import__(x)\n", "'plain"));
  EXPECT_EQ(names("TIME_ZONE = 'Europe/Berlin'\nurl = 'a/b'\n"), Names{"@zone:Europe/Berlin"});
  EXPECT_EQ(names("open('/usr/share/x/y.dat')\n"), Names{"/usr/share/x/y.dat"});
}

TEST(PythonScan, MarksDataAndLibraries) {
  EXPECT_EQ(names("p = dirname(__file__)\n"), Names{"@data"});
  EXPECT_EQ(names("ctypes.CDLL('libx.so.1')\ncdll.LoadLibrary(path)\nfind_library('y')\n"),
            (Names{"@find:y", "@lib:", "@lib:libx.so.1"}));
  EXPECT_EQ(names("entry_points(group='g.h')\niter_entry_points(\"i\")\nentry_points()\n"),
            (Names{"@entry:", "@entry:g.h", "@entry:i"}));
  EXPECT_EQ(names("load_entry_point('x==1', 'console_scripts', 'y')()\n"),
            Names{"@entry:console_scripts:y"});
  EXPECT_EQ(names("sys.path.insert(0, join(dirname(x), 'lib'))\nprint(sys.path)\n"),
            (Names{"@path:", "@path:lib"}));
  EXPECT_EQ(names("sys.path += ['/opt/x']\nsys.path[0:0] = [a]\nif sys.path == b: pass\n"),
            (Names{"/opt/x", "@path:", "@path:/opt/x"}));
}

TEST(PythonScan, SurvivesWhatIsNoPython) {
  for (const std::string_view text : {"import",
                                      "from",
                                      "from .",
                                      "from a",
                                      "from a import",
                                      "from a import (",
                                      "import a.",
                                      "f'{",
                                      "'''",
                                      "\\",
                                      "if",
                                      "sys.path[",
                                      "__import__(",
                                      "__import__('",
                                      "((((((",
                                      "))))import a",
                                      "\xff\xfe\x00i\x00m",
                                      "from . . . . a import\tb",
                                      "def",
                                      "f\"{x!r:{f'{f\"{"})
    EXPECT_LE(scan(text).names.size(), 2U) << text;
  EXPECT_EQ(names(std::string_view("import a\0b\nimport c\n", 20)), (Names{"a", "c"}));
}

TEST(PythonScan, BoundsTheNames) {
  Limits limits;
  limits.source_names = 10;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "import m" + std::to_string(i) + "\n";
  const Facts facts = scan_python(as_bytes(text), limits);
  EXPECT_LE(facts.names.size(), 10U);
  // What was dropped could be anything.
  EXPECT_TRUE(facts.dynamic);
}

// A line of a thousand openings must not be read again from each of them.
TEST(PythonScan, IsLinear) {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += "sys.path[";
  text += "=";
  for (int i = 0; i < 100000; ++i) text += "f'{";
  EXPECT_LE(scan(text).names.size(), 4U);
}

TEST(PythonScan, WantsSourcesAndScripts) {
  EXPECT_TRUE(is_python("a/b.py", ""));
  EXPECT_TRUE(is_python("usr/bin/tool", "/usr/bin/python3 -I"));
  EXPECT_TRUE(is_python("usr/bin/tool", "/usr/bin/env -S python3.11 -u"));
  EXPECT_FALSE(is_python("usr/bin/tool", "/bin/sh"));
  EXPECT_FALSE(is_python("a/b.pyc", ""));
  EXPECT_FALSE(is_python("a/b", "/opt/mypython-wrapper"));
}

TEST(PythonExtension, FindsModuleNamesAmongConstants) {
  static constexpr char kFile[] =
      "\x7f"
      "ELF\0copyreg\0frobnicate\0pandas._libs.tslib\0a.c\0Class.name\0x..y\0numpy.core.multi\0end";
  const std::string_view file(kFile, sizeof kFile - 1);
  const Facts facts = scan_python_extension(as_bytes(file), Limits{});
  EXPECT_EQ(facts.names, (Names{"'copyreg", "'numpy.core.multi", "'pandas._libs.tslib"}));
  EXPECT_FALSE(facts.dynamic);
}

TEST(PythonExtension, WantsLibrariesInPythonsDirectories) {
  EXPECT_TRUE(is_python_extension("usr/lib/python3.11/lib-dynload/_ssl.so", ""));
  EXPECT_TRUE(is_python_extension("opt/x/_y.cpython-311-x86_64-linux-gnu.so", ""));
  EXPECT_TRUE(is_python_extension("opt/x/_y.abi3.so", ""));
  EXPECT_FALSE(is_python_extension("usr/lib/x86_64-linux-gnu/libz.so", ""));
}

}  // namespace
}  // namespace cloister::measure::source
