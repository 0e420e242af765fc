// The Gramine runtime, found in what --runtime named: which files, which version, which constants.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "measure/rootfs/rootfs.h"
#include "measure/sgx/layout.h"

namespace cloister::measure {

// Makes a certificate with a quote in it, then runs what stands in its arguments.
inline constexpr std::string_view kRaTlsProgram = "gramine-ratls";

// One --runtime argument after the same two steps as any image: indexed and merged.
struct RuntimeSource {
  std::string name;  // as the user wrote it
  std::shared_ptr<const Rootfs> rootfs;
  std::optional<Digest> digest;  // of the image manifest or the .deb; a directory has none
  std::string uri;               // where others find it: an image in a registry; else empty
  bool mutable_tag = false;      // an image named by tag, not by digest
};

// A file of the runtime: where it is, and in which source.
struct RuntimeFile {
  std::size_t source = 0;  // index into Runtime::sources
  std::string path;        // real path in that source's root
  Digest sha256;
  std::uint64_t size = 0;
};

struct Runtime {
  std::string name = "gramine";
  std::string version;           // "1.9", or "" when unknown
  std::string version_evidence;  // where it was read
  std::vector<RuntimeSource> sources;
  std::optional<RuntimeFile> loader, libpal, libsysdb;
  std::map<std::string, RuntimeFile>
      glibc;  // base name in runtime/glibc → file (shared objects only)
  std::map<std::string, RuntimeFile> musl;  // base name in runtime/musl; empty in official packages
  std::optional<RuntimeFile> direct_libpal;  // direct/libpal.so; its loader is a link to it
  // What remote attestation takes beside the C library, by base name: the program gramine-ratls,
  // the libraries of RA-TLS and secret provisioning, and those that they need. Any may be absent.
  std::map<std::string, RuntimeFile> attestation;
  // The untrusted loader's own libraries, keyed by soname, with its PT_INTERP as "ld.so".
  std::map<std::string, RuntimeFile> loader_libraries;
  std::vector<RuntimeFile> licenses;            // copyright files of what is redistributed
  std::map<std::string, std::string> packages;  // package → version of each part, where known
  sgx::LayoutConstants layout;
  bool layout_from_runtime = false;  // _graminelibos_offsets.py was present
  std::vector<std::string> missing;  // what an image needs and no source supplies, for people
  std::vector<std::string> notes;    // choices made and doubts left, for people

  // A library for programs of glibc by base name, the C library's or one of `attestation`; or null.
  const RuntimeFile* glibc_library(std::string_view soname) const;

  // Compared with file.sha256: a directory may have changed since it was indexed (`corrupt`).
  Result<Bytes> read(const RuntimeFile& file, std::uint64_t max) const;
  const elf::Facts* elf_facts(const RuntimeFile& file) const;
  // What identifies the runtime in metadata: the first source's digest, else the SHA-256 over the
  // sorted "<sha256>  <path>\n" lines of the files used.
  Digest digest() const;
  // The same of one source, by its place in `sources`: its digest, or that of its files used.
  Digest source_digest(std::size_t source) const;
};

// Later sources supply what earlier ones lack. Fails only when this is no Gramine at all (no
// libpal.so or no libsysdb.so: `unresolved`) or one whose enclave layout is not known
// (`unsupported`); what a build lacks beyond that is listed in `missing`.
Result<Runtime> discover_runtime(std::vector<RuntimeSource> sources, const Limits& limits);

// A directory as a layer (an install prefix, an unpacked package, a root): only what a runtime can
// consist of is indexed, so that --runtime /usr does not hash a whole system.
Result<IndexedLayer> index_runtime_directory(const std::string& directory, const Limits& limits);
// A .deb (ar archive; data.tar.gz|xz|zst), Gramine's or libprotobuf-c's.
Result<IndexedLayer> index_deb(const std::string& file, const Limits& limits);

}  // namespace cloister::measure
