#include "cmd/report/sigstruct.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cmd/report/sgx_json.h"

namespace cloister::cmd {

std::string sigstruct_text(const sign::Sigstruct& s, bool signature_valid) {
  return cat("mrenclave        ", s.mrenclave.hex(),                                          //
             "\nmrsigner         ", s.mrsigner().hex(),                                       //
             "\nisvprodid        ", s.isvprodid,                                              //
             "\nisvsvn           ", s.isvsvn,                                                 //
             "\ndebug            ", s.debug() ? "yes" : "no",                                 //
             "\ndate             ", format_date(s.date),                                      //
             "\nvendor           ", hex_number(s.vendor),                                     //
             "\nattributes       ", hex_number(s.flags), " mask ", hex_number(s.flags_mask),  //
             "\nxfrm             ", hex_number(s.xfrm), " mask ", hex_number(s.xfrm_mask),    //
             "\nmiscselect       ", hex_number(s.misc_select), " mask ",
             hex_number(s.misc_mask),                                                    //
             "\nisvfamilyid      ", hex(std::span<const std::byte>(s.isv_family_id)),    //
             "\nisvextprodid     ", hex(std::span<const std::byte>(s.isv_ext_prod_id)),  //
             "\nsignature        ", signature_valid ? "valid" : "NOT VALID", "\n");
}

std::string sigstruct_json(const sign::Sigstruct& s, bool signature_valid) {
  const OrderedJson json = {
      {"mrenclave", s.mrenclave.hex()},
      {"mrsigner", s.mrsigner().hex()},
      {"isvprodid", s.isvprodid},
      {"isvsvn", s.isvsvn},
      {"debug", s.debug()},
      {"date", format_date(s.date)},
      {"vendor", hex_le(s.vendor, 4)},
      {"attributes", attributes_json(s.flags, s.flags_mask, s.xfrm, s.xfrm_mask)},
      {"miscselect", hex_le(s.misc_select, 4)},
      {"miscselectMask", hex_le(s.misc_mask, 4)},
      {"isvfamilyid", hex(std::span<const std::byte>(s.isv_family_id))},
      {"isvextprodid", hex(std::span<const std::byte>(s.isv_ext_prod_id))},
      {"signatureValid", signature_valid},
  };
  return dump_json_pretty(json) + "\n";
}

}  // namespace cloister::cmd
