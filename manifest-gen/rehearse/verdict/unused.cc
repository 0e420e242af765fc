#include "manifest-gen/rehearse/verdict/unused.h"

#include <algorithm>
#include <map>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::manifest {
namespace {

// One file under all of its granted names.
struct GrantedName {
  std::string path, uri;
};

// What is the same file: a node of the image, else a hash, else the name alone.
std::string identity_of(const FileEntry& entry, const std::string& path,
                        const measure::Rootfs* rootfs) {
  if (rootfs != nullptr)
    if (const measure::Node* node = rootfs->find(path)) return node->path();
  return path + entry.sha256;
}

bool is_touched(const ObservedRun& run, const std::string& path) {
  const auto at = run.paths.find(path);
  if (at == run.paths.end()) return false;
  const PathUse& use = at->second;
  return use.of(FileUse::read).done + use.of(FileUse::execute).done > 0;
}

bool is_looked_at(const ObservedRun& run, const std::string& path) {
  const auto at = run.paths.find(path);
  return at != run.paths.end() && at->second.of(FileUse::look).done > 0;
}

// What Gramine opens itself, whether or not the program does.
std::set<std::string, std::less<>> opened_by_gramine(const TomlTable& manifest) {
  std::set<std::string, std::less<>> out;
  for (const char* key :
       {"libos.entrypoint", "loader.entrypoint.uri", "loader.argv_src_file", "loader.env_src_file"})
    if (const std::string* value = string_at(manifest, key)) out.emplace(uri_path(*value));
  return out;
}

// "package-data: configuration of nginx; leads to …" → "package-data"
std::string granting_reason(const JudgeInput& input, const std::string& uri) {
  if (input.reasons == nullptr) return {};
  const auto at = input.reasons->find(uri);
  if (at == input.reasons->end()) return {};
  return at->second.substr(0, at->second.find(':'));
}

// Without these the program does not start: `--exclude` refuses them.
bool may_exclude(std::string_view reason) {
  return reason != why_name(Why::entrypoint) && reason != why_name(Why::interpreter) &&
         reason != why_name(Why::needed);
}

// By its real path where that is known, which takes all names with it. A name with '*' or '?' would
// be a pattern, and leave out more.
void add_excluded(std::vector<std::string>& out, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (!has_wildcard(name)) out.push_back(name);
}

}  // namespace

void find_unused(Verdict& verdict, const ObservedRun& run, const JudgeInput& input) {
  std::map<std::string, std::vector<GrantedName>> files;
  for (const FileEntry& entry : file_entries(input.manifest, "sgx.trusted_files")) {
    const std::string path(uri_path(entry.uri));
    if (!path.starts_with('/') || is_directory_uri(entry.uri) || is_within(path, kGramineDir))
      continue;
    files[identity_of(entry, path, input.rootfs)].push_back({path, entry.uri});
  }
  verdict.granted = files.size();
  // A link that the program took may end in a name that is granted.
  std::set<std::string, std::less<>> touched;
  for (const auto& [path, use] : run.paths)
    if (!use.real.empty() && is_touched(run, path)) touched.insert(use.real);
  const auto by_gramine = opened_by_gramine(input.manifest);

  std::map<std::string, Unused> groups;
  for (const auto& [identity, names] : files) {
    const bool used = touched.contains(identity) ||
                      std::any_of(names.begin(), names.end(), [&](const GrantedName& name) {
                        return is_touched(run, name.path) || touched.contains(name.path) ||
                               by_gramine.contains(name.path);
                      });
    if (used) continue;
    Unused::File file;
    for (const GrantedName& name : names) {
      file.names.push_back(name.path);
      file.looked_at = file.looked_at || is_looked_at(run, name.path);
    }
    std::sort(file.names.begin(), file.names.end());
    file.path = file.names.front();
    if (input.rootfs != nullptr)
      if (const measure::Node* node = input.rootfs->find(file.path)) file.bytes = node->entry->size;
    const std::string group_name = granting_reason(input, names.front().uri);
    Unused& group = groups[group_name];
    group.bytes += file.bytes;
    verdict.unused_bytes += file.bytes;
    ++verdict.unused_files;
    if (input.tighten && may_exclude(group_name))
      add_excluded(verdict.exclude, input.rootfs != nullptr ? std::vector{identity} : file.names);
    group.files.push_back(std::move(file));
  }
  for (auto& [reason, group] : groups) {
    group.reason = reason;
    std::sort(group.files.begin(), group.files.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    verdict.unused.push_back(std::move(group));
  }
  std::stable_sort(verdict.unused.begin(), verdict.unused.end(),
                   [](const Unused& a, const Unused& b) { return a.bytes > b.bytes; });
  std::sort(verdict.exclude.begin(), verdict.exclude.end());
}

}  // namespace cloister::manifest
