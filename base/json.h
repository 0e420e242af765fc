// JSON, wrapped once: nlohmann/json without its exceptions, with limits and typed getters.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace cloister {

using Json = nlohmann::json;                 // keys sorted: canonical output
using OrderedJson = nlohmann::ordered_json;  // keys as they came: for documents we change in part

// RFC 8259 text. `what` names the document in errors ("image manifest of 'redis'"). Depth beyond
// limits.json_depth is `limit`; a repeated key in one object, which two readers may understand
// differently, is `corrupt`.
Result<Json> parse_json(std::string_view text, const Limits& limits, std::string_view what);
Result<OrderedJson> parse_ordered_json(std::string_view text, const Limits& limits,
                                       std::string_view what);

// Getters on an object: absent or null gives nothing, another type is `corrupt` and names the key.
Result<std::optional<std::string>> get_string(const Json& object, std::string_view key);
Result<std::optional<std::int64_t>> get_int(const Json& object, std::string_view key);
Result<std::optional<bool>> get_bool(const Json& object, std::string_view key);
Result<std::vector<std::string>> get_strings(const Json& object,
                                             std::string_view key);  // absent: empty
Result<std::map<std::string, std::string>> get_string_map(const Json& object, std::string_view key);
// The array or object under `key`, or null when absent.
Result<const Json*> get_array(const Json& object, std::string_view key);
Result<const Json*> get_object(const Json& object, std::string_view key);

// `object`, the compact text of an object that has members, with one more at its end whose value is
// the JSON text `value`: for values that are passed on as the text they are.
std::string with_member(std::string object, std::string_view key, std::string_view value);

// Compact and indented text. Strings that are not UTF-8 are written with replacement characters.
std::string dump_json(const Json& value);
std::string dump_json_pretty(const Json& value);
std::string dump_json(const OrderedJson& value);
std::string dump_json_pretty(const OrderedJson& value);

}  // namespace cloister
