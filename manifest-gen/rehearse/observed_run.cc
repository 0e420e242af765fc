#include "manifest-gen/rehearse/observed_run.h"

#include <algorithm>

namespace cloister::manifest {
namespace {

constexpr std::array<std::string_view, kFileUses> kFileUseNames = {
    "look", "list", "read", "execute", "write", "create", "remove"};

void raise_peak(std::uint64_t& into, std::uint64_t other) {
  into = std::max(into, other);
}

void merge_path(PathUse& into, const PathUse& other) {
  for (std::size_t i = 0; i < kFileUses; ++i) {
    into.uses[i].done += other.uses[i].done;
    into.uses[i].refused += other.uses[i].refused;
    into.uses[i].absent += other.uses[i].absent;
  }
  if (into.real.empty()) into.real = other.real;
  if (into.spelled.empty()) into.spelled = other.spelled;
  if (into.type == ObservedType::unknown) into.type = other.type;
  into.programs.insert(other.programs.begin(), other.programs.end());
}

// A signal is worse than a status, and a status other than 0 worse than none.
void merge_end(ObservedRun& into, const ObservedRun& other) {
  if (into.exit_signal) return;
  if (other.exit_signal) {
    into.exit_signal = other.exit_signal;
    into.exit_status.reset();
  } else if (other.exit_status && into.exit_status.value_or(0) == 0) {
    into.exit_status = other.exit_status;
  }
}

}  // namespace

std::string_view file_use_name(FileUse use) {
  return kFileUseNames[static_cast<std::size_t>(use)];
}

std::optional<FileUse> parse_file_use(std::string_view name) {
  const auto* const at = std::find(kFileUseNames.begin(), kFileUseNames.end(), name);
  if (at == kFileUseNames.end()) return std::nullopt;
  return static_cast<FileUse>(at - kFileUseNames.begin());
}

void add_note(ObservedRun& run, std::string_view note) {
  if (std::find(run.notes.begin(), run.notes.end(), note) == run.notes.end())
    run.notes.emplace_back(note);
}

void merge_peaks(ProcessPeaks& into, const ProcessPeaks& other) {
  into.processes += other.processes;
  raise_peak(into.resident_bytes, other.resident_bytes);
  raise_peak(into.virtual_bytes, other.virtual_bytes);
  raise_peak(into.heap_bytes, other.heap_bytes);
  raise_peak(into.data_bytes, other.data_bytes);
  raise_peak(into.stack_bytes, other.stack_bytes);
  raise_peak(into.threads, other.threads);
  raise_peak(into.descriptors, other.descriptors);
}

void merge_run(ObservedRun& into, const ObservedRun& other) {
  if (into.source.empty()) into.source = other.source;
  if (into.command.empty()) into.command = other.command;
  for (const auto& [path, use] : other.paths) merge_path(into.paths[path], use);
  for (const auto& [socket, count] : other.sockets) into.sockets[socket] += count;
  for (const auto& [program, peaks] : other.programs) merge_peaks(into.programs[program], peaks);
  for (const auto& [call, count] : other.calls) into.calls[call] += count;
  for (const auto& [call, count] : other.unimplemented) into.unimplemented[call] += count;
  into.forks += other.forks;
  into.threads += other.threads;
  into.executions += other.executions;
  raise_peak(into.peak_processes, other.peak_processes);
  into.profiled = into.profiled || other.profiled;
  into.learning = into.learning || other.learning;
  into.seconds += other.seconds;
  into.requests += other.requests;
  merge_end(into, other);
  into.stand_ins.insert(other.stand_ins.begin(), other.stand_ins.end());
  if (into.isolation.empty()) into.isolation = other.isolation;
  for (const std::string& note : other.notes) add_note(into, note);
}

}  // namespace cloister::manifest
