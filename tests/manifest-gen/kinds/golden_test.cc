// One small image for each kind of program, and the whole manifest that is written for it, with its
// reasons: NAME.image and NAME.manifest in testdata/kinds. What a change does to manifests is seen
// in the diff of these files; CLOISTER_WRITE_GOLDENS=1 writes them again.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/gramine/generate.h"
#include "manifest-gen/packages/package_index.h"
#include "tests/base/source_dir.h"
#include "tests/manifest-gen/support/image_text.h"

namespace cloister::manifest {
namespace {

namespace fs = std::filesystem;

fs::path folder() {
  return source_dir() / "testdata/kinds";
}

struct Written {
  std::string kind, text;
};

// As `cloister manifest` and `cloister audit` do it, without an option.
Result<Written> manifest_of(test::ImageText image) {
  const Limits limits;
  const measure::Rootfs rootfs = image.tree.build();
  const measure::Runtime runtime = test::glibc_runtime();
  const PackageIndex packages = PackageIndex::read(rootfs, limits);
  CL_TRY(const Launch launch, resolve_launch(image.config, rootfs, {}));
  CL_TRY(const Kind kind, choose_kind(launch, rootfs));
  CL_TRY(const Closure closure,
         compute_closure(launch, rootfs, runtime, kind.grants, limits, {.packages = &packages}));
  CL_TRY(const GeneratedManifest generated,
         generate_manifest(launch, closure, kind, {}, rootfs, *runtime.libsysdb));
  Written out{kind.name, annotate(generated)};
  const auto list = [&](std::string_view title, const std::vector<Unresolved>& needs) {
    for (const Unresolved& need : needs)
      out.text += cat("# ", title, ": ", need.name, ", needed by ", need.needed_by, "\n");
  };
  list("unresolved", closure.unresolved);
  list("not there", closure.unresolved_optional);
  for (const Finding& finding : build_findings({.config = image.config,
                                .launch = launch,
                                .closure = closure,
                                .manifest = generated.manifest,
                                .rootfs = rootfs,
                                .packages = packages}))
    out.text += cat("# ", finding.id, " ", severity_name(finding.severity), " ", finding.where,
                    ": ", finding.evidence, "\n");
  return out;
}

// The images, sorted by name.
std::vector<fs::path> images() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder()))
    if (entry.path().extension() == ".image") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

TEST(KindGoldens, ManifestsAreTheWrittenOnes) {
  const bool write = std::getenv("CLOISTER_WRITE_GOLDENS") != nullptr;
  std::set<std::string> seen;
  for (const fs::path& path : images()) {
    SCOPED_TRACE(path.filename());
    const auto text = read_text_file(path, 1U << 20);
    ASSERT_TRUE(text) << text.error().what();
    test::ImageText image = test::read_image_text(*text);
    EXPECT_FALSE(image.summary.empty()) << "its first line says what it is";
    const auto written = manifest_of(std::move(image));
    ASSERT_TRUE(written) << written.error().what();
    seen.insert(written->kind);
    const fs::path golden = fs::path(path).replace_extension(".manifest");
    if (write) std::ofstream(golden, std::ios::binary) << written->text;
    const auto want = read_text_file(golden, 1U << 20);
    ASSERT_TRUE(want) << want.error().what();
    EXPECT_EQ(written->text, *want) << "CLOISTER_WRITE_GOLDENS=1 writes it";
  }
  const auto kinds = load_kinds();
  ASSERT_TRUE(kinds);
  for (const Kind& kind : *kinds)
    EXPECT_TRUE(seen.contains(kind.name)) << "no image in testdata/kinds is of kind " << kind.name;
}

}  // namespace
}  // namespace cloister::manifest
