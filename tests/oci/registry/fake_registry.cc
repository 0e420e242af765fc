// distribution-spec v1.1 as far as clients of images use it. Uploads are strict on purpose: the
// Location changes with every step and its query must come back, as real registries demand.
#include "tests/oci/registry/fake_registry.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace cloister::oci {
namespace {

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte =
        text[i] == '%' && i + 2 < text.size() ? unhex(text.substr(i + 1, 2)) : std::nullopt;
    if (byte) i += 2;
    out += byte ? static_cast<char>((*byte)[0]) : text[i];
  }
  return out;
}

Reply status_reply(int status) {
  Reply reply;
  reply.status = status;
  return reply;
}

// Empty when it has none.
std::string subject_of(const std::string& manifest) {
  const Json json = Json::parse(manifest, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("subject")) return {};
  return json["subject"].value("digest", std::string());
}

}  // namespace

Reply error_reply(int status, const std::string& code, const std::string& message) {
  Reply reply = status_reply(status);
  reply.headers = {{"Content-Type", "application/json"}};
  reply.body = cat(R"({"errors":[{"code":")", code, R"(","message":")", message, R"("}]})");
  return reply;
}

std::string query_value(const std::string& query, const std::string& name) {
  std::string out;
  for (std::string_view part : split(query, '&'))
    if (part.starts_with(name + "="))
      out += (out.empty() ? "" : " ") + percent_decoded(part.substr(name.size() + 1));
  return out;
}

FakeRegistry::FakeRegistry(const TlsIdentity* tls)
    : server_([this](const Received& request) { return answer(request); }, tls) {}

Descriptor FakeRegistry::add_blob(const std::string& repository, const std::string& content) {
  const Digest digest = sha256(content);
  std::lock_guard lock(mutex_);
  repositories_[repository].blobs[digest.str()] = content;
  return {std::string(media_type::kOciLayerGzip), digest, content.size(), std::nullopt, {}};
}

Descriptor FakeRegistry::add_manifest(const std::string& repository, const std::string& tag,
                                      const std::string& text, std::string_view type) {
  const Digest digest = sha256(text);
  std::lock_guard lock(mutex_);
  auto& manifests = repositories_[repository].manifests;
  manifests[digest.str()] = manifests[tag] = {std::string(type), text};
  return {std::string(type), digest, text.size(), std::nullopt, {}};
}

bool FakeRegistry::has_blob(const std::string& repository, const Digest& digest) const {
  std::lock_guard lock(mutex_);
  const auto it = repositories_.find(repository);
  return it != repositories_.end() && it->second.blobs.count(digest.str()) > 0;
}

std::string FakeRegistry::manifest(const std::string& repository,
                                   const std::string& reference) const {
  std::lock_guard lock(mutex_);
  const auto it = repositories_.find(repository);
  if (it == repositories_.end()) return {};
  const auto found = it->second.manifests.find(reference);
  return found == it->second.manifests.end() ? std::string() : found->second.second;
}

void FakeRegistry::inject(Fault fault) {
  std::lock_guard lock(mutex_);
  faults_.push_back(std::move(fault));
}

void FakeRegistry::truncate_upload(const std::string& id, std::size_t size) {
  const auto found = uploads_.find(id);  // the lock is held: faults run under it
  if (found != uploads_.end() && found->second.content.size() > size)
    found->second.content.resize(size);
}

void FakeRegistry::revoke_tokens() {
  std::lock_guard lock(mutex_);
  tokens_.clear();
}

std::vector<Received> FakeRegistry::requests(const std::string& method,
                                             const std::string& path_contains) const {
  std::vector<Received> out;
  for (Received& request : server_.received())
    if (request.method == method && request.path.find(path_contains) != std::string::npos)
      out.push_back(std::move(request));
  return out;
}

int FakeRegistry::count(const std::string& method, const std::string& path_contains) const {
  return static_cast<int>(requests(method, path_contains).size());
}

Reply FakeRegistry::answer(const Received& request) {
  std::lock_guard lock(mutex_);
  for (Fault& fault : faults_) {
    if (!fault.instead || !fault.meets(request)) continue;
    if (fault.times > 0) --fault.times;
    return fault.apply(request, {});
  }
  Reply reply = right_answer(request);
  for (Fault& fault : faults_) {
    if (fault.instead || !fault.meets(request)) continue;
    if (fault.times > 0) --fault.times;
    reply = fault.apply(request, std::move(reply));
  }
  return reply;
}

// ---- authentication

Reply FakeRegistry::challenge(const std::string& scope) const {
  Reply reply = error_reply(401, "UNAUTHORIZED", "authentication required");
  const std::string where = realm.empty() ? server_.url("/token") : realm;
  reply.headers.push_back(
      {"WWW-Authenticate",
       auth == Auth::basic
           ? std::string(R"(Basic realm="fake")")
           : cat(R"(Bearer realm=")", where, R"(",service="fake service")",
                 scope.empty() ? ""
                               : cat(R"(,scope=")", scope, R"(",error="insufficient_scope")"))});
  return reply;
}

bool FakeRegistry::may(const Received& request, const std::string& repository) const {
  const std::string given = request.header("authorization");
  if (auth == Auth::none) return true;
  if (auth == Auth::basic)
    return given == "Basic " + base64(as_bytes(cat(username, ":", password)));
  if (!given.starts_with("Bearer ")) return false;
  const auto token = tokens_.find(given.substr(7));
  if (token == tokens_.end()) return false;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  for (std::string_view scope : split(token->second, ' '))
    if (scope == cat("repository:", repository, ":pull,push") ||
        (reads && scope == cat("repository:", repository, ":pull")))
      return true;
  return repository.empty();
}

Reply FakeRegistry::token(const Received& request) {
  const bool post = request.method == "POST";
  const std::string& form = post ? request.body : request.query;
  if (post && !oauth_post) return status_reply(404);
  const std::string scopes = query_value(form, "scope");
  if (query_value(form, "service") != "fake service")
    return error_reply(400, "SERVICE", "unknown service");
  if (!refused_scope.empty() && scopes.find(refused_scope) != std::string::npos)
    return error_reply(403, "DENIED", "requested access is denied");
  const std::string basic = "Basic " + base64(as_bytes(cat(username, ":", password)));
  const bool known = post ? !identity_token.empty() &&
                                query_value(form, "refresh_token") == identity_token &&
                                query_value(form, "grant_type") == "refresh_token"
                          : request.header("authorization") == basic;
  if (known) return give_token(scopes);
  if (anonymous_tokens && request.header("authorization").empty()) {
    std::string reading;
    for (std::string_view scope : split(scopes, ' '))
      reading += cat(scope.substr(0, scope.find(",push")), " ");
    return give_token(reading);
  }
  Reply reply = status_reply(401);
  reply.body = R"({"details":"incorrect username or password"})";
  return reply;
}

Reply FakeRegistry::give_token(const std::string& scopes) {
  const std::string token = cat("token-", ++serial_);
  tokens_[token] = scopes;
  Reply reply;
  reply.body = cat(R"({"token":")", token, R"(","expires_in":)", token_lifetime, "}");
  return reply;
}

// ---- contents

Reply FakeRegistry::right_answer(const Received& request) {
  if (request.path == "/token") return token(request);
  if (request.path == "/v2/") return may(request, "") ? Reply{} : challenge("");
  for (const char* kind : {"/manifests/", "/blobs/uploads/", "/blobs/", "/referrers/"}) {
    const std::size_t at = request.path.find(kind);
    if (!request.path.starts_with("/v2/") || at == std::string::npos || at < 4) continue;
    const std::string name = request.path.substr(4, at - 4);
    const std::string rest = request.path.substr(at + std::string_view(kind).size());
    if (!may(request, name)) {
      const bool reads = request.method == "GET" || request.method == "HEAD";
      return challenge(cat("repository:", name, reads ? ":pull" : ":pull,push"));
    }
    if (kind == std::string_view("/manifests/"))
      return serve_manifest(request, repositories_[name], rest);
    if (kind == std::string_view("/referrers/"))
      return referrers ? serve_referrers(repositories_[name], rest)
                       : error_reply(404, "NAME_UNKNOWN", "no such page");
    if (kind == std::string_view("/blobs/")) return serve_blob(request, repositories_[name], rest);
    return rest.empty() ? start_upload(request, name) : continue_upload(request, rest);
  }
  return error_reply(404, "NAME_UNKNOWN", "no such page");
}

Reply FakeRegistry::serve_manifest(const Received& request, Repository& repository,
                                   const std::string& reference) {
  if (request.method == "PUT") {
    const std::string digest = sha256(request.body).str();
    repository.manifests[digest] =
        repository.manifests[reference] = {request.header("content-type"), request.body};
    Reply reply = status_reply(201);
    reply.headers = {{"Docker-Content-Digest", digest}};
    const std::string subject = subject_of(request.body);
    if (referrers && !subject.empty()) reply.headers.push_back({"OCI-Subject", subject});
    return reply;
  }
  const auto found = repository.manifests.find(reference);
  if (found == repository.manifests.end())
    return error_reply(404, "MANIFEST_UNKNOWN", "manifest unknown");
  Reply reply;
  reply.body = found->second.second;
  reply.headers = {{"Content-Type", found->second.first},
                   {"Docker-Content-Digest", sha256(reply.body).str()}};
  return reply;
}

// An index of the manifests whose subject it is, with their artifact type and annotations.
Reply FakeRegistry::serve_referrers(const Repository& repository, const std::string& digest) {
  OrderedJson listed = OrderedJson::array();
  for (const auto& [reference, manifest] : repository.manifests) {
    if (!reference.starts_with("sha256:") || subject_of(manifest.second) != digest) continue;
    const OrderedJson json = OrderedJson::parse(manifest.second);
    OrderedJson entry = {
        {"mediaType", manifest.first}, {"digest", reference}, {"size", manifest.second.size()}};
    for (const char* key : {"artifactType", "annotations"})
      if (json.contains(key)) entry[key] = json[key];
    listed.push_back(std::move(entry));
  }
  Reply reply;
  reply.headers = {{"Content-Type", std::string(media_type::kOciIndex)}};
  reply.body = dump_json(OrderedJson{{"schemaVersion", 2},
                                     {"mediaType", std::string(media_type::kOciIndex)},
                                     {"manifests", std::move(listed)}});
  return reply;
}

Reply FakeRegistry::serve_blob(const Received& request, Repository& repository,
                               const std::string& digest) {
  const auto found = repository.blobs.find(digest);
  if (found == repository.blobs.end()) return error_reply(404, "BLOB_UNKNOWN", "blob unknown");
  Reply reply;
  reply.body = found->second;
  reply.headers = {{"Content-Type", "application/octet-stream"}, {"Docker-Content-Digest", digest}};
  const std::string range = request.header("range");
  if (!ranges || !range.starts_with("bytes=") || !range.ends_with("-")) return reply;
  const auto from = parse_u64(range.substr(6, range.size() - 7)).value_or(0);
  if (from >= reply.body.size()) return status_reply(416);
  const std::size_t size = reply.body.size();
  reply.status = 206;
  reply.headers.push_back({"Content-Range", cat("bytes ", from, "-", size - 1, "/", size)});
  reply.body.erase(0, from);
  return reply;
}

Reply FakeRegistry::upload_location(const std::string& id, int status) const {
  const Upload& upload = uploads_.at(id);
  Reply reply = status_reply(status);
  reply.headers = {
      {"Location", cat("/v2/", upload.repository, "/blobs/uploads/", id, "?state=", upload.state)},
      {"Range", cat("0-", upload.content.empty() ? 0 : upload.content.size() - 1)}};
  if (least_chunk > 0) reply.headers.push_back({"OCI-Chunk-Min-Length", cat(least_chunk)});
  return reply;
}

Reply FakeRegistry::start_upload(const Received& request, const std::string& name) {
  const std::string digest = query_value(request.query, "mount");
  const std::string from = query_value(request.query, "from");
  if (!digest.empty() && mounts && repositories_[from].blobs.count(digest) > 0) {
    repositories_[name].blobs[digest] = repositories_[from].blobs[digest];
    Reply reply = status_reply(201);
    reply.headers = {{"Docker-Content-Digest", digest}};
    return reply;
  }
  const std::string id = cat("upload-", ++serial_);
  uploads_[id] = {name, "", 0};
  return upload_location(id, 202);
}

Reply FakeRegistry::continue_upload(const Received& request, const std::string& id) {
  const auto found = uploads_.find(id);
  if (found == uploads_.end()) return error_reply(404, "BLOB_UPLOAD_UNKNOWN", "no such upload");
  Upload& upload = found->second;
  if (request.method == "GET" && upload_status) return upload_location(id, 204);
  if (query_value(request.query, "state") != cat(upload.state))
    return error_reply(400, "BLOB_UPLOAD_INVALID", "an old Location was used");
  if (request.method == "DELETE") {
    uploads_.erase(found);
    return status_reply(204);
  }
  if (request.method == "GET") return error_reply(405, "UNSUPPORTED", "no such method");
  if (request.body.size() > largest_body) return error_reply(413, "SIZE_INVALID", "too large");
  const std::string range = request.header("content-range");
  if (!range.empty() && parse_u64(range.substr(0, range.find('-'))) != upload.content.size())
    return error_reply(416, "BLOB_UPLOAD_INVALID", "not where this upload is");
  upload.content += request.body;
  ++upload.state;
  if (request.method == "PATCH") return upload_location(id, 202);
  const std::string digest = query_value(request.query, "digest");
  if (sha256(upload.content).str() != digest)
    return error_reply(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  repositories_[upload.repository].blobs[digest] = upload.content;
  uploads_.erase(found);
  Reply reply = status_reply(201);
  reply.headers = {{"Docker-Content-Digest", digest}};
  return reply;
}

}  // namespace cloister::oci
