#include <gtest/gtest.h>

#include "base/http/url.h"

namespace cloister::http {
namespace {

std::string reparsed(std::string_view text) {
  const auto url = parse_url(text);
  return url ? url->str() : "refused";
}

TEST(Url, KeepsOrdinaryUrls) {
  EXPECT_EQ(reparsed("https://example.com/v2/"), "https://example.com/v2/");
  EXPECT_EQ(reparsed("http://localhost:5000/a?b=c&d=%2F"), "http://localhost:5000/a?b=c&d=%2F");
  EXPECT_EQ(reparsed("https://[2001:db8::1]:8443/x"), "https://[2001:db8::1]:8443/x");
}

TEST(Url, IsMadeCanonical) {
  EXPECT_EQ(reparsed("HTTPS://EXAMPLE.com"), "https://example.com/");
  EXPECT_EQ(reparsed("https://example.com:443/x"), "https://example.com/x");
  EXPECT_EQ(reparsed("http://example.com:080/x"), "http://example.com/x");
  EXPECT_EQ(reparsed("http://example.com:/x"), "http://example.com/x");
  EXPECT_EQ(reparsed("http://example.com?x#frag"), "http://example.com/?x");
  EXPECT_EQ(parse_url("https://a/")->origin(), parse_url("https://A:443/b")->origin());
  EXPECT_NE(parse_url("https://a/")->origin(), parse_url("http://a/")->origin());
  EXPECT_NE(parse_url("https://a/")->origin(), parse_url("https://a:444/")->origin());
}

TEST(Url, RefusesWhatTwoParsersCouldReadDifferently) {
  for (const char* text : {"",
                           "example.com",
                           "//example.com/",
                           "ftp://example.com/",
                           "file:///etc/passwd",
                           "http://",
                           "http:///path",
                           "http://user@example.com/",
                           "http://user:pw@example.com/",
                           "http://a.example\\@b.example/",
                           "http://exa mple.com/",
                           "http://example.com/a b",
                           "http://example.com/\r\nX: y",
                           "http://example.com:99999/",
                           "http://example.com:0/",
                           "http://example.com:-1/",
                           "http://example.com:80a/",
                           "http://[::1/",
                           "http://[zz]/",
                           "http://[::1]x/",
                           "http://::1/",
                           "http://ex%61mple.com/",
                           "http://example.com\t/",
                           "http://-x/",
                           "http://.x/",
                           "http://[fe80::1%25eth0]/"})
    EXPECT_EQ(reparsed(text), "refused") << text;
  EXPECT_EQ(reparsed("http://a/" + std::string(kMaxUrl, 'x')), "refused");
  EXPECT_EQ(reparsed(std::string("http://a/\0b", 11)), "refused");
}

// RFC 3986 §5.4.1, the examples that apply to http.
TEST(Url, ResolvesReferences) {
  const Url base = *parse_url("http://a/b/c/d;p?q");
  const std::pair<const char*, const char*> cases[] = {
      {"g", "http://a/b/c/g"},     {"./g", "http://a/b/c/g"},    {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},        {"//g", "http://g/"},         {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"}, {"#s", "http://a/b/c/d;p?q"}, {"g#s", "http://a/b/c/g"},
      {";x", "http://a/b/c/;x"},   {"", "http://a/b/c/d;p?q"},   {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},     {"..", "http://a/b/"},        {"../g", "http://a/b/g"},
      {"../..", "http://a/"},      {"../../../g", "http://a/g"}, {"/./g", "http://a/g"},
      {"g..", "http://a/b/c/g.."}, {"./../g", "http://a/b/g"},   {"https://x/y", "https://x/y"},
  };
  for (const auto& [reference, want] : cases) {
    const auto got = resolve_url(base, reference);
    ASSERT_TRUE(got) << reference;
    EXPECT_EQ(got->str(), want) << reference;
  }
}

TEST(Url, ResolvesOnlyToHttp) {
  const Url base = *parse_url("http://a/b");
  for (const char* text : {"file:///etc/passwd", "ftp://x/", "//user@x/", "javascript:alert(1)",
                           "a b", "\n", "http:", "mailto:x"})
    EXPECT_FALSE(resolve_url(base, text)) << text;
}

TEST(Url, LoopbackHasFewNames) {
  for (const char* host : {"localhost", "127.0.0.1", "127.255.0.9", "[::1]"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const char* host :
       {"localhost.example.com", "x.localhost", "127.0.0.1.nip.io", "127.0.0.256", "127.1",
        "10.0.0.1", "128.0.0.1", "2130706433", "[::]", "0.0.0.0", "127.0.0.", ""})
    EXPECT_FALSE(is_loopback(host)) << host;
}

TEST(Url, EncodesAllButTheUnreserved) {
  EXPECT_EQ(url_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(url_encode("sha256:a/b c&d=\xff"), "sha256%3Aa%2Fb%20c%26d%3D%FF");
}

}  // namespace
}  // namespace cloister::http
