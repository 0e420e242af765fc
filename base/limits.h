// Every bound on hostile input, in one place. Reaching one is Code::limit. Sizes are bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cloister {

struct Limits {
  // Registry and OCI documents.
  std::uint64_t manifest_bytes = 4ULL << 20;  // image manifest or index (distribution-spec: 4 MiB)
  std::uint64_t config_bytes = 8ULL << 20;    // image configuration
  std::uint64_t error_body_bytes = 64ULL << 10;  // body of an HTTP error
  std::uint64_t token_body_bytes = 1ULL << 20;   // reply of a token server
  std::size_t header_bytes = 64U << 10;          // one HTTP header line
  std::size_t json_depth = 64;
  std::size_t toml_depth = 64;
  std::size_t layers = 512;
  std::size_t index_manifests = 1024;

  // Layers.
  std::uint64_t blob_bytes = 64ULL << 30;    // one compressed blob
  std::uint64_t layer_bytes = 256ULL << 30;  // one layer after inflating
  std::uint64_t layer_ratio = 1100;          // inflated : compressed; deflate cannot exceed 1032
  std::uint64_t layer_ratio_free = 64ULL
                                   << 20;    // a layer below this size may have any ratio (zstd)
  std::uint64_t archive_bytes = 1ULL << 40;  // an image archive, all its images, after inflating
  std::uint64_t sparse_bytes = 8ULL << 30;   // holes of a layer's sparse files, hashed as zeros
  std::size_t layer_entries = 4U << 20;
  std::size_t path_bytes = 4096;  // PATH_MAX
  std::size_t path_depth = 1024;
  std::size_t name_bytes = 255;        // NAME_MAX
  std::size_t xattr_bytes = 1U << 20;  // all extended attributes of one entry
  std::size_t symlink_hops = 40;       // as Linux: MAXSYMLINKS

  // The content pack: small files that analysers read.
  std::uint64_t packed_file_bytes = 256ULL << 10;
  std::uint64_t packed_layer_bytes = 64ULL << 20;

  // Program text: files above the first are not scanned for imports.
  std::uint64_t source_bytes = 2ULL << 20;
  std::size_t source_names = 8192;  // names that one file imports

  // ELF.
  std::size_t elf_segments = 1024;
  std::size_t elf_dynamic = 16384;
  std::size_t elf_needed = 1024;
  std::size_t elf_versions = 16384;
  std::size_t elf_string_bytes = 4096;
  std::size_t elf_evidence = 4096;              // imports, strings, notes kept of one file, each
  std::size_t elf_evidence_bytes = 256U << 10;  // the text of all of them

  // Package databases (dpkg, apk, rpm).
  std::size_t packages = 65536;
  std::size_t package_files = 4U << 20;
  std::uint64_t package_database_bytes = 64ULL << 20;

  // Manifests, keys and configuration that people write.
  std::uint64_t enclave_manifest_bytes = 64ULL << 20;
  std::uint64_t overlay_bytes = 4ULL << 20;
  std::uint64_t key_bytes = 1ULL << 20;

  // Signatures and attestations attached to images.
  std::uint64_t attachment_bytes = 16ULL << 20;       // one payload, envelope or bundle
  std::size_t attachments = 256;                      // of one image, of each kind
  std::uint64_t all_attachments_bytes = 64ULL << 20;  // of one image, together
  std::uint64_t libpal_bytes = 256ULL << 20;

  // Quotes, and what proves that they are genuine.
  std::uint64_t quote_bytes = 1ULL << 20;       // one quote or report, decoded
  std::uint64_t collateral_bytes = 4ULL << 20;  // one document, list or chain of it
  std::size_t collateral_files = 256;           // in one directory
  std::size_t certificates = 16;                // in one chain
  std::size_t tcb_levels = 1024;                // of one document, of each kind
  std::size_t claims = 64;                      // in the evidence of an RA-TLS certificate

  // What a program was seen to do.
  std::uint64_t log_bytes = 64ULL << 30;             // one log, which is read in pieces
  std::size_t log_line_bytes = 1U << 20;             // longer ones are left out
  std::size_t log_tasks = 1U << 16;                  // processes and threads at one time
  std::size_t log_descriptors = 256;                 // open files remembered of one process
  std::size_t observed_paths = 1U << 19;             // different ones in one run
  std::uint64_t observed_path_bytes = 256ULL << 20;  // the text of all of them
  std::size_t observed_names = 1U << 16;   // programs, sockets, system calls in one run, each
  std::size_t observed_programs = 32;      // kept of one path
  std::uint64_t run_bytes = 256ULL << 20;  // one run as JSON

  // Virtual machines.
  std::uint64_t firmware_bytes = 64ULL << 20;
  std::size_t firmware_entries = 1024;               // of each of its tables
  std::size_t vcpus = 1024;                          // that one digest is for
  std::uint64_t kernel_bytes = 256ULL << 20;         // as it is booted
  std::uint64_t kernel_module_bytes = 64ULL << 20;   // one, inflated
  std::size_t kernel_modules = 16384;                // in one package
  std::uint64_t command_line_bytes = 2047;           // x86 Linux: COMMAND_LINE_SIZE without the NUL
  std::uint64_t guest_root_bytes = 64ULL << 30;      // all files of a guest's root
  std::uint64_t guest_document_bytes = 16ULL << 20;  // a document about a guest
  std::uint64_t eif_bytes = 16ULL << 30;             // an enclave image file
};

}  // namespace cloister
