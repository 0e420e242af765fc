// How the files of a guest get into the store, and become an artifact there: what builds for every
// hardware have in common.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/stream.h"
#include "cmd/guest/guest_build.h"
#include "cmd/guest/guest_files.h"
#include "cmd/session.h"

namespace cloister::cmd {

class GuestPacking {
 public:
  GuestPacking(Session& session, oci::Store& store) : session_(session), store_(store) {}

  Status put(GuestFile file, std::string title, const Digest& digest, std::uint64_t size,
             Source& content);
  Status keep(GuestFile file, ByteView content, std::uint32_t vcpus = 0);
  const std::vector<GuestBlob>& blobs() const { return blobs_; }

  // What was put, as an artifact that is in the store, with the statement about it.
  Result<GuestBuild> finish(manifest::GuestDocument document, GuestStatement statement,
                            Seconds created, const GuestNaming& naming);

 private:
  Session& session_;
  oci::Store& store_;
  std::vector<GuestBlob> blobs_;
};

// What is stated about every guest.
sign::GuestOrigin origin_of_build(const Session& session, const GuestDraft& draft,
                                  const manifest::GuestDocument& document,
                                  const GuestNaming& naming);

}  // namespace cloister::cmd
