#include "tests/cmd/audit_fixture.h"

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

std::string digest_of(std::string_view text) {
  return sha256(text).hex();
}

OrderedJson finding(std::string_view id, std::string_view severity, std::string_view title,
                    std::string_view kind, std::string_view name, std::string_view evidence) {
  return {{"id", id},
          {"severity", severity},
          {"title", title},
          {"meaning", "What is written there is lost when the program ends."},
          {"where", {{"kind", kind}, {"name", name}, {"layer", "sha256:" + digest_of("layer 2")}}},
          {"evidence", evidence},
          {"fix", cat("--exclude ", name)}};
}

OrderedJson skeleton() {
  return {
      {"format", "cloister-audit-v1"},
      {"generator", "cloister 0.1.0"},
      {"subject",
       {{"kind", "image"},
        {"name", "registry.example/app:1.4"},
        {"digest", "sha256:" + digest_of("image")},
        {"platform", "linux/amd64"}}},
      {"verdict", {{"passed", true}, {"failOn", "high"}, {"worst", "medium"}}},
      {"counts",
       {{"critical", 0}, {"high", 0}, {"medium", 1}, {"low", 20}, {"info", 1}, {"accepted", 1}}},
      {"findings", OrderedJson::array()},
      {"launch",
       {{"argv", {"python3", "/app/main.py"}},
        {"entrypoint", "/usr/bin/python3.11"},
        {"workdir", "/app"},
        {"uid", 1000},
        {"gid", 1000},
        {"kind", "python"}}},
      {"base", {{"name", "registry.example/app:1.4"}, {"digest", "sha256:" + digest_of("image")}}},
      {"runtime",
       {{"name", "gramine"}, {"version", "1.9"}, {"digest", "sha256:" + digest_of("runtime")}}},
      {"sgx",
       {{"mrenclave", digest_of("enclave")},
        {"enclaveSize", 1073741824},
        {"maxThreads", 32},
        {"debug", false},
        {"edmm", false},
        {"isvprodid", 0},
        {"isvsvn", 0},
        {"remoteAttestation", "dcap"}}},
      {"targets",
       {{{"tee", "sgx"},
         {"fits", "yes"},
         {"reasons",
          {{{"effect", "cost"}, {"what", "each process is an enclave"}, {"evidence", "CL415"}}}}},
        {{"tee", "nitro"},
         {"fits", "with-limits"},
         {"reasons",
          {{{"effect", "limit"}, {"what", "there is no disk"}, {"evidence", "volumes /data"}}}}}}},
      {"surface",
       {{"files", 0},
        {"imageFiles", 20000},
        {"bytes", 0},
        {"elf", 1},
        {"scripts", 1},
        {"packages", OrderedJson::array()},
        {"capabilities",
         {{{"capability", "network"},
           {"files", {"/usr/bin/python3.11"}},
           {"functions", {"socket", "connect", "bind"}}}}},
        {"writable", {{{"path", "/tmp"}, {"type", "tmpfs"}}}},
        {"allowed", OrderedJson::array()},
        {"passthrough", {"TZ"}},
        {"hostEnvironment", false},
        {"hostArguments", false}}},
      {"files", OrderedJson::array()},
      {"edges", OrderedJson::array()},
      {"manifest",
       {{"digest", "sha256:" + digest_of("manifest")}, {"lines", OrderedJson::array()}}},
  };
}

void add_line(OrderedJson& audit, std::string_view text, std::string_view reason) {
  OrderedJson line = {{"text", text}};
  if (!reason.empty()) line["reason"] = reason;
  audit["manifest"]["lines"].push_back(std::move(line));
}

}  // namespace

const std::vector<std::string>& hostile_texts() {
  static const std::vector<std::string> texts = {
      "</script><script>alert(1)</script>",
      "<!--<script>",
      "<img src=x onerror=alert(1)>",
      "\"><svg onload='alert(1)'>",
      "&lt;b&gt; &amp; ]]>",
      "\x1b[31mred\x1b[0m\x07",
      "two\nlines\r\nand\ttab",
      "left\xe2\x80\xaethgir\xe2\x80\xac",      // U+202E, U+202C
      "line\xe2\x80\xa8paragraph\xe2\x80\xa9",  // U+2028, U+2029
      "zero\xe2\x80\x8bwidth\xef\xbb\xbf",      // U+200B, U+FEFF
      "{{data}} {{script}} {{title}} $& $1 `${1}`",
      "\" = true\nsgx.debug = true # '''",
      "__proto__",
      "javascript:alert(1)",
      std::string("nul\0byte", 8),
      "tag\xf3\xa0\x81\x81",  // U+E0041
  };
  return texts;
}

std::string large_audit(std::size_t files) {
  OrderedJson audit = skeleton();
  std::vector<std::string> paths;
  const std::size_t packages = files / 25 + 1;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < files; ++i) {
    const std::size_t package = i * 13 % packages;
    const std::string path =
        i == 0 ? "/usr/bin/python3.11"
               : cat("/usr/lib/python3/dist-packages/package_", package, "/module_", i, ".py");
    const std::string digest = digest_of(path);
    const std::uint64_t size = 200 + (i * 7919) % 60000 + (i % 97 == 0 ? 3000000 : 0);
    OrderedJson reasons = OrderedJson::array();
    for (std::size_t k = 1; i > 0 && k <= 3; ++k) {
      const std::size_t from = (i - 1) / (k * 4);
      const std::string detail = cat("import package_", package, k == 1 ? "" : ", in a function");
      audit["edges"].push_back(
          {{"from", from}, {"to", i}, {"why", "python-import"}, {"detail", detail}});
      reasons.push_back(cat("python-import: ", detail, " (", paths[from], ")"));
    }
    if (i == 0) {
      audit["edges"].push_back(
          {{"from", -1}, {"to", 0}, {"why", "entrypoint"}, {"detail", "python3"}});
      reasons.push_back("entrypoint: python3");
    }
    OrderedJson file = {{"path", path},
                        {"size", size},
                        {"sha256", digest},
                        {"kind", i == 0 ? "elf" : "script"},
                        {"package", cat("python3-package-", package)},
                        {"layer", "sha256:" + digest_of(cat("layer ", i % 5))},
                        {"reasons", reasons}};
    if (i == 0) file["aliases"] = {"/usr/bin/python3", "/bin/python3"};
    audit["files"].push_back(std::move(file));
    paths.push_back(path);
    bytes += size;
  }
  audit["surface"]["files"] = files;
  audit["surface"]["bytes"] = bytes;
  for (std::size_t i = 0; i < packages; ++i)
    audit["surface"]["packages"].push_back({{"name", cat("python3-package-", i)},
                                            {"version", "1.2.3-4+deb12u1"},
                                            {"files", 25},
                                            {"bytes", 1000}});
  for (int i = 0; i < 20; ++i)
    audit["findings"].push_back(finding("CL212", "low", "written data is lost at exit", "file",
                                        paths[static_cast<std::size_t>(i) % files], "it is tmpfs"));
  audit["findings"].insert(audit["findings"].begin(),
                           finding("CL204", "medium", "a private key is granted", "file", paths[0],
                                   "begins with -----BEGIN"));
  audit["findings"].push_back(
      finding("CL415", "info", "the program can fork", "program", paths[0], "imports fork"));
  OrderedJson accepted =
      finding("CL301", "medium", "the runtime is named by a tag", "runtime", "gramine:1.9", "1.9");
  accepted["accepted"] = {
      {"reason", "pinned elsewhere"}, {"until", "2027-01-01"}, {"by", "policy.toml"}};
  audit["findings"].push_back(std::move(accepted));

  add_line(audit, "sgx.debug = false", "");
  add_line(audit, "sgx.enclave_size = \"1G\"", "the default for Python");
  add_line(audit, "sgx.trusted_files = [", "");
  for (const OrderedJson& file : audit["files"])
    add_line(audit,
             cat("  { uri = \"file:", file["path"].get<std::string>(), "\", sha256 = \"",
                 file["sha256"].get<std::string>(), "\" },"),
             file["reasons"][0].get<std::string>());
  add_line(audit, "]", "");
  return dump_json(audit);
}

std::string deep_audit(std::size_t files) {
  OrderedJson audit = skeleton();
  audit["edges"].push_back({{"from", -1}, {"to", 0}, {"why", "entrypoint"}, {"detail", "app"}});
  for (std::size_t i = 0; i < files; ++i) {
    const std::string path = cat("/usr/lib/lib", i, ".so");
    audit["files"].push_back(
        {{"path", path}, {"size", 1}, {"sha256", digest_of(path)}, {"kind", "elf"}});
    audit["edges"].push_back(
        {{"from", i}, {"to", (i + 1) % files}, {"why", "needed"}, {"detail", "NEEDED"}});
  }
  return dump_json(audit);
}

std::string hostile_audit() {
  OrderedJson audit = skeleton();
  const auto& texts = hostile_texts();
  std::size_t next = 0;
  const auto hostile = [&] { return texts[next++ % texts.size()]; };
  audit["generator"] = hostile();
  for (const char* key : {"name", "digest", "platform", "kind"}) audit["subject"][key] = hostile();
  audit["subject"]["kind"] = "image";
  audit["verdict"] = {{"passed", false}, {"failOn", hostile()}, {"worst", hostile()}};
  for (const char* key : {"entrypoint", "workdir", "kind"}) audit["launch"][key] = hostile();
  audit["launch"]["argv"] = texts;
  for (const char* key : {"name", "digest"}) audit["base"][key] = hostile();
  for (const char* key : {"name", "version", "digest"}) audit["runtime"][key] = hostile();
  for (const char* key : {"mrenclave", "remoteAttestation"}) audit["sgx"][key] = hostile();
  audit["targets"] = OrderedJson::array();
  for (const std::string& text : texts)
    audit["targets"].push_back(
        {{"tee", text},
         {"fits", hostile()},
         {"reasons", {{{"effect", hostile()}, {"what", text}, {"evidence", hostile()}}}}});
  OrderedJson& surface = audit["surface"];
  surface["capabilities"] = OrderedJson::array();
  surface["writable"] = OrderedJson::array();
  surface["allowed"] = texts;
  surface["passthrough"] = texts;
  audit["manifest"]["digest"] = hostile();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    surface["capabilities"].push_back(
        {{"capability", hostile()}, {"files", texts}, {"functions", texts}});
    surface["writable"].push_back({{"path", texts[i]}, {"type", hostile()}});
    surface["packages"].push_back(
        {{"name", texts[i]}, {"version", hostile()}, {"files", 1}, {"bytes", 1}});
    OrderedJson f = finding(hostile(), hostile(), hostile(), hostile(), texts[i], hostile());
    f["where"]["layer"] = hostile();
    f["where"]["package"] = hostile();
    f["where"]["source"] = {{"file", hostile()}, {"line", 3}};
    f["ruleSeverity"] = hostile();
    f["meaning"] = hostile();
    audit["findings"].push_back(f);
    f["accepted"] = {{"reason", hostile()}, {"until", hostile()}, {"by", texts[i]}};
    audit["findings"].push_back(std::move(f));
    const std::string path = "/" + texts[i];
    audit["files"].push_back({{"path", path},
                              {"size", 1000 + i},
                              {"sha256", digest_of(path)},
                              {"kind", hostile()},
                              {"package", texts[i]},
                              {"layer", hostile()},
                              {"reasons", {hostile()}},
                              {"aliases", {"/alias/" + texts[i]}}});
    audit["edges"].push_back({{"from", static_cast<std::int64_t>(i) - 1},
                              {"to", i},
                              {"why", hostile()},
                              {"detail", texts[i]}});
    add_line(audit, texts[i], hostile());
    add_line(audit, cat("{ uri = \"file:", path, "\", sha256 = \"", digest_of(path), "\" }"),
             texts[i]);
  }
  surface["files"] = texts.size();
  return dump_json(audit);
}

std::string bare_audit() {
  OrderedJson audit = skeleton();
  for (const char* key : {"launch", "base", "runtime", "edges", "targets"}) audit.erase(key);
  audit["subject"] = {{"kind", "manifest"}, {"name", "app.manifest"}};
  audit["verdict"] = {{"passed", false}, {"failOn", "medium"}, {"worst", "high"}};
  audit["counts"] = {{"critical", 0}, {"high", 1}, {"medium", 0},
                     {"low", 0},      {"info", 0}, {"accepted", 0}};
  audit["sgx"]["mrenclave"] = nullptr;
  audit["sgx"]["debug"] = true;
  audit["sgx"]["remoteAttestation"] = "none";
  audit["surface"] = {{"files", 1},
                      {"packages", OrderedJson::array()},
                      {"capabilities", OrderedJson::array()},
                      {"writable", {{{"path", "/data"}, {"type", "chroot"}}}},
                      {"allowed", {"file:/data/"}},
                      {"passthrough", OrderedJson::array()},
                      {"hostEnvironment", true},
                      {"hostArguments", true}};
  audit["findings"].push_back(finding("CL201", "high", "the host chooses the arguments", "key",
                                      "loader.insecure__use_cmdline_argv", "is true"));
  audit["files"].push_back({{"path", "/bin/app"}, {"sha256", digest_of("app")}});
  add_line(audit, "sgx.debug = true", "");
  return dump_json(audit);
}

}  // namespace cloister::cmd
