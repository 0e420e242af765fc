// What proves a quote, read: PCK extensions, TCB info, identities, and the files all of it comes
// in.
#include <gtest/gtest.h>

#include "base/text.h"
#include "sign/quote/intel_collateral.h"
#include "sign/quote/pck.h"
#include "sign/quote/qe_identity.h"
#include "sign/quote/tcb_info.h"
#include "tests/base/must.h"
#include "tests/sign/quote/intel_pki.h"

namespace cloister::sign {
namespace {

const Limits kDefaults;

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(PckExtension, IsReadAsWritten) {
  IntelPki pki;
  for (std::uint8_t i = 0; i < 16; ++i) pki.platform.components[i] = i * 17;
  pki.platform.pcesvn = 0xfedc;
  pki.platform.pceid = {std::byte{1}, std::byte{2}};
  const PckExtension read = must(parse_pck_extension(encode_pck_extension(pki.platform)));
  EXPECT_EQ(read.components, pki.platform.components);
  EXPECT_EQ(read.pcesvn, 0xfedc);
  EXPECT_EQ(read.pceid, pki.platform.pceid);
  EXPECT_EQ(read.fmspc, pki.platform.fmspc);
  EXPECT_EQ(read.ppid, pki.platform.ppid);
  EXPECT_EQ(read.cpusvn, pki.platform.cpusvn);
}

TEST(PckExtension, EveryShorterOneIsCorrupt) {
  const Bytes good = encode_pck_extension(IntelPki().platform);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(parse_pck_extension(ByteView(good).first(size)).error().code(), Code::corrupt);
  Bytes longer = good;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(parse_pck_extension(longer).has_value());
}

// Edits in hex: the tags and identifiers of single parts.
TEST(PckExtension, PartsHaveTheirTypeAndStandOnce) {
  const std::string good = hex(encode_pck_extension(IntelPki().platform));
  const auto accepted = [&](std::string_view from, std::string_view to) {
    return parse_pck_extension(*unhex(replaced(good, from, to))).has_value();
  };
  const std::string oid = "2a864886f84d010d01";
  EXPECT_TRUE(accepted("060b" + oid + "0201020103", "060b" + oid + "0201020109"));
  EXPECT_FALSE(accepted("060b" + oid + "0201020103", "060b" + oid + "0201020183"));  // negative
  EXPECT_FALSE(accepted("060b" + oid + "0201020103", "060b" + oid + "0201040103"));  // octets
  EXPECT_FALSE(accepted("060b" + oid + "0202", "060b" + oid + "0201"));              // twice
  EXPECT_FALSE(accepted("060b" + oid + "0202", "060b" + oid + "0213"));              // unknown
  EXPECT_FALSE(accepted("060a" + oid + "04", "060a" + oid + "03"));
  EXPECT_FALSE(accepted("060a" + oid + "04", "060a" + oid + "06"));  // no FMSPC then
  EXPECT_TRUE(accepted("060a" + oid + "05", "060a" + oid + "06"));   // nobody asks for it
  EXPECT_FALSE(accepted("060a" + oid + "01", "060a2a864886f84d010d0201"));
}

TEST(TcbInfoDocument, IsReadAsWritten) {
  IntelPki pki;
  pki.tdx_info.levels[0].advisories = {"INTEL-SA-1", "INTEL-SA-2"};
  const TcbInfo read = must(parse_tcb_info(encode_tcb_info(pki.tdx_info), kDefaults));
  EXPECT_EQ(encode_tcb_info(read), encode_tcb_info(pki.tdx_info));
  pki.sgx_info.version = 2;
  pki.sgx_info.levels[0].sgx = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255};
  EXPECT_EQ(encode_tcb_info(must(parse_tcb_info(encode_tcb_info(pki.sgx_info), kDefaults))),
            encode_tcb_info(pki.sgx_info));
  EXPECT_EQ(encode_identity(must(parse_qe_identity(encode_identity(pki.sgx_identity), kDefaults))),
            encode_identity(pki.sgx_identity));
}

TEST(TcbInfoDocument, WhatIsOutOfRangeIsCorrupt) {
  const IntelPki pki;
  const std::string good = encode_tcb_info(pki.tdx_info);
  const auto code = [&](std::string_view from, std::string_view to) -> std::optional<Code> {
    const auto parsed = parse_tcb_info(replaced(good, from, to), kDefaults);
    return parsed.has_value() ? std::nullopt : std::optional(parsed.error().code());
  };
  EXPECT_EQ(code("\"tcbType\":0", "\"tcbType\": 0"), std::nullopt);
  EXPECT_EQ(code("\"version\":3", "\"version\":4"), Code::unsupported);
  EXPECT_EQ(code("\"tcbType\":0", "\"tcbType\":1"), Code::unsupported);
  EXPECT_EQ(code("\"id\":\"TDX\"", "\"id\":\"SEV\""), Code::unsupported);
  EXPECT_EQ(code("UpToDate", "Fine"), Code::unsupported);
  const std::vector<std::pair<std::string_view, std::string_view>> edits = {
      {"\"version\":3", "\"version\":\"3\""},
      {"\"version\":3", "\"version\":3.0"},
      {"\"version\":3,", ""},
      {"\"fmspc\":\"00", "\"fmspc\":\""},
      {"\"fmspc\":\"00", "\"fmspc\":\"0x"},
      {"\"pceId\":\"0000\"", "\"pceId\":0"},
      {"\"svn\":2", "\"svn\":256"},
      {"\"svn\":2", "\"svn\":-1"},
      {"{\"svn\":2},", ""},
      {"\"pcesvn\":11", "\"pcesvn\":65536"},
      {"\"pcesvn\":11", "\"pcesvn\":null"},
      {"\"tcbEvaluationDataNumber\":17", "\"tcbEvaluationDataNumber\":4294967296"},
      {"\"issueDate\":\"2025-06-19T", "\"issueDate\":\"2025-06-31T"},
      {"\"nextUpdate\":", "\"nextupdate\":"},
      {"\"tcbType\":0", "\"tcbType\":0,\"tcbType\":0"},
      {"\"tdxtcbcomponents\"", "\"sgxtcbcomponents2\""},
      {"TDX_03", "TDX_01"},
      {"TDX_03", "TDX_3"},
      {"\"tdxModule\"", "\"tdxmodule\""},
      {"\"isvsvn\":4", "\"isvsvn\":2"},
      {"\"advisoryIDs\":[]", "\"advisoryIDs\":[1]"},
      {"\"tcbLevels\":[{\"tcb\":{\"sgx", "\"tcbLevels\":[],\"x\":[{\"tcb\":{\"sgx"},
  };
  for (const auto& edit : edits)
    EXPECT_EQ(code(edit.first, edit.second), Code::corrupt) << edit.second;
  TcbInfo twice = pki.sgx_info;
  twice.levels.push_back(twice.levels.front());
  EXPECT_EQ(parse_tcb_info(encode_tcb_info(twice), kDefaults).error().code(), Code::corrupt);
  Limits one;
  one.tcb_levels = 1;
  EXPECT_EQ(parse_tcb_info(good, one).error().code(), Code::limit);
}

TEST(SignedReply, IsCutOutAsItStands) {
  const std::string signature(128, 'a');
  const auto body = [&](std::string_view reply) -> std::string {
    const auto split = split_signed_reply(reply, "tcbInfo", kDefaults);
    return split.has_value() ? split->body : split.error().what();
  };
  const std::string tail = cat(",\"signature\":\"", signature, "\"}");
  EXPECT_EQ(body(R"({"tcbInfo":{"a": 1})" + tail), R"({"a": 1})");
  EXPECT_EQ(body(R"( { "tcbInfo" : { "a}": "{\"]}" } )" + tail), R"({ "a}": "{\"]}" })");
  EXPECT_EQ(body(cat(R"({"signature":")", signature, R"(","tcbInfo":{"tcbInfo":{"b":[{}]}}})")),
            R"({"tcbInfo":{"b":[{}]}})");
  // Where the name stands as a value, or deeper, it is not the member.
  EXPECT_EQ(body(R"({"x":"tcbInfo","y":{"tcbInfo":{"no":0}},"tcbInfo":{"yes":1})" + tail),
            R"({"yes":1})");
  EXPECT_TRUE(body(R"({"tcb\u0049nfo":{"a":1})" + tail).ends_with("has no proper 'tcbInfo'"));
  EXPECT_TRUE(body(R"({"tcbInfo":[{"a":1}])" + tail).ends_with("has no proper 'tcbInfo'"));
  EXPECT_TRUE(body(R"({"tcbInfo":{},"tcb\u0049nfo":{})" + tail).find("repeats") !=
              std::string::npos);
  EXPECT_TRUE(body(R"({"tcbInfo":{"a":1}})").ends_with("has no proper 'signature'"));
  EXPECT_EQ(body(R"({"tcbInfo":{"a":1},"signature":"aa"})"),
            "a signature that is not 128 hex digits");
}

std::string url_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-')
      out += c;
    else
      out += cat("%", hex(std::as_bytes(std::span(&c, 1))));
  }
  return out;
}

std::string pem_chain(const std::vector<Bytes>& chain) {
  std::string out;
  for (const Bytes& one : chain) out += pem_certificate(one);
  return out;
}

// How many certificates, lists, TCB infos and identities there are.
std::string counts(const IntelCollateral& c) {
  return cat(c.certificates.size(), " ", c.revocation_lists.size(), " ", c.tcb_infos.size(), " ",
             c.identities.size());
}

std::string read(const std::vector<std::string>& files) {
  IntelCollateral out;
  for (const std::string& file : files)
    if (!must(add_collateral(out, as_bytes(file), kDefaults))) return "not recognised";
  return counts(out);
}

TEST(Collateral, IsRecognisedByItsContents) {
  const IntelPki pki;
  const std::string chain = pem_chain(pki.tcb_chain());
  const std::string crl(as_text(pki.root_crl()));
  const std::string certificate(as_text(pki.tcb_chain().front()));
  EXPECT_EQ(read({chain}), "2 0 0 0");
  EXPECT_EQ(read({chain, chain}), "2 0 0 0");  // each once
  EXPECT_EQ(read({url_encoded(chain)}), "2 0 0 0");
  EXPECT_EQ(read({certificate}), "1 0 0 0");
  EXPECT_EQ(read({crl}), "0 1 0 0");
  EXPECT_EQ(read({hex(pki.root_crl()) + "\n"}), "0 1 0 0");
  EXPECT_EQ(read({base64(pki.root_crl())}), "0 1 0 0");
  const std::string pem_crl =
      cat("-----BEGIN X509 CRL-----\n", base64(pki.root_crl()), "\n-----END X509 CRL-----\n");
  EXPECT_EQ(read({pem_crl}), "0 1 0 0");
  EXPECT_EQ(read({chain + pem_crl + pem_crl}), "2 2 0 0");
  EXPECT_EQ(read({pki.tcb_info_reply(TeeKind::tdx)}), "0 0 1 0");
  EXPECT_EQ(read({" \n" + pki.identity_reply(TeeKind::sgx)}), "0 0 0 1");
}

TEST(Collateral, OfRepliesTheHeadsHoldTheChains) {
  const IntelPki pki;
  const std::string field = "TCB-Info-Issuer-Chain: " + url_encoded(pem_chain(pki.tcb_chain()));
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + field + "\r\n";
  EXPECT_EQ(read({head + "\r\n" + pki.tcb_info_reply(TeeKind::sgx)}), "2 0 1 0");
  EXPECT_EQ(read({head}), "2 0 0 0");
  EXPECT_EQ(read({"Content-Type: text/plain\n" + field + "\n"}), "2 0 0 0");
  EXPECT_EQ(read({"HTTP/1.1 100 Continue\r\n\r\n" + head + "\r\n" + hex(pki.root_crl())}),
            "2 1 0 0");
  EXPECT_EQ(read({head + "\r\n" + std::string(as_text(pki.root_crl()))}), "2 1 0 0");
  EXPECT_EQ(read({"HTTP/1.1 404 Not Found\r\n\r\n"}), "not recognised");
  IntelCollateral out;
  ASSERT_TRUE(add_chain_field(out, url_encoded(pem_chain(pki.tcb_chain())), kDefaults).has_value());
  EXPECT_EQ(counts(out), "2 0 0 0");
  EXPECT_EQ(add_chain_field(out, "nothing", kDefaults).error().code(), Code::corrupt);
  EXPECT_EQ(add_chain_field(out, "-----BEGIN%20CERTIFICATE%2", kDefaults).error().code(),
            Code::corrupt);
}

TEST(Collateral, OneFileMayHoldAllOfIt) {
  const IntelPki pki;
  const auto string = [](std::string_view text) {
    std::string out = "\"";
    for (const char c : text) out += c == '\n' ? "\\n" : c == '"' ? "\\\"" : std::string(1, c);
    return out + "\"";
  };
  const std::string info = encode_tcb_info(pki.sgx_info);
  const std::string chains = cat(
      "{\"pck_crl_issuer_chain\":", string(pem_chain(pki.pck_chain(ChainOrder::leaf_first))),
      ",\"root_ca_crl\":\"", hex(pki.root_crl()), "\",\"pck_crl\":\"", hex(pki.pck_crl()), "\"");
  EXPECT_EQ(read({cat(chains, ",\"tcb_info\":", string(info), ",\"tcb_info_signature\":\"",
                      hex(pki.tcb_key.sign(as_bytes(info))), "\",\"unknown\":1}")}),
            "3 2 1 0");
  EXPECT_EQ(read({cat(chains, ",\"tcb_info\":", string(pki.tcb_info_reply(TeeKind::sgx)),
                      ",\"qe_identity\":", string(pki.identity_reply(TeeKind::sgx)), "}")}),
            "3 2 1 1");
  IntelCollateral out;
  EXPECT_EQ(add_collateral(out, as_bytes(R"({"root_ca_crl":"00"})"), kDefaults).error().code(),
            Code::corrupt);
  EXPECT_EQ(add_collateral(out, as_bytes(R"({"tcb_info":"{}"})"), kDefaults).error().code(),
            Code::corrupt);
}

TEST(Collateral, OtherFilesAreNone) {
  const IntelPki pki;
  for (const std::string_view file :
       {"", "# Read me\n", "{}", "{\"name\":\"x\"}", "0400020081", "0"})
    EXPECT_EQ(read({std::string(file)}), "not recognised") << file;
  const Bytes quote = pki.quote({4, test_domain(), CertificationType::ppid_plain});
  EXPECT_EQ(read({std::string(as_text(quote))}), "not recognised");
}

TEST(Collateral, StaysWithinItsLimits) {
  const IntelPki pki;
  Limits limits;
  limits.collateral_files = 2;
  IntelCollateral out;
  const std::string reply = pki.tcb_info_reply(TeeKind::sgx);
  EXPECT_TRUE(must(add_collateral(out, as_bytes(reply), limits)));
  EXPECT_TRUE(must(add_collateral(out, as_bytes(reply), limits)));
  EXPECT_EQ(add_collateral(out, as_bytes(reply), limits).error().code(), Code::limit);
  limits.collateral_bytes = reply.size() - 1;
  EXPECT_EQ(add_collateral(out, as_bytes(reply), limits).error().code(), Code::limit);
}

}  // namespace
}  // namespace cloister::sign
