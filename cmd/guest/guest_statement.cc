#include "cmd/guest/guest_statement.h"

#include "sign/image/measurement.h"

namespace cloister::cmd {

Tee tee_of(const GuestStatement& statement) {
  return std::holds_alternative<sign::NitroMeasurement>(statement) ? Tee::nitro : Tee::snp;
}

const sign::GuestOrigin& origin_of(const GuestStatement& statement) {
  return std::visit([](const auto& one) -> const sign::GuestOrigin& { return one; }, statement);
}

void state_document(std::string_view text, const manifest::GuestTree& tree,
                    sign::GuestOrigin& origin) {
  std::vector<sign::NamedDigest> files;
  for (const auto& [path, entry] : tree)
    if (entry.type == manifest::GuestEntry::Type::file) files.push_back({"/" + path, entry.sha256});
  origin.document = sha256(text);
  origin.files = files.size();
  origin.files_digest = sign::trusted_files_digest(std::move(files));
}

std::string encode_statement(const GuestStatement& statement) {
  if (const auto* nitro = std::get_if<sign::NitroMeasurement>(&statement))
    return sign::encode_nitro_measurement(*nitro);
  return sign::encode_guest_measurement(std::get<sign::GuestMeasurement>(statement));
}

Result<GuestStatement> parse_statement(std::string_view text, Tee tee, const Limits& limits) {
  if (tee == Tee::nitro) {
    CL_TRY(sign::NitroMeasurement nitro, sign::parse_nitro_measurement(text, limits));
    return GuestStatement(std::move(nitro));
  }
  CL_TRY(sign::GuestMeasurement snp, sign::parse_guest_measurement(text, limits));
  return GuestStatement(std::move(snp));
}

}  // namespace cloister::cmd
