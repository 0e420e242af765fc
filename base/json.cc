#include "base/json.h"

#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"

namespace cloister {
namespace {

// Walks the document before it is built: bounds the depth (the DOM parser and destructor are
// iterative, but what reads the value may not be) and refuses repeated keys.
class Guard final : public nlohmann::json_sax<Json> {
 public:
  Guard(std::size_t max_depth, std::string_view what) : max_depth_(max_depth), what_(what) {}
  std::optional<Error> error;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    error = Error::corrupt(cat(what_, " repeats the key ", quote(name.substr(0, 100))));
    return false;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    error = Error::corrupt(cat(what_, " is not valid JSON (at byte ", position, ")"));
    return false;
  }

 private:
  bool enter() {
    if (keys_.size() >= max_depth_) {
      error = Error::limit(cat(what_, " is nested deeper than ", max_depth_, " levels"));
      return false;
    }
    keys_.emplace_back();
    return true;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }
  std::size_t max_depth_;
  std::string_view what_;
  std::vector<std::set<std::string>> keys_;
};

template <class J>
Result<J> parse_as(std::string_view text, const Limits& limits, std::string_view what) {
  Guard guard(limits.json_depth, what);
  if (!Json::sax_parse(text, &guard)) {
    if (guard.error) return std::move(*guard.error);
    return Error::corrupt(cat(what, " is not valid JSON"));
  }
  J value = J::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return Error::corrupt(cat(what, " is not valid JSON"));
  return value;
}

// The member, or null when it is absent or null, or when `object` is not an object.
const Json* member(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  auto it = object.find(std::string(key));
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

Error wrong_type(std::string_view key, std::string_view want) {
  return Error::corrupt(cat("the value of ", quote(key), " is not ", want));
}

template <class J>
std::string dump(const J& value, int indent) {
  return value.dump(indent, ' ', false, J::error_handler_t::replace);
}

}  // namespace

Result<Json> parse_json(std::string_view text, const Limits& limits, std::string_view what) {
  return parse_as<Json>(text, limits, what);
}

Result<OrderedJson> parse_ordered_json(std::string_view text, const Limits& limits,
                                       std::string_view what) {
  return parse_as<OrderedJson>(text, limits, what);
}

Result<std::optional<std::string>> get_string(const Json& object, std::string_view key) {
  const Json* m = member(object, key);
  if (m == nullptr) return std::optional<std::string>();
  if (!m->is_string()) return wrong_type(key, "a string");
  return std::optional<std::string>(m->get_ref<const std::string&>());
}

Result<std::optional<std::int64_t>> get_int(const Json& object, std::string_view key) {
  const Json* m = member(object, key);
  if (m == nullptr) return std::optional<std::int64_t>();
  if (m->is_number_unsigned() && m->get<std::uint64_t>() > INT64_MAX)
    return wrong_type(key, "a 64-bit integer");
  if (!m->is_number_integer()) return wrong_type(key, "an integer");
  return std::optional<std::int64_t>(m->get<std::int64_t>());
}

Result<std::optional<bool>> get_bool(const Json& object, std::string_view key) {
  const Json* m = member(object, key);
  if (m == nullptr) return std::optional<bool>();
  if (!m->is_boolean()) return wrong_type(key, "true or false");
  return std::optional<bool>(m->get<bool>());
}

Result<std::vector<std::string>> get_strings(const Json& object, std::string_view key) {
  std::vector<std::string> out;
  const Json* m = member(object, key);
  if (m == nullptr) return out;
  if (!m->is_array()) return wrong_type(key, "an array of strings");
  for (const Json& item : *m) {
    if (!item.is_string()) return wrong_type(key, "an array of strings");
    out.push_back(item.get_ref<const std::string&>());
  }
  return out;
}

Result<std::map<std::string, std::string>> get_string_map(const Json& object,
                                                          std::string_view key) {
  std::map<std::string, std::string> out;
  const Json* m = member(object, key);
  if (m == nullptr) return out;
  if (!m->is_object()) return wrong_type(key, "an object of strings");
  for (const auto& [name, value] : m->items()) {
    if (!value.is_string()) return wrong_type(key, "an object of strings");
    out.emplace(name, value.get_ref<const std::string&>());
  }
  return out;
}

Result<const Json*> get_array(const Json& object, std::string_view key) {
  const Json* m = member(object, key);
  if (m != nullptr && !m->is_array()) return wrong_type(key, "an array");
  return m;
}

Result<const Json*> get_object(const Json& object, std::string_view key) {
  const Json* m = member(object, key);
  if (m != nullptr && !m->is_object()) return wrong_type(key, "an object");
  return m;
}

std::string with_member(std::string object, std::string_view key, std::string_view value) {
  object.pop_back();
  return cat(object, ",", dump_json(Json(key)), ":", value, "}");
}

std::string dump_json(const Json& value) {
  return dump(value, -1);
}
std::string dump_json_pretty(const Json& value) {
  return dump(value, 2);
}
std::string dump_json(const OrderedJson& value) {
  return dump(value, -1);
}
std::string dump_json_pretty(const OrderedJson& value) {
  return dump(value, 2);
}

}  // namespace cloister
