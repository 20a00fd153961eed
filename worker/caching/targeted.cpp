#include "worker/caching/targeted.h"

#include <algorithm>

#include "worker/caching/field_lines.h"
#include "worker/caching/structured_field.h"

namespace proxyd::caching {
namespace {

using Kind = StructuredMember::Kind;

// False when the type is not the directive's. A key twice: the last one counts (RFC 9651 4.2.2).
bool take(CacheControl& control, const StructuredMember& member) {
  if (int64_t* limit = seconds_of(control, member.key)) {
    if (member.kind != Kind::kInteger) return false;
    *limit = std::clamp<int64_t>(member.integer, 0, kMostSeconds);
  } else if (bool* flag = flag_of(control, member.key)) {
    const bool names_fields =
        member.kind == Kind::kString && (flag == &control.no_cache || flag == &control.is_private);
    if (member.kind != Kind::kBoolean && !names_fields) return false;
    *flag = names_fields || member.boolean;
  }
  return true;
}

}   // namespace

std::optional<CacheControl> parse_targeted(std::string_view field) {
  CacheControl control;
  StructuredField members(field, StructuredField::Type::kDictionary);
  while (const std::optional<StructuredMember> member = members.next()) {
    if (!take(control, *member)) return std::nullopt;
    control.any = true;
  }
  if (!members.well_formed() || !control.any) return std::nullopt;
  return control;
}

ResponseDirectives response_directives(const http::Fields& fields, const Policy& policy) {
  if (fields.has(http::FieldName::kOther)) {
    for (const std::string& name : policy.targeted) {
      const std::string_view field = combined_lines(fields, name);
      if (field.empty()) continue;
      if (const std::optional<CacheControl> control = parse_targeted(field)) return {*control, true};
    }
  }
  if (policy.ignore_cache_control) return {};
  return {parse_response_directives(fields), false};
}

}   // namespace proxyd::caching
