// What is written is what a check finds, and a check finds every change.
#include "manifest-gen/guest/initramfs.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/inflate.h"
#include "base/text.h"
#include "tests/base/must.h"
#include "tests/manifest-gen/guest/cpio_items.h"
#include "tests/manifest-gen/guest/guest_documents.h"
#include "tests/manifest-gen/guest/guest_maker.h"

namespace cloister::manifest {
namespace {

using test::cpio_item;
using test::CpioItem;

struct Made {
  GuestDocument document = test::small_document();
  std::vector<KernelModule> modules = {{"virtio", to_bytes(std::string_view("first"))},
                                       {"virtio_net", to_bytes(std::string_view("second"))}};
  test::GuestMaker maker;

  Made() {
    maker.tree = document.tree;
    GuestEntry& app = maker.tree["usr/bin/app"];
    app.offset = must(maker.contents.append(as_bytes(std::string_view("x"))));
    maker.file("usr/large", test::varied(600'000));
    maker.file("usr/none", "");
    document.tree = maker.tree;
  }

  std::string archive() const {
    std::string out;
    const InitramfsInput input{document, modules, maker.contents, maker.mtime};
    const auto append = [&](ByteView piece) -> Status {
      out += as_text(piece);
      return {};
    };
    const Status done = write_initramfs(input, append);
    EXPECT_TRUE(done.has_value()) << done.error().what();
    return out;
  }
};

Bytes packed(std::string_view archive) {
  Bytes out;
  ZstdWriter zstd([&](ByteView piece) -> Status {
    out.insert(out.end(), piece.begin(), piece.end());
    return {};
  });
  EXPECT_TRUE(zstd.write(as_bytes(archive)).has_value());
  EXPECT_TRUE(zstd.finish().has_value());
  return out;
}

Result<CheckedInitramfs> check(ByteView compressed) {
  MemorySource source(compressed);
  return check_initramfs(source, compressed.size(), Limits());
}

std::vector<CpioItem> unpacked(std::string_view archive) {
  return must(test::read_cpio(archive));
}

Result<CheckedInitramfs> check(const std::vector<CpioItem>& items) {
  CL_TRY(const std::string archive, test::write_cpio(items));
  return check(packed(archive));
}

Code initramfs_refusal(const std::vector<CpioItem>& items) {
  const auto checked = check(items);
  return checked.has_value() ? Code::internal : checked.error().code();
}

std::size_t index_of(const std::vector<CpioItem>& items, std::string_view path) {
  for (std::size_t i = 0; i < items.size(); ++i)
    if (items[i].entry.path == path) return i;
  ADD_FAILURE() << path;
  return 0;
}

// Nothing before the document is left to chance, nothing behind it goes unlisted.
TEST(Initramfs, HoldsThisInThisOrder) {
  std::string names;
  for (const CpioItem& one : unpacked(Made().archive())) {
    char mode[16];
    std::snprintf(mode, sizeof mode, "%06o", one.entry.mode);
    names += cat(one.entry.path, " ", mode, " ", one.entry.uid, ":", one.entry.gid, " ",
                 one.content.size() > 100 ? "…" : one.content, "\n");
    EXPECT_EQ(one.entry.mtime, 1700000000U);
  }
  EXPECT_EQ(names,
            "init 100755 0:0 …\n"
            "dev 040755 0:0 \n"
            "proc 040755 0:0 \n"
            "sys 040755 0:0 \n"
            "cloister 040755 0:0 \n"
            "dev/console 020600 0:0 \n"
            "cloister/guest.conf 100444 0:0 …\n"
            "cloister/modules 040755 0:0 \n"
            "cloister/modules/virtio.ko 100444 0:0 first\n"
            "cloister/modules/virtio_net.ko 100444 0:0 second\n"
            "cloister/root 040755 0:0 \n"
            "cloister/root/bin 120777 0:0 usr/bin\n"
            "cloister/root/tmp 041777 0:0 \n"
            "cloister/root/usr 040755 0:0 \n"
            "cloister/root/usr/bin 040755 0:0 \n"
            "cloister/root/usr/bin/app 104755 3:4 x\n"
            "cloister/root/usr/large 100644 0:0 …\n"
            "cloister/root/usr/none 100644 0:0 \n");
}

TEST(Initramfs, IsWhatACheckFinds) {
  const Made made;
  const Bytes compressed = packed(made.archive());
  const CheckedInitramfs checked = must(check(compressed));
  EXPECT_EQ(checked.document_text, encode_guest_document(made.document));
  EXPECT_EQ(encode_guest_document(checked.document), checked.document_text);
  EXPECT_EQ(checked.init, sha256(guest_init()));
  EXPECT_EQ(check(unpacked(made.archive()))->init, checked.init);
  EXPECT_EQ(packed(made.archive()), compressed);  // the same bytes again
}

TEST(Initramfs, TheFirstProcessIsAStaticProgram) {
  const ByteView init = guest_init();
  ASSERT_GT(init.size(), 4096U);
  EXPECT_EQ(as_text(init.first(4)), "\177ELF");
  EXPECT_EQ(as_text(init).find("ld-musl"), std::string_view::npos);
}

TEST(Initramfs, ADiskHoldsTheRootInstead) {
  Made made;
  made.document.disk = DiskLine{"/dev/vda", 10, 11};
  std::vector<CpioItem> items = unpacked(made.archive());
  EXPECT_EQ(items.back().entry.path, kGuestRootPath);
  EXPECT_TRUE(check(items).has_value());
  items.push_back(cpio_item("cloister/root/usr", S_IFDIR | 0755));
  EXPECT_EQ(initramfs_refusal(items), Code::corrupt);
  items.pop_back();
  items.back() = cpio_item("cloister/root", S_IFLNK | 0777, "/");
  EXPECT_EQ(initramfs_refusal(items), Code::corrupt);
}

TEST(Initramfs, NoEntryCanBeTakenAwayOrComeTwice) {
  const std::vector<CpioItem> whole = unpacked(Made().archive());
  ASSERT_TRUE(check(whole).has_value());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const std::string& path = whole[i].entry.path;
    SCOPED_TRACE(path);
    const bool frame = path.starts_with("dev") || path == "proc" || path == "sys" ||
                       path == "cloister" || path == "cloister/modules";
    auto without = whole, twice = whole, last = whole;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), whole[i]);
    last.push_back(whole[i]);
    // What the frame lacks, the kernel has no place for: the guest refuses by itself.
    if (frame) continue;
    EXPECT_EQ(initramfs_refusal(without), Code::corrupt);
    EXPECT_EQ(initramfs_refusal(twice), Code::corrupt);
    EXPECT_EQ(initramfs_refusal(last), Code::corrupt);
  }
}

TEST(Initramfs, EveryEntryIsAsItMustBe) {
  const std::vector<CpioItem> whole = unpacked(Made().archive());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    SCOPED_TRACE(whole[i].entry.path);
    const auto refused = [&](const auto& change) {
      std::vector<CpioItem> items = whole;
      change(items[i]);
      return initramfs_refusal(items);
    };
    EXPECT_EQ(refused([](CpioItem& one) { one.entry.mode ^= 01; }), Code::corrupt);
    EXPECT_EQ(refused([](CpioItem& one) {
                one.entry.mode |= S_ISUID;
                one.entry.mode ^= S_ISGID;
              }),
              Code::corrupt);
    EXPECT_EQ(refused([](CpioItem& one) { one.entry.uid += 1; }), Code::corrupt);
    EXPECT_EQ(refused([](CpioItem& one) { one.entry.gid += 1; }), Code::corrupt);
    EXPECT_EQ(refused([](CpioItem& one) {
                one.entry.mode = S_IFLNK | 0777;
                one.content = "/elsewhere";
              }),
              Code::corrupt);
    EXPECT_EQ(refused([](CpioItem& one) { one.entry.path += "x"; }), Code::corrupt);
  }
}

TEST(Initramfs, EveryByteOfTheRootCounts) {
  const std::vector<CpioItem> whole = unpacked(Made().archive());
  for (const char* path : {"cloister/root/usr/bin/app", "cloister/root/usr/large",
                           "cloister/root/bin", "cloister/guest.conf"}) {
    SCOPED_TRACE(path);
    const std::size_t at = index_of(whole, path);
    for (const std::size_t byte : {std::size_t{0}, whole[at].content.size() - 1}) {
      std::vector<CpioItem> items = whole;
      items[at].content[byte] ^= 1;
      EXPECT_EQ(initramfs_refusal(items), Code::corrupt);
    }
    std::vector<CpioItem> items = whole;
    items[at].content += 'x';
    EXPECT_EQ(initramfs_refusal(items), Code::corrupt);
    items[at].content.resize(whole[at].content.size() - 1);
    EXPECT_EQ(initramfs_refusal(items), Code::corrupt);
  }
  std::vector<CpioItem> items = whole;
  items[index_of(whole, "cloister/root/usr")].content = "x";
  EXPECT_EQ(initramfs_refusal(items), Code::corrupt);
}

// Another first process is a value for who compares it, not an error.
TEST(Initramfs, SaysWhichFirstProcessItIs) {
  std::vector<CpioItem> items = unpacked(Made().archive());
  items[0].content = "#!/bin/sh";
  EXPECT_EQ(must(check(items)).init, sha256("#!/bin/sh"));
}

TEST(Initramfs, NothingElseIsInIt) {
  const std::vector<CpioItem> whole = unpacked(Made().archive());
  const std::size_t behind_document = index_of(whole, kGuestDocumentPath) + 1;
  for (const CpioItem& more :
       {cpio_item("x", S_IFREG | 0644), cpio_item("init2", S_IFREG | 0755),
        cpio_item("dev/null", S_IFCHR | 0666), cpio_item("dev/mem", S_IFCHR | 0600),
        cpio_item("cloister/x", S_IFREG | 0444), cpio_item("cloister/rooted", S_IFDIR | 0755),
        cpio_item("etc", S_IFDIR | 0755), cpio_item(".", S_IFDIR | 0755),
        cpio_item("lib", S_IFLNK | 0777, "/cloister/root/lib"),
        cpio_item("cloister/modules/evil.ko", S_IFREG | 0444, "evil"),
        cpio_item("cloister/root/usr/bin/evil", S_IFREG | 0755, "evil"),
        cpio_item("cloister/root/new", S_IFDIR | 0755),
        cpio_item("cloister/root/dev", S_IFCHR | 0600)}) {
    SCOPED_TRACE(more.entry.path);
    for (const std::size_t at : {std::size_t{0}, behind_document, whole.size()}) {
      std::vector<CpioItem> items = whole;
      items.insert(items.begin() + static_cast<std::ptrdiff_t>(at), more);
      EXPECT_EQ(initramfs_refusal(items), Code::corrupt) << at;
    }
  }
}

TEST(Initramfs, OrderIsThatOfTheDocument) {
  const std::vector<CpioItem> whole = unpacked(Made().archive());
  const std::size_t first = index_of(whole, kGuestDocumentPath);
  for (std::size_t i = first; i + 1 < whole.size(); ++i) {
    SCOPED_TRACE(whole[i].entry.path);
    std::vector<CpioItem> items = whole;
    std::swap(items[i], items[i + 1]);
    // The modules and the root have nothing to do with each other.
    if (whole[i].entry.path == kGuestModulesPath || whole[i + 1].entry.path == kGuestRootPath)
      continue;
    EXPECT_EQ(initramfs_refusal(items), Code::corrupt);
  }
}

TEST(Initramfs, ModulesAreThoseThatAreNamed) {
  Made made;
  made.document.modules = {"virtio.ko"};
  EXPECT_EQ(initramfs_refusal(unpacked(made.archive())), Code::corrupt);
  made.document.modules = {"virtio.ko", "virtio_net.ko", "virtio_blk.ko"};
  EXPECT_EQ(initramfs_refusal(unpacked(made.archive())), Code::corrupt);
  made.document.modules = {"virtio_net.ko", "virtio.ko"};
  EXPECT_EQ(initramfs_refusal(unpacked(made.archive())), Code::corrupt);
}

// The first process is measured by its name: it must not be written a second time, through a link
// that the archive made before.
TEST(Initramfs, NothingIsUnpackedThroughALink) {
  Made made;
  GuestEntry& link = made.document.tree["a"];
  link.type = GuestEntry::Type::symlink;
  link.mode = 0777;
  link.link_target = "/";
  GuestEntry& init = made.document.tree["a/init"];
  init = made.document.tree["usr/none"];
  init.mode = 0755;
  EXPECT_EQ(initramfs_refusal(unpacked(made.archive())), Code::corrupt);

  made = Made();
  made.document.modules = {"init"};
  std::vector<CpioItem> items = unpacked(Made().archive());
  items[index_of(items, kGuestDocumentPath)].content = encode_guest_document(made.document);
  items.erase(items.begin() +
              static_cast<std::ptrdiff_t>(index_of(items, "cloister/modules/virtio_net.ko")));
  items[index_of(items, "cloister/modules/virtio.ko")] =
      cpio_item("cloister/modules/init", S_IFREG | 0444, "evil");
  ASSERT_TRUE(check(items).has_value());
  items[index_of(items, kGuestModulesPath)] =
      cpio_item(std::string(kGuestModulesPath), S_IFLNK | 0777, "/");
  EXPECT_EQ(initramfs_refusal(items), Code::corrupt);
}

TEST(Initramfs, IsOneArchiveInOneStream) {
  const std::string archive = Made().archive();
  const Bytes whole = packed(archive);
  const auto refused = [](Bytes bytes) {
    const auto checked = check(bytes);
    return checked.has_value() ? Code::internal : checked.error().code();
  };
  const auto behind = [&](ByteView more) {
    Bytes out = whole;
    out.insert(out.end(), more.begin(), more.end());
    return out;
  };
  EXPECT_EQ(refused(behind(whole)), Code::corrupt);
  EXPECT_EQ(refused(behind(as_bytes(archive))), Code::corrupt);
  EXPECT_EQ(refused(behind(as_bytes(std::string_view("x")))), Code::corrupt);
  EXPECT_EQ(refused(Bytes(whole.begin(), whole.end() - 1)), Code::corrupt);
  EXPECT_EQ(refused({}), Code::corrupt);
  EXPECT_EQ(refused(to_bytes(archive)), Code::corrupt);  // not compressed
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 97 + 1) {
    Bytes changed = whole;
    changed[at] ^= std::byte{0x10};
    EXPECT_NE(refused(std::move(changed)), Code::internal) << at;
  }
}

TEST(Initramfs, InflatesToABound) {
  const Bytes bomb = packed(std::string(4 << 20, '\0'));
  MemorySource source(bomb);
  Limits limits;
  limits.layer_ratio_free = 1 << 20;
  limits.layer_ratio = 2;
  EXPECT_FALSE(check_initramfs(source, bomb.size(), limits).has_value());
  Made made;
  made.maker.file("usr/zeros", std::string(4 << 20, '\0'));
  made.document.tree = made.maker.tree;
  const Bytes compressed = packed(made.archive());
  MemorySource again(compressed);
  limits.layer_ratio = 1;
  EXPECT_EQ(check_initramfs(again, compressed.size(), limits).error().code(), Code::limit);
}

TEST(Initramfs, WhatTheKernelWouldLeaveOutIsNotWritten) {
  const auto refusal = [](const Made& made) {
    const InitramfsInput input{made.document, made.modules, made.maker.contents, made.maker.mtime};
    const Status done = write_initramfs(input, [](ByteView) -> Status { return {}; });
    return done.has_value() ? Code::internal : done.error().code();
  };
  Made made;
  made.document.tree["bin"].link_target = std::string(4096, 't');
  EXPECT_EQ(refusal(made), Code::unsupported);
  made = Made();
  made.document.tree[std::string(4095, 'n')] = {};
  EXPECT_EQ(refusal(made), Code::unsupported);
  made = Made();
  made.document.tree["usr/large"].size = 1ULL << 32;
  EXPECT_EQ(refusal(made), Code::unsupported);
}

TEST(Initramfs, TimesThatItCannotHoldAreTheNearest) {
  Made made;
  made.maker.mtime = Seconds(std::chrono::seconds(-5));
  EXPECT_EQ(unpacked(made.archive()).front().entry.mtime, 0U);
  made.maker.mtime = Seconds(std::chrono::seconds(1LL << 40));
  EXPECT_EQ(unpacked(made.archive()).front().entry.mtime, 0xffffffffU);
}

TEST(ZstdWriter, IsReadByTheInflaterWhateverThePieces) {
  const std::string text = test::varied(300'000) + std::string(300'000, 'z');
  Bytes first;
  for (const std::size_t step : {std::size_t{1000}, std::size_t{131'072}, text.size()}) {
    Bytes out;
    ZstdWriter zstd([&](ByteView piece) -> Status {
      out.insert(out.end(), piece.begin(), piece.end());
      return {};
    });
    for (std::size_t at = 0; at < text.size(); at += step)
      ASSERT_TRUE(zstd.write(as_bytes(std::string_view(text).substr(at, step))).has_value());
    ASSERT_TRUE(zstd.finish().has_value());
    EXPECT_EQ(detect_compression(out), Compression::zstd);
    MemorySource source(out);
    const auto inflater = make_inflater(Compression::zstd, source);
    EXPECT_EQ(as_text(must(read_all(*inflater, 1 << 20, "it"))), text);
  }
}

TEST(ZstdWriter, PassesErrorsOfItsSinkOn) {
  ZstdWriter zstd([](ByteView) -> Status { return Error::io("no room"); });
  const std::string text = test::varied(1 << 20);
  Status done = zstd.write(as_bytes(text));
  if (done.has_value()) done = zstd.finish();
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code(), Code::io);
}

}  // namespace
}  // namespace cloister::manifest
