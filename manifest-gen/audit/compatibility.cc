// Facts: the feature list of Gramine 1.9 (implemented, in part, not implemented) and what was seen
// of real programs under it. rseq, clone3, membarrier, prctl, statx and getrandom's flags are in no
// row: libc or the program does without them and says nothing.
//
// A library's imports say little: libsystemd can do everything and most programs use it to notify
// systemd. They are one finding of severity info, but for what makes a program not run at all.
#include "manifest-gen/audit/compatibility.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

using measure::elf::Facts;

constexpr std::string_view kForks =
    "fork vfork _Fork forkpty daemon posix_spawn posix_spawnp popen system";
constexpr std::string_view kDropPrivileges = "setuid setgid setgroups initgroups";

constexpr std::array kGaps = {
    Incompatibility{
        kRuleSysvIpc, Severity::medium, Support::none,
        "shmget shmat shmctl shmdt semget semop semtimedop semctl msgget msgsnd msgrcv msgctl",
        "shmget and friends, semget, msgget",
        "System V shared memory, semaphores and queues fail with \"Function not implemented\"",
        "look for a setting that does without them (one process, threads, mmap)"},
    Incompatibility{kRuleSharedMemory, Severity::medium, Support::partial,
                    "shm_open sem_open pthread_mutexattr_setpshared pthread_condattr_setpshared "
                    "pthread_rwlockattr_setpshared pthread_barrierattr_setpshared mq_open",
                    "mmap(MAP_SHARED), mq_open",
                    "each process is an enclave of its own: memory and locks that processes share "
                    "are not shared",
                    "run it with one process (workers as threads, or one worker)"},
    Incompatibility{kRuleNotify, Severity::low, Support::none,
                    "inotify_init inotify_init1 inotify_add_watch fanotify_init fanotify_mark",
                    "inotify, fanotify",
                    "it does not notice that files change: reloading on change does not work",
                    "nothing, if it does without; else restart it to reload"},
    Incompatibility{kRuleTimers, Severity::medium, Support::none,
                    "signalfd timerfd_create timer_create timer_settime",
                    "signalfd4, timerfd_create, timer_create",
                    "creating the descriptor or timer fails with \"Function not implemented\"",
                    "choose an event loop or build that does without (poll, setitimer)"},
    Incompatibility{kRuleAsyncIo, Severity::low, Support::none,
                    "io_setup io_submit io_getevents io_uring_setup io_uring_queue_init "
                    "io_uring_queue_init_params",
                    "io_setup, io_submit, io_uring_setup",
                    "asynchronous input and output is not there; most programs then use threads",
                    "switch it off in the program's configuration if it complains"},
    Incompatibility{kRulePipes, Severity::low, Support::none,
                    "memfd_create splice tee vmsplice copy_file_range sync_file_range",
                    "memfd_create, splice, tee, vmsplice, copy_file_range",
                    "these calls fail with \"Function not implemented\"; most programs then copy",
                    "switch the feature off in the program's configuration if it complains"},
    Incompatibility{kRuleMremap, Severity::low, Support::none, "mremap", "mremap",
                    "growing a mapping in place fails", "nothing, if it falls back to copying"},
    Incompatibility{kRuleTracing, Severity::low, Support::none,
                    "ptrace process_vm_readv process_vm_writev perf_event_open bpf",
                    "ptrace, process_vm_readv, perf_event_open, bpf",
                    "debugging, tracing and crash handlers that look into processes do not work",
                    "switch them off"},
    Incompatibility{kRuleNamespaces, Severity::medium, Support::none,
                    "mount umount umount2 unshare setns pivot_root",
                    "mount, umount2, unshare, setns, pivot_root",
                    "it cannot mount file systems or make namespaces",
                    "switch sandboxing off: the enclave is one"},
    Incompatibility{kRuleUserfault, Severity::medium, Support::none, "userfaultfd", "userfaultfd",
                    "page faults cannot be handled by the program", "switch the feature off"},
    Incompatibility{kRuleLinks, Severity::low, Support::none, "link linkat symlink symlinkat",
                    "link, symlink", "making hard or symbolic links fails",
                    "have the links made when the image is built"},
    Incompatibility{kRuleIdentity, Severity::low, Support::none,
                    "setreuid setregid setresuid setresgid getresuid getresgid capset cap_set_proc "
                    "setfsuid setfsgid",
                    "setresuid, setresgid, setreuid, setregid, capset",
                    "changing user in this way fails with \"Function not implemented\"",
                    "start it as the user it would become (--user)"},
    Incompatibility{kRuleFileLocks, Severity::low, Support::partial, "flock lockf", "flock",
                    "flock fails unless sys.experimental__enable_flock is set",
                    "set sys.experimental__enable_flock = true in an overlay (--manifest) if it "
                    "stops without locks"},
};

// What the programs of the closure are: files, and those they are linked with.
struct Importers {
  std::map<std::string, std::set<std::string>, std::less<>> programs, libraries;  // by function
  std::set<std::string> all_programs;
};

bool is_start(Why why) {
  return why == Why::entrypoint || why == Why::shebang || why == Why::script_command;
}

// The tools of a base system: scripts call them for what works.
bool is_tool(const Member& member) {
  static constexpr std::string_view kTools[] = {
      "sh",    "dash",  "bash",  "busybox", "env",    "chmod", "chown", "cp",    "mv",      "rm",
      "mkdir", "ln",    "ls",    "cat",     "find",   "grep",  "sed",   "awk",   "mawk",    "gawk",
      "id",    "date",  "touch", "install", "mktemp", "tar",   "sort",  "tr",    "cut",     "head",
      "tail",  "sleep", "stat",  "mount",   "chgrp",  "rmdir", "true",  "false", "hostname"};
  const std::string_view name = base_name(member.real_path);
  return std::find(std::begin(kTools), std::end(kTools), name) != std::end(kTools);
}

Importers importers_of(const Closure& closure, const measure::Rootfs& rootfs) {
  Importers out;
  std::set<std::size_t> programs;
  for (const Edge& edge : closure.edges) {
    const Member& member = closure.members[edge.to];
    if (!is_start(edge.why) || member.from_runtime) continue;
    if (edge.to != 0 && is_tool(member)) continue;
    programs.insert(edge.to);
  }
  const auto add = [&](std::size_t index, auto& by_function) {
    const Member& member = closure.members[index];
    const measure::Node* node = member.from_runtime ? nullptr : rootfs.find(member.real_path);
    const Facts* facts = node != nullptr ? rootfs.elf_facts(*node) : nullptr;
    if (facts == nullptr) return false;
    for (const std::string& function : facts->imports)
      by_function[function].insert(member.real_path);
    return true;
  };
  for (const std::size_t index : programs)
    if (add(index, out.programs)) out.all_programs.insert(closure.members[index].real_path);
  for (const Edge& edge : closure.edges)
    if (edge.why == Why::needed && edge.from != kLaunch && programs.contains(edge.from))
      (void)add(edge.to, out.libraries);
  return out;
}

std::string shortened(const std::set<std::string>& names) {
  static constexpr std::size_t kShown = 5;
  std::string out;
  std::size_t shown = 0;
  for (const std::string& name : names) {
    if (shown == kShown) return cat(out, " and ", names.size() - kShown, " more");
    out += cat(shown++ > 0 ? ", " : "", name);
  }
  return out;
}

// The functions of the list that somebody imports, and who.
struct Use {
  std::set<std::string> functions, files;
  bool empty() const { return functions.empty(); }
};

Use use_of(std::string_view functions,
           const std::map<std::string, std::set<std::string>, std::less<>>& by_function) {
  Use use;
  for (const std::string_view function : split(functions, ' ')) {
    const auto at = by_function.find(function);
    if (at == by_function.end()) continue;
    use.functions.insert(at->first);
    use.files.insert(at->second.begin(), at->second.end());
  }
  return use;
}

class Findings {
 public:
  Findings(const Launch& launch, const Closure& closure, const measure::Rootfs& rootfs)
      : launch_(launch), closure_(closure), rootfs_(rootfs), who_(importers_of(closure, rootfs)) {}

  std::vector<Finding> run() {
    for (const Incompatibility& row : kGaps) by_row(row);
    libraries();
    processes();
    identity();
    raw_system_calls();
    openmp();
    byte_code();
    return std::move(out_);
  }

 private:
  void add(std::string_view id, Severity severity, const std::set<std::string>& files,
           std::string evidence, std::string fix) {
    Finding finding = make_finding(id, shortened(files), std::move(evidence), std::move(fix));
    finding.severity = severity;
    finding.files.assign(files.begin(), files.end());
    out_.push_back(std::move(finding));
  }

  bool forks() const { return !use_of(kForks, who_.programs).empty(); }

  void by_row(const Incompatibility& row) {
    const Use use = use_of(row.functions, who_.programs);
    if (use.empty()) {
      const Use library = use_of(row.functions, who_.libraries);
      if (!library.empty()) {
        library_functions_.insert(library.functions.begin(), library.functions.end());
        library_files_.insert(library.files.begin(), library.files.end());
      }
      return;
    }
    Severity severity = row.severity;
    std::string effect(row.effect), fix(row.fix);
    // Processes over one piece of shared memory: a design that cannot work, not a feature less.
    if (row.id == kRuleSysvIpc && forks()) {
      severity = Severity::high;
      effect += "; with processes that share memory it will not start, or not work";
      fix = "it is not for an enclave of this kind: use another program, or a confidential VM";
    }
    if (row.id == kRuleSharedMemory && !forks()) severity = Severity::info;
    if (row.id == kRuleIdentity && launch_.uid != 0) severity = Severity::info;
    add(row.id, severity, use.files,
        cat("calls ", shortened(use.functions), ": ", effect,
            row.support == Support::none ? " (not implemented: " : " (in part: ", row.system_calls,
            ")"),
        std::move(fix));
  }

  void libraries() {
    if (library_functions_.empty()) return;
    add(kRuleLibraryCalls, Severity::info, library_files_,
        cat("libraries that can call ", shortened(library_functions_),
            ", which Gramine does not implement"),
        "nothing, unless the program uses that part of the library");
  }

  void processes() {
    const Use use = use_of(kForks, who_.programs);
    if (use.empty()) return;
    add(kRuleProcesses, Severity::info, use.files,
        cat("can start processes (", shortened(use.functions),
            "): each is a further enclave of the full size, and takes as long to start"),
        "prefer threads to workers where the program has the choice; tmpfs is not shared either");
  }

  void identity() {
    if (launch_.uid != 0) return;
    const Use use = use_of(kDropPrivileges, who_.programs);
    if (use.empty()) return;
    add(kRulePrivileges, Severity::info, use.files,
        "starts as root and can give that up: in an enclave both are only numbers, which protect "
        "nothing and let nothing through",
        "--user NAME starts it as the user it would become, which is quicker and quieter");
  }

  void raw_system_calls() {
    std::set<std::string> files;
    for (const std::string& path : who_.all_programs) {
      const measure::Node* node = rootfs_.find(path);
      const Facts* facts = node != nullptr ? rootfs_.elf_facts(*node) : nullptr;
      if (facts != nullptr && facts->raw_syscalls) files.insert(path);
    }
    if (files.empty() && !closure_.uses_musl) return;
    if (files.empty()) files.insert("musl");
    add(kRuleRawCalls, Severity::info, files,
        "makes system calls by itself, not through the runtime's libc: each is caught and "
        "emulated, "
        "which is slow; which ones it makes cannot be told",
        "build it against glibc, dynamically, if it calls the system a lot");
  }

  void openmp() {
    for (const Member& member : closure_.members)
      if (base_name(member.real_path).starts_with("libgomp")) {
        add(kRuleOpenMp, Severity::info, {member.real_path},
            "OpenMP by libgomp makes futex calls by itself, which are slow in an enclave",
            "preload a libgomp that was built for Gramine, or use libiomp5");
        return;
      }
  }

  void byte_code() {
    for (const std::string& path : who_.all_programs)
      if (base_name(path).starts_with("python")) {
        add(kRuleByteCode, Severity::info, {path},
            "Gramine reports no time stamps, so that .pyc files are never valid: every module is "
            "compiled at each start",
            "compile with --invalidation-mode unchecked-hash and --include the .pyc files, if "
            "starting takes too long");
        return;
      }
  }

  const Launch& launch_;
  const Closure& closure_;
  const measure::Rootfs& rootfs_;
  const Importers who_;
  std::set<std::string> library_functions_, library_files_;
  std::vector<Finding> out_;
};

}  // namespace

std::vector<std::string_view> audited_functions() {
  std::vector<std::string_view> out;
  const auto add = [&](std::string_view names) {
    for (const std::string_view name : split(names, ' ')) out.push_back(name);
  };
  for (const Incompatibility& row : kGaps) add(row.functions);
  add(kForks);
  add(kDropPrivileges);
  return out;
}

std::span<const Incompatibility> incompatibilities() {
  return kGaps;
}

std::vector<Finding> compatibility_findings(const Launch& launch, const Closure& closure,
                                            const measure::Rootfs& rootfs) {
  return Findings(launch, closure, rootfs).run();
}

}  // namespace cloister::manifest
