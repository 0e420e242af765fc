// X.509 certificates and revocation lists (RFC 5280) as attestation uses them: a chain is a list of
// keys that sign each other up to one that is pinned, at a time that the caller names. No store of
// the system, no name checks of TLS, no clock. What differs between makers (which names, which
// extensions, which roots) is asked by the files that know the maker.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/time.h"

struct x509_st;  // OpenSSL's types, without its headers
struct X509_crl_st;

namespace cloister::sign {

// Immutable, cheap to copy.
class Certificate {
 public:
  // `corrupt` for bytes that are no certificate, or that have something after it.
  static Result<Certificate> parse_der(ByteView der);
  // Every certificate of PEM text, in its order; text around them and NULs after them are passed
  // over, as quotes have both. `corrupt` when there is none or one cannot be read; `limit` above
  // limits.certificates.
  static Result<std::vector<Certificate>> parse_pem(std::string_view pem, const Limits& limits);

  const Bytes& der() const { return facts_->der; }
  const Bytes& spki() const { return facts_->spki; }        // SubjectPublicKeyInfo, DER
  const Bytes& subject() const { return facts_->subject; }  // Name, DER
  const Bytes& issuer() const { return facts_->issuer; }
  const Bytes& serial() const { return facts_->serial; }  // magnitude, big-endian; empty: 0
  const std::string& common_name() const { return facts_->common_name; }  // "" when it has none
  Seconds not_before() const { return facts_->not_before; }
  Seconds not_after() const { return facts_->not_after; }
  bool may_issue() const { return facts_->may_issue; }  // basicConstraints CA, keyCertSign
  bool is_self_issued() const { return subject() == issuer(); }

  // The value octets of an extension; nothing when it has none, and nothing when it has two of that
  // name. `oid` is the content octets of the identifier in DER ("2a 86 48 …"), so that malformed
  // ones that are in use can be asked for.
  std::optional<Bytes> extension(ByteView oid) const;

  // Whether the key of `issuer` signed this: names, key usage and signature, not dates. Keys are
  // RSA (PKCS #1 or PSS, as the certificate says) of at most 4096 bits, or of a named curve.
  bool is_signed_by(const Certificate& issuer) const;
  bool is_valid_at(Seconds time) const { return not_before() <= time && time <= not_after(); }

  // Whether `signature` is one by this certificate's EC key over `message`: two numbers, r and s,
  // big-endian, each as long as the curve's order. False for other keys too.
  bool verify_ecdsa(ByteView message, ByteView signature, const char* digest) const;

 private:
  struct Facts {
    Bytes der, spki, subject, issuer, serial;
    std::string common_name;
    Seconds not_before, not_after;
    bool may_issue = false;
  };
  std::shared_ptr<const Facts> facts_;
  std::shared_ptr<x509_st> x509_;
};

class RevocationList {
 public:
  static Result<RevocationList> parse_der(ByteView der);

  const Bytes& issuer() const { return issuer_; }
  Seconds this_update() const { return this_update_; }
  std::optional<Seconds> next_update() const { return next_update_; }
  // A list without an end is valid from its beginning on.
  bool is_valid_at(Seconds time) const {
    return this_update_ <= time && (!next_update_ || time <= *next_update_);
  }
  bool is_signed_by(const Certificate& issuer) const;
  // Whether a certificate of the issuer that is not listed is not revoked. False for a list of a
  // part (delta, indirect, by reason or kind) and one with critical extensions.
  bool is_complete() const { return complete_; }
  bool revokes(const Certificate& certificate) const;  // issued by the list's issuer, and listed

 private:
  Bytes issuer_;
  Seconds this_update_{};
  std::optional<Seconds> next_update_;
  bool complete_ = false;
  std::shared_ptr<X509_crl_st> crl_;
};

// The way from `leaf` to the self-issued certificate at its end, `leaf` first, by issuer and not by
// position: quotes come with every order. Candidates that do not fit are passed over. Nothing when
// no way ends in a self-issued certificate; at most limits.certificates long. Signatures are
// checked, dates are not.
std::optional<std::vector<Certificate>> chain_of(const Certificate& leaf,
                                                 const std::vector<Certificate>& candidates,
                                                 const Limits& limits);

// Whether `signature` (r and s, big-endian, 32 bytes each) is one by the P-256 key x, y (64 bytes)
// over `message` with SHA-256. False when x, y is no point of the curve.
bool verify_p256(ByteView public_point, ByteView message, ByteView signature);

}  // namespace cloister::sign
