#include "cmd/collateral.h"

#include <CLI/CLI.hpp>  // all of it: App.hpp alone leaves the vtables of its formatter undefined

#include <algorithm>

#include "base/file.h"
#include "base/hint.h"
#include "base/text.h"
#include "cmd/option_heading.h"
#include "cmd/pccs.h"

namespace cloister::cmd {
namespace {

constexpr Advice kCollateralAdvice{
    "the file is damaged: fetch it anew",
    "collateral is small; name its files one by one, or a directory with nothing else in it",
    "see cloister quote verify --help for what --collateral takes"};

Result<std::vector<fs::path>> files_of(const fs::path& directory, const Limits& limits) {
  std::vector<fs::path> out;
  std::error_code failed;
  for (fs::directory_iterator at(directory, failed), end; !failed && at != end;
       at.increment(failed)) {
    std::error_code not_there;
    if (!at->is_regular_file(not_there)) continue;
    if (at->file_size(not_there) > limits.collateral_bytes) continue;
    if (out.size() >= limits.collateral_files)
      return Error::limit(
          cat("more than ", limits.collateral_files, " files in ", quote(directory.native())));
    out.push_back(at->path());
  }
  if (failed)
    return Error::io_errno(cat("cannot read ", quote(directory.native())), failed.value());
  std::sort(out.begin(), out.end());
  return out;
}

Result<bool> take_file(const fs::path& file, const Limits& limits, const TakeCollateral& take) {
  CL_TRY(const Bytes bytes, read_file(file, limits.collateral_bytes));
  return advise(take(bytes), kCollateralAdvice).while_(cat("reading ", quote(file.native())));
}

}  // namespace

void add_collateral_options(CLI::App& app, CollateralOptions& options) {
  OptionHeading heading(app, kHeadingQuote);
  app.add_option("--collateral", options.paths,
                 "File or directory with what proves the quote: certificates, revocation lists, "
                 "TCB info, identities, as files or as a PCCS answers (repeatable)")
      ->type_name("FILE|DIR")
      ->expected(1)
      ->take_all();
  app.add_option("--pccs", options.pccs,
                 "Fetch it from this caching service (PCCS, for example https://localhost:8081); "
                 "Intel's own "
                 "has no revocation list of the root: name that one with --collateral")
      ->type_name("URL")
      ->envname("CLOISTER_PCCS");
  app.add_option("--root", options.root,
                 "Root certificate to trust in place of the manufacturer's (PEM or DER)")
      ->type_name("FILE");
}

Status read_collateral(const CollateralOptions& options, const Limits& limits,
                       const TakeCollateral& take) {
  for (const std::string& path : options.paths) {
    std::error_code failed;
    if (!fs::is_directory(path, failed)) {
      CL_TRY(const bool taken, take_file(path, limits, take));
      if (!taken)
        return Error::invalid(cat(quote(path), " is no collateral of such a quote"))
            .hint(std::string(kCollateralAdvice.otherwise));
      continue;
    }
    CL_TRY(const auto files, advise(files_of(path, limits), kCollateralAdvice));
    for (const fs::path& file : files) CL_CHECK(take_file(file, limits, take));
  }
  return {};
}

Result<std::vector<sign::Certificate>> load_roots(const CollateralOptions& options,
                                                  const Limits& limits) {
  std::vector<sign::Certificate> out;
  if (options.root.empty()) return out;
  sign::IntelCollateral read;
  CL_CHECK(take_file(options.root, limits,
                     [&](ByteView bytes) { return sign::add_collateral(read, bytes, limits); }));
  for (const sign::Certificate& one : read.certificates)
    if (one.is_signed_by(one)) out.push_back(one);
  if (out.empty())
    return Error::invalid(cat("--root ", quote(options.root), " has no root certificate"))
        .detail("want a certificate that signs itself, in PEM or DER")
        .hint("name the manufacturer's root, or leave out --root for the ones that are known");
  return out;
}

Result<sign::IntelRoots> load_intel_roots(const CollateralOptions& options, const Limits& limits) {
  CL_TRY(const auto given, load_roots(options, limits));
  if (given.empty()) return sign::IntelRoots();
  std::vector<Digest> keys;
  for (const sign::Certificate& root : given) keys.push_back(sha256(root.spki()));
  return sign::IntelRoots(std::move(keys));
}

Result<sign::IntelCollateral> load_intel_collateral(Session& session,
                                                    const CollateralOptions& options,
                                                    const sign::EcdsaQuote& quote) {
  const Limits& limits = session.limits();
  sign::IntelCollateral out;
  CL_CHECK(read_collateral(
      options, limits, [&](ByteView bytes) { return sign::add_collateral(out, bytes, limits); }));
  if (options.pccs.empty()) return out;
  CL_TRY(const auto client, session.http_client(options.pccs));
  CL_CHECK(fetch_collateral(*client, options.pccs, quote, limits, out));
  return out;
}

}  // namespace cloister::cmd
