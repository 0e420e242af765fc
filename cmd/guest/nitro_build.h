// An image as an enclave of AWS Nitro: an enclave image file, from the same draft as a virtual
// machine.
#pragma once

#include <string>

#include "base/bytes.h"
#include "cmd/guest/guest_build.h"
#include "manifest-gen/guest/kernel.h"
#include "sign/nitro/eif_key.h"

namespace cloister::cmd {

// What AWS's first process makes of a draft: its plan is that process's, the root has a name for
// the loopback device, and the notes say what the image wants and is not given.
Status adapt_to_nitro(GuestDraft& draft);

// AWS's files: --kernel, --init and --nsm.
struct NitroMachine {
  manifest::GuestKernel kernel;
  Bytes init, nsm;  // no `nsm`: the kernel has it built in
};
Result<NitroMachine> load_nitro_machine(Session& session, const GuestArguments& arguments);

// Packs, signs where there is a key, measures the file as it was written, and keeps it in the
// store. REQUIRES: draft.tee is nitro.
struct NitroBuildOptions {
  std::string append;
  const sign::EifKey* key = nullptr;
  GuestNaming naming;
};
Result<GuestBuild> build_nitro(Session& session, GuestDraft& draft, const NitroMachine& machine,
                               const NitroBuildOptions& options);

}  // namespace cloister::cmd
