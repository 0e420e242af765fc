// What a run says of a manifest: what is missing in it, what is too much, and how large the enclave
// has to be. Values only; text is made in cmd/report.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/toml.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/packages/package_index.h"
#include "manifest-gen/rehearse/file_rules.h"
#include "manifest-gen/rehearse/observed_run.h"
#include "manifest-gen/rehearse/verdict/proposals.h"
#include "manifest-gen/rehearse/verdict/sizes.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// What the run is held against. Of the pointers any may be null: then less is known.
struct JudgeInput {
  const TomlTable& manifest;                                    // in the form that Gramine loads
  const std::map<std::string, std::string>* reasons = nullptr;  // GeneratedManifest::reasons
  const Closure* closure = nullptr;  // null: the image holds a manifest already
  const measure::Rootfs* rootfs = nullptr;
  const PackageIndex* packages = nullptr;
  std::set<std::string> volumes = {};  // of the image, where what is written is meant to stay
  // What was too large or never touched is proposed as well, not only mentioned.
  bool tighten = false;
};

// Why the closure did not have a path that was wanted.
enum class Cause {
  excluded,    // --exclude
  trust_none,  // --trust none
  secret,      // withheld
  useless,     // its bytes would never be valid: byte code, files that container runtimes replace
  alias,       // granted under another name
  configured,  // a configuration file names it
  named,       // a program or library names it
  listed,      // found by listing its directory
  package,     // data of a package of which something is granted
  unowned,     // nobody's
  absent,      // not of the image
  writing,     // written to, and no writable place
};
std::string_view cause_name(Cause cause);

// A path that was used as the manifest does not let it be.
struct Denied {
  std::string path, real;  // as Gramine compares it; at the end of its links, or empty
  struct Use {
    FileUse use;
    std::uint64_t refused = 0;  // times
    std::uint64_t would = 0;    // times that were let through, since nothing was refused then
    bool operator==(const Use&) const = default;
  };
  std::vector<Use> uses;
  std::vector<std::string> programs;
  enum class In { unknown, absent, file, directory, other } in_image = In::unknown;
  std::uint64_t bytes = 0;  // of the file of the image
  std::string package;      // "nginx 1.22.1-9", or empty
  Cause cause = Cause::unowned;
  std::string why;                   // a sentence
  std::optional<Proposal> proposal;  // the line to add
  std::string finding;               // without a proposal: what would do, and what that means
  std::string warning;               // what to think of first
  bool harmless = false;             // the program does without
  bool operator==(const Denied&) const = default;
};
std::string_view in_image_name(Denied::In in);

// Granted files that were neither read nor executed, under one reason of theirs.
struct Unused {
  std::string reason;  // "package-data", "needed", …; empty: not known
  struct File {
    std::string path;                // the first of its names
    std::vector<std::string> names;  // all that are granted
    std::uint64_t bytes = 0;
    bool looked_at = false;  // by stat or the like, which needs no grant
    bool operator==(const File&) const = default;
  };
  std::vector<File> files;  // by path
  std::uint64_t bytes = 0;
  bool operator==(const Unused&) const = default;
};

// A place that something was written to.
struct Written {
  std::string path;  // of the mount, or of the file
  Place place = Place::ungranted;
  std::uint64_t paths = 0;           // that were written below it
  std::string example;               // one of them
  std::string remark;                // what to think of; mostly empty
  std::optional<Proposal> proposal;  // where the place does not let it be written
  bool operator==(const Written&) const = default;
};

struct Verdict {
  // Nothing was used that is not let through, but for what is harmless.
  bool clean = true;
  std::uint64_t opened = 0;    // regular files that were read or executed
  std::uint64_t granted = 0;   // files that the manifest trusts, each once
  std::vector<Denied> denied;  // those that matter first, then by path
  std::vector<Unused> unused;  // most bytes first
  std::uint64_t unused_files = 0, unused_bytes = 0;
  // With JudgeInput::tighten: what `--exclude` takes to leave the unused out.
  std::vector<std::string> exclude;
  std::vector<Written> written;
  std::vector<SizeAdvice> sizes;
  // System calls that Gramine does not implement, and what usually follows.
  struct Unimplemented {
    std::string call;
    std::uint64_t times = 0;
    std::string effect, fix;  // empty: nothing is known
    bool operator==(const Unimplemented&) const = default;
  };
  std::vector<Unimplemented> unimplemented;  // most often first
  std::vector<std::string> remarks;          // of sockets and processes, for people
  bool tighten = false;                      // as it was asked for

  // What an overlay should say: each path once, files first.
  std::vector<Proposal> proposals() const;
  bool operator==(const Verdict&) const = default;
};

Verdict judge(const ObservedRun& run, const JudgeInput& input);

}  // namespace cloister::manifest
