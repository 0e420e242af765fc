// One text for one document, and no document in any other text.
#include "manifest-gen/guest/guest_document.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/base/must.h"
#include "tests/manifest-gen/guest/guest_documents.h"

namespace cloister::manifest {
namespace {

bool same_plan(GuestPlan a, const GuestPlan& b) {
  if (a.writable.size() != b.writable.size()) return false;
  for (std::size_t i = 0; i < a.writable.size(); ++i) {
    const GuestPlace &x = a.writable[i], &y = b.writable[i];
    if (x.path != y.path || x.mode != y.mode || x.uid != y.uid || x.gid != y.gid) return false;
  }
  return a.program == b.program && a.argv == b.argv && a.env == b.env && a.uid == b.uid &&
         a.gid == b.gid && a.groups == b.groups && a.workdir == b.workdir &&
         a.hostname == b.hostname && a.stop_signal == b.stop_signal && a.network == b.network &&
         a.ports == b.ports && a.earliest == b.earliest;
}

void expect_round_trip(const GuestDocument& document) {
  const std::string text = encode_guest_document(document);
  SCOPED_TRACE(text);
  const auto read = parse_guest_document(text, Limits());
  ASSERT_TRUE(read.has_value()) << read.error().what();
  EXPECT_TRUE(same_plan(read->plan, document.plan));
  EXPECT_EQ(read->kernel, document.kernel);
  EXPECT_EQ(read->modules, document.modules);
  EXPECT_EQ(read->disk, document.disk);
  EXPECT_EQ(read->tree, document.tree);
  EXPECT_EQ(encode_guest_document(*read), text);
}

// Replaces the one place where `from` stands.
std::string with(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(text.find(from, at + 1), std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

Code document_refusal(const std::string& text) {
  const auto read = parse_guest_document(text, Limits());
  return read.has_value() ? Code::internal : read.error().code();
}

TEST(GuestDocument, HasThisForm) {
  GuestDocument document = test::small_document();
  document.disk = DiskLine{"/dev/vda", 10, 11};
  document.tree["usr/bin/a b\\c\n\x7f\xff"] = {};
  EXPECT_EQ(encode_guest_document(document),
            "cloister-guest 1\n"
            "kernel 6.1.0-56-cloud-amd64\n"
            "program /usr/bin/app\n"
            "argv app\n"
            "argv --listen\n"
            "argv *:80\n"
            "env PATH=/usr/bin\n"
            "env EMPTY=\n"
            "user 100 101\n"
            "group 7\n"
            "group 8\n"
            "workdir /\n"
            "hostname guest\n"
            "stop 3\n"
            "earliest 1700000000\n"
            "network dhcp\n"
            "port 80/tcp\n"
            "module virtio.ko\n"
            "module virtio_net.ko\n"
            "disk /dev/vda 10 11\n"
            "writable /tmp 1777 0 0\n"
            "directory / 755 0 0\n"
            "link /bin usr/bin\n"
            "directory /tmp 1777 0 0\n"
            "directory /usr 755 0 0\n"
            "directory /usr/bin 755 0 0\n"
            "directory /usr/bin/a\\040b\\134c\\012\\177\xff 755 0 0\n"
            "file /usr/bin/app 4755 3 4 1 "
            "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\n"
            "end 7\n");
  expect_round_trip(document);
}

TEST(GuestDocument, AnyDocumentComesBack) {
  test::RandomDocuments random(20240229);
  for (int i = 0; i < 500; ++i) expect_round_trip(random.next());
}

TEST(GuestDocument, HostileWordsStayWords) {
  GuestDocument document = test::small_document();
  document.plan.argv = {"", " ", "\n", "a\nuser 0 0\n", "\\", "\\040", "\t\r\v\f", "ü\xc3\x28\xff"};
  document.plan.env = {{"A", "=\n"}, {"", "="}, {" ", "\\"}};
  document.plan.hostname = "\nend 0\n";
  document.tree["\nlink bin usr\\"] = {};
  expect_round_trip(document);
}

TEST(GuestDocument, EveryTruncationIsRefused) {
  GuestDocument document = test::small_document();
  document.disk = DiskLine{"/dev/vda", 10, 11};
  const std::string text = encode_guest_document(document);
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_EQ(document_refusal(text.substr(0, size)), Code::corrupt) << size;
  for (const char* more : {"\n", " ", "end 6\n", "argv x\n", "cloister-guest 1\n"})
    EXPECT_EQ(document_refusal(text + more), Code::corrupt) << more;
}

// A line that is missing, twice or elsewhere is written otherwise than the document it stands for.
TEST(GuestDocument, EveryLineHasItsPlace) {
  GuestDocument document = test::small_document();
  document.disk = DiskLine{"/dev/vda", 10, 11};
  std::vector<std::string_view> lines;
  const std::string text = encode_guest_document(document);
  lines = split(text, '\n');
  lines.pop_back();
  const auto joined = [](const std::vector<std::string_view>& all) {
    return join(all, "\n") + "\n";
  };
  ASSERT_EQ(joined(lines), text);
  const auto may_repeat = [](std::string_view line) {
    for (const char* key : {"argv ", "env ", "group ", "port ", "module ", "writable "})
      if (line.starts_with(key)) return true;
    return false;
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    SCOPED_TRACE(lines[i]);
    auto without = lines, twice = lines, swapped = lines;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
    if (!may_repeat(lines[i])) {
      // A root in memory has no disk, and a document without a machine no kernel.
      if (!lines[i].starts_with("disk ") && !lines[i].starts_with("kernel ")) {
        EXPECT_EQ(document_refusal(joined(without)), Code::corrupt);
      }
      EXPECT_EQ(document_refusal(joined(twice)), Code::corrupt);
    }
    if (i + 1 == lines.size()) continue;
    std::swap(swapped[i], swapped[i + 1]);
    const bool one_kind = may_repeat(lines[i]) &&
                          lines[i + 1].starts_with(lines[i].substr(0, lines[i].find(' ') + 1));
    if (!one_kind) {
      EXPECT_EQ(document_refusal(joined(swapped)), Code::corrupt);
    }
  }
}

TEST(GuestDocument, MalformedLinesAreRefused) {
  const std::string text = encode_guest_document(test::small_document());
  const std::pair<const char*, const char*> changes[] = {
      {"cloister-guest 1\n", "cloister-guest 2\n"},
      {"cloister-guest 1\n", "cloister-guest 1 \n"},
      {"cloister-guest 1\n", "\ncloister-guest 1\n"},
      {"stop 3\n", "stop 3\r\n"},
      {"stop 3\n", "stop 3\n\n"},
      {"stop 3\n", "stop 3\nunknown 1\n"},
      {"stop 3\n", "stop 3\n# comment\n"},
      {"stop 3", "stop  3"},
      {"stop 3", "stop 3 "},
      {"stop 3", "stop 03"},
      {"stop 3", "stop +3"},
      {"stop 3", "stop -3"},
      {"stop 3", "stop 0x3"},
      {"stop 3", "stop "},
      {"stop 3", "stop"},
      {"stop 3", "stop 3 4"},
      {"stop 3", "stop 65"},
      {"stop 3", "stop 4294967299"},
      {"earliest 1700000000", "earliest -1"},
      {"earliest 1700000000", "earliest 9223372036854775808"},
      {"user 100 101", "user 100"},
      {"user 100 101", "user 100 101 102"},
      {"user 100 101", "user 4294967296 0"},
      {"user 100 101", "user 4294967295 0"},  // -1: chown(2) would change nothing
      {"user 100 101", "user 0 4294967295"},
      {"user 100 101", "user app 0"},
      {"group 7", "group 4294967295"},
      {"network dhcp", "network on"},
      {"network dhcp", "network DHCP"},
      {"network dhcp", "network"},
      {"env EMPTY=", "env EMPTY"},
      {"program /usr/bin/app", "program "},
      {"program /usr/bin/app", "program /usr/bin/app x"},
      {"argv *:80", "argv a b"},
      {"argv *:80", "argv a\tb"},
      {"argv *:80", "argv a\x7f"},
      {"argv *:80", "argv \\"},
      {"argv *:80", "argv \\04"},
      {"argv *:80", "argv \\048"},
      {"argv *:80", "argv \\101"},  // an 'A' needs no escape
      {"argv *:80", "argv \\000"},
      {"argv *:80", "argv \\777"},
      {"argv *:80", "argv \\-40"},
      {"argv *:80", "argv \\x20"},
      {"writable /tmp 1777 0 0", "writable /tmp 1777 0"},
      {"writable /tmp 1777 0 0", "writable /tmp 10000 0 0"},
      {"writable /tmp 1777 0 0", "writable /tmp 1778 0 0"},
      {"directory /tmp 1777 0 0", "directory /tmp 01777 0 0"},
      {"directory /tmp 1777 0 0", "directory /tmp 1777 0 0 0"},
      {"directory /tmp 1777 0 0", "directory tmp 1777 0 0"},
      {"directory /tmp 1777 0 0", "directory /tmp/ 1777 0 0"},
      {"directory /tmp 1777 0 0", "directory //tmp 1777 0 0"},
      {"link /bin usr/bin", "link /bin"},
      {"link /bin usr/bin", "link /bin usr bin"},
      {"link /bin usr/bin", "directory /bin usr/bin"},
      {"file /usr/bin/app 4755 3 4 1 2d71", "file /usr/bin/app 4755 3 4 1 2D71"},
      {"file /usr/bin/app 4755 3 4 1 2d71", "file /usr/bin/app 4755 3 4 1 d71"},
      {"file /usr/bin/app 4755 3 4 1 2d71", "file /usr/bin/app 4755 3 4 9223372036854775808 2d71"},
      {"end 6", "end 5"},
      {"end 6", "end 7"},
      {"end 6", "end 06"},
      {"end 6", "end"},
      {"end 6", "end 6 6"},
  };
  for (const auto& [from, to] : changes)
    EXPECT_EQ(document_refusal(with(text, from, to)), Code::corrupt) << to;
  EXPECT_EQ(document_refusal(with(text, "argv *:80", std::string("argv a\0b", 8))), Code::corrupt);
}

TEST(GuestDocument, WithoutAProgramIsNone) {
  GuestDocument document = test::small_document();
  document.plan.argv.clear();
  EXPECT_EQ(document_refusal(encode_guest_document(document)), Code::corrupt);
  document = test::small_document();
  document.plan.program.clear();
  EXPECT_EQ(document_refusal(encode_guest_document(document)), Code::corrupt);
  document = test::small_document();
  document.plan.argv[0] = std::string("a\0b", 3);
  EXPECT_EQ(document_refusal(encode_guest_document(document)), Code::corrupt);
}

// An initramfs is unpacked by names, through whatever links it has made before.
TEST(GuestDocument, NamesLeadNowhereElse) {
  const auto refused = [](const std::string& path) {
    GuestDocument document = test::small_document();
    document.tree[path] = {};
    return document_refusal(encode_guest_document(document));
  };
  for (const char* path : {"..", "../x", "usr/..", "usr/../x", ".", "usr/.", "usr/./x", "/x",
                           "usr//x", "usr/", "bin/x", "usr/bin/app/x", "gone/x"})
    EXPECT_EQ(refused(path), Code::corrupt) << path;
  for (const char* path : {"...", "usr/..x", "usr/x.", ".x", "bin-x", "bin "})
    EXPECT_EQ(refused(path), Code::internal) << path;

  GuestDocument document = test::small_document();
  document.tree[""] = document.tree["bin"];  // all of the root goes where this leads
  EXPECT_EQ(document_refusal(encode_guest_document(document)), Code::corrupt);
  document.tree.erase("");
  EXPECT_EQ(document_refusal(encode_guest_document(document)), Code::corrupt);
}

TEST(GuestDocument, IsBounded) {
  const std::string text = encode_guest_document(test::small_document());
  Limits limits;
  limits.guest_document_bytes = text.size();
  EXPECT_TRUE(parse_guest_document(text, limits).has_value());
  limits.guest_document_bytes = text.size() - 1;
  EXPECT_EQ(parse_guest_document(text, limits).error().code(), Code::limit);
  limits = Limits();
  limits.layer_entries = 6;
  EXPECT_TRUE(parse_guest_document(text, limits).has_value());
  limits.layer_entries = 5;
  EXPECT_EQ(parse_guest_document(text, limits).error().code(), Code::limit);
}

}  // namespace
}  // namespace cloister::manifest
