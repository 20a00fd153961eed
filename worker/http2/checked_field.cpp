#include "worker/http2/checked_field.h"

#include "shared/base/bytes.h"
#include "worker/http/characters.h"
#include "worker/http/list.h"
#include "worker/http2/field_text.h"

namespace proxyd::http2 {
namespace {

using http::FieldName;
using http::Refusal;

constexpr uint64_t kConnectionFields = http::bit_of(FieldName::kConnection) | http::bit_of(FieldName::kKeepAlive) |
                                       http::bit_of(FieldName::kProxyConnection) |
                                       http::bit_of(FieldName::kTransferEncoding) | http::bit_of(FieldName::kUpgrade);

Pseudo pseudo_from(std::string_view name) {
  switch (name.size()) {
    case 5: return name == ":path" ? Pseudo::kPath : Pseudo::kNone;
    case 7:
      if (name == ":method") return Pseudo::kMethod;
      if (name == ":scheme") return Pseudo::kScheme;
      return name == ":status" ? Pseudo::kStatus : Pseudo::kNone;
    case 9: return name == ":protocol" ? Pseudo::kProtocol : Pseudo::kNone;
    case 10: return name == ":authority" ? Pseudo::kAuthority : Pseudo::kNone;
    default: return Pseudo::kNone;
  }
}

Refusal check_unknown(std::string_view name) {
  uint8_t all = http::character::kToken;
  uint8_t any = 0;
  for (const char c : name) {
    const uint8_t classes = http::classes_of(c);
    all &= classes;
    any |= classes;
  }
  if (name.empty() || all == 0) return Refusal::kNameInvalid;
  return (any & http::character::kUpper) != 0 ? Refusal::kNameCase : Refusal::kNone;
}

Refusal check_known(FieldName known, std::string_view name, std::string_view value) {
  if (name != http::to_lower_string(known)) return Refusal::kNameCase;
  if ((http::bit_of(known) & kConnectionFields) != 0) return Refusal::kConnectionField;
  const bool te = known == FieldName::kTe && !equals_ignoring_case(value, "trailers");
  return te ? Refusal::kTeOther : Refusal::kNone;
}

Refusal check_value(std::string_view value) {
  if (value.empty()) return Refusal::kNone;
  if (!is_field_text(value)) return Refusal::kValueControl;
  return http::is_space(value.front()) || http::is_space(value.back()) ? Refusal::kValueSpace : Refusal::kNone;
}

}   // namespace

FieldClass classify(std::string_view name, std::string_view value) {
  FieldClass is;
  if (!name.empty() && name.front() == ':') {   // each has rules of its own for its value
    is.is_pseudo = true;
    is.pseudo = pseudo_from(name);
    return is;
  }
  is.known = http::field_name_from(name);
  const bool ours = is.known != FieldName::kOther;
  is.refusal = ours ? check_known(is.known, name, value) : check_unknown(name);
  if (is.refusal == Refusal::kNone) is.refusal = check_value(value);
  is.has_underscore = !ours && name.find('_') != std::string_view::npos;
  return is;
}

}   // namespace proxyd::http2
