#include "manifest-gen/rehearse/verdict/tax.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "base/text.h"
#include "manifest-gen/rehearse/file_rules.h"

namespace cloister::manifest {
namespace {

bool is_call(const CallKey& call, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), call.name) != names.end();
}

bool is_waiting(const CallKey& call) {
  return is_call(call, {"poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait"});
}

bool is_writing_call(const CallKey& call) {
  return is_call(call, {"write", "writev", "pwrite64", "pwritev"});
}

bool is_transfer(const CallKey& call) {
  return is_writing_call(call) || is_call(call, {"read", "readv", "recvfrom", "recvmsg", "sendto",
                                                 "sendmsg", "recvmmsg", "sendmmsg"});
}

// Sums of what advice is given by.
class TaxAdviser {
 public:
  TaxAdviser(const ObservedRun& run, const Tax& tax, const TaxOptions& options)
      : run_(run), tax_(tax), options_(options) {}

  std::vector<Tax::Advice> run() {
    processes();
    if (tax_.exits == 0) return std::move(out_);
    requests();
    logs();
    locks();
    wake_ups();
    spinning();
    files();
    memory();
    clocks();
    return std::move(out_);
  }

 private:
  // A part of all exits from which on something is worth saying.
  static constexpr std::uint64_t kTenth = 10, kFifth = 5;

  template <class Wanted>
  std::uint64_t exits_of(Wanted wanted) const {
    std::uint64_t sum = 0;
    for (const Tax::Line& line : tax_.lines)
      if (wanted(line.call)) sum += line.exits;
    return sum;
  }

  bool is_part(std::uint64_t exits, std::uint64_t part) const {
    return exits > 0 && exits >= tax_.exits / part;
  }

  std::string percent(std::uint64_t exits) const {
    return cat(exits * 100 / tax_.exits, " % of the exits");
  }

  void add(std::string what, std::string because) {
    out_.push_back({std::move(what), std::move(because)});
  }

  void processes() {
    if (tax_.new_enclaves == 0) return;
    add("start no processes: threads instead of workers, a program instead of a shell script",
        cat(tax_.new_enclaves, tax_.new_enclaves == 1 ? " process was" : " processes were",
            " started; each builds an enclave of the full size, which takes seconds"));
  }

  void requests() {
    const std::uint64_t waits = exits_of(is_waiting);
    const std::uint64_t moves =
        exits_of([](const CallKey& call) { return call.object == "socket" && is_transfer(call); });
    if (run_.requests == 0 || !is_part(waits + moves, kFifth)) return;
    if ((waits + moves) / run_.requests < 2) return;
    add("send more at a time: pipelining, batches, larger buffers, keep-alive",
        cat((waits + moves) / run_.requests,
            " exits per request wait for sockets, read and write "
            "them (",
            percent(waits + moves), ")"));
  }

  void logs() {
    const std::uint64_t writes = exits_of([](const CallKey& call) {
      return is_writing_call(call) &&
             (call.object == "terminal" || call.object == "allowed" || call.object == "device");
    });
    if (is_part(writes, kTenth))
      add("buffer what is logged, or log less",
          cat(percent(writes), " write to the terminal or to files of the host"));
  }

  void locks() {
    const std::uint64_t locked =
        exits_of([](const CallKey& call) { return is_call(call, {"futex"}); });
    if (is_part(locked, kTenth))
      add("fewer threads, or locks that are held more briefly",
          cat(percent(locked), " wait for locks, or wake who does"));
  }

  void wake_ups() {
    const std::uint64_t pipes = exits_of([](const CallKey& call) {
      return (call.object == "pipe" || call.object == "eventfd") && is_transfer(call);
    });
    if (is_part(pipes, kTenth))
      add("let fewer threads hand work to each other by pipes and event counters",
          cat(percent(pipes),
              " are for pipes and event counters; what a pipe carries is encrypted "
              "too"));
  }

  void spinning() {
    const std::uint64_t spins = exits_of([](const CallKey& call) {
      return is_call(call, {"sched_yield", "nanosleep", "clock_nanosleep"});
    });
    if (is_part(spins, kTenth))
      add("wait for events instead of polling",
          cat(percent(spins), " yield or sleep for a moment"));
  }

  void files() {
    const std::uint64_t opens = exits_of([](const CallKey& call) {
      return is_call(call, {"open", "openat", "close", "getdents64", "getdents"}) &&
             call.object != "socket";
    });
    if (run_.requests > 0 && opens >= run_.requests && is_part(opens, kTenth))
      add("keep files open between requests (a cache of open files)",
          cat(percent(opens), " open, list and close files"));
    const std::uint64_t synced = exits_of([](const CallKey& call) {
      return is_call(call, {"fsync", "fdatasync"});
    });
    if (is_part(synced, kTenth))
      add("write to disk less often", cat(percent(synced), " wait until the disk has it"));
  }

  void memory() {
    const std::uint64_t pages = exits_of([](const CallKey& call) {
      return is_call(call, {"brk", "mmap", "munmap", "mprotect"});
    });
    if (options_.edmm && is_part(pages, kTenth))
      add("have malloc keep what it has (MALLOC_TOP_PAD_, MALLOC_TRIM_THRESHOLD_)",
          cat(percent(pages), " add and remove memory, which EDMM does page by page"));
  }

  void clocks() {
    std::uint64_t asked = 0;
    for (const Tax::Line& line : tax_.lines)
      if (is_call(line.call, {"clock_gettime", "gettimeofday", "time"})) asked += line.times;
    if (asked > 0 && asked >= tax_.calls / 4)
      add("ask for the time less often", cat(asked, " of ", tax_.calls,
                                             " calls ask for the time: no exits, but slower than "
                                             "outside"));
  }

  const ObservedRun& run_;
  const Tax& tax_;
  const TaxOptions& options_;
  std::vector<Tax::Advice> out_;
};

// Paths that were asked for on the host: each is looked up once by each process, at least.
std::uint64_t first_look_ups(const ObservedRun& run) {
  std::uint64_t out = 0;
  for (const auto& [path, use] : run.paths) {
    std::uint64_t times = 0;
    for (const UseCount& count : use.uses) times += count.done + count.refused + count.absent;
    if (times > 0 && !pseudo_file(path)) ++out;
  }
  return out;
}

std::vector<std::string> assumptions_of(const Tax& tax, const TaxOptions& options) {
  std::vector<std::string> out = {
      cat(options.cycles_per_exit, " cycles for a round trip out of the enclave, at ",
          options.megahertz, " MHz"),
      "the work of the calls themselves, of encryption and of paging is not in it",
      "a static or musl program's calls are caught first, which costs about as much again",
  };
  if (!tax.profiled)
    out.insert(out.begin(),
               "only calls about files were counted: --profile counts all, and shows the tax");
  return out;
}

}  // namespace

Tax tax_of(const ObservedRun& run, const TaxOptions& options) {
  Tax out;
  out.profiled = run.profiled;
  for (const auto& [call, times] : run.calls) {
    Tax::Line line{call, times, 0, cost_of(call, options.edmm)};
    line.exits = times * line.cost.exits;
    if (line.cost.kind == CallCost::Kind::new_enclave) out.new_enclaves += times;
    out.calls += times;
    out.exits += line.exits;
    out.lines.push_back(std::move(line));
  }
  // By clone too, which makes threads and processes.
  out.new_enclaves = std::max(out.new_enclaves, run.forks);
  out.look_ups = first_look_ups(run);
  out.exits += out.look_ups * kLookUpExits;
  std::stable_sort(out.lines.begin(), out.lines.end(), [](const Tax::Line& a, const Tax::Line& b) {
    return a.exits != b.exits ? a.exits > b.exits : a.times > b.times;
  });
  const auto exits = static_cast<double>(out.exits);
  const double seconds_per_exit = options.megahertz > 0
                                      ? static_cast<double>(options.cycles_per_exit) /
                                            (static_cast<double>(options.megahertz) * 1e6)
                                      : 0;
  out.cpu_seconds = exits * seconds_per_exit;
  if (run.seconds > 0) {
    out.exits_per_second = exits / run.seconds;
    out.core_share = out.cpu_seconds / run.seconds;
  }
  if (run.requests > 0) {
    out.exits_per_request = exits / static_cast<double>(run.requests);
    out.micros_per_request = out.exits_per_request * seconds_per_exit * 1e6;
  }
  out.advice = TaxAdviser(run, out, options).run();
  out.assumptions = assumptions_of(out, options);
  return out;
}

}  // namespace cloister::manifest
