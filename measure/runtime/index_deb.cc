// deb(5): an ar archive with "debian-binary" ("2.0\n"), "control.tar*" (name and version) and
// "data.tar*" (the files), in this order; members beginning with "_" may stand between them. The
// tars are plain or compressed with gzip, xz or zstd. The data is indexed by the same code as an
// image layer; a package signature, if any, is not looked at: the user named this file.
//
// What the content pack of the index does not hold is read from the package again.
#include "base/file.h"
#include "base/inflate.h"
#include "base/text.h"
#include "measure/rootfs/layer_content.h"
#include "measure/runtime/archive_members.h"
#include "measure/runtime/deb.h"
#include "measure/runtime/runtime.h"
#include "oci/archive/tar_reader.h"

namespace cloister::measure {
namespace {

constexpr std::uint64_t kControlTarBytes = 64ULL << 20;  // maintainer scripts and check sums too
constexpr std::uint64_t kControlBytes = 1ULL << 20;
constexpr std::uint64_t kFormatBytes = 64;
constexpr std::size_t kMaxMembers = 64;

struct Control {
  std::string package, version;
};

// A member "NAME.tar[.gz|.xz|.zst]" with its decompressor.
class TarMember {
 public:
  static Result<std::unique_ptr<TarMember>> open(Source& inner, std::string_view member,
                                                 const std::string& what) {
    auto out = std::make_unique<TarMember>();
    const std::string_view suffix = member.substr(member.find(".tar") + 4);
    if (suffix.empty()) {
      out->source_ = make_inflater(Compression::none, inner);
    } else if (suffix == ".gz") {
      out->source_ = make_inflater(Compression::gzip, inner);
    } else if (suffix == ".zst") {
      out->source_ = make_inflater(Compression::zstd, inner);
    } else if (suffix == ".xz") {
      CL_TRY(out->source_, make_xz_source(inner, cat(member, " of ", what)));
    } else {
      return Error::unsupported(cat(what, " has ", quote(member), ", a compression not known here"))
          .detail("known are .gz, .xz, .zst and none");
    }
    return out;
  }
  Source& source() { return *source_; }

 private:
  std::unique_ptr<Source> source_;
};

class Package {
 public:
  Package(Source& inner, std::string what) : inner_(inner), what_(std::move(what)) {}

  // Reads up to data.tar and gives its tar stream; `control` is filled when it is not null.
  Result<Source*> open_data(Control* control, const Limits& limits) {
    CL_TRY(reader_, open_ar(inner_, what_));
    CL_CHECK(check_format());
    for (std::size_t i = 0; i < kMaxMembers; ++i) {
      CL_TRY(const std::string member, reader_->next());
      if (member.empty()) break;
      if (member.starts_with("control.tar")) {
        if (control == nullptr) continue;
        CL_TRY(auto tar, TarMember::open(reader_->content(), member, what_));
        CL_TRY(*control, read_control(tar->source(), limits));
      } else if (member.starts_with("data.tar")) {
        CL_TRY(data_, TarMember::open(reader_->content(), member, what_));
        return &data_->source();
      }
    }
    return Error::corrupt(cat(what_, " has no data.tar"));
  }

 private:
  Status check_format() {
    CL_TRY(const std::string first, reader_->next());
    if (first != "debian-binary")
      return Error::corrupt(cat(what_, " is no Debian package: its first member is ",
                                first.empty() ? "missing" : quote(first)))
          .detail("want 'debian-binary'");
    CL_TRY(const Bytes format, read_all(reader_->content(), kFormatBytes, what_));
    if (!as_text(format).starts_with("2."))
      return Error::unsupported(cat(what_, " has package format ", quote(trim(as_text(format)))))
          .detail("want '2.0'");
    return {};
  }

  Result<Control> read_control(Source& inflated, const Limits& limits) const {
    LimitSource tar(inflated, kControlTarBytes, cat("control.tar of ", what_));
    CL_TRY(const auto reader, oci::open_tar(tar, limits));
    while (true) {
      CL_TRY(const oci::TarEntry* entry, reader->next());
      if (entry == nullptr) return Error::corrupt(cat(what_, " has no control file"));
      if (normalize_path(entry->path) != "/control") continue;
      if (entry->size > kControlBytes)
        return Error::limit(cat("the control file of ", what_, " has ", entry->size, " bytes"));
      std::string text;
      CL_CHECK(reader->content([&](ByteView piece) -> Status {
        text += as_text(piece);
        return {};
      }));
      return parse_control(text);
    }
  }

  Result<Control> parse_control(std::string_view text) const {
    Control out;
    for (const std::string_view line : split(text, '\n')) {
      if (line.starts_with("Package:") && out.package.empty()) out.package = trim(line.substr(8));
      if (line.starts_with("Version:") && out.version.empty()) out.version = trim(line.substr(8));
    }
    // The name becomes a path (Debian policy 5.6.1).
    const bool plain = !out.package.empty() && out.package.size() <= 200 &&
                       out.package.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") ==
                           std::string::npos &&
                       out.package.front() != '.';
    if (!plain || out.version.empty())
      return Error::corrupt(
          cat("the control file of ", what_, " does not name package and version"));
    return out;
  }

  Source& inner_;
  std::string what_;
  std::unique_ptr<ArReader> reader_;
  std::unique_ptr<TarMember> data_;
};

// The data.tar of a package, with all that stands between it and the package's bytes.
class DataSource final : public Source {
 public:
  static Result<std::unique_ptr<Source>> open(const OpenPackage& open_package,
                                              const std::string& name, const Limits& limits) {
    CL_TRY(auto file, open_package());
    auto out = std::make_unique<DataSource>(std::move(file), name);
    CL_TRY(out->data_, out->package_.open_data(nullptr, limits));
    return std::unique_ptr<Source>(std::move(out));
  }
  DataSource(std::unique_ptr<Source> file, const std::string& name)
      : file_(std::move(file)), package_(*file_, name) {}
  Result<std::size_t> read(std::span<std::byte> out) override { return data_->read(out); }

 private:
  std::unique_ptr<Source> file_;
  Package package_;
  Source* data_ = nullptr;
};

void add_status(LayerIndex& index, const Control& control) {
  Bytes text = to_bytes(cat("Package: ", control.package, "\nVersion: ", control.version, "\n"));
  Entry entry;
  entry.path = cat("var/lib/dpkg/status.d/", control.package);
  entry.mode = 0644;
  entry.size = text.size();
  entry.sha256 = sha256(text);
  index.pack.emplace(entry.sha256, std::move(text));
  index.entries.push_back(std::move(entry));
}

}  // namespace

Result<IndexedLayer> index_package(OpenPackage open, std::string name, const Limits& limits) {
  CL_TRY(const auto file, open());
  LimitSource bounded(*file, limits.blob_bytes, name);
  Sha256 hasher;
  HashSource hashed(bounded, hasher);
  Control control;
  LayerIndex index;
  {
    Package package(hashed, name);
    CL_TRY(Source * data, package.open_data(&control, limits));
    CL_TRY(index, index_layer(*data, Compression::none, std::nullopt, limits, CancelToken()));
  }
  if (control.package.empty()) return Error::corrupt(cat(name, " has no control.tar"));
  CL_CHECK(drain(hashed));
  index.blob = hasher.finish();
  add_status(index, control);
  IndexedLayer out;
  out.index = std::make_shared<const LayerIndex>(std::move(index));
  out.content = make_tar_content([open = std::move(open), name = std::move(name),
                                  limits] { return DataSource::open(open, name, limits); },
                                 Compression::none, limits);
  return out;
}

Result<IndexedLayer> index_deb(const std::string& file, const Limits& limits) {
  const OpenPackage open = [file]() -> Result<std::unique_ptr<Source>> {
    CL_TRY(auto source, FileSource::open(file));
    return std::unique_ptr<Source>(std::move(source));
  };
  return index_package(open, quote(file), limits);
}

}  // namespace cloister::measure
