#include "worker/http2/field_section.h"

#include <algorithm>

#include "shared/base/bytes.h"
#include "worker/http/characters.h"
#include "worker/http/list.h"
#include "worker/http2/field_text.h"

namespace proxyd::http2 {
namespace {

using http::FieldName;
using http::Refusal;

constexpr size_t kFieldOverhead = 32;   // RFC 9113 6.5.2

constexpr uint64_t kConnectionFields = http::bit_of(FieldName::kConnection) | http::bit_of(FieldName::kKeepAlive) |
                                       http::bit_of(FieldName::kProxyConnection) |
                                       http::bit_of(FieldName::kTransferEncoding) | http::bit_of(FieldName::kUpgrade);

uint8_t pseudo_from(std::string_view name) {
  if (name == ":method") return PseudoFields::kMethod;
  if (name == ":scheme") return PseudoFields::kScheme;
  if (name == ":path") return PseudoFields::kPath;
  if (name == ":authority") return PseudoFields::kAuthority;
  if (name == ":status") return PseudoFields::kStatus;
  return name == ":protocol" ? PseudoFields::kProtocol : 0;
}

std::string_view& place_of(PseudoFields& pseudo, uint8_t name) {
  switch (name) {
    case PseudoFields::kMethod: return pseudo.method;
    case PseudoFields::kScheme: return pseudo.scheme;
    case PseudoFields::kAuthority: return pseudo.authority;
    case PseudoFields::kPath: return pseudo.path;
    case PseudoFields::kProtocol: return pseudo.protocol;
    default: return pseudo.status;
  }
}

std::string_view copy(std::string_view text, http::Arena& arena) {
  char* to = arena.allocate_text(text.size());
  put_octets(to, text);
  return {to, text.size()};
}

}   // namespace

struct FieldSection::Crumb {
  std::string_view text;
  Crumb* next;
};

void FieldSection::begin(Kind kind, http::Fields& fields) {
  const Settings* settings = settings_;
  *this = FieldSection(*settings);
  kind_ = kind;
  fields_ = &fields;
  most_octets_ = kind == Kind::kTrailers ? settings->max_trailers : settings->max_header_list;
}

uint8_t FieldSection::allowed_pseudo() const {
  switch (kind_) {
    case Kind::kRequest:
      return PseudoFields::kMethod | PseudoFields::kScheme | PseudoFields::kAuthority | PseudoFields::kPath |
             PseudoFields::kProtocol;
    case Kind::kResponse: return PseudoFields::kStatus;
    case Kind::kTrailers: return 0;
  }
  return 0;
}

bool FieldSection::has_room_for(std::string_view name, std::string_view value) {
  list_size_ += name.size() + value.size() + kFieldOverhead;
  if (refusal_ != Refusal::kNone) return false;
  if (list_size_ <= most_octets_) return true;
  const bool long_target = name == ":path" && value.size() > settings_->max_target;
  refusal_ = kind_ == Kind::kTrailers ? Refusal::kTrailerLimit
             : long_target            ? Refusal::kUriTooLong
                                      : Refusal::kHeaderSize;
  return false;
}

Refusal FieldSection::add_pseudo(std::string_view name, std::string_view value) {
  const uint8_t known = pseudo_from(name);
  if ((known & allowed_pseudo()) == 0) return Refusal::kPseudoUnknown;
  if (regular_seen_) return Refusal::kPseudoOrder;
  if ((pseudo_.seen & known) != 0) return Refusal::kPseudoDuplicate;
  if (known == PseudoFields::kPath && value.size() > settings_->max_target) return Refusal::kUriTooLong;
  pseudo_.seen |= known;
  place_of(pseudo_, known) = copy(value, fields_->arena());
  return Refusal::kNone;
}

// A name that we don't know: a token in lower case.
Refusal FieldSection::check_unknown(std::string_view name) const {
  uint8_t all = 0xFF;
  uint8_t any = 0;
  for (const char c : name) {
    const uint8_t classes = http::classes_of(c);
    all &= classes;
    any |= classes;
  }
  if (name.empty() || (all & http::character::kToken) == 0) return Refusal::kNameInvalid;
  if ((any & http::character::kUpper) != 0) return Refusal::kNameCase;
  const bool underscore =
      settings_->underscore == http::Underscore::kReject && name.find('_') != std::string_view::npos;
  return underscore ? Refusal::kUnderscoreName : Refusal::kNone;
}

Refusal FieldSection::check_known(FieldName known, std::string_view value) const {
  if ((http::bit_of(known) & kConnectionFields) != 0) return Refusal::kConnectionField;
  const bool te = known == FieldName::kTe && !equals_ignoring_case(value, "trailers");
  return te ? Refusal::kTeOther : Refusal::kNone;
}

// Crumbs (RFC 9113 8.2.3) are one field, whose value is made when all of them are there.
void FieldSection::add_crumb(std::string_view value) {
  http::Arena& arena = fields_->arena();
  Crumb* crumb = arena.allocate_array<Crumb>(1);
  *crumb = {copy(value, arena), nullptr};
  if (!first_crumb_) {
    cookie_at_ = fields_->size();
    fields_->add({http::to_lower_string(FieldName::kCookie), crumb->text, FieldName::kCookie});
  }
  (last_crumb_ ? last_crumb_->next : first_crumb_) = crumb;
  last_crumb_ = crumb;
  ++crumbs_;
  crumbs_size_ += crumb->text.size();
}

void FieldSection::join_crumbs() {
  char* const cookie = fields_->arena().allocate_text(crumbs_size_ + (crumbs_ - 1) * 2);
  char* to = cookie;
  for (const Crumb* crumb = first_crumb_; crumb; crumb = crumb->next) {
    if (crumb != first_crumb_) to = put_octets(to, "; ");
    to = put_octets(to, crumb->text);
  }
  fields_->lines()[cookie_at_].value = {cookie, static_cast<size_t>(to - cookie)};
}

Refusal FieldSection::add_regular(std::string_view name, std::string_view value) {
  regular_seen_ = true;
  const FieldName known = http::field_name_from(name);
  const bool ours = known != FieldName::kOther;
  if (ours && name != http::to_lower_string(known)) return Refusal::kNameCase;
  const Refusal refusal = ours ? check_known(known, value) : check_unknown(name);
  if (refusal != Refusal::kNone) return refusal;
  if (!is_field_text(value)) return Refusal::kValueControl;
  if (!value.empty() && (http::is_space(value.front()) || http::is_space(value.back()))) return Refusal::kValueSpace;
  if (known == FieldName::kCookie && kind_ == Kind::kRequest) {
    if (crumbs_ == kMostCrumbs) return Refusal::kHeaderCount;
    if (crumbs_ == 0) ++lines_;
    add_crumb(value);
    return Refusal::kNone;
  }
  ++lines_;
  if (lines_ > settings_->max_fields) return Refusal::kHeaderCount;
  const bool dropped =
      !ours && settings_->underscore == http::Underscore::kDrop && name.find('_') != std::string_view::npos;
  if (dropped) return Refusal::kNone;
  http::Arena& arena = fields_->arena();
  fields_->add({ours ? http::to_lower_string(known) : copy(name, arena), copy(value, arena), known});
  if (!ours && name == "priority") priority_ = parse_priority(value);
  return Refusal::kNone;
}

void FieldSection::add(std::string_view name, std::string_view value) {
  if (!has_room_for(name, value)) return;
  const bool pseudo = !name.empty() && name.front() == ':';
  refusal_ = pseudo ? add_pseudo(name, value) : add_regular(name, value);
}

Refusal FieldSection::end() {
  if (crumbs_ > 1) join_crumbs();
  return refusal_;
}

}   // namespace proxyd::http2
