// From "somewhere in these roots" to the files of one Gramine, in passes: its directory, its
// version, the constants of its enclave layout, what later sources add, the libraries of its
// untrusted loader, and the licences of all that.
//
// A wrong guess here is safe but useless: the enclave would be measured differently from how it is
// built, and would not start. So nothing is guessed: an unknown version without its own constants
// is an error.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "measure/runtime/gramine_tree.h"
#include "measure/runtime/loader_libraries.h"
#include "measure/runtime/runtime.h"
#include "measure/runtime/runtime_version.h"

namespace cloister::measure {
namespace {

constexpr std::uint64_t kOffsetsBytes = 1ULL << 20;

RuntimeFile make_file(std::size_t source, const Node& node) {
  return {source, node.path(), node.entry->sha256, node.entry->size};
}

class Discovery {
 public:
  Discovery(std::vector<RuntimeSource> sources, const Limits& limits) : limits_(limits) {
    out_.sources = std::move(sources);
  }

  Result<Runtime> run() {
    CL_CHECK(read_packages());
    CL_CHECK(choose_tree());
    CL_CHECK(identify());
    CL_CHECK(choose_layout());
    supply(primary_);
    for (const GramineTree& tree : others_) CL_CHECK(supply_more(tree));
    report_missing_parts();
    find_libraries();
    find_licenses();
    return std::move(out_);
  }

 private:
  const Rootfs& rootfs(std::size_t source) const { return *out_.sources[source].rootfs; }
  const std::string& name(std::size_t source) const { return out_.sources[source].name; }

  Status read_packages() {
    for (const RuntimeSource& source : out_.sources) {
      auto versions = read_package_versions(*source.rootfs, limits_);
      if (!versions.has_value())
        return std::move(versions.error())
            .while_(cat("reading the package database of ", quote(source.name)));
      packages_.push_back(std::move(*versions));
    }
    return {};
  }

  // The first source that has a Gramine, and there the best directory.
  Status choose_tree() {
    bool chosen = false;
    for (std::size_t i = 0; i < out_.sources.size(); ++i) {
      std::vector<GramineTree> trees = find_gramine_trees(rootfs(i), i);
      std::string passed_over;
      for (GramineTree& tree : trees) {
        if (!chosen && tree.is_gramine()) {
          primary_ = std::move(tree);
          chosen = true;
        } else if (primary_.source == i && chosen) {
          passed_over += cat(passed_over.empty() ? "" : ", ", quote(tree.directory));
        } else {
          others_.push_back(std::move(tree));
        }
      }
      if (!passed_over.empty())
        out_.notes.push_back(cat(quote(name(i)), " has several Gramine directories: ",
                                 quote(primary_.directory), " is used, not ", passed_over));
    }
    if (chosen) return {};
    std::vector<std::string> names;
    for (const RuntimeSource& source : out_.sources) names.push_back(quote(source.name));
    return Error::unresolved(cat("no Gramine runtime in ", join(names, ", ")))
        .detail(
            "looked for sgx/libpal.so beside libsysdb.so in any directory, as in "
            "/usr/lib/x86_64-linux-gnu/gramine")
        .hint("name a Gramine image, its .deb, or the directory it is installed in with --runtime");
  }

  // Sources that may speak for the chosen directory: its own, then those without another Gramine.
  std::vector<std::size_t> witnesses() const {
    std::vector<std::size_t> out = {primary_.source};
    for (std::size_t i = 0; i < out_.sources.size(); ++i) {
      const bool has_other = std::any_of(others_.begin(), others_.end(),
                                         [&](const GramineTree& tree) { return tree.source == i; });
      if (i != primary_.source && !has_other) out.push_back(i);
    }
    return out;
  }

  Status identify() {
    for (const std::size_t source : witnesses()) {
      CL_TRY(const auto found,
             find_version(rootfs(source), packages_[source], primary_.directory, limits_));
      if (!found) continue;
      out_.version = found->version;
      out_.version_evidence = found->evidence;
      written_version_ = found->written;
      return {};
    }
    out_.version_evidence = "unknown";
    return {};
  }

  Status choose_layout() {
    const std::string minor = minor_version(out_.version);
    auto known = sgx::builtin_layout(minor);
    if (!minor.empty() && !known.has_value())
      return std::move(known.error())
          .while_(cat("choosing the enclave layout of Gramine ", out_.version, " (",
                      out_.version_evidence, ")"));
    for (const std::size_t source : witnesses()) {
      const Node* offsets = find_offsets(rootfs(source), primary_.directory);
      if (offsets == nullptr) continue;
      CL_TRY(const Bytes text, rootfs(source).read(*offsets, kOffsetsBytes));
      auto parsed = sgx::parse_offsets(as_text(text));
      if (!parsed.has_value())
        return std::move(parsed.error()).while_(cat("reading ", quote(offsets->path())));
      out_.layout = *parsed;
      out_.layout_from_runtime = true;
      if (out_.version.empty())
        out_.notes.push_back(
            "the version of the runtime is unknown; its own layout constants are used");
      return {};
    }
    if (minor.empty())
      return Error::unsupported(cat("the version of the Gramine runtime in ",
                                    quote(name(primary_.source)), " is unknown"))
          .detail(
              "looked for the package gramine in the package database, for graminelibos' "
              "METADATA, and for _graminelibos_offsets.py")
          .hint(
              "name the whole install prefix, the package or the image with --runtime, not only "
              "the directory with the libraries");
    out_.layout = *known;
    if (written_version_ != out_.version && !written_version_.starts_with(out_.version + "-"))
      out_.notes.push_back(cat("the runtime calls itself ", quote(written_version_),
                               "; the layout constants of Gramine ", minor, " are assumed"));
    return {};
  }

  // "1.6.2" → "1.6".
  static std::string minor_version(const std::string& version) {
    const std::size_t first = version.find('.');
    return version.substr(0, first == std::string::npos ? first : version.find('.', first + 1));
  }

  void set(std::optional<RuntimeFile>& slot, std::size_t source, const Node* node) {
    if (!slot && node != nullptr) slot = make_file(source, *node);
  }

  // A C library is one thing: all of it, or nothing.
  void set(std::map<std::string, RuntimeFile>& slot, std::size_t source,
           const std::map<std::string, const Node*>& nodes) {
    if (!slot.empty()) return;
    for (const auto& [file, node] : nodes) slot.emplace(file, make_file(source, *node));
  }

  void supply(const GramineTree& tree) {
    set(out_.libpal, tree.source, tree.libpal);
    set(out_.libsysdb, tree.source, tree.libsysdb);
    set(out_.loader, tree.source, tree.loader);
    set(out_.direct_libpal, tree.source, tree.direct_libpal);
    set(out_.glibc, tree.source, tree.glibc);
    set(out_.musl, tree.source, tree.musl);
    set(out_.attestation, tree.source, tree.attestation);
  }

  // The parts of one Gramine speak private protocols: another version does not fit.
  Status supply_more(const GramineTree& tree) {
    CL_TRY(const auto found,
           find_version(rootfs(tree.source), packages_[tree.source], tree.directory, limits_));
    if (found && !out_.version.empty() && found->version != out_.version) {
      out_.notes.push_back(cat("the Gramine in ", quote(name(tree.source)), " is ",
                               quote(found->written), ", not ", out_.version,
                               ": no part of it is used"));
      return {};
    }
    supply(tree);
    return {};
  }

  void report_missing_parts() {
    if (!out_.loader)
      out_.missing.push_back(
          "sgx/loader, the program that starts the enclave: add the --runtime "
          "that libpal.so came with");
    if (out_.glibc.empty() && out_.musl.empty()) {
      out_.missing.push_back(
          "runtime/glibc, Gramine's C library: add the --runtime that libpal.so "
          "came with");
    } else if (!out_.glibc.empty()) {
      for (const char* part : {"libc.so.6", "ld-linux-x86-64.so.2"})
        if (!out_.glibc.contains(part))
          out_.missing.push_back(
              cat("runtime/glibc/", part, ": the C library of the runtime is not whole"));
    }
  }

  bool belongs_to_gramine(std::size_t source, const Node& node) const {
    const std::string path = node.path();
    const auto holds = [&](const GramineTree& tree) {
      return tree.source == source && path.starts_with(tree.at("runtime/"));
    };
    return holds(primary_) || std::any_of(others_.begin(), others_.end(), holds);
  }

  void find_libraries() {
    if (!out_.loader) return;
    const elf::Facts* facts = out_.elf_facts(*out_.loader);
    if (facts == nullptr || !facts->is_x86_64()) {
      out_.missing.push_back("sgx/loader for x86-64: the one that was found is no such program");
      return;
    }
    LoaderLibraries found = find_loader_libraries(
        out_.sources, *facts, limits_,
        [&](std::size_t source, const Node& node) { return belongs_to_gramine(source, node); });
    for (const auto& [soname, library] : found.libraries)
      out_.loader_libraries.emplace(soname, make_file(library.source, *library.node));
    for (std::string& sentence : found.missing) out_.missing.push_back(std::move(sentence));
  }

  void find_licenses() {
    std::set<std::string> seen;
    add_package("gramine", primary_.source, seen);
    for (const auto& [soname, file] : out_.loader_libraries)
      if (const std::string_view package = library_package(soname); !package.empty())
        add_package(package, file.source, seen);
    if (!out_.version.empty() && !out_.packages.contains("gramine"))
      out_.packages["gramine"] = out_.version;
  }

  void add_package(std::string_view package, std::size_t source, std::set<std::string>& seen) {
    if (!seen.emplace(package).second) return;
    if (const auto at = packages_[source].find(package); at != packages_[source].end())
      out_.packages[at->first] = at->second;
    const Node* text = rootfs(source).find(cat("/usr/share/doc/", package, "/copyright"));
    if (text == nullptr) text = rootfs(source).find(cat("/share/doc/", package, "/copyright"));
    if (text != nullptr && text->is_regular()) {
      out_.licenses.push_back(make_file(source, *text));
    } else {
      out_.notes.push_back(cat("no copyright file of ", package, " in ", quote(name(source))));
    }
  }

  const Limits& limits_;
  Runtime out_;
  std::vector<PackageVersions> packages_;  // by source
  GramineTree primary_;
  std::vector<GramineTree> others_;  // of later sources
  std::string written_version_;
};

}  // namespace

Result<Runtime> discover_runtime(std::vector<RuntimeSource> sources, const Limits& limits) {
  if (sources.empty()) return Error::internal("no runtime source was given");
  return Discovery(std::move(sources), limits).run();
}

}  // namespace cloister::measure
