#include "manifest-gen/rehearse/watch/process_table.h"

#include <signal.h>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/rehearse/watch/watched_process.h"

namespace cloister::manifest {
namespace {

// More than this many names of directories are not kept for one process.
constexpr std::size_t kMaxAliases = 4096;

}  // namespace

std::string WatchedProcess::lexical(std::string_view real) const {
  std::string_view at = real;
  for (;;) {
    if (const auto alias = aliases.find(at); alias != aliases.end())
      return cat(alias->second == "/" ? "" : alias->second, real.substr(at == "/" ? 0 : at.size()));
    if (at == "/" || at.empty()) return std::string(real);
    at = parent_directory(at);
  }
}

void WatchedProcess::add_alias(const std::string& real, const std::string& path) {
  if (real.empty() || real == path) return;
  if (aliases.size() < kMaxAliases || aliases.contains(real)) aliases[real] = path;
}

WatchedProcess* ProcessTable::of_thread(pid_t thread) {
  if (const auto known = threads_.find(thread); known != threads_.end()) {
    const auto process = processes_.find(known->second);
    if (process != processes_.end()) return &process->second;
  }
  const Kin kin = kin_of(thread);
  if (kin.process == 0) return nullptr;
  threads_[thread] = kin.process;
  const auto [process, is_new] = processes_.try_emplace(kin.process);
  if (is_new) {
    if (const auto parent = processes_.find(kin.parent); parent != processes_.end()) {
      process->second = parent->second;
    } else {
      process->second.identity = first_;
    }
    process->second.id = kin.process;
  }
  return &process->second;
}

void ProcessTable::forget_process(pid_t process) {
  processes_.erase(process);
  std::erase_if(threads_, [&](const auto& entry) { return entry.second == process; });
}

std::size_t ProcessTable::count_living() {
  for (auto process = processes_.begin(); process != processes_.end();) {
    const pid_t id = process->first;
    ++process;
    if (kill(id, 0) < 0) forget_process(id);
  }
  return processes_.size();
}

}  // namespace cloister::manifest
