// Names that a built image is recognised by: paths of the added layer, labels, annotations.
#pragma once

#include <string_view>

namespace cloister::manifest {

// The same paths as in GSC's images where GSC has them: tools that read those keep working.
inline constexpr std::string_view kApplicationPath = "/gramine/app_files/entrypoint";
inline constexpr std::string_view kDirectManifestPath = "/gramine/app_files/entrypoint.manifest";
inline constexpr std::string_view kSgxManifestPath = "/gramine/app_files/entrypoint.manifest.sgx";
inline constexpr std::string_view kSigstructPath = "/gramine/app_files/entrypoint.sig";
inline constexpr std::string_view kLoaderPath = "/gramine/sgx/loader";
inline constexpr std::string_view kLibpalPath = "/gramine/sgx/libpal.so";
inline constexpr std::string_view kLibsysdbPath = "/gramine/libsysdb.so";
inline constexpr std::string_view kDirectLoaderPath = "/gramine/direct/loader";
inline constexpr std::string_view kDirectLibpalPath = "/gramine/direct/libpal.so";
inline constexpr std::string_view kInterpreterPath = "/gramine/ld.so";  // of the untrusted loader
inline constexpr std::string_view kLoaderLibraryDir = "/gramine/lib";   // its libraries
inline constexpr std::string_view kLicensesDir = "/gramine/share/licenses";

// Labels; annotations of an OCI manifest carry the same names.
inline constexpr std::string_view kLabelMrenclave = "io.cloister.mrenclave";
inline constexpr std::string_view kLabelMrsigner = "io.cloister.mrsigner";
inline constexpr std::string_view kLabelRuntime = "io.cloister.runtime";  // "gramine"
inline constexpr std::string_view kLabelRuntimeVersion = "io.cloister.runtime.version";  // "1.9"
inline constexpr std::string_view kLabelRuntimeDigest = "io.cloister.runtime.digest";
// SLSA provenance of the build; of the configuration only.
inline constexpr std::string_view kLabelProvenance = "io.cloister.provenance";
// image-spec annotations.md.
inline constexpr std::string_view kLabelBaseName = "org.opencontainers.image.base.name";
inline constexpr std::string_view kLabelBaseDigest = "org.opencontainers.image.base.digest";
inline constexpr std::string_view kLabelDirectCommand =
    "io.cloister.direct";  // how to run without SGX

}  // namespace cloister::manifest
