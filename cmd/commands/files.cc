#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/format_option.h"
#include "cmd/output.h"
#include "cmd/report/files.h"
#include "cmd/session.h"
#include "cmd/template.h"

namespace cloister::cmd {
namespace {

struct FilesOptions {
  CommonOptions common;
  std::string image, format = "text", output;
  bool merged = false;
};

Result<int> run_files(const FilesOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const LoadedImage loaded, session->load(ref));
  const auto rows = o.merged ? merged_files(*loaded.rootfs) : layer_files(*loaded.rootfs);
  std::string out;
  if (is_template(o.format)) {
    CL_TRY(out, fill_rows(o.format, files_json(rows), "files", session->limits()));
  } else if (o.format == "json") {
    out = files_json(rows);
  } else {
    out = session->quiet() ? file_paths_text(rows) : files_text(rows);
  }
  CL_CHECK(write_result(o.output, out));
  return 0;
}

}  // namespace

Action add_files(CLI::App& app) {
  auto o = std::make_shared<FilesOptions>();
  add_image_options(app, o->common);
  app.add_option("IMAGE", o->image, "Image to list")->required();
  app.add_flag("--merged", o->merged,
               "The merged root file system, hard links resolved, instead of each layer");
  add_template_option(app, o->format, {"text", "json"}, "each file");
  add_output_option(app, o->output);
  return [o](const Environment& env) { return run_files(*o, env); };
}

}  // namespace cloister::cmd
