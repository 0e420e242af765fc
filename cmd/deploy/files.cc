#include "cmd/deploy/files.h"

#include "base/file.h"
#include "base/text.h"
#include "cmd/wrap.h"

namespace cloister::cmd {
namespace {

constexpr unsigned kReadmeWidth = 80;

std::string overview(const DeployFiles& files, unsigned width) {
  std::string out = wrapped(printable(files.title), "", width);
  for (const std::string& note : files.notes) out += wrapped(printable(note), "- ", width);
  return out;
}

std::string file_heading(const DeployFile& file, unsigned width) {
  return cat("\n==> ", printable(file.name), " <==\n", wrapped(printable(file.purpose), "", width));
}

}  // namespace

std::string files_text(const DeployFiles& files, unsigned width) {
  std::string out = overview(files, width);
  for (const DeployFile& file : files.files) {
    out += cat(file_heading(file, width), "\n", file.text);
    if (!file.text.ends_with('\n')) out += '\n';
  }
  return out;
}

Status write_deploy_files(const std::string& directory, const DeployFiles& files) {
  CL_CHECK(make_directories(directory));
  const fs::path base = directory;
  std::string readme = overview(files, kReadmeWidth);
  for (const DeployFile& file : files.files) {
    readme += file_heading(file, kReadmeWidth);
    CL_CHECK(write_file_atomic(base / file.name, as_bytes(file.text)));
  }
  return write_file_atomic(base / "README.txt", as_bytes(readme));
}

}  // namespace cloister::cmd
