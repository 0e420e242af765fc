#include "cmd/report/inspect.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cmd/report/guest.h"
#include "cmd/report/sgx_json.h"
#include "manifest-gen/assemble/paths.h"

namespace cloister::cmd {
namespace {

std::string words(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& word : list) out += cat(out.empty() ? "" : " ", quote(word));
  return out;
}

// "matches", "DIFFERS" or "not computed": does the SIGSTRUCT sign what is in the image?
std::string_view verdict(const EnclaveImage& enclave) {
  if (!enclave.recomputed) return "not computed";
  return *enclave.recomputed == enclave.sigstruct.mrenclave ? "matches" : "DIFFERS";
}

OrderedJson sgx_object(const EnclaveImage& e) {
  const auto& s = e.sigstruct;
  OrderedJson json = {{"mrenclave", s.mrenclave.hex()},
                      {"mrsigner", s.mrsigner().hex()},
                      {"isvprodid", s.isvprodid},
                      {"isvsvn", s.isvsvn},
                      {"debug", s.debug()},
                      {"date", format_date(s.date)},
                      {"attributes", attributes_json(s.flags, s.flags_mask, s.xfrm, s.xfrm_mask)},
                      {"miscselect", hex_le(s.misc_select, 4)},
                      {"signatureValid", e.signature_valid},
                      {"manifestDigest", sha256(e.manifest).str()},
                      {"recomputedMrenclave", nullptr}};
  if (e.recomputed) json["recomputedMrenclave"] = e.recomputed->hex();
  return json;
}

}  // namespace

std::string enclave_text(const EnclaveImage& enclave) {
  const auto& s = enclave.sigstruct;
  return cat("mrenclave    ", s.mrenclave.hex(), "\nmrsigner     ", s.mrsigner().hex(),
             "\nisvprodid    ", s.isvprodid, "\nisvsvn       ", s.isvsvn, "\ndebug        ",
             s.debug() ? "yes" : "no", "\nsigstruct    ",
             enclave.signature_valid ? "valid signature" : "signature NOT VALID", "\nmeasurement  ",
             verdict(enclave), " what is in the image\n");
}

std::string enclave_json(const EnclaveImage& enclave) {
  return dump_json_pretty(sgx_object(enclave)) + "\n";
}

std::string inspect_text(const oci::Image& image, const std::optional<EnclaveImage>& enclave) {
  const oci::ExecutionConfig& c = image.config.config;
  std::string out = cat("name         ", printable(image.name), "\ndigest       ",
                        image.manifest_descriptor.digest.str(), "\n");
  if (image.index_digest) out += cat("index        ", image.index_digest->str(), "\n");
  out += cat("media type   ", printable(image.manifest_descriptor.media_type), "\nplatform     ",
             printable(image.config.platform().str()), "\n");
  if (image.config.created)
    out += cat("created      ", format_rfc3339(*image.config.created), "\n");
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += cat(name, value, "\n");
  };
  line("user         ", printable(c.user));
  line("workdir      ", printable(c.working_dir));
  line("entrypoint   ", words(c.entrypoint));
  line("cmd          ", words(c.cmd));
  for (const std::string& env : c.env) line("env          ", printable(env));
  for (const std::string& port : c.exposed_ports) line("port         ", printable(port));
  for (const std::string& volume : c.volumes) line("volume       ", printable(volume));
  line("stop signal  ", printable(c.stop_signal));
  for (const auto& [name, value] : c.labels)
    if (name != manifest::kLabelProvenance)  // a page of JSON; --format json has it
      out += cat("label        ", printable(name), "=", printable(value), "\n");
  for (const oci::Descriptor& layer : image.manifest.layers)
    out += cat("layer        ", layer.digest.str(), "  ", human_bytes(layer.size), "\n");
  if (enclave) out += "\n" + enclave_text(*enclave);
  return out;
}

std::string inspect_json(const oci::Image& image, const std::optional<EnclaveImage>& enclave,
                         const GuestStatement* guest) {
  const oci::ExecutionConfig& c = image.config.config;
  OrderedJson layers = OrderedJson::array();
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
    const auto& layer = image.manifest.layers[i];
    layers.push_back({{"digest", layer.digest.str()},
                      {"diffId", image.config.diff_ids[i].str()},
                      {"bytes", layer.size},
                      {"mediaType", layer.media_type}});
  }
  OrderedJson json = {
      {"name", image.name},
      {"digest", image.manifest_descriptor.digest.str()},
      {"mediaType", image.manifest_descriptor.media_type},
      {"platform", image.config.platform().str()},
      {"created",
       image.config.created ? OrderedJson(format_rfc3339(*image.config.created)) : OrderedJson()},
      {"config",
       {{"user", c.user},
        {"workingDir", c.working_dir},
        {"entrypoint", c.entrypoint},
        {"cmd", c.cmd},
        {"env", c.env},
        {"exposedPorts", c.exposed_ports},
        {"volumes", c.volumes},
        {"stopSignal", c.stop_signal},
        {"labels", c.labels}}},
      {"layers", std::move(layers)},
      {"sgx", enclave ? sgx_object(*enclave) : OrderedJson()},
  };
  if (guest != nullptr)
    json[std::string(target_of(tee_of(*guest)).name)] = guest_statement_object(*guest);
  return dump_json_pretty(json) + "\n";
}

}  // namespace cloister::cmd
