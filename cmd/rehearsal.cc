#include "cmd/rehearsal.h"

#include <csignal>
#include <cstdio>
#include <mutex>

#include "base/text.h"
#include "base/toml.h"
#include "manifest-gen/rehearse/sandbox/rehearsal_plan.h"
#include "manifest-gen/rehearse/sandbox/root_tree.h"
#include "manifest-gen/rehearse/watch/supervisor.h"

namespace cloister::cmd {
namespace {

using namespace std::chrono_literals;

constexpr auto kGrace = 10s;  // between asking the program to end, and ending it
constexpr std::string_view kLibcNote =
    "the C library was the image's own: in the enclave it is the runtime's";
constexpr std::string_view kNoProcNote =
    "this machine allows no /proc in a sandbox: files below it were not there";

// What the program prints, a line at a time, with nothing in it that a terminal would obey.
class OutputLines {
 public:
  explicit OutputLines(bool quiet) : quiet_(quiet) {}
  ~OutputLines() {
    if (!line_.empty()) flush();
  }
  void add(std::string_view text) {
    for (const char c : text) {
      if (c == '\n' || line_.size() >= kMaxLine) flush();
      if (c != '\n') line_ += c;
    }
  }

 private:
  void flush() {
    if (!quiet_) std::fprintf(stderr, "%s\n", printable(line_).c_str());
    line_.clear();
  }
  static constexpr std::size_t kMaxLine = 4096;
  bool quiet_;
  std::string line_;
};

Result<std::unique_ptr<manifest::Sandbox>> make_sandbox(const manifest::SandboxPlan& plan,
                                                        const Session& session) {
  auto sandbox = manifest::Sandbox::create(plan);
  if (sandbox.has_value() || sandbox.error().code() != Code::unavailable) return sandbox;
  Error error = std::move(sandbox).error();
  if (session.env().user_id != 0)
    return std::move(error).hint(
        "user namespaces are switched off here (sysctl kernel.unprivileged_userns_clone, "
        "user.max_user_namespaces, or the container that this runs in); root can do without");
  session.note(cat(error.what(), "; going on as root without a user namespace"));
  manifest::SandboxPlan other = plan;
  other.own_users = false;
  return manifest::Sandbox::create(std::move(other));
}

Status fill_root(manifest::Sandbox& sandbox, const manifest::FileRules& rules, const Plan& plan,
                 const std::vector<std::string>& directories, const RehearsalOptions& options,
                 CancelToken cancel) {
  const measure::Rootfs& rootfs = *plan.base.rootfs;
  const auto files =
      options.learning ? manifest::all_files(rootfs) : manifest::granted_files(rules, rootfs);
  const std::uint64_t bytes = manifest::bytes_of(files);
  if (bytes > options.limits.memory_bytes)
    return Error::limit(cat("the files take ", human_bytes(bytes),
                            " of memory, and the sandbox has ",
                            human_bytes(options.limits.memory_bytes)))
        .hint("give it more with --memory");
  {
    const manifest::AsOwner owner(sandbox);
    CL_CHECK(manifest::make_names(sandbox.root(), rootfs, directories, cancel));
  }
  // The store is not the owner's to read.
  return manifest::fill_files(sandbox.root(), rootfs, files, cancel);
}

// With the program before its first instruction.
Result<std::unique_ptr<manifest::Sandbox>> started_sandbox(Session& session, const Plan& plan,
                                                           const manifest::FileRules& rules,
                                                           const RehearsalOptions& options) {
  manifest::RehearsalPlan todo = manifest::plan_rehearsal(
      plan.manifest.manifest.table, rules, plan.launch, *plan.base.rootfs, session.env().variables);
  todo.sandbox.own_network = !options.host_network;
  todo.sandbox.every_call = options.profile;
  todo.sandbox.limits = options.limits;
  todo.sandbox.limits.files += plan.base.rootfs->file_count();
  CL_TRY(auto sandbox, make_sandbox(todo.sandbox, session));
  CL_CHECK(fill_root(*sandbox, rules, plan, todo.directories, options, session.cancel()));
  CL_CHECK(sandbox->start());
  return sandbox;
}

// Whether something takes connections: the ports that are published, or any that it bound.
class Readiness {
 public:
  Readiness(manifest::Sandbox& sandbox, std::mutex& connecting, const RehearsalOptions& options)
      : sandbox_(sandbox), connecting_(connecting), options_(options) {}
  bool operator()() const {
    if (options_.host_network || options_.ports.empty()) return bound_;
    const std::lock_guard lock(connecting_);
    for (const PublishedPort& port : options_.ports)
      if (!sandbox_.connect(port.inside).has_value()) return false;
    return true;
  }
  void note_bound() { bound_ = true; }

 private:
  manifest::Sandbox& sandbox_;
  std::mutex& connecting_;
  const RehearsalOptions& options_;
  std::atomic<bool> bound_ = false;
};

bool has_bound(const manifest::ObservedRun& run) {
  for (const auto& [socket, count] : run.sockets)
    if (socket.action == "bind" && socket.family.starts_with("inet")) return true;
  return false;
}

void note_ending(const manifest::Sandbox& sandbox, manifest::ObservedRun& run) {
  const manifest::Ending ending = sandbox.ending();
  if (ending.by_signal)
    run.exit_signal = ending.code;
  else
    run.exit_status = ending.code;
}

// Asks the program to end as a container runtime does, and ends it when it does not.
Status stop(manifest::Sandbox& sandbox, manifest::Supervisor& supervisor,
            const std::function<void(std::string_view)>& on_output, CancelToken cancel) {
  sandbox.signal(SIGTERM);
  const auto until = std::chrono::steady_clock::now() + kGrace;
  return supervisor.serve([&] { return std::chrono::steady_clock::now() > until; }, on_output,
                          cancel);
}

}  // namespace

Result<Rehearsal> rehearse(Session& session, const Plan& plan, const RehearsalOptions& options) {
  manifest::FileRules rules(plan.manifest.manifest.table);
  // The program is started by the image's own loader, with its own C library.
  for (const auto& [name, file] : plan.runtime.glibc) rules.stand_in(name);
  CL_TRY(const auto sandbox, started_sandbox(session, plan, rules, options));
  manifest::SupervisorOptions watch;
  watch.learning = options.learning;
  watch.profile = options.profile;
  watch.uid = plan.launch.uid;
  watch.gid = plan.launch.gid;
  watch.limits = options.limits;
  manifest::Supervisor supervisor(*sandbox, rules, *plan.base.rootfs, watch, session.limits());
  std::mutex connecting;
  CL_TRY(const auto forward, PortForward::start(options.ports, [&](std::uint16_t port) {
           const std::lock_guard lock(connecting);
           return sandbox->connect(port);
         }));
  for (std::size_t i = 0; i < options.ports.size(); ++i)
    session.note(cat("port ", options.ports[i].inside, " is at ", forward->addresses()[i].str()));
  Readiness readiness(*sandbox, connecting, options);
  OutputLines lines(session.quiet());
  const auto on_output = [&](std::string_view text) { lines.add(text); };

  Rehearsal out;
  bool ended_itself = false;
  {
    Exercise exercise(session, options.exercise, [&] { return readiness(); });
    CL_CHECK(supervisor.serve(
        [&] {
          if (has_bound(supervisor.run())) readiness.note_bound();
          return exercise.finished() && !options.until_exit;
        },
        on_output, session.cancel()));
    ended_itself = sandbox->ended();
    const bool has_work = !options.exercise.urls.empty() || !options.exercise.commands.empty();
    if (exercise.finished()) {
      if (!exercise.result().has_value()) out.work_problem = exercise.result().error().what();
      lines.add(exercise.output());
    } else if (has_work) {
      out.work_problem = "the program ended before its work was done";
    }
    supervisor.run().requests = exercise.requests_done();
  }
  if (!ended_itself) {
    CL_CHECK(stop(*sandbox, supervisor, on_output, session.cancel()));
  }
  out.run = std::move(supervisor.run());
  if (ended_itself) note_ending(*sandbox, out.run);
  out.run.command = plan.launch.argv;
  for (const auto& [path, use] : out.run.paths)
    if (rules.stands_in(path)) out.run.stand_ins.insert(path);
  manifest::add_note(out.run, kLibcNote);
  if (!sandbox->has_proc()) manifest::add_note(out.run, kNoProcNote);
  return out;
}

}  // namespace cloister::cmd
