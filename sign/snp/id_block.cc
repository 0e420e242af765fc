// ID block, by offset: 0 launch digest, 0x30 family id, 0x40 image id, 0x50 version, 0x54 guest
// SVN, 0x58 policy. Its authentication: 0 algorithm of the ID key, 4 of the author's, 0x40
// signature over the ID block, 0x240 ID key, 0x680 the author's signature over that, 0x880 author
// key. A key is the number of its curve, then x and y; a signature r and s. Each of these numbers
// is 72 bytes. All the rest is zero.
#include "sign/snp/id_block.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr std::uint32_t kIdBlockVersion = 1, kEcdsaP384 = 1, kCurveP384 = 2;
constexpr std::size_t kHalf = 48, kPadding = 24;  // bytes of a number, and zeros after it
constexpr std::size_t kSignatureRest = 368, kKeyRest = 880;
constexpr std::size_t kAuthReserved1 = 56, kAuthReserved2 = 60, kAuthReserved3 = 892;

void write_pair(ByteWriter& out, const P384Pair& pair) {
  for (const std::size_t half : {std::size_t{0}, kHalf}) {
    Bytes number(pair.begin() + half, pair.begin() + half + kHalf);
    std::ranges::reverse(number);
    out.bytes(number);
    out.zeros(kPadding);
  }
}

void write_signature(ByteWriter& out, const P384Pair& signature) {
  write_pair(out, signature);
  out.zeros(kSignatureRest);
}

Bytes encode_key(const P384Pair& point) {
  ByteWriter out;
  out.u32(kCurveP384);
  write_pair(out, point);
  out.zeros(kKeyRest);
  return out.take();
}

class IdAuthReader {
 public:
  explicit IdAuthReader(ByteView bytes) : in_(bytes) {}

  Result<SnpIdAuth> run() {
    SnpIdAuth auth;
    if (in_.u32() != kEcdsaP384) bad("algorithm of the ID key");
    auth.author_algorithm = in_.u32();
    zeros("reserved bytes at 8", kAuthReserved1);
    signature("signature of the ID block", auth.signature);
    key("ID key", auth.id_key);
    zeros("reserved bytes at 0x644", kAuthReserved2);
    read_author(auth);
    zeros("reserved bytes at 0xc84", kAuthReserved3);
    CL_CHECK(in_.finish("authentication of an ID block"));
    if (!wrong_.empty())
      return Error::corrupt(cat("not the authentication of an ID block: wrong ", wrong_));
    return auth;
  }

 private:
  void read_author(SnpIdAuth& auth) {
    constexpr std::size_t kSignatureSize = 2 * (kHalf + kPadding) + kSignatureRest;
    const std::uint64_t start = in_.offset();
    const ByteView all = in_.bytes(kSignatureSize + kSnpKeySize);
    const bool none = std::ranges::all_of(all, [](std::byte b) { return b == std::byte{0}; });
    if (auth.author_algorithm > kEcdsaP384 || (auth.author_algorithm == 0 && !none))
      bad("algorithm of the author key");
    if (none) return;
    in_.seek(start);
    auth.author.emplace();
    signature("signature of the ID key", auth.author->signature);
    key("author key", auth.author->key);
  }

  void bad(std::string_view field) {
    if (wrong_.empty()) wrong_ = field;
  }
  void zeros(std::string_view field, std::size_t size) {
    const ByteView got = in_.bytes(size);
    if (std::ranges::any_of(got, [](std::byte b) { return b != std::byte{0}; })) bad(field);
  }
  void pair(std::string_view field, P384Pair& out) {
    for (const std::size_t half : {std::size_t{0}, kHalf}) {
      const ByteView number = in_.bytes(kHalf);
      std::reverse_copy(number.begin(), number.end(), out.begin() + half);
      zeros(field, kPadding);
    }
  }
  void signature(std::string_view field, P384Pair& out) {
    pair(field, out);
    zeros(field, kSignatureRest);
  }
  void key(std::string_view field, P384Pair& out) {
    if (in_.u32() != kCurveP384) bad(field);
    pair(field, out);
    zeros(field, kKeyRest);
  }

  ByteReader in_;
  std::string wrong_;
};

}  // namespace

Digest384 snp_key_digest(const P384Pair& point) {
  return sha384(encode_key(point));
}

Result<SnpIdAuth> sign_snp_id_block(const SnpIdBlock& block, const SnpIdKey& key,
                                    const SnpIdKey* author) {
  SnpIdAuth auth;
  auth.id_key = key.point();
  CL_TRY(auth.signature, key.sign(encode_snp_id_block(block)));
  if (author != nullptr) {
    auth.author.emplace();
    auth.author->key = author->point();
    CL_TRY(auth.author->signature, author->sign(encode_key(auth.id_key)));
  }
  return auth;
}

Status check_snp_id_auth(const SnpIdAuth& auth, const SnpIdBlock& block) {
  if (!verify_p384(auth.id_key, encode_snp_id_block(block), auth.signature))
    return Error::policy("the ID block's signature does not match it")
        .detail(cat("checked with the key inside, of digest ", hex(snp_key_digest(auth.id_key))));
  if (auth.author &&
      !verify_p384(auth.author->key, encode_key(auth.id_key), auth.author->signature))
    return Error::policy("the author's signature does not match the ID key")
        .detail(
            cat("checked with the key inside, of digest ", hex(snp_key_digest(auth.author->key))));
  return {};
}

Bytes encode_snp_id_block(const SnpIdBlock& block) {
  ByteWriter out;
  out.bytes(block.launch_digest);
  out.bytes(block.family_id);
  out.bytes(block.image_id);
  out.u32(kIdBlockVersion);
  out.u32(block.guest_svn);
  out.u64(block.policy.bits);
  return out.take();
}

Bytes encode_snp_id_auth(const SnpIdAuth& auth) {
  ByteWriter out;
  out.u32(kEcdsaP384);
  out.u32(auth.author_algorithm);
  out.zeros(kAuthReserved1);
  write_signature(out, auth.signature);
  out.bytes(encode_key(auth.id_key));
  out.zeros(kAuthReserved2);
  if (auth.author) {
    write_signature(out, auth.author->signature);
    out.bytes(encode_key(auth.author->key));
  }
  out.zeros(kSnpIdAuthSize - out.size());
  return out.take();
}

Result<SnpIdBlock> parse_snp_id_block(ByteView bytes) {
  if (bytes.size() != kSnpIdBlockSize)
    return Error::corrupt("not an ID block")
        .detail(cat("got ", bytes.size(), " bytes, want ", kSnpIdBlockSize));
  SnpIdBlock block;
  ByteReader in(bytes);
  for (const auto to :
       {std::span<std::byte>(block.launch_digest), std::span<std::byte>(block.family_id),
        std::span<std::byte>(block.image_id)})
    std::ranges::copy(in.bytes(to.size()), to.begin());
  const std::uint32_t version = in.u32();
  block.guest_svn = in.u32();
  block.policy.bits = in.u64();
  CL_CHECK(in.finish("ID block"));
  if (version != kIdBlockVersion)
    return Error::corrupt("not an ID block: wrong version")
        .detail(cat("got ", version, ", want ", kIdBlockVersion));
  return block;
}

Result<SnpIdAuth> parse_snp_id_auth(ByteView bytes) {
  if (bytes.size() != kSnpIdAuthSize)
    return Error::corrupt("not the authentication of an ID block")
        .detail(cat("got ", bytes.size(), " bytes, want ", kSnpIdAuthSize));
  return IdAuthReader(bytes).run();
}

}  // namespace cloister::sign
