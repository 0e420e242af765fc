// /cmd and /env are lines: a word of the command, a variable. The program is named by its path, as
// AWS's init looks for bare names in a PATH of its own and not in the image's.
#include "manifest-gen/guest/nitro_layout.h"

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kRootPrefix = "rootfs";
constexpr std::string_view kAllIsWritable =
    "AWS's first process makes nothing read-only: the whole root is in the enclave's memory, and "
    "lost when it ends";
// Where AWS's init mounts, or expects something to be.
constexpr std::string_view kMountPoints[] = {"dev", "proc", "run", "sys", "tmp", "var"};

GuestEntry plain_directory() {
  return {};
}

Result<GuestEntry> spooled_file(ByteView content, std::uint32_t mode, FileSpool& spool) {
  GuestEntry out;
  out.type = GuestEntry::Type::file;
  out.mode = mode;
  out.size = content.size();
  out.sha256 = sha256(content);
  CL_TRY(out.offset, spool.append(content));
  return out;
}

Result<std::string> lines_of(const std::vector<std::string>& words, std::string_view what) {
  std::string out;
  for (const std::string& word : words) {
    if (word.find('\n') != std::string::npos)
      return Error::unsupported(cat(what, " ", quote(word), " has a line feed in it"))
          .detail("AWS's init reads one from each line of a file")
          .hint("start a script of the image that sets it");
    out += word + "\n";
  }
  return out;
}

Result<std::string> variable_lines(const GuestPlan& plan) {
  std::vector<std::string> words;
  words.reserve(plan.env.size());
  for (const auto& [name, value] : plan.env) words.push_back(cat(name, "=", value));
  return lines_of(words, "the variable");
}

// Entries move: a root has hundreds of thousands of them.
GuestTree below_rootfs(GuestTree root) {
  GuestTree out;
  while (!root.empty()) {
    auto node = root.extract(root.begin());
    node.key() = node.key().empty() ? std::string(kRootPrefix) : cat(kRootPrefix, "/", node.key());
    out.insert(out.end(), std::move(node));
  }
  out.try_emplace(std::string(kRootPrefix), plain_directory());
  return out;
}

Status add_mount_points(GuestTree& root) {
  for (const std::string_view name : kMountPoints) {
    const auto [at, added] = root.try_emplace(cat(kRootPrefix, "/", name), plain_directory());
    if (!added && at->second.type == GuestEntry::Type::file)
      return Error::unsupported(cat("the image has a file '/", name, "'"))
          .detail("AWS's init mounts there, and wants a directory")
          .hint("remove it from the image");
  }
  return {};
}

}  // namespace

NitroPlan nitro_plan(GuestPlan plan) {
  NitroPlan out;
  out.ignores_user = plan.uid != 0 || plan.gid != 0 || !plan.groups.empty();
  out.ignores_workdir = plan.workdir != "/" && !plan.workdir.empty();
  out.plan.program = plan.program;
  out.plan.argv = std::move(plan.argv);
  if (out.plan.argv.empty()) out.plan.argv.emplace_back();
  out.plan.argv.front() = std::move(plan.program);
  out.plan.env = std::move(plan.env);
  out.plan.workdir = "/";
  out.plan.stop_signal = 0;
  out.plan.network = false;
  out.plan.ports = std::move(plan.ports);
  out.plan.writable = {{"/", 0755, 0, 0, std::string(kAllIsWritable)}};
  return out;
}

Result<NitroLayout> nitro_layout(const GuestPlan& plan, GuestTree root, const NitroBoot& boot,
                                 FileSpool& spool) {
  CL_TRY(const std::string command, lines_of(plan.argv, "the argument"));
  CL_TRY(const std::string variables, variable_lines(plan));
  NitroLayout out;
  out.root = below_rootfs(std::move(root));
  CL_CHECK(add_mount_points(out.root));
  out.boot["dev"] = plain_directory();
  CL_TRY(out.boot["init"], spooled_file(boot.init, 0755, spool));
  if (!boot.nsm.empty()) {
    CL_TRY(out.boot["nsm.ko"], spooled_file(boot.nsm, 0755, spool));
  }
  CL_TRY(out.start["cmd"], spooled_file(as_bytes(command), 0644, spool));
  CL_TRY(out.start["env"], spooled_file(as_bytes(variables), 0644, spool));
  return out;
}

}  // namespace cloister::manifest
