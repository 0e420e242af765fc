#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/output.h"
#include "cmd/report/cache.h"
#include "cmd/session.h"
#include "cmd/template.h"

namespace cloister::cmd {
namespace {

struct CacheOptions {
  CommonOptions common;
  std::string format = "text";
  bool repair = false;
};

Status print(const CacheOptions& o, const std::string& text, const std::string& json) {
  return write_result("", o.format == "json" ? json : text);
}

Result<int> cache_ls(const CacheOptions& o, Session& session) {
  CL_TRY(const oci::StoreContents contents,
         oci::list_store(session.store_directory(), session.limits()));
  const std::string json = cache_list_json(contents, session.keep());
  if (is_template(o.format)) {
    CL_TRY(const std::string out, fill_rows(o.format, json, "images", session.limits()));
    CL_CHECK(write_result("", out));
    return kExitDone;
  }
  CL_CHECK(print(o,
                 session.quiet() ? cache_names_text(contents)
                                 : cache_list_text(contents, session.keep(), session.env().now),
                 json));
  return kExitDone;
}

Result<int> cache_prune(const CacheOptions& o, Session& session) {
  const fs::path directory = session.store_directory();
  CL_TRY(const oci::PruneResult pruned,
         oci::prune_store(directory, session.keep(), /*loose=*/true, session.limits()));
  if (pruned.busy)
    return Error::conflict(cat("the store ", quote(directory.native()), " is in use"))
        .detail("nothing was removed: what another process needs is not touched")
        .hint("try again when no other cloister runs on it");
  CL_CHECK(print(o, cache_prune_text(pruned), cache_prune_json(pruned)));
  return 0;
}

Result<int> cache_verify(const CacheOptions& o, Session& session) {
  const fs::path directory = session.store_directory();
  CL_TRY(const oci::VerifyResult verified,
         oci::verify_store(directory, o.repair, session.pool(), session.progress(),
                           session.cancel(), session.limits()));
  CL_TRY(measure::IndexCache * cache, session.cache());
  CL_TRY(const auto indexes, cache->check(o.repair, session.limits()));
  const IndexCheck checked{indexes.usable, indexes.stale};
  CL_CHECK(print(o, cache_verify_text(verified, checked, o.repair),
                 cache_verify_json(verified, checked, o.repair)));
  if (verified.damaged.empty() || o.repair) return 0;
  return Error::corrupt(cat("the store ", quote(directory.native()), " is damaged"))
      .detail(cat(verified.damaged.size(), " of ", verified.blobs, " blobs"))
      .hint("cloister cache verify --repair removes them; they are fetched again when needed");
}

using CacheAction = Result<int> (*)(const CacheOptions&, Session&);

CLI::App* add_cache_command(CLI::App& app, const std::string& name, const std::string& summary,
                            CacheOptions& o) {
  CLI::App* sub = app.add_subcommand(name, summary);
  add_store_options(*sub, o.common);
  if (name == "ls")
    add_template_option(*sub, o.format, {"text", "json"}, "each image");
  else
    add_format_option(*sub, o.format, {"text", "json"});
  return sub;
}

}  // namespace

Action add_cache(CLI::App& app) {
  auto o = std::make_shared<CacheOptions>();
  app.require_subcommand(1);
  CLI::App* ls = add_cache_command(
      app, "ls", "What is in the store: images, when they were used, what they still need", *o);
  CLI::App* prune = add_cache_command(
      app, "prune",
      "Remove what belongs to no image, and the images used least recently until the store\n"
      "holds no more than --keep; nothing while another cloister uses the store",
      *o);
  CLI::App* verify =
      add_cache_command(app, "verify", "Hash every blob; exit 1 when one is damaged", *o);
  verify->add_flag("--repair", o->repair,
                   "Remove what is damaged: it is fetched again when needed");
  return [o, ls, prune](const Environment& env) -> Result<int> {
    CL_TRY(auto session, Session::create(o->common, env));
    const CacheAction action = ls->parsed()      ? cache_ls
                               : prune->parsed() ? cache_prune
                                                 : cache_verify;
    return action(*o, *session);
  };
}

}  // namespace cloister::cmd
