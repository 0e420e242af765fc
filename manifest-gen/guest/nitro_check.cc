#include "manifest-gen/guest/nitro_check.h"

#include <string>
#include <utility>

#include "base/text.h"
#include "manifest-gen/guest/cpio_tree.h"
#include "manifest-gen/guest/nitro_layout.h"

namespace cloister::manifest {
namespace {

constexpr std::uint32_t kProgramMode = 0755;

GuestTree without_offsets(GuestTree tree) {
  for (auto& [path, entry] : tree) entry.offset = 0;
  return tree;
}

Error not_as_listed(const std::string& path) {
  return Error::corrupt(
      cat("the ramdisks are not what the guest document says: ", quote("/" + path)));
}

// The first name in which they differ is named.
Status want_same(const GuestTree& got, const GuestTree& want) {
  auto a = got.begin(), b = want.begin();
  for (; a != got.end() && b != want.end(); ++a, ++b)
    if (*a != *b) return not_as_listed(std::min(a->first, b->first));
  if (a != got.end()) return not_as_listed(a->first);
  if (b != want.end()) return not_as_listed(b->first);
  return {};
}

Status check_boot(const GuestTree& boot, CheckedEnclave& out) {
  bool has_init = false;
  for (const auto& [path, entry] : boot) {
    GuestEntry want;
    if (path != "dev") {
      want.type = GuestEntry::Type::file;
      want.mode = kProgramMode;
      want.size = entry.size;
      want.sha256 = entry.sha256;
    }
    if (entry != want) return not_as_listed(path);
    if (path == "init") {
      has_init = true;
      out.init = entry.sha256;
    } else if (path == "nsm.ko") {
      out.nsm = entry.sha256;
    } else if (path != "dev") {
      return not_as_listed(path);
    }
  }
  if (!has_init) return Error::corrupt("the first ramdisk has no first process");
  return {};
}

}  // namespace

Result<CheckedEnclave> check_enclave(const std::array<Source*, kNitroRamdisks>& ramdisks,
                                     std::string_view document, const Limits& limits) {
  CheckedEnclave out;
  CL_TRY(out.document, parse_guest_document(document, limits));
  GuestDocument same = out.document;
  same.plan = nitro_plan(std::move(same.plan)).plan;
  if (encode_guest_document(same) != document || out.document.disk || !out.document.modules.empty())
    return Error::corrupt("the guest document says what AWS's first process does not do");
  CL_TRY(FileSpool spool, FileSpool::create());
  CL_TRY(NitroLayout layout, nitro_layout(same.plan, std::move(same.tree), {}, spool));
  CL_TRY(const GuestTree boot, read_cpio_tree(*ramdisks[0], limits));
  CL_CHECK(check_boot(boot, out));
  CL_TRY(const GuestTree root, read_cpio_tree(*ramdisks[1], limits));
  CL_CHECK(want_same(root, layout.root));
  CL_TRY(const GuestTree start, read_cpio_tree(*ramdisks[2], limits));
  CL_CHECK(want_same(start, without_offsets(std::move(layout.start))));
  return out;
}

}  // namespace cloister::manifest
