// The ids of the rules. An id never changes its meaning: reports, policies and baselines name it.
// CL1xx runtime, CL2xx what is granted, CL3xx the manifest, CL4xx what does not work there, CL5xx
// what a rehearsal showed.
#pragma once

#include <string_view>

namespace cloister::manifest {

// runtime
inline constexpr std::string_view kRuleMutableRuntime = "CL101", kRuleUnknownVersion = "CL102",
                                  kRuleAdvisory = "CL103";
// what is granted, and what is not
inline constexpr std::string_view kRuleWithheld = "CL201", kRuleMissingOptional = "CL202",
                                  kRuleUnknown = "CL203", kRuleAbsentCredential = "CL204",
                                  kRuleVolumeUnwritable = "CL211", kRuleVolumeLost = "CL212",
                                  kRuleLogUnwritable = "CL213", kRuleExcluded = "CL220",
                                  kRuleIncluded = "CL221", kRuleIncludedSecret = "CL222",
                                  kRuleTrustWide = "CL223", kRuleTrustNone = "CL224",
                                  kRuleSecret = "CL230", kRuleShell = "CL231",
                                  kRuleInterpreter = "CL232", kRulePackageManager = "CL233",
                                  kRuleCompiler = "CL234", kRuleSetuid = "CL235",
                                  kRuleUnresolved = "CL240", kRuleManyFiles = "CL241";
// the manifest
inline constexpr std::string_view kRuleDebug = "CL301", kRuleNoAttestation = "CL302",
                                  kRuleAllowedFile = "CL303", kRuleAllowedCode = "CL304",
                                  kRuleAllowedTrusted = "CL305", kRulePassthroughCode = "CL306",
                                  kRulePassthrough = "CL307", kRuleHostArguments = "CL308",
                                  kRuleHostEnvironment = "CL309", kRuleLooseFiles = "CL310",
                                  kRuleContainerLog = "CL311", kRuleMarblerun = "CL312",
                                  kRulePublicKey = "CL313", kRuleRpcThreads = "CL314",
                                  kRuleMemoryFaults = "CL315", kRuleProfiling = "CL316",
                                  kRuleMockCalls = "CL317", kRuleHostDevices = "CL318",
                                  kRuleSharedMount = "CL319", kRuleNameService = "CL320",
                                  kRuleNoAslr = "CL321", kRuleEventfd = "CL322",
                                  kRuleFlock = "CL323", kRuleLogging = "CL324",
                                  kRuleSignerKey = "CL325", kRuleEnclaveKey = "CL326",
                                  kRuleNoVersion = "CL327", kRuleSealMask = "CL328",
                                  kRuleCpuFeatures = "CL329", kRuleExceptionInfo = "CL330",
                                  kRulePointerChecks = "CL331", kRuleSigterm = "CL332",
                                  kRuleHostNames = "CL333", kRuleUser = "CL334",
                                  kRuleTrustedDirectory = "CL335", kRuleUncheckedSource = "CL336",
                                  kRuleMountOverlap = "CL337", kRuleUnprovisionedKey = "CL338";
// why it would not start, or not as it should
inline constexpr std::string_view kRuleRefused = "CL340", kRuleRemovedKey = "CL341",
                                  kRuleEntrypoint = "CL342", kRuleEntrypointLink = "CL343",
                                  kRuleLibrary = "CL344", kRuleThreads = "CL345",
                                  kRuleStacks = "CL346", kRuleAbsentFile = "CL347",
                                  kRuleChangedFile = "CL348", kRuleMeasurement = "CL349";
// what Gramine does not do
inline constexpr std::string_view kRuleSysvIpc = "CL401", kRuleSharedMemory = "CL402",
                                  kRuleNotify = "CL403", kRuleTimers = "CL404",
                                  kRuleAsyncIo = "CL405", kRulePipes = "CL406",
                                  kRuleMremap = "CL407", kRuleTracing = "CL408",
                                  kRuleNamespaces = "CL409", kRuleUserfault = "CL410",
                                  kRuleLinks = "CL411", kRuleIdentity = "CL412",
                                  kRuleFileLocks = "CL413", kRuleLibraryCalls = "CL414",
                                  kRuleProcesses = "CL415", kRulePrivileges = "CL416",
                                  kRuleRawCalls = "CL417", kRuleOpenMp = "CL418",
                                  kRuleByteCode = "CL419", kRuleHealthcheck = "CL420";
// what a rehearsal showed
inline constexpr std::string_view kRuleRehearsedRefusal = "CL501", kRuleRehearsedSize = "CL502",
                                  kRuleRehearsedUnused = "CL503";

}  // namespace cloister::manifest
