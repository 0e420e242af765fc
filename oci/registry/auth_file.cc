// The document is changed in place, as ordered JSON: these files hold settings of other programs
// (proxies, plugins, contexts) that are none of our business. The password of an entry without a
// helper is base64, which protects it from nobody; the mode of the file does. Files are replaced by
// rename, and their directory is locked meanwhile, so that of two logins at once none is lost.
#include "oci/registry/auth_file.h"

#include <nlohmann/json.hpp>
#include <system_error>

#include "base/file.h"
#include "base/hint.h"
#include "base/json.h"
#include "base/text.h"
#include "oci/registry/auth_keys.h"
#include "oci/registry/credential_helper.h"

namespace cloister::oci {
namespace {

constexpr std::uint64_t kMaxSavedFile = 1 << 20;
constexpr Advice kSaveAdvice{"correct the file, or name another one with --authfile FILE",
                             "name another file with --authfile FILE",
                             "name a file that you may write with --authfile FILE"};

bool is_named(const std::string& key, const std::string& registry) {
  for (const std::string& name : registry_names(registry))
    if (normal_auth_key(key) == name) return true;
  return false;
}

bool there_is(const std::string& file) {
  std::error_code error;
  return fs::exists(file, error);
}

// A file of credentials, from before it is read until after it is written.
class AuthDocument {
 public:
  // A missing or empty file is an empty document.
  static Result<AuthDocument> read(std::string file, const Limits& limits) {
    AuthDocument out(std::move(file));
    CL_CHECK(out.lock());
    if (!there_is(out.file_)) return out;
    CL_TRY(const std::string text, read_text_file(out.file_, kMaxSavedFile));
    if (trim(text).empty()) return out;
    CL_TRY(out.json_, parse_ordered_json(text, limits, cat("the file ", quote(out.file_))));
    const auto is_object_or_absent = [&](const char* key) {
      return !out.json_.contains(key) || out.json_[key].is_null() || out.json_[key].is_object();
    };
    if (!out.json_.is_object() || !is_object_or_absent("auths") ||
        !is_object_or_absent("credHelpers"))
      return Error::corrupt(cat(quote(out.file_), " is not a file of credentials"));
    return out;
  }

  // The helper that keeps this registry's secret, or nothing.
  std::string helper(const std::string& registry) const {
    if (const auto helpers = json_.find("credHelpers");
        helpers != json_.end() && helpers->is_object())
      for (const auto& [key, value] : helpers->items())
        if (is_named(key, registry) && value.is_string()) return value.get<std::string>();
    const auto store = json_.find("credsStore");
    return store != json_.end() && store->is_string() ? store->get<std::string>() : std::string();
  }

  // True when there was an entry.
  bool erase(const std::string& registry) {
    OrderedJson* entries = auths();
    if (entries == nullptr) return false;
    std::vector<std::string> keys;
    for (const auto& [key, value] : entries->items())
      if (is_named(key, registry)) keys.push_back(key);
    for (const std::string& key : keys) entries->erase(key);
    return !keys.empty();
  }

  void set(const std::string& registry, OrderedJson entry) {
    if (auths() == nullptr) json_["auths"] = OrderedJson::object();
    (*auths())[auth_key_for(registry)] = std::move(entry);
  }

  Status write() const {
    return write_file_atomic(real_, as_bytes(dump_json_pretty(json_) + "\n"), 0600);
  }

  const std::string& file() const { return file_; }

 private:
  explicit AuthDocument(std::string file) : file_(std::move(file)) {}
  // Links are followed: what is replaced, and locked, is where the file truly lies.
  Status lock() {
    std::error_code error;
    real_ = fs::exists(file_, error) ? fs::canonical(file_, error) : fs::path(file_);
    if (error) return Error::io_errno(cat("cannot resolve ", quote(file_)), error.value());
    const fs::path directory = real_.has_parent_path() ? real_.parent_path() : fs::path(".");
    CL_CHECK(make_directories(directory, 0700));
    CL_TRY(lock_, FileLock::acquire_directory(directory));
    return {};
  }
  // ~/.dockercfg is the object of `auths` without anything around it.
  OrderedJson* auths() {
    if (const auto found = json_.find("auths"); found != json_.end() && found->is_object())
      return &*found;
    return file_.ends_with(".dockercfg") ? &json_ : nullptr;
  }

  std::string file_;
  fs::path real_;
  std::optional<FileLock> lock_;
  OrderedJson json_ = OrderedJson::object();
};

Result<std::string> file_to_write(const CredentialPaths& paths) {
  if (!paths.authfile.empty()) return paths.authfile;
  for (const std::string& file : paths.default_files)
    if (there_is(file) && !file.ends_with(".dockercfg")) return file;
  if (!paths.new_file.empty()) return paths.new_file;
  return Error::usage("there is no place for credentials: HOME is not set")
      .hint("name a file with --authfile FILE");
}

Result<std::string> save_in(AuthDocument& document, const CredentialPaths& paths,
                            const std::string& registry, const Credentials& credentials,
                            const Limits& limits) {
  const std::string helper = document.helper(registry);
  document.erase(registry);
  if (helper.empty()) {
    document.set(
        registry,
        {{"auth", base64(as_bytes(cat(credentials.username, ":", credentials.password)))}});
    CL_CHECK(document.write());
    return quote(document.file());
  }
  CL_CHECK(store_with_credential_helper(helper, auth_key_for(registry), credentials,
                                        document.file(), paths.environment, limits));
  document.set(registry, OrderedJson::object());
  CL_CHECK(document.write());
  return cat("docker-credential-", helper);
}

}  // namespace

Result<std::string> save_credentials(const CredentialPaths& paths, const std::string& registry,
                                     const Credentials& credentials, const Limits& limits) {
  if (credentials.username.empty() || credentials.username.find(':') != std::string::npos)
    return Error::usage("a user name is not empty and has no colon").hint("check -u USER");
  const auto save = [&]() -> Result<std::string> {
    CL_TRY(std::string file, file_to_write(paths));
    CL_TRY(AuthDocument document, AuthDocument::read(std::move(file), limits));
    return save_in(document, paths, registry, credentials, limits);
  };
  return advise(save(), kSaveAdvice).while_(cat("keeping the credentials of ", quote(registry)));
}

Result<std::vector<std::string>> remove_credentials(const CredentialPaths& paths,
                                                    const std::string& registry,
                                                    const Limits& limits) {
  const auto files =
      paths.authfile.empty() ? paths.default_files : std::vector<std::string>{paths.authfile};
  const auto remove = [&](const std::string& file, std::vector<std::string>& places) -> Status {
    CL_TRY(AuthDocument document, AuthDocument::read(file, limits));
    const std::string helper = document.helper(registry);
    if (!helper.empty())
      CL_CHECK(erase_with_credential_helper(helper, auth_key_for(registry), file, paths.environment,
                                            limits));
    if (!document.erase(registry)) return {};
    CL_CHECK(document.write());
    places.push_back(quote(file));
    return {};
  };
  std::vector<std::string> places;
  for (const std::string& file : files)
    if (there_is(file))
      CL_CHECK(advise(remove(file, places), kSaveAdvice)
                   .while_(cat("forgetting the credentials of ", quote(registry))));
  return places;
}

}  // namespace cloister::oci
