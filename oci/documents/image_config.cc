// The image configuration (image-spec config.md), as builders really write it: any member may be
// null, an entry point may be a plain string (old Docker), `created` may be absent or Go's zero
// time. What a program would be started with must be expressible as C strings: a NUL is `corrupt`.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "oci/documents/image.h"

namespace cloister::oci {
namespace {

Status no_nul(std::string_view value, std::string_view key) {
  if (value.find('\0') == std::string_view::npos) return {};
  return Error::corrupt(cat("the value of ", quote(key), " holds a NUL byte"));
}

Result<std::string> text_member(const Json& object, std::string_view key) {
  CL_TRY(auto value, get_string(object, key));
  if (!value) return std::string();
  CL_CHECK(no_nul(*value, key));
  return std::move(*value);
}

// An array of strings, or one string.
Result<std::vector<std::string>> words_member(const Json& object, std::string_view key) {
  std::vector<std::string> words;
  const auto it = object.find(std::string(key));
  if (it != object.end() && it->is_string()) {
    words.push_back(it->get_ref<const std::string&>());
  } else {
    CL_TRY(words, get_strings(object, key));
  }
  for (const std::string& word : words) CL_CHECK(no_nul(word, key));
  return words;
}

// Sets are objects with empty values ("Volumes": {"/data": {}}); the members come out sorted.
Result<std::vector<std::string>> set_member(const Json& object, std::string_view key) {
  std::vector<std::string> names;
  CL_TRY(const Json* set, get_object(object, key));
  if (set == nullptr) return names;
  for (const auto& item : set->items()) {
    CL_CHECK(no_nul(item.key(), key));
    names.push_back(item.key());
  }
  return names;
}

// {"Test": ["NONE"]} switches an inherited check off.
Result<bool> has_healthcheck(const Json& config) {
  CL_TRY(const Json* check, get_object(config, "Healthcheck"));
  if (check == nullptr) return false;
  CL_TRY(const auto test, words_member(*check, "Test"));
  return !test.empty() && test[0] != "NONE";
}

Result<ExecutionConfig> parse_execution_config(const Json& config) {
  ExecutionConfig out;
  CL_TRY(out.user, text_member(config, "User"));
  CL_TRY(out.env, words_member(config, "Env"));
  CL_TRY(out.entrypoint, words_member(config, "Entrypoint"));
  CL_TRY(out.cmd, words_member(config, "Cmd"));
  CL_TRY(out.working_dir, text_member(config, "WorkingDir"));
  CL_TRY(out.volumes, set_member(config, "Volumes"));
  CL_TRY(out.exposed_ports, set_member(config, "ExposedPorts"));
  CL_TRY(out.labels, get_string_map(config, "Labels"));
  CL_TRY(out.stop_signal, text_member(config, "StopSignal"));
  CL_TRY(out.has_healthcheck, has_healthcheck(config));
  return out;
}

Result<std::optional<Seconds>> parse_created(const Json& json) {
  CL_TRY(const auto text, get_string(json, "created"));
  if (!text || text->empty()) return std::optional<Seconds>();
  auto time = parse_rfc3339(*text);
  if (!time.has_value())
    return Error::corrupt(
        cat("the value of 'created' is not a date: ", quote(text->substr(0, 64))));
  if (time->time_since_epoch().count() < 0) return std::optional<Seconds>();
  return std::optional<Seconds>(*time);
}

Result<std::vector<Digest>> parse_diff_ids(const Json& json, const Limits& limits) {
  CL_TRY(const Json* rootfs, get_object(json, "rootfs"));
  if (rootfs == nullptr) return Error::corrupt("the image configuration has no 'rootfs'");
  CL_TRY(const auto type, get_string(*rootfs, "type"));
  if (type && *type != "layers")
    return Error::unsupported(
        cat("rootfs of type ", quote(type->substr(0, 100)), " is not 'layers'"));
  CL_TRY(const auto texts, get_strings(*rootfs, "diff_ids"));
  if (texts.size() > limits.layers)
    return Error::limit("too many diff_ids")
        .detail(cat("got ", texts.size(), ", at most ", limits.layers, " are accepted"));
  std::vector<Digest> out;
  out.reserve(texts.size());
  for (const std::string& text : texts) {
    CL_TRY(const Digest digest, Digest::parse(text).while_("reading diff_ids"));
    out.push_back(digest);
  }
  return out;
}

}  // namespace

Result<ImageConfig> parse_image_config(std::string_view text, const Limits& limits) {
  if (text.size() > limits.config_bytes)
    return Error::limit(cat("the image configuration is larger than the limit of ",
                            human_bytes(limits.config_bytes)));
  CL_TRY(const Json json, parse_json(text, limits, "the image configuration"));
  if (!json.is_object()) return Error::corrupt("the image configuration is not a JSON object");
  ImageConfig out;
  CL_TRY(out.os, text_member(json, "os"));
  CL_TRY(out.architecture, text_member(json, "architecture"));
  CL_TRY(out.variant, text_member(json, "variant"));
  CL_TRY(out.created, parse_created(json));
  CL_TRY(out.diff_ids, parse_diff_ids(json, limits));
  CL_TRY(const Json* config, get_object(json, "config"));
  if (config != nullptr) {
    CL_TRY(out.config, parse_execution_config(*config).while_("reading config"));
  }
  out.raw = text;
  return out;
}

}  // namespace cloister::oci
