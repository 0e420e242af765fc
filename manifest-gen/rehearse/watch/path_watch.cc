// Facts of how Gramine answers: an unlisted file that is there fails with EACCES, whatever else is
// wrong; an absent one with ENOENT (libos/src/fs/chroot/fs.c). Manuals: open(2), openat2(2).
#include "manifest-gen/rehearse/watch/path_watch.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/rehearse/watch/watched_process.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kTooManyPaths = "it used more paths than are kept; the rest is not here";
constexpr std::string_view kDeleted = " (deleted)";
constexpr std::size_t kShebangBytes = 256;  // BINPRM_BUF_SIZE

// What Gramine compares with its lists: all that is no directory is a file to it.
ObservedType rule_type(ObservedType type) {
  return type == ObservedType::other ? ObservedType::regular : type;
}

}  // namespace

Fd PathWatch::open_in_root(const std::string& path, int flags) const {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT;
  return Fd(static_cast<int>(syscall(SYS_openat2, root_, path.c_str(), &how, sizeof(how))));
}

PathWatch::Target PathWatch::target_at(std::string path, bool follow) const {
  Target out;
  out.path = std::move(path);
  out.place = rules_.place(out.path);
  if (out.place == Place::nowhere) return out;
  if (out.place == Place::pseudo) {
    out.type = ObservedType::other;
    return out;
  }
  const Fd fd = open_in_root(out.path, O_PATH | (follow ? 0 : O_NOFOLLOW));
  if (!fd.valid()) {
    // A link to /dev/stdout and the like cannot be followed from here, but leads somewhere.
    if (errno == ELOOP || errno == EXDEV) out.type = ObservedType::other;
    return out;
  }
  struct stat status {};
  if (fstat(fd.get(), &status) < 0) return out;
  out.type = S_ISREG(status.st_mode)   ? ObservedType::regular
             : S_ISDIR(status.st_mode) ? ObservedType::directory
                                       : ObservedType::other;
  std::array<char, PATH_MAX> real{};
  const ssize_t size = readlink(cat("/proc/self/fd/", fd.get()).c_str(), real.data(), real.size());
  if (size > 0) out.real.assign(real.data(), static_cast<std::size_t>(size));
  if (out.real.ends_with(kDeleted)) out.real.resize(out.real.size() - kDeleted.size());
  return out;
}

std::optional<PathWatch::Target> PathWatch::target_of(const PathArgument& argument,
                                                      const CallArguments& arguments, pid_t thread,
                                                      const WatchedProcess& process,
                                                      bool follow) const {
  const auto spelled = read_text_of(thread, arguments[static_cast<std::size_t>(argument.path)]);
  if (!spelled || spelled->empty()) return std::nullopt;  // the kernel says what is wrong with it
  std::string path;
  if (spelled->starts_with('/')) {
    path = *spelled;
  } else {
    const int directory = argument.directory < 0
                              ? AT_FDCWD
                              : static_cast<int>(static_cast<std::uint32_t>(
                                    arguments[static_cast<std::size_t>(argument.directory)]));
    const std::string base = link_of(thread, directory == AT_FDCWD ? "cwd" : cat("fd/", directory));
    if (!base.starts_with('/')) return std::nullopt;
    path = cat(process.lexical(base), "/", *spelled);
  }
  Target out = target_at(measure::normalize_path(path), follow);
  if (*spelled != out.path) out.spelled = *spelled;
  return out;
}

CallAnswer PathWatch::use(const Target& target, FileUse how, ObservedType type,
                          const WatchedProcess& process) {
  const bool there = target.type != ObservedType::unknown;
  const bool makes = how == FileUse::create;
  const bool refused = !rules_.permits(target.path, how, rule_type(type));
  const bool nowhere = target.place == Place::nowhere;
  PathUse* const noted = recorder_.path(target.path, target.spelled, target.real.size());
  if (noted == nullptr) {
    recorder_.note(kTooManyPaths);
  } else {
    UseCount& count = noted->of(how);
    if (refused && !learning_)
      ++count.refused;
    else if (nowhere || (!there && !makes))
      ++count.absent;
    else
      ++count.done;
    if (noted->type == ObservedType::unknown) noted->type = makes && !there ? type : target.type;
    if (noted->real.empty()) noted->real = target.real;
    if (noted->spelled.empty()) noted->spelled = target.spelled;
    recorder_.add_program(*noted, process.program);
  }
  if (refused && !learning_) return EACCES;
  if (nowhere) return makes ? EACCES : ENOENT;
  return 0;
}

CallAnswer PathWatch::decide_open(const Target& target, std::uint64_t flags,
                                  WatchedProcess& process) {
  if ((flags & O_PATH) != 0) return use(target, FileUse::look, target.type, process);
  const bool there = target.type != ObservedType::unknown;
  const std::uint64_t access = flags & O_ACCMODE;
  if (target.type == ObservedType::directory) {
    process.add_alias(target.real, target.path);
    return use(target, FileUse::list, target.type, process);
  }
  if (!there && (flags & O_CREAT) != 0)
    return use(target, FileUse::create, ObservedType::regular, process);
  const bool writes = access == O_WRONLY || access == O_RDWR || (flags & O_TRUNC) != 0;
  return use(target, writes ? FileUse::write : FileUse::read, target.type, process);
}

std::string PathWatch::shebang_of(const std::string& real) const {
  const Fd fd = open_in_root(real, O_RDONLY | O_NONBLOCK);
  std::array<char, kShebangBytes> first{};
  const ssize_t size = fd.valid() ? read(fd.get(), first.data(), first.size()) : 0;
  if (size < 2 || first[0] != '#' || first[1] != '!') return {};
  std::string_view line(first.data() + 2, static_cast<std::size_t>(size) - 2);
  const auto shebang = parse_shebang(line.substr(0, line.find('\n')));
  return shebang ? shebang->interpreter : std::string();
}

// What the kernel opens for an execve no call tells: the interpreters of scripts and of ELF files.
CallAnswer PathWatch::decide_execution(const Target& target, WatchedProcess& process) {
  executed_.clear();
  Target at = target;
  for (int depth = 0; depth <= kShebangDepth; ++depth) {
    if (const CallAnswer answer = use(at, FileUse::execute, at.type, process); answer != 0)
      return answer;
    if (at.type != ObservedType::regular) return 0;
    const std::string interpreter = shebang_of(at.real);
    if (interpreter.empty()) break;
    at = target_at(measure::normalize_path(
                       interpreter.starts_with('/')
                           ? interpreter
                           : cat(process.lexical(link_of(process.id, "cwd")), "/", interpreter)),
                   true);
  }
  const measure::Node* node = rootfs_.find(at.real);
  const measure::elf::Facts* facts =
      node != nullptr && node->is_regular() ? rootfs_.elf_facts(*node) : nullptr;
  if (facts != nullptr && facts->interpreter.starts_with('/')) {
    const Target loader = target_at(measure::normalize_path(facts->interpreter), true);
    if (const CallAnswer answer = use(loader, FileUse::read, loader.type, process); answer != 0)
      return answer;
  }
  executed_ = at.real;
  return 0;
}

CallAnswer PathWatch::decide(const PathCall& call, const CallArguments& arguments, pid_t thread,
                             WatchedProcess& process) {
  bool follow = call.follow;
  if (call.at_flags >= 0 &&
      (arguments[static_cast<std::size_t>(call.at_flags)] & AT_SYMLINK_NOFOLLOW) != 0)
    follow = false;
  std::uint64_t flags = 0;
  if (call.kind == PathCall::Kind::open)
    flags = call.use == FileUse::write ? O_CREAT | O_WRONLY | O_TRUNC : arguments[1];
  if (call.kind == PathCall::Kind::openat) flags = arguments[2];
  if ((flags & O_NOFOLLOW) != 0) follow = false;
  const auto target = target_of(call.first, arguments, thread, process, follow);
  if (!target) return 0;
  switch (call.kind) {
    case PathCall::Kind::open:
    case PathCall::Kind::openat:
      return decide_open(*target, flags, process);
    case PathCall::Kind::execute:
      return decide_execution(*target, process);
    case PathCall::Kind::change_directory:
      if (target->type == ObservedType::directory) process.add_alias(target->real, target->path);
      return use(*target, FileUse::look, target->type, process);
    case PathCall::Kind::change_owner: {
      // Gramine keeps owners in the enclave, and nobody asks for them.
      const CallAnswer answer = use(*target, call.use, target->type, process);
      return answer == 0 && target->type != ObservedType::unknown ? kDone : answer;
    }
    case PathCall::Kind::plain:
      break;
  }
  const auto typed = [&](const Target& one, FileUse how) {
    return call.of_directory && how == FileUse::create && one.type == ObservedType::unknown
               ? ObservedType::directory
               : one.type;
  };
  if (const CallAnswer answer = use(*target, call.use, typed(*target, call.use), process);
      answer != 0 || call.second.path < 0)
    return answer;
  const auto second = target_of(call.second, arguments, thread, process, false);
  if (!second) return 0;
  // What is renamed stays what it is.
  const ObservedType type = second->type == ObservedType::unknown ? target->type : second->type;
  return use(*second, call.second_use, type, process);
}

}  // namespace cloister::manifest
