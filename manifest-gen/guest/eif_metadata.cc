// AWS's tools read these fields by name and want every one of them. DockerInfo is what `docker
// image inspect` would say, of a daemon that we do not have.
#include "manifest-gen/guest/eif_metadata.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace cloister::manifest {

std::string eif_metadata_json(const EifMetadata& metadata) {
  OrderedJson build = OrderedJson::object();
  build["BuildTime"] = format_rfc3339(metadata.build_time);
  build["BuildTool"] = metadata.build_tool;
  build["BuildToolVersion"] = metadata.build_tool_version;
  build["OperatingSystem"] = metadata.operating_system;
  build["KernelVersion"] = metadata.kernel_version;
  OrderedJson custom = OrderedJson::object();
  for (const auto& [name, value] : metadata.custom) custom[name] = value;
  OrderedJson out = OrderedJson::object();
  out["ImageName"] = metadata.image_name;
  out["ImageVersion"] = metadata.image_version;
  out["BuildMetadata"] = std::move(build);
  out["DockerInfo"] = OrderedJson::object();
  out["CustomMetadata"] = std::move(custom);
  return dump_json(out);
}

}  // namespace cloister::manifest
