// Under Gramine a mount hides what the image has there, a tmpfs is empty at start and each process
// has its own. So a mount should be as near to what is written as it can be, and not so near that a
// program would have to be told of every directory that it makes itself.
#include "manifest-gen/rehearse/verdict/written_places.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

// Everything of an image is below these: a mount here would replace the system, or a user's home.
constexpr std::string_view kShared[] = {
    "/",      "/bin",     "/boot",    "/etc",       "/home",      "/lib",
    "/lib32", "/lib64",   "/libx32",  "/opt",       "/sbin",      "/usr",
    "/var",   "/usr/bin", "/usr/lib", "/usr/local", "/usr/share", "/var/lib"};

// Below these everything is meant to stay.
constexpr std::string_view kLasting[] = {"/var/lib", "/srv", "/data", "/var/mail", "/home"};

constexpr std::string_view kDatabases[] = {".db",  ".sqlite", ".sqlite3", ".rdb",
                                           ".aof", ".mdb",    ".ldb"};

bool is_shared(std::string_view directory) {
  return std::find(std::begin(kShared), std::end(kShared), directory) != std::end(kShared) ||
         is_within(directory, "/proc") || is_within(directory, "/sys") ||
         is_within(directory, "/dev");
}

class MountPlanner {
 public:
  explicit MountPlanner(const WritingInput& input) : input_(input) {
    for (const WrittenPath& one : input.written)
      if (one.made_directory) made_.insert(one.path);
  }

  WritingPlan run() {
    for (const WrittenPath& one : input_.written)
      if (const auto place = place_of(one)) wanted_[*place].push_back(one.path);
    WritingPlan out;
    for (const auto& [place, paths] : wanted_) {
      // An encrypted mount covers all below it, and two of them must not overlap.
      const bool lasting = meant_to_stay(place, input_.volumes) || any_lasting(paths);
      std::size_t index = out.mounts.size();
      for (std::size_t i = 0; i < out.mounts.size(); ++i)
        if (lasting && out.mounts[i].kind == Proposal::Kind::encrypted &&
            is_within(place, out.mounts[i].path))
          index = i;
      if (index == out.mounts.size())
        out.mounts.push_back(
            path_proposal(lasting ? Proposal::Kind::encrypted : Proposal::Kind::tmpfs, place,
                          reason(place, paths, lasting)));
      for (const std::string& path : paths) out.mount.emplace(path, index);
    }
    return out;
  }

 private:
  // Where to mount so that `one` can be written.
  std::optional<std::string> place_of(const WrittenPath& one) const {
    if (one.changed_image) return std::nullopt;
    // Who changes a directory means to write there.
    if (one.changed_directory) return can_mount(one.path) ? std::optional(one.path) : std::nullopt;
    for (const std::string& volume : input_.volumes)
      if (is_within(one.path, volume) && one.path != volume && can_mount(volume)) return volume;
    std::string_view directory = parent_directory(one.path);
    std::string_view outermost = one.made_directory ? std::string_view(one.path) : directory;
    while (outermost != "/" && made_.contains(parent_directory(outermost)))
      outermost = parent_directory(outermost);
    if (made_.contains(outermost)) directory = parent_directory(outermost);
    if (can_mount(directory)) return std::string(directory);
    if (made_.contains(outermost) && can_mount(outermost)) return std::string(outermost);
    // Gramine mounts a single encrypted file as well; one that is made anew need not be there.
    if (!one.made_directory && meant_to_stay(one.path, input_.volumes) && can_mount(one.path))
      return one.path;
    return std::nullopt;
  }

  bool can_mount(std::string_view place) const {
    if (is_shared(place)) return false;
    const auto exact = input_.visible.find(place);
    if (exact != input_.visible.end()) return false;
    const std::string below = cat(place, "/");
    const auto at = input_.visible.lower_bound(below);
    return at == input_.visible.end() || !at->starts_with(below);
  }

  bool any_lasting(const std::vector<std::string>& paths) const {
    return std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
      return meant_to_stay(path, input_.volumes);
    });
  }

  static std::string reason(const std::string& place, const std::vector<std::string>& paths,
                            bool lasting) {
    std::string out = paths.size() == 1 && paths.front() == place ? std::string("written")
                                                                  : cat("writes ", paths.front());
    if (paths.size() > 1) out += cat(" and ", paths.size() - 1, " more");
    return out + (lasting ? ": meant to stay, encrypted for this very enclave"
                          : ": memory of the enclave, gone at its end");
  }

  const WritingInput& input_;
  std::set<std::string, std::less<>> made_;
  std::map<std::string, std::vector<std::string>> wanted_;
};

}  // namespace

bool meant_to_stay(std::string_view path, const std::set<std::string>& volumes) {
  return std::any_of(volumes.begin(), volumes.end(),
                     [&](const std::string& volume) { return is_within(path, volume); }) ||
         std::any_of(std::begin(kLasting), std::end(kLasting),
                     [&](std::string_view top) { return is_within(path, top); }) ||
         std::any_of(std::begin(kDatabases), std::end(kDatabases),
                     [&](std::string_view end) { return path.ends_with(end); });
}

WritingPlan plan_writing(const WritingInput& input) {
  return MountPlanner(input).run();
}

}  // namespace cloister::manifest
