#include "manifest-gen/runtimes/python/application.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/runtimes/python/implied.h"

namespace cloister::manifest::python {
namespace {

using measure::Node;

constexpr std::size_t kMaxFiles = 1U << 14;

// Not /srv, /opt and the like: they are empty unless somebody puts an application there.
constexpr std::string_view kSystem[] = {
    "/",        "/bin",       "/boot",          "/dev",       "/etc",    "/lib", "/lib64",
    "/proc",    "/run",       "/sbin",          "/sys",       "/tmp",    "/usr", "/var",
    "/usr/lib", "/usr/local", "/usr/local/lib", "/usr/share", "/var/lib"};

bool is_left_out(std::string_view name) {
  return name.starts_with('.') || name == "__pycache__" || name == "node_modules" ||
         name == "site-packages" || name == "dist-packages" || is_beside_the_program(name);
}

}  // namespace

bool is_application_directory(const measure::Rootfs& rootfs, std::string_view path) {
  const std::string normal = measure::normalize_path(path);
  if (std::find(std::begin(kSystem), std::end(kSystem), normal) != std::end(kSystem)) return false;
  const std::string_view base = base_name(normal);
  if (base == "bin" || base == "sbin" || base == "scripts") return false;
  const Node* node = rootfs.find(normal);
  return node != nullptr && node->is_directory();
}

std::vector<ApplicationFile> application_files(const measure::Rootfs& rootfs,
                                               const std::string& directory,
                                               const std::vector<Place>& apart) {
  std::vector<ApplicationFile> out;
  const Node* top = rootfs.find(directory);
  if (top == nullptr || !top->is_directory()) return out;
  struct Pending {
    const Node* node;
    std::string path, module;
  };
  std::vector<Pending> pending{{top, directory, ""}};
  for (std::size_t done = 0; done < pending.size() && out.size() < kMaxFiles; ++done) {
    const Pending at = pending[done];
    for (const auto& [name, node] : at.node->children) {
      if (is_left_out(name)) continue;
      const std::string path = cat(at.path, "/", name);
      const std::string_view stem = std::string_view(name).substr(0, name.find('.'));
      std::string module = at.module.empty() ? std::string(stem) : cat(at.module, ".", stem);
      if (node->is_directory()) {
        const bool elsewhere =
            node->children.find("pyvenv.cfg") != node->children.end() ||
            std::any_of(apart.begin(), apart.end(),
                        [&, child = node.get()](const Place& p) { return p.node == child; });
        if (!elsewhere && stem.size() == name.size())
          pending.push_back({node.get(), path, std::move(module)});
      } else if (node->is_regular() && (name.ends_with(".py") || name.ends_with(".so"))) {
        if (is_beside_the_program(stem)) continue;
        if (stem == "__init__") module = at.module;
        out.push_back({path, node.get(), std::move(module)});
      }
    }
  }
  return out;
}

}  // namespace cloister::manifest::python
