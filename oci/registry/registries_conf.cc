// A prefix ends where a name's component ends: "r.io/ns" covers "r.io/ns/app", not "r.io/nsx". What
// follows it is appended to the location that stands in its place; the result is parsed as any
// reference is, so that a configuration cannot make names that a user could not write.
#include "oci/registry/registries_conf.h"

#include <algorithm>
#include <optional>
#include <system_error>

#include "base/file.h"
#include "base/text.h"
#include "base/toml.h"

namespace cloister::oci {
namespace {

constexpr std::uint64_t kMaxConf = 1 << 20;
constexpr std::size_t kMaxRules = 4096;
constexpr std::size_t kMaxMirrors = 64;

// One table, with the name of the file for messages.
class Rule {
 public:
  Rule(const TomlTable& table, std::string_view file) : table_(table), file_(file) {}

  Result<std::string> string(std::string_view key) const {
    const TomlValue* value = table_.find(key);
    if (value == nullptr) return std::string();
    if (value->string() == nullptr) return wrong(key, "a string", *value);
    return *value->string();
  }
  Result<bool> boolean(std::string_view key) const {
    const TomlValue* value = table_.find(key);
    if (value == nullptr) return false;
    if (value->boolean() == nullptr) return wrong(key, "true or false", *value);
    return *value->boolean();
  }
  // A location or prefix, without a trailing slash.
  Result<std::string> place(std::string_view key) const {
    CL_TRY(std::string text, string(key));
    if (text.find("://") != std::string::npos)
      return Error::invalid(cat(quote(file_), ": ", quote(text), " is a URL"))
          .hint("write HOST[:PORT][/NAMESPACE], without a scheme");
    while (text.ends_with('/')) text.pop_back();
    return text;
  }

 private:
  Error wrong(std::string_view key, std::string_view want, const TomlValue& value) const {
    return Error::invalid(cat(quote(file_), ": ", quote(key), " is ", value.type_name()))
        .detail(cat("want ", want))
        .hint("correct the file; containers-registries.conf(5) describes it");
  }
  const TomlTable& table_;
  std::string_view file_;
};

Error no_location(std::string_view file, std::string_view table) {
  return Error::invalid(cat(quote(file), ": a ", table, " names no location"))
      .hint("correct the file; containers-registries.conf(5) describes it");
}

Result<const TomlArray*> tables_of(const TomlTable& table, std::string_view key,
                                   std::string_view file, std::size_t most) {
  const TomlValue* value = table.find(key);
  static const TomlArray kNone;
  if (value == nullptr) return &kNone;
  const TomlArray* array = value->array();
  if (array == nullptr || std::any_of(array->begin(), array->end(),
                                      [](const TomlValue& one) { return one.table() == nullptr; }))
    return Error::invalid(cat(quote(file), ": ", quote(key), " is no list of tables"))
        .hint(cat("write [[", key, "]]"));
  if (array->size() > most)
    return Error::limit(cat(quote(file), " has more than ", most, " tables ", quote(key)));
  return array;
}

Result<RegistryMirror> parse_mirror(const TomlTable& table, bool digest_only,
                                    std::string_view file) {
  const Rule rule(table, file);
  RegistryMirror out;
  CL_TRY(out.location, rule.place("location"));
  if (out.location.empty()) return no_location(file, "mirror");
  CL_TRY(out.insecure, rule.boolean("insecure"));
  if (digest_only) out.use = RegistryMirror::Use::digest_only;
  CL_TRY(const std::string use, rule.string("pull-from-mirror"));
  if (use == "digest-only") out.use = RegistryMirror::Use::digest_only;
  if (use == "tag-only") out.use = RegistryMirror::Use::tag_only;
  if (!use.empty() && use != "all" && use != "digest-only" && use != "tag-only")
    return Error::invalid(cat(quote(file), ": 'pull-from-mirror' is ", quote(use)))
        .hint("write all, digest-only or tag-only");
  return out;
}

Result<RegistryRule> parse_rule(const TomlTable& table, std::string_view file) {
  const Rule rule(table, file);
  RegistryRule out;
  out.file = file;
  CL_TRY(out.prefix, rule.place("prefix"));
  CL_TRY(out.location, rule.place("location"));
  if (out.prefix.empty()) out.prefix = out.location;
  if (out.prefix.empty()) return no_location(file, "registry");
  CL_TRY(out.insecure, rule.boolean("insecure"));
  CL_TRY(out.blocked, rule.boolean("blocked"));
  CL_TRY(const bool digest_only, rule.boolean("mirror-by-digest-only"));
  CL_TRY(const TomlArray* mirrors, tables_of(table, "mirror", file, kMaxMirrors));
  for (const TomlValue& mirror : *mirrors) {
    CL_TRY(RegistryMirror parsed, parse_mirror(*mirror.table(), digest_only, file));
    out.mirrors.push_back(std::move(parsed));
  }
  return out;
}

// How much of a name the prefix covers; nothing when it does not.
std::optional<std::size_t> covered(std::string_view prefix, std::string_view name) {
  std::size_t length = prefix.size();
  if (prefix.starts_with("*.")) {
    const std::string_view domain = prefix.substr(1);  // ".example.com"
    const std::size_t host_end = std::min(name.find_first_of("/:"), name.size());
    const std::string_view host = name.substr(0, host_end);
    // The domain may be followed by a port or a path.
    const std::size_t tail = domain.find_first_of("/:");
    const std::string_view suffix = domain.substr(0, tail);
    if (!host.ends_with(suffix) || host.size() == suffix.size()) return std::nullopt;
    const std::string_view rest = tail == std::string_view::npos ? "" : domain.substr(tail);
    if (!name.substr(host_end).starts_with(rest)) return std::nullopt;
    length = host_end + rest.size();
  } else if (!name.starts_with(prefix)) {
    return std::nullopt;
  }
  if (length == name.size() || name[length] == '/') return length;
  // A host without its port covers every port of it.
  const bool host_alone = name.substr(0, length).find('/') == std::string_view::npos;
  return host_alone && name[length] == ':' ? std::optional(length) : std::nullopt;
}

Result<RegistryRef> moved(const RegistryRef& ref, const RegistryRule& rule,
                          const std::string& location) {
  if (location.empty() || location == rule.prefix) return ref;
  const std::string name = ref.name();
  const std::size_t length = covered(rule.prefix, name).value_or(0);
  RegistryRef out = ref;
  const std::string target = location + name.substr(length);
  const std::size_t slash = target.find('/');
  const std::string text =
      target + (ref.tag.empty() ? "" : ":" + ref.tag) + (ref.digest ? "@" + ref.digest->str() : "");
  auto parsed = parse_registry_ref(text);
  // A single component as host ("mirror/ns/app") would be taken for a name on Docker's Hub.
  if (!parsed.has_value() || slash == std::string::npos ||
      parsed->registry != target.substr(0, slash))
    return Error::invalid(cat(quote(rule.file), " leads to ", quote(target), ", which is no image"))
        .detail(cat("for ", quote(name)))
        .hint("correct 'location' there: HOST[:PORT][/NAMESPACE]");
  return std::move(*parsed);
}

Status refuse_blocked(const RegistryRule* rule, const RegistryRef& ref) {
  if (rule == nullptr || !rule->blocked) return {};
  return Error::policy(cat(quote(ref.name()), " is blocked"))
      .detail(cat("by the rule for ", quote(rule->prefix), " in ", quote(rule->file)))
      .hint("use an image from elsewhere, or have the rule changed");
}

bool usable(const RegistryMirror& mirror, const RegistryRef& ref) {
  using Use = RegistryMirror::Use;
  return mirror.use == Use::all || (mirror.use == Use::digest_only) == ref.digest.has_value();
}

std::vector<std::string> conf_files(const std::string& directory) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".conf") out.push_back(it->path());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Result<std::vector<RegistryRule>> parse_registries_conf(std::string_view text, const Limits& limits,
                                                        std::string_view file) {
  CL_TRY(const TomlTable table, parse_toml(text, limits, quote(file)));
  if (const TomlValue* old = table.find("registries"); old != nullptr)
    return Error::unsupported(cat(quote(file), " is in version 1 of its format"))
        .hint("write [[registry]] tables; containers-registries.conf(5) describes them");
  CL_TRY(const TomlArray* registries, tables_of(table, "registry", file, kMaxRules));
  std::vector<RegistryRule> out;
  for (const TomlValue& registry : *registries) {
    CL_TRY(RegistryRule rule, parse_rule(*registry.table(), file));
    out.push_back(std::move(rule));
  }
  return out;
}

RegistriesConfPaths registries_conf_paths(const std::map<std::string, std::string>& env) {
  const auto variable = [&](const char* name) {
    const auto it = env.find(name);
    return it == env.end() ? std::string() : it->second;
  };
  if (const std::string named = variable("CONTAINERS_REGISTRIES_CONF"); !named.empty())
    return {{named}, {}};
  RegistriesConfPaths out{{"/etc/containers/registries.conf"},
                          {"/etc/containers/registries.conf.d"}};
  std::string config = variable("XDG_CONFIG_HOME");
  if (const std::string home = variable("HOME"); config.empty() && !home.empty())
    config = home + "/.config";
  if (config.empty()) return out;
  out.files.insert(out.files.begin(), config + "/containers/registries.conf");
  out.directories.push_back(config + "/containers/registries.conf.d");
  return out;
}

Result<std::vector<RegistryRule>> read_registries_conf(const RegistriesConfPaths& paths,
                                                       const Limits& limits) {
  std::vector<std::string> files;
  std::error_code error;
  const auto main = std::find_if(paths.files.begin(), paths.files.end(),
                                 [&](const std::string& file) { return fs::exists(file, error); });
  if (main != paths.files.end()) files.push_back(*main);
  for (const std::string& directory : paths.directories)
    for (std::string& file : conf_files(directory)) files.push_back(std::move(file));
  std::vector<RegistryRule> out;
  for (const std::string& file : files) {
    CL_TRY(const std::string text, read_text_file(file, kMaxConf));
    CL_TRY(auto rules, parse_registries_conf(text, limits, file));
    for (RegistryRule& rule : rules) {
      const auto same = std::find_if(out.begin(), out.end(), [&](const RegistryRule& other) {
        return other.prefix == rule.prefix;
      });
      if (same != out.end())
        *same = std::move(rule);
      else
        out.push_back(std::move(rule));
    }
    if (out.size() > kMaxRules)
      return Error::limit(cat("registries.conf has more than ", kMaxRules, " rules"));
  }
  return out;
}

const RegistryRule* find_rule(const std::vector<RegistryRule>& rules, const RegistryRef& ref) {
  const std::string name = ref.name();
  const RegistryRule* best = nullptr;
  for (const RegistryRule& rule : rules)
    if (covered(rule.prefix, name) && (best == nullptr || rule.prefix.size() > best->prefix.size()))
      best = &rule;
  return best;
}

Result<std::vector<PullSource>> pull_sources(const std::vector<RegistryRule>& rules,
                                             const RegistryRef& ref) {
  const RegistryRule* rule = find_rule(rules, ref);
  if (rule == nullptr) return std::vector<PullSource>{{ref, false}};
  CL_CHECK(refuse_blocked(rule, ref));
  std::vector<PullSource> out;
  for (const RegistryMirror& mirror : rule->mirrors) {
    if (!usable(mirror, ref)) continue;
    CL_TRY(RegistryRef to, moved(ref, *rule, mirror.location));
    out.push_back({std::move(to), mirror.insecure});
  }
  CL_TRY(RegistryRef to, moved(ref, *rule, rule->location));
  out.push_back({std::move(to), rule->insecure});
  return out;
}

Result<PullSource> push_source(const std::vector<RegistryRule>& rules, const RegistryRef& ref) {
  const RegistryRule* rule = find_rule(rules, ref);
  CL_CHECK(refuse_blocked(rule, ref));
  return PullSource{ref, rule != nullptr && rule->insecure};
}

}  // namespace cloister::oci
