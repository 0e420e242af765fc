// Reading the files of a runtime, and what identifies it.
#include "measure/runtime/runtime.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::measure {
namespace {

// Of the files in use that `accept` takes.
template <class Accept>
Digest files_digest(const Runtime& runtime, const Accept& accept) {
  std::vector<std::string> lines;
  const auto add = [&](const RuntimeFile& file) {
    if (accept(file)) lines.push_back(cat(file.sha256.hex(), "  ", file.path, '\n'));
  };
  for (const auto* file :
       {&runtime.loader, &runtime.libpal, &runtime.libsysdb, &runtime.direct_libpal})
    if (*file) add(**file);
  for (const auto* files :
       {&runtime.glibc, &runtime.musl, &runtime.attestation, &runtime.loader_libraries})
    for (const auto& [name, file] : *files) add(file);
  std::sort(lines.begin(), lines.end());
  Sha256 hasher;
  for (const std::string& line : lines) hasher.update(line);
  return hasher.finish();
}

}  // namespace

const RuntimeFile* Runtime::glibc_library(std::string_view soname) const {
  for (const auto* files : {&glibc, &attestation})
    if (const auto at = files->find(std::string(soname)); at != files->end()) return &at->second;
  return nullptr;
}

Result<Bytes> Runtime::read(const RuntimeFile& file, std::uint64_t max) const {
  const Node* node = sources.at(file.source).rootfs->find(file.path);
  if (node == nullptr || !node->is_regular())
    return Error::internal(cat("the runtime has no file ", quote(file.path)));
  CL_TRY(Bytes bytes, sources[file.source].rootfs->read(*node, max));
  if (const Digest got = sha256(bytes); got != file.sha256)
    return Error::corrupt(cat(quote(file.path), " of the runtime ",
                              quote(sources[file.source].name), " changed while it was read"))
        .detail(cat("got ", got.str(), ", want ", file.sha256.str()))
        .hint("repeat the command while nothing writes to the runtime");
  return bytes;
}

const elf::Facts* Runtime::elf_facts(const RuntimeFile& file) const {
  const Node* node = sources.at(file.source).rootfs->find(file.path);
  return node == nullptr ? nullptr : sources[file.source].rootfs->elf_facts(*node);
}

Digest Runtime::digest() const {
  if (!sources.empty() && sources.front().digest) return *sources.front().digest;
  return files_digest(*this, [](const RuntimeFile&) { return true; });
}

Digest Runtime::source_digest(std::size_t source) const {
  if (sources.at(source).digest) return *sources[source].digest;
  return files_digest(*this, [&](const RuntimeFile& file) { return file.source == source; });
}

}  // namespace cloister::measure
