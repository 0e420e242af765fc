#include "cmd/report/learn.h"

#include <algorithm>

#include "base/text.h"
#include "cmd/report/markdown.h"
#include "cmd/wrap.h"
#include "manifest-gen/rehearse/verdict/overlay.h"

namespace cloister::cmd {
namespace {

using manifest::FileUse;
using manifest::ObservedRun;
using manifest::Proposal;

std::string counted_words(std::uint64_t count, std::string_view one, std::string_view many) {
  return cat(count, " ", count == 1 ? one : many);
}

std::uint64_t paths_with(const ObservedRun& run, std::initializer_list<FileUse> uses) {
  return static_cast<std::uint64_t>(
      std::count_if(run.paths.begin(), run.paths.end(), [&](const auto& item) {
        return std::any_of(uses.begin(), uses.end(), [&](FileUse use) {
          return item.second.of(use).done + item.second.of(use).refused > 0;
        });
      }));
}

// One sentence each.
std::vector<std::string> what_was_seen(const Learned& learned) {
  const ObservedRun& run = learned.run;
  std::vector<std::string> out;
  const std::uint64_t refused = static_cast<std::uint64_t>(
      std::count_if(run.paths.begin(), run.paths.end(), [](const auto& item) {
        return std::any_of(item.second.uses.begin(), item.second.uses.end(),
                           [](const manifest::UseCount& count) { return count.refused > 0; });
      }));
  std::string files = cat(
      counted_words(paths_with(run, {FileUse::read, FileUse::execute}), "path was", "paths were"),
      " opened or executed, ", paths_with(run, {FileUse::write, FileUse::create, FileUse::remove}),
      " written, ", paths_with(run, {FileUse::look, FileUse::list}), " looked at");
  if (refused > 0) files += cat("; ", refused, " of them refused");
  out.push_back(std::move(files));
  std::string work = cat(counted_words(run.executions, "program was", "programs were"),
                         " started, ", counted_words(run.forks, "process", "processes"), " and ",
                         counted_words(run.threads, "thread", "threads"), " made");
  if (run.exit_status) work += cat("; it ended with status ", *run.exit_status);
  if (run.exit_signal) work += cat("; signal ", *run.exit_signal, " ended it");
  out.push_back(std::move(work));
  for (const auto& [socket, count] : run.sockets)
    if (socket.action != "socket" && !socket.address.empty())
      out.push_back(cat(socket.action == "bind" ? "it listens at " : "it connects to ",
                        printable(socket.address), " (", printable(socket.family), ")"));
  if (!run.unimplemented.empty()) {
    std::vector<std::string> names;
    for (const auto& [name, count] : run.unimplemented) names.push_back(printable(name));
    out.push_back(cat("Gramine does not implement ", join(names, ", ")));
  }
  return out;
}

std::string learned_heading(const Learned& learned) {
  std::string command;
  for (const std::string& word : learned.run.command)
    command += cat(command.empty() ? "" : " ", printable(word));
  if (command.size() > 200) command = command.substr(0, 200) + "…";
  return cat("Learned from ",
             learned.run.source == "rehearsal" ? "a rehearsal"
             : learned.run.source == "gramine" ? "Gramine's log"
                                               : "strace's output",
             command.empty() ? "" : cat(" of: ", command));
}

std::string proposal_heading(const Learned& learned) {
  if (learned.proposals.empty()) {
    if (learned.image.empty() || !learned.findings.empty()) return "Nothing to propose";
    return cat("The manifest of ", printable(learned.image), " lets all of it through");
  }
  return learned.image.empty() ? "Proposed"
                               : cat("Not in the manifest of ", printable(learned.image));
}

std::string subject_of(const Proposal& proposal) {
  if (proposal.kind == Proposal::Kind::value)
    return cat(printable(proposal.key), " = ", printable(proposal.value));
  return printable(proposal.path);
}

}  // namespace

std::string learn_text(const Learned& learned, std::size_t width) {
  std::string out = wrapped(learned_heading(learned), "", width);
  for (const std::string& line : what_was_seen(learned)) out += wrapped(line, "  - ", width);
  out += cat("\n", wrapped(proposal_heading(learned), "", width));
  for (const Proposal& proposal : learned.proposals) {
    std::string kind(manifest::proposal_kind_name(proposal.kind));
    kind.resize(std::max<std::size_t>(kind.size(), 12), ' ');
    out += cat("  ", kind, "  ", subject_of(proposal), "\n");
    out += wrapped(printable(proposal.reason), std::string(16, ' '), width);
  }
  if (!learned.findings.empty()) out += "\nRefused, and nothing to propose for it\n";
  for (const std::string& finding : learned.findings)
    out += wrapped(printable(finding), "  - ", width);
  if (!learned.run.notes.empty()) out += "\nNot seen, or in doubt\n";
  for (const std::string& note : learned.run.notes) out += wrapped(printable(note), "  - ", width);
  return out;
}

std::string learn_markdown(const Learned& learned) {
  std::string out = cat("### ", markdown_text(learned_heading(learned)), "\n\n");
  for (const std::string& line : what_was_seen(learned))
    out += cat("- ", markdown_text(line), "\n");
  out += cat("\n#### ", markdown_text(proposal_heading(learned)), "\n\n");
  if (!learned.proposals.empty()) out += "| as | what | why |\n|---|---|---|\n";
  for (const Proposal& proposal : learned.proposals)
    out += cat("| ", manifest::proposal_kind_name(proposal.kind), " | ",
               markdown_code(subject_of(proposal)), " | ",
               markdown_text(printable(proposal.reason)), " |\n");
  if (!learned.findings.empty()) out += "\n#### Refused, and nothing to propose for it\n\n";
  for (const std::string& finding : learned.findings)
    out += cat("- ", markdown_text(printable(finding)), "\n");
  if (!learned.run.notes.empty()) out += "\n#### Not seen, or in doubt\n\n";
  for (const std::string& note : learned.run.notes)
    out += cat("- ", markdown_text(printable(note)), "\n");
  return out;
}

std::string learn_toml(const Learned& learned) {
  std::string head = cat("# ", learned_heading(learned), "\n");
  for (const std::string& line : what_was_seen(learned)) head += cat("#   ", line, "\n");
  if (learned.proposals.empty()) head += cat("# ", proposal_heading(learned), ".\n");
  for (const auto* notes : {&learned.findings, &learned.run.notes})
    for (const std::string& note : *notes) head += cat("# Note: ", printable(note), "\n");
  return head + manifest::overlay_toml(learned.proposals);
}

}  // namespace cloister::cmd
