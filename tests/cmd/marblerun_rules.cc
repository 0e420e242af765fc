#include "tests/cmd/marblerun_rules.h"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"

namespace cloister::cmd {
namespace {

class MarblerunRules {
 public:
  explicit MarblerunRules(const Json& manifest) : manifest_(manifest) {}

  std::vector<std::string> run() {
    if (!manifest_.is_object()) return {"the manifest is no object"};
    known(manifest_, "the manifest",
          {"Packages", "Infrastructures", "Marbles", "Secrets", "Users", "Roles", "RecoveryKeys",
           "TLS", "Config"});
    each("Packages", [&](const std::string& name, const Json& value) { package(name, value); });
    each("Secrets", [&](const std::string& name, const Json& value) { secret(name, value); });
    each("Marbles", [&](const std::string& name, const Json& value) { marble(name, value); });
    each("Roles", [&](const std::string& name, const Json& value) { role(name, value); });
    each("Users", [&](const std::string& name, const Json& value) { user(name, value); });
    if (part("Packages").empty()) problem("no packages");
    if (part("Marbles").empty()) problem("no Marbles");
    return std::move(problems_);
  }

 private:
  void problem(std::string text) { problems_.push_back(std::move(text)); }
  const Json& part(const char* name) const {
    static const Json kNone = Json::object();
    return manifest_.contains(name) ? manifest_[name] : kNone;
  }
  void each(const char* name, const std::function<void(const std::string&, const Json&)>& visit) {
    const Json& all = part(name);
    if (!all.is_object()) return problem(cat(name, " is no object"));
    for (const auto& [key, value] : all.items())
      if (value.is_object())
        visit(key, value);
      else
        problem(cat(name, ".", key, " is no object"));
  }
  void known(const Json& object, const std::string& what, const std::set<std::string>& keys) {
    for (const auto& [key, value] : object.items())
      if (!keys.contains(key)) problem(cat(what, " has the unknown field ", key));
  }
  bool is_id(const Json& value) const {
    if (!value.is_string()) return false;
    const auto bytes = unhex(value.get<std::string>());
    return bytes && bytes->size() == 32;
  }

  void package(const std::string& name, const Json& p) {
    const std::string what = cat("package ", name);
    known(p, what,
          {"Debug", "UniqueID", "SignerID", "ProductID", "SecurityVersion", "AcceptedTCBStatuses",
           "AcceptedAdvisories"});
    if (p.contains("Debug") && !p["Debug"].is_boolean()) problem(cat(what, ": Debug"));
    const bool unique = p.contains("UniqueID");
    const bool any =
        p.contains("SignerID") || p.contains("ProductID") || p.contains("SecurityVersion");
    const bool all =
        p.contains("SignerID") && p.contains("ProductID") && p.contains("SecurityVersion");
    if (unique && any) problem(cat(what, ": a UniqueID and a signer"));
    if (!unique && !all) problem(cat(what, ": neither a UniqueID nor a whole signer"));
    for (const char* id : {"UniqueID", "SignerID"})
      if (p.contains(id) && !is_id(p[id])) problem(cat(what, ": ", id));
    for (const char* number : {"ProductID", "SecurityVersion"})
      if (p.contains(number) && !p[number].is_number_unsigned()) problem(cat(what, ": ", number));
  }

  void secret(const std::string& name, const Json& s) {
    const std::string what = cat("secret ", name);
    known(s, what, {"Type", "Size", "Shared", "UserDefined", "ValidFor", "Cert"});
    const std::string type = s.value("Type", "");
    const std::set<std::string> types = {"symmetric-key", "cert-rsa", "cert-ecdsa", "cert-ed25519",
                                         "plain"};
    if (!types.contains(type)) problem(cat(what, ": Type"));
    const std::int64_t size = s.value("Size", std::int64_t{0});
    if (type == "symmetric-key" && (size <= 0 || size % 8 != 0)) problem(cat(what, ": Size"));
  }

  void role(const std::string& name, const Json& r) {
    const std::string what = cat("role ", name);
    known(r, what, {"ResourceType", "ResourceNames", "Actions"});
    const std::map<std::string, std::set<std::string>> actions = {
        {"Packages", {"UpdateSecurityVersion"}},
        {"Secrets", {"ReadSecret", "WriteSecret"}},
        {"Manifest", {"UpdateManifest"}}};
    const std::string type = r.value("ResourceType", "");
    if (!actions.contains(type)) return problem(cat(what, ": ResourceType"));
    for (const Json& action : r.value("Actions", Json::array()))
      if (!actions.at(type).contains(action.get<std::string>())) problem(cat(what, ": Actions"));
    if (type == "Manifest") return;
    for (const Json& resource : r.value("ResourceNames", Json::array()))
      if (!part(type.c_str()).contains(resource.get<std::string>()))
        problem(cat(what, ": ResourceNames"));
  }

  void user(const std::string& name, const Json& u) {
    const std::string what = cat("user ", name);
    known(u, what, {"Certificate", "Roles"});
    const std::string pem = u.value("Certificate", "");
    if (!pem.starts_with("-----BEGIN CERTIFICATE-----\n") ||
        !pem.ends_with("-----END CERTIFICATE-----\n"))
      problem(cat(what, ": Certificate"));
    for (const Json& one : u.value("Roles", Json::array()))
      if (!part("Roles").contains(one.get<std::string>())) problem(cat(what, ": Roles"));
  }

  void marble(const std::string& name, const Json& m) {
    const std::string what = cat("Marble ", name);
    known(m, what, {"Package", "MaxActivations", "Parameters", "TLS", "DisableSecretBinding"});
    if (!part("Packages").contains(m.value("Package", ""))) problem(cat(what, ": its package"));
    if (!m.contains("Parameters")) return;
    const Json& p = m["Parameters"];
    known(p, what, {"Files", "Env", "Argv"});
    // The Coordinator takes an empty one; the program would be started as "./marble".
    const bool words = p.contains("Argv") && p["Argv"].is_array() && !p["Argv"].empty() &&
                       std::all_of(p["Argv"].begin(), p["Argv"].end(),
                                   [](const Json& word) { return word.is_string(); });
    if (!words) problem(cat(what, ": Argv"));
    for (const char* kind : {"Files", "Env"}) {
      if (!p.contains(kind)) continue;
      for (const auto& [key, value] : p[kind].items())
        file(cat(what, ": ", kind, " ", key), key, value, std::string_view(kind) == "Files");
    }
  }

  void file(const std::string& what, const std::string& path, const Json& value, bool is_file) {
    if (value.is_string()) {
      const auto text = value.get<std::string>();
      templates(what, text, is_file);
      if (path.starts_with("/dev/attestation/keys/")) mount_key(what, text);
      return;
    }
    if (!value.is_object()) return problem(what);
    known(value, what, {"Data", "Encoding", "NoTemplates"});
    const std::string encoding = value.value("Encoding", "string");
    if (encoding != "string" && encoding != "base64" && encoding != "hex") problem(what);
    if (!value.value("NoTemplates", false)) templates(what, value.value("Data", ""), is_file);
  }

  // Every {{ … }} is one function of MarbleRun's, applied to a secret that there is.
  void templates(const std::string& what, std::string_view text, bool is_file) {
    for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
      const std::size_t end = text.find("}}", at);
      if (end == std::string_view::npos) return problem(cat(what, ": a template without end"));
      const auto words = split(trim(text.substr(at + 2, end - at - 2)), ' ');
      const std::set<std::string_view> functions = {"pem", "hex", "base64",
                                                    is_file ? "raw" : "string"};
      constexpr std::string_view kSecrets = ".Secrets.";
      const bool good = words.size() == 2 && functions.contains(words[0]) &&
                        words[1].starts_with(kSecrets) &&
                        part("Secrets").contains(std::string(words[1].substr(kSecrets.size())));
      if (!good) problem(cat(what, ": template ", text.substr(at, end + 2 - at)));
      at = end;
    }
  }

  // Gramine takes keys of 16 bytes as they are.
  void mount_key(const std::string& what, std::string_view text) {
    constexpr std::string_view kBegin = "{{ raw .Secrets.", kEnd = " }}";
    if (!text.starts_with(kBegin) || !text.ends_with(kEnd))
      return problem(cat(what, ": no raw key"));
    const std::string name(text.substr(kBegin.size(), text.size() - kBegin.size() - kEnd.size()));
    const Json& secrets = part("Secrets");
    if (!secrets.contains(name)) return;  // said above
    if (secrets[name].value("Type", "") != "symmetric-key" || secrets[name].value("Size", 0) != 128)
      problem(cat(what, ": a key of 128 bits is wanted"));
  }

  const Json& manifest_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> marblerun_problems(const Json& manifest) {
  return MarblerunRules(manifest).run();
}

std::vector<std::string> marblerun_update_problems(const Json& manifest, const Json& update) {
  std::vector<std::string> out;
  if (!update.is_object() || update.size() != 1 || !update.contains("Packages") ||
      update["Packages"].empty())
    return {"an update is packages and nothing else"};
  for (const auto& [name, value] : update["Packages"].items()) {
    if (!value.is_object() || value.size() != 1 || !value.contains("SecurityVersion") ||
        !value["SecurityVersion"].is_number_unsigned()) {
      out.push_back(cat("package ", name, ": a SecurityVersion and nothing else"));
      continue;
    }
    if (!manifest["Packages"].contains(name)) {
      out.push_back(cat("package ", name, " is not in the manifest"));
      continue;
    }
    const Json& old = manifest["Packages"][name];
    if (!old.contains("SecurityVersion"))
      out.push_back(cat("package ", name, " is known by its UniqueID"));
    else if (value["SecurityVersion"] <= old["SecurityVersion"])
      out.push_back(cat("package ", name, ": a version that is no higher"));
  }
  return out;
}

}  // namespace cloister::cmd
