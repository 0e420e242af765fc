#include "cmd/report/init.h"

#include <algorithm>

#include "base/text.h"
#include "base/toml.h"
#include "cmd/build_record.h"
#include "cmd/session.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::cmd {
namespace {

std::string toml_list(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += cat(out.size() > 1 ? ", " : "", toml_string(item));
  return out + "]";
}

// Lines of the file. Whatever the image says is printable() or a TOML string: no line break of it
// ends a comment.
class InitFile {
 public:
  InitFile(const std::string& image, const PlanArguments& given, const Plan& plan)
      : image_(image), given_(given), plan_(plan), settings_(plan_parameters(given)) {}

  std::string text() && {
    head();
    launch();
    grants();
    volumes();
    enclave();
    return std::move(out_);
  }

 private:
  void comment(const std::string& text) { out_ += text.empty() ? "#\n" : cat("# ", text, "\n"); }
  // The setting that was given, or a comment with the value that holds without it.
  void setting(const std::string& key, const std::string& otherwise, const std::string& why = {}) {
    const std::string tail = why.empty() ? "" : "  # " + why;
    if (const TomlValue* value = settings_.find(key)) {
      TomlTable one;
      one.set(key, *value);
      std::string line = emit_toml(one);
      line.pop_back();
      out_ += cat(line, tail, "\n");
    } else {
      out_ += cat("# ", key, " = ", otherwise, tail, "\n");
    }
  }
  std::string manifest_value(std::string_view dotted) const {
    const TomlValue* value = plan_.manifest.manifest.table.at(dotted);
    if (value == nullptr) return "false";
    if (const auto* text = value->string()) return toml_string(*text);
    if (const auto* number = value->integer()) return cat(*number);
    if (const auto* flag = value->boolean()) return *flag ? "true" : "false";
    return "false";
  }

  void head() {
    const oci::Image& base = plan_.base.image;
    comment(cat("Options of cloister build for ", printable(image_), ", as cloister ", kVersion,
                " init found it."));
    comment("");
    comment(
        "  cloister build -f cloister.toml --dry-run                  # what it grants, and why");
    comment("  cloister build -f cloister.toml --key enclave.pem -t NAME --push");
    comment("");
    comment(
        "Keys are the long options of build; what the command line gives takes the place of what");
    comment("stands here. Lines behind # show what holds without them. No secret belongs in here.");
    out_ += cat("\n[build]\nimage = ", toml_string(image_), "\n");
    if (plan_.base.ref.transport == oci::Transport::registry && !plan_.base.ref.registry.digest) {
      comment("A tag may be moved by who owns it; this is what it stood for:");
      comment(cat("image = ", toml_string(cat(plan_.base.ref.registry.name(), "@",
                                              base.manifest_descriptor.digest.str()))));
    }
    if (given_.runtimes.empty())
      comment(cat("runtime = ", toml_list({std::string(kDefaultRuntime)}), "  # gramine ",
                  printable(plan_.runtime.version)));
    else
      out_ += cat("runtime = ", toml_list(given_.runtimes), "  # gramine ",
                  printable(plan_.runtime.version), "\n");
    if (!given_.premain.empty()) out_ += cat("premain = ", toml_string(given_.premain), "\n");
    if (!given_.manifest_file.empty())
      out_ += cat("manifest = ", toml_string(given_.manifest_file), "\n");
  }

  void launch() {
    const manifest::Launch& launch = plan_.launch;
    out_ += "\n";
    comment(cat("What starts: ", quote(launch.program), ", which is ", quote(launch.entrypoint),
                ", kind ", plan_.kind.name, ": ", printable(plan_.kind.summary)));
    const std::vector<std::string> args(launch.argv.begin() + (launch.argv.empty() ? 0 : 1),
                                        launch.argv.end());
    setting("entrypoint", toml_string(launch.argv.empty() ? launch.program : launch.argv.front()),
            "in place of the image's; drops its Cmd");
    setting("arg", toml_list(args), "in place of the image's Cmd");
    setting("user", toml_string(launch.user.empty() ? "0:0" : launch.user),
            cat("runs as ", launch.uid, ":", launch.gid));
    setting("workdir", toml_string(launch.workdir));
    std::vector<std::string> env;
    for (const auto& [name, value] : launch.env) env.push_back(cat(name, "=", value));
    setting("env", toml_list(env),
            "the image's; those named here are set beside or in place of them");
    setting("passthrough", toml_list(launch.passthrough), "variables that the untrusted host sets");
  }

  void grants() {
    std::size_t files = 0;
    for (const auto& layer : plan_.base.rootfs->layers()) files += layer.index->entries.size();
    out_ += "\n";
    comment(cat("What it may open: ", plan_.manifest.trusted_files, " files, ",
                human_bytes(plan_.manifest.trusted_bytes), ", of ", files, " entries in ",
                plan_.base.image.manifest.layers.size(), " layers."));
    out_ += cat("trust = ", toml_string(given_.trust), "  # none, closure, package or all\n");
    setting("include", "[]", "paths and globs of the image: \"/etc/app/**\"");
    setting("exclude", "[]");
  }

  void volumes() {
    out_ += "\n";
    comment(
        "Where it may write. tmpfs: enclave memory, lost at exit. encrypted: files of the host "
        "that");
    comment(
        "only this enclave can read; encrypted:KEY, whoever is given that key. allowed: the host "
        "reads");
    comment("and changes them.");
    for (const std::string& volume : plan_.launch.volumes)
      comment(cat("The image declares the volume ", quote(volume), "."));
    for (const manifest::Mount& mount : manifest::mounts(plan_.manifest.manifest.table))
      if (mount.type == "tmpfs" || mount.type == "encrypted")
        comment(cat("  ", printable(mount.path), "  ", mount.type));
    std::vector<std::string> encrypted;
    for (const std::string& volume : plan_.launch.volumes)
      encrypted.push_back(volume + "=encrypted");
    setting("volume",
            toml_list(encrypted.empty() ? std::vector<std::string>{"/data=encrypted"} : encrypted),
            "PATH=tmpfs, PATH=encrypted[:KEY] or PATH=allowed");
  }

  void enclave() {
    out_ += "\n";
    comment("The enclave.");
    setting("enclave-size", manifest_value("sgx.enclave_size"));
    setting("max-threads", manifest_value("sgx.max_threads"));
    setting("edmm", manifest_value("sgx.edmm_enable"), "grows and shrinks (SGX2)");
    setting("debug", "false", "the host could read its memory");
    setting("isvprodid", manifest_value("sgx.isvprodid"));
    setting("isvsvn", manifest_value("sgx.isvsvn"), "raise it with each security fix");
    setting("no-attestation", "false");
    setting("accept", "[]", "runtime advisories to build in spite of, by id");
    for (const char* key : {"ra-tls", "marblerun", "secret-prov", "secret-prov-ca"})
      if (settings_.find(key) != nullptr) setting(key, "");
  }

  const std::string& image_;
  const PlanArguments& given_;
  const Plan& plan_;
  const TomlTable settings_;
  std::string out_;
};

}  // namespace

std::string init_toml(const std::string& image, const PlanArguments& given, const Plan& plan) {
  return InitFile(image, given, plan).text();
}

}  // namespace cloister::cmd
