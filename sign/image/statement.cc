#include "sign/image/statement.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr std::string_view kStatementTypeV01 = "https://in-toto.io/Statement/v0.1";
constexpr std::size_t kMaxSubjects = 1024;

}  // namespace

bool Statement::is_about(const Digest& digest) const {
  return std::find(subjects.begin(), subjects.end(), digest) != subjects.end();
}

std::string encode_statement(std::string_view name, const Digest& subject,
                             std::string_view predicate_type, std::string_view predicate) {
  OrderedJson about = OrderedJson::object();
  if (!name.empty()) about["name"] = std::string(name);
  about["digest"] = OrderedJson::object({{"sha256", subject.hex()}});
  OrderedJson out = OrderedJson::object();
  out["_type"] = std::string(kStatementType);
  out["subject"] = OrderedJson::array({std::move(about)});
  out["predicateType"] = std::string(predicate_type);
  return with_member(dump_json(out), "predicate", predicate);
}

Result<Statement> parse_statement(std::string_view text, const Limits& limits) {
  CL_TRY(const Json json, parse_json(text, limits, "in-toto statement"));
  if (!json.is_object()) return Error::corrupt("an in-toto statement is a JSON object");
  CL_TRY(const auto type, get_string(json, "_type"));
  if (!type) return Error::corrupt("the in-toto statement lacks _type");
  if (*type != kStatementType && *type != kStatementTypeV01)
    return Error::unsupported(
        cat("the statement is of type ", quote(*type), ", want ", quote(kStatementType)));
  Statement out;
  CL_TRY(const auto predicate_type, get_string(json, "predicateType"));
  CL_TRY(const Json* subjects, get_array(json, "subject"));
  CL_TRY(const Json* predicate, get_object(json, "predicate"));
  if (!predicate_type || subjects == nullptr)
    return Error::corrupt("the in-toto statement lacks subject or predicateType");
  if (subjects->size() > kMaxSubjects)
    return Error::limit(cat("the in-toto statement has more than ", kMaxSubjects, " subjects"));
  out.predicate_type = *predicate_type;
  out.predicate = predicate == nullptr ? "{}" : dump_json(*predicate);
  for (const Json& subject : *subjects) {
    if (!subject.is_object()) return Error::corrupt("a subject of the statement is no object");
    CL_TRY(const Json* digests, get_object(subject, "digest"));
    if (digests == nullptr) continue;
    CL_TRY(const auto sha256, get_string(*digests, "sha256"));
    if (!sha256) continue;
    CL_TRY(const Digest digest, Digest::parse_hex(*sha256));
    out.subjects.push_back(digest);
  }
  return out;
}

}  // namespace cloister::sign
