#include "worker/http2/field_section.h"

#include "shared/base/bytes.h"

namespace proxyd::http2 {
namespace {

using http::FieldName;
using http::Refusal;

constexpr size_t kFieldOverhead = 32;   // RFC 9113 6.5.2

std::string_view& place_of(PseudoFields& pseudo, Pseudo name) {
  switch (name) {
    case Pseudo::kMethod: return pseudo.method;
    case Pseudo::kScheme: return pseudo.scheme;
    case Pseudo::kAuthority: return pseudo.authority;
    case Pseudo::kPath: return pseudo.path;
    case Pseudo::kProtocol: return pseudo.protocol;
    default: return pseudo.status;
  }
}

constexpr uint8_t bits(Pseudo name) { return static_cast<uint8_t>(name); }

constexpr uint8_t kOfRequests = bits(Pseudo::kMethod) | bits(Pseudo::kScheme) | bits(Pseudo::kAuthority) |
                                bits(Pseudo::kPath) | bits(Pseudo::kProtocol);

[[gnu::always_inline]] inline std::string_view copy(std::string_view text, http::Arena& arena) {
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
  if (kind_ == Kind::kRequest) return kOfRequests;
  return kind_ == Kind::kResponse ? bits(Pseudo::kStatus) : 0;
}

inline bool FieldSection::has_room_for(const CheckedField& field) {
  list_size_ += field.name.size() + field.value.size() + kFieldOverhead;
  if (refusal_ != Refusal::kNone) return false;
  if (list_size_ <= most_octets_) return true;
  const bool long_target = field.is.pseudo == Pseudo::kPath && field.value.size() > settings_->max_target;
  refusal_ = kind_ == Kind::kTrailers          ? Refusal::kTrailerLimit
             : long_target                     ? Refusal::kUriTooLong
             : crumbs_ > settings_->max_fields ? Refusal::kHeaderCount   // many small ones
                                               : Refusal::kHeaderSize;
  return false;
}

inline Refusal FieldSection::add_pseudo(const CheckedField& field) {
  const uint8_t bit = bits(field.is.pseudo);
  if ((bit & allowed_pseudo()) == 0) return Refusal::kPseudoUnknown;
  if (regular_seen_) return Refusal::kPseudoOrder;
  if ((pseudo_.seen & bit) != 0) return Refusal::kPseudoDuplicate;
  if (field.is.pseudo == Pseudo::kPath && field.value.size() > settings_->max_target) return Refusal::kUriTooLong;
  pseudo_.seen |= bit;
  place_of(pseudo_, field.is.pseudo) = field.lasts ? field.value : copy(field.value, fields_->arena());
  return Refusal::kNone;
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

inline Refusal FieldSection::add_regular(const CheckedField& field) {
  regular_seen_ = true;
  const FieldName known = field.is.known;
  if (field.is.refusal != Refusal::kNone) return field.is.refusal;
  if (known == FieldName::kCookie && kind_ == Kind::kRequest) {
    if (crumbs_ == kMostCrumbs) return Refusal::kHeaderCount;
    if (crumbs_ == 0) ++lines_;
    add_crumb(field.value);
    return Refusal::kNone;
  }
  if (++lines_ > settings_->max_fields) return Refusal::kHeaderCount;
  if (field.is.has_underscore && settings_->underscore != http::Underscore::kPass) {
    return settings_->underscore == http::Underscore::kDrop ? Refusal::kNone : Refusal::kUnderscoreName;
  }
  http::Arena& arena = fields_->arena();
  const std::string_view value = copy(field.value, arena);
  if (known != FieldName::kOther) {
    fields_->add({http::to_lower_string(known), value, known});
    return Refusal::kNone;
  }
  fields_->add({copy(field.name, arena), value, known});
  if (field.name == "priority") priority_ = parse_priority(value);
  return Refusal::kNone;
}

void FieldSection::add(const CheckedField& field) {
  if (!has_room_for(field)) return;
  refusal_ = field.is.is_pseudo ? add_pseudo(field) : add_regular(field);
}

Refusal FieldSection::end() {
  if (crumbs_ > 1) join_crumbs();
  return refusal_;
}

}   // namespace proxyd::http2
