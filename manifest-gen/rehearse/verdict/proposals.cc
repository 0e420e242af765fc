#include "manifest-gen/rehearse/verdict/proposals.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/rehearse/file_rules.h"
#include "manifest-gen/rehearse/verdict/written_places.h"

namespace cloister::manifest {
namespace {

constexpr std::array<std::string_view, 5> kProposalKinds = {"trusted-file", "tmpfs", "encrypted",
                                                            "allowed-file", "value"};

bool happened(const UseCount& count) {
  return count.done + count.refused > 0;
}

bool is_opened(const PathUse& use) {
  return happened(use.of(FileUse::read)) || happened(use.of(FileUse::execute));
}

bool is_written(const PathUse& use) {
  return happened(use.of(FileUse::write)) || happened(use.of(FileUse::create)) ||
         happened(use.of(FileUse::remove));
}

// Was there before the program came: it was written to, or read, and not made.
bool was_there(const PathUse& use) {
  return !happened(use.of(FileUse::create));
}

std::string by_whom(const PathUse& use) {
  if (use.programs.empty()) return {};
  std::string out = cat(" by ", *use.programs.begin());
  if (use.programs.size() > 1) out += cat(" and ", use.programs.size() - 1, " more");
  return out;
}

std::string opening_reason(const std::string& path, const PathUse& use) {
  std::string out = cat(happened(use.of(FileUse::execute)) ? "executed" : "opened", by_whom(use));
  if (!use.real.empty() && use.real != path) out += cat("; leads to ", use.real);
  return out;
}

}  // namespace

std::string_view proposal_kind_name(Proposal::Kind kind) {
  return kProposalKinds[static_cast<std::size_t>(kind)];
}

Proposal path_proposal(Proposal::Kind kind, std::string path, std::string reason) {
  const bool mount = kind == Proposal::Kind::tmpfs || kind == Proposal::Kind::encrypted;
  std::string key =
      mount ? "fs.mounts"
            : cat("sgx.", kind == Proposal::Kind::allowed_file ? "allowed" : "trusted", "_files");
  return {kind, std::move(key), std::move(path), {}, std::move(reason)};
}

Proposal value_proposal(std::string key, std::string value, std::string reason) {
  return {Proposal::Kind::value, std::move(key), {}, std::move(value), std::move(reason)};
}

std::vector<Proposal> propose_from_log(const ObservedRun& run) {
  std::vector<Proposal> out;
  WritingInput writing;
  for (const auto& [path, use] : run.paths) {
    if (pseudo_file(path) || run.stand_ins.contains(path)) continue;
    const bool is_file = use.type == ObservedType::regular || use.type == ObservedType::unknown;
    if (is_standard_stream(use.real)) {
      if (is_opened(use) || is_written(use))
        out.push_back(path_proposal(Proposal::Kind::allowed_file, path,
                                    "a link to the container's log, which the host sees anyway"));
    } else if (is_written(use)) {
      const bool directory = use.type == ObservedType::directory;
      const bool changed = is_file && is_opened(use) && was_there(use);
      writing.written.push_back(
          {path, directory && !was_there(use), changed, directory && was_there(use)});
      if (changed)
        out.push_back(path_proposal(Proposal::Kind::trusted_file, path,
                                    cat(opening_reason(path, use), "; it is written too, which ",
                                        "fails: have the program write elsewhere")));
      if (changed) writing.visible.insert(path);
    } else if (is_file && is_opened(use)) {
      const std::string source = python_source_of(path);
      // The source is looked at whenever its byte code is loaded.
      const bool swapped = !source.empty() && run.paths.contains(source);
      const std::string& wanted = swapped ? source : path;
      writing.visible.insert(wanted);
      if (swapped && is_opened(run.paths.at(source))) continue;  // has its own line
      out.push_back(path_proposal(Proposal::Kind::trusted_file, wanted,
                                  swapped ? cat("the source of ", path, ", which is never valid")
                                          : opening_reason(path, use)));
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Proposal& a, const Proposal& b) {
    return std::tie(a.kind, a.path) < std::tie(b.kind, b.path);
  });
  out.erase(std::unique(out.begin(), out.end(),
                        [](const Proposal& a, const Proposal& b) {
                          return a.kind == b.kind && a.path == b.path;
                        }),
            out.end());
  WritingPlan plan = plan_writing(writing);
  out.insert(out.end(), plan.mounts.begin(), plan.mounts.end());
  return out;
}

std::string python_source_of(std::string_view path) {
  if (!path.ends_with(".pyc")) return {};
  std::string_view directory = parent_directory(path);
  std::string_view name = base_name(path);
  name.remove_suffix(std::string_view(".pyc").size());
  if (base_name(directory) == "__pycache__") {
    name = name.substr(0, name.find('.'));  // "m.cpython-311", "m.cpython-311.opt-1"
    directory = parent_directory(directory);
  }
  if (name.empty()) return {};
  return cat(directory == "/" ? "" : directory, "/", name, ".py");
}

bool is_standard_stream(std::string_view real_path) {
  static constexpr std::string_view kStreams[] = {"/dev/stdout", "/dev/stderr", "/dev/fd/1",
                                                  "/dev/fd/2"};
  if (std::find(std::begin(kStreams), std::end(kStreams), real_path) != std::end(kStreams))
    return true;
  const std::vector<std::string_view> parts = split(real_path, '/');
  return parts.size() == 5 && parts[0].empty() && parts[1] == "proc" &&
         (parts[2] == "self" || parse_u64(parts[2])) && parts[3] == "fd" &&
         (parts[4] == "1" || parts[4] == "2");
}

}  // namespace cloister::manifest
