#include "manifest-gen/rehearse/run_recorder.h"

#include <algorithm>
#include <utility>

namespace cloister::manifest {
namespace {

// Counts one more of `key`, unless it would be one kind too many.
template <class Counts, class Key>
void count_one(Counts& counts, Key&& key, std::size_t most) {
  if (const auto known = counts.find(key); known != counts.end())
    ++known->second;
  else if (counts.size() < most)
    counts.emplace(std::forward<Key>(key), 1);
}

}  // namespace

PathUse* RunRecorder::path(const std::string& path, const std::string& spelled,
                           std::size_t text_bytes) {
  if (const auto known = run_.paths.find(path); known != run_.paths.end()) return &known->second;
  path_bytes_ += path.size() + spelled.size() + text_bytes;
  if (run_.paths.size() >= limits_.observed_paths || path_bytes_ > limits_.observed_path_bytes)
    return nullptr;
  PathUse& made = run_.paths[path];
  made.spelled = spelled;
  return &made;
}

void RunRecorder::add_program(PathUse& use, const std::string& program) const {
  if (!program.empty() && use.programs.size() < limits_.observed_programs)
    use.programs.insert(program);
}

ProcessPeaks* RunRecorder::program(const std::string& name) {
  if (name.empty()) return nullptr;
  if (const auto known = run_.programs.find(name); known != run_.programs.end())
    return &known->second;
  return run_.programs.size() < limits_.observed_names ? &run_.programs[name] : nullptr;
}

void RunRecorder::count_call(CallKey key) {
  count_one(run_.calls, std::move(key), limits_.observed_names);
}

void RunRecorder::count_unimplemented(const std::string& call) {
  count_one(run_.unimplemented, call, limits_.observed_names);
}

void RunRecorder::count_socket(SocketUse socket) {
  count_one(run_.sockets, std::move(socket), limits_.observed_names);
}

void RunRecorder::note(std::string_view text) {
  add_note(run_, text);
}

void RunRecorder::forget() {
  run_.paths.clear();
  run_.programs.clear();
  run_.sockets.clear();
  run_.calls.clear();
  run_.unimplemented.clear();
  run_.forks = run_.threads = run_.executions = 0;
  path_bytes_ = 0;
}

}  // namespace cloister::manifest
