// The files of an image for people and for programs (schema/files.schema.json).
#pragma once

#include <string>
#include <vector>

#include "measure/rootfs/rootfs.h"

namespace cloister::cmd {

struct FileRow {
  std::string path;  // absolute, bytes
  const measure::Entry* entry;
  std::uint32_t layer;  // the layer it stands in; merged: the one that won
};

// Every entry of every layer, in archive order; whiteouts under their own names.
std::vector<FileRow> layer_files(const measure::Rootfs& rootfs);
// The merged tree, by path; hard links are files.
std::vector<FileRow> merged_files(const measure::Rootfs& rootfs);

std::string files_text(const std::vector<FileRow>& rows);
std::string file_paths_text(const std::vector<FileRow>& rows);  // a path per line
std::string files_json(const std::vector<FileRow>& rows);

}  // namespace cloister::cmd
