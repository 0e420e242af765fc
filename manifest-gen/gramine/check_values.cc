// What a value of each type looks like. For the signer a trusted file may still be a bare URI or a
// directory; the loader wants { uri, sha256 } of files only.
//
// Trap: Gramine's loader reads many values by hand and differs in details from its schema: seal key
// masks must have all their digits, a passthrough of false is an error rather than "do not pass".
#include "manifest-gen/gramine/check_values.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::size_t kMaxEncryptedPath = 512;  // bytes, limit of Gramine's encrypted files

Error bad_value(std::string_view key, std::string_view got, std::string_view want) {
  return Error::invalid(cat(quote(key), " has a value that Gramine does not take"))
      .detail(cat("got ", quote(got.substr(0, 200)), ", want ", want));
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

Status check_mask(std::string_view key, const TomlValue& value, std::size_t digits) {
  const std::string* text = value.string();
  if (text == nullptr) return wrong_type(key, "a string", value);
  const bool prefixed = text->starts_with("0x") || text->starts_with("0X");
  if (prefixed && text->size() == digits + 2 && is_hex(std::string_view(*text).substr(2)))
    return {};
  return bad_value(key, *text, cat("\"0x\" and exactly ", digits, " hex digits"));
}

Status check_choice(std::string_view key, const KeyRule& rule, const TomlValue& value) {
  const auto choices = split(rule.choices, ' ');
  const std::string* text = value.string();
  if (text == nullptr)
    return wrong_type(key, cat("one of the strings ", join(choices, ", ")), value);
  if (std::find(choices.begin(), choices.end(), *text) != choices.end()) return {};
  return bad_value(key, *text, cat("one of ", join(choices, ", ")));
}

Status check_integer(std::string_view key, const KeyRule& rule, const TomlValue& value) {
  const std::int64_t* number = value.integer();
  if (number == nullptr) return wrong_type(key, "an integer", value);
  if (*number >= rule.min && *number <= rule.max) return {};
  const bool bounded = rule.max < (std::int64_t{1} << 62);
  return bad_value(key, cat(*number),
                   bounded ? cat(rule.min, " to ", rule.max) : cat("at least ", rule.min));
}

Status check_size(std::string_view key, const TomlValue& value, Strictness strictness) {
  const std::string* text = value.string();
  if (text == nullptr)
    return wrong_type(key, "a string", value).hint("sizes are strings, for example \"256M\"");
  auto size = parse_size(*text, strictness);
  if (size.has_value()) return {};
  return std::move(size).error().while_(cat("reading ", quote(key)));
}

Status check_strings(std::string_view key, const TomlValue& value) {
  const TomlArray* array = value.array();
  if (array == nullptr) return wrong_type(key, "an array of strings", value);
  for (const TomlValue& item : *array)
    if (item.string() == nullptr) return wrong_type(cat(key, "[]"), "a string", item);
  return {};
}

Status check_environment(std::string_view key, const TomlValue& value) {
  if (value.string() != nullptr) return {};
  const TomlTable* table = value.table();
  if (table == nullptr || table->size() != 1)
    return wrong_type(key, "a string, { value = \"…\" } or { passthrough = true }", value);
  const auto& [name, item] = *table->begin();
  if (name == "value" && item.string() != nullptr) return {};
  if (name == "passthrough" && item.boolean() != nullptr) {
    if (*item.boolean()) return {};
    return Error::invalid(cat(quote(key), " has passthrough = false, which Gramine refuses"))
        .hint("leave the variable out: none is passed through unless it says so");
  }
  return wrong_type(key, "a string, { value = \"…\" } or { passthrough = true }", value);
}

// A table whose keys are all among `known` and whose `required` keys are there.
Status check_fields(std::string_view key, const TomlValue& value, std::string_view known,
                    std::string_view required) {
  const TomlTable* table = value.table();
  if (table == nullptr) return wrong_type(key, "a table", value);
  const auto names = split(known, ' ');
  for (const auto& [name, item] : *table)
    if (std::find(names.begin(), names.end(), name) == names.end())
      return Error::invalid(cat(quote(key), " has an unknown field ", quote(name.substr(0, 100))))
          .detail(cat("known: ", join(names, ", ")));
  for (std::string_view name : split(required, ' '))
    if (!name.empty() && table->find(name) == nullptr)
      return Error::invalid(cat(quote(key), " lacks its field '", name, "'"));
  return {};
}

Status check_string_field(std::string_view key, const TomlTable& table, std::string_view name) {
  const TomlValue* value = table.find(name);
  if (value != nullptr && value->string() == nullptr)
    return wrong_type(cat(key, ".", name), "a string", *value);
  return {};
}

std::string_view text_of(const TomlTable& table, std::string_view name,
                         std::string_view otherwise) {
  const TomlValue* value = table.find(name);
  return value != nullptr && value->string() != nullptr ? std::string_view(*value->string())
                                                        : otherwise;
}

Status check_mount_values(std::string_view key, const TomlTable& mount) {
  const std::string_view type = text_of(mount, "type", "chroot"), uri = text_of(mount, "uri", "");
  const bool encrypted = type == "encrypted";
  if (type != "chroot" && !encrypted && type != "tmpfs" && type != "untrusted_shm")
    return bad_value(cat(key, ".type"), type, "one of chroot, encrypted, tmpfs, untrusted_shm");
  if (!encrypted)
    for (std::string_view name : {"key_name", "enable_recovery"})
      if (mount.find(name) != nullptr)
        return Error::invalid(
            cat(quote(key), " has '", name, "', which only encrypted mounts have"));
  if (type == "tmpfs") return {};  // its uri is ignored
  if (uri.empty()) return Error::invalid(cat(quote(key), " lacks its field 'uri'"));
  const bool file = uri.starts_with("file:"), device = uri.starts_with("dev:");
  if (encrypted ? !file : type == "untrusted_shm" ? !device : !file && !device)
    return bad_value(cat(key, ".uri"), uri,
                     encrypted                 ? "a URI that begins with file:"
                     : type == "untrusted_shm" ? "a URI that begins with dev:"
                                               : "a URI that begins with file: or dev:");
  if (encrypted && uri.size() - 5 > kMaxEncryptedPath)
    return bad_value(cat(key, ".uri"), uri, cat("a path of at most ", kMaxEncryptedPath, " bytes"));
  return {};
}

Status check_mount(std::string_view key, const TomlValue& value, bool with_path) {
  CL_CHECK(check_fields(
      key, value,
      with_path ? "type path uri key_name enable_recovery" : "type uri key_name enable_recovery",
      with_path ? "path" : ""));
  const TomlTable& mount = *value.table();
  for (std::string_view name : {"type", "path", "uri", "key_name"})
    CL_CHECK(check_string_field(key, mount, name));
  if (const TomlValue* recovery = mount.find("enable_recovery");
      recovery != nullptr && recovery->boolean() == nullptr)
    return wrong_type(cat(key, ".enable_recovery"), "a boolean", *recovery);
  if (with_path) {
    const std::string_view path = text_of(mount, "path", "");
    if (!path.starts_with('/') || path == "/")
      return bad_value(cat(key, ".path"), path, "an absolute path below the root")
          .hint("what is mounted at / is fs.root");
  }
  return check_mount_values(key, mount);
}

Status check_trusted_file(std::string_view key, const TomlValue& value, Strictness strictness) {
  const std::string* uri = value.string();
  if (uri == nullptr) {
    CL_CHECK(check_fields(key, value, "uri sha256", "uri"));
    CL_CHECK(check_string_field(key, *value.table(), "uri"));
    CL_CHECK(check_string_field(key, *value.table(), "sha256"));
    uri = value.table()->find("uri")->string();
  }
  if (!uri->starts_with("file:") || uri->size() == 5)
    return bad_value(key, *uri, "a URI that begins with file:");
  const TomlTable* table = value.table();
  const bool hashed = table != nullptr && table->find("sha256") != nullptr;
  if (hashed) {
    const std::string& hash = *table->find("sha256")->string();
    if (hash.size() != 64 || !is_hex(hash))
      return bad_value(cat(key, ".sha256"), hash, "64 hex digits").detail(cat("uri ", quote(*uri)));
  }
  if (strictness == Strictness::signer) return {};
  if (!hashed)
    return Error::invalid(cat(quote(key), " has no hash: ", quote(*uri)))
        .detail("Gramine's loader takes { uri, sha256 } only; its signer adds the hashes")
        .hint("name the file in sgx.trusted_files with its sha256");
  if (uri->ends_with('/'))
    return Error::invalid(cat(quote(key), " is a directory: ", quote(*uri)))
        .hint("name the files in it; the loader knows no trusted directories");
  return {};
}

template <class Check>
Status check_each(std::string_view key, const TomlValue& value, Check check) {
  const TomlArray* array = value.array();
  if (array == nullptr) {
    Error error = wrong_type(key, "an array", value);
    if (value.table() != nullptr)
      return std::move(error).hint(cat("since Gramine 1.2 it is written ", key, " = [ … ]"));
    return error;
  }
  for (std::size_t i = 0; i < array->size(); ++i)
    CL_CHECK(check(cat(key, "[", i, "]"), (*array)[i]));
  return {};
}

Status check_ioctl(std::string_view key, const TomlValue& value) {
  CL_CHECK(check_fields(key, value, "request_code struct", "request_code"));
  const TomlValue& code = *value.table()->find("request_code");
  if (code.integer() == nullptr) return wrong_type(cat(key, ".request_code"), "an integer", code);
  return check_string_field(key, *value.table(), "struct");
}

Status check_mock(std::string_view key, const TomlValue& value) {
  CL_CHECK(check_fields(key, value, "name return", "name"));
  CL_CHECK(check_string_field(key, *value.table(), "name"));
  const TomlValue* result = value.table()->find("return");
  if (result != nullptr && result->integer() == nullptr)
    return wrong_type(cat(key, ".return"), "an integer", *result);
  return {};
}

Status check_hex128(std::string_view key, const TomlValue& value) {
  const std::string* text = value.string();
  if (text == nullptr) return wrong_type(key, "a string", value);
  if (text->size() == 32 && is_hex(*text)) return {};
  // The value is a key: never shown.
  return Error::invalid(cat(quote(key), " is not a key of 32 hex digits"));
}

}  // namespace

Error wrong_type(std::string_view key, std::string_view want, const TomlValue& value) {
  return Error::invalid(cat(quote(key), " must be ", want, ", not ", value.type_name()));
}

Status check_value(std::string_view key, const KeyRule& rule, const TomlValue& value,
                   Strictness strictness) {
  switch (rule.type) {
    case KeyType::boolean:
      if (value.boolean() == nullptr) return wrong_type(key, "true or false", value);
      return {};
    case KeyType::string:
      if (value.string() == nullptr) return wrong_type(key, "a string", value);
      return {};
    case KeyType::integer:
      return check_integer(key, rule, value);
    case KeyType::size:
      return check_size(key, value, strictness);
    case KeyType::choice:
      return check_choice(key, rule, value);
    case KeyType::strings:
      return check_strings(key, value);
    case KeyType::mask64:
      return check_mask(key, value, 16);
    case KeyType::mask32:
      return check_mask(key, value, 8);
    case KeyType::hex128:
      return check_hex128(key, value);
    case KeyType::environment:
      return check_environment(key, value);
    case KeyType::root:
      return check_mount(key, value, /*with_path=*/false);
    case KeyType::mounts:
      return check_each(key, value, [](const std::string& name, const TomlValue& item) {
        return check_mount(name, item, /*with_path=*/true);
      });
    case KeyType::trusted_files:
      return check_each(key, value, [&](const std::string& name, const TomlValue& item) {
        return check_trusted_file(name, item, strictness);
      });
    case KeyType::ioctls:
      return check_each(key, value, [](const std::string& name, const TomlValue& item) {
        return check_ioctl(name, item);
      });
    case KeyType::mock_syscalls:
      return check_each(key, value, [](const std::string& name, const TomlValue& item) {
        return check_mock(name, item);
      });
    case KeyType::anything:
      return {};
  }
  return {};
}

}  // namespace cloister::manifest
