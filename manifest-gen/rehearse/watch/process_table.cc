#include "manifest-gen/rehearse/watch/process_table.h"

#include <signal.h>

#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/rehearse/watch/watched_process.h"

namespace cloister::manifest {
namespace {

// More than this many names of directories are not kept for one process.
constexpr std::size_t kMaxAliases = 4096;
constexpr std::size_t kMaxPrograms = 4096;

void keep_greater(std::uint64_t& into, std::uint64_t other) {
  into = std::max(into, other);
}

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

ProcessTable::ProcessTable(ProcessIdentity first, std::string program)
    : first_(first), program_(std::move(program)) {}

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
      process->second.program = program_;
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

std::uint64_t ProcessTable::anonymous_bytes() const {
  std::uint64_t out = 0;
  for (const auto& [id, process] : processes_) out += anonymous_bytes_of(id);
  return out;
}

void ProcessTable::note_peaks(const WatchedProcess& process,
                              std::map<std::string, ProcessPeaks>& programs) {
  // Between execve and its first step it still is what it was, ourselves at first.
  if (link_of(process.id, "exe") != process.program) return;
  if (programs.size() >= kMaxPrograms && !programs.contains(process.program)) return;
  const ProcessPeaks now = peaks_of(process.id);
  ProcessPeaks& peaks = programs[process.program];
  keep_greater(peaks.resident_bytes, now.resident_bytes);
  keep_greater(peaks.virtual_bytes, now.virtual_bytes);
  keep_greater(peaks.heap_bytes, now.heap_bytes);
  keep_greater(peaks.data_bytes, now.data_bytes);
  keep_greater(peaks.stack_bytes, now.stack_bytes);
  keep_greater(peaks.threads, now.threads);
  keep_greater(peaks.descriptors, now.descriptors);
}

void ProcessTable::note_all_peaks(std::map<std::string, ProcessPeaks>& programs) {
  for (const auto& [id, process] : processes_) note_peaks(process, programs);
}

}  // namespace cloister::manifest
