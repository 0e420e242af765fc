// Repeats the build of an image from what the image says of it, and compares: the only proof that
// its bytes come from the base, the runtime and the options it names, and from nothing else.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "cmd/build_record.h"
#include "cmd/enclave_image.h"
#include "sign/image/checks.h"

namespace cloister::cmd {

// Where the inputs are to be had; empty: where the provenance says.
struct RebuildSources {
  std::string base;
  std::vector<std::string> runtimes;
};
void add_rebuild_options(CLI::App& app, RebuildSources& sources);

struct Rebuilt {
  BuildRecord record;
  // What it was really built from. Only a name that was asked, and answered with that digest, is
  // named.
  std::vector<sign::BuildInput> inputs;
  std::vector<sign::Check> checks;  // "rebuild-base", …, "rebuild": the image's digest
  bool identical() const;
};

// The SIGSTRUCT is the image's own (nobody else can sign it), after its other fields have been
// compared with what the repeated build would have signed. Nothing is kept, nothing of the image is
// run. An error when the build cannot be repeated: the image does not say how, an input is not to
// be had, or the build fails.
Result<Rebuilt> rebuild(Session& session, const oci::Image& image, const EnclaveImage& enclave,
                        const RebuildSources& sources);

}  // namespace cloister::cmd
