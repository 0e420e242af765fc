// From the start of a Python interpreter to the files that it opens.
#include "manifest-gen/runtimes/python/python.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "tests/manifest-gen/support/tree.h"
#include "tests/measure/source/archive.h"

namespace cloister::manifest::python {
namespace {

using Strings = std::vector<std::string>;

// A Debian-like Python of a few modules.
class PythonAnalysis : public ::testing::Test {
 protected:
  PythonAnalysis() {
    tree_.elf("/usr/bin/python3.11", test::program())
        .link("/usr/bin/python3", "python3.11")
        .file("/usr/lib/python3.11/os.py", "import abc, stat\nimport posixpath as path\n")
        .file("/usr/lib/python3.11/abc.py")
        .file("/usr/lib/python3.11/stat.py")
        .file("/usr/lib/python3.11/site.py", "import os, builtins, _sitebuiltins\n")
        .file("/usr/lib/python3.11/_sitebuiltins.py", "def f():\n    import pydoc\n")
        .file("/usr/lib/python3.11/pydoc.py")
        .file("/usr/lib/python3.11/json/__init__.py", "from .decoder import JSONDecoder\n")
        .file("/usr/lib/python3.11/json/decoder.py", "from json import scanner\n")
        .file("/usr/lib/python3.11/json/scanner.py")
        .file("/usr/lib/python3.11/json/tool.py", "import argparse\n")
        .file("/usr/lib/python3.11/queue.py", "import _queue\n")
        .elf("/usr/lib/python3.11/lib-dynload/_queue.cpython-311-x86_64-linux-gnu.so",
             test::library())
        .elf("/usr/lib/python3.11/lib-dynload/_queue.cpython-310-x86_64-linux-gnu.so",
             test::library())
        .directory("/usr/lib/python3/dist-packages");
    launch_.workdir = "/";
    launch_.program = launch_.entrypoint = "/usr/bin/python3.11";
  }

  void run(Strings argv, const std::string& program = "/usr/bin/python3.11") {
    rootfs_ = std::make_unique<measure::Rootfs>(tree_.build());
    const Limits limits;
    const AnalyzerScene scene{launch_, *rootfs_, limits};
    const ProgramStart start{program, std::move(argv), true};
    ASSERT_TRUE(detect(start, scene));
    auto result = analyze(start, scene);
    ASSERT_TRUE(result.has_value()) << result.error().what();
    analysis_ = std::move(*result);
    granted_.clear();
    for (const ClosureRoot& root : analysis_.roots)
      for (std::string& path : expand_glob(*rootfs_, root.path_or_glob))
        granted_.push_back(std::move(path));
    std::sort(granted_.begin(), granted_.end());
  }

  bool granted(std::string_view path) const {
    return std::find(granted_.begin(), granted_.end(), path) != granted_.end();
  }
  std::string reason(std::string_view path) const {
    for (const ClosureRoot& root : analysis_.roots)
      if (root.path_or_glob == path) return cat(root.from, ": ", root.detail);
    return {};
  }
  bool told(std::string_view part) const {
    return std::any_of(analysis_.unknown.begin(), analysis_.unknown.end(),
                       [&](const std::string& s) { return s.find(part) != std::string::npos; });
  }

  test::Tree tree_;
  Launch launch_;
  std::unique_ptr<measure::Rootfs> rootfs_;
  Analysis analysis_;
  Strings granted_;
};

constexpr std::string_view kSite = "/usr/lib/python3/dist-packages/";

std::string site(std::string_view path) {
  return cat(kSite, path);
}

TEST_F(PythonAnalysis, FollowsImportsOfTheScript) {
  tree_.file("/app/app.py", "import json\nfrom helper import calc\n")
      .file("/app/helper/__init__.py")
      .file("/app/helper/calc.py", "import queue\n");
  run({"python3", "/app/app.py"});
  for (const std::string_view path :
       {"/app/app.py", "/app/helper/__init__.py", "/app/helper/calc.py",
        "/usr/lib/python3.11/json/__init__.py", "/usr/lib/python3.11/json/decoder.py",
        "/usr/lib/python3.11/json/scanner.py", "/usr/lib/python3.11/queue.py",
        "/usr/lib/python3.11/lib-dynload/_queue.cpython-311-x86_64-linux-gnu.so"})
    EXPECT_TRUE(granted(path)) << path;
  EXPECT_FALSE(granted("/usr/lib/python3.11/json/tool.py"));
  EXPECT_FALSE(granted("/usr/lib/python3.11/lib-dynload/_queue.cpython-310-x86_64-linux-gnu.so"));
  EXPECT_EQ(reason("/usr/lib/python3.11/json/scanner.py"),
            "/usr/lib/python3.11/json/decoder.py: from json import scanner");
  EXPECT_TRUE(analysis_.unknown.empty());
}

TEST_F(PythonAnalysis, GrantsWhatEveryStartImportsButNoToolsForPeople) {
  run({"python3", "-c", "pass"});
  EXPECT_TRUE(granted("/usr/lib/python3.11/os.py"));
  EXPECT_TRUE(granted("/usr/lib/python3.11/site.py"));
  EXPECT_TRUE(granted("/usr/lib/python3.11/_sitebuiltins.py"));
  EXPECT_FALSE(granted("/usr/lib/python3.11/pydoc.py"));
  EXPECT_FALSE(granted("/usr/lib/python3.11/json/__init__.py"));
}

TEST_F(PythonAnalysis, RunsModulesAndCode) {
  run({"python3", "-m", "json.tool"});
  EXPECT_TRUE(granted("/usr/lib/python3.11/json/tool.py"));
  run({"python3", "-c", "import queue"});
  EXPECT_TRUE(granted("/usr/lib/python3.11/queue.py"));
  run({"python3", "-m", "nothing"});
  EXPECT_TRUE(told("no such module"));
}

TEST_F(PythonAnalysis, FollowsRelativeImportsAndNamespacePackages) {
  tree_.file(site("ns/a/__init__.py"), "from . import b\nfrom ..c import d\n")
      .file(site("ns/a/b.py"))
      .file("/usr/local/lib/python3.11/dist-packages/ns/c/__init__.py")
      .file("/usr/local/lib/python3.11/dist-packages/ns/c/d.py");
  run({"python3", "-c", "import ns.a"});
  EXPECT_TRUE(granted(site("ns/a/b.py")));
  EXPECT_TRUE(granted("/usr/local/lib/python3.11/dist-packages/ns/c/d.py"));
}

TEST_F(PythonAnalysis, GrantsAllOfAPackageThatComputesNames) {
  tree_.file(site("dyn/__init__.py"), "from . import loader\n")
      .file(site("dyn/loader.py"), "def load(n):\n    return __import__(n)\n")
      .file(site("dyn/plugins/__init__.py"))
      .file(site("dyn/plugins/x.py"), "import queue\n")
      .file(site("dyn/tests/__init__.py"))
      .file(site("dyn/tests/test_x.py"))
      .file(site("dyn_extra.py"))
      .file(site("other.py"))
      .file(site("Dyn-1.0.dist-info/RECORD"),
            "dyn/__init__.py,,\ndyn_extra.py,,\n../../bin/dyn,,\n");
  run({"python3", "-c", "import dyn"});
  EXPECT_TRUE(granted(site("dyn/plugins/x.py")));
  EXPECT_TRUE(granted("/usr/lib/python3.11/queue.py"));
  EXPECT_TRUE(granted(site("dyn_extra.py")));  // of the same distribution
  EXPECT_FALSE(granted(site("dyn/tests/test_x.py")));
  EXPECT_FALSE(granted(site("other.py")));
}

TEST_F(PythonAnalysis, TakesSetuptoolsHookForNoUseOfSetuptools) {
  tree_.file(site("distutils-precedence.pth"), "import os; __import__('_distutils_hack')\n")
      .file(site("_distutils_hack/__init__.py"),
            "import importlib\nimportlib.import_module(name)\nimportlib.import_module("
            "'setuptools._distutils')\n")
      .file(site("setuptools/__init__.py"))
      .file(site("setuptools/_distutils/__init__.py"));
  run({"python3", "-c", "pass"});
  EXPECT_TRUE(granted(site("_distutils_hack/__init__.py")));
  EXPECT_FALSE(granted(site("setuptools/__init__.py")));
  run({"python3", "-c", "import distutils"});
  EXPECT_TRUE(granted(site("setuptools/_distutils/__init__.py")));
}

TEST_F(PythonAnalysis, GrantsPackageDataThatIsRead) {
  tree_.file(site("ca/__init__.py"), "import os\np = os.path.dirname(__file__)\n")
      .file(site("ca/cacert.pem"))
      .file(site("ca/server.key"))
      .file(site("ca/py.typed"))
      .file(site("ca/impl.c"))
      .file(site("ca/data/x.json"))
      .file(site("ca/tests/y.json"))
      .file(site("plain/__init__.py"))
      .file(site("plain/x.json"));
  run({"python3", "-c", "import ca, plain"});
  EXPECT_TRUE(granted(site("ca/cacert.pem")));
  EXPECT_TRUE(granted(site("ca/data/x.json")));
  EXPECT_FALSE(granted(site("ca/py.typed")));
  EXPECT_FALSE(granted(site("ca/impl.c")));
  EXPECT_FALSE(granted(site("ca/tests/y.json")));
  EXPECT_FALSE(granted(site("plain/x.json")));
  // Patterns: the closure withholds secrets from them.
  for (const ClosureRoot& root : analysis_.roots)
    EXPECT_NE(root.path_or_glob, site("ca/server.key"));
}

TEST_F(PythonAnalysis, FindsVirtualEnvironments) {
  tree_.link("/venv/bin/python", "/usr/bin/python3")
      .file("/venv/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.2\n")
      .file("/venv/lib/python3.11/site-packages/dep.py", "import json\n")
      .file("/venv/lib/python3.11/site-packages/more.pth", "/opt/more\nimport queue\n")
      .file("/opt/more/extra.py")
      .file(site("dep.py"))
      .file(site("system.py"));
  run({"/venv/bin/python", "-c", "import dep, extra, system"});
  EXPECT_TRUE(granted("/venv/pyvenv.cfg"));
  EXPECT_TRUE(granted("/venv/lib/python3.11/site-packages/dep.py"));
  EXPECT_TRUE(granted("/venv/lib/python3.11/site-packages/more.pth"));
  EXPECT_TRUE(granted("/opt/more/extra.py"));
  EXPECT_TRUE(granted("/usr/lib/python3.11/json/__init__.py"));
  EXPECT_TRUE(granted("/usr/lib/python3.11/queue.py"));
  EXPECT_FALSE(granted(site("dep.py")));
  EXPECT_FALSE(granted(site("system.py")));
}

TEST_F(PythonAnalysis, FindsTheVirtualEnvironmentThroughPath) {
  tree_.link("/venv/bin/python3", "/usr/bin/python3.11")
      .file("/venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = true\n")
      .file("/venv/lib/python3.11/site-packages/dep.py")
      .file(site("system.py"));
  launch_.env = {{"PATH", "/venv/bin:/usr/bin"}};
  run({"python3", "-c", "import dep, system"});
  EXPECT_TRUE(granted("/venv/lib/python3.11/site-packages/dep.py"));
  EXPECT_TRUE(granted(site("system.py")));
}

TEST_F(PythonAnalysis, ReadsServersArguments) {
  tree_.file("/usr/bin/gunicorn", "#!/usr/bin/python3\nfrom gunicorn.app import run\n", 0755)
      .file(site("gunicorn/__init__.py"))
      .file(site("gunicorn/app.py"))
      .file("/srv/web/shop/__init__.py")
      .file("/srv/web/shop/wsgi.py", "import json\nBACKENDS = ['shop.plug.x']\n")
      .file("/srv/web/shop/plug/__init__.py")
      .file("/srv/web/shop/plug/x.py", "import queue\n")
      .file("/srv/web/shop/tests/test_x.py");
  launch_.workdir = "/srv/web";
  run({"/usr/bin/python3", "/usr/bin/gunicorn", "-b", ":80", "shop.wsgi:application"});
  EXPECT_TRUE(granted("/usr/bin/gunicorn"));
  EXPECT_TRUE(granted(site("gunicorn/app.py")));
  EXPECT_TRUE(granted("/srv/web/shop/wsgi.py"));
  EXPECT_TRUE(granted("/srv/web/shop/plug/x.py"));
  EXPECT_TRUE(granted("/usr/lib/python3.11/json/__init__.py"));
  EXPECT_FALSE(granted("/srv/web/shop/tests/test_x.py"));
}

TEST_F(PythonAnalysis, FollowsEntryPointsOfNamedGroups) {
  tree_
      .file(site("host.py"),
            "from importlib.metadata import entry_points\n"
            "entry_points(group='host.plugins')\n")
      .file(site("plug.py"))
      .file(site("cli.py"))
      .file(site("plug-1.dist-info/METADATA"))
      .file(site("plug-1.dist-info/entry_points.txt"),
            "[host.plugins]\np = plug:P\n[console_scripts]\nc = cli:main\n");
  run({"python3", "-c", "import host"});
  EXPECT_TRUE(granted(site("plug.py")));
  EXPECT_TRUE(granted(site("plug-1.dist-info/METADATA")));
  EXPECT_FALSE(granted(site("cli.py")));
}

TEST_F(PythonAnalysis, FindsLibrariesThatCtypesOpens) {
  tree_.elf("/usr/lib/x86_64-linux-gnu/libgeos_c.so.1", test::library())
      .elf("/usr/lib/x86_64-linux-gnu/libmagic.so.1", test::library())
      .elf("/usr/lib/x86_64-linux-gnu/libc.so.6", test::library())
      .file(site("geo.py"),
            "import ctypes\nctypes.CDLL('libgeos_c.so.1')\n"
            "ctypes.CDLL('libc.so.6')\nfind_library('magic')\n");
  run({"python3", "-c", "import geo"});
  EXPECT_TRUE(granted("/usr/lib/x86_64-linux-gnu/libgeos_c.so.1"));
  EXPECT_TRUE(granted("/usr/lib/x86_64-linux-gnu/libmagic.so.1"));
  EXPECT_FALSE(granted("/usr/lib/x86_64-linux-gnu/libc.so.6"));
}

TEST_F(PythonAnalysis, SaysWhatItCannotKnow) {
  tree_.file("/app/app.py", "import importlib, sys\nimportlib.import_module(sys.argv[1])\n");
  run({"python3", "/app/app.py"});
  EXPECT_TRUE(told("names that it computes"));
  run({"python3", "/app/absent.py"});
  EXPECT_TRUE(told("is not in the image"));
  tree_.file(site("bare.pyc"));
  run({"python3", "-c", "import bare"});
  EXPECT_TRUE(told("only byte code"));
}

TEST_F(PythonAnalysis, LeavesOtherInterpretersAlone) {
  tree_.elf("/usr/bin/python2.7", test::program())
      .link("/usr/bin/python", "python2.7")
      .elf("/usr/bin/pypy3", test::program());
  rootfs_ = std::make_unique<measure::Rootfs>(tree_.build());
  const Limits limits;
  const AnalyzerScene scene{launch_, *rootfs_, limits};
  EXPECT_FALSE(detect({"/usr/bin/python", {"python"}, true}, scene));
  EXPECT_FALSE(detect({"/usr/bin/pypy3", {"pypy3"}, true}, scene));
  EXPECT_TRUE(detect({"/usr/bin/python3", {"python3"}, true}, scene));
}

// Packages that import each other, themselves and nonsense.
TEST_F(PythonAnalysis, EndsOnLoops) {
  tree_
      .file("/app/a/__init__.py",
            "from a import *\nfrom . import b\nfrom .... import x\nimport a.a.a\n")
      .file("/app/a/b.py", "from .. import a\nimport a.b\nfrom a.b import b\n")
      .link("/app/a/self", ".")
      .file(
          "/app/main.py", "import a\nimport " + std::string(150, 'x') + "\nimport a" + []() {
            std::string deep;
            for (int i = 0; i < 90; ++i) deep += ".s";
            return deep;
          }() + "\n");
  run({"python3", "/app/main.py"});
  EXPECT_TRUE(granted("/app/a/b.py"));
}

TEST_F(PythonAnalysis, LooksIntoArchives) {
  const Bytes zipped =
      test::archive({{"__main__.py", "import json\n"}}, "", "#!/usr/bin/python3\n");
  tree_.file("/opt/tool.pyz", as_text(zipped));
  run({"python3", "/opt/tool.pyz"});
  EXPECT_TRUE(granted("/opt/tool.pyz"));
  EXPECT_TRUE(granted("/usr/lib/python3.11/json/__init__.py"));
}

// WORKDIR /srv holds an application; / does not, and what is imported from it is found all the
// same.
TEST_F(PythonAnalysis, FindsApplicationsInSharedDirectories) {
  tree_.file("/srv/proj/__init__.py")
      .file("/srv/proj/tasks.py")
      .file("/app/main.py", "import json\n")
      .file("/app/other.py")
      .script("/usr/bin/celery", "#!/usr/bin/python3\n");
  launch_.workdir = "/srv";
  run({"/usr/bin/python3", "/usr/bin/celery", "-A", "proj", "worker"});
  EXPECT_TRUE(granted("/srv/proj/tasks.py"));
  launch_.workdir = "/";
  run({"/usr/bin/python3", "/usr/bin/celery", "-A", "app.main", "worker"});
  EXPECT_TRUE(granted("/usr/lib/python3.11/json/__init__.py"));
  EXPECT_FALSE(granted("/app/other.py"));
}

// Debian replaces copies that packages bring along by links.
TEST_F(PythonAnalysis, GrantsModulesUnderEachName) {
  tree_.file(site("real/__init__.py"))
      .file(site("outer/__init__.py"), "import real, outer.vendored.real\n")
      .file(site("outer/vendored/__init__.py"))
      .link(site("outer/vendored/real"), "../../real");
  run({"python3", "-c", "import outer"});
  EXPECT_TRUE(granted(site("real/__init__.py")));
  EXPECT_TRUE(granted(site("outer/vendored/real/__init__.py")));
}

TEST_F(PythonAnalysis, TakesAConsoleScriptsPackageForTheProgram) {
  tree_
      .file("/usr/local/lib/python3.11/site-packages/tool/__init__.py",
            "import zoneinfo\nzoneinfo.ZoneInfo('Asia/Tokyo')\n")
      .file("/usr/share/zoneinfo/Asia/Tokyo")
      .script("/usr/local/bin/tool", "#!/usr/bin/python3\nfrom tool import main\n");
  run({"/usr/bin/python3", "/usr/local/bin/tool"});
  EXPECT_TRUE(granted("/usr/share/zoneinfo/Asia/Tokyo"));
}

TEST_F(PythonAnalysis, FindsProgramsThatTheApplicationRuns) {
  tree_.elf("/usr/bin/uname", test::program())
      .elf("/usr/bin/tr", test::program())
      .elf("/usr/bin/id", test::program())
      .elf("/bin/sh", test::program())
      .file(site("lib.py"), "import subprocess\nsubprocess.run(['id'])\n")
      .file("/app/a.py",
            "import lib, os, subprocess\nsubprocess.run(['uname', '-s'])\n"
            "os.popen('true | tr a b')\n");
  run({"python3", "/app/a.py"});
  for (const char* path : {"/usr/bin/uname", "/usr/bin/tr", "/bin/sh"})
    EXPECT_TRUE(granted(path)) << path;
  EXPECT_FALSE(granted("/usr/bin/id")) << "what a library might run";
}

TEST_F(PythonAnalysis, GrantsDataBesideAProgramThatIsElsewhere) {
  tree_.file("/opt/svc/main.py", "open(__file__)\n")
      .file("/opt/svc/data/t.txt")
      .file("/opt/svc/.git/config.txt")
      .file("/opt/svc/venv/pyvenv.cfg")
      .file("/opt/svc/venv/other.txt");
  run({"python3", "/opt/svc/main.py"});
  EXPECT_TRUE(granted("/opt/svc/data/t.txt"));
  EXPECT_FALSE(granted("/opt/svc/.git/config.txt"));
  EXPECT_FALSE(granted("/opt/svc/venv/other.txt"));
}

}  // namespace
}  // namespace cloister::manifest::python
