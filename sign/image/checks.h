// Whether an image is what its signer says: each question asked by itself, answered by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/limits.h"
#include "sign/image/dsse.h"
#include "sign/image/image_key.h"
#include "sign/image/measurement.h"
#include "sign/image/statement.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::sign {

struct Check {
  std::string name;  // "signature", "attestation", "mrenclave", …: stable, for programs
  bool passed = false;
  std::string found;     // for people: what was seen
  std::string expected;  // when it failed: what should have been there
};
Check passed_check(std::string name, std::string found);
Check failed_check(std::string name, std::string found, std::string expected);

// Every one of them, and there was one.
bool all_passed(const std::vector<Check>& checks);

// What is attached to an image, as it came: anyone may have attached anything.
struct SignatureArtefact {
  std::string payload;  // simple signing
  Bytes signature;      // over payload
};

// The enclave in an image, from the image's own bytes.
struct EnclaveEvidence {
  Sigstruct sigstruct;
  Digest sigstruct_digest, manifest_digest;
  std::optional<Digest> mrenclave;         // recomputed; nothing when it cannot be
  std::string mrenclave_problem;           // why it cannot be
  std::vector<NamedDigest> runtime_files;  // libpal.so, libsysdb.so
  std::vector<NamedDigest> trusted;        // path and digest that the manifest names
  std::vector<std::string> differing;      // of these, paths whose file is another one or absent
  std::string runtime_name, runtime_version, base_uri;  // by the image's labels
  Digest base_digest;
  bool starts_loader = false;  // the image's entrypoint is the enclave's loader with this manifest
};

struct EnclavePins {
  std::vector<Digest> mrsigners;  // one of these; empty: any
  std::optional<std::uint16_t> isvprodid, min_isvsvn;
  bool allow_debug = false;
};

// What this key stated; nothing when the envelope is signed by others, or cannot be read: that is
// somebody else's business.
std::optional<Statement> statement_by(const DsseEnvelope& envelope, const ImagePublicKey& key,
                                      const Limits& limits);

// A signature by `key` over a claim about this image: simple signing, or a statement of cosign's
// sign predicate. Those of others neither help nor harm.
Check check_signature(const Digest& image, const std::vector<SignatureArtefact>& artefacts,
                      const std::vector<DsseEnvelope>& envelopes, const ImagePublicKey& key,
                      const Limits& limits);

// The measurement attestation by `key` about this image among DSSE envelopes. Two by the same key
// that say different things are a failure: nobody could know which one is meant.
struct AttestationResult {
  Check check;
  std::optional<MeasurementClaim> claim;
};
AttestationResult check_attestation(const Digest& image, const std::vector<DsseEnvelope>& envelopes,
                                    const ImagePublicKey& key, const Limits& limits);

// The provenance of ours that this key states about the image, against the one in the image's label
// (`of_image`): a builder states what the image says, and nothing else. Nothing when it states
// none.
std::optional<Check> check_provenance(const Digest& image, std::string_view of_image,
                                      const std::vector<DsseEnvelope>& envelopes,
                                      const ImagePublicKey& key, const Limits& limits);

// MRSIGNER, ISVPRODID and ISVSVN against those of the pins that are set; `prefix` begins the names.
std::vector<Check> check_pins(std::string_view prefix, const Sigstruct& sigstruct,
                              const EnclavePins& pins);
// The enclave against itself (SIGSTRUCT, re-measurement, files) and against the pins.
std::vector<Check> check_enclave_evidence(const EnclaveEvidence& evidence, const EnclavePins& pins);
// The enclave against what the attestation says of it.
std::vector<Check> check_claim(const EnclaveEvidence& evidence, const MeasurementClaim& claim);

}  // namespace cloister::sign
