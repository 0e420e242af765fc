// One way through a run, whether anything was refused in it or not: a use counts as denied when the
// rules do not permit it, be it that it failed for that or that it only would have. What failed in
// another way (mostly because nothing is there) fails in an enclave too, and is nobody's matter.
#include "manifest-gen/rehearse/verdict/verdict.h"

#include <algorithm>
#include <tuple>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/audit/compatibility.h"
#include "manifest-gen/gramine/values.h"
#include "manifest-gen/rehearse/verdict/denial.h"
#include "manifest-gen/rehearse/verdict/unused.h"
#include "manifest-gen/rehearse/verdict/written_places.h"

namespace cloister::manifest {
namespace {

constexpr FileUse kGuarded[] = {FileUse::read, FileUse::execute, FileUse::write, FileUse::create,
                                FileUse::remove};

bool is_writing(FileUse use) {
  return use == FileUse::write || use == FileUse::create || use == FileUse::remove;
}

std::uint64_t times(const PathUse& use, FileUse what) {
  return use.of(what).done + use.of(what).refused;
}

bool was_written(const PathUse& use) {
  return std::any_of(std::begin(kGuarded), std::end(kGuarded),
                     [&](FileUse what) { return is_writing(what) && times(use, what) > 0; });
}

// Python's own cache: it tries to write it for every module.
bool is_byte_code_cache(std::string_view path) {
  return base_name(path) == "__pycache__" || base_name(parent_directory(path)) == "__pycache__" ||
         path.ends_with(".pyc");
}

class Judge {
 public:
  Judge(const ObservedRun& run, const JudgeInput& input)
      : run_(run), input_(input), rules_(input.manifest) {
    out_.tighten = input.tighten;
    for (const std::string& path : run.stand_ins) rules_.stand_in(std::string(base_name(path)));
  }

  Verdict run() {
    for (const auto& [path, use] : run_.paths) look_at(path, use);
    plan();
    explain_denied(out_.denied, run_, rules_, input_);
    for (Denied& one : out_.denied) {
      out_.clean = out_.clean && one.harmless;
      if (!one.proposal || is_utf8(one.proposal->path)) continue;
      one.proposal.reset();
      one.finding = "its name is not UTF-8, which a manifest cannot state: rename it in the image";
    }
    std::stable_sort(out_.denied.begin(), out_.denied.end(), [](const auto& a, const auto& b) {
      return std::tie(a.harmless, a.path) < std::tie(b.harmless, b.path);
    });
    find_unused(out_, run_, input_);
    written();
    out_.sizes = advise_sizes(run_, input_.manifest);
    unimplemented();
    remarks();
    return std::move(out_);
  }

 private:
  // What logs do not tell the image does; what was opened and refused is a file.
  ObservedType type_of(const std::string& path, const PathUse& use) const {
    if (use.type != ObservedType::unknown) return use.type;
    const measure::Node* node = input_.rootfs != nullptr ? input_.rootfs->find(path) : nullptr;
    if (node == nullptr)
      return use.of(FileUse::list).done > 0 ? ObservedType::directory : ObservedType::regular;
    if (node->is_regular()) return ObservedType::regular;
    return node->is_directory() ? ObservedType::directory : ObservedType::other;
  }

  void look_at(const std::string& path, const PathUse& use) {
    const ObservedType type = type_of(path, use);
    if (type == ObservedType::regular &&
        use.of(FileUse::read).done + use.of(FileUse::execute).done > 0)
      ++out_.opened;
    Denied one;
    bool writes = false;
    for (const FileUse what : kGuarded) {
      const UseCount& count = use.of(what);
      // By the rules alone: the run may have been made under another manifest.
      if (count.refused + count.done == 0 || rules_.permits(path, what, type)) continue;
      one.uses.push_back({what, count.refused, count.done});
      writes = writes || is_writing(what);
    }
    if (one.uses.empty()) return;
    one.path = path;
    one.programs.assign(use.programs.begin(), use.programs.end());
    if (writes) one.cause = Cause::writing;
    out_.denied.push_back(std::move(one));
  }

  // A link of the image to the container's log, which Gramine compares by its own path.
  bool leads_to_log(const Denied& one) const {
    const auto use = run_.paths.find(one.path);
    if (use != run_.paths.end() && is_standard_stream(use->second.real)) return true;
    if (input_.rootfs == nullptr) return false;
    const measure::Node* node = input_.rootfs->find(one.path, /*follow_last=*/false);
    return node != nullptr && node->is_symlink() && is_standard_stream(node->entry->link_target);
  }

  // What is written: places for it, together, since one mount serves many paths.
  void plan() {
    WritingInput writing;
    writing.volumes = input_.volumes;
    keep_visible(writing.visible);
    std::vector<Denied*> placed;
    for (Denied& one : out_.denied) {
      if (leads_to_log(one)) {
        one.cause = Cause::writing;
        one.why = "a link to the container's log: Gramine compares the link, not where it leads";
        one.proposal = path_proposal(Proposal::Kind::allowed_file, one.path,
                                     "a link to the container's log, which the host sees anyway");
      } else if (one.cause == Cause::writing && !set_aside(one)) {
        const PathUse& use = run_.paths.at(one.path);
        const bool made = times(use, FileUse::create) > 0;
        const ObservedType type = type_of(one.path, use);
        const bool directory = type == ObservedType::directory;
        const bool changed = type == ObservedType::regular && !made &&
                             (times(use, FileUse::read) > 0 || is_trusted(one.path));
        writing.written.push_back({one.path, directory && made, changed, directory && !made});
        placed.push_back(&one);
      }
    }
    const WritingPlan plan = plan_writing(writing);
    for (Denied* one : placed) {
      const auto mount = plan.mount.find(one->path);
      one->why = is_trusted(one->path)
                     ? "granted for reading: a file that is checked cannot be changed"
                     : "nothing makes this place writable";
      if (mount != plan.mount.end())
        one->proposal = plan.mounts[mount->second];
      else
        one->finding =
            "only sgx.allowed_files would do, by which the host can read and change it; better "
            "have the program write below a directory of its own";
    }
  }

  bool is_trusted(const std::string& path) const { return rules_.place(path) == Place::trusted; }

  void keep_visible(std::set<std::string, std::less<>>& visible) const {
    for (const char* list : {"sgx.trusted_files", "sgx.allowed_files"})
      for (const FileEntry& entry : file_entries(input_.manifest, list))
        visible.emplace(uri_path(entry.uri));
    // A mount on the working directory is fine, one above it is not.
    if (const std::string* start = string_at(input_.manifest, "fs.start_dir"))
      visible.insert(cat(*start, *start == "/" ? "" : "/", "."));
    for (const auto& [path, use] : run_.paths)
      if (type_of(path, use) == ObservedType::regular && !was_written(use) &&
          times(use, FileUse::read) + times(use, FileUse::execute) > 0 &&
          rules_.place(path) != Place::tmpfs && rules_.place(path) != Place::encrypted)
        visible.insert(path);
  }

  // Writing that needs no place: it fails, and the program goes on.
  bool set_aside(Denied& one) const {
    if (rules_.place(one.path) == Place::nowhere) {
      const bool shared = is_within(one.path, "/dev/shm");
      one.why = "Gramine makes nothing there";
      one.harmless = !shared;
      one.finding = shared ? "shared memory of files is not there: run it as one process, without"
                           : "most programs do without; if it does not, it cannot run there";
      return true;
    }
    if (!is_byte_code_cache(one.path)) return false;
    one.why = "Python keeps byte code, which is never valid under Gramine";
    one.harmless = true;
    if (input_.manifest.at("loader.env.PYTHONDONTWRITEBYTECODE") == nullptr)
      one.proposal = value_proposal("loader.env.PYTHONDONTWRITEBYTECODE", "\"1\"",
                                    "spares Python the writing of byte code, which is refused");
    else
      one.finding = "nothing to do: Python goes on without";
    return true;
  }

  void written() {
    std::map<std::string, const Denied*> denied;
    for (const Denied& one : out_.denied) denied.emplace(one.path, &one);
    std::map<std::string, Written> places;
    for (const auto& [path, use] : run_.paths) {
      if (!was_written(use)) continue;
      const Place place = rules_.place(path);
      if (place == Place::pseudo || place == Place::nowhere) continue;
      const auto at = denied.find(path);
      const Denied* one = at != denied.end() ? at->second : nullptr;
      if (one != nullptr && (one->harmless || one->cause != Cause::writing)) continue;
      const Mount* mount = mount_of(rules_.mounts(), path);
      std::string where = path;
      if (one != nullptr && one->proposal)
        where = one->proposal->path;
      else if (mount != nullptr && (place == Place::tmpfs || place == Place::encrypted))
        where = mount->path;
      Written& entry = places[where];
      entry.path = where;
      entry.place = place;
      if (entry.paths++ == 0) entry.example = path;
      if (one != nullptr) entry.proposal = one->proposal;
      if (place == Place::tmpfs && type_of(path, use) == ObservedType::regular &&
          meant_to_stay(path, input_.volumes))
        entry.remark = cat(path, " is in memory, and lost when the program ends");
      if (place == Place::tmpfs && entry.remark.empty() && use.programs.size() > 1)
        entry.remark = "several programs write there: each process has a tmpfs of its own";
    }
    for (auto& [path, entry] : places) out_.written.push_back(std::move(entry));
  }

  void unimplemented() {
    for (const auto& [call, count] : run_.unimplemented) {
      Verdict::Unimplemented one{call, count, {}, {}};
      if (const Incompatibility* row = row_of(call)) {
        one.effect = row->effect;
        one.fix = row->fix;
      } else if (is_done_without(call)) {
        one.effect = "libc, or the program, does without it and says nothing";
      }
      out_.unimplemented.push_back(std::move(one));
    }
    std::stable_sort(out_.unimplemented.begin(), out_.unimplemented.end(),
                     [](const auto& a, const auto& b) { return a.times > b.times; });
  }

  static bool is_done_without(std::string_view call) {
    static constexpr std::string_view kQuiet[] = {"rseq",  "clone3", "membarrier",
                                                  "prctl", "statx",  "faccessat2"};
    return std::find(std::begin(kQuiet), std::end(kQuiet), call) != std::end(kQuiet);
  }

  static const Incompatibility* row_of(std::string_view call) {
    const auto has = [&](std::string_view words) {
      for (std::string_view word : split(words, ' ')) {
        if (word.ends_with(',')) word.remove_suffix(1);
        if (word == call) return true;
      }
      return false;
    };
    for (const Incompatibility& row : incompatibilities())
      if (has(row.functions) || has(row.system_calls)) return &row;
    return nullptr;
  }

  void remarks() {
    std::set<std::string> listens, local, families;
    for (const auto& [socket, count] : run_.sockets) {
      const bool internet = socket.family == "inet" || socket.family == "inet6";
      if (socket.action == "bind" && internet) listens.insert(socket.address);
      if (socket.action == "bind" && socket.family == "unix") local.insert(socket.address);
      if (!internet && socket.family != "unix") families.insert(socket.family);
    }
    if (!listens.empty()) out_.remarks.push_back(cat("it is bound to ", join(listens, ", ")));
    if (!local.empty())
      out_.remarks.push_back(cat("the unix socket ", join(local, ", "),
                                 " can be reached by its own processes alone: Gramine keeps such "
                                 "sockets inside"));
    if (!families.empty())
      out_.remarks.push_back(cat("sockets of the family ", join(families, ", "),
                                 " are not implemented: opening one fails"));
    if (run_.peak_processes > 1)
      out_.remarks.push_back(cat(run_.peak_processes,
                                 " processes ran at a time: each is an enclave of its own, of "
                                 "the full size, with its own tmpfs"));
  }

  const ObservedRun& run_;
  const JudgeInput& input_;
  FileRules rules_;
  Verdict out_;
};

}  // namespace

Verdict judge(const ObservedRun& run, const JudgeInput& input) {
  return Judge(run, input).run();
}

std::vector<Proposal> Verdict::proposals() const {
  std::vector<Proposal> out;
  std::set<std::pair<std::string, std::string>> seen;  // key and path
  const auto add = [&](const std::optional<Proposal>& proposal) {
    if (proposal && seen.emplace(proposal->key, proposal->path).second) out.push_back(*proposal);
  };
  for (const Denied& one : denied) add(one.proposal);
  for (const SizeAdvice& size : sizes)
    if (size.outcome == SizeAdvice::Outcome::too_small || tighten) add(size.proposal);
  std::stable_sort(out.begin(), out.end(), [](const Proposal& a, const Proposal& b) {
    return std::tie(a.kind, a.path) < std::tie(b.kind, b.path);
  });
  return out;
}

}  // namespace cloister::manifest
