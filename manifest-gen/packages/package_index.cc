// Listed paths become nodes of the tree once, here: a question for an owner is then one look-up, by
// whatever name the file was reached. Directories repeat from line to line, so that they are
// resolved once each.
#include "manifest-gen/packages/package_index.h"

#include <algorithm>

#include "base/text.h"
#include "manifest-gen/packages/apk.h"
#include "manifest-gen/packages/dpkg.h"
#include "manifest-gen/packages/rpm.h"

namespace cloister::manifest {

using measure::Node;
using measure::Rootfs;

class PackageIndexReader {
 public:
  PackageIndexReader(const Rootfs& rootfs, const Limits& limits)
      : rootfs_(rootfs), limits_(limits) {
    out_.rootfs_ = &rootfs;
  }

  PackageIndex run() {
    distribution();
    note("/var/lib/dpkg/status", dpkg());
    note("/var/lib/dpkg/status.d", distroless());
    for (const char* path : {"/lib/apk/db/installed", "/usr/lib/apk/db/installed"})
      note(path, apk(path));
    for (const char* path : {"/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite"})
      note(path, rpm(path));
    for (const char* path : {"/var/lib/rpm/Packages", "/usr/lib/sysimage/rpm/Packages",
                             "/var/lib/rpm/Packages.db", "/usr/lib/sysimage/rpm/Packages.db"})
      if (file(path) != nullptr)
        out_.notes_.push_back(cat(path, ": an rpm database older than SQLite is not read"));
    own();
    return std::move(out_);
  }

 private:
  void note(std::string_view path, const Status& status) {
    if (!status.has_value()) out_.notes_.push_back(cat(path, ": ", status.error().what()));
  }

  // A regular file that was not read before: links between two places of one database are usual.
  const Node* file(std::string_view path) {
    const Node* node = rootfs_.find(path);
    if (node == nullptr || !node->is_regular() ||
        std::find(read_.begin(), read_.end(), node) != read_.end())
      return nullptr;
    return node;
  }

  Result<std::string> text_of(const Node& node) const {
    CL_TRY(const Bytes bytes, rootfs_.read(node, limits_.package_database_bytes));
    return std::string(as_text(bytes));
  }

  void distribution() {
    for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
      const Node* node = rootfs_.find(path);
      if (node == nullptr || !node->is_regular()) continue;
      const auto bytes = rootfs_.read(*node, limits_.packed_file_bytes);
      if (!bytes.has_value()) continue;
      for (const std::string_view line : split(as_text(*bytes), '\n')) {
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        std::string_view value = trim(line.substr(equals + 1));
        if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
            value.back() == value.front())
          value = value.substr(1, value.size() - 2);
        if (line.substr(0, equals) == "ID") out_.distribution_.id = value;
        if (line.substr(0, equals) == "VERSION_ID") out_.distribution_.version_id = value;
      }
      return;
    }
  }

  Status dpkg() {
    const Node* status = file("/var/lib/dpkg/status");
    if (status == nullptr) return {};
    read_.push_back(status);
    CL_TRY(const std::string text, text_of(*status));
    CL_TRY(std::vector<Package> packages, parse_dpkg_status(text, limits_));
    const Node* info = rootfs_.find("/var/lib/dpkg/info");
    for (Package& package : packages) {
      // The name, or name:architecture where several may be installed.
      const Node* list = child(info, cat(package.name, ".list"));
      if (list == nullptr)
        list = child(info, cat(package.name, ":", package.architecture, ".list"));
      if (list != nullptr) {
        CL_TRY(const std::string paths, text_of(*list));
        package.files = parse_dpkg_list(paths);
      }
      out_.packages_.push_back(std::move(package));
    }
    return {};
  }

  static const Node* child(const Node* directory, const std::string& name) {
    if (directory == nullptr) return nullptr;
    const auto at = directory->children.find(name);
    return at != directory->children.end() && at->second->is_regular() ? at->second.get() : nullptr;
  }

  Status distroless() {
    const Node* directory = rootfs_.find("/var/lib/dpkg/status.d");
    if (directory == nullptr) return {};
    for (const auto& [name, node] : directory->children) {
      if (!node->is_regular() || name.ends_with(".md5sums")) continue;
      CL_TRY(const std::string text, text_of(*node));
      CL_TRY(std::vector<Package> packages, parse_dpkg_status(text, limits_));
      if (out_.packages_.size() + packages.size() > limits_.packages)
        return Error::limit(cat("more than ", limits_.packages, " packages"));
      const Node* sums = child(directory, cat(name, ".md5sums"));
      if (sums != nullptr && packages.size() == 1) {
        CL_TRY(const std::string paths, text_of(*sums));
        packages.front().files = parse_md5sums(paths);
      }
      std::move(packages.begin(), packages.end(), std::back_inserter(out_.packages_));
    }
    return {};
  }

  Status apk(std::string_view path) {
    const Node* installed = file(path);
    if (installed == nullptr) return {};
    read_.push_back(installed);
    CL_TRY(const std::string text, text_of(*installed));
    CL_TRY(std::vector<Package> packages, parse_apk_installed(text, limits_));
    std::move(packages.begin(), packages.end(), std::back_inserter(out_.packages_));
    return {};
  }

  Status rpm(std::string_view path) {
    const Node* database = file(path);
    if (database == nullptr) return {};
    read_.push_back(database);
    CL_TRY(const Bytes bytes, rootfs_.read(*database, limits_.package_database_bytes));
    CL_TRY(std::vector<Package> packages, parse_rpm_database(bytes, limits_));
    std::move(packages.begin(), packages.end(), std::back_inserter(out_.packages_));
    const Node* log = rootfs_.find(cat(path, "-wal"));
    if (log != nullptr && log->is_regular() && log->entry->size > 0)
      out_.notes_.push_back(cat(path, "-wal: changes that are not yet in the database, not read"));
    return {};
  }

  // The first package that lists a name owns it; a link and the file it leads to are two names.
  void own() {
    for (std::uint32_t i = 0; i < out_.packages_.size(); ++i) {
      std::vector<std::string> present;
      for (std::string& path : out_.packages_[i].files) {
        const Node* node = listed(path);
        if (node == nullptr || node->is_directory()) continue;
        const Node* end = node->is_symlink() ? rootfs_.find(path) : node;
        if (end != nullptr && end->is_directory()) continue;  // /lib, where that is a link
        out_.owners_.try_emplace(node, i);
        present.push_back(std::move(path));
      }
      out_.packages_[i].files = std::move(present);
    }
  }

  // Every directory resolved, the last component not.
  const Node* listed(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return nullptr;
    const std::string_view directory = path.substr(0, slash);
    if (!last_ || *last_ != directory) {
      auto [at, added] = directories_.try_emplace(std::string(directory), nullptr);
      if (added) at->second = rootfs_.find(slash == 0 ? "/" : directory);
      last_ = at->first;
      last_node_ = at->second;
    }
    if (last_node_ == nullptr || !last_node_->is_directory()) return nullptr;
    const auto child = last_node_->children.find(path.substr(slash + 1));
    return child != last_node_->children.end() ? child->second.get() : nullptr;
  }

  const Rootfs& rootfs_;
  const Limits& limits_;
  PackageIndex out_;
  std::vector<const Node*> read_;
  std::unordered_map<std::string, const Node*> directories_;
  std::optional<std::string_view> last_;  // a key of directories_: keys do not move
  const Node* last_node_ = nullptr;
};

PackageIndex PackageIndex::read(const Rootfs& rootfs, const Limits& limits) {
  return PackageIndexReader(rootfs, limits).run();
}

const Package* PackageIndex::owner(std::string_view path) const {
  const Node* node = rootfs_ != nullptr ? rootfs_->find(path) : nullptr;
  return node != nullptr ? owner(*node) : nullptr;
}

const Package* PackageIndex::owner(const Node& file) const {
  const auto at = owners_.find(&file);
  return at != owners_.end() ? &packages_[at->second] : nullptr;
}

}  // namespace cloister::manifest
