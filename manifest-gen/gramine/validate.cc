// The manifest against the key table, and against the rules that Gramine's loader enforces at
// start (pal/src/host/linux-sgx/host_main.c, pal_main.c, libos_init.c). The loader itself ignores
// keys it does not know; here they are errors, as in gramine-manifest-check: a misspelled key is a
// setting that silently does not hold.
//
// Trap: keys come from outside and may contain dots and anything else; the table is walked by
// component, and only as deep as known keys go.
#include "manifest-gen/gramine/validate.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "base/text.h"
#include "manifest-gen/gramine/check_values.h"
#include "manifest-gen/gramine/keys.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::manifest {
namespace {

constexpr std::int64_t kMaxThreads = 4096;  // MAX_DBG_THREADS

class Violations {
 public:
  explicit Violations(std::size_t most) : most_(most) {}
  bool full() const { return found_.size() >= most_; }
  void add(std::string_view key, Status status) {
    if (!status.has_value() && !full())
      found_.push_back({std::string(key), std::move(status).error()});
  }
  std::vector<Violation> take() { return std::move(found_); }

 private:
  std::size_t most_;
  std::vector<Violation> found_;
};

Error unknown_key(std::string_view dotted, std::string_view shown) {
  if (const RemovedKey* removed = find_removed_key(dotted))
    return Error::invalid(cat("manifest key ", quote(shown), " is gone",
                              removed->since.empty() ? "" : " since Gramine ", removed->since))
        .hint(cat("write instead: ", removed->instead));
  Error error = Error::invalid(cat("unknown manifest key ", quote(shown)));
  if (const auto near = nearest_key(dotted))
    return std::move(error).hint(cat("did you mean '", *near, "'?"));
  return std::move(error).hint("see the manifest syntax of Gramine 1.9");
}

// Values whose type changed: the old form deserves more than "must be a table".
Status check_old_form(std::string_view dotted, const TomlValue& value) {
  if (dotted == "loader.entrypoint" && value.string() != nullptr)
    return Error::invalid("'loader.entrypoint' as a string is gone since Gramine 1.9")
        .hint("write instead: loader.entrypoint.uri and loader.entrypoint.sha256");
  const bool epid = value.string() != nullptr && *value.string() == "epid";
  if (dotted == "sgx.remote_attestation" && (epid || value.boolean() != nullptr))
    return Error::invalid("'sgx.remote_attestation' no longer takes epid, true or false")
        .hint("write instead: sgx.remote_attestation = \"dcap\" (or \"none\")");
  return {};
}

void check_table(const TomlTable& root, Strictness strictness, Violations& out) {
  struct Frame {
    const TomlTable* table;
    std::string prefix;  // components joined by dots, as the key table has them
  };
  std::vector<Frame> open = {{&root, ""}};
  for (std::size_t at = 0; at < open.size(); ++at) {
    const Frame frame = open[at];
    for (const auto& [name, value] : *frame.table) {
      if (out.full()) return;
      // A name with a dot in it is not the key it looks like.
      const bool plain =
          name.find('.') == std::string::npos || find_key(frame.prefix + ".*") != nullptr;
      const std::string dotted = frame.prefix.empty() ? name : cat(frame.prefix, ".", name);
      const std::string shown =
          frame.prefix.empty() ? toml_key(name) : cat(frame.prefix, ".", toml_key(name));
      Status old_form = check_old_form(dotted, value);
      if (!old_form.has_value()) {
        out.add(dotted, std::move(old_form));
      } else if (const KeyRule* rule = find_key(dotted); rule != nullptr && plain) {
        out.add(dotted, check_value(shown, *rule, value, strictness));
      } else if (plain && is_key_table(dotted)) {
        if (value.table() != nullptr)
          open.push_back({value.table(), dotted});
        else
          out.add(dotted, wrong_type(shown, "a table", value));
      } else {
        out.add(dotted, unknown_key(dotted, shown));
      }
    }
  }
}

Status require(const TomlTable& table, std::string_view key, std::string_view hint) {
  if (table.at(key) != nullptr) return {};
  return Error::invalid(cat("the manifest lacks '", key, "'")).hint(std::string(hint));
}

Status check_entrypoint(const TomlTable& table) {
  const std::string* path = string_at(table, "libos.entrypoint");
  if (path == nullptr || path->starts_with('/')) return {};
  if (path->starts_with("file:"))
    return Error::invalid(cat("'libos.entrypoint' is a URI: ", quote(*path)))
        .detail("since Gramine 1.9 it is a path in the enclave")
        .hint("remove the prefix file: and write an absolute path");
  return Error::invalid(cat("'libos.entrypoint' is not an absolute path: ", quote(*path)))
      .hint("write the full path of the program in the image");
}

Status check_loader_entrypoint(const TomlTable& table) {
  CL_CHECK(require(table, "loader.entrypoint.uri", "name Gramine's libsysdb.so"));
  CL_CHECK(
      require(table, "loader.entrypoint.sha256",
              "give the SHA-256 of libsysdb.so: it is what binds the LibOS to the measurement"));
  const std::string* uri = string_at(table, "loader.entrypoint.uri");
  if (uri != nullptr && !uri->starts_with("file:"))
    return Error::invalid(cat("'loader.entrypoint.uri' is not a file: URI: ", quote(*uri)));
  const std::string* hash = string_at(table, "loader.entrypoint.sha256");
  if (hash != nullptr && (hash->size() != 64 || !unhex(*hash)))
    return Error::invalid(
        cat("'loader.entrypoint.sha256' is not 64 hex digits: ", quote(hash->substr(0, 100))));
  return {};
}

Status check_enclave_size(const TomlTable& table) {
  CL_CHECK(require(table, "sgx.enclave_size", "for example sgx.enclave_size = \"512M\""));
  const std::string* text = string_at(table, "sgx.enclave_size");
  if (text == nullptr) return {};  // reported by the key table
  const auto size = parse_size(*text, Strictness::loader);
  if (!size.has_value()) return {};
  // The loader would take "256m" and "0256M"; the signer must read the same number.
  const auto signer_size = parse_size(*text, Strictness::signer);
  if (!signer_size.has_value() || *signer_size != *size)
    return Error::invalid(cat("'sgx.enclave_size' = ", quote(*text),
                              " is read differently by Gramine's loader and its signer"))
        .hint("write decimal digits and K, M or G, for example \"512M\"");
  if (std::has_single_bit(*size)) return {};
  const std::uint64_t up = *size < (1ULL << 20)   ? 1ULL << 20
                           : *size > (1ULL << 57) ? 1ULL << 57
                                                  : std::bit_ceil(*size);
  return Error::invalid(cat("enclave size ", quote(*text), " is not a power of two"))
      .detail(cat("got ", *size, " bytes; SGX knows powers of two only"))
      .hint(cat("write sgx.enclave_size = \"", up >> 20, "M\""));
}

Status check_threads(const TomlTable& table) {
  CL_CHECK(require(table, "sgx.max_threads", "for example sgx.max_threads = 8"));
  const TomlValue* value = table.at("sgx.max_threads");
  const std::int64_t* threads = value->integer();
  if (threads == nullptr || (*threads >= 1 && *threads <= kMaxThreads)) return {};
  return Error::invalid(cat("'sgx.max_threads' = ", *threads, " is out of range"))
      .hint(cat("write a number from 1 to ", kMaxThreads));
}

Status check_arguments(const TomlTable& table) {
  const TomlValue* argv = table.at("loader.argv");
  const bool file = table.at("loader.argv_src_file") != nullptr;
  const bool host = true_at(table, "loader.insecure__use_cmdline_argv");
  if ((argv != nullptr) + file + host > 1)
    return Error::invalid("the manifest says in more than one way what the arguments are")
        .hint("keep one of loader.argv, loader.argv_src_file, loader.insecure__use_cmdline_argv");
  if (argv != nullptr && argv->array() != nullptr && argv->array()->empty())
    return Error::invalid("'loader.argv' is empty").hint("its first element is the program's name");
  return {};
}

Status check_environment_source(const TomlTable& table) {
  if (table.at("loader.env_src_file") != nullptr && true_at(table, "loader.insecure__use_host_env"))
    return Error::invalid(
               "loader.env_src_file and loader.insecure__use_host_env exclude each other")
        .hint("remove loader.insecure__use_host_env");
  return {};
}

Status check_allowed_files(const TomlTable& table) {
  const TomlValue* value = table.at("sgx.allowed_files");
  if (value == nullptr || value->array() == nullptr) return {};
  for (const TomlValue& item : *value->array()) {
    const std::string* uri = item.string();
    if (uri == nullptr || uri->starts_with("file:") || uri->starts_with("dev:")) continue;
    return Error::invalid(cat("'sgx.allowed_files' has ", quote(*uri)))
        .hint("each entry begins with file: or dev:");
  }
  return {};
}

Status check_debugging(const TomlTable& table) {
  if (true_at(table, "sgx.debug")) return {};
  const std::string* profile = string_at(table, "sgx.profile.enable");
  const bool profiled = profile != nullptr && *profile != "none";
  if (!profiled && !true_at(table, "sgx.enable_stats")) return {};
  return Error::invalid(cat("'", profiled ? "sgx.profile.enable" : "sgx.enable_stats",
                            "' needs sgx.debug = true"))
      .hint("leave it out: a production enclave cannot be profiled");
}

Status check_preheat(const TomlTable& table) {
  if (true_at(table, "sgx.preheat_enclave") && true_at(table, "sgx.edmm_enable"))
    return Error::invalid("sgx.preheat_enclave and sgx.edmm_enable exclude each other")
        .hint("with EDMM there is no heap to touch at start: remove sgx.preheat_enclave");
  return {};
}

// TOML can spell NUL (\u0000); Gramine's C strings end there.
Status check_no_nul(const TomlTable& root) {
  std::vector<const TomlValue*> values;
  std::vector<const TomlTable*> tables = {&root};
  const auto bad = [](std::string_view text) { return text.find('\0') != std::string_view::npos; };
  while (!tables.empty() || !values.empty()) {
    if (tables.empty()) {
      const TomlValue& value = *values.back();
      values.pop_back();
      if (const auto* table = value.table()) tables.push_back(table);
      if (const auto* array = value.array())
        for (const TomlValue& item : *array) values.push_back(&item);
      if (const auto* text = value.string(); text != nullptr && bad(*text))
        return Error::invalid(
                   cat("the manifest has a string with a NUL: ", quote(text->substr(0, 100))))
            .detail("Gramine would cut it there");
      continue;
    }
    const TomlTable& table = *tables.back();
    tables.pop_back();
    for (const auto& [name, value] : table) {
      if (bad(name)) return Error::invalid(cat("the manifest has a key with a NUL: ", quote(name)));
      values.push_back(&value);
    }
  }
  return {};
}

}  // namespace

std::vector<Violation> find_violations(const EnclaveManifest& manifest, Strictness strictness,
                                       std::size_t most) {
  Violations out(most);
  const TomlTable& table = manifest.table;
  check_table(table, strictness, out);
  out.add("libos.entrypoint", require(table, "libos.entrypoint", "name the program to start"));
  out.add("fs.mounts", require(table, "fs.mounts", "write fs.mounts = [] if there are none"));
  if (strictness == Strictness::signer) return out.take();
  out.add("libos.entrypoint", check_entrypoint(table));
  out.add("loader.entrypoint", check_loader_entrypoint(table));
  out.add("sgx.enclave_size", check_enclave_size(table));
  out.add("sgx.max_threads", check_threads(table));
  out.add("loader.argv", check_arguments(table));
  out.add("loader.env_src_file", check_environment_source(table));
  out.add("sgx.allowed_files", check_allowed_files(table));
  out.add("sgx.debug", check_debugging(table));
  out.add("sgx.preheat_enclave", check_preheat(table));
  out.add("", check_no_nul(table));
  return out.take();
}

Status validate(const EnclaveManifest& manifest, Strictness strictness) {
  std::vector<Violation> found = find_violations(manifest, strictness, 1);
  if (found.empty()) return {};
  return std::move(found.front().error);
}

}  // namespace cloister::manifest
