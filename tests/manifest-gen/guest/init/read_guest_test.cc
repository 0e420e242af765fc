// The first process's reader of guest documents: what is written is what it reads, and it starts
// nothing by any other text.
#include <gtest/gtest.h>

#include <climits>

#include "tests/manifest-gen/guest/guest_documents.h"
#include "tests/manifest-gen/guest/init/same_guest.h"

extern "C" {
#include "manifest-gen/guest/init/document.h"
}

namespace cloister {
namespace {

class ReadGuest : public testing::Test {
 protected:
  ~ReadGuest() override { forget_guests(); }
  // Empty when it is read.
  static std::string refusal_of(std::string_view text) {
    struct guest out {};
    return test::read_guest_text(text, &out) ? "" : refusal();
  }
  static std::string with(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }
  const std::string text_ = manifest::encode_guest_document(test::small_document());
};

TEST_F(ReadGuest, ReadsWhatIsWritten) {
  test::RandomDocuments random(19700101);
  for (int i = 0; i < 500; ++i) {
    const manifest::GuestDocument document = random.next();
    const std::string text = manifest::encode_guest_document(document);
    SCOPED_TRACE(text);
    struct guest read {};
    ASSERT_TRUE(test::read_guest_text(text, &read)) << refusal();
    EXPECT_TRUE(test::same_guest(read, document));
    forget_guests();
  }
}

TEST_F(ReadGuest, EveryTruncationIsRefused) {
  ASSERT_EQ(refusal_of(text_), "");
  for (std::size_t size = 0; size < text_.size(); ++size)
    EXPECT_NE(refusal_of(std::string_view(text_).substr(0, size)), "") << size;
}

TEST_F(ReadGuest, MalformedLinesAreRefused) {
  const std::pair<const char*, const char*> changes[] = {
      {"cloister-guest 1", "cloister-guest 2"},
      {"cloister-guest 1", "cloister-guest"},
      {"cloister-guest 1", "cloister-guest 1 1"},
      {"stop 3", "stop"},
      {"stop 3", "stop 3 4"},
      {"stop 3", "stop 65"},
      {"stop 3", "stop x"},
      {"stop 3", "stop "},
      {"stop 3", "stop 3\n"},
      {"stop 3", "stop 3\nunknown 1"},
      {"program /usr/bin/app", "program"},
      {"program /usr/bin/app", "program /usr/bin/app x"},
      {"workdir /", "workdir"},
      {"hostname guest", "hostname a b"},
      {"network dhcp", "network"},
      {"earliest 1700000000", "earliest -1"},
      {"earliest 1700000000", "earliest 9223372036854775808"},
      {"earliest 1700000000", "earliest 1 2"},
      {"user 100 101", "user 100"},
      {"user 100 101", "user 4294967295 0"},
      {"user 100 101", "user 0 4294967295"},
      {"group 7", "group 7 8"},
      {"group 7", "group"},
      {"argv *:80", "argv"},
      {"argv *:80", "argv a b"},
      {"argv *:80", "argv \\"},
      {"argv *:80", "argv \\04"},
      {"argv *:80", "argv \\048"},
      {"argv *:80", "argv \\000"},
      {"argv *:80", "argv \\400"},
      {"module virtio.ko", "module"},
      {"writable /tmp 1777 0 0", "writable /tmp 1777 0"},
      {"writable /tmp 1777 0 0", "writable /tmp 10000 0 0"},
      {"writable /tmp 1777 0 0", "writable /tmp 8 0 0"},
      {"directory /tmp 1777 0 0", "directory /tmp 1777 0 0 0"},
      {"directory /tmp 1777 0 0", "directory"},
      {"link /bin usr/bin", "link /bin"},
      {"link /bin usr/bin", "link /bin a b c d e f g h i"},
      {"file /usr/bin/app 4755", "file /usr/bin/app x"},
      {"end 6", "end 5"},
      {"end 6", "end 7"},
      {"end 6", "end"},
      {"end 6", "end 6 6"},
      {"end 6\n", "end 6\nargv x\n"},
      {"end 6\n", "end 6\nend 6\n"},
  };
  for (const auto& [from, to] : changes) EXPECT_NE(refusal_of(with(text_, from, to)), "") << to;
  EXPECT_EQ(refusal_of(with(text_, "network dhcp", "network none")), "");
  EXPECT_NE(refusal_of(text_ + '\0'), "");
  EXPECT_NE(refusal_of(with(text_, "argv *:80", std::string("argv a\0b", 8))), "");
}

TEST_F(ReadGuest, AProgramIsNeeded) {
  EXPECT_EQ(refusal_of("cloister-guest 1\nprogram /p\nargv p\nend 0\n"), "");
  EXPECT_NE(refusal_of("cloister-guest 1\nargv p\nend 0\n"), "");
  EXPECT_NE(refusal_of("cloister-guest 1\nprogram /p\nend 0\n"), "");
  EXPECT_NE(refusal_of("cloister-guest 1\nprogram /p\nargv p\n"), "");
  EXPECT_NE(refusal_of(""), "");
}

TEST_F(ReadGuest, AFileMustBeThere) {
  struct guest out {};
  EXPECT_FALSE(read_guest_or_refuse("/proc/self/fd/no-such", &out));
}

TEST(ParseNumber, TakesAllOfTheTextWithinABound) {
  const auto parsed = [](const char* text, unsigned base, unsigned long long max) {
    unsigned long long out = 77;
    return parse_number(text, base, max, &out) ? std::optional(out) : std::nullopt;
  };
  EXPECT_EQ(parsed("0", 10, 0), 0U);
  EXPECT_EQ(parsed("1777", 8, 07777), 01777U);
  EXPECT_EQ(parsed("18446744073709551615", 10, ULLONG_MAX), ULLONG_MAX);
  EXPECT_EQ(parsed("1777777777777777777777", 8, ULLONG_MAX), ULLONG_MAX);
  EXPECT_EQ(parsed("64", 10, 64), 64U);
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "0x1", "a", ":", "/", "1.", "\xff"})
    EXPECT_EQ(parsed(text, 10, 100), std::nullopt) << text;
  for (const char* text : {"8", "9", "18", "10000"})
    EXPECT_EQ(parsed(text, 8, 07777), std::nullopt) << text;
  for (const char* text : {"18446744073709551616", "184467440737095516150", "99999999999999999999"})
    EXPECT_EQ(parsed(text, 10, ULLONG_MAX), std::nullopt) << text;
  for (const char* text : {"1", "5", "9", "10", "65"})
    EXPECT_EQ(parsed(text, 10, 0), std::nullopt) << text;
  EXPECT_EQ(parsed("65", 10, 64), std::nullopt);
  EXPECT_EQ(parsed("640", 10, 64), std::nullopt);
  EXPECT_EQ(parsed("2", 10, 1), std::nullopt);
  EXPECT_EQ(parsed("90", 10, 1), std::nullopt);
}

TEST(NextLine, SplitsAtSingleSpaces) {
  char text[] = "a\nb  c\nd e\\040f\\134\nbroken";
  char* at = text;
  struct line line {};
  bool bad = false;
  ASSERT_TRUE(next_line(&at, &line, &bad));
  EXPECT_STREQ(line.key, "a");
  EXPECT_EQ(line.count, 0U);
  ASSERT_TRUE(next_line(&at, &line, &bad));
  ASSERT_EQ(line.count, 2U);
  EXPECT_STREQ(line.fields[0], "");
  EXPECT_STREQ(line.fields[1], "c");
  ASSERT_TRUE(next_line(&at, &line, &bad));
  ASSERT_EQ(line.count, 1U);
  EXPECT_STREQ(line.fields[0], "e f\\");
  EXPECT_FALSE(bad);
  EXPECT_FALSE(next_line(&at, &line, &bad));
  EXPECT_TRUE(bad);
}

TEST(NextLine, FieldsAreBounded) {
  const auto bad = [](std::string text) {
    char* at = text.data();
    struct line line {};
    bool out = false;
    next_line(&at, &line, &out);
    return out;
  };
  EXPECT_FALSE(bad("k 1 2 3 4 5 6 7 8\n"));
  EXPECT_TRUE(bad("k 1 2 3 4 5 6 7 8 9\n"));
  EXPECT_FALSE(bad(""));
}

}  // namespace
}  // namespace cloister
