#include "sign/pkcs11/uri.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/base/must.h"

namespace cloister::sign {
namespace {

TEST(Pkcs11Uri, KeepsThePathAndTakesTheQuery) {
  const Pkcs11Uri uri = must(parse_pkcs11_uri(
      "pkcs11:token=my%20hsm;object=sgx;type=private?pin-value=12%3634&module-path=/a%20b.so"));
  EXPECT_EQ(uri.object, "pkcs11:token=my%20hsm;object=sgx;type=private");
  EXPECT_TRUE(uri.has_type);
  ASSERT_TRUE(uri.pin.has_value());
  EXPECT_EQ(uri.pin->text(), "12634");
  EXPECT_EQ(uri.module_path, "/a b.so");
  EXPECT_EQ(uri.pin_file, "");
}

// RFC 7512, section 2.3: a pin-source is a URI or a path.
TEST(Pkcs11Uri, TakesThePinFromAFile) {
  for (const char* form : {"file:/etc/pin", "file:///etc/pin", "/etc/pin", "file:%2Fetc%2Fpin"}) {
    const Pkcs11Uri uri = must(parse_pkcs11_uri(cat("pkcs11:id=%01?pin-source=", form)));
    EXPECT_EQ(uri.pin_file, "/etc/pin") << form;
    EXPECT_FALSE(uri.pin.has_value());
    EXPECT_FALSE(uri.has_type);
  }
}

TEST(Pkcs11Uri, PassesOverWhatVendorsAdd) {
  EXPECT_TRUE(parse_pkcs11_uri("pkcs11:object=k;x-vendor=1?x-thing=2&pin-value=1").has_value());
}

TEST(Pkcs11Uri, RefusesWhatIsMalformedAndShowsNoPin) {
  for (const char* text : {"pkcs11",
                           "pkcs11:",
                           "pkcs11:?pin-value=4711",
                           "pkcs11:4711",
                           "pkcs11:=4711",
                           "pkcs11:object=k;",
                           "pkcs11:object=k;object=k",
                           "pkcs11:object=k?",
                           "pkcs11:object=k?pin-value",
                           "pkcs11:object=k?pin-value=4711&pin-value=4711",
                           "pkcs11:object=k?pin-value=4711&pin-source=/p",
                           "pkcs11:object=k?pin-value=4711%",
                           "pkcs11:object=k?pin-value=4711%4",
                           "pkcs11:object=k?pin-value=4711%zz",
                           "pkcs11:object=k?pin-value=4711%00",
                           "pkcs11:object=k?pin-source=|cat%204711",
                           "pkcs11:object=k?pin-source=",
                           "pkcs11:object=k?module-name=x",
                           "pkcs11:object=k?unheard=4711",
                           "pkcs11:pin-value=4711",
                           "pkcs11:object=a b",
                           "pkcs11:object=\xc3\xa9",
                           "file:object=k"}) {
    const auto uri = parse_pkcs11_uri(text);
    ASSERT_FALSE(uri.has_value()) << text;
    EXPECT_EQ(uri.error().code(), Code::usage) << text;
    EXPECT_FALSE(uri.error().hint().empty()) << text;
    std::string said = uri.error().what();
    for (const std::string& line : uri.error().details()) said += line;
    EXPECT_EQ(said.find("4711"), std::string::npos) << said;
  }
  EXPECT_FALSE(parse_pkcs11_uri(cat("pkcs11:object=", std::string(5000, 'k'))).has_value());
}

}  // namespace
}  // namespace cloister::sign
