#include "cmd/report/measurement.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cmd/report/sgx_json.h"

namespace cloister::cmd {
namespace {

std::string protection(const measure::sgx::EnclaveArea& area) {
  if (area.tcs) return "---";
  std::string out = "---";
  if ((area.protection & 4) != 0) out[0] = 'r';
  if ((area.protection & 2) != 0) out[1] = 'w';
  if ((area.protection & 1) != 0) out[2] = 'x';
  return out;
}

}  // namespace

std::string areas_text(const std::vector<measure::sgx::EnclaveArea>& areas) {
  std::string out =
      "address              end                  prot  type  measured  pages     area\n";
  for (const auto& area : areas) {
    char line[160];
    std::snprintf(line, sizeof line, "0x%016llx - 0x%016llx  %s  %s   %s       %-8llu  ",
                  static_cast<unsigned long long>(area.address),
                  static_cast<unsigned long long>(area.address) + area.size,
                  protection(area).c_str(), area.tcs ? "TCS" : "REG", area.measured ? "yes" : "no ",
                  static_cast<unsigned long long>(area.size / 4096));
    out += cat(std::string_view(line), area.name, "\n");
  }
  return out;
}

std::string measurement_text(const MeasurementReport& r) {
  std::string out =
      cat("mrenclave        ", r.measurement.mrenclave.hex(),  //
          "\nenclave size     ", hex_number(r.params.enclave_size), " (",
          human_bytes(r.params.enclave_size), ")", "\nmax threads      ", r.params.max_threads,  //
          "\nedmm             ", r.params.edmm ? "yes" : "no",                                   //
          "\ndebug            ", r.params.debug ? "yes" : "no", "\n");
  if (r.sigstruct != nullptr) out += cat("mrsigner         ", r.sigstruct->mrsigner().hex(), "\n");
  if (r.explain) out += "\n" + areas_text(r.measurement.areas);
  return out;
}

std::string measurement_json(const MeasurementReport& r) {
  OrderedJson json = {
      {"mrenclave", r.measurement.mrenclave.hex()},
      {"mrsigner", nullptr},
      {"isvprodid", r.params.isvprodid},
      {"isvsvn", r.params.isvsvn},
      {"debug", r.params.debug},
      {"edmm", r.params.edmm},
      {"enclaveSize", r.params.enclave_size},
      {"maxThreads", r.params.max_threads},
      {"attributes",
       attributes_json(r.params.flags, r.params.flags_mask, r.params.xfrm, r.params.xfrm_mask)},
      {"miscselect", hex_le(r.params.misc_select, 4)},
      {"miscselectMask", hex_le(r.params.misc_mask, 4)},
  };
  if (r.sigstruct != nullptr) json["mrsigner"] = r.sigstruct->mrsigner().hex();
  if (r.explain) {
    OrderedJson areas = OrderedJson::array();
    for (const auto& area : r.measurement.areas)
      areas.push_back({{"name", area.name},
                       {"address", area.address},
                       {"size", area.size},
                       {"protection", protection(area)},
                       {"type", area.tcs ? "TCS" : "REG"},
                       {"measured", area.measured}});
    json["areas"] = std::move(areas);
  }
  return dump_json_pretty(json) + "\n";
}

}  // namespace cloister::cmd
