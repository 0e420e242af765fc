// Whether the two readers of a guest document, the first process's and a verifier's, understand the
// same.
#pragma once

#include <string>

#include "manifest-gen/guest/guest_document.h"
#include "tests/manifest-gen/guest/init/read_guest.h"

namespace cloister::test {

inline bool same_words(char* const* words, const std::vector<std::string>& want) {
  for (const std::string& word : want)
    if (*words == nullptr || word != *words++) return false;
  return *words == nullptr;
}

inline bool same_entry(const struct listed& got, const std::string& path,
                       const manifest::GuestEntry& want) {
  using Type = manifest::GuestEntry::Type;
  if (got.path != "/" + path) return false;
  if (want.type == Type::symlink)
    return got.type == listed::kListedLink && got.target == want.link_target;
  return got.type == (want.type == Type::file ? listed::kListedFile : listed::kListedDirectory) &&
         got.mode == want.mode && got.uid == want.uid && got.gid == want.gid &&
         got.size == want.size;
}

inline bool same_places(const struct guest& got, const std::vector<manifest::GuestPlace>& want) {
  if (got.writable_count != want.size()) return false;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const struct place& place = got.writable[i];
    if (place.path != want[i].path || place.mode != want[i].mode || place.uid != want[i].uid ||
        place.gid != want[i].gid)
      return false;
  }
  return true;
}

inline bool same_guest(const struct guest& got, const manifest::GuestDocument& want) {
  const manifest::GuestPlan& plan = want.plan;
  std::vector<std::string> env;
  for (const auto& [name, value] : plan.env) env.push_back(name + "=" + value);
  if (got.program != plan.program || !same_words(got.argv, plan.argv) ||
      !same_words(got.env, env) || got.uid != plan.uid || got.gid != plan.gid ||
      got.workdir != plan.workdir || got.hostname != plan.hostname ||
      got.stop_signal != plan.stop_signal || got.network != plan.network ||
      got.earliest != plan.earliest.time_since_epoch().count() || !same_places(got, plan.writable))
    return false;
  if (got.group_count != plan.groups.size() || got.module_count != want.modules.size() ||
      got.list_count != want.tree.size() || (got.disk.device != nullptr) != want.disk.has_value())
    return false;
  for (std::size_t i = 0; i < plan.groups.size(); ++i)
    if (got.groups[i] != plan.groups[i]) return false;
  for (std::size_t i = 0; i < want.modules.size(); ++i)
    if (got.modules[i] != want.modules[i]) return false;
  if (want.disk &&
      (got.disk.device != want.disk->device || got.disk.data_blocks != want.disk->data_blocks ||
       got.disk.hash_start != want.disk->hash_start))
    return false;
  std::size_t i = 0;
  for (const auto& [path, entry] : want.tree)
    if (!same_entry(got.list[i++], path, entry)) return false;
  return true;
}

}  // namespace cloister::test
