// The analyser of Perl does the work. It knows by the name "libperl" that the interpreter is the
// library, whose directories of modules are others than those of /usr/bin/perl.
#include "manifest-gen/runtimes/embedded_perl.h"

#include <utility>

#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/runtimes/paths.h"

namespace cloister::manifest {
namespace {

constexpr std::size_t kPerlPrograms = 32;
constexpr std::string_view kPerl = "/usr/bin/perl";

bool is_perl_module(std::string_view word) {
  return !word.empty() && word.front() >= 'A' && word.front() <= 'Z' &&
         word.find_first_of("/$+-.*") == word.npos && word != "On" && word != "Off";
}

}  // namespace

void EmbeddedPerl::directive(const ConfigDirective& directive) {
  const std::string name = lower_ascii(directive.name);
  if (!name.starts_with("perl") || directive.words.empty()) return;
  const std::string& word = directive.words.front();
  if (name == "perlrequire" || name == "perlpostconfigrequire" || name == "perlconfigrequire") {
    if (is_file(rootfs_, word)) programs_.insert(word);
  } else if (name == "perl_modules" || name == "perl_require") {
    modules_.insert("-Mnginx");  // the programs are what perl_modules serves
  } else if (name.ends_with("handler") || name == "perlmodule" || name == "perlloadmodule") {
    for (const std::string& module : directive.words)
      if (is_perl_module(module)) modules_.insert(cat("-M", module));
  } else {
    return;
  }
  from_ = directive.name;
}

std::vector<ClosureRoot> EmbeddedPerl::starts(const std::vector<ClosureRoot>& served) {
  if (from_.empty() || !is_file(rootfs_, kPerl)) return {};
  for (const ClosureRoot& root : served) {
    if (!root.path_or_glob.ends_with("/**")) continue;
    for (std::string& file : expand_glob(rootfs_, root.path_or_glob))
      if (facts_of(file) != nullptr && programs_.size() < kPerlPrograms)
        programs_.insert(std::move(file));
  }
  std::vector<std::string> options{"libperl"};
  for (const std::string& program : programs_)
    if (const measure::source::Facts* facts = facts_of(program))
      for (const std::string& name : facts->names)
        if (name.starts_with("lib:/")) options.push_back(cat("-I", name.substr(4)));
  options.insert(options.end(), modules_.begin(), modules_.end());
  std::vector<ClosureRoot> out;
  const auto start = [&](const std::vector<std::string>& program) {
    std::vector<std::string> argv = options;
    argv.insert(argv.end(), program.begin(), program.end());
    ClosureRoot root{std::string(kPerl), Why::script_command,
                     cat("runs in the server, says ", from_), true};
    root.argv = std::move(argv);
    out.push_back(std::move(root));
  };
  for (const std::string& program : programs_) start({program});
  if (programs_.empty()) start({"-e", "1"});
  return out;
}

const measure::source::Facts* EmbeddedPerl::facts_of(const std::string& path) const {
  const measure::Node* node = rootfs_.find(path);
  const measure::source::Facts* facts =
      node != nullptr && node->is_regular() ? rootfs_.source_facts(*node) : nullptr;
  return facts != nullptr && facts->language == measure::source::Language::perl ? facts : nullptr;
}

}  // namespace cloister::manifest
