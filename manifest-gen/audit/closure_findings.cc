// What a closure leaves open: what it lacks, what the user chose over it.
#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::manifest {
namespace {
// What the user chose over the closure: on record, so that a reviewer sees it.
void choice_findings(const Closure& closure, std::vector<Finding>& out) {
  for (const Closure::Included& item : closure.included) {
    out.push_back(make_finding(kRuleIncluded, item.option,
                               cat("grants ", item.files, item.files == 1 ? " file, " : " files, ",
                                   human_bytes(item.bytes), ", and what they need"),
                               "nothing, if that is what was meant"));
    for (const std::string& path : item.secrets)
      out.push_back(make_finding(kRuleIncludedSecret, path,
                                 cat("looks like a secret, and ", item.option, " grants it"),
                                 "keep it out of the image: the host reads every trusted file"));
  }
  for (const Closure::Excluded& item : closure.excluded) {
    if (item.path.empty())
      out.push_back(make_finding(kRuleExcluded, cat("--exclude ", item.pattern),
                                 "leaves nothing out: no such file would be granted",
                                 "nothing, if it is a precaution"));
    else
      out.push_back(
          make_finding(kRuleExcluded, item.path,
                       cat("left out by --exclude ", item.pattern, "; wanted as ", item.wanted),
                       "make sure that the program does without"));
  }
  if (closure.trust == Trust::package || closure.trust == Trust::all)
    out.push_back(make_finding(kRuleTrustWide, cat("--trust ", trust_name(closure.trust)),
                               closure.trust == Trust::all
                                   ? "every file of the image is granted"
                                   : "every file of every package involved is granted",
                               "leave --trust out, and --include what the program misses"));
  if (closure.trust == Trust::none && !closure.denied.empty()) {
    std::string some;
    for (std::size_t i = 0; i < closure.denied.size() && i < 5; ++i)
      some += cat(i > 0 ? ", " : "", closure.denied[i]);
    out.push_back(make_finding(kRuleTrustNone, "--trust none",
                               cat("the program needs ", closure.denied.size(),
                                   " more files: ", some, closure.denied.size() > 5 ? " …" : ""),
                               "--include what it needs, or leave --trust out"));
  }
}

Finding unresolved_finding(const Unresolved& item) {
  return make_finding(kRuleUnresolved, item.needed_by,
                      cat("needs ", item.name, ", which was not found",
                          item.searched.empty() ? "" : " in ", join(item.searched, ", ")),
                      "add it to the image or give a further --runtime; cloister deps shows "
                      "the whole tree");
}

// "without -Xmx …; set -Xmx, and …": what is seen, and what to do about it.
Finding unknown_finding(const Closure::Unknown& item) {
  static constexpr std::string_view kTodo[] = {"compile ", "install ", "name ", "set ", "start "};
  const std::size_t at = item.what.rfind("; ");
  const std::string_view rest =
      at == std::string::npos ? std::string_view() : std::string_view(item.what).substr(at + 2);
  if (std::none_of(std::begin(kTodo), std::end(kTodo),
                   [&](std::string_view verb) { return rest.starts_with(verb); }))
    return make_finding(kRuleUnknown, item.program, item.what,
                        "try the program, and --include what it misses");
  return make_finding(kRuleUnknown, item.program, item.what.substr(0, at), std::string(rest));
}

}  // namespace

std::vector<Finding> closure_findings(const Closure& closure) {
  std::vector<Finding> out;
  for (const Unresolved& item : closure.unresolved) out.push_back(unresolved_finding(item));
  choice_findings(closure, out);
  for (const std::string& path : closure.withheld)
    out.push_back(
        make_finding(kRuleWithheld, path,
                     is_utf8(path) ? "looks like a secret: not granted"
                                   : "its name is not UTF-8: a manifest cannot express it",
                     "keep it out of the image; --include it if the program cannot do without"));
  for (const Unresolved& item : closure.unresolved_optional)
    out.push_back(make_finding(kRuleMissingOptional, item.needed_by, cat("needs ", item.name),
                               "nothing, unless the program uses that part"));
  for (const Closure::Unknown& item : closure.unknown) out.push_back(unknown_finding(item));
  return out;
}

}  // namespace cloister::manifest
