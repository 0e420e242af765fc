// The shells' scripts, and what they ask for: names of commands, options and values from the
// manual, images from the store and from layouts on this machine. Nothing is fetched, nothing made.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/command_line.h"
#include "cmd/exit_code.h"
#include "cmd/manual/completion.h"
#include "cmd/output.h"
#include "oci/documents/layout_index.h"

namespace cloister::cmd {
namespace {

constexpr std::size_t kMaxCandidates = 500;

struct CompletionOptions {
  std::vector<std::string> words;
};

// The names in a layout's index.json; none where there is no layout.
std::vector<std::string> layout_names(const fs::path& directory) {
  const Limits limits;
  std::vector<std::string> out;
  const auto text = read_text_file((directory / "index.json").native(), limits.manifest_bytes);
  if (!text.has_value()) return out;
  const auto index = oci::parse_image_index(*text, limits);
  if (!index.has_value()) return out;
  for (const oci::Descriptor& entry : index->manifests)
    if (const auto name = entry.annotations.find(std::string(oci::kRefName));
        name != entry.annotations.end())
      out.push_back(name->second);
  return out;
}

// Images of registries are typed as Docker shows them, or in full.
void add_stored(const fs::path& store, const std::string& prefix, std::set<std::string>& out) {
  for (const std::string& name : layout_names(store)) {
    for (const std::string_view implied : {"docker.io/library/", "docker.io/", ""})
      if (name.starts_with(implied)) {
        const std::string shown = name.substr(implied.size());
        if (shown.starts_with(prefix)) out.insert(shown);
        if (!prefix.empty() && name.starts_with(prefix)) out.insert(name);
        break;
      }
  }
}

// "oci:DIR:TAG" from what lies in the file system; directories end in "/", to be gone on from.
void add_local(const std::string& transport, const std::string& typed, bool tags,
               std::set<std::string>& out) {
  const std::size_t colon = typed.rfind(':');
  if (tags && colon != std::string::npos) {
    for (const std::string& name : layout_names(typed.substr(0, colon)))
      out.insert(cat(transport, typed.substr(0, colon + 1), name));
    return;
  }
  const std::size_t slash = typed.rfind('/');
  const std::string before = slash == std::string::npos ? "" : typed.substr(0, slash + 1);
  std::error_code error;
  std::size_t seen = 0;
  for (fs::directory_iterator entry(before.empty() ? "." : before, error), end;
       !error && entry != end && seen < 100 * kMaxCandidates; entry.increment(error), ++seen) {
    const std::string name = cat(before, entry->path().filename().native());
    if (!name.starts_with(typed) || (name == before && !typed.empty())) continue;
    std::error_code unknown;
    if (!entry->is_directory(unknown)) {
      if (!tags || transport != "oci:") out.insert(cat(transport, name));
      continue;
    }
    const bool layout = fs::exists(entry->path() / "oci-layout", unknown);
    out.insert(cat(transport, name, layout && transport == "oci:" ? ":" : "/"));
  }
}

void add_images(const fs::path& store, const std::string& prefix, std::set<std::string>& out) {
  for (const char* transport : {"oci:", "oci-archive:", "docker-archive:"})
    if (prefix.starts_with(transport)) {
      const std::string typed = prefix.substr(std::string_view(transport).size());
      return add_local(transport, typed, transport == std::string_view("oci:"), out);
    }
  add_stored(store, prefix, out);
  for (const char* transport : {"oci:", "oci-archive:", "docker-archive:", "docker-daemon:"})
    if (!prefix.empty() && std::string_view(transport).starts_with(prefix)) out.insert(transport);
}

Result<int> print_candidates(const CompletionOptions& o, const Environment& env) {
  const CommandLine line;
  const Candidates found = complete(line.manual(), o.words);
  std::string out;
  for (const Candidate& candidate : found.words)
    out += cat(candidate.word, candidate.text.empty() ? "" : "\t", candidate.text, "\n");
  if (found.images) {
    const auto store = env.get("CLOISTER_STORE").value_or(env.cache_directory());
    std::set<std::string> images;
    add_images(store, found.prefix, images);
    std::size_t left = kMaxCandidates;
    for (const std::string& image : images)
      if (is_plain_word(image) && image.starts_with(found.prefix) && left > 0)
        out += cat(found.before, image, "\n"), --left;
  }
  if (found.files) out += ":files\n";
  CL_CHECK(write_result("", out));
  return kExitDone;
}

}  // namespace

Action add_completion(CLI::App& app) {
  auto o = std::make_shared<CompletionOptions>();
  app.require_subcommand(1);
  CLI::App* bash = app.add_subcommand("bash", "The script for bash");
  CLI::App* zsh = app.add_subcommand("zsh", "The script for zsh");
  app.add_subcommand("fish", "The script for fish");
  CLI::App* candidates = app.add_subcommand("candidates",
                                            "What may follow, as those scripts ask: a line per "
                                            "candidate, WORD<tab>what it is, and :files "
                                            "where names of files fit too");
  candidates->add_option("WORD", o->words,
                         "Words behind \"cloister\", after --; the last one is being typed");
  return [o, bash, zsh, candidates](const Environment& env) -> Result<int> {
    if (candidates->parsed()) return print_candidates(*o, env);
    const char* shell = bash->parsed() ? "bash" : zsh->parsed() ? "zsh" : "fish";
    CL_CHECK(write_result("", completion_script(shell)));
    return kExitDone;
  };
}

}  // namespace cloister::cmd
