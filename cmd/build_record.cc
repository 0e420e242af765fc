// One table says which options are parameters of a build, for both directions.
#include "cmd/build_record.h"

#include <nlohmann/json.hpp>
#include <variant>

#include "base/json.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

using Texts = std::vector<std::string>;

struct Parameter {
  const char* name;
  std::variant<std::string PlanArguments::*, Texts PlanArguments::*, bool PlanArguments::*,
               std::optional<std::uint32_t> PlanArguments::*>
      member;
};

constexpr Parameter kParameters[] = {
    {"entrypoint", &PlanArguments::entrypoint},
    {"arg", &PlanArguments::args},
    {"env", &PlanArguments::env},
    {"passthrough", &PlanArguments::passthrough},
    {"user", &PlanArguments::user},
    {"workdir", &PlanArguments::workdir},
    {"volume", &PlanArguments::volumes},
    {"trust", &PlanArguments::trust},
    {"include", &PlanArguments::includes},
    {"exclude", &PlanArguments::excludes},
    {"accept", &PlanArguments::accepted},
    {"enclave-size", &PlanArguments::enclave_size},
    {"max-threads", &PlanArguments::max_threads},
    {"edmm", &PlanArguments::edmm},
    {"debug", &PlanArguments::debug},
    {"no-attestation", &PlanArguments::no_attestation},
    {"ra-tls", &PlanArguments::ra_tls},
    {"marblerun", &PlanArguments::marblerun},
    {"secret-prov", &PlanArguments::secret_prov},
    {"secret-prov-ca", &PlanArguments::secret_prov_ca},
    {"isvprodid", &PlanArguments::isvprodid},
    {"isvsvn", &PlanArguments::isvsvn},
};

constexpr const char* kDate = "date";
constexpr const char* kWithDirect = "with-direct";
constexpr const char* kLabels = "label";

// Only what was given: the rest is the default of the version that is recorded beside it.
struct WriteParameter {
  const PlanArguments& plan;
  const char* name;
  OrderedJson& out;

  void operator()(std::string PlanArguments::*member) const {
    if (!(plan.*member).empty()) out[name] = plan.*member;
  }
  void operator()(Texts PlanArguments::*member) const {
    if (!(plan.*member).empty()) out[name] = plan.*member;
  }
  void operator()(bool PlanArguments::*member) const {
    if (plan.*member) out[name] = true;
  }
  void operator()(std::optional<std::uint32_t> PlanArguments::*member) const {
    if (plan.*member) out[name] = *(plan.*member);
  }
};

struct PutParameter {
  const PlanArguments& plan;
  const char* name;
  TomlTable& out;

  void operator()(std::string PlanArguments::*member) const {
    if (!(plan.*member).empty()) out.set(name, plan.*member);
  }
  void operator()(Texts PlanArguments::*member) const {
    if ((plan.*member).empty()) return;
    out.set(name, TomlArray((plan.*member).begin(), (plan.*member).end()));
  }
  void operator()(bool PlanArguments::*member) const {
    if (plan.*member) out.set(name, true);
  }
  void operator()(std::optional<std::uint32_t> PlanArguments::*member) const {
    if (plan.*member) out.set(name, static_cast<std::int64_t>(*(plan.*member)));
  }
};

struct ReadParameter {
  PlanArguments& plan;
  const char* name;
  const Json& in;

  Status operator()(std::string PlanArguments::*member) const {
    CL_TRY(auto text, get_string(in, name));
    if (text) plan.*member = std::move(*text);
    return {};
  }
  Status operator()(Texts PlanArguments::*member) const {
    CL_TRY(plan.*member, get_strings(in, name));
    return {};
  }
  Status operator()(bool PlanArguments::*member) const {
    CL_TRY(const auto flag, get_bool(in, name));
    plan.*member = flag.value_or(false);
    return {};
  }
  Status operator()(std::optional<std::uint32_t> PlanArguments::*member) const {
    CL_TRY(const auto number, get_int(in, name));
    if (!number) return {};
    if (*number < 0 || *number > UINT32_MAX)
      return Error::corrupt(cat(quote(name), " of the provenance is out of range"));
    plan.*member = static_cast<std::uint32_t>(*number);
    return {};
  }
};

// A parameter of a later version changes what is built: passing over it would repeat another build.
Status check_known(const Json& parameters) {
  for (const auto& item : parameters.items()) {
    bool known = item.key() == kDate || item.key() == kWithDirect || item.key() == kLabels;
    for (const Parameter& parameter : kParameters) known = known || item.key() == parameter.name;
    if (!known)
      return Error::unsupported(cat("the provenance has a parameter ", quote(item.key())))
          .hint("the image was built by a newer cloister; use that");
  }
  return {};
}

}  // namespace

const sign::BuildInput* BuildRecord::input(std::string_view role) const {
  for (const sign::BuildInput& input : inputs)
    if (input.role == role) return &input;
  return nullptr;
}

std::vector<sign::BuildInput> build_inputs(const Plan& plan, const std::string& base_name,
                                           const std::string& overlay) {
  std::vector<sign::BuildInput> out;
  out.push_back({"base", base_name, plan.base.image.manifest_descriptor.digest, false, ""});
  for (std::size_t i = 0; i < plan.runtime.sources.size(); ++i) {
    const measure::RuntimeSource& source = plan.runtime.sources[i];
    out.push_back({"runtime", source.uri, plan.runtime.source_digest(i), !source.digest, ""});
  }
  if (!overlay.empty()) out.push_back({"overlay", "", sha256(overlay), false, overlay});
  return out;
}

TomlTable plan_parameters(const PlanArguments& arguments) {
  TomlTable out;
  for (const Parameter& parameter : kParameters)
    std::visit(PutParameter{arguments, parameter.name, out}, parameter.member);
  return out;
}

BuildRecord record_of(const Plan& plan, const std::string& base_name, const std::string& overlay) {
  BuildRecord record;
  record.platform = plan.base.image.config.platform().str();
  record.inputs = build_inputs(plan, base_name, overlay);
  record.version = std::string(kVersion);
  return record;
}

Result<AssembleOptions> assemble_options(const BuildRecord& record) {
  AssembleOptions out;
  out.created = record.created;
  out.with_direct = record.with_direct;
  out.version = record.version;
  CL_TRY(out.labels, parse_labels(record.labels));
  if (const sign::BuildInput* base = record.input("base")) out.base_name = base->uri;
  out.provenance = encode_build_record(record);
  return out;
}

std::string encode_build_record(const BuildRecord& record) {
  OrderedJson parameters = OrderedJson::object();
  for (const Parameter& parameter : kParameters)
    std::visit(WriteParameter{record.plan, parameter.name, parameters}, parameter.member);
  parameters[kDate] = format_rfc3339(record.created);
  if (record.with_direct) parameters[kWithDirect] = true;
  if (!record.labels.empty()) parameters[kLabels] = record.labels;
  return sign::encode_provenance(
      {dump_json(parameters), record.platform, record.inputs, record.version});
}

Result<BuildRecord> parse_build_record(std::string_view text, const Limits& limits) {
  CL_TRY(sign::Provenance provenance, sign::parse_provenance(text, limits));
  CL_TRY(const Json parameters, parse_json(provenance.parameters, limits, "build parameters"));
  CL_CHECK(check_known(parameters));
  BuildRecord out;
  out.inputs = std::move(provenance.inputs);
  out.platform = std::move(provenance.platform);
  out.version = std::move(provenance.generator_version);
  for (const Parameter& parameter : kParameters)
    CL_CHECK(std::visit(ReadParameter{out.plan, parameter.name, parameters}, parameter.member));
  for (const auto& version : {out.plan.isvprodid, out.plan.isvsvn})
    if (version && *version > 0xffff)
      return Error::corrupt("isvprodid or isvsvn of the provenance is out of range");
  CL_TRY(const auto date, get_string(parameters, kDate));
  if (!date) return Error::corrupt("the provenance has no date");
  CL_TRY(out.created, parse_rfc3339(*date));
  CL_TRY(const auto with_direct, get_bool(parameters, kWithDirect));
  out.with_direct = with_direct.value_or(false);
  CL_TRY(out.labels, get_strings(parameters, kLabels));
  return out;
}

}  // namespace cloister::cmd
