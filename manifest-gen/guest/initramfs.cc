#include "manifest-gen/guest/initramfs.h"

#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <set>

#include "base/inflate.h"
#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/guest/cpio.h"
#include "manifest-gen/guest/cpio_tree.h"

namespace cloister::manifest {
namespace {

constexpr std::uint32_t kConsoleMajor = 5, kConsoleMinor = 1;  // Documentation/admin-guide/devices

std::string in_root(const std::string& path) {
  return path.empty() ? std::string(kGuestRootPath) : cat(kGuestRootPath, "/", path);
}

class InitramfsWriter {
 public:
  InitramfsWriter(const InitramfsInput& input, const ByteSink& out)
      : input_(input), archive_(out) {}

  Status run() {
    // What can say that something is missing comes first.
    CL_CHECK(file(std::string(kInitPath), S_IFREG | 0755, guest_init()));
    for (const char* directory : {"dev", "proc", "sys", "cloister"}) CL_CHECK(entry(directory));
    CL_CHECK(console());
    CL_CHECK(file(std::string(kGuestDocumentPath), S_IFREG | 0444,
                  as_bytes(encode_guest_document(input_.document))));
    CL_CHECK(entry(std::string(kGuestModulesPath)));
    for (const KernelModule& module : input_.modules)
      CL_CHECK(
          file(cat(kGuestModulesPath, "/", module.name, ".ko"), S_IFREG | 0444, module.content));
    if (input_.document.disk)
      CL_CHECK(entry(std::string(kGuestRootPath)));
    else
      CL_CHECK(write_cpio_tree(input_.document.tree, kGuestRootPath, input_.contents,
                               input_.created, archive_));
    return archive_.finish();
  }

 private:
  CpioEntry make(std::string path, std::uint32_t mode) const {
    CpioEntry out;
    out.path = std::move(path);
    out.mode = mode;
    out.mtime = cpio_time(input_.created);
    return out;
  }

  Status entry(std::string path) { return archive_.begin(make(std::move(path), S_IFDIR | 0755)); }

  Status console() {
    CpioEntry out = make("dev/console", S_IFCHR | 0600);
    out.device_major = kConsoleMajor;
    out.device_minor = kConsoleMinor;
    return archive_.begin(out);
  }

  Status file(std::string path, std::uint32_t mode, ByteView content) {
    CpioEntry out = make(std::move(path), mode);
    out.size = static_cast<std::uint32_t>(content.size());
    CL_CHECK(archive_.begin(out));
    return archive_.content(content);
  }

  const InitramfsInput& input_;
  CpioWriter archive_;
};

// --- Reading back
// ---------------------------------------------------------------------------------

constexpr std::string_view kOtherKind = "has another kind, mode or owner";

Error unexpected(const CpioEntry& entry, std::string_view what) {
  return Error::corrupt(
      cat("the initramfs is not what its document says: ", quote(entry.path), " ", what));
}

class InitramfsChecker {
 public:
  InitramfsChecker(Source& in, const Limits& limits) : archive_(in, limits), limits_(limits) {}

  Result<CheckedInitramfs> run() {
    CpioEntry entry;
    for (;;) {
      CL_TRY(const bool more, archive_.next(entry));
      if (!more) break;
      CL_CHECK(take(entry));
    }
    if (!has_init_ || !has_document_)
      return Error::corrupt("an initramfs has no first process, or no guest document");
    if (modules_ != out_.document.modules.size())
      return Error::corrupt("an initramfs lacks kernel modules that its document names");
    if (!out_.document.disk && next_ != out_.document.tree.end())
      return Error::corrupt(cat("an initramfs lacks ", quote("/" + next_->first),
                                ", which its document lists, and what stands behind it"));
    return std::move(out_);
  }

 private:
  Status take(const CpioEntry& entry) {
    if (entry.path == kInitPath) {
      if (has_init_) return unexpected(entry, "comes twice");
      if (!is_roots(entry, S_IFREG | 0755)) return unexpected(entry, kOtherKind);
      has_init_ = true;
      CL_TRY(out_.init, archive_.digest());
      return {};
    }
    if (entry.path == kGuestDocumentPath) return take_document(entry);
    if (!is_within(entry.path, kGuestRootPath) && !is_within(entry.path, kGuestModulesPath))
      return is_frame(entry) ? Status() : unexpected(entry, "does not belong there");
    if (!has_document_) return unexpected(entry, "stands before the document");
    if (entry.path == kGuestModulesPath || (out_.document.disk && entry.path == kGuestRootPath))
      return is_roots(entry, S_IFDIR | 0755) ? Status() : unexpected(entry, kOtherKind);
    if (is_within(entry.path, kGuestModulesPath)) return take_module(entry);
    return take_root(entry);
  }

  // A link in place of what others lie in, or of the first process, would lead the kernel
  // elsewhere.
  static bool is_roots(const CpioEntry& entry, std::uint32_t mode) {
    return entry.mode == mode && entry.uid == 0 && entry.gid == 0;
  }

  static bool is_frame(const CpioEntry& entry) {
    if (entry.path == "dev/console")
      return is_roots(entry, S_IFCHR | 0600) && entry.device_major == kConsoleMajor &&
             entry.device_minor == kConsoleMinor;
    return is_roots(entry, S_IFDIR | 0755) && (entry.path == "dev" || entry.path == "proc" ||
                                               entry.path == "sys" || entry.path == "cloister");
  }

  Status take_document(const CpioEntry& entry) {
    if (has_document_) return unexpected(entry, "comes twice");
    if (!is_roots(entry, S_IFREG | 0444)) return unexpected(entry, kOtherKind);
    if (entry.size > limits_.guest_document_bytes)
      return Error::limit("the guest document in an initramfs is too large");
    CL_TRY(out_.document_text, archive_.text());
    CL_TRY(out_.document, parse_guest_document(out_.document_text, limits_));
    has_document_ = true;
    next_ = out_.document.tree.begin();
    return {};
  }

  // In the order in which they are loaded.
  Status take_module(const CpioEntry& entry) {
    const auto& names = out_.document.modules;
    if (modules_ == names.size() || entry.path != cat(kGuestModulesPath, "/", names[modules_]))
      return unexpected(entry, "is no module that the document names there");
    if (!is_roots(entry, S_IFREG | 0444)) return unexpected(entry, kOtherKind);
    ++modules_;
    return {};
  }

  // In the order of the list, in which every directory stands before what is in it: the kernel
  // leaves out what it has no directory for.
  Status take_root(const CpioEntry& entry) {
    if (out_.document.disk || next_ == out_.document.tree.end() ||
        entry.path != in_root(next_->first))
      return unexpected(entry, "is not what is listed there");
    const GuestEntry& want = (next_++)->second;
    if (entry.mode != (type_bits(want.type) | want.mode)) return unexpected(entry, kOtherKind);
    if (entry.uid != want.uid || entry.gid != want.gid)
      return unexpected(entry, "has another owner");
    if (want.type == GuestEntry::Type::symlink) {
      if (entry.size > kMaxCpioName) return unexpected(entry, "leads elsewhere");
      CL_TRY(const std::string target, archive_.text());
      return target == want.link_target ? Status() : unexpected(entry, "leads elsewhere");
    }
    if (want.type == GuestEntry::Type::directory)
      return entry.size == 0 ? Status() : unexpected(entry, "is a directory with content");
    if (entry.size != want.size) return unexpected(entry, "has another size");
    CL_TRY(const Digest digest, archive_.digest());
    return digest == want.sha256 ? Status() : unexpected(entry, "has another content");
  }

  CpioReader archive_;
  const Limits& limits_;
  CheckedInitramfs out_;
  GuestTree::const_iterator next_;  // of the document: what must come next
  std::size_t modules_ = 0;
  bool has_init_ = false, has_document_ = false;
};

}  // namespace

Status write_initramfs(const InitramfsInput& input, const ByteSink& out) {
  return InitramfsWriter(input, out).run();
}

Result<CheckedInitramfs> check_initramfs(Source& compressed, std::uint64_t size,
                                         const Limits& limits) {
  const auto archive = make_inflater(Compression::zstd, compressed);
  LimitSource limited(*archive, std::max(most_inflated(size, limits), limits.layer_ratio_free),
                      "an initramfs");
  return InitramfsChecker(limited, limits).run();
}

}  // namespace cloister::manifest
