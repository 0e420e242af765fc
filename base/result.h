// Result<T> and Error: how every fallible function of cloister answers.
//
// An Error is one pointer: success costs nothing and a Result<uint32_t> is 16 bytes. It carries
// data (code, what, hint, trace); text for people is made in one place, cmd/render_error.cc.
// No exceptions cross a folder; the JSON and TOML parsers are wrapped once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace cloister {

// What went wrong, as far as the program reacts to it: retry and exit code depend on this alone.
enum class Code {
  usage,         // the command line or cloister.toml is wrong; repeating it unchanged cannot help
  not_found,     // an image, tag, platform or blob that was asked for does not exist
  unauthorized,  // the registry refused the credentials (401/403)
  unavailable,   // network or server trouble that may pass: the only retryable code
  corrupt,       // bytes that do not match their digest or format
  unsupported,   // well-formed, but something cloister (or Gramine) cannot do
  limit,         // a bound of base/limits.h was reached
  policy,        // a check, gate or policy said no
  conflict,      // two inputs that exclude each other, or a concurrent change
  invalid,       // a key, overlay or option value that is well-formed text but cannot be used
  unresolved,    // something the image needs is not in it (entrypoint, library, user)
  io,            // the local file system said no
  cancelled,     // the user interrupted
  internal,      // a bug in cloister
};

class [[nodiscard]] Error {
 public:
  Error(Code code, std::string what);
  Error(Error&&) noexcept = default;
  Error& operator=(Error&&) noexcept = default;

  static Error usage(std::string what) { return {Code::usage, std::move(what)}; }
  static Error not_found(std::string what) { return {Code::not_found, std::move(what)}; }
  static Error unauthorized(std::string what) { return {Code::unauthorized, std::move(what)}; }
  static Error unavailable(std::string what) { return {Code::unavailable, std::move(what)}; }
  static Error corrupt(std::string what) { return {Code::corrupt, std::move(what)}; }
  static Error unsupported(std::string what) { return {Code::unsupported, std::move(what)}; }
  static Error limit(std::string what) { return {Code::limit, std::move(what)}; }
  static Error policy(std::string what) { return {Code::policy, std::move(what)}; }
  static Error conflict(std::string what) { return {Code::conflict, std::move(what)}; }
  static Error invalid(std::string what) { return {Code::invalid, std::move(what)}; }
  static Error unresolved(std::string what) { return {Code::unresolved, std::move(what)}; }
  static Error io(std::string what) { return {Code::io, std::move(what)}; }
  static Error cancelled() { return {Code::cancelled, "interrupted"}; }
  static Error internal(std::string what) { return {Code::internal, std::move(what)}; }

  // An io error that ends in the text of `error_number` (an errno value).
  static Error io_errno(std::string what, int error_number);

  // One action the user can take. The last one given wins: the outermost caller knows most.
  Error&& hint(std::string text) &&;
  // A further line of detail under the message, for example "got …, want …".
  Error&& detail(std::string text) &&;
  // What the program was doing, added on the way up, innermost first.
  Error&& while_(std::string doing) &&;

  Code code() const { return detail_->code; }
  const std::string& what() const { return detail_->what; }
  const std::string& hint() const { return detail_->hint; }
  const std::vector<std::string>& details() const { return detail_->details; }
  const std::vector<std::string>& trace() const { return detail_->trace; }
  Error clone() const;

 private:
  struct Detail {
    Code code;
    std::string what;
    std::string hint;
    std::vector<std::string> details;
    std::vector<std::string> trace;
  };
  explicit Error(std::unique_ptr<Detail> detail) : detail_(std::move(detail)) {}
  std::unique_ptr<Detail> detail_;
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  using Base::Base;
  Result(Error&& error) : Base(tl::unexpect, std::move(error)) {}  // NOLINT: `return Error::…`

  // Adds "while doing …" to a failure; costs a string only then.
  Result while_(std::string_view doing) && {
    if (!this->has_value()) this->error() = std::move(this->error()).while_(std::string(doing));
    return std::move(*this);
  }
};

using Status = Result<void>;

}  // namespace cloister

#define CL_CONCAT_(a, b) a##b
#define CL_CONCAT(a, b) CL_CONCAT_(a, b)

// CL_TRY(auto index, index_layer(…)): the value, or return the error to the caller.
#define CL_TRY(decl, expr) CL_TRY_IMPL_(CL_CONCAT(cl_try_, __COUNTER__), decl, expr)
#define CL_TRY_IMPL_(tmp, decl, expr)                  \
  auto tmp = (expr);                                   \
  if (!tmp.has_value()) return std::move(tmp).error(); \
  decl = std::move(*tmp)

// CL_CHECK(expr): return the error of a Status (or of a Result whose value is not wanted).
#define CL_CHECK(expr)                                                                        \
  do {                                                                                        \
    if (auto cl_check_ = (expr); !cl_check_.has_value()) return std::move(cl_check_).error(); \
  } while (0)
