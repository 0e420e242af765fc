#include "manifest-gen/guest/guest_plan.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <map>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/gramine/writable_places.h"

namespace cloister::manifest {
namespace {

using measure::Node;

constexpr std::string_view kProgramPlaces = "writable by default: what programs expect of a system";
constexpr std::size_t kGroupFileBytes = 256 << 10;

class GuestPlanner {
 public:
  GuestPlanner(const Launch& launch, const Closure& closure, const Kind& kind,
               const oci::ExecutionConfig& config, const measure::Rootfs& rootfs,
               const GuestOptions& options)
      : launch_(launch),
        closure_(closure),
        kind_(kind),
        config_(config),
        rootfs_(rootfs),
        options_(options) {}

  Result<GuestPlan> run() {
    if (!launch_.passthrough.empty())
      return Error::unsupported(cat("nothing is passed through to a guest: ",
                                    quote(launch_.passthrough.front()), " of --passthrough"))
          .hint("give the value with --env, or let the program fetch it");
    out_.program = launch_.program;
    out_.argv = launch_.argv;
    environment();
    out_.uid = launch_.uid;
    out_.gid = launch_.gid;
    out_.groups = supplementary_groups();
    out_.workdir = launch_.workdir;
    CL_TRY(out_.stop_signal, stop_signal());
    out_.network = options_.network;
    out_.ports = config_.exposed_ports;
    out_.earliest = std::max(options_.created, Seconds());  // no clock of Linux is before 1970
    CL_CHECK(writable());
    return std::move(out_);
  }

 private:
  void environment() {
    out_.env = launch_.env;
    for (const auto& wanted : kind_.env) {
      const bool set = std::any_of(out_.env.begin(), out_.env.end(),
                                   [&](const auto& item) { return item.first == wanted.first; });
      if (!set) out_.env.push_back(wanted);
    }
  }

  // As container runtimes: those of /etc/group that name the user, unless User names a group
  // itself.
  std::vector<std::uint32_t> supplementary_groups() const {
    std::vector<std::uint32_t> out;
    const Node* passwd = rootfs_.find("/etc/passwd");
    const Node* group = rootfs_.find("/etc/group");
    if (group == nullptr || !group->is_regular() || passwd == nullptr || !passwd->is_regular() ||
        launch_.user.find(':') != std::string::npos)
      return out;
    const auto users = rootfs_.read(*passwd, kGroupFileBytes);
    const auto groups = rootfs_.read(*group, kGroupFileBytes);
    if (!users.has_value() || !groups.has_value()) return out;
    const auto user = passwd_by_uid(as_text(*users), launch_.uid);
    if (!user) return out;
    for (const std::string_view line : split(as_text(*groups), '\n')) {
      const auto fields = split(line, ':');
      if (fields.size() < 4) continue;
      const auto gid = parse_id(fields[2]);
      for (const std::string_view member : split(fields[3], ','))
        if (gid && member == user->name && *gid != launch_.gid) out.push_back(*gid);
    }
    return out;
  }

  Result<int> stop_signal() const {
    if (config_.stop_signal.empty()) return SIGTERM;
    if (const auto number = stop_signal_number(config_.stop_signal)) return *number;
    return Error::invalid(
        cat("the image's StopSignal ", quote(config_.stop_signal), " is no signal"));
  }

  Status writable() {
    for (const Volume& volume : options_.volumes) {
      const std::string path = measure::normalize_path(volume.path);
      if (!volume.path.starts_with('/') || path == "/")
        return Error::invalid(cat("the volume ", quote(volume.path), " is not a directory below /"))
            .hint("give an absolute path, for example --volume /data=tmpfs");
      if (volume.kind != Volume::Kind::tmpfs)
        return Error::unsupported(cat("the volume ", quote(path), " would be kept on a disk"))
            .hint("a guest writes to its memory alone: --volume PATH=tmpfs");
      CL_CHECK(add(path, "--volume"));
    }
    for (const std::string& path : launch_.volumes)
      CL_CHECK(add(path, "a volume of the image; what is written is lost when the guest ends"));
    for (const std::string& path : kind_.tmpfs) CL_CHECK(add(path, kProgramPlaces));
    for (const WritablePlace& place : writable_places(launch_, closure_, rootfs_))
      CL_CHECK(add(place.path, place.reason));
    for (auto& [path, place] : places_) out_.writable.push_back(std::move(place));
    return {};
  }

  // Under the name that has no link in it: a mount goes there anyway. Inside of another place it
  // comes along as that one's content.
  Status add(const std::string& named, std::string_view reason) {
    const Node* node = rootfs_.find(named);
    if (node != nullptr && !node->is_directory())
      return Error::invalid(cat("the writable place ", quote(named), " is a file in the image"))
          .hint("name a directory with --volume PATH=tmpfs");
    const std::string path = node != nullptr ? node->path() : real_name(named);
    if (path == "/")
      return Error::invalid(cat("the writable place ", quote(named), " is the whole root"))
          .hint("a guest's root is read-only; write to a directory below it");
    for (const std::string_view kernel : {"/proc", "/sys", "/dev"})
      if (is_within(path, kernel)) return {};
    for (const auto& [other, place] : places_)
      if (is_within(path, other)) return {};
    std::erase_if(places_, [&](const auto& item) { return is_within(item.first, path); });
    GuestPlace place{path, 0755, 0, 0, std::string(reason)};
    if (node != nullptr) {
      place.mode = node->entry->mode;
      place.uid = node->entry->uid;
      place.gid = node->entry->gid;
    } else {
      // As container runtimes make a volume that the image lacks; for whom it is made is known
      // here.
      place.uid = launch_.uid;
      place.gid = launch_.gid;
    }
    if (path == "/tmp" || path == "/var/tmp") place.mode = 01777;
    places_.emplace(path, std::move(place));
    return {};
  }

  // Of what the image lacks: where its name leads as far as there is something.
  std::string real_name(const std::string& named) const {
    for (std::size_t end = named.rfind('/'); end != 0 && end != std::string::npos;
         end = named.rfind('/', end - 1)) {
      const Node* above = rootfs_.find(named.substr(0, end));
      if (above == nullptr) continue;
      const std::string path = above->path();
      return path == "/" ? named.substr(end) : path + named.substr(end);
    }
    return named;
  }

  const Launch& launch_;
  const Closure& closure_;
  const Kind& kind_;
  const oci::ExecutionConfig& config_;
  const measure::Rootfs& rootfs_;
  const GuestOptions& options_;
  std::map<std::string, GuestPlace> places_;
  GuestPlan out_;
};

// As container runtimes count them: the C library keeps 32 and 33 for itself.
constexpr int kFirstRealTime = 34, kLastRealTime = 64;

std::string upper_name(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

// "", "+3" behind RTMIN or "-1" behind RTMAX.
std::optional<int> real_time(std::string_view offset, int from, char sign) {
  if (offset.empty()) return from;
  const auto number = parse_id(offset.substr(1));
  if (offset.front() != sign || !number || *number > kLastRealTime - kFirstRealTime)
    return std::nullopt;
  return sign == '+' ? from + static_cast<int>(*number) : from - static_cast<int>(*number);
}

}  // namespace

std::optional<int> stop_signal_number(std::string_view text) {
  if (const auto number = parse_id(text))
    return *number >= 1 && *number <= 64 ? std::optional(static_cast<int>(*number)) : std::nullopt;
  const std::string upper = upper_name(text);
  std::string_view name = upper;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int number = 1; number < kFirstRealTime - 2; ++number)
    if (const char* known = sigabbrev_np(number); known != nullptr && name == known) return number;
  if (name.starts_with("RTMIN")) return real_time(name.substr(5), kFirstRealTime, '+');
  if (name.starts_with("RTMAX")) return real_time(name.substr(5), kLastRealTime, '-');
  return std::nullopt;
}

Result<GuestPlan> plan_guest(const Launch& launch, const Closure& closure, const Kind& kind,
                             const oci::ExecutionConfig& config, const measure::Rootfs& rootfs,
                             const GuestOptions& options) {
  return GuestPlanner(launch, closure, kind, config, rootfs, options).run();
}

}  // namespace cloister::manifest
