// Facts behind the figures: the SGX machines of Azure have from 4 GiB of protected memory (DC1s_v3)
// to 256 GiB (DC48s_v3). Without EDMM an enclave's pages are all added when it
// starts (Intel SDM vol. 3D, EADD), of each process anew, and the manifest is parsed anew too. A
// guest that boots from memory holds its root twice for a while, packed and unpacked, of which the
// kernel gives the unpacked one half of the memory at most: measured, 2.8 times of what is in it.
#include "manifest-gen/audit/target_fit.h"

#include <algorithm>

#include "base/text.h"
#include "manifest-gen/audit/rule_ids.h"

namespace cloister::manifest {
namespace {

using Effect = FitReason::Effect;

constexpr std::uint64_t kEnclavePage = 4096;
constexpr std::uint64_t kGib = 1ULL << 30U;
constexpr std::uint64_t kSmallestEpc = 4 * kGib, kLargestEpc = 256 * kGib;

// What a finding means for an enclave, when it is at least so bad.
struct EnclaveRow {
  std::string_view id;
  Severity from;
  Effect effect;
  std::string_view what;
};
constexpr EnclaveRow kEnclaveRows[] = {
    {kRuleSysvIpc, Severity::high, Effect::obstacle,
     "its processes share System V memory, which Gramine does not have: it would not start, or not "
     "work"},
    {kRuleSysvIpc, Severity::info, Effect::limit,
     "System V shared memory, semaphores and queues fail"},
    {kRuleSharedMemory, Severity::medium, Effect::limit,
     "each process is an enclave of its own: memory and locks that its processes share are not "
     "shared"},
    {kRuleTimers, Severity::medium, Effect::limit,
     "signalfd, timerfd and POSIX timers fail: it needs an event loop that does without"},
    {kRuleNamespaces, Severity::medium, Effect::limit,
     "it cannot mount file systems or make namespaces"},
    {kRuleUserfault, Severity::medium, Effect::limit,
     "page faults cannot be handled by the program"},
    {kRulePrivileges, Severity::info, Effect::cost,
     "changes of user protect nothing in an enclave: start it as the user it would become"},
    {kRuleRawCalls, Severity::info, Effect::cost,
     "system calls that it makes by itself are caught one by one, which is slow"},
    {kRuleOpenMp, Severity::info, Effect::cost, "OpenMP by libgomp is slow in an enclave"},
    {kRuleByteCode, Severity::info, Effect::cost, "each start compiles every Python module anew"},
};

// Features that programs do without, more or less: one reason for all.
constexpr std::string_view kFallbacks[] = {kRuleNotify,   kRuleAsyncIo,  kRulePipes,
                                           kRuleMremap,   kRuleTracing,  kRuleLinks,
                                           kRuleIdentity, kRuleFileLocks};

bool is_fallback(std::string_view id) {
  return std::find(std::begin(kFallbacks), std::end(kFallbacks), id) != std::end(kFallbacks);
}

bool concerns_gramine(const Finding& finding) {
  return finding.id.starts_with("CL4") && finding.id != kRuleHealthcheck;
}

std::string seen_in(const Finding& finding) {
  return cat(finding.id, " ", finding.where);
}

std::string files_phrase(std::size_t number) {
  return cat(number, number == 1 ? " file" : " files");
}

std::string size_phrase(const FitFacts& facts) {
  return cat(facts.edmm ? "up to " : "", human_bytes(facts.enclave_size));
}

Fit fit_of(const std::vector<FitReason>& reasons) {
  Effect worst = Effect::gain;
  for (const FitReason& reason : reasons) worst = std::max(worst, reason.effect);
  if (worst == Effect::obstacle) return Fit::no;
  return worst == Effect::limit ? Fit::with_limits : Fit::yes;
}

class FitBuilder {
 public:
  FitBuilder(Target target, const FitFacts& facts) : facts_(facts) { out_.target = target; }

  TargetFit run() {
    if (out_.target == Target::sgx)
      enclave();
    else
      machine();
    std::stable_sort(out_.reasons.begin(), out_.reasons.end(),
                     [](const FitReason& a, const FitReason& b) { return a.effect > b.effect; });
    out_.fit = fit_of(out_.reasons);
    return std::move(out_);
  }

 private:
  void add(Effect effect, std::string what, std::string evidence) {
    out_.reasons.push_back({effect, std::move(what), std::move(evidence)});
  }

  void enclave() {
    for (const Finding& finding : facts_.findings) by_finding(finding);
    fallbacks();
    seen_calls();
    processes();
    enclave_memory();
    if (!facts_.volumes.empty())
      add(Effect::cost,
          "what it keeps in volumes is lost at exit until they are mounted encrypted: --volume "
          "PATH=encrypted",
          cat("volumes ", join(facts_.volumes, ", ")));
    if (facts_.image_files > 0)
      add(Effect::gain, "only what it needs is trusted and can be opened, no kernel and no tools",
          cat(facts_.granted_files, " of ", files_phrase(facts_.image_files), " of the image"));
  }

  void by_finding(const Finding& finding) {
    for (const EnclaveRow& row : kEnclaveRows) {
      if (row.id != finding.id || finding.severity < row.from) continue;
      add(row.effect, std::string(row.what), seen_in(finding));
      return;
    }
  }

  void fallbacks() {
    std::vector<std::string> places;
    for (const Finding& finding : facts_.findings)
      if (is_fallback(finding.id)) places.push_back(seen_in(finding));
    if (!places.empty())
      add(Effect::cost, "some calls fail, from which most programs fall back: rehearse it",
          join(places, "; "));
  }

  void seen_calls() {
    if (facts_.seen_calls.empty()) return;
    std::vector<std::string> calls;
    for (const auto& [name, times] : facts_.seen_calls)
      calls.push_back(cat(name, " ", times, times == 1 ? " time" : " times"));
    add(Effect::limit, "it made system calls that Gramine does not implement",
        cat("rehearsal: ", join(calls, ", ")));
  }

  void processes() {
    for (const Finding& finding : facts_.findings)
      if (finding.id == kRuleProcesses)
        add(Effect::cost,
            facts_.enclave_size > 0
                ? cat("each process that it starts is a further enclave of ", size_phrase(facts_),
                      ", and takes as long to start")
                : std::string("each process that it starts is a further enclave"),
            seen_in(finding));
  }

  void enclave_memory() {
    if (facts_.enclave_size == 0) return;
    const std::string size = cat("enclave size ", size_phrase(facts_));
    if (facts_.enclave_size > kLargestEpc)
      add(Effect::limit,
          cat("hardly a machine has so much protected memory: Azure's largest has ",
              human_bytes(kLargestEpc)),
          size);
    else if (facts_.enclave_size > kSmallestEpc)
      add(Effect::limit,
          "not every SGX machine has so much protected memory, and beyond what there is pages are "
          "encrypted and swapped, which is slow",
          size);
    std::string start = facts_.edmm
                            ? std::string("a start adds few pages, and more as the program grows")
                            : cat("a start adds ", facts_.enclave_size / kEnclavePage, " pages");
    if (facts_.granted_bytes > 0)
      start +=
          cat("; what is opened is hashed whole, ", human_bytes(facts_.granted_bytes), " at most");
    add(Effect::cost, std::move(start),
        facts_.granted_files > 0 ? cat(size, ", ", files_phrase(facts_.granted_files), " trusted")
                                 : size);
  }

  void machine() {
    std::vector<std::string> of_no_concern;
    for (const Finding& finding : facts_.findings)
      if (concerns_gramine(finding)) of_no_concern.push_back(finding.id);
    std::sort(of_no_concern.begin(), of_no_concern.end());
    of_no_concern.erase(std::unique(of_no_concern.begin(), of_no_concern.end()),
                        of_no_concern.end());
    add(Effect::gain,
        "it runs unchanged on a Linux kernel: processes, shared memory, every system call",
        of_no_concern.empty() ? std::string("none of CL401 to CL419 was found anyway")
                              : cat("of no concern there: ", join(of_no_concern, ", ")));
    if (out_.target == Target::nitro) nitro();
    if (out_.target == Target::snp && !facts_.volumes.empty())
      add(Effect::cost,
          "volumes are in the guest's memory and gone when it stops; a disk would be the host's to "
          "read and to change unless the program encrypts",
          cat("volumes ", join(facts_.volumes, ", ")));
    if (facts_.image_bytes > 0)
      add(Effect::cost,
          cat("the root is unpacked into memory, which takes about ",
              human_bytes(facts_.image_bytes / 5 * 14), " beside what the program uses"),
          cat(human_bytes(facts_.image_bytes), " in ", files_phrase(facts_.image_files)));
    if (facts_.image_files > 0)
      add(Effect::cost, "a kernel, an init and the whole image are trusted, not only what it needs",
          cat(files_phrase(facts_.image_files), ", of which it needs ", facts_.granted_files));
  }

  void nitro() {
    if (!facts_.network.empty())
      add(Effect::limit,
          "there is no network, only vsock to the parent instance: every connection goes through a "
          "proxy there",
          facts_.network);
    else
      for (const Finding& finding : facts_.findings)
        if (finding.id == kRuleRawCalls)
          add(Effect::limit,
              "whether it needs a network cannot be told from its code, and there is none, only "
              "vsock to the parent instance",
              seen_in(finding));
    if (!facts_.volumes.empty())
      add(Effect::limit, "there is no disk: what it keeps is lost when the enclave ends",
          cat("volumes ", join(facts_.volumes, ", ")));
  }

  const FitFacts& facts_;
  TargetFit out_;
};

}  // namespace

std::string_view target_name(Target target) {
  static constexpr std::string_view kNames[] = {"sgx", "snp", "nitro"};
  return kNames[static_cast<std::size_t>(target)];
}

std::string_view fit_name(Fit fit) {
  static constexpr std::string_view kNames[] = {"yes", "with-limits", "no"};
  return kNames[static_cast<std::size_t>(fit)];
}

std::string_view effect_name(Effect effect) {
  static constexpr std::string_view kNames[] = {"for", "cost", "limit", "against"};
  return kNames[static_cast<std::size_t>(effect)];
}

std::vector<TargetFit> target_fit(const FitFacts& facts) {
  std::vector<TargetFit> out;
  for (const Target target : {Target::sgx, Target::snp, Target::nitro})
    out.push_back(FitBuilder(target, facts).run());
  return out;
}

}  // namespace cloister::manifest
