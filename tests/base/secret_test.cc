#include "base/secret.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/base/must.h"

namespace cloister {
namespace {

// Gives its text one byte at a time, or fails at its end.
class Dripping final : public Source {
 public:
  explicit Dripping(std::string text, bool fails = false) : text_(std::move(text)), fails_(fails) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    if (at_ == text_.size() && fails_) return Error::io("gone");
    if (at_ == text_.size() || out.empty()) return std::size_t{0};
    out[0] = static_cast<std::byte>(text_[at_++]);
    return std::size_t{1};
  }

 private:
  std::string text_;
  bool fails_;
  std::size_t at_ = 0;
};

TEST(Secret, MovesWithoutLeavingACopy) {
  Secret first("short");
  const std::byte* where = first.bytes().data();
  const Secret second = std::move(first);
  EXPECT_EQ(second.bytes().data(), where);
  EXPECT_EQ(second.text(), "short");
  EXPECT_TRUE(first.empty());  // NOLINT: what is left is the claim
}

TEST(Secret, IsWipedInPlace) {
  std::string text = "a passphrase that does not fit into the object itself";
  const std::size_t size = text.size();
  wipe(text);
  EXPECT_EQ(text, std::string(size, '\0'));
  Bytes bytes = to_bytes("key");
  wipe(bytes);
  EXPECT_EQ(bytes, Bytes(3));
}

TEST(Secret, KeepsTheFirstLine) {
  for (const char* text : {"line", "line\n", "line\r\n", "line\nmore\n"}) {
    Secret secret{std::string_view(text)};
    secret.keep_first_line();
    EXPECT_EQ(secret.text(), "line") << text;
  }
  Secret empty;
  empty.keep_first_line();
  EXPECT_TRUE(empty.empty());
}

TEST(Secret, IsReadToItsEndWithinALimit) {
  const std::string text(100000, 'x');  // grows several times
  Dripping source(text);
  EXPECT_EQ(must(read_secret(source, text.size(), "'s'")).text(), text);
  Dripping large(text);
  EXPECT_EQ(read_secret(large, text.size() - 1, "'s'").error().code(), Code::limit);
  Dripping broken("abc", /*fails=*/true);
  EXPECT_EQ(read_secret(broken, 10, "'s'").error().code(), Code::io);
}

}  // namespace
}  // namespace cloister
