#include "cmd/report/outdated.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

bool was_accepted(const OutdatedReport& report, const manifest::Advisory& advisory) {
  return std::find(report.accepted.begin(), report.accepted.end(), advisory.id) !=
         report.accepted.end();
}

std::string state_phrase(const OutdatedReport::Input& input) {
  switch (input.state) {
    case InputState::current:
      return "is the newest";
    case InputState::newer:
      return cat("is ", input.current, " by now");
    case InputState::unnamed:
      return input.name.empty() ? "has no public name, so that nobody can be asked for a newer one"
                                : "was named by digest alone: there is no tag to ask for";
    case InputState::unasked:
      return "was not asked for (--offline)";
  }
  return "";
}

}  // namespace

std::string_view input_state_name(InputState state) {
  static constexpr std::string_view kNames[] = {"current", "newer", "unnamed", "unasked"};
  return kNames[static_cast<std::size_t>(state)];
}

bool is_outdated(const OutdatedReport& report) {
  return std::any_of(report.inputs.begin(), report.inputs.end(),
                     [](const auto& input) { return input.state == InputState::newer; }) ||
         std::any_of(report.advisories.begin(), report.advisories.end(),
                     [&](const auto& advisory) { return !was_accepted(report, advisory); });
}

std::string outdated_json(const OutdatedReport& report) {
  OrderedJson inputs = OrderedJson::array(), advisories = OrderedJson::array();
  for (const OutdatedReport::Input& input : report.inputs) {
    OrderedJson json = {{"role", input.role}};
    if (!input.name.empty()) json["name"] = input.name;
    json["recorded"] = input.recorded;
    if (!input.current.empty()) json["current"] = input.current;
    json["state"] = input_state_name(input.state);
    inputs.push_back(std::move(json));
  }
  for (const manifest::Advisory& advisory : report.advisories)
    advisories.push_back({{"id", advisory.id},
                          {"severity", manifest::severity_name(advisory.severity)},
                          {"date", advisory.date},
                          {"before", advisory.before},
                          {"summary", advisory.summary},
                          {"fix", advisory.fix},
                          {"source", advisory.source},
                          {"accepted", was_accepted(report, advisory)}});
  const OrderedJson json = {
      {"format", "cloister-outdated-v1"},
      {"subject", report.subject},
      {"outdated", is_outdated(report)},
      {"inputs", std::move(inputs)},
      {"runtime", {{"name", report.runtime_name}, {"version", report.runtime_version}}},
      {"advisories", std::move(advisories)}};
  return dump_json_pretty(json) + "\n";
}

std::string outdated_text(const OutdatedReport& report) {
  std::string out;
  for (const OutdatedReport::Input& input : report.inputs)
    out += cat(input.role, input.role.size() < 8 ? std::string(8 - input.role.size(), ' ') : "",
               " ", input.name.empty() ? std::string("(unnamed)") : printable(input.name),
               "\n         ", printable(input.recorded), "\n         ", state_phrase(input), "\n");
  if (report.runtime_version.empty())
    out += "advisories: the version of the runtime is not known, so that none can be looked up\n";
  for (const manifest::Advisory& advisory : report.advisories)
    out += cat("advisory ", advisory.id, " (", manifest::severity_name(advisory.severity), ", ",
               advisory.date, was_accepted(report, advisory) ? ", accepted by the build" : "",
               "): ", printable(report.runtime_name), " ", printable(report.runtime_version), ": ",
               advisory.summary, "\n         ", advisory.fix, "\n");
  return out + (is_outdated(report) ? "outdated\n" : "nothing newer is known\n");
}

}  // namespace cloister::cmd
