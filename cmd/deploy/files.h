// What a deployment consists of when it is several files: each named, with what it pins.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace cloister::cmd {

struct DeployFile {
  std::string name;     // "attestation-policy.cel"
  std::string purpose;  // sentences: what it is for, what it proves and what not
  std::string text;
};

struct DeployFiles {
  std::string title;               // one line: what runs where
  std::vector<std::string> notes;  // what people have to know or do
  std::vector<DeployFile> files;
};

// All of it as one text with a heading for each file. Title, notes and purposes are escaped for the
// terminal and broken into lines of `width` columns, where words allow it; the texts of files are
// as they are.
std::string files_text(const DeployFiles& files, unsigned width);
// Each file in `directory`, which is made if it is missing, and everything else in its README.txt.
// What is there under these names is replaced; each file appears complete or not at all.
Status write_deploy_files(const std::string& directory, const DeployFiles& files);

}  // namespace cloister::cmd
