// Archives of Python modules: what they import from elsewhere.
#include <gtest/gtest.h>

#include "base/text.h"
#include "measure/source/python.h"
#include "tests/measure/source/archive.h"

namespace cloister::measure::source {
namespace {

using Names = std::vector<std::string>;

Names python_names(ByteView bytes) {
  return scan_python(bytes, Limits{}).names;
}

TEST(PythonArchive, ImportsOfAllModulesButItsOwn) {
  const Bytes bytes = test::archive(
      {{"__main__.py", "import yaml, inner, flat\nif __name__ == '__main__':\n    import json\n"},
       {"inner/__init__.py",
        "from dateutil import tz\nfrom . import x\nif __name__ == '__main__':\n"
        "    import pdb\n"},
       {"flat.py", "import inner.x\n", /*deflated=*/false},
       {"inner/data.txt", "import nothing\n"}},
      "", "#!/usr/bin/env python3\n");
  EXPECT_EQ(python_names(bytes), (Names{"dateutil:tz", "json", "yaml"}));
}

TEST(PythonArchive, KnownByNameAndByShebang) {
  for (const char* name : {"a.pyz", "b.egg", "c.zip", "d.pex"})
    EXPECT_TRUE(is_python(name, "")) << name;
  EXPECT_TRUE(is_python("app", "/usr/bin/env python3"));
  const Limits limits;
  EXPECT_GT(scanned_bytes("app", "/usr/bin/python3", limits), limits.source_bytes);
  EXPECT_EQ(scanned_bytes("app.py", "/usr/bin/python3", limits), limits.source_bytes);
}

TEST(PythonArchive, DamageAndNestingAreSurvived) {
  const Bytes inner = test::archive({{"__main__.py", "import deep\n"}});
  const Bytes nested =
      test::archive({{"a.py", std::string(as_text(inner))}, {"b.py", "import near\n"}});
  const Names found = python_names(nested);
  EXPECT_NE(std::find(found.begin(), found.end(), "near"), found.end());
  for (std::size_t size = 0; size < nested.size(); ++size)
    (void)python_names(ByteView(nested).first(size));  // whatever it says: within bounds
  for (std::size_t at = 0; at < nested.size(); ++at) {
    Bytes changed = nested;
    changed[at] ^= std::byte{0xff};
    (void)python_names(changed);
  }
}

}  // namespace
}  // namespace cloister::measure::source
