#include "sign/policy/policy.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <span>

#include "base/hint.h"
#include "base/text.h"
#include "base/toml.h"
#include "oci/documents/reference.h"

namespace cloister::sign {
namespace {

constexpr std::int64_t kSchemaVersion = 1;
constexpr std::size_t kMaxEntries = 4096;  // of one list
constexpr std::string_view kPolicyHint =
    "cloister verify --help, and sign/policy/policy.h, show what a policy holds";

// One table of the policy: every key of it is known, or it is refused.
class Section {
 public:
  Section(const TomlTable* table, std::string name) : table_(table), name_(std::move(name)) {}

  bool present() const { return table_ != nullptr; }
  bool has(std::string_view key) const { return find(key) != nullptr; }

  Status only(std::initializer_list<std::string_view> known) const {
    return only(std::span(known.begin(), known.size()));
  }
  Status only(std::span<const std::string_view> known) const {
    if (table_ == nullptr) return {};
    for (const auto& [key, value] : *table_)
      if (std::find(known.begin(), known.end(), key) == known.end())
        return Error::invalid(cat("the policy has an unknown key ", quote(dotted(key))))
            .hint(std::string(kPolicyHint));
    return {};
  }

  Result<Section> section(std::string_view key) const {
    const TomlValue* value = find(key);
    if (value == nullptr) return Section(nullptr, std::string(key));
    if (value->table() == nullptr) return wrong(key, *value, "a table");
    return Section(value->table(), std::string(key));
  }

  Result<std::optional<std::int64_t>> integer(std::string_view key, std::int64_t max) const {
    const TomlValue* value = find(key);
    if (value == nullptr) return std::optional<std::int64_t>();
    if (value->integer() == nullptr || *value->integer() < 0 || *value->integer() > max)
      return wrong(key, *value, cat("an integer from 0 to ", max));
    return std::optional(*value->integer());
  }

  Result<std::optional<std::uint16_t>> uint16(std::string_view key) const {
    CL_TRY(const auto value, integer(key, 0xffff));
    if (!value) return std::optional<std::uint16_t>();
    return std::optional(static_cast<std::uint16_t>(*value));
  }

  Result<bool> boolean(std::string_view key) const {
    const TomlValue* value = find(key);
    if (value == nullptr) return false;
    if (value->boolean() == nullptr) return wrong(key, *value, "true or false");
    return *value->boolean();
  }

  Result<std::optional<std::string>> text(std::string_view key) const {
    const TomlValue* value = find(key);
    if (value == nullptr) return std::optional<std::string>();
    if (value->string() == nullptr) return wrong(key, *value, "a string");
    return std::optional(*value->string());
  }

  Result<std::vector<std::string>> texts(std::string_view key) const {
    const TomlValue* value = find(key);
    std::vector<std::string> out;
    if (value == nullptr) return out;
    if (value->array() == nullptr) return wrong(key, *value, "an array of strings");
    if (value->array()->size() > kMaxEntries)
      return Error::limit(
          cat(quote(dotted(key)), " of the policy has more than ", kMaxEntries, " entries"));
    for (const TomlValue& item : *value->array()) {
      if (item.string() == nullptr) return wrong(key, item, "an array of strings");
      out.push_back(*item.string());
    }
    return out;
  }

  Error invalid(std::string_view key, std::string_view text, std::string_view want) const {
    return Error::invalid(cat(quote(dotted(key)), " of the policy holds ", quote(text)))
        .detail(cat("want ", want))
        .hint(std::string(kPolicyHint));
  }

 private:
  const TomlValue* find(std::string_view key) const {
    return table_ == nullptr ? nullptr : table_->find(key);
  }
  std::string dotted(std::string_view key) const {
    return name_.empty() ? std::string(key) : cat(name_, ".", key);
  }
  Error wrong(std::string_view key, const TomlValue& value, std::string_view want) const {
    return Error::invalid(cat(quote(dotted(key)), " of the policy is ", value.type_name()))
        .detail(cat("want ", want))
        .hint(std::string(kPolicyHint));
  }

  const TomlTable* table_;
  std::string name_;
};

Result<std::vector<Digest>> read_measurements(const Section& section, std::string_view key) {
  CL_TRY(const auto texts, section.texts(key));
  std::vector<Digest> out;
  for (const std::string& text : texts) {
    const auto digest = Digest::parse_hex(lower_ascii(text));
    if (!digest.has_value()) return section.invalid(key, text, "64 hex digits");
    out.push_back(*digest);
  }
  return out;
}

Result<std::vector<Digest>> read_digests(const Section& section, std::string_view key) {
  CL_TRY(const auto texts, section.texts(key));
  std::vector<Digest> out;
  for (const std::string& text : texts) {
    const auto digest = Digest::parse(text);
    if (!digest.has_value()) return section.invalid(key, text, "sha256: and 64 hex digits");
    out.push_back(*digest);
  }
  return out;
}

// An empty list would allow nothing; whoever means "any" leaves the table out.
Result<std::vector<OriginRule>> read_origins(const Section& section) {
  constexpr std::string_view kKey = "allowed";
  CL_CHECK(section.only({kKey}));
  CL_TRY(const auto texts, section.texts(kKey));
  if (section.present() && texts.empty())
    return section.invalid(kKey, "nothing", "repositories or digests, or no such table");
  std::vector<OriginRule> out;
  for (const std::string& text : texts) {
    OriginRule rule;
    if (const auto digest = Digest::parse(text); digest.has_value()) {
      rule.digest = *digest;
    } else {
      const auto ref = oci::parse_registry_ref(text);
      const std::string_view last = std::string_view(text).substr(text.rfind('/') + 1);
      if (!ref.has_value() || ref->digest || last.find(':') != std::string_view::npos)
        return section.invalid(kKey, text, "a repository without a tag, or sha256:…");
      rule.repository = ref->name();
    }
    out.push_back(std::move(rule));
  }
  return out;
}

// A list that must not be empty where it stands; nothing without it.
Result<std::optional<std::vector<std::string>>> read_choice(const Section& section,
                                                            std::string_view key) {
  CL_TRY(auto texts, section.texts(key));
  if (!section.has(key)) return std::optional<std::vector<std::string>>();
  if (texts.empty()) return section.invalid(key, "nothing", "what is accepted, or no such key");
  return std::optional(std::move(texts));
}

Status read_statuses(const Section& section, QuoteRules& rules) {
  constexpr std::string_view kKey = "tcb-statuses";
  CL_TRY(const auto names, read_choice(section, kKey));
  if (!names) return {};
  rules.statuses.clear();
  for (const std::string& name : *names) {
    const auto status = parse_tcb_status(name);
    if (!status || *status == TcbStatus::revoked)
      return section.invalid(kKey, name, "a TCB status of Intel that can be accepted: UpToDate, …");
    rules.statuses.push_back(*status);
  }
  return {};
}

Status read_platforms(const Section& section, QuoteRules& rules) {
  constexpr std::size_t kFmspcDigits = 12;
  CL_TRY(const auto fmspcs, read_choice(section, "fmspc"));
  for (const std::string& text : fmspcs.value_or(std::vector<std::string>())) {
    if (text.size() != kFmspcDigits || !unhex(text))
      return section.invalid("fmspc", text, "12 hex digits");
    rules.fmspcs.push_back(lower_ascii(text));
  }
  CL_TRY(const auto products, read_choice(section, "products"));
  for (const std::string& text : products.value_or(std::vector<std::string>())) {
    if (text != "Milan" && text != "Genoa" && text != "Turin")
      return section.invalid("products", text, "Milan, Genoa or Turin");
    rules.products.push_back(text);
  }
  return {};
}

Result<QuoteRules> read_quote_rules(const Section& section) {
  CL_CHECK(section.only(
      {"tcb-statuses", "advisories", "min-tcb-evaluation", "fmspc", "products", "min-tcb"}));
  QuoteRules out;
  CL_CHECK(read_statuses(section, out));
  CL_CHECK(read_platforms(section, out));
  if (section.has("advisories")) {
    CL_TRY(out.advisories, section.texts("advisories"));  // none: no advisory is accepted
  }
  CL_TRY(const auto evaluation,
         section.integer("min-tcb-evaluation", std::numeric_limits<std::uint32_t>::max()));
  if (evaluation) out.min_tcb_evaluation = static_cast<std::uint32_t>(*evaluation);
  CL_TRY(const auto tcb, section.text("min-tcb"));
  if (!tcb) return out;
  const auto bytes = unhex(*tcb);
  if (!bytes || bytes->size() != sizeof(std::uint64_t))
    return section.invalid("min-tcb", *tcb, "16 hex digits, in the order of the report");
  out.min_tcb = ByteReader(*bytes).u64();
  return out;
}

Result<KeyRule> read_keys(const Section& section) {
  CL_CHECK(section.only({"keys", "threshold"}));
  KeyRule out;
  CL_TRY(out.keys, section.texts("keys"));
  CL_TRY(const auto threshold, section.integer("threshold", kMaxEntries));
  if (!section.present()) return out;
  out.threshold = static_cast<std::size_t>(threshold.value_or(1));
  if (out.threshold == 0 || out.threshold > out.keys.size())
    return section.invalid("threshold", cat(out.threshold),
                           cat("1 to ", out.keys.size(), ", the number of keys"));
  return out;
}

}  // namespace

std::string OriginRule::str() const {
  return digest ? digest->str() : repository;
}

Result<Policy> parse_policy(std::string_view text, const Limits& limits, std::string_view what) {
  static constexpr Advice kAdvice{"correct the file; https://toml.io describes the syntax",
                                  "a policy needs a few levels only",
                                  "a policy holds strings, integers, booleans, arrays and tables"};
  CL_TRY(const TomlTable table, advise(parse_toml(text, limits, what), kAdvice));
  const Section root(&table, "");
  CL_TRY(const auto version, root.integer("schemaVersion", 1 << 20));
  if (!version)
    return Error::invalid(cat(what, " has no schemaVersion"))
        .hint("begin it with schemaVersion = 1");
  if (*version != kSchemaVersion)
    return Error::unsupported(cat(what, " is of schemaVersion ", *version))
        .detail(cat("want ", kSchemaVersion))
        .hint("a newer cloister may know it");
  CL_CHECK(root.only(kPolicyTables));
  Policy out;
  CL_TRY(const auto not_after, root.text("not-after"));
  if (not_after) {
    const auto time = parse_rfc3339(*not_after);
    if (!time.has_value())
      return root.invalid("not-after", *not_after, "a time: \"2027-06-30T00:00:00Z\"");
    out.not_after = *time;
  }
  CL_TRY(const Section signers, root.section("signers"));
  CL_TRY(out.signers, read_keys(signers));
  if (!signers.present())
    return Error::invalid(cat(what, " has no [signers]"))
        .detail("without them any image would do")
        .hint(std::string(kPolicyHint));
  CL_TRY(const Section rebuilders, root.section("rebuilders"));
  CL_TRY(out.rebuilders, read_keys(rebuilders));

  CL_TRY(const Section sgx, root.section("sgx"));
  CL_CHECK(sgx.only({"mrsigner", "isvprodid", "min-isvsvn", "allow-debug"}));
  CL_TRY(out.sgx.mrsigners, read_measurements(sgx, "mrsigner"));
  if (sgx.has("mrsigner") && out.sgx.mrsigners.empty())
    return sgx.invalid("mrsigner", "nothing", "measurements, or no such key");
  CL_TRY(out.sgx.isvprodid, sgx.uint16("isvprodid"));
  CL_TRY(out.sgx.min_isvsvn, sgx.uint16("min-isvsvn"));
  CL_TRY(out.sgx.allow_debug, sgx.boolean("allow-debug"));

  CL_TRY(const Section quote, root.section("quote"));
  CL_TRY(out.quote, read_quote_rules(quote));
  out.quote.allow_debug = out.sgx.allow_debug;

  CL_TRY(const Section revoked, root.section("revoked"));
  CL_CHECK(revoked.only({"images", "mrenclave"}));
  CL_TRY(out.revoked_images, read_digests(revoked, "images"));
  CL_TRY(out.revoked_enclaves, read_measurements(revoked, "mrenclave"));

  CL_TRY(const Section bases, root.section("bases"));
  CL_TRY(out.bases, read_origins(bases));
  CL_TRY(const Section runtimes, root.section("runtimes"));
  CL_TRY(out.runtimes, read_origins(runtimes));
  return out;
}

}  // namespace cloister::sign
