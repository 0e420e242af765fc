// A closure is computed whole and then cut: so it is known what was left out, who wanted it, and
// whether the program starts without it. A pattern that names a file by any of its paths takes the
// file with all of them: half a file is a trap for whoever reads the manifest.
//
// An exclusion that takes something the loader wants before the program's first instruction is an
// error and not a finding: such a manifest is never what was meant, and fails only in the enclave.
#include "manifest-gen/closure/narrow.h"

#include <algorithm>
#include <deque>
#include <map>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/closure/withheld.h"

namespace cloister::manifest {
namespace {

bool is_dropped_by(std::string_view pattern, std::string_view path) {
  if (has_wildcard(pattern)) return match_path(pattern, path);
  const std::string normal = measure::normalize_path(pattern);
  return is_within(path, normal);
}

// Without these the kernel or the loader refuses to start the program.
bool is_for_start(Why why) {
  return why == Why::entrypoint || why == Why::interpreter || why == Why::needed ||
         why == Why::shebang;
}

// Analysers of languages name a module once, by the first who imports it: without that one others
// may still.
bool is_first_of_many(Why why) {
  return why >= Why::python_import && why <= Why::r_library;
}

class Narrowing {
 public:
  Narrowing(Closure& closure, const ClosureRequest& request, const measure::Rootfs& rootfs)
      : closure_(closure), request_(request), rootfs_(rootfs), out_(closure.members.size()) {
    outgoing_.resize(closure.members.size());
    for (std::size_t i = 0; i < closure.edges.size(); ++i)
      if (closure.edges[i].from != kLaunch) outgoing_[closure.edges[i].from].push_back(i);
  }

  Status run() {
    for (const std::string& pattern : request_.excludes) CL_CHECK(exclude(pattern));
    CL_CHECK(check_start());
    if (request_.trust == Trust::none || !request_.excludes.empty()) cut();
    count_included();
    return {};
  }

 private:
  Status exclude(const std::string& pattern) {
    bool any = false;
    for (std::size_t i = 0; i < closure_.members.size(); ++i) {
      const Member& member = closure_.members[i];
      if (!std::any_of(member.paths.begin(), member.paths.end(),
                       [&](const std::string& path) { return is_dropped_by(pattern, path); }))
        continue;
      any = true;
      if (out_[i]) continue;
      out_[i] = true;
      closure_.excluded.push_back({pattern, member.real_path, wanted(i), member.size});
    }
    any =
        std::erase_if(closure_.withheld,
                      [&](const std::string& path) { return is_dropped_by(pattern, path); }) > 0 ||
        any;
    if (any) return {};
    if (expand_glob(rootfs_, pattern).empty())
      return Error::unresolved(cat("--exclude ", quote(pattern), " matches no file of the image"))
          .hint("cloister files lists them; '*' stays within a directory, \"**\" goes below");
    closure_.excluded.push_back({pattern, "", "", 0});
    return {};
  }

  std::string wanted(std::size_t member) const {
    for (const Edge& edge : closure_.edges) {
      if (edge.to != member || edge.from == member) continue;
      std::string out = cat(why_name(edge.why), ": ", edge.detail);
      if (edge.from != kLaunch) out += cat(" (", closure_.members[edge.from].real_path, ")");
      return out;
    }
    return {};
  }

  // The chain from the entrypoint to the first excluded member that the program cannot start
  // without.
  Status check_start() const {
    std::vector<std::size_t> via(closure_.members.size(), kLaunch);  // edge by which it was reached
    std::vector<bool> seen(closure_.members.size());
    std::deque<std::size_t> work;
    if (!closure_.members.empty()) work.push_back(0), seen[0] = true;
    while (!work.empty()) {
      const std::size_t at = work.front();
      work.pop_front();
      if (out_[at]) return refuse(at, via);
      for (const std::size_t edge : outgoing_[at]) {
        const Edge& e = closure_.edges[edge];
        if (!is_for_start(e.why) || seen[e.to]) continue;
        seen[e.to] = true;
        via[e.to] = edge;
        work.push_back(e.to);
      }
    }
    return {};
  }

  Status refuse(std::size_t member, const std::vector<std::size_t>& via) const {
    const std::string& path = closure_.members[member].real_path;
    const auto culprit = std::find_if(closure_.excluded.begin(), closure_.excluded.end(),
                                      [&](const Closure::Excluded& e) { return e.path == path; });
    Error error = Error::conflict(cat("--exclude ", quote(culprit->pattern), " takes ", quote(path),
                                      ", and the program does not start without it"));
    for (std::size_t at = member; via[at] != kLaunch; at = closure_.edges[via[at]].from) {
      const Edge& edge = closure_.edges[via[at]];
      error = std::move(error).detail(cat(printable(closure_.members[edge.from].real_path), ": ",
                                          why_name(edge.why), " ", printable(edge.detail)));
    }
    return std::move(error).hint("narrow the pattern, or exclude what needs the file");
  }

  // Keeps what the launch still reaches.
  void cut() {
    std::vector<bool> kept(closure_.members.size());
    std::deque<std::size_t> work;
    const auto keep = [&](std::size_t member) {
      if (out_[member] || kept[member]) return;
      kept[member] = true;
      work.push_back(member);
    };
    if (request_.trust == Trust::none) {
      // The entrypoint and its interpreters; and what the user includes, with what it needs.
      keep(0);
      while (!work.empty()) {
        const std::size_t at = work.front();
        work.pop_front();
        for (const std::size_t edge : outgoing_[at])
          if (closure_.edges[edge].why == Why::interpreter ||
              closure_.edges[edge].why == Why::shebang)
            keep(closure_.edges[edge].to);
      }
      for (const Edge& edge : closure_.edges)
        if (edge.from == kLaunch && edge.why == Why::include) keep(edge.to);
    } else {
      for (const Edge& edge : closure_.edges)
        if (edge.from == kLaunch || is_first_of_many(edge.why)) keep(edge.to);
    }
    while (!work.empty()) {
      const std::size_t at = work.front();
      work.pop_front();
      for (const std::size_t edge : outgoing_[at]) keep(closure_.edges[edge].to);
    }
    if (request_.trust == Trust::none) deny(kept);
    rebuild(kept);
  }

  void deny(const std::vector<bool>& kept) {
    for (std::size_t i = 0; i < kept.size(); ++i)
      if (!kept[i] && !out_[i]) closure_.denied.push_back(closure_.members[i].real_path);
    std::sort(closure_.denied.begin(), closure_.denied.end());
    // Nothing was promised beyond what is granted; what the user included is another matter.
    std::erase_if(closure_.unresolved, [](const Unresolved& u) { return u.from != kLaunch; });
    closure_.unresolved_optional.clear();
    closure_.withheld.clear();
  }

  void rebuild(const std::vector<bool>& kept) {
    std::vector<std::size_t> renamed(kept.size(), kLaunch);
    std::vector<Member> members;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (!kept[i]) continue;
      renamed[i] = members.size();
      members.push_back(std::move(closure_.members[i]));
    }
    closure_.members = std::move(members);
    std::erase_if(closure_.edges, [&](const Edge& edge) {
      return !kept[edge.to] || (edge.from != kLaunch && !kept[edge.from]);
    });
    for (Edge& edge : closure_.edges) {
      if (edge.from != kLaunch) edge.from = renamed[edge.from];
      edge.to = renamed[edge.to];
    }
    for (auto* list : {&closure_.unresolved, &closure_.unresolved_optional}) {
      std::erase_if(*list, [&](const Unresolved& u) { return u.from != kLaunch && !kept[u.from]; });
      for (Unresolved& u : *list)
        if (u.from != kLaunch) u.from = renamed[u.from];
    }
  }

  void count_included() {
    std::map<std::string, std::size_t> at;
    for (const Edge& edge : closure_.edges) {
      if (edge.from != kLaunch || edge.why != Why::include) continue;
      const auto [found, added] = at.try_emplace(edge.detail, closure_.included.size());
      if (added) closure_.included.push_back({edge.detail, 0, 0, {}});
      Closure::Included& included = closure_.included[found->second];
      const Member& member = closure_.members[edge.to];
      ++included.files;
      included.bytes += member.size;
      if (looks_secret(member.real_path)) included.secrets.push_back(member.real_path);
    }
  }

  Closure& closure_;
  const ClosureRequest& request_;
  const measure::Rootfs& rootfs_;
  std::vector<bool> out_;  // excluded
  std::vector<std::vector<std::size_t>> outgoing_;
};

}  // namespace

Status narrow_closure(Closure& closure, const ClosureRequest& request,
                      const measure::Rootfs& rootfs) {
  return Narrowing(closure, request, rootfs).run();
}

}  // namespace cloister::manifest
