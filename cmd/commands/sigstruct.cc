#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/hint.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/format_option.h"
#include "cmd/output.h"
#include "cmd/report/sigstruct.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::cmd {
namespace {

struct SigstructOptions {
  std::string file, format = "text";
};

constexpr Advice kAdvice{"name a .sig file of Gramine or cloister: 1808 bytes", "",
                         "sign the enclave anew; this SIGSTRUCT starts nowhere"};

Result<int> run_sigstruct(const SigstructOptions& o, const Environment&) {
  CL_TRY(const Bytes bytes, read_file(o.file, 64 << 10));
  auto parsed = sign::parse_sigstruct(bytes);
  if (!parsed.has_value())
    return advise(std::move(parsed).error(), kAdvice).while_(cat("reading ", quote(o.file)));
  auto checked = sign::check_sigstruct(*parsed);
  CL_CHECK(write_result("", o.format == "json" ? sigstruct_json(*parsed, checked.has_value())
                                               : sigstruct_text(*parsed, checked.has_value())));
  if (!checked.has_value())
    return advise(std::move(checked).error(), kAdvice).while_(cat("checking ", quote(o.file)));
  return 0;
}

}  // namespace

Action add_sigstruct(CLI::App& app) {
  auto o = std::make_shared<SigstructOptions>();
  app.add_option("FILE", o->file, "SIGSTRUCT file (.sig), 1808 bytes")->required();
  add_format_option(app, o->format, {"text", "json"});
  return [o](const Environment& env) { return run_sigstruct(*o, env); };
}

}  // namespace cloister::cmd
