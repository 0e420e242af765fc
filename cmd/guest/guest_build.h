// An image as a virtual machine: what a build packs and measures, up to the files of the artifact.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/sha384.h"
#include "base/spool.h"
#include "cmd/guest/guest_files.h"
#include "cmd/guest/guest_options.h"
#include "cmd/guest/guest_statement.h"
#include "cmd/pipeline.h"
#include "manifest-gen/guest/guest_document.h"
#include "manifest-gen/guest/guest_root.h"
#include "manifest-gen/guest/kernel.h"

namespace cloister::cmd {

// Up to the guest document, but for the kernel: what the machine runs and holds.
struct GuestDraft {
  ClosurePlan found;
  manifest::GuestPlan plan;
  FileSpool contents;  // filled for a build alone
  manifest::GuestRoot root;
  Seconds created{};
  Tee tee = Tee::snp;
  std::vector<std::string> notes{};  // what the image wants and is not given, a line each
  // The root is to lie on a disk: asked for, or too large for the memory of most machines, which
  // would have to hold it more than twice.
  bool disk = false;
};
// REQUIRES: options.tee is a machine.
Result<GuestDraft> draft_guest(Session& session, const oci::ImageRef& image,
                               const PlanOptions& options, const GuestArguments& arguments,
                               Seconds created);

// The kernel and firmware that --kernel and --firmware name.
struct GuestMachine {
  manifest::GuestKernel kernel;
  std::string kernel_source, firmware_source;  // base names, for people
  Bytes firmware;
};
Result<GuestMachine> load_machine(Session& session, const GuestArguments& arguments, bool disk);

// The document of a draft with its kernel.
manifest::GuestDocument document_of(const GuestDraft& draft, const manifest::GuestKernel* kernel);

// The document of a draft, with a reason for every file and place as a comment.
std::string annotated_document(const GuestDraft& draft);

struct GuestBuild {
  manifest::GuestDocument document;
  GuestStatement statement;
  std::vector<GuestBlob> blobs;  // in the store
  GuestArtifact artifact;        // likewise
};

struct GuestNaming {
  std::string base_name;  // public_name() of the base
  std::vector<std::pair<std::string, std::string>> labels;
};

// Packs, measures, signs ID blocks where there is a key, and keeps everything in the store.
struct GuestBuildOptions {
  GuestLaunch launch;
  std::string append;
  bool disk = false;
  const sign::SnpIdKey* key = nullptr;
  GuestNaming naming;
};
Result<GuestBuild> build_guest(Session& session, GuestDraft& draft, GuestMachine machine,
                               const GuestBuildOptions& options);

}  // namespace cloister::cmd
