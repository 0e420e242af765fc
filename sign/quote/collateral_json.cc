// The signature is over the text of the inner object as it stands in the reply, and two programs
// need not write the same object the same way: it has to be cut out, not written anew. The reply is
// read as JSON first, so that the scan that finds the object walks text it can trust to be JSON
// without repeated keys.
#include "sign/quote/collateral_json.h"

#include <nlohmann/json.hpp>
#include <set>

namespace cloister::sign {
namespace {

// The end of the string that begins with the quotation mark at `at`, past its closing one.
std::size_t end_of_string(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at)
    if (json[at] == '\\') ++at;
  return std::min(at + 1, json.size());
}

// The text of the object under `member` of the outermost object. REQUIRES: valid JSON.
std::optional<std::string_view> object_text(std::string_view json, std::string_view member) {
  std::size_t depth = 0, start = std::string_view::npos;
  std::string_view last_string;
  for (std::size_t at = 0; at < json.size();) {
    const char c = json[at];
    if (c == '"') {
      const std::size_t end = end_of_string(json, at);
      last_string = json.substr(at + 1, end - at - 2);
      at = end;
      continue;
    }
    if (c == '{' || c == '[') {
      if (depth == 1 && c == '{' && last_string == member) start = at;
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
      if (depth == 1 && start != std::string_view::npos) return json.substr(start, at + 1 - start);
    } else if (c == ',' && depth == 1) {
      last_string = {};
    }
    ++at;
  }
  return std::nullopt;
}

}  // namespace

bool begins_as_json(std::string_view file) {
  const std::size_t at = file.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && file[at] == '{';
}

Result<SignedDocument> make_signed_document(std::string_view body, std::string_view hex_signature) {
  SignedDocument out;
  const auto signature = unhex(trim(hex_signature));
  if (!signature || signature->size() != out.signature.size())
    return Error::corrupt("a signature that is not 128 hex digits");
  std::copy(signature->begin(), signature->end(), out.signature.begin());
  out.body = std::string(body);
  return out;
}

Result<SignedDocument> split_signed_reply(std::string_view reply, std::string_view member,
                                          const Limits& limits) {
  const std::string what = cat("the signed document ", quote(member));
  CL_TRY(const Json json, parse_json(reply, limits, what));
  const DocumentReader reader(json, what, limits);
  CL_CHECK(reader.object(member));
  CL_TRY(const std::string signature, reader.text("signature"));
  const auto body = object_text(reply, member);
  if (!body) return reader.wrong(member, "an object under this very name");
  return make_signed_document(*body, signature);
}

Error DocumentReader::wrong(std::string_view key, std::string_view want) const {
  return Error::corrupt(cat(what_, " has no proper ", quote(key))).detail(cat("want ", want));
}

bool DocumentReader::has(std::string_view key) const {
  return object_.is_object() && object_.contains(std::string(key));
}

Result<std::uint32_t> DocumentReader::number(std::string_view key, std::uint32_t max) const {
  const auto value = get_int(object_, key);
  if (!value.has_value() || !*value || **value < 0 || **value > max)
    return wrong(key, cat("an integer from 0 to ", max));
  return static_cast<std::uint32_t>(**value);
}

Result<std::string> DocumentReader::text(std::string_view key) const {
  auto value = get_string(object_, key);
  if (!value.has_value() || !*value) return wrong(key, "a string");
  return std::move(**value);
}

Result<Seconds> DocumentReader::time(std::string_view key) const {
  CL_TRY(const std::string value, text(key));
  const auto time = parse_rfc3339(value);
  if (!time.has_value()) return wrong(key, "a time");
  return *time;
}

Result<TcbStatus> DocumentReader::status() const {
  CL_TRY(const std::string name, text("tcbStatus"));
  const auto status = parse_tcb_status(name);
  if (!status)
    return Error::unsupported(cat(what_, " has the unknown status ", quote(name.substr(0, 100))));
  return *status;
}

Result<std::vector<std::string>> DocumentReader::advisories() const {
  auto list = get_strings(object_, "advisoryIDs");
  if (!list.has_value() || list->size() > limits_.tcb_levels)
    return wrong("advisoryIDs", "a list of advisories");
  return list;
}

Result<DocumentReader> DocumentReader::object(std::string_view key) const {
  const auto value = get_object(object_, key);
  if (!value.has_value() || *value == nullptr) return wrong(key, "an object");
  return DocumentReader(**value, what_, limits_);
}

Result<std::vector<DocumentReader>> DocumentReader::objects(std::string_view key,
                                                            std::size_t max) const {
  const auto value = get_array(object_, key);
  if (!value.has_value() || *value == nullptr || (*value)->empty())
    return wrong(key, "a list of objects");
  if ((*value)->size() > max)
    return Error::limit(cat(what_, " has more than ", max, " ", quote(key)));
  std::vector<DocumentReader> out;
  out.reserve((*value)->size());
  for (const Json& item : **value) {
    if (!item.is_object()) return wrong(key, "a list of objects");
    out.emplace_back(item, what_, limits_);
  }
  return out;
}

Result<std::vector<IsvLevel>> DocumentReader::isv_levels() const {
  CL_TRY(const auto levels, objects("tcbLevels", limits_.tcb_levels));
  std::vector<IsvLevel> out;
  std::set<std::uint16_t> seen;
  for (const DocumentReader& level : levels) {
    IsvLevel one;
    CL_TRY(const DocumentReader tcb, level.object("tcb"));
    CL_TRY(const std::uint32_t isvsvn, tcb.number("isvsvn", 0xffff));
    one.isvsvn = static_cast<std::uint16_t>(isvsvn);
    if (!seen.insert(one.isvsvn).second) return wrong("tcbLevels", "each level once");
    CL_TRY(one.date, level.time("tcbDate"));
    CL_TRY(one.status, level.status());
    CL_TRY(one.advisories, level.advisories());
    out.push_back(std::move(one));
  }
  return out;
}

const IsvLevel* find_level(const std::vector<IsvLevel>& levels, std::uint16_t isvsvn) {
  const auto at = std::find_if(levels.begin(), levels.end(),
                               [&](const IsvLevel& level) { return isvsvn >= level.isvsvn; });
  return at == levels.end() ? nullptr : &*at;
}

}  // namespace cloister::sign
