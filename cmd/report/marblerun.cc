// MarbleRun's keys are Go's field names; their order here is that of its documentation. A value
// that holds "{{" would be taken for a template by it, so such values say that they are none.
//
// Keys of encrypted mounts: 128 bits, and Shared, because a secret that is not belongs to one
// activation only, and what an enclave wrote could not be read after its restart.
#include "cmd/report/marblerun.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// A name that a Go template can follow a dot with.
std::string secret_name(std::string_view marble, std::string_view key, const OrderedJson& taken) {
  std::string out = cat(marble, "_", key);
  for (char& c : out)
    if (!is_word(c)) c = '_';
  if (out.front() >= '0' && out.front() <= '9') out.insert(0, "_");
  const std::string first = out;
  for (int i = 2; taken.contains(out); ++i) out = cat(first, "_", i);
  return out;
}

OrderedJson package_of(const sign::Sigstruct& s, MarbleIdentity identity) {
  if (identity == MarbleIdentity::unique)
    return {{"Debug", s.debug()}, {"UniqueID", s.mrenclave.hex()}};
  return {{"Debug", s.debug()},
          {"SignerID", s.mrsigner().hex()},
          {"ProductID", s.isvprodid},
          {"SecurityVersion", s.isvsvn}};
}

OrderedJson literal(const std::string& value) {
  if (value.find("{{") == std::string::npos) return value;
  return {{"Data", value}, {"Encoding", "string"}, {"NoTemplates", true}};
}

OrderedJson marble_of(const Marble& marble, OrderedJson& secrets) {
  OrderedJson parameters = OrderedJson::object();
  OrderedJson files = OrderedJson::object();
  for (const std::string& key : marble.launch.keys) {
    const std::string name = secret_name(marble.name, key, secrets);
    secrets[name] = {{"Type", "symmetric-key"}, {"Size", 128}, {"Shared", true}};
    files[cat("/dev/attestation/keys/", key)] = cat("{{ raw .Secrets.", name, " }}");
  }
  if (!files.empty()) parameters["Files"] = std::move(files);
  OrderedJson env = OrderedJson::object();
  for (const auto& [name, value] : marble.launch.env) env[name] = literal(value);
  if (!env.empty()) parameters["Env"] = std::move(env);
  parameters["Argv"] = marble.launch.argv;
  return {{"Package", marble.name}, {"Parameters", std::move(parameters)}};
}

}  // namespace

std::string marblerun_package_json(const sign::Sigstruct& sigstruct, MarbleIdentity identity) {
  return dump_json_pretty(package_of(sigstruct, identity)) + "\n";
}

std::string marblerun_manifest_json(const std::vector<Marble>& marbles, MarbleIdentity identity,
                                    const std::string& admin) {
  OrderedJson packages = OrderedJson::object(), all = OrderedJson::object();
  OrderedJson secrets = OrderedJson::object();
  for (const Marble& marble : marbles) {
    packages[marble.name] = package_of(marble.sigstruct, identity);
    all[marble.name] = marble_of(marble, secrets);
  }
  OrderedJson out = {{"Packages", std::move(packages)}, {"Marbles", std::move(all)}};
  if (!secrets.empty()) out["Secrets"] = std::move(secrets);
  if (!admin.empty()) {
    OrderedJson names = OrderedJson::array();
    for (const Marble& marble : marbles) names.push_back(marble.name);
    out["Users"] = {{"admin", {{"Certificate", admin}, {"Roles", {"update-packages"}}}}};
    out["Roles"] = {{"update-packages",
                     {{"ResourceType", "Packages"},
                      {"ResourceNames", std::move(names)},
                      {"Actions", {"UpdateSecurityVersion"}}}}};
  }
  return dump_json_pretty(out) + "\n";
}

std::string marblerun_update_json(const std::vector<Marble>& marbles) {
  OrderedJson packages = OrderedJson::object();
  for (const Marble& marble : marbles)
    packages[marble.name] = {{"SecurityVersion", marble.sigstruct.isvsvn}};
  return dump_json_pretty(OrderedJson{{"Packages", std::move(packages)}}) + "\n";
}

std::string marble_name(std::string_view image_path) {
  while (image_path.ends_with('/')) image_path.remove_suffix(1);
  const std::size_t slash = image_path.rfind('/');
  if (slash != std::string_view::npos) image_path.remove_prefix(slash + 1);
  std::string out;
  for (const char c : image_path) out += is_word(c) || c == '-' ? c : '-';
  return out.empty() ? "marble" : out;
}

}  // namespace cloister::cmd
