#include "measure/nitro/eif_section.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "measure/nitro/eif.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"

namespace cloister::measure::nitro {
namespace {

TEST(EifSectionTest, IsWhatWasMeasured) {
  const Bytes file = must(read_file(source_dir() / "testdata/nitro-eif/signed.eif", 1 << 20));
  MemorySource whole(file);
  const Eif eif = must(read_eif(whole, {}, "signed.eif"));
  for (const EifSection& section : eif.sections) {
    MemorySource again(file);
    EifSectionSource content(again, section.extent);
    const Bytes bytes = must(read_all(content, 1 << 20, "section"));
    EXPECT_EQ(bytes.size(), section.extent.size);
    EXPECT_EQ(sha256(bytes), section.sha256);
  }
}

TEST(EifSectionTest, EndsWithAnErrorWhereTheFileDoes) {
  const Bytes file(100);
  for (const EifExtent extent : {EifExtent{50, 39}, EifExtent{95, 0}, EifExtent{200, 1}}) {
    MemorySource source(file);
    EifSectionSource content(source, extent);
    EXPECT_EQ(read_all(content, 1 << 20, "section").error().code(), Code::corrupt) << extent.offset;
  }
  MemorySource source(file);
  EifSectionSource content(source, {50, 38});
  EXPECT_EQ(must(read_all(content, 1 << 20, "section")).size(), 38U);
}

}  // namespace
}  // namespace cloister::measure::nitro
