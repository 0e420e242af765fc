// The rule table, most severe first within a group. Severities follow what a host gains: critical
// lets it run code or read everything, high weakens a protection the enclave exists for (or the
// program does not start), medium gives it data or influence, low and info are for people to know.
#include <algorithm>
#include <iterator>

#include "manifest-gen/audit/rules.h"

namespace cloister::manifest {
namespace {

constexpr Severity kCritical = Severity::critical, kHigh = Severity::high,
                   kMedium = Severity::medium, kLow = Severity::low, kInfo = Severity::info;

constexpr Rule kTable[] = {
    // ---- runtime ----
    {kRuleAdvisory, kCritical, Subject::runtime, "a runtime with a known weakness",
     "The library that protects the program in the enclave has a published flaw."},
    {kRuleMutableRuntime, kMedium, Subject::runtime, "a runtime named by a tag that can change",
     "The same build tomorrow may put another runtime into the enclave, with another measurement."},
    {kRuleUnknownVersion, kMedium, Subject::runtime, "a runtime whose version is not known",
     "Nobody can tell whether published flaws of the runtime apply."},

    // ---- what is granted, and what is not ----
    {kRuleSecret, kHigh, Subject::file, "a secret among the granted files",
     "Granted files are checked, not hidden: whoever has the image, and the host, reads them."},
    {kRuleIncludedSecret, kHigh, Subject::file,
     "a secret in the image, granted because it was named",
     "Granted files are checked, not hidden: whoever has the image, and the host, reads them."},
    {kRuleUnresolved, kHigh, Subject::file, "something the program cannot start without is missing",
     "The program stops at start with an error of its loader."},
    {kRuleWithheld, kMedium, Subject::file, "a secret in the image, left out of the manifest",
     "The program cannot open the file, and whoever has the image can read it."},
    {kRuleVolumeUnwritable, kMedium, Subject::file, "a volume of the image that cannot be written",
     "The program means to keep data there, and its writes will fail."},
    {kRuleTrustWide, kMedium, Subject::option, "more is granted than the program is known to need",
     "Every granted file is one more that an attacker inside the program can use."},
    {kRuleTrustNone, kMedium, Subject::option, "less is granted than the program is known to need",
     "The program will be refused files that it was seen to need."},
    {kRulePackageManager, kMedium, Subject::file, "a package manager among the granted files",
     "Whoever takes over the program finds a tool that installs further ones."},
    {kRuleAbsentCredential, kMedium, Subject::file, "a key or certificate that the image lacks",
     "It comes when the container starts, and nothing from outside the image may be opened."},
    {kRuleVolumeLost, kLow, Subject::file, "a volume of the image that is lost at exit",
     "What the program stores there is kept in enclave memory and gone when it ends."},
    {kRuleLogUnwritable, kLow, Subject::file, "a log file of the image that cannot be written",
     "The program cannot write this log and may refuse to start."},
    {kRuleMissingOptional, kLow, Subject::file,
     "something that only a part of the program needs is missing",
     "A feature of the program will not work; the rest does."},
    {kRuleUnknown, kLow, Subject::program,
     "something that cannot be found out without running the program",
     "The program decides at run time what it opens here, and may miss a file."},
    {kRuleExcluded, kLow, Subject::option, "left out by --exclude",
     "The program would open this file, and somebody decided that it may not."},
    {kRuleShell, kLow, Subject::file, "a shell among the granted files",
     "Whoever takes over the program can run commands by it."},
    {kRuleInterpreter, kLow, Subject::file, "an interpreter among the granted files",
     "Whoever takes over the program can run scripts by it."},
    {kRuleCompiler, kLow, Subject::file, "a compiler or debugger among the granted files",
     "A tool for building programs is of use to attackers only."},
    {kRuleSetuid, kLow, Subject::file, "a set-user-id program among the granted files",
     "It is made to gain privileges, which an enclave does not have; outside it may."},
    {kRuleIncluded, kInfo, Subject::option, "granted by --include",
     "Somebody decided that the program may open this beside what it needs."},
    {kRuleManyFiles, kInfo, Subject::key, "many granted files",
     "The list is read at every start, and each file is hashed when it is looked at."},

    // ---- the manifest ----
    {kRuleDebug, kCritical, Subject::key, "a debug enclave: the host reads its memory",
     "Anybody who runs the host can read and change everything in the enclave."},
    {kRuleLooseFiles, kCritical, Subject::key, "files are not checked",
     "The host can replace every file of the program, its code included."},
    {kRulePublicKey, kCritical, Subject::key, "an encryption key in the manifest",
     "The key that protects files is readable by everybody who has the image."},
    {kRuleHostEnvironment, kCritical, Subject::key, "the host sets every environment variable",
     "The host can make the program load code of its choice."},
    {kRuleHostArguments, kCritical, Subject::key, "the host chooses the arguments",
     "The host tells the program what to do, at worst which code to run."},
    {kRuleAllowedTrusted, kCritical, Subject::key, "an allowed path covers a trusted file",
     "The file looks protected but is not: the host can replace it."},
    {kRuleAllowedCode, kCritical, Subject::key,
     "an allowed path holds code or system configuration",
     "The host can put its own code into the enclave."},
    {kRulePassthroughCode, kCritical, Subject::key, "the host sets a variable that loads code",
     "By this variable the host chooses code, or whom the program trusts."},
    {kRuleUncheckedSource, kCritical, Subject::key,
     "arguments or variables from a file that is not trusted",
     "The file decides what runs, and the host can change it (or it cannot be opened)."},
    {kRuleSealMask, kCritical, Subject::key, "a sealing key that is bound to less",
     "Data sealed by this enclave can be opened by enclaves that differ from it."},
    {kRuleMeasurement, kCritical, Subject::image, "the measurement is not that of the files",
     "The signature in the image is for another enclave, or is not valid."},
    {kRuleNoAttestation, kHigh, Subject::key, "the enclave cannot be verified",
     "Nobody can check from outside that the right program runs, so nothing can be entrusted to "
     "it."},
    {kRuleRpcThreads, kHigh, Subject::key, "threads outside that make system calls",
     "This mode is open to attacks by stale data (CVE-2022-21233, CVE-2022-21166)."},
    {kRuleMemoryFaults, kHigh, Subject::key, "memory faults that the host reports",
     "The host can make the program believe that it touched bad memory."},
    {kRuleProfiling, kHigh, Subject::key, "profiling",
     "The host learns what the program does; a production enclave refuses to start."},
    {kRuleMockCalls, kHigh, Subject::key, "system calls with made-up answers",
     "The program is told that calls worked which were never made."},
    {kRuleHostDevices, kHigh, Subject::key, "devices of the host",
     "Calls go straight to a device that the host controls, unchecked."},
    {kRuleSharedMount, kHigh, Subject::key, "memory shared with the host",
     "The host reads and changes this memory while the program uses it."},
    {kRuleMountOverlap, kHigh, Subject::key, "encrypted mounts inside each other",
     "Gramine does not support this; files may be encrypted with the wrong key."},
    {kRuleAllowedFile, kHigh, Subject::key, "a file that the host reads and writes",
     "The host reads what is in it and decides what the program reads from it."},
    {kRulePassthrough, kMedium, Subject::key, "the host sets an environment variable",
     "The host chooses a value that the program acts on."},
    {kRuleNameService, kMedium, Subject::key, "name service files from the host",
     "The host decides how names are looked up, through code that never expected an enemy."},
    {kRuleNoAslr, kMedium, Subject::key, "addresses are not random",
     "A flaw in the program is easier to exploit."},
    {kRuleEventfd, kMedium, Subject::key, "event counters kept by the host",
     "The host can wake, stall or mislead threads that wait for each other."},
    {kRuleLogging, kMedium, Subject::key, "Gramine's log tells the host",
     "The log shows what the program does: calls, paths, sometimes data."},
    {kRuleSignerKey, kMedium, Subject::key, "files that every enclave of the signer can open",
     "Any other enclave signed with the same key can read these files."},
    {kRuleTrustedDirectory, kMedium, Subject::key, "a whole directory is trusted",
     "What is granted depends on what happens to lie there when the manifest is signed."},
    {kRuleUnprovisionedKey, kMedium, Subject::key,
     "an encrypted mount whose key comes from nowhere",
     "The program cannot open its encrypted files before something gives it the key."},
    {kRuleMarblerun, kMedium, Subject::key, "a marble that does not get what its premain needs",
     "MarbleRun's Coordinator will not let this enclave in."},
    {kRuleFlock, kLow, Subject::key, "experimental file locks",
     "Locks between processes go through code that is not finished."},
    {kRuleNoVersion, kLow, Subject::key, "no product id and no security version",
     "An old, vulnerable build cannot be told from a new one by its version."},
    {kRulePointerChecks, kLow, Subject::key, "pointers in system calls are not checked",
     "A program that passes a bad pointer crashes where it would get an error."},
    {kRuleUser, kLow, Subject::key, "runs as root where the image does not",
     "The program sees another user id than it was made for."},
    {kRuleContainerLog, kInfo, Subject::key, "a log file that the host sees",
     "What the program logs is readable by the host, as with any container."},
    {kRuleEnclaveKey, kInfo, Subject::key, "files that only this very enclave can open",
     "After an update the enclave is another one, and cannot read its data."},
    {kRuleCpuFeatures, kInfo, Subject::key, "a choice of processor features",
     "The enclave starts only on processors with, or without, these features."},
    {kRuleExceptionInfo, kInfo, Subject::key, "details of exceptions are recorded",
     "Needed by Java and some others; tells the host where a page fault was."},
    {kRuleSigterm, kInfo, Subject::key, "the host may end the program by a signal",
     "The host can send SIGTERM once; it could stop the enclave anyway."},
    {kRuleHostNames, kInfo, Subject::key, "names are looked up as the host says",
     "The host chooses the DNS servers: only TLS tells who answers."},

    // ---- why it would not start ----
    {kRuleRefused, kHigh, Subject::key, "a manifest that Gramine refuses",
     "The enclave does not start."},
    {kRuleRemovedKey, kHigh, Subject::key, "a key that is gone or was never there",
     "The setting does not hold: current versions of Gramine do not know it."},
    {kRuleEntrypoint, kHigh, Subject::key, "the program itself is not granted",
     "The enclave starts and cannot open the program."},
    {kRuleLibrary, kHigh, Subject::file, "a file that the program needs is not granted",
     "The program stops at start: its loader cannot open the file."},
    {kRuleAbsentFile, kMedium, Subject::file, "a trusted file that the image lacks",
     "The entry is of no use, or a file was lost on the way."},
    {kRuleChangedFile, kHigh, Subject::file, "a trusted file that is another one in the image",
     "The program cannot open it: its contents are not those that were signed."},
    {kRuleStacks, kHigh, Subject::key, "stacks that do not fit into the enclave",
     "The program ends when it starts its threads."},
    {kRuleThreads, kMedium, Subject::key, "few threads",
     "Gramine needs up to three threads for itself; the program gets what is left."},
    {kRuleEntrypointLink, kLow, Subject::key, "the program is named by a symbolic link",
     "The program may not find files beside it: Gramine does not resolve the link."},

    // ---- what Gramine does not do ----
    {kRuleSysvIpc, kHigh, Subject::program, "System V shared memory, semaphores, queues",
     "Calls that the program makes do not exist in the enclave."},
    {kRuleSharedMemory, kMedium, Subject::program, "memory shared between processes",
     "Processes in enclaves cannot share memory."},
    {kRuleTimers, kMedium, Subject::program, "signals and timers as descriptors",
     "Calls that the program makes do not exist in the enclave."},
    {kRuleNamespaces, kMedium, Subject::program, "mounts and namespaces",
     "The program cannot mount or make sandboxes inside the enclave."},
    {kRuleUserfault, kMedium, Subject::program, "page faults handled by the program",
     "A call that the program makes does not exist in the enclave."},
    {kRuleNotify, kLow, Subject::program, "notices of changed files",
     "The program is not told when files change."},
    {kRuleAsyncIo, kLow, Subject::program, "asynchronous input and output",
     "The program has to fall back to threads."},
    {kRulePipes, kLow, Subject::program, "moving data without copying",
     "The program has to fall back to copying."},
    {kRuleMremap, kLow, Subject::program, "growing mappings",
     "The program has to fall back to copying."},
    {kRuleTracing, kLow, Subject::program, "tracing processes",
     "Debugging and crash handlers do not work in the enclave."},
    {kRuleLinks, kLow, Subject::program, "making links",
     "The program cannot make links in the enclave."},
    {kRuleIdentity, kLow, Subject::program, "changing user by calls that are not implemented",
     "The program cannot change its user id in this way."},
    {kRuleFileLocks, kLow, Subject::program, "file locks",
     "Locks on files fail unless they are switched on."},
    {kRuleLibraryCalls, kInfo, Subject::file, "calls of libraries that are not implemented",
     "A library could make calls that do not exist in the enclave."},
    {kRuleProcesses, kInfo, Subject::program, "more than one process",
     "Each further process is a further enclave, slow to start and costly in memory."},
    {kRulePrivileges, kInfo, Subject::program, "a server that gives up root",
     "User ids are only numbers in an enclave."},
    {kRuleRawCalls, kInfo, Subject::program, "system calls that do not go through libc",
     "Each such call is slow in the enclave."},
    {kRuleOpenMp, kInfo, Subject::file, "OpenMP",
     "Parallel loops are slower in the enclave than they need to be."},
    {kRuleByteCode, kInfo, Subject::program, "byte code that is never valid",
     "Every start compiles all modules again."},
    {kRuleHealthcheck, kInfo, Subject::image, "a health check that runs outside the enclave",
     "The check runs beside the enclave: it proves that something answers, not what."},

    // ---- what a rehearsal showed ----
    {kRuleRehearsedRefusal, kHigh, Subject::file, "refused in a rehearsal",
     "The program was run and wanted this; in the enclave it will not get it."},
    {kRuleRehearsedSize, kHigh, Subject::key, "too small for what a rehearsal took",
     "The program was run and needed more; in the enclave it fails when it comes to that."},
    {kRuleRehearsedUnused, kInfo, Subject::file, "granted and never touched in a rehearsal",
     "What the program does not need is of use to attackers only."},
};

constexpr std::string_view kSeverityNames[] = {"info", "low", "medium", "high", "critical"};

}  // namespace

std::string_view severity_name(Severity severity) {
  return kSeverityNames[static_cast<std::size_t>(severity)];
}

std::optional<Severity> parse_severity(std::string_view name) {
  const auto at = std::find(std::begin(kSeverityNames), std::end(kSeverityNames), name);
  if (at == std::end(kSeverityNames)) return std::nullopt;
  return static_cast<Severity>(at - std::begin(kSeverityNames));
}

std::string_view subject_name(Subject subject) {
  static constexpr std::string_view kSubjects[] = {"key",     "file",   "program", "package",
                                                   "runtime", "option", "image"};
  return kSubjects[static_cast<std::size_t>(subject)];
}

std::span<const Rule> rules() {
  return kTable;
}

const Rule* find_rule(std::string_view id) {
  const auto rule = std::find_if(std::begin(kTable), std::end(kTable),
                                 [&](const Rule& one) { return one.id == id; });
  return rule == std::end(kTable) ? nullptr : rule;
}

const Rule& rule_of(const Finding& finding) {
  const Rule* rule = find_rule(finding.id);
  static_assert(kTable[0].id == kRuleAdvisory);
  return rule != nullptr ? *rule : kTable[0];
}

Finding make_finding(std::string_view id, std::string where, std::string evidence,
                     std::string fix) {
  Finding out;
  out.id = id;
  const Rule* rule = find_rule(id);
  out.severity = rule != nullptr ? rule->severity : Severity::critical;
  out.subject = rule != nullptr ? rule->subject : Subject::image;
  if (out.subject == Subject::key) out.key = where;
  const bool is_file = out.subject == Subject::file || out.subject == Subject::program;
  if (is_file && where.starts_with('/')) out.files = {where};
  out.where = std::move(where);
  out.evidence = std::move(evidence);
  out.fix = std::move(fix);
  return out;
}

}  // namespace cloister::manifest
