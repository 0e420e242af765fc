#include "cmd/report/html_sections.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/text.h"
#include "cmd/report/html_data.h"

namespace cloister::cmd {
namespace {

constexpr std::array<std::string_view, 5> kReportSeverities = {"critical", "high", "medium", "low",
                                                               "info"};

void add_fact(Markup& out, std::string_view term, const Markup& value) {
  out.raw("<div><dt>").text(term).raw("</dt><dd>").add(value).raw("</dd></div>\n");
}

// A value to be copied: the script puts a button beside it.
Markup copied(std::string_view value) {
  Markup out;
  out.raw("<code class=\"copy\">").text(value).raw("</code>");
  return out;
}

Markup as_code(std::string_view value) {
  Markup out;
  out.raw("<code>").text(value).raw("</code>");
  return out;
}

std::string_view subject_noun(const Json& audit) {
  const std::string_view kind = text_of(object_of(audit, "subject"), "kind");
  if (kind == "enclave-image") return "Enclave image";
  if (kind == "manifest") return "Manifest";
  if (kind == "overlay") return "Overlay";
  return "Image";
}

bool programs_are_known(const Json& audit) {
  const std::string_view kind = text_of(object_of(audit, "subject"), "kind");
  return kind == "image" || kind == "enclave-image";
}

// How many findings reach the gate.
std::uint64_t at_or_above(const Json& counts, std::string_view severity) {
  std::uint64_t sum = 0;
  for (const std::string_view s : kReportSeverities) {
    sum += number_of(counts, s);
    if (s == severity) break;
  }
  return sum;
}

void verdict_sentence(Markup& out, const Json& audit) {
  const Json& verdict = object_of(audit, "verdict");
  const Json& counts = object_of(audit, "counts");
  const std::string_view gate = text_of(verdict, "failOn");
  const std::string_view worst = text_of(verdict, "worst");
  const std::uint64_t accepted = number_of(counts, "accepted");
  if (flag_of(verdict, "passed")) {
    if (worst.empty())
      out.text(accepted > 0 ? "Every finding is accepted." : "There is no finding.");
    else if (gate == "none" || gate.empty())
      out.raw("The worst finding is ").text(worst).raw("; no severity was set to fail.");
    else
      out.raw("No finding is ")
          .text(gate)
          .text(gate == "critical" ? "; the worst is " : " or worse; the worst is ")
          .text(worst)
          .raw(".");
    return;
  }
  const std::uint64_t failing = at_or_above(counts, gate);
  out.count(failing).text(failing == 1 ? " finding is " : " findings are ").text(gate);
  if (gate != "critical") out.raw(" or worse");
  if (worst != gate) out.raw("; the worst is ").text(worst);
  out.raw(".");
}

Markup command_line(const Json& launch) {
  Markup out;
  for (const Json& argument : list_of(launch, "argv"))
    if (argument.is_string())
      out.raw("<code class=\"arg\">").text(argument.get_ref<const std::string&>()).raw("</code> ");
  return out;
}

void launch_facts(Markup& out, const Json& audit) {
  if (!has(audit, "launch")) return;
  const Json& launch = object_of(audit, "launch");
  add_fact(out, "Runs", command_line(launch));
  Markup program;
  program.raw("<code>").text(text_of(launch, "entrypoint")).raw("</code> in <code>");
  program.text(text_of(launch, "workdir")).raw("</code> as user ");
  program.text(cat(number_of(launch, "uid"), ":", number_of(launch, "gid")));
  if (const auto kind = text_of(launch, "kind"); !kind.empty())
    program.raw(", recognised as ").text(kind);
  add_fact(out, "Program", program);
}

void enclave_facts(Markup& out, const Json& audit) {
  const Json& sgx = object_of(audit, "sgx");
  if (has(sgx, "mrenclave")) add_fact(out, "MRENCLAVE", copied(text_of(sgx, "mrenclave")));
  Markup enclave;
  if (has(sgx, "enclaveSize")) enclave.text(human_bytes(number_of(sgx, "enclaveSize"))).raw(", ");
  if (has(sgx, "maxThreads"))
    enclave.count(number_of(sgx, "maxThreads"))
        .text(number_of(sgx, "maxThreads") == 1 ? " thread, " : " threads, ");
  if (flag_of(sgx, "debug"))
    enclave.raw("<strong class=\"bad\">debug</strong>");
  else
    enclave.raw("no debugging");
  if (flag_of(sgx, "edmm")) enclave.raw(", EDMM");
  const std::string_view attestation = text_of(sgx, "remoteAttestation");
  if (attestation.empty() || attestation == "none")
    enclave.raw(", <strong class=\"bad\">no attestation</strong>");
  else
    enclave.raw(", attested by ").text(attestation == "dcap" ? "DCAP" : attestation);
  enclave.text(
      cat(", product ", number_of(sgx, "isvprodid"), ", version ", number_of(sgx, "isvsvn")));
  if (has(audit, "sgx")) add_fact(out, "Enclave", enclave);
}

void origin_facts(Markup& out, const Json& audit) {
  const Json& subject = object_of(audit, "subject");
  const Json& base = object_of(audit, "base");
  const Json& runtime = object_of(audit, "runtime");
  const std::string_view digest = text_of(subject, "digest");
  if (has(base, "digest") && text_of(base, "digest") != digest) {
    Markup value = as_code(text_of(base, "name"));
    value.raw("<br>").add(copied(text_of(base, "digest")));
    add_fact(out, "Base", value);
  }
  if (has(audit, "runtime")) {
    Markup value;
    value.text(text_of(runtime, "name")).raw(" ").text(text_of(runtime, "version"));
    if (has(runtime, "digest")) value.raw("<br>").add(copied(text_of(runtime, "digest")));
    add_fact(out, "Runtime", value);
  }
  if (const auto manifest = text_of(object_of(audit, "manifest"), "digest"); !manifest.empty())
    add_fact(out, "Manifest digest", copied(manifest));
}

enum class Tone { may_not, unknown, may, exposed };

std::string_view tone_class(Tone tone) {
  switch (tone) {
    case Tone::may_not:
      return "may-not";
    case Tone::unknown:
      return "unknown";
    case Tone::may:
      return "may";
    case Tone::exposed:
      return "exposed";
  }
  return {};
}

// One question about what it may do, its answer, and what stands behind that.
void add_answer(Markup& out, std::string_view question, Tone tone, std::string_view answer,
                const Markup& detail) {
  out.raw("<div class=\"");
  out.word(tone_class(tone));
  out.raw("\"><dt>").text(question).raw("</dt><dd><strong>").text(answer).raw("</strong>");
  if (!detail.str().empty()) out.raw("<div class=\"detail\">").add(detail).raw("</div>");
  out.raw("</dd></div>\n");
}

constexpr std::size_t kNamesShown = 6;

// Texts of `list` as code, the first few at once, the rest to unfold.
Markup names(const Json& list) {
  Markup out;
  std::size_t shown = 0;
  for (const Json& name : list) {
    if (!name.is_string()) continue;
    if (shown == kNamesShown && list.size() > kNamesShown + 1)
      out.raw("<details class=\"more\"><summary>and ")
          .count(list.size() - shown)
          .raw(" more</summary>");
    out.raw("<code>").text(name.get_ref<const std::string&>()).raw("</code> ");
    ++shown;
  }
  if (shown > kNamesShown && list.size() > kNamesShown + 1) out.raw("</details>");
  return out;
}

void add_files_answer(Markup& out, const Json& audit) {
  const Json& surface = object_of(audit, "surface");
  const std::uint64_t files = number_of(surface, "files");
  const std::uint64_t all = number_of(surface, "imageFiles");
  Markup detail;
  if (all > 0 && files <= all) {
    detail.raw("of ").count(all).raw(" in the image <meter min=\"0\" max=\"");
    detail.word(std::to_string(all)).raw("\" value=\"").word(std::to_string(files));
    detail.raw("\">").count(files).raw("</meter>");
  }
  Markup number;
  number.count(files).text(files == 1 ? " file" : " files");
  std::string answer = number.str();
  if (const auto bytes = number_of(surface, "bytes"); bytes > 0)
    answer += cat(", ", human_bytes(bytes));
  if (programs_are_known(audit)) {
    const std::uint64_t elf = number_of(surface, "elf");
    const std::uint64_t scripts = number_of(surface, "scripts");
    detail.count(elf).text(elf == 1 ? " ELF file, " : " ELF files, ");
    detail.count(scripts).text(scripts == 1 ? " script" : " scripts");
  }
  add_answer(out, "Open files", Tone::may, answer, detail);
}

struct CapabilityQuestion {
  std::string_view name, question;
};
constexpr CapabilityQuestion kCapabilityQuestions[] = {
    {"network", "Use the network"},
    {"execute", "Start other programs"},
    {"fork", "Start more processes"},
    {"load code", "Load code while it runs"},
};

void add_capability(Markup& out, std::string_view question, const Json& capability) {
  const Json& files = list_of(capability, "files");
  const Json& functions = list_of(capability, "functions");
  Markup detail;
  detail.raw("<div class=\"paths\">").add(names(files)).raw("</div>");
  if (!functions.empty()) detail.raw("by importing ").add(names(functions));
  add_answer(out, question, Tone::may,
             cat("Yes, ", files.size(), files.size() == 1 ? " file" : " files"), detail);
}

// Whether an ELF file neither has libraries nor is one. It imports nothing, whatever it does.
bool has_static_program(const Json& audit) {
  const Json& files = list_of(audit, "files");
  std::vector<bool> is_linked(files.size());
  for (const Json& edge : list_of(audit, "edges")) {
    static constexpr std::string_view kLinks[] = {
        "needed", "interpreter", "preload", "dlopen-note", "dlopen-string", "nss", "gconv"};
    const std::string_view why = text_of(edge, "why");
    if (std::find(std::begin(kLinks), std::end(kLinks), why) == std::end(kLinks)) continue;
    for (const std::string_view key : {"from", "to"})
      if (const std::int64_t file = edge_end(edge, key, files.size()); file >= 0)
        is_linked[static_cast<std::size_t>(file)] = true;
  }
  for (std::size_t i = 0; i < files.size(); ++i)
    if (text_of(files[i], "kind") == "elf" && !is_linked[i]) return true;
  return false;
}

// Why a capability that is not listed may be there all the same; a "no" must be one.
std::string_view doubt_about_absence(const Json& audit, bool other_names) {
  if (!programs_are_known(audit)) return "a manifest alone does not say what its programs call";
  if (list_of(audit, "edges").empty())
    return "no granted program imports the functions for it, but one that is static would not";
  if (has_static_program(audit))
    return "a static program imports nothing: it calls the kernel itself";
  if (other_names) return "the report has names for this that are not known here";
  return {};
}

// The questions that a reviewer always asks, then what else there is.
void add_capability_answers(Markup& out, const Json& audit) {
  const Json& list = list_of(object_of(audit, "surface"), "capabilities");
  std::vector<const Json*> others;
  std::map<std::string_view, const Json*> known;
  for (const CapabilityQuestion& q : kCapabilityQuestions) known[q.name] = nullptr;
  for (const Json& capability : list) {
    const auto row = known.find(text_of(capability, "capability"));
    if (row == known.end() || row->second != nullptr)
      others.push_back(&capability);
    else
      row->second = &capability;
  }
  const std::string_view doubt = doubt_about_absence(audit, !others.empty());
  for (const CapabilityQuestion& q : kCapabilityQuestions) {
    Markup why;
    if (known[q.name] != nullptr) {
      add_capability(out, q.question, *known[q.name]);
    } else if (!doubt.empty()) {
      why.text(doubt);
      add_answer(out, q.question, Tone::unknown, "Unknown", why);
    } else {
      why.raw("no granted program or library imports the functions for it");
      add_answer(out, q.question, Tone::may_not, "No", why);
    }
  }
  for (const Json* capability : others)
    add_capability(out, text_of(*capability, "capability"), *capability);
}

std::string_view place_meaning(std::string_view type) {
  if (type == "tmpfs") return "in enclave memory, lost at exit";
  if (type == "encrypted") return "encrypted on the host";
  if (type == "chroot") return "on the host, which can read and change it";
  if (type == "untrusted_shm") return "memory shared with the host";
  return type;
}

void add_writable_answer(Markup& out, const Json& surface) {
  const Json& places = list_of(surface, "writable");
  std::map<std::string_view, Json> paths;  // by type
  for (const Json& place : places) paths[text_of(place, "type")].push_back(text_of(place, "path"));
  Markup detail;
  bool exposed = false;
  for (const auto& [type, list] : paths) {
    exposed = exposed || (type != "tmpfs" && type != "encrypted");
    detail.raw("<div>").add(names(list)).text(place_meaning(type)).raw("</div>");
  }
  if (places.empty())
    add_answer(out, "Write", Tone::may_not, "Nowhere", detail);
  else
    add_answer(out, "Write", exposed ? Tone::exposed : Tone::may,
               cat(places.size(), places.size() == 1 ? " place" : " places"), detail);
}

void add_host_answers(Markup& out, const Json& surface) {
  const Json& allowed = list_of(surface, "allowed");
  Markup detail;
  if (!allowed.empty())
    detail.raw("<div class=\"paths\">")
        .add(names(allowed))
        .raw("</div>the host can read and change them");
  add_answer(out, "Use unprotected files", allowed.empty() ? Tone::may_not : Tone::exposed,
             allowed.empty() ? "No" : cat("Yes, ", allowed.size()), detail);
  const Json& variables = list_of(surface, "passthrough");
  if (flag_of(surface, "hostEnvironment")) {
    Markup all;
    all.raw("the host sets any variable it likes");
    add_answer(out, "Take the host’s environment", Tone::exposed, "All of it", all);
  } else {
    add_answer(out, "Take the host’s environment", variables.empty() ? Tone::may_not : Tone::may,
               variables.empty()
                   ? "None of it"
                   : cat(variables.size(), variables.size() == 1 ? " variable" : " variables"),
               names(variables));
  }
  const bool arguments = flag_of(surface, "hostArguments");
  Markup why;
  if (arguments) why.raw("the host chooses the command line");
  add_answer(out, "Take the host’s arguments", arguments ? Tone::exposed : Tone::may_not,
             arguments ? "Yes" : "No", why);
}

}  // namespace

Markup html_verdict(const Json& audit) {
  const Json& subject = object_of(audit, "subject");
  const Json& counts = object_of(audit, "counts");
  const bool passed = flag_of(object_of(audit, "verdict"), "passed");
  Markup out;
  out.raw("<div class=\"verdict ").word(passed ? "passed" : "failed").raw("\">\n");
  out.raw("<p class=\"kind\">").text(subject_noun(audit));
  if (has(subject, "platform")) out.raw(" for ").text(text_of(subject, "platform"));
  out.raw("</p>\n<h1>");
  out.text(text_of(subject, "name")).raw("</h1>\n<p class=\"outcome\"><strong>");
  out.text(passed ? "Passed" : "Not passed").raw("</strong> ");
  verdict_sentence(out, audit);
  out.raw("</p>\n</div>\n<ul class=\"counts\" aria-label=\"Findings by severity\">\n");
  for (const std::string_view severity : kReportSeverities) {
    const std::uint64_t number = number_of(counts, severity);
    out.raw("<li class=\"sev-").word(severity);
    if (number == 0) out.raw(" none");
    out.raw("\"><b>").count(number).raw("</b> ").text(severity).raw("</li>\n");
  }
  if (const auto accepted = number_of(counts, "accepted"); accepted > 0)
    out.raw("<li class=\"sev-accepted\"><b>").count(accepted).raw("</b> accepted</li>\n");
  out.raw("</ul>\n<dl class=\"facts\">\n");
  if (const auto digest = text_of(subject, "digest"); !digest.empty())
    add_fact(out, "Digest", copied(digest));
  launch_facts(out, audit);
  enclave_facts(out, audit);
  origin_facts(out, audit);
  return out.raw("</dl>\n");
}

Markup html_surface(const Json& audit) {
  const Json& surface = object_of(audit, "surface");
  Markup out;
  out.raw("<dl class=\"answers\">\n");
  add_files_answer(out, audit);
  add_capability_answers(out, audit);
  add_writable_answer(out, surface);
  add_host_answers(out, surface);
  return out.raw("</dl>\n");
}

}  // namespace cloister::cmd
